"""Kill and failure between every two writes of filing, in the database and in the store; restart; the promises."""

from __future__ import annotations

import itertools
import subprocess
import sys
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from uuid import UUID

import pytest

from retention_rules.schedules import end_of_day
from tests.faults.filer import COMMITS, COPIES
from tests.support.archive import Archive, jpeg, make_archive
from tests.support.postgres import fresh_database
from vault.catalogue.model import NewDescription, RecordStatus
from vault.catalogue.queries import RecordView, get_record
from vault.foundation.clock import FixedClock, SystemClock
from vault.foundation.db.engine import Database
from vault.foundation.db.launcher import EmbeddedPostgres
from vault.foundation.ids import new_id
from vault.foundation.ledger.entry import SYSTEM
from vault.foundation.ledger.publisher import publish
from vault.foundation.storage.interface import Lock, LockMode
from vault.intake.jobs import render_waiting
from vault.intake.tables import store_probes
from vault.oversight.verification import verify
from vault.retention.description import describe
from vault.retention.locking import CLAIM_LASTS, lock_waiting
from vault.retention.queries import waiting_locks

ROOT = Path(__file__).resolve().parents[2]
ZONE = "Asia/Shanghai"
END = end_of_day(date(2031, 3, 1), ZONE)
pytestmark = pytest.mark.faults
_seeds = itertools.count(3000)


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("filing")


@pytest.fixture(scope="module")
def url(postgres_server: EmbeddedPostgres) -> Iterator[str]:
    with fresh_database(postgres_server) as address:
        yield address


@pytest.fixture(scope="module")
def kept(url: str, directory: Path) -> Iterator[Archive]:
    """One archive on a write-once directory for all: what one fault leaves must not disturb the next."""
    clock = FixedClock(SystemClock().now())
    database = Database(url, clock, pool_size=8)
    archive = make_archive(database, clock, directory, f"worm://{directory / 'store'}")
    with database.transaction(SYSTEM) as tx:
        tx.connection.execute(
            store_probes.insert(),
            {"id": new_id(), "store": archive.ctx.store.name, "at": clock.now(), "lies": [], "checks": []},
        )
        tx.witness("intake:store:probe", "store", new_id())
        tx.commit()
    yield archive
    database.dispose()


def _received(archive: Archive, class_code: str = "GENERAL") -> UUID:
    record_id = archive.send(jpeg(next(_seeds)), class_code=class_code, occurred_date=date(2026, 3, 1)).record_id
    assert record_id is not None
    assert list(render_waiting(archive.ctx)) == [record_id]
    return record_id


def _look(archive: Archive, record_id: UUID) -> RecordView:
    with archive.ctx.database.read() as connection:
        return get_record(connection, archive.operator, record_id)


def _file(
    archive: Archive, url: str, directory: Path, record_id: UUID, place: str, number: int, how: str
) -> subprocess.CompletedProcess[str]:
    where = [url, archive.ctx.store.name, str(directory / "custodian"), str(directory / "spool")]
    what = [archive.clock.now().isoformat(), str(record_id), place, str(number), how]
    return subprocess.run(
        [sys.executable, "-m", "tests.faults.filer", *where, *what],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
    )


def _locks(archive: Archive, record: RecordView) -> list[Lock]:
    return [archive.ctx.store.head(c.object_key, c.version_id).lock for c in record.components]


def _keeps_its_word(archive: Archive, record_id: UUID) -> None:
    """Whatever the catalogue says of a lock is true in the store, and a filed record has all of them."""
    record = _look(archive, record_id)
    assert len(record.components) == COPIES
    for copy, lock in zip(record.components, _locks(archive, record), strict=True):
        assert lock.covers(Lock(LockMode(copy.lock_mode), copy.lock_until))
        if record.status is RecordStatus.FILED:
            assert lock.covers(Lock(LockMode.COMPLIANCE, record.lock_until))


def _is_clean(archive: Archive) -> None:
    archive.sequence()
    publish(archive.ctx.database, archive.ctx.store, archive.ctx.custodian.public_key())
    verdict = verify(archive.ctx)
    assert verdict.is_clean, verdict.findings


def _next_worker(archive: Archive) -> None:
    """Another worker, when the claim of the one that died has run out."""
    archive.clock.advance(CLAIM_LASTS + timedelta(seconds=1))
    list(lock_waiting(archive.ctx))


KILLS = [
    *itertools.product(("before-commit", "after-commit"), range(1, COMMITS + 1), ("kill",)),
    *itertools.product(("before-lock", "after-lock"), range(1, COPIES + 1), ("kill",)),
]
ERRORS = [
    ("before-commit", 1, "error"),
    ("before-commit", 4, "error"),
    ("before-lock", 2, "error"),
    ("after-lock", 3, "error"),
]


@pytest.mark.invariant("R1")
@pytest.mark.invariant("L1")
@pytest.mark.parametrize(("place", "number", "how"), [*KILLS, *ERRORS])
def test_wherever_filing_dies_the_next_worker_finishes_it(
    kept: Archive, url: str, directory: Path, place: str, number: int, how: str
) -> None:
    record_id = _received(kept)
    died = _file(kept, url, directory, record_id, place, number, how)
    wish_is_lost = (place, number) == ("before-commit", 1)
    # What store or database refuse is tried again later; whoever asked is told when the wish itself could not be kept.
    assert (died.returncode == 0) is (how == "error" and not wish_is_lost), died.stderr
    _keeps_its_word(kept, record_id)
    _is_clean(kept)
    _next_worker(kept)
    assert (_look(kept, record_id).status is RecordStatus.RECEIVED) is wish_is_lost
    if wish_is_lost:
        assert _file(kept, url, directory, record_id, "nowhere", 1, "kill").returncode == 0
    record = _look(kept, record_id)
    assert (record.status, record.lock_until) == (RecordStatus.FILED, END)
    assert set(_locks(kept, record)) == {Lock(LockMode.COMPLIANCE, END)}
    with kept.ctx.database.read() as connection:
        assert waiting_locks(connection) == ()
    _is_clean(kept)


@pytest.mark.invariant("R1")
def test_whoever_takes_over_goes_at_least_as_far_as_was_intended(kept: Archive, url: str, directory: Path) -> None:
    record_id = _received(kept)
    assert _file(kept, url, directory, record_id, "after-lock", 2, "kill").returncode != 0
    earlier = NewDescription(values={"occurred_date": "2025-03-01"})
    revision = _look(kept, record_id).revision
    describe(kept.ctx, kept.operator, record_id, earlier, revision=revision, reason="录入有误")
    assert _look(kept, record_id).retain_until == date(2030, 3, 1), "the law wants less now"
    _next_worker(kept)
    record = _look(kept, record_id)
    assert set(_locks(kept, record)) == {Lock(LockMode.COMPLIANCE, END)}, "a store was told more"
    assert (record.status, record.lock_until) == (RecordStatus.FILED, END)
    _is_clean(kept)
