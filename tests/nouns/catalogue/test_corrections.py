"""Corrections: made in the open, the old value readable, witnessed, and never one person over another's (C2.4)."""

from __future__ import annotations

import json
from datetime import date
from uuid import UUID

import pytest
from sqlalchemy import create_engine, select, text

from tests.support.archive import Archive, jpeg
from vault.access.model import Viewer
from vault.access.rights import Right
from vault.catalogue import corrections
from vault.catalogue.errors import BadFieldValue, NothingToChange, ReasonNeeded, RecordChanged
from vault.catalogue.model import Change, Correction, FieldKind, NewDescription
from vault.catalogue.queries import RecordView, get_record
from vault.catalogue.search import Filters, find
from vault.foundation.errors import NotAllowed, NotFoundOrNotYours
from vault.foundation.ledger.tables import ledger_entries
from vault.intake.jobs import render_waiting
from vault.oversight.verification import verify
from vault.retention.description import describe

OLD_NUMBER, NEW_NUMBER = "11010519491231002X", "110105194912310097"


@pytest.fixture
def record_id(archive: Archive) -> UUID:
    receipt = archive.send(
        jpeg(1),
        customer_name="张三",
        business_number="KH-1",
        occurred_date=date(2026, 3, 1),
        attributes={"币种": "CNY"},
        personal=((FieldKind.ID_NUMBER, OLD_NUMBER),),
    )
    assert receipt.record_id is not None
    return receipt.record_id


def _record(archive: Archive, record_id: UUID) -> RecordView:
    with archive.ctx.database.read() as connection:
        return get_record(connection, archive.operator, record_id)


def _history(archive: Archive, record_id: UUID) -> tuple[Correction, ...]:
    with archive.ctx.database.read() as connection:
        record = get_record(connection, archive.operator, record_id)
        return corrections.corrections_of(archive.ctx, connection, archive.operator, record)


def _describe(archive: Archive, record_id: UUID, revision: int = 1, reason: str = "与原件不符", **new: object) -> int:
    return describe(
        archive.ctx,
        archive.operator,
        record_id,
        NewDescription(**new),  # type: ignore[arg-type]
        revision=revision,
        reason=reason,
    )


@pytest.mark.clause("C2.4")
def test_the_old_value_stays_readable_with_who_when_and_why(archive: Archive, record_id: UUID) -> None:
    assert _describe(archive, record_id, values={"customer_name": "张叁", "title": "开户申请书"}) == 2
    record = _record(archive, record_id)
    assert (record.customer_name, record.title, record.revision) == ("张叁", "开户申请书", 2)
    (found,) = _history(archive, record_id)
    assert found.changes == (Change("title", None, "开户申请书"), Change("customer_name", "张三", "张叁"))
    assert (found.reason, found.actor_kind, found.at) == ("与原件不符", "operator", archive.clock.now())
    with archive.ctx.database.read() as connection:
        assert [line.id for line in find(connection, Filters(name="张叁"), units=None).lines] == [record_id]
        assert find(connection, Filters(name="张三"), units=None).lines == ()


@pytest.mark.clause("C2.4")
@pytest.mark.invariant("L3")
def test_ledger_and_table_hold_no_value(archive: Archive, record_id: UUID) -> None:
    _describe(archive, record_id, values={"customer_name": "张叁"}, personal={FieldKind.ID_NUMBER: NEW_NUMBER})
    with archive.ctx.database.read() as connection:
        body = connection.execute(
            select(ledger_entries.c.body).where(ledger_entries.c.event == "catalogue:record:describe")
        ).scalar_one()
        dump = connection.execute(text("SELECT c::text FROM corrections c")).scalar_one()
    details = json.loads(bytes(body))["details"]
    assert details["fields"] == ["customer_name", "id_number"]
    assert set(details["digests"]) == {"records", "record_states", "corrections", "personal_fields"}
    for value in ("张", "与原件", OLD_NUMBER, NEW_NUMBER):
        assert value not in bytes(body).decode()
        assert value not in dump
        assert value.encode().hex() not in dump


def test_a_corrected_number_is_found_by_the_new_one_and_masked_in_the_history(
    archive: Archive, record_id: UUID
) -> None:
    _describe(archive, record_id, personal={FieldKind.ID_NUMBER: NEW_NUMBER, FieldKind.PHONE: "13800001234"})
    with archive.ctx.database.read() as connection:
        for number, expected in ((OLD_NUMBER, []), (NEW_NUMBER, [record_id])):
            tokens = tuple(archive.ctx.keyring.blind_tokens(connection, "id_number", number))
            wanted = Filters(personal=(FieldKind.ID_NUMBER, number))
            assert [x.id for x in find(connection, wanted, units=None, blind_tokens=tokens).lines] == expected
    (found,) = _history(archive, record_id)
    assert found.changes == (
        Change("id_number/0", "110105********002X", "110105********0097"),
        Change("phone/0", None, "138****1234"),
    )
    _describe(archive, record_id, revision=2, personal={FieldKind.PHONE: ""})
    assert [f.kind for f in _record(archive, record_id).personal] == [FieldKind.ID_NUMBER]


def test_attributes_are_changed_one_by_one(archive: Archive, record_id: UUID) -> None:
    _describe(archive, record_id, attributes={" 币种 ": "USD", "户别": "Ⅰ类"})
    assert _record(archive, record_id).attributes == {"币种": "USD", "户别": "I类"}
    _describe(archive, record_id, revision=2, attributes={"币种": ""})
    assert _record(archive, record_id).attributes == {"户别": "I类"}


def test_of_two_at_once_the_second_is_refused_and_keeps_nothing(archive: Archive, record_id: UUID) -> None:
    _describe(archive, record_id, values={"handler": "刘敏"})
    with pytest.raises(RecordChanged) as refused:
        _describe(archive, record_id, values={"handler": "周晓红"})
    assert refused.value.facts == {"seen": 1, "now": 2}
    assert _record(archive, record_id).handler == "刘敏"
    with pytest.raises(RecordChanged):
        _describe(archive, record_id, revision=99, values={"handler": "周晓红"})


def test_access_copies_made_meanwhile_are_no_reason_to_refuse(archive: Archive, record_id: UUID) -> None:
    assert list(render_waiting(archive.ctx)) == [record_id]
    assert _record(archive, record_id).revision == 2
    assert _describe(archive, record_id, revision=1, values={"handler": "刘敏"}) == 3


@pytest.mark.invariant("R1")
def test_a_corrected_day_moves_the_retention_date_and_no_lock(archive: Archive, record_id: UUID) -> None:
    before = _record(archive, record_id)
    _describe(archive, record_id, values={"occurred_date": "2026-04-02"})
    after = _record(archive, record_id)
    assert (before.retain_until, after.retain_until) == (date(2031, 3, 1), date(2031, 4, 2))
    assert after.lock_until == before.lock_until


@pytest.mark.parametrize(
    ("new", "reason", "error"),
    [
        ({"values": {"customer_name": "张三"}}, "与原件不符", NothingToChange),
        ({"values": {"customer_name": " 张三 "}}, "与原件不符", NothingToChange),
        ({"values": {"customer_name": ""}}, "", ReasonNeeded),
        ({"values": {"customer_name": "x" * 201}}, "与原件不符", BadFieldValue),
        ({"values": {"occurred_date": "2026-02-30"}}, "与原件不符", BadFieldValue),
        ({"values": {"occurred_date": "2999-01-01"}}, "与原件不符", BadFieldValue),
        ({"values": {"occurred_date": "1899-12-31"}}, "与原件不符", BadFieldValue),
        ({"values": {"archival_number": "1"}}, "与原件不符", BadFieldValue),
        ({"personal": {FieldKind.ID_NUMBER: "110105194912310021"}}, "与原件不符", BadFieldValue),
    ],
)
def test_what_cannot_be_said_is_refused(
    archive: Archive, record_id: UUID, new: dict[str, object], reason: str, error: type[Exception]
) -> None:
    with pytest.raises(error):
        _describe(archive, record_id, reason=reason, **new)
    assert _record(archive, record_id).revision == 1


def test_what_is_added_needs_no_reason(archive: Archive, record_id: UUID) -> None:
    assert _describe(archive, record_id, reason="", values={"title": "开户申请书"}) == 2


def test_without_the_right_or_of_another_unit_nothing_is_said(archive: Archive, record_id: UUID) -> None:
    new = NewDescription({"title": "x"})
    reader = _viewer(archive, archive.operator.rights - {Right.RECORDS_RECORD_DESCRIBE}, None)
    stranger = _viewer(archive, archive.operator.rights, frozenset())
    with pytest.raises(NotAllowed):
        describe(archive.ctx, reader, record_id, new, revision=1)
    with pytest.raises(NotFoundOrNotYours):
        describe(archive.ctx, stranger, record_id, new, revision=1)


def _viewer(archive: Archive, rights: frozenset[Right], units: frozenset[UUID] | None) -> Viewer:
    return Viewer(archive.operator.id, "operator", "x", rights, None, units)


@pytest.mark.clause("V7")
def test_a_correction_verifies_and_one_altered_behind_our_back_is_named(
    archive: Archive, record_id: UUID, database_url: str
) -> None:
    _describe(archive, record_id, values={"customer_name": "张叁"})
    archive.sequence()
    assert verify(archive.ctx).is_clean
    engine = create_engine(database_url)
    with engine.begin() as connection:
        connection.execute(text("SET session_replication_role = replica"))
        connection.execute(text("UPDATE corrections SET at = at - interval '1 day'"))
    engine.dispose()
    (found,) = verify(archive.ctx).findings
    assert (found.code, found.facts) == ("row-altered", {"table": "corrections"})
