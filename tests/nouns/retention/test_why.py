"""Why a record is here: today, and on any past day with the knowledge of then."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from uuid import UUID

import pytest

from retention_rules import shipped, words
from retention_rules.model import Period, What
from tests.nouns.retention.conftest import People
from tests.support.archive import Archive
from vault.catalogue.model import NewDescription
from vault.catalogue.queries import RecordView
from vault.foundation.errors import NotFoundOrNotYours
from vault.foundation.ids import new_id
from vault.retention import events, reclassification, service
from vault.retention.book import read_book
from vault.retention.description import describe
from vault.retention.errors import NotHereThen
from vault.retention.filing import file
from vault.retention.locking import lock_waiting
from vault.retention.model import NewEvent
from vault.retention.queries import version_in_effect
from vault.retention.why import Explanation, LockStanding, explain

DAY = timedelta(days=1)


def _today(archive: Archive) -> date:
    with archive.ctx.database.read() as connection:
        return read_book(connection).day_of(archive.clock.now())


def _why(archive: Archive, record_id: UUID, on: date | None = None) -> Explanation:
    return explain(archive.ctx, archive.operator, record_id, on)


def test_it_says_the_same_as_the_due_dates(
    archive: Archive, people: People, send: Callable[..., UUID], look: Callable[[UUID], RecordView]
) -> None:
    ids = [send(definition.code) for definition in shipped.classes()]
    file(archive.ctx, people.keeper, ids[:6])
    list(lock_waiting(archive.ctx))
    for record_id in ids:
        told, record = _why(archive, record_id).decision, look(record_id)
        assert (told.what, told.retain_until, told.delete_by) == (record.what, record.retain_until, record.delete_by)


def test_every_reason_is_told_in_both_languages_with_its_source(archive: Archive, send: Callable[..., UUID]) -> None:
    told = _why(archive, send("REMITTANCE", occurred=date(2026, 3, 1)))
    first = next(reason for reason in told.decision.reasons if reason.rule == "CN-ACC-VOUCHER")
    assert (first.rule, first.citation) == (
        "CN-ACC-VOUCHER",
        "会计档案管理办法（财政部 国家档案局令第79号）art.14 + 附表一",
    )
    for language in words.LANGUAGES:
        assert words.say(first, language, shipped.event_names())
        assert all(words.say_step(step, language, shipped.event_names()) for step in first.steps)
    assert (told.schedule.number, told.approved_by) == (1, ())


def test_locks_are_told_for_each_store_and_what_follows(
    archive: Archive, people: People, send: Callable[..., UUID]
) -> None:
    record_id = send()
    planned = _why(archive, record_id)
    (before,) = planned.locks
    assert planned.lock_standing is LockStanding.PLANNED
    file(archive.ctx, people.keeper, [record_id])
    list(lock_waiting(archive.ctx))
    told = _why(archive, record_id)
    (after,) = told.locks
    assert (before.mode, after.mode, after.copies) == ("GOVERNANCE", "COMPLIANCE", 1)
    assert after.store == archive.ctx.store.name
    assert told.lock_standing is LockStanding.STANDS
    # DEFAULT-5Y was shipped unverified: before it is confirmed nothing is destroyed by it.
    assert (told.decision.next_date, told.next_what) == (date(2031, 3, 2), What.ESCALATE)


def test_a_past_day_is_decided_with_the_knowledge_of_then(
    archive: Archive, people: People, send: Callable[..., UUID]
) -> None:
    record_id = send("COMPLAINT", occurred=date(2026, 3, 1))
    start = _today(archive)
    in_ten = [start + n * DAY for n in range(10)]

    archive.clock.advance(DAY)  # day 1: another class
    reclassification.classify(archive.ctx, people.keeper, record_id, "LOSS-REPORT")
    archive.clock.advance(DAY)  # day 2: an event, by mistake
    done = events.report(
        archive.ctx, people.keeper, [NewEvent(record_id, "relationship_ended", in_ten[1])], "report-1"
    )
    archive.clock.advance(DAY)  # day 3: undone
    events.undo(archive.ctx, people.other_keeper, done.events[0].id, "录入有误")
    archive.clock.advance(DAY)  # day 4: the right one
    events.report(archive.ctx, people.keeper, [NewEvent(record_id, "relationship_ended", in_ten[3])], "report-2")
    archive.clock.advance(DAY)  # day 5: another schedule
    with archive.ctx.database.read() as connection:
        content = version_in_effect(connection, archive.clock.now()).content
    classes = tuple(
        replace(k, own_period=Period(months=240)) if k.code == "LOSS-REPORT" else k for k in content.classes
    )
    drafted = service.draft(archive.ctx, people.administrator, "二十年", replace(content, classes=classes))
    archive.simulate(drafted.number, on=in_ten[6])
    service.propose(archive.ctx, people.administrator, drafted.number, in_ten[6])
    for head in people.heads[:2]:
        service.approve(archive.ctx, head, drafted.number)
    archive.clock.advance(2 * DAY)  # day 7

    own_end, by_mistake, ended = (day.replace(year=day.year + 10) for day in (start, in_ten[1], in_ten[3]))
    expected = {
        0: ("COMPLAINT", own_end, 1),
        1: ("LOSS-REPORT", None, 1),
        2: ("LOSS-REPORT", by_mistake, 1),
        3: ("LOSS-REPORT", None, 1),
        4: ("LOSS-REPORT", ended, 1),
        5: ("LOSS-REPORT", ended, 1),
        6: ("LOSS-REPORT", start.replace(year=start.year + 20), drafted.number),
        7: ("LOSS-REPORT", start.replace(year=start.year + 20), drafted.number),
    }
    for day, (code, until, number) in expected.items():
        told = _why(archive, record_id, in_ten[day])
        assert (told.decision.facts.class_code, told.decision.retain_until, told.schedule.number) == (
            code,
            until,
            number,
        ), day
    assert [a.person_id for a in _why(archive, record_id).approved_by] == [h.id for h in people.heads[:2]]
    # The day of the decision is one thing, what applies on a coming day another: both are told from what is known now.
    assert _why(archive, record_id, date(2050, 1, 1)).decision.what is What.REVIEW
    with pytest.raises(NotHereThen):
        _why(archive, record_id, start - DAY)
    with pytest.raises(NotFoundOrNotYours):
        _why(archive, new_id())


def test_a_corrected_day_and_a_lock_are_known_only_from_then_on(
    archive: Archive, people: People, send: Callable[..., UUID], look: Callable[[UUID], RecordView]
) -> None:
    record_id = send(occurred=date(2026, 3, 1))
    start = _today(archive)
    archive.clock.advance(DAY)
    new = NewDescription(values={"occurred_date": "2025-03-01"})
    describe(archive.ctx, people.keeper, record_id, new, revision=1, reason="录入有误")
    archive.clock.advance(DAY)
    file(archive.ctx, people.keeper, [record_id])
    list(lock_waiting(archive.ctx))
    archive.clock.advance(DAY)
    told = [_why(archive, record_id, start + n * DAY).decision for n in range(4)]
    assert [d.retain_until for d in told] == [date(2031, 3, 1), *[date(2030, 3, 1)] * 3]
    assert [d.facts.locked_until for d in told] == [None, None, date(2030, 3, 1), date(2030, 3, 1)]
    assert look(record_id).retain_until == date(2030, 3, 1)
    later = NewDescription(values={"occurred_date": "2026-06-01"})
    describe(archive.ctx, people.keeper, record_id, later, revision=look(record_id).revision, reason="再次更正")
    told_now = _why(archive, record_id)
    assert (told_now.decision.lock_until, told_now.lock_standing) == (date(2031, 6, 1), LockStanding.SHORTER)
