"""Filing: a person or a rule confirms, then the lock of the class stands in the store, and is never shorter again."""

from __future__ import annotations

import io
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import psycopg
import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError

from retention_rules.model import What
from retention_rules.schedules import end_of_day
from tests.nouns.retention.conftest import People
from tests.support.archive import Archive, page
from vault.access import tokens
from vault.access.errors import NeedsPerson, OwnProposal
from vault.catalogue.errors import ReasonNeeded
from vault.catalogue.model import RecordStatus
from vault.catalogue.queries import RecordView
from vault.foundation.errors import NotAllowed, NotFoundOrNotYours
from vault.foundation.ids import new_id
from vault.foundation.ledger.entry import SYSTEM
from vault.foundation.ledger.queries import entries_of_subject
from vault.foundation.storage.interface import Lock, LockMode
from vault.intake.batches import open_batch
from vault.intake.jobs import render_waiting
from vault.oversight.verification import verify
from vault.retention import events, reclassification
from vault.retention.errors import (
    AlreadyProposed,
    BeingLocked,
    NeverShorter,
    NotBeingFiled,
    SameClass,
    UnknownClass,
)
from vault.retention.filing import file, file_batch, stop_filing
from vault.retention.locking import are_locks_due, lock_waiting
from vault.retention.model import FilingOutcome, NewEvent
from vault.retention.queries import list_reclassifications, waiting_locks
from vault.retention.tables import lock_promises, lock_tasks
from vault.retention.trust import distrust, list_trust, trust

ZONE = "Asia/Shanghai"


def _locks(archive: Archive, record: RecordView) -> set[Lock]:
    """The locks of all copies as the store tells them."""
    return {archive.ctx.store.head(c.object_key, c.version_id).lock for c in record.components}


def _file(archive: Archive, people: People, *ids: UUID) -> list[FilingOutcome]:
    done = file(archive.ctx, people.keeper, ids)
    list(lock_waiting(archive.ctx))
    return [one.outcome for one in done]


def _clean_scan() -> bytes:
    """A scan in which no check finds anything: fine enough."""
    out = io.BytesIO()
    page(seed=77).resize((1654, 2339)).save(out, "JPEG", quality=80, dpi=(200, 200))
    return out.getvalue()


def _clean(archive: Archive) -> None:
    archive.sequence()
    verdict = verify(archive.ctx)
    assert verdict.is_clean, verdict.findings


@pytest.mark.clause("V1")
@pytest.mark.invariant("R1")
def test_filing_sets_the_compliance_lock_of_the_class_on_every_copy(
    archive: Archive, people: People, send: Callable[..., UUID], look: Callable[[UUID], RecordView]
) -> None:
    record_id = send(occurred=date(2026, 3, 1))
    list(render_waiting(archive.ctx))
    assert {lock.mode for lock in _locks(archive, look(record_id))} == {LockMode.GOVERNANCE}
    assert _file(archive, people, record_id) == [FilingOutcome.ASKED]
    record = look(record_id)
    until = end_of_day(date(2031, 3, 1), ZONE)
    assert (record.status, record.lock_until, record.retain_until) == (RecordStatus.FILED, until, date(2031, 3, 1))
    assert len(record.components) > 2
    assert _locks(archive, record) == {Lock(LockMode.COMPLIANCE, until)}
    assert {(c.lock_mode, c.lock_until) for c in record.components} == {("COMPLIANCE", until)}
    with archive.ctx.database.read() as connection:
        told = [entry.event for entry in entries_of_subject(connection, record_id)]
        promised = connection.execute(select(lock_promises.c.until_date)).scalars().all()
        assert waiting_locks(connection) == ()
    assert promised == [date(2031, 3, 1)]
    assert [e for e in told if "file" in e or "lock" in e] == [
        "retention:record:file",
        "retention:lock:intend",
        "catalogue:locks:set",
    ]
    _clean(archive)


def test_an_open_period_gets_a_rolling_lock_and_an_event_makes_it_full_length(
    archive: Archive, people: People, send: Callable[..., UUID], look: Callable[[UUID], RecordView]
) -> None:
    record_id = send("LOSS-REPORT", occurred=date(2026, 3, 1))
    _file(archive, people, record_id)
    first = look(record_id)
    assert first.lock_until - archive.clock.now() > timedelta(days=360)
    report = [NewEvent(record_id, "relationship_ended", date(2026, 4, 1))]
    events.report(archive.ctx, people.keeper, report, "report-1")
    assert look(record_id).retain_until is not None
    with archive.ctx.database.read() as connection:
        rolling_needs_no_more = not are_locks_due(connection, archive.clock.now())
    assert rolling_needs_no_more
    _clean(archive)


@pytest.mark.invariant("R1")
def test_undoing_an_event_leaves_the_lock_that_was_promised(
    archive: Archive, people: People, send: Callable[..., UUID], look: Callable[[UUID], RecordView]
) -> None:
    record_id = send("CONTRACT", occurred=date(2026, 3, 1))
    _file(archive, people, record_id)
    before = look(record_id)
    archive.clock.advance(timedelta(days=9 * 365))
    day = archive.clock.now().date().replace(day=1)
    until = day.replace(year=day.year + 2)
    ended = events.report(archive.ctx, people.keeper, [NewEvent(record_id, "contract_terminated", day)], "report-1")
    list(lock_waiting(archive.ctx))
    longer = look(record_id)
    assert longer.retain_until == until
    assert longer.lock_until == end_of_day(until, ZONE) > before.lock_until
    events.undo(archive.ctx, people.other_keeper, ended.events[0].id, "录入有误")
    list(lock_waiting(archive.ctx))
    after = look(record_id)
    assert (after.lock_until, after.retain_until) == (longer.lock_until, None)
    assert _locks(archive, after) == {Lock(LockMode.COMPLIANCE, longer.lock_until)}
    _clean(archive)


FORGERIES = {
    "a copy's lock shortened": "UPDATE component_copies SET lock_until = lock_until - interval '1 day'",
    "a copy's lock weakened": "UPDATE component_copies SET lock_mode = 'GOVERNANCE'",
    "the record's lock shortened": "UPDATE record_states SET lock_until = lock_until - interval '1 day'",
    "unfiled": "UPDATE record_states SET status = 'received'",
    "another class": "UPDATE records SET class_code = 'COMPLAINT'",
}


@pytest.mark.invariant("R1")
@pytest.mark.parametrize("forgery", FORGERIES)
def test_the_database_refuses_to_weaken_a_promise(
    archive: Archive, people: People, send: Callable[..., UUID], forgery: str
) -> None:
    _file(archive, people, send())
    with archive.ctx.database.transaction(SYSTEM) as tx, pytest.raises(DBAPIError) as refused:
        tx.connection.execute(text(FORGERIES[forgery]))
    assert isinstance(refused.value.orig, psycopg.Error)
    assert refused.value.orig.sqlstate in {"SV004", "SV005"}


def test_each_record_of_a_list_is_answered(archive: Archive, people: People, send: Callable[..., UUID]) -> None:
    one, two = send(), send()
    assert _file(archive, people, one) == [FilingOutcome.ASKED]
    told = file(archive.ctx, people.keeper, [one, two, two, new_id()])
    assert [t.outcome for t in told] == [FilingOutcome.FILED, FilingOutcome.ASKED, FilingOutcome.NOT_FOUND]
    assert [t.outcome for t in file(archive.ctx, people.keeper, [two])] == [FilingOutcome.WAITING]
    with pytest.raises(NotAllowed):
        file(archive.ctx, people.heads[0], [two])


def test_a_batch_is_filed_whole(
    archive: Archive, people: People, send: Callable[..., UUID], look: Callable[[UUID], RecordView]
) -> None:
    batch = open_batch(archive.ctx, archive.operator, "柜台甲", 2)
    ids = [send(batch_id=batch.id) for _ in range(2)]
    assert [t.outcome for t in file_batch(archive.ctx, people.keeper, batch.id)] == [FilingOutcome.ASKED] * 2
    list(lock_waiting(archive.ctx))
    assert {look(record_id).status for record_id in ids} == {RecordStatus.FILED}
    with pytest.raises(NotFoundOrNotYours):
        file_batch(archive.ctx, people.keeper, new_id())


def test_filing_can_be_stopped_until_the_locks_are_set(
    archive: Archive, people: People, send: Callable[..., UUID], look: Callable[[UUID], RecordView]
) -> None:
    record_id = send()
    with pytest.raises(NotBeingFiled):
        stop_filing(archive.ctx, people.keeper, record_id)
    file(archive.ctx, people.keeper, [record_id])
    stop_filing(archive.ctx, people.keeper, record_id)
    assert list(lock_waiting(archive.ctx)) == []
    assert look(record_id).status is RecordStatus.RECEIVED
    assert {lock.mode for lock in _locks(archive, look(record_id))} == {LockMode.GOVERNANCE}
    _clean(archive)
    assert _file(archive, people, record_id) == [FilingOutcome.ASKED]
    with pytest.raises(NotBeingFiled):
        stop_filing(archive.ctx, people.keeper, record_id)


def test_while_the_locks_are_being_set_nothing_can_be_taken_back(
    archive: Archive, people: People, send: Callable[..., UUID]
) -> None:
    record_id = send()
    file(archive.ctx, people.keeper, [record_id])
    with archive.ctx.database.transaction(SYSTEM) as tx:  # as a worker that died after its intent
        tx.connection.execute(lock_tasks.update().values(intended_date=date(2031, 3, 1)))
        tx.commit()
    with pytest.raises(BeingLocked):
        stop_filing(archive.ctx, people.keeper, record_id)
    with pytest.raises(BeingLocked):
        reclassification.classify(archive.ctx, people.keeper, record_id, "COMPLAINT")


def test_access_copies_made_while_it_is_filed_get_the_same_lock(
    archive: Archive, people: People, send: Callable[..., UUID], look: Callable[[UUID], RecordView]
) -> None:
    record_id = send()
    _file(archive, people, record_id)
    list(render_waiting(archive.ctx))
    record = look(record_id)
    assert len(record.components) > 2
    assert _locks(archive, record) == {Lock(LockMode.COMPLIANCE, record.lock_until)}
    _clean(archive)


def test_what_a_store_refuses_is_tried_again_later(
    archive: Archive, people: People, send: Callable[..., UUID], look: Callable[[UUID], RecordView]
) -> None:
    record_id = send()
    file(archive.ctx, people.keeper, [record_id])
    store: Any = archive.ctx.store
    kept = dict(store._objects)
    store._objects.clear()  # the store lost everything, for the moment
    assert list(lock_waiting(archive.ctx)) == [record_id]
    with archive.ctx.database.read() as connection:
        (waiting,) = waiting_locks(connection, only_hindered=True)
    assert (waiting.attempts, waiting.problem, waiting.intended_date) == (1, "object-not-found", date(2031, 3, 1))
    store._objects.update(kept)
    archive.clock.advance(timedelta(seconds=3))
    list(lock_waiting(archive.ctx))
    assert look(record_id).status is RecordStatus.FILED
    _clean(archive)


def test_a_wrong_class_before_filing_costs_nothing(
    archive: Archive, people: People, send: Callable[..., UUID], look: Callable[[UUID], RecordView]
) -> None:
    record_id = send("REAL-ESTATE")
    before = look(record_id)
    assert (before.what, before.archival_number) == (What.PERMANENT, "0001-YW·2026-Y-GT01-0001")
    with pytest.raises(SameClass):
        reclassification.classify(archive.ctx, people.keeper, record_id, "REAL-ESTATE")
    with pytest.raises(UnknownClass):
        reclassification.classify(archive.ctx, people.keeper, record_id, "NO-SUCH")
    done = reclassification.classify(archive.ctx, people.keeper, record_id, "GENERAL")
    assert done.known_at is not None
    after = look(record_id)
    assert (after.class_code, after.what, after.retain_until) == ("GENERAL", What.KEEP, date(2031, 3, 1))
    assert after.archival_number == "0001-YW·2026-D5-GT01-0001"
    assert after.lock_until == before.lock_until
    _clean(archive)


@pytest.mark.invariant("R1")
@pytest.mark.invariant("A1")
def test_after_filing_another_class_needs_a_reason_and_a_second_person_and_never_shortens(
    archive: Archive, people: People, send: Callable[..., UUID], look: Callable[[UUID], RecordView]
) -> None:
    record_id = send("COMPLAINT")
    _file(archive, people, record_id)
    before = look(record_id)
    classify = reclassification.classify
    open_one = send("ACCOUNT-OPENING")
    _file(archive, people, open_one)
    with pytest.raises(NeverShorter):  # its period is open: nobody knows that another one is longer
        classify(archive.ctx, people.keeper, open_one, "COMPLAINT", "归类有误")
    with pytest.raises(ReasonNeeded):
        classify(archive.ctx, people.keeper, record_id, "LICENCE", "")
    wanted = classify(archive.ctx, people.keeper, record_id, "LICENCE", "归类有误")
    assert (wanted.known_at, look(record_id).class_code) == (None, "COMPLAINT")
    with pytest.raises(AlreadyProposed):
        classify(archive.ctx, people.other_keeper, record_id, "LICENCE", "归类有误")
    with pytest.raises(NotAllowed):
        reclassification.approve(archive.ctx, people.other_keeper, wanted.id)
    with pytest.raises(NeedsPerson):
        reclassification.approve(archive.ctx, archive.operator, wanted.id)
    with archive.ctx.database.read() as connection:
        assert [c.id for c in list_reclassifications(connection, people.heads[0])] == [wanted.id]
    assert reclassification.approve(archive.ctx, people.heads[0], wanted.id).known_at is not None
    list(lock_waiting(archive.ctx))
    after = look(record_id)
    assert (after.class_code, after.archival_number) == ("LICENCE", before.archival_number)
    assert after.retain_until == date(2056, 12, 31)
    assert _locks(archive, after) == {Lock(LockMode.COMPLIANCE, end_of_day(date(2056, 12, 31), ZONE))}
    _clean(archive)


@pytest.mark.invariant("R1")
def test_a_class_with_a_shorter_period_leaves_the_promise_as_it_is(
    archive: Archive, people: People, send: Callable[..., UUID], look: Callable[[UUID], RecordView]
) -> None:
    record_id = send("COMPLAINT")
    _file(archive, people, record_id)
    before = look(record_id)
    wanted = reclassification.classify(archive.ctx, people.keeper, record_id, "GENERAL", "归类有误")
    reclassification.approve(archive.ctx, people.heads[0], wanted.id)
    list(lock_waiting(archive.ctx))
    after = look(record_id)
    assert after.class_code == "GENERAL"
    assert (after.retain_until, after.lock_until) == (before.retain_until, before.lock_until)
    _clean(archive)


def test_whoever_proposes_another_class_does_not_approve_it(
    archive: Archive, people: People, send: Callable[..., UUID], look: Callable[[UUID], RecordView]
) -> None:
    record_id = send("COMPLAINT")
    _file(archive, people, record_id)
    both = people.heads[1]
    wanted = reclassification.classify(archive.ctx, both, record_id, "LICENCE", "归类有误")
    with pytest.raises(OwnProposal):
        reclassification.approve(archive.ctx, both, wanted.id)
    reclassification.refuse(archive.ctx, people.heads[0], wanted.id, "无需更改")
    assert look(record_id).class_code == "COMPLAINT"
    with archive.ctx.database.read() as connection:
        assert list_reclassifications(connection, people.heads[0]) == ()


def test_clean_scans_of_a_trusted_station_are_filed_by_rule(
    archive: Archive, people: People, send: Callable[..., UUID], look: Callable[[UUID], RecordView]
) -> None:
    station = tokens.create_station(archive.ctx, archive.operator, "扫描站一", archive.operator.unit_id)
    issued = tokens.issue(archive.ctx, archive.operator, station, 30)
    sender = tokens.find(archive.ctx, issued)
    assert sender is not None
    with pytest.raises(NotAllowed):
        trust(archive.ctx, people.keeper, station, "GENERAL")
    trust(archive.ctx, people.administrator, station, "GENERAL", waits_days=2)
    with archive.ctx.database.read() as connection:
        assert [(t.class_code, t.waits_days) for t in list_trust(connection)] == [("GENERAL", 2)]
    clean = archive.send(_clean_scan(), viewer=sender).record_id
    assert clean is not None
    coarse, other_class = send(viewer=sender), send("COMPLAINT", viewer=sender)
    assert list(lock_waiting(archive.ctx)) == []
    reclassification.classify(archive.ctx, people.keeper, clean, "COMPLAINT")  # somebody looked, in time
    archive.clock.advance(timedelta(days=2))
    assert list(lock_waiting(archive.ctx)) == [clean]
    assert (look(clean).status, look(clean).class_code) == (RecordStatus.FILED, "COMPLAINT")
    assert {look(one).status for one in (coarse, other_class)} == {RecordStatus.RECEIVED}
    distrust(archive.ctx, people.administrator, station, "GENERAL")
    with pytest.raises(NotFoundOrNotYours):
        distrust(archive.ctx, people.administrator, station, "GENERAL")
    _clean(archive)
