"""The worker process: does queued work, numbers and publishes the ledger, and keeps the clock when it leads.

    python -m vault.surfaces.worker

Any number of workers may run on any number of hosts. The queue gives each job to one; the sequencer and the clock
are led by one at a time, by advisory locks, and taken over when that one dies.
"""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any
from uuid import UUID

import procrastinate
import psycopg
from procrastinate.exceptions import ConnectorException
from sqlalchemy import exists, select
from sqlalchemy.exc import SQLAlchemyError

from vault.access import sessions
from vault.app import make_context
from vault.foundation.context import Context
from vault.foundation.db.errors import DatabaseUnavailable
from vault.foundation.errors import VaultError
from vault.foundation.jobs import clockwork, queue, runs
from vault.foundation.jobs.clockwork import Appointment
from vault.foundation.jobs.errors import JobCancelled, JobPutOff
from vault.foundation.ledger import publisher
from vault.foundation.ledger.entry import SYSTEM
from vault.foundation.ledger.sequencer import BATCH_MAX, sequence
from vault.foundation.ledger.timestamp import TimestampAuthority
from vault.holds.jobs import TASK_TELL_STORES, are_stores_behind, tell_waiting
from vault.intake.jobs import render_waiting
from vault.intake.stores import is_probe_due, probe_and_note
from vault.intake.tables import rendition_tasks
from vault.oversight.jobs import (
    TASK_RECONCILE,
    TASK_VERIFY,
    ask_reconciliation_if_due,
    run_reconciliation,
    run_verification,
)
from vault.retention.jobs import TASK_SWEEP, enqueue_sweep, run_sweep
from vault.retention.locking import TASK_LOCK, are_locks_due, lock_waiting
from vault.retention.simulation_jobs import TASK_SIMULATE, run_simulation
from vault.settings import Settings
from vault.surfaces.observing import LibraryHandler, log

THREADS = 2
NICENESS = 10
SEQUENCE_EVERY_S = 0.5
PUBLISH_EVERY_S = 10
TIMESTAMP_EVERY_S = 3600
TASK_RENDER, TASK_PROBE, TASK_RENEW = "intake:render", "intake:probe", "ledger:renew"


class Worker:
    """One worker process."""

    def __init__(self, ctx: Context, settings: Settings) -> None:
        self.ctx = ctx
        self._settings = settings
        self._ending = threading.Event()
        self._forged = 0

    def run(self) -> None:
        """Works until it is told to end."""
        threads = [
            threading.Thread(target=self._forever, args=(self._sequence, SEQUENCE_EVERY_S), name="sequencer"),
            threading.Thread(target=self._forever, args=(self._publish, PUBLISH_EVERY_S), name="publisher"),
            threading.Thread(target=self._forever, args=(self._lead_clock, 2.0), name="clock"),
        ]
        for thread in threads:
            thread.start()
        try:
            asyncio.run(self._work())
        finally:
            self._ending.set()
            for thread in threads:
                thread.join(15)
            self.ctx.database.dispose()

    def stop(self) -> None:
        """Asks everything to end."""
        self._ending.set()

    async def _work(self) -> None:
        app = queue.make_app(self.ctx.database.url, self._tasks(), THREADS)
        async with app.open_async():
            loop = asyncio.get_running_loop()
            done = asyncio.Event()
            for name in (signal.SIGTERM, signal.SIGINT):
                loop.add_signal_handler(name, done.set)
            worker = asyncio.create_task(
                app.run_worker_async(
                    concurrency=THREADS,
                    fetch_job_polling_interval=queue.POLL_EVERY_S,
                    install_signal_handlers=False,
                    delete_jobs="successful",
                    listen_notify=True,
                )
            )
            rescuer = asyncio.create_task(self._rescue(app))
            ended = asyncio.create_task(done.wait())
            await asyncio.wait({worker, ended}, return_when=asyncio.FIRST_COMPLETED)
            self.stop()
            rescuer.cancel()
            worker.cancel()
            with suppress(asyncio.CancelledError):
                await worker

    async def _rescue(self, app: procrastinate.App) -> None:
        while True:
            await asyncio.sleep(queue.STALLED_AFTER.total_seconds() / 4)
            rescued = await queue.rescue_stalled(app)
            if rescued:
                log.warning("jobs of dead workers taken over", jobs=rescued)

    def _tasks(self) -> dict[str, queue.Body]:
        return {
            TASK_RENDER: self._render,
            TASK_PROBE: self._probe,
            TASK_LOCK: self._lock,
            TASK_TELL_STORES: self._tell_stores,
            TASK_RENEW: self._renew,
            TASK_VERIFY: self._in_run(run_verification),
            TASK_RECONCILE: self._in_run(run_reconciliation),
            TASK_SWEEP: self._in_run(run_sweep),
            TASK_SIMULATE: self._in_run(run_simulation),
        }

    def _in_run(self, body: Callable[..., None]) -> queue.Body:
        """A task that people follow: `body` gets the context, the run's progress, and what it was enqueued with."""

        def task(run_id: str, **arguments: Any) -> None:
            progress = runs.Progress(self.ctx.database, self.ctx.clock, UUID(run_id), self._ending.is_set)
            if not progress.start():
                return
            try:
                body(self.ctx, progress, **arguments)
            except JobCancelled:
                progress.cancelled()
            except JobPutOff as later:
                progress.put_off(later.after_s, **arguments)
            except Exception as error:  # also of kinds that nobody thought of: a run must not seem to go on for ever
                progress.fail(error.code if isinstance(error, VaultError) else VaultError.code)
                raise

        return task

    def _render(self) -> None:
        for _ in render_waiting(self.ctx):
            if self._ending.is_set():
                return

    def _lock(self) -> None:
        for _ in lock_waiting(self.ctx):
            if self._ending.is_set():
                return

    def _tell_stores(self) -> None:
        for _ in tell_waiting(self.ctx):
            if self._ending.is_set():
                return

    def _probe(self) -> None:
        if is_probe_due(self.ctx):
            report = probe_and_note(self.ctx, SYSTEM)
            if report.lies:
                log.error("the store lies", store=report.store, lies=list(report.lies))

    def _renew(self) -> None:
        publisher.renew_locks(self.ctx.database, self.ctx.store, self.ctx.custodian.public_key())

    def _sequence(self) -> None:
        custodian = self.ctx.custodian
        while (done := sequence(self.ctx.database, custodian.public_key(), custodian.sign)) is not None:
            if done.forged != self._forged:
                self._forged = done.forged
                log.error("entries in the ledger that this service did not write", entries=done.forged)
            if done.entries < BATCH_MAX:
                return

    def _publish(self) -> None:
        publisher.publish(self.ctx.database, self.ctx.store, self.ctx.custodian.public_key())

    def _lead_clock(self) -> None:
        clockwork.lead(self.ctx.database, self._appointments(), self._ending)

    def _appointments(self) -> list[Appointment]:
        made = [
            Appointment(self._enqueue_rendering, 1),
            Appointment(self._enqueue_locking, 2),
            Appointment(self._enqueue_holds, 2),
            Appointment(lambda: enqueue_sweep(self.ctx), 30),
            Appointment(lambda: self._enqueue(TASK_PROBE), 600, is_first_at_once=True),
            Appointment(lambda: ask_reconciliation_if_due(self.ctx), 600, is_first_at_once=True),
            Appointment(lambda: self._enqueue(TASK_RENEW), 24 * 3600, is_first_at_once=True),
            Appointment(lambda: sessions.clear_stale(self.ctx), 3600),
        ]
        if self._settings.timestamp_url:
            authority = TimestampAuthority(self._settings.timestamp_url)
            stamp = partial(publisher.stamp, self.ctx.database, authority, self.ctx.custodian.public_key())
            made.append(Appointment(stamp, TIMESTAMP_EVERY_S, is_first_at_once=True))
        return made

    def _enqueue_rendering(self) -> None:
        with self.ctx.database.read() as connection:
            waits = connection.execute(select(exists().where(rendition_tasks.c.state == "waiting"))).scalar_one()
        if waits:
            self._enqueue(TASK_RENDER)

    def _enqueue_locking(self) -> None:
        with self.ctx.database.read() as connection:
            waits = are_locks_due(connection, self.ctx.clock.now())
        if waits:
            self._enqueue(TASK_LOCK)

    def _enqueue_holds(self) -> None:
        with self.ctx.database.read() as connection:
            waits = are_stores_behind(connection, self.ctx.clock.now())
        if waits:
            self._enqueue(TASK_TELL_STORES)

    def _enqueue(self, task: str) -> None:
        with self.ctx.database.transaction(SYSTEM) as tx:
            if queue.defer(tx, task, once=task):
                tx.commit()

    def _forever(self, body: Callable[[], None], every_s: float) -> None:
        """Repeats `body`; what fails for the moment is logged by its kind and tried again, more slowly."""
        while not self._ending.is_set():
            pause_s = every_s
            try:
                body()
            except Exception as error:  # noqa: BLE001 - of whatever kind: without this thread nothing is numbered or swept
                log.warning("background work failed", work=body.__name__, kind=type(error).__name__)
                pause_s = max(every_s, 3.0)
            self._ending.wait(pause_s)


def main() -> None:
    """Runs a worker on the database that the environment names.

    It ends when it is told to, or when the database is away for longer than a moment: whoever started it starts it again.
    """
    settings = Settings.from_environment()
    if settings.database_url is None:
        raise SystemExit("a worker needs SLIPVAULT_DATABASE_URL; start it with scripts/run")
    logging.basicConfig(level=logging.WARNING, handlers=[LibraryHandler()])
    os.nice(NICENESS)  # people and scanning stations wait for the web processes, nobody waits for a thumbnail
    ctx = make_context(settings, settings.database_url, pool_size=8)
    started = time.monotonic()
    log.info("worker started")
    try:
        Worker(ctx, settings).run()
    except (ConnectorException, psycopg.OperationalError, SQLAlchemyError) as error:
        log.error("worker lost the database", kind=type(error).__name__, seconds=round(time.monotonic() - started))
        raise SystemExit(DatabaseUnavailable.exit_code) from None
    log.info("worker ended", seconds=round(time.monotonic() - started))


if __name__ == "__main__":
    main()
