"""Events: reported once, undone by somebody else, and what the law says follows in the same transaction."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime
from uuid import UUID

import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from retention_rules.model import What
from tests.nouns.retention.conftest import People
from tests.support.archive import Archive
from vault.catalogue.queries import RecordView
from vault.foundation.errors import InvalidInput, NotAllowed, NotFoundOrNotYours
from vault.foundation.ids import new_id
from vault.foundation.ledger.entry import SYSTEM
from vault.foundation.ledger.queries import entries_of_subject
from vault.oversight.verification import verify
from vault.retention import events
from vault.retention.errors import EventUndone, OwnEvent, ReportKeyReused
from vault.retention.model import NewEvent
from vault.retention.queries import events_of_record, list_events

CLOSED, ENDED = date(2026, 5, 6), date(2026, 7, 8)


@pytest.fixture
def account(send: Callable[..., UUID]) -> UUID:
    """An account opening: its periods count from closing the account and ending the relationship."""
    return send("ACCOUNT-OPENING")


def _both(record_id: UUID) -> list[NewEvent]:
    return [
        NewEvent(record_id, "account_closed", CLOSED, "销户申请书 2026-118"),
        NewEvent(record_id, "relationship_ended", ENDED),
    ]


@pytest.mark.clause("C6.1")
def test_an_event_sets_the_due_dates_at_once(
    archive: Archive, people: People, account: UUID, look: Callable[[UUID], RecordView]
) -> None:
    assert look(account).retain_until is None
    events.report(archive.ctx, people.keeper, _both(account)[:1], "report-1")
    assert look(account).retain_until is None  # the other event has not happened
    events.report(archive.ctx, people.keeper, _both(account)[1:], "report-2")
    assert (look(account).retain_until, look(account).what) == (date(2036, 7, 8), What.KEEP)
    with archive.ctx.database.read() as connection:
        told = [entry.event for entry in entries_of_subject(connection, account)]
    assert told.count("retention:event:report") == 2
    archive.sequence()
    assert verify(archive.ctx).is_clean


def test_of_an_event_reported_twice_the_last_day_counts(
    archive: Archive, people: People, account: UUID, look: Callable[[UUID], RecordView]
) -> None:
    events.report(archive.ctx, people.keeper, _both(account), "report-1")
    later = NewEvent(account, "relationship_ended", date(2026, 9, 1))
    events.report(archive.ctx, people.keeper, [later], "report-2")
    assert look(account).retain_until == date(2036, 9, 1)


@pytest.mark.clause("C8.1")
def test_an_event_is_reported_once_it_has_happened(archive: Archive, people: People, account: UUID) -> None:
    archive.clock.at = datetime(2027, 3, 1, 16, 30, tzinfo=UTC)  # half past midnight in Shanghai
    today, tomorrow = date(2027, 3, 2), date(2027, 3, 3)
    for day, problem in ((tomorrow, "has not come"), (date(1899, 12, 31), "before 1900")):
        with pytest.raises(InvalidInput, match=problem):
            events.report(archive.ctx, people.keeper, [NewEvent(account, "account_closed", day)], "report-1")
    events.report(archive.ctx, people.keeper, [NewEvent(account, "account_closed", today)], "report-1")
    # What stands on the paper before it comes may be told before, within reason.
    told = [NewEvent(account, "certificate_expired", date(2037, 1, 1))]
    events.report(archive.ctx, people.keeper, told, "report-2")
    with pytest.raises(InvalidInput, match="too far away"):
        events.report(
            archive.ctx, people.keeper, [NewEvent(account, "product_expired", date(2999, 1, 1))], "report-3"
        )


def test_what_is_known_already_is_not_entered_again(archive: Archive, people: People, account: UUID) -> None:
    first = events.report(archive.ctx, people.keeper, _both(account)[:1], "report-1")
    again = NewEvent(account, "account_closed", CLOSED, "另一份依据")
    repeated = events.report(archive.ctx, people.other_keeper, [again], "report-2")
    assert (repeated.id, repeated.is_repeated, repeated.events) == (first.id, True, first.events)
    both = events.report(archive.ctx, people.other_keeper, _both(account), "report-3")
    assert ([e.name for e in both.events], both.known, both.is_repeated) == (
        ["relationship_ended"],
        first.events,
        False,
    )
    with archive.ctx.database.read() as connection:
        assert len(events_of_record(connection, account)) == 2
    events.undo(archive.ctx, people.other_keeper, first.events[0].id, "录入有误")
    anew = events.report(archive.ctx, people.keeper, [again], "report-4")
    assert not anew.is_repeated, "what was undone may be reported again"
    never = [NewEvent(account, "account_closed", None)]
    events.report(archive.ctx, people.keeper, never, "report-5")
    assert events.report(archive.ctx, people.keeper, never, "report-6").is_repeated
    archive.sequence()
    assert verify(archive.ctx).is_clean


def test_two_who_report_the_same_at_once_report_it_once(archive: Archive, people: People, account: UUID) -> None:
    told = _both(account)
    with ThreadPoolExecutor(4) as pool:
        done = list(pool.map(lambda n: events.report(archive.ctx, people.keeper, told, f"at-once-{n}"), range(4)))
    assert [report.is_repeated for report in done].count(False) == 1
    with archive.ctx.database.read() as connection:
        assert len(events_of_record(connection, account)) == 2


def test_undoing_restores_what_the_law_said(
    archive: Archive, people: People, account: UUID, look: Callable[[UUID], RecordView]
) -> None:
    before = look(account)
    done = events.report(archive.ctx, people.keeper, _both(account), "report-1")
    with pytest.raises(OwnEvent):
        events.undo(archive.ctx, people.keeper, done.events[0].id, "录入有误")
    with pytest.raises(InvalidInput):
        events.undo(archive.ctx, people.other_keeper, done.events[0].id, "误")
    for event in done.events:
        undone = events.undo(archive.ctx, people.other_keeper, event.id, "录入有误")
        assert (undone.undone_by, undone.undone_because) == (people.other_keeper.id, "录入有误")
    after = look(account)
    assert (after.retain_until, after.what, after.delete_by) == (before.retain_until, before.what, before.delete_by)
    with pytest.raises(EventUndone):
        events.undo(archive.ctx, people.other_keeper, done.events[0].id, "录入有误")
    archive.sequence()
    assert verify(archive.ctx).is_clean


FORGERIES = {
    "undone by the reporter": (
        "UPDATE record_events SET undone_at = now(), undone_by = reported_by, undone_because = '录入有误'"
    ),
    "moved": "UPDATE record_events SET day = '2020-01-01'",
    "undone by nobody": "UPDATE record_events SET undone_at = now()",
}


@pytest.mark.parametrize("forgery", FORGERIES)
def test_the_database_refuses_it_too(archive: Archive, people: People, account: UUID, forgery: str) -> None:
    events.report(archive.ctx, people.keeper, _both(account), "report-1")
    with archive.ctx.database.transaction(SYSTEM) as tx, pytest.raises(DBAPIError) as refused:
        tx.connection.execute(text(FORGERIES[forgery]))
    assert isinstance(refused.value.orig, psycopg.Error)
    assert refused.value.orig.sqlstate in {"SV004", "23514"}


@pytest.mark.clause("V7")
def test_an_event_altered_behind_our_back_is_named(
    archive: Archive, people: People, account: UUID, database_url: str
) -> None:
    events.report(archive.ctx, people.keeper, _both(account), "report-1")
    archive.sequence()
    from tests.nouns.oversight.test_verification import _as_owner

    _as_owner(database_url, "UPDATE record_events SET day = '2020-01-01' WHERE record_id = :id", id=account)
    found = {(f.code.value, f.facts.get("table") or f.facts.get("field")) for f in verify(archive.ctx).findings}
    assert found == {
        ("row-altered", "record_events"),
        ("due-date-altered", "retain_until"),
    }


def test_the_same_report_is_answered_again_and_another_refused(
    archive: Archive, people: People, account: UUID
) -> None:
    first = events.report(archive.ctx, people.keeper, _both(account), "report-1")
    again = events.report(archive.ctx, people.keeper, _both(account), "report-1")
    assert (first.is_repeated, again.is_repeated, again.id) == (False, True, first.id)
    with pytest.raises(ReportKeyReused):
        events.report(archive.ctx, people.keeper, _both(account)[:1], "report-1")
    with archive.ctx.database.read() as connection:
        assert len(events_of_record(connection, account)) == 2


def test_the_same_report_sent_at_once_from_two_places_is_one(archive: Archive, people: People, account: UUID) -> None:
    with ThreadPoolExecutor(4) as pool:
        done = list(
            pool.map(lambda _: events.report(archive.ctx, people.keeper, _both(account), "report-1"), range(4))
        )
    assert len({report.id for report in done}) == 1
    assert sum(not report.is_repeated for report in done) == 1


def test_of_two_events_at_once_neither_is_lost(
    archive: Archive, people: People, account: UUID, look: Callable[[UUID], RecordView]
) -> None:
    with ThreadPoolExecutor(2) as pool:
        list(
            pool.map(
                lambda event: events.report(archive.ctx, people.keeper, [event], f"report-{event.name}"),
                _both(account),
            )
        )
    assert look(account).retain_until == date(2036, 7, 8)


def test_what_cannot_be_right_is_refused(archive: Archive, people: People, account: UUID) -> None:
    for wrong in (
        NewEvent(account, "no_such_event", CLOSED),
        NewEvent(account, "received", CLOSED),
        NewEvent(account, "account_closed", date(1800, 1, 1)),
        NewEvent(account, "account_closed", date(2999, 1, 1)),
        NewEvent(account, "account_closed", CLOSED, "长" * 201),
    ):
        with pytest.raises(InvalidInput):
            events.report(archive.ctx, people.keeper, [wrong], "report-1")
    with pytest.raises(InvalidInput):
        events.report(archive.ctx, people.keeper, [], "report-1")
    with pytest.raises(InvalidInput):
        events.report(archive.ctx, people.keeper, _both(account) * 2, "report-1")
    with pytest.raises(NotFoundOrNotYours):
        events.report(archive.ctx, people.keeper, _both(new_id()), "report-1")
    with pytest.raises(NotAllowed):
        events.report(archive.ctx, people.heads[0], _both(account), "report-1")


def test_what_never_happens_goes_to_a_person(
    archive: Archive, people: People, account: UUID, look: Callable[[UUID], RecordView]
) -> None:
    events.report(archive.ctx, people.keeper, [NewEvent(account, "account_closed", None)], "report-1")
    assert look(account).what is What.ESCALATE


def test_lists_are_paged_and_filtered(archive: Archive, people: People, account: UUID) -> None:
    done = events.report(archive.ctx, people.keeper, _both(account), "report-1")
    events.undo(archive.ctx, people.other_keeper, done.events[0].id, "录入有误")
    with archive.ctx.database.read() as connection:
        newest, *_ = list_events(connection, people.keeper, size=1)
        assert [e.id for e in list_events(connection, people.keeper, after=newest.id)] == [done.events[0].id]
        assert [e.id for e in list_events(connection, people.keeper, is_undone=True)] == [done.events[0].id]
        assert [e.id for e in list_events(connection, people.keeper, name="relationship_ended")] == [newest.id]
        assert len(list_events(connection, people.keeper, report_id=done.id)) == 2
