"""The quarantine as a worklist: filtered, seen to with what was done, put back; witnessed, and only within one's units."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from tests.support.archive import Archive, jpeg
from vault.access import service as access
from vault.access.model import Viewer
from vault.access.rights import Right
from vault.foundation import bulk
from vault.foundation.db.errors import UnwitnessedChange
from vault.foundation.db.keyset import Picked
from vault.foundation.errors import InvalidInput, NotAllowed
from vault.foundation.ids import new_id
from vault.foundation.ledger.queries import EntryFilters, find_entries, proven_entry
from vault.intake import quarantine
from vault.intake.batches import open_batch
from vault.intake.model import Handling, ItemStatus, QuarantineState
from vault.intake.quarantine import QuarantineFilters


@pytest.fixture
def refused(archive: Archive) -> dict[str, UUID]:
    """Refused items by what is special about each."""
    batch = open_batch(archive.ctx, archive.operator, "十一月", 3)
    other = access.create_unit(archive.ctx, archive.operator, "GT02", "二号窗口", "Window 2")
    sent = {
        "damaged": archive.send(jpeg(1)[:-2000], file_name="开户_张三.jpg", batch_id=batch.id),
        "empty": archive.send(b"", file_name="空白 100%.tif"),
        "elsewhere": archive.send(jpeg(2)[:-2000], file_name="别处.jpg", unit_id=other),
    }
    archive.send(jpeg(3), file_name="好的.jpg")
    assert {receipt.status for receipt in sent.values()} == {ItemStatus.REFUSED}
    return {name: receipt.item_id for name, receipt in sent.items()} | {"batch": batch.id, "unit": other}


def found(archive: Archive, filters: QuarantineFilters, units: frozenset[UUID] | None = None) -> set[UUID]:
    with archive.ctx.database.read() as connection:
        page = quarantine.find(connection, filters, units=units)
        assert quarantine.count(connection, filters, units=units) == len(page.lines)
    return {item.id for item in page.lines}


def test_each_filter_finds_what_it_says(archive: Archive, refused: dict[str, UUID]) -> None:
    now, hour = archive.clock.now(), timedelta(hours=1)
    everything = {refused["damaged"], refused["empty"], refused["elsewhere"]}
    cases = [
        (QuarantineFilters(), everything),
        (QuarantineFilters(text="张"), {refused["damaged"]}),
        (QuarantineFilters(text="%"), {refused["empty"]}),
        (QuarantineFilters(text="JPG"), {refused["damaged"], refused["elsewhere"]}),
        (QuarantineFilters(reason="zero-bytes"), {refused["empty"]}),
        (QuarantineFilters(reason="dpi-low"), set()),
        (QuarantineFilters(batch_id=refused["batch"]), {refused["damaged"]}),
        (QuarantineFilters(unit_id=refused["unit"]), {refused["elsewhere"]}),
        (QuarantineFilters(sender_id=archive.operator.id), everything),
        (QuarantineFilters(sender_id=new_id()), set()),
        (QuarantineFilters(received_from=now - hour, received_before=now + hour), everything),
        (QuarantineFilters(received_before=now - hour), set()),
        (QuarantineFilters(state=QuarantineState.WAITING), everything),
        (QuarantineFilters(state=QuarantineState.HANDLED), set()),
    ]
    for filters, expected in cases:
        assert found(archive, filters) == expected, filters
    with archive.ctx.database.read() as connection:
        assert quarantine.recent_reasons(connection, None) == ("damaged", "zero-bytes")
        assert quarantine.recent_senders(connection, None) == (archive.operator.id,)
        assert quarantine.recent_senders(connection, frozenset()) == ()


@pytest.mark.invariant("L1")
def test_seeing_to_items_takes_them_off_the_list_witnessed_and_can_be_undone(
    archive: Archive, refused: dict[str, UUID]
) -> None:
    ids = [refused["damaged"], refused["empty"]]
    outcome = quarantine.handle(archive.ctx, archive.operator, ids, Handling.OTHER, "  张三 本人\n来换  ")
    assert set(outcome.done) == set(ids)
    assert outcome.failed == ()
    assert found(archive, QuarantineFilters(state=QuarantineState.WAITING)) == {refused["elsewhere"]}
    with archive.ctx.database.read() as connection:
        items = quarantine.find(connection, QuarantineFilters(state=QuarantineState.HANDLED), units=None).lines
        entries = find_entries(connection, EntryFilters(event="intake:quarantine:handle")).lines
        bodies = [proven_entry(connection, entry.id, archive.ctx.custodian.public_key()) for entry in entries]
    assert {(i.handling, i.handling_note, i.handled_by) for i in items} == {
        (Handling.OTHER, "张三 本人 来换", archive.operator.id)
    }
    assert {entry.subject_id for entry in entries} == set(ids)
    assert refused["batch"] in {entry.context_id for entry in entries}
    assert all(body is not None and "张三" not in body.body.decode() for body in bodies), (
        "a note is not for the ledger"
    )

    back = quarantine.reopen(archive.ctx, archive.operator, [refused["damaged"]])
    assert back.done == (refused["damaged"],)
    assert refused["damaged"] in found(archive, QuarantineFilters(state=QuarantineState.WAITING))
    with archive.ctx.database.read() as connection:
        assert len(find_entries(connection, EntryFilters(event="intake:quarantine:reopen")).lines) == 1


def test_a_plan_says_of_each_whether_and_why_not_and_the_act_names_what_failed(
    archive: Archive, refused: dict[str, UUID]
) -> None:
    quarantine.handle(archive.ctx, archive.operator, [refused["empty"]], Handling.RETURNED)
    unknown = new_id()
    picked = Picked(ids=(refused["damaged"], refused["empty"], unknown))
    with archive.ctx.database.read() as connection:
        plan = quarantine.plan(connection, archive.operator, QuarantineFilters(), picked, QuarantineState.HANDLED)
    assert [line.name for line in plan.will] == ["开户_张三.jpg"]
    assert {(line.id, line.note) for line in plan.will_not} == {
        (refused["empty"], quarantine.HANDLED_BEFORE),
        (unknown, bulk.NOT_THERE),
    }
    outcome = quarantine.handle(archive.ctx, archive.operator, picked.ids or (), Handling.RETURNED)
    assert outcome.done == (refused["damaged"],)
    assert {(line.id, line.note) for line in outcome.failed} == {(x.id, x.note) for x in plan.will_not}


@pytest.mark.clause("C4.4")
def test_other_units_items_are_neither_planned_nor_changed(archive: Archive, refused: dict[str, UUID]) -> None:
    home = archive.operator.unit_id
    assert home is not None
    clerk = Viewer(new_id(), "person", "甲", frozenset({Right.INTAKE_QUARANTINE_HANDLE}), home, frozenset({home}))
    picked = Picked(ids=(refused["elsewhere"],))
    with archive.ctx.database.read() as connection:
        plan = quarantine.plan(connection, clerk, QuarantineFilters(), picked, QuarantineState.HANDLED)
    assert plan.will == ()
    assert [line.note for line in plan.will_not] == [bulk.NOT_THERE]
    outcome = quarantine.handle(archive.ctx, clerk, picked.ids or (), Handling.RETURNED)
    assert outcome.done == ()
    assert refused["elsewhere"] in found(archive, QuarantineFilters(state=QuarantineState.WAITING))


def test_what_is_not_said_rightly_or_not_allowed_is_refused(archive: Archive, refused: dict[str, UUID]) -> None:
    ids = [refused["damaged"]]
    with pytest.raises(InvalidInput, match="say what was done"):
        quarantine.handle(archive.ctx, archive.operator, ids, Handling.OTHER, "  ")
    with pytest.raises(InvalidInput, match="200"):
        quarantine.handle(archive.ctx, archive.operator, ids, Handling.RETURNED, "长" * 201)
    with pytest.raises(bulk.TooManyAtOnce):
        quarantine.reopen(archive.ctx, archive.operator, [new_id() for _ in range(bulk.ACT_MAX + 1)])
    reader = Viewer(new_id(), "person", "乙", frozenset({Right.INTAKE_QUARANTINE_READ}), None, None)
    with pytest.raises(NotAllowed, match="intake:quarantine:handle"):
        quarantine.handle(archive.ctx, reader, ids, Handling.RETURNED)
    assert refused["damaged"] in found(archive, QuarantineFilters(state=QuarantineState.WAITING))


@pytest.mark.parametrize(
    "change",
    [
        "handled_at = now(), handled_by = id, handling = 'returned' WHERE status = 'accepted'",
        "handled_at = now() WHERE status = 'refused'",
        "handled_at = now(), handled_by = id, handling = 'thrown_away' WHERE status = 'refused'",
        "handled_at = now(), handled_by = id, handling = 'other' WHERE status = 'refused'",
        "handling_note = 'x' WHERE status = 'refused'",
    ],
)
def test_the_database_refuses_half_a_handling(archive: Archive, refused: dict[str, UUID], change: str) -> None:
    with archive.ctx.database.transaction(archive.operator.actor) as tx, pytest.raises(IntegrityError):
        tx.connection.execute(text(f"UPDATE intake_items SET {change}"))


@pytest.mark.invariant("L1")
def test_an_unwitnessed_handling_is_not_kept(archive: Archive, refused: dict[str, UUID]) -> None:
    with archive.ctx.database.transaction(archive.operator.actor) as tx:
        tx.connection.execute(
            text(
                "UPDATE intake_items SET handled_at = now(), handled_by = id, handling = 'returned' WHERE status = 'refused'"
            )
        )
        with pytest.raises(UnwitnessedChange):
            tx.commit()


def test_the_whole_list_is_what_was_seen_and_not_what_came_in_since(
    archive: Archive, refused: dict[str, UUID]
) -> None:
    with archive.ctx.database.read() as connection:
        newest = quarantine.find(connection, QuarantineFilters(), units=None).lines[0].id
    later = archive.send(b"", file_name="后来.tif", key="later-later").item_id
    with archive.ctx.database.read() as connection:
        plan = quarantine.plan(
            connection, archive.operator, QuarantineFilters(), Picked(newest=newest), QuarantineState.HANDLED
        )
    assert len(plan.will) == 3
    assert later not in {line.id for line in plan.will}
