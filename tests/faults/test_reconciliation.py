"""Reconciliation killed before and after each of its commits; begun again it ends as if nothing had happened."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from collections import Counter
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from tests.support.archive import Archive, jpeg, make_archive, trust
from tests.support.stores import cut_off, rewrite_lock
from vault.catalogue.tables import component_copies
from vault.foundation.clock import FixedClock, SystemClock
from vault.foundation.db.engine import Database
from vault.foundation.ledger.entry import SYSTEM
from vault.foundation.ledger.tables import ledger_entries
from vault.foundation.storage.errors import StoreUnavailable
from vault.foundation.storage.interface import NO_LOCK, Content, Lock, LockMode, words
from vault.intake.tables import intake_items
from vault.oversight import drifts
from vault.oversight.drift import DriftKind
from vault.oversight.drifts import DriftFilters
from vault.oversight.jobs import reconcile_and_keep
from vault.oversight.tables import leftovers
from vault.oversight.verification import verify

ROOT = Path(__file__).resolve().parents[2]
pytestmark = [pytest.mark.faults, pytest.mark.invariant("U3"), pytest.mark.invariant("L1")]
A_DAY = timedelta(hours=25)
# The run noted, and begun, and how far it is; two uploads given up; a leftover gone, one taken up, one under another lock; the
# comparison begun; a lock that was taken off noted, and mended; two leftovers noted; the comparison at its end; the
# outcome in the ledger; the run ended.
COMMITS = 16
SETTLED = {
    "intake:item:abandon": 2,
    "oversight:leftover:note": 3,
    "oversight:leftover:resolve": 2,
    "oversight:drift:note": 1,
    "oversight:drift:resolve": 1,
}


@pytest.fixture
def littered(database: Database, tmp_path: Path) -> Archive:
    """An archive with something for each commit of a reconciliation."""
    archive = make_archive(database, FixedClock(SystemClock().now()), tmp_path, f"worm://{tmp_path / 'store'}")
    trust(archive)
    archive.send(jpeg(1), key="a-record-that-stays")
    _begin(archive, "taken-up-later", 2)
    _put(archive, "records/goes")
    _put(archive, "records/locked-later")
    archive.clock.advance(A_DAY)
    reconcile_and_keep(archive.ctx, SYSTEM)
    archive.send(jpeg(2), key="taken-up-later")
    next((tmp_path / "store" / "objects").rglob(hashlib.sha256(b"records/goes").hexdigest())).unlink()
    until = (archive.clock.now() + timedelta(days=30)).replace(microsecond=0)
    archive.ctx.store.set_retention("records/locked-later", "1", Lock(LockMode.GOVERNANCE, until))
    _begin(archive, "never-comes-back-1", 3)
    _begin(archive, "never-comes-back-2", 4)
    archive.clock.advance(A_DAY)
    with archive.ctx.database.read() as connection:
        stays = connection.execute(
            select(component_copies.c.object_key).order_by(component_copies.c.object_key)
        ).scalars()
        rewrite_lock(tmp_path / "store", next(iter(stays)), NO_LOCK)
    return archive


@pytest.mark.parametrize("side", ["before", "after"])
@pytest.mark.parametrize("number", range(1, COMMITS + 1))
def test_killed_anywhere_it_is_finished_by_the_next(
    littered: Archive, database_url: str, tmp_path: Path, number: int, side: str
) -> None:
    before = _events(littered)
    arguments = (database_url, littered.ctx.store.name, tmp_path / "custodian", tmp_path / "spool")
    died = subprocess.run(
        [
            *(sys.executable, "-m", "tests.faults.reconciler"),
            *(str(argument) for argument in (*arguments, littered.clock.now().isoformat(), number, side)),
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert died.returncode == -9, died.stderr

    reconcile_and_keep(littered.ctx, SYSTEM)

    with littered.ctx.database.read() as connection:
        left = connection.execute(
            select(leftovers.c.cause, leftovers.c.resolution, leftovers.c.removable_from.is_not(None).label("dated"))
        ).all()
        statuses = Counter(connection.execute(select(intake_items.c.status)).scalars())
    assert Counter((row.cause, row.resolution) for row in left) == {
        ("abandoned-upload", "taken-up"): 1,
        ("foreign", "gone"): 1,
        ("foreign", None): 1,
        ("abandoned-upload", None): 2,
    }
    assert all(row.dated for row in left)
    assert statuses == {"accepted": 2, "refused": 2}
    with littered.ctx.database.read() as connection:
        (drift,) = drifts.find(connection, DriftFilters()).lines
    assert (drift.kind, drift.state) == (DriftKind.LOCK_MISSING, "repaired")
    assert words(littered.ctx.store.head(drift.object_key).lock) == drift.expected
    settled = {event: count - before[event] for event, count in _events(littered).items() if event in SETTLED}
    assert settled == SETTLED, "each thing was settled, and witnessed, once"
    littered.sequence()
    verdict = verify(littered.ctx)
    assert (verdict.findings, verdict.notes) == ((), ())
    for key, seed in (("never-comes-back-1", 3), ("never-comes-back-2", 4)):
        assert littered.send(jpeg(seed), key=key).status == "accepted"


def test_there_is_no_further_commit(littered: Archive, database_url: str, tmp_path: Path) -> None:
    """So that the test above leaves none out."""
    arguments = (database_url, littered.ctx.store.name, tmp_path / "custodian", tmp_path / "spool")
    now, number = littered.clock.now().isoformat(), COMMITS + 1
    done = subprocess.run(
        [sys.executable, "-m", "tests.faults.reconciler", *map(str, (*arguments, now, number, "before"))],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr


def _events(archive: Archive) -> Counter[str]:
    with archive.ctx.database.read() as connection:
        return Counter(connection.execute(select(ledger_entries.c.event)).scalars())


def _begin(archive: Archive, key: str, seed: int) -> None:
    with cut_off(archive, is_written=True), pytest.raises(StoreUnavailable):
        archive.send(jpeg(seed), key=key)


def _put(archive: Archive, key: str) -> None:
    content = Content.from_bytes(key.encode(), hashlib.sha256(key.encode()).digest())
    archive.ctx.store.put_new(key, content, NO_LOCK)
