"""Kill and failure at every numbered step of the upload; restart; the invariants."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import func, select

from tests.faults.stepper import STEPS
from tests.support.archive import Archive, jpeg, make_archive
from vault.catalogue.reading import open_original
from vault.catalogue.tables import component_copies, components, record_states, records
from vault.foundation.clock import FixedClock, SystemClock
from vault.foundation.db.engine import Database
from vault.foundation.ids import new_id
from vault.foundation.ledger.entry import SYSTEM
from vault.intake.tables import intake_items, store_probes
from vault.oversight.verification import verify

ROOT = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.faults


@pytest.fixture
def kept(database: Database, tmp_path: Path) -> Archive:
    """An archive on a write-once directory, with one record that must stay untouched."""
    clock = FixedClock(SystemClock().now())
    archive = make_archive(database, clock, tmp_path, f"worm://{tmp_path / 'store'}")
    with database.transaction(SYSTEM) as tx:
        tx.connection.execute(
            store_probes.insert(),
            {"id": new_id(), "store": archive.ctx.store.name, "at": clock.now(), "lies": [], "checks": []},
        )
        tx.witness("intake:store:probe", "store", new_id())
        tx.commit()
    archive.send(jpeg(1))
    return archive


@pytest.mark.invariant("U1")
@pytest.mark.invariant("U2")
@pytest.mark.invariant("U3")
@pytest.mark.parametrize("how", ["kill", "error"])
@pytest.mark.parametrize("step", STEPS)
def test_whatever_fails_where_the_retry_finishes_it_once(
    kept: Archive, database_url: str, tmp_path: Path, step: str, how: str
) -> None:
    scan = tmp_path / "scan.jpg"
    scan.write_bytes(jpeg(2))
    died = _upload(database_url, tmp_path, kept, step, how, scan)
    assert died.returncode != 0, died.stderr
    _nothing_is_half_shown(kept)
    assert verify(kept.ctx).is_clean
    again = _upload(database_url, tmp_path, kept, "none", "none", scan)
    assert again.returncode == 0, again.stderr
    assert again.stdout.split()[0] == "accepted"
    third = _upload(database_url, tmp_path, kept, "none", "none", scan)
    assert third.stdout == again.stdout
    with kept.ctx.database.read() as connection:
        assert connection.execute(select(func.count()).select_from(records)).scalar_one() == 2
        open_items = select(func.count()).select_from(intake_items).where(intake_items.c.status == "intent")
        assert connection.execute(open_items).scalar_one() == 0
    from uuid import UUID

    _, _, content = open_original(kept.ctx, kept.operator, UUID(again.stdout.split()[1]))
    with content:
        assert content.read() == jpeg(2)
    kept.sequence()
    verdict = verify(kept.ctx)
    assert verdict.is_clean, verdict.findings
    # The retry met the object of the first attempt: nothing is left over in the store.
    assert not verdict.notes


def _upload(
    url: str, tmp_path: Path, archive: Archive, step: str, how: str, scan: Path
) -> subprocess.CompletedProcess[str]:
    arguments = [url, str(tmp_path), archive.ctx.store.name, str(tmp_path / "custodian"), step, how, str(scan)]
    return subprocess.run(
        [sys.executable, "-m", "tests.faults.stepper", *arguments, "one-and-the-same-key"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
    )


def _nothing_is_half_shown(archive: Archive) -> None:
    """Whatever row there is has all the rows that belong to it."""
    with archive.ctx.database.read() as connection:
        counts = [
            connection.execute(select(func.count()).select_from(table)).scalar_one()
            for table in (records, record_states, components, component_copies)
        ]
    assert len(set(counts)) == 1
