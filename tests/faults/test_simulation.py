"""kill -9 of a real worker in the middle of a simulation: nothing of it is there; another worker does it again."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, create_engine, func, select, text

from retention_rules.model import Period
from tests.support.archive import Archive, jpeg, make_archive, trust
from vault.foundation.clock import FixedClock
from vault.foundation.db.engine import Database
from vault.foundation.jobs import runs
from vault.oversight.verification import verify
from vault.retention import service
from vault.retention.effects import Effect
from vault.retention.queries import version_in_effect
from vault.retention.simulation_jobs import ask_simulation
from vault.retention.simulations import get_simulation
from vault.retention.tables import simulation_effects

ROOT = Path(__file__).resolve().parents[2]
pytestmark = [pytest.mark.faults, pytest.mark.slow, pytest.mark.timeout(300)]


@pytest.fixture
def kept(database: Database, clock: FixedClock, tmp_path: Path) -> Archive:
    """An archive on a write-once directory, which a process of its own can open too."""
    archive = make_archive(database, clock, tmp_path, f"worm://{tmp_path / 'store'}")
    trust(archive)
    return archive


@contextmanager
def worker(url: str, directory: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A worker process as the supervisor starts it."""
    environment = {
        **os.environ,
        "SLIPVAULT_HOME": str(directory / "home"),
        "SLIPVAULT_DATABASE_URL": url.replace("+psycopg", ""),
        "SLIPVAULT_STORE_URL": f"worm://{directory / 'store'}",
        "SLIPVAULT_CUSTODIAN_URL": f"file://{directory / 'custodian'}",
    }
    with (directory / "worker.log").open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "vault.surfaces.worker"], cwd=ROOT, env=environment, stdout=log, stderr=log
        )
        try:
            yield process
        finally:
            process.kill()
            process.wait(30)


@pytest.mark.clause("V3")
@pytest.mark.invariant("S1")
def test_a_worker_killed_in_a_simulation_leaves_nothing_and_another_does_it(
    kept: Archive, database_url: str, tmp_path: Path
) -> None:
    for place in range(3):
        kept.send(jpeg(9000 + place), class_code="COMPLAINT", occurred_date=date(2026, 3, 1))
    with kept.ctx.database.read() as connection:
        content = version_in_effect(connection, kept.clock.now()).content
    classes = tuple(
        replace(k, own_period=Period(months=240)) if k.code == "COMPLAINT" else k for k in content.classes
    )
    version = service.draft(kept.ctx, kept.operator, "投诉二十年", replace(content, classes=classes))
    asked = ask_simulation(kept.ctx, kept.operator, version.number)
    engine = create_engine(database_url)
    # While this lock is held, whoever keeps what was found waits in the middle of the statement.
    with engine.begin() as held, worker(database_url, tmp_path) as first:
        held.execute(text("LOCK TABLE simulation_effects IN ACCESS EXCLUSIVE MODE"))
        _wait_for(lambda: _is_waiting(engine), 60)
        first.send_signal(signal.SIGKILL)
        first.wait(30)
    assert _run(kept, asked.run_id).state == "running"
    with kept.ctx.database.read() as connection:
        assert connection.execute(select(func.count()).select_from(simulation_effects)).scalar_one() == 0
        assert get_simulation(connection, asked.id).found is None
    with engine.begin() as connection:  # as if the minute had passed after which a worker is taken for dead
        connection.execute(text("UPDATE procrastinate_workers SET last_heartbeat = now() - interval '5 minutes'"))
    engine.dispose()
    with worker(database_url, tmp_path):
        _wait_for(lambda: _run(kept, asked.run_id).state == "done", 120)
    with kept.ctx.database.read() as connection:
        found = get_simulation(connection, asked.id).found
    assert found is not None
    assert (found.records, found.affected, found.total(Effect.LONGER)) == (3, 3, 3)
    kept.sequence()
    assert verify(kept.ctx).is_clean


def _is_waiting(engine: Engine) -> bool:
    query = text("SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = 'simulation_effects'::regclass")
    with engine.connect() as connection:
        return bool(connection.execute(query).scalar_one())


def _run(archive: Archive, run_id: Any) -> runs.Run:
    with archive.ctx.database.read() as connection:
        return runs.get_run(connection, run_id)


def _wait_for(what: Callable[[], bool], seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.3)
