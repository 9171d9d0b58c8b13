"""One record verified now: each check tells its part, the outcome is kept, and it grows old when the record changes."""

from __future__ import annotations

import hashlib
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import create_engine, text

from tests.support.archive import Archive, jpeg, make_archive
from vault.access.model import Viewer
from vault.access.rights import Right
from vault.catalogue.model import NewDescription
from vault.catalogue.queries import get_record
from vault.foundation.clock import FixedClock
from vault.foundation.db.engine import Database
from vault.foundation.errors import NotAllowed, NotFoundOrNotYours
from vault.foundation.ids import new_id
from vault.foundation.ledger.entry import SYSTEM
from vault.foundation.ledger.queries import entries_of_subject
from vault.intake.jobs import render_waiting
from vault.intake.tables import store_probes
from vault.oversight.jobs import verify_and_keep
from vault.oversight.model import RecordVerification
from vault.oversight.queries import newest_verification
from vault.oversight.record_check import verify_record
from vault.retention.description import describe


@pytest.fixture
def kept(database: Database, clock: FixedClock, tmp_path: Path) -> Archive:
    """Two records with their renditions in a write-once directory."""
    archive = make_archive(database, clock, tmp_path, f"worm://{tmp_path / 'store'}")
    with database.transaction(SYSTEM) as tx:
        told = {"id": new_id(), "store": archive.ctx.store.name, "at": clock.now(), "lies": [], "checks": []}
        tx.connection.execute(store_probes.insert(), told)
        tx.witness("intake:store:probe", "store", new_id())
        tx.commit()
    for seed in range(2):
        archive.send(jpeg(seed), customer_name="张三")
    assert len(list(render_waiting(archive.ctx))) == 2
    clock.advance(timedelta(minutes=1))
    return archive


def _ids(archive: Archive) -> list[UUID]:
    with archive.ctx.database.read() as connection:
        return list(connection.execute(text("SELECT id FROM records ORDER BY id")).scalars())


def _newest(archive: Archive, record_id: UUID) -> RecordVerification | None:
    with archive.ctx.database.read() as connection:
        return newest_verification(connection, get_record(connection, archive.operator, record_id))


def _checks(verdict: RecordVerification) -> dict[str, tuple[bool, int, int]]:
    return {check.code.value: (check.is_ok, check.count, check.pending) for check in verdict.checks}


@pytest.mark.clause("C4.3")
@pytest.mark.clause("V7")
def test_a_whole_record_passes_every_check_and_the_outcome_is_kept(kept: Archive) -> None:
    first, second = _ids(kept)
    assert _newest(kept, first) is None
    kept.sequence()
    verdict = verify_record(kept.ctx, kept.operator, first)
    assert verdict.is_clean
    assert _checks(verdict) == {
        "bytes": (True, 4, 0),
        "locks": (True, 4, 0),
        "rows": (True, 10, 0),
        "ledger": (True, 2, 0),
    }
    assert _newest(kept, first) == verdict
    assert _newest(kept, second) is None
    with kept.ctx.database.read() as connection:
        assert [e.event for e in entries_of_subject(connection, first)][-1] == "oversight:record:verify"


def test_what_no_checkpoint_covers_yet_is_told_apart(kept: Archive) -> None:
    verdict = verify_record(kept.ctx, kept.operator, _ids(kept)[0])
    assert verdict.is_clean
    assert _checks(verdict)["ledger"] == (True, 2, 2)


_ALTER_ROW = "UPDATE records SET customer_name = '李四' WHERE id = :id"
_ALTER_ENTRY = (
    "UPDATE ledger_entries SET body = convert_to(replace(convert_from(body, 'UTF8'), 'GENERAL', 'OTHER'), 'UTF8')"
    " WHERE subject_id = :id AND event = 'catalogue:record:register'"
)


@pytest.mark.parametrize(
    ("statement", "checks", "codes"),
    [
        (_ALTER_ROW, ["rows"], ["row-altered"]),
        # What the entry held of the rows is not known any more, so nobody can say that they are right.
        (_ALTER_ENTRY, ["rows", "ledger"], ["row-unproven", "ledger"]),
    ],
)
def test_what_was_altered_by_sql_fails_its_check(
    kept: Archive, database_url: str, statement: str, checks: list[str], codes: list[str]
) -> None:
    first = _ids(kept)[0]
    kept.sequence()
    engine = create_engine(database_url)
    with engine.begin() as connection:
        connection.execute(text("SET session_replication_role = replica"))
        connection.execute(text(statement), {"id": first})
    engine.dispose()
    verdict = verify_record(kept.ctx, kept.operator, first)
    assert [finding.code.value for finding in verdict.findings] == codes
    assert [name for name, (is_ok, _, _) in _checks(verdict).items() if not is_ok] == checks
    assert _newest(kept, first) == verdict


def test_an_altered_object_fails_and_a_whole_one_does_not(kept: Archive, tmp_path: Path) -> None:
    first, second = _ids(kept)
    kept.sequence()
    _spoil(kept, tmp_path, first)
    verdict = verify_record(kept.ctx, kept.operator, first)
    assert [finding.code.value for finding in verdict.findings] == ["object-altered"]
    assert [name for name, (is_ok, _, _) in _checks(verdict).items() if not is_ok] == ["bytes"]
    assert verify_record(kept.ctx, kept.operator, second).is_clean


def test_a_verification_of_everything_speaks_for_each_record(kept: Archive, tmp_path: Path) -> None:
    first, second = _ids(kept)
    kept.sequence()
    _spoil(kept, tmp_path, first)
    verdict = verify_and_keep(kept.ctx, kept.operator.actor)
    assert len(verdict.findings) == 1
    bad, good = _newest(kept, first), _newest(kept, second)
    assert bad is not None
    assert good is not None
    assert [finding.code.value for finding in bad.findings] == ["object-altered"]
    assert good.is_clean
    assert good.run_id == bad.run_id
    kept.clock.advance(timedelta(minutes=1))
    assert verify_record(kept.ctx, kept.operator, second) == _newest(kept, second)


def test_a_correction_makes_the_verification_of_everything_old(kept: Archive) -> None:
    first, second = _ids(kept)
    kept.sequence()
    verify_and_keep(kept.ctx, kept.operator.actor)
    kept.clock.advance(timedelta(minutes=1))
    describe(kept.ctx, kept.operator, first, NewDescription({"title": "开户"}), revision=2)
    assert _newest(kept, first) is None
    assert _newest(kept, second) is not None


def test_without_the_right_or_of_another_unit_nothing_is_told(kept: Archive) -> None:
    first, operator = _ids(kept)[0], kept.operator
    reader = Viewer(operator.id, "operator", "x", operator.rights - {Right.RECORDS_RECORD_VERIFY}, None, None)
    stranger = Viewer(operator.id, "operator", "x", operator.rights, None, frozenset())
    with pytest.raises(NotAllowed):
        verify_record(kept.ctx, reader, first)
    with pytest.raises(NotFoundOrNotYours):
        verify_record(kept.ctx, stranger, first)


def _spoil(archive: Archive, tmp_path: Path, record_id: UUID) -> None:
    """Flips a byte of the original behind everybody's back."""
    with archive.ctx.database.read() as connection:
        record = get_record(connection, archive.operator, record_id)
    key = next(c.object_key for c in record.components if c.kind.value == "original")
    file = next((tmp_path / "store").rglob(hashlib.sha256(key.encode()).hexdigest()))
    data = file.read_bytes()
    file.chmod(0o600)
    file.write_bytes(data[:-20] + bytes([data[-20] ^ 1]) + data[-19:])
    file.chmod(0o400)
