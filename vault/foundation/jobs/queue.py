"""The queue: work enqueued in the business transaction, done by any number of workers on any number of hosts.

Procrastinate keeps it in PostgreSQL. A task is a name; each noun's functions are registered under theirs where the
worker is put together. Bodies may run twice (a dead worker's job is taken over), so they are idempotent.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from importlib import resources
from typing import Any

import procrastinate
import psycopg
from procrastinate.exceptions import AlreadyEnqueued
from sqlalchemy import URL, make_url, text

from vault.foundation.db.transaction import Transaction

Body = Callable[..., None]
STALLED_AFTER = timedelta(seconds=30)  # three beats of a worker's heart
POLL_EVERY_S = 0.5
_deferring = procrastinate.App(connector=procrastinate.SyncPsycopgConnector())


def schema_sql() -> str:
    """Procrastinate's own schema, for the migration."""
    return (resources.files("procrastinate") / "sql" / "schema.sql").read_text("utf-8")


def defer(tx: Transaction, task: str, *, once: str | None = None, after_s: int = 0, **arguments: Any) -> bool:
    """Enqueues a task with the transaction, to be done in `after_s` seconds: committed with it or not at all.

    `once` names a lock: while a job with it waits, no second one is enqueued. Returns whether one was enqueued.
    """
    driver = tx.connection.connection.driver_connection
    assert isinstance(driver, psycopg.Connection)
    later = {"seconds": after_s} if after_s else None
    job = _deferring.configure_task(task, queueing_lock=once, connection=driver, schedule_in=later)
    if once is None:
        job.defer(**arguments)
        return True
    # A clash would end the whole transaction: the savepoint keeps it to this line.
    tx.connection.execute(text("SAVEPOINT enqueue"))
    try:
        job.defer(**arguments)
    except AlreadyEnqueued:
        tx.connection.execute(text("ROLLBACK TO SAVEPOINT enqueue"))
        return False
    tx.connection.execute(text("RELEASE SAVEPOINT enqueue"))
    return True


def make_app(url: str | URL, tasks: Mapping[str, Body], threads: int) -> procrastinate.App:
    """The worker's side of the queue, with each task under its name."""
    app = procrastinate.App(
        connector=procrastinate.PsycopgConnector(conninfo=conninfo(make_url(url)), min_size=1, max_size=threads + 2)
    )
    for name, body in tasks.items():
        app.task(name=name, retry=procrastinate.RetryStrategy(max_attempts=5, exponential_wait=2))(body)
    return app


async def rescue_stalled(app: procrastinate.App) -> int:
    """Puts jobs whose worker died back into the queue; returns how many."""
    rescued = 0
    for job in await app.job_manager.get_stalled_jobs(seconds_since_heartbeat=STALLED_AFTER.total_seconds()):
        await app.job_manager.retry_job(job)
        rescued += 1
    return rescued


def conninfo(url: URL) -> str:
    """A libpq connection string for the lesser role."""
    from vault.foundation.db.engine import APP_ROLE

    host = url.query.get("host") or url.host
    parts: dict[str, str | int | None] = {
        "host": host if isinstance(host, str) or host is None else ",".join(host),
        "port": url.port,
        "user": url.username,
        "password": url.password,
        "dbname": url.database,
        "options": f"-c role={APP_ROLE} -c timezone=UTC",
    }
    return psycopg.conninfo.make_conninfo("", **{name: value for name, value in parts.items() if value})
