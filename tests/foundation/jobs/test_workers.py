"""Workers that are killed, told to end, or lose the store: their work goes on elsewhere, and is done once."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import create_engine, select, text

from tests.support.archive import Archive, jpeg, make_archive, trust
from tests.support.stores import cut_off
from vault.foundation.clock import FixedClock, SystemClock
from vault.foundation.db.engine import Database
from vault.foundation.jobs import runs
from vault.foundation.ledger.entry import SYSTEM
from vault.foundation.ledger.tables import ledger_entries, ledger_timestamps
from vault.foundation.storage.errors import StoreUnavailable
from vault.intake.tables import rendition_tasks
from vault.oversight.jobs import ask_reconciliation

ROOT = Path(__file__).resolve().parents[3]
pytestmark = pytest.mark.faults
PATIENCE_S = 120
CLOCK_LOCK = 0x736C6970_636C6F63


@pytest.fixture
def kept(database: Database, tmp_path: Path) -> Archive:
    """An archive two days ago with one record, and two uploads whose senders never came back."""
    clock = FixedClock(SystemClock().now() - timedelta(days=2))
    archive = make_archive(database, clock, tmp_path, f"worm://{tmp_path / 'store'}")
    trust(archive)
    archive.send(jpeg(1))
    for seed in (2, 3):
        with cut_off(archive, is_written=True), pytest.raises(StoreUnavailable):
            archive.send(jpeg(seed))
    return archive


class Workers:
    """Worker processes on the archive's database, store and custodian."""

    def __init__(self, url: str, directory: Path) -> None:
        self._directory = directory
        self._environment = {
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "SLIPVAULT_HOME": str(directory / "home"),
            "SLIPVAULT_DATABASE_URL": url.replace("postgresql+psycopg://", "postgresql://"),
            "SLIPVAULT_STORE_URL": f"worm://{directory / 'store'}",
            "SLIPVAULT_CUSTODIAN_URL": f"file://{directory / 'custodian'}",
        }
        self.started: list[subprocess.Popen[bytes]] = []

    def start(self, **settings: str) -> subprocess.Popen[bytes]:
        with (self._directory / f"worker-{len(self.started)}.log").open("wb") as log:
            worker = subprocess.Popen(
                [sys.executable, "-m", "vault.surfaces.worker"],
                env={**self._environment, **settings},
                stdout=log,
                stderr=log,
            )
        self.started.append(worker)
        return worker

    def said(self) -> str:
        return "".join(path.read_text(encoding="utf-8") for path in sorted(self._directory.glob("worker-*.log")))


@pytest.fixture
def workers(kept: Archive, database_url: str, tmp_path: Path) -> Iterator[Workers]:
    made = Workers(database_url, tmp_path)
    yield made
    for worker in made.started:
        worker.kill()
        worker.wait()


def test_the_job_of_a_killed_worker_is_taken_over_and_its_work_done_once(
    kept: Archive, workers: Workers, database_url: str
) -> None:
    run_id = ask_reconciliation(kept.ctx, kept.operator)
    with closed(database_url, "leftovers"):  # the uploads are given up, then the work can go no further
        first = workers.start()
        until(lambda: events(kept)["intake:item:abandon"] == 2)
        assert state(kept, run_id) == "running"
        second = workers.start()
        first.kill()
    until(lambda: state(kept, run_id) == "done")
    assert second.poll() is None
    assert "jobs of dead workers taken over" in workers.said()
    counted = events(kept)
    assert (counted["intake:item:abandon"], counted["oversight:leftover:note"]) == (2, 2)
    assert counted["oversight:reconciliation:finish"] == 1


def test_checkpoints_are_time_stamped(kept: Archive, workers: Workers, authority: tuple[str, Path]) -> None:
    kept.sequence()
    workers.start(SLIPVAULT_TIMESTAMP_URL=authority[0])

    def is_stamped() -> bool:
        with kept.ctx.database.read() as connection:
            return connection.execute(select(ledger_timestamps.c.size)).first() is not None

    until(is_stamped)


def test_a_worker_that_is_told_to_end_leaves_its_job_to_the_next_at_once(
    kept: Archive, workers: Workers, database_url: str
) -> None:
    run_id = ask_reconciliation(kept.ctx, kept.operator)
    with closed(database_url, "leftovers"):
        first = workers.start()
        until(lambda: events(kept)["intake:item:abandon"] == 2)
        first.send_signal(signal.SIGTERM)
        time.sleep(1)
    assert first.wait(30) == 0
    assert state(kept, run_id) == "waiting"
    began_s = time.monotonic()
    workers.start()
    until(lambda: state(kept, run_id) == "done")
    assert time.monotonic() - began_s < 25, "nobody had to be taken for dead"


def test_cancelled_while_it_runs_it_ends_and_keeps_what_it_did(
    kept: Archive, workers: Workers, database_url: str
) -> None:
    run_id = ask_reconciliation(kept.ctx, kept.operator)
    with closed(database_url, "leftovers"):
        workers.start()
        until(lambda: events(kept)["intake:item:abandon"] == 2)
        with kept.ctx.database.transaction(SYSTEM) as tx:
            runs.request_cancel(tx, UUID(run_id))
            tx.commit()
        time.sleep(1)  # a run looks twice a second whether somebody wants its end
    until(lambda: state(kept, run_id) == "cancelled")
    assert events(kept)["intake:item:abandon"] == 2


def test_work_that_fails_says_why_and_is_tried_again(kept: Archive, workers: Workers, tmp_path: Path) -> None:
    aside = tmp_path / "aside"
    (tmp_path / "store" / "objects").rename(aside)
    run_id = ask_reconciliation(kept.ctx, kept.operator)
    workers.start()
    until(lambda: state(kept, run_id) == "failed")
    with kept.ctx.database.read() as connection:
        assert runs.get_run(connection, UUID(run_id)).problem == "store-unavailable"
    aside.rename(tmp_path / "store" / "objects")
    until(lambda: state(kept, run_id) == "done")


def test_renditions_of_a_killed_worker_are_made_by_another(
    kept: Archive, workers: Workers, database_url: str
) -> None:
    with closed(database_url, "components"):
        first = workers.start()
        until(lambda: is_claimed(kept))
        first.kill()
        first.wait()
    with kept.ctx.database.transaction(SYSTEM) as tx:  # five minutes later
        tx.connection.execute(rendition_tasks.update().values(claimed_at=SystemClock().now() - timedelta(minutes=6)))
        tx.commit()
    workers.start()
    until(lambda: events(kept)["catalogue:renditions:add"] == 1)


def test_the_clock_is_led_by_one_and_taken_over(workers: Workers, database_url: str) -> None:
    running = [workers.start() for _ in range(2)]
    until(lambda: len(leaders(database_url)) == 1)
    first = leaders(database_url)
    until(lambda: len(logs_of_start(workers)) == 2)
    assert leaders(database_url) == first
    end_session(database_url, first[0])  # its connection is cut: it must not go on as if it still led
    until(lambda: leaders(database_url) not in ([], first))
    second = leaders(database_url)
    running[0].kill()
    until(lambda: len(leaders(database_url)) == 1)
    running[0].wait()
    running[1].kill()
    running[1].wait()
    until(lambda: leaders(database_url) == [])
    workers.start()
    until(lambda: len(leaders(database_url)) == 1)
    assert leaders(database_url) not in (first, second)


def test_a_worker_whose_database_is_gone_ends_by_name(workers: Workers, database_url: str) -> None:
    worker = workers.start()
    until(lambda: leaders(database_url))
    name = database_url.rsplit("/", 1)[1].partition("?")[0]
    engine = create_engine(database_url.replace(f"/{name}?", "/postgres?"), isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false"))
        connection.execute(
            text("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = :n"), {"n": name}
        )
        code = worker.wait(PATIENCE_S)
        connection.execute(text(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true"))
    engine.dispose()
    assert code == 69
    assert "worker lost the database" in workers.said()
    assert "Traceback" not in workers.said()


@contextmanager
def closed(url: str, table: str) -> Iterator[None]:
    """While this lasts, whoever reads the table waits."""
    engine = create_engine(url)
    with engine.connect() as connection:
        connection.execute(text(f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE"))
        yield
    engine.dispose()


def state(archive: Archive, run_id: str) -> str:
    with archive.ctx.database.read() as connection:
        return runs.get_run(connection, UUID(run_id)).state


def events(archive: Archive) -> Counter[str]:
    with archive.ctx.database.read() as connection:
        return Counter(connection.execute(select(ledger_entries.c.event)).scalars())


def is_claimed(archive: Archive) -> bool:
    with archive.ctx.database.read() as connection:
        return bool(connection.execute(select(rendition_tasks.c.claimed_at)).scalar_one_or_none())


def leaders(url: str) -> list[int]:
    """The sessions that hold the clock's lock."""
    engine = create_engine(url)
    with engine.connect() as connection:
        found = connection.execute(
            text(
                "SELECT pid FROM pg_locks JOIN pg_database ON pg_database.oid = database"
                " WHERE locktype = 'advisory' AND granted AND datname = current_database()"
                " AND (classid::bigint << 32 | objid::bigint) = :key"
            ),
            {"key": CLOCK_LOCK},
        ).scalars()
        told = list(found)
    engine.dispose()
    return told


def end_session(url: str, pid: int) -> None:
    engine = create_engine(url)
    with engine.connect() as connection:
        connection.execute(text("SELECT pg_terminate_backend(:pid)"), {"pid": pid})
    engine.dispose()


def logs_of_start(workers: Workers) -> list[str]:
    return [line for line in workers.said().splitlines() if "worker started" in line]


def until(condition: Callable[[], object], timeout_s: float = PATIENCE_S) -> None:
    deadline_s = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline_s, "it did not happen"
        time.sleep(0.05)
