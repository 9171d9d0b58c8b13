"""Why a record is still here: what the law says of it on a day, with what was known then, and what stands behind it.

Nothing is looked up in a log: the decision of any past day is made again from what is recorded, which is never
overwritten, under the schedule that applied then.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from itertools import groupby
from uuid import UUID

from sqlalchemy import Connection, select

from retention_rules.decision import Decision, decide
from retention_rules.model import Hold, What
from retention_rules.schedules import (
    Classified,
    Dossier,
    Promise,
    ReportedEvent,
    ReportedHold,
    end_of_day,
    facts_known,
    law_known,
    schedule_known,
)
from vault.access.approvals import Approval, get_proposal
from vault.access.model import Viewer
from vault.access.rights import Right
from vault.catalogue.corrections import corrections_of
from vault.catalogue.queries import ComponentView, RecordView, get_record
from vault.foundation.context import Context
from vault.holds.model import RecordHold
from vault.holds.queries import holds_of_record
from vault.retention.book import Lawbook, read_book
from vault.retention.dossier import business_events
from vault.retention.errors import NotHereThen
from vault.retention.model import RecordEvent, ScheduleVersion
from vault.retention.queries import classifications_of_record, events_of_record, get_version
from vault.retention.tables import lock_promises

_MOMENT = timedelta(microseconds=1)
_MODES = ("NONE", "GOVERNANCE", "COMPLIANCE")


@dataclass(frozen=True)
class LockInStore:
    """The weakest lock of a record's copies in one store, as the catalogue has it now: the mode, and the first end."""

    store: str
    mode: str
    until: datetime
    copies: int


class LockStanding(StrEnum):
    """What stands in the stores now of the lock that the law plans for a record."""

    PLANNED = "planned"  # a copy has no COMPLIANCE lock yet: the record is not filed, or its lock is about to be set
    SHORTER = (
        "shorter"  # every copy has one, and one of them ends before the planned day: it is still to be made longer
    )
    STANDS = "stands"  # every copy is locked at least to the planned day


@dataclass(frozen=True)
class Explanation:
    """Why a record was, is or will be here on a day.

    `known_at` is the instant whose knowledge counts. `next_what` is what follows on `decision.next_date` if nothing else
    happens. `locks` are those that stand now, `decision.lock` is what the law plans on the day, and `lock_standing` what
    stands of it, none where it plans none. `rules` are those that packs lay down, the others are the house's own.
    """

    record_id: UUID
    decision: Decision
    known_at: datetime
    schedule: ScheduleVersion
    approved_by: tuple[Approval, ...]
    locks: tuple[LockInStore, ...]
    lock_standing: LockStanding | None
    next_what: What | None
    rules: frozenset[str]
    events: tuple[RecordEvent, ...]


def explain(
    ctx: Context, viewer: Viewer, record_id: UUID, on: date | None = None, known_on: date | None = None
) -> Explanation:
    """Why a record is here, on a day or today, with what was known at the end of `known_on`, by default of that day.

    Raises:
        NotAllowed: the viewer lacks `records:record:read`.
        NotFoundOrNotYours: no such record for this viewer.
        NotHereThen: the record was not received by then.
    """
    viewer.require(Right.RECORDS_RECORD_READ)
    with ctx.database.read() as connection:
        return explain_record(ctx, connection, viewer, get_record(connection, viewer, record_id), on, known_on)


def explain_record(
    ctx: Context,
    connection: Connection,
    viewer: Viewer,
    record: RecordView,
    on: date | None = None,
    known_on: date | None = None,
) -> Explanation:
    """The same, for who has looked the record up already. Raises NotAllowed, NotHereThen."""
    lawbook = read_book(connection)
    now = ctx.clock.now()
    today, received = lawbook.day_of(now), lawbook.day_of(record.received_at)
    day = on or today
    known = known_on or day
    known_at = now if known >= today else end_of_day(known, lawbook.time_zone) - _MOMENT
    for asked, field in ((day, "on"), (known, "known")):
        if asked < received:
            raise NotHereThen(day=asked.isoformat(), received=received.isoformat(), field=field)
    dossier = dossier_of(ctx, connection, viewer, record, lawbook, known_at)
    facts = facts_known(dossier, known_at)
    decision = decide(facts, law_known(lawbook.book, day, known_at), day)
    number = int(schedule_known(lawbook.book.schedules, day, known_at).version)
    version = get_version(connection, number, now)
    approved_by = get_proposal(connection, version.proposal_id).approvals if version.proposal_id else ()
    locks = locks_of(record.components)
    return Explanation(
        record_id=record.id,
        decision=decision,
        known_at=known_at,
        schedule=version,
        approved_by=approved_by,
        locks=locks,
        lock_standing=_standing(decision, locks, lawbook.time_zone),
        next_what=_what_follows(decision, lawbook, known_at),
        rules=frozenset(rule.code for pack in lawbook.book.packs.values() for rule in pack.rules),
        events=tuple(e for e in events_of_record(connection, record.id) if e.known_at <= known_at),
    )


def dossier_of(
    ctx: Context, connection: Connection, viewer: Viewer, record: RecordView, lawbook: Lawbook, known_at: datetime
) -> Dossier:
    """All that was reported of a record by an instant, and its holds: here they are looked up, because somebody asks."""
    received = lawbook.day_of(record.received_at)
    reported = tuple(
        ReportedEvent(event.name, event.day, event.evidence, event.known_at, event.undone_at)
        for event in reversed(events_of_record(connection, record.id))
    )
    occurred = _occurred_date(ctx, connection, viewer, record, known_at)
    told = {event.name for event in reported if _is_known(event, known_at)}
    business = tuple(
        ReportedEvent(name, day, known_at=record.received_at)
        for name, day in business_events(occurred, received).items()
        if name not in told
    )
    promises = connection.execute(select(lock_promises).where(lock_promises.c.record_id == record.id))
    return Dossier(
        received_date=received,
        classified=_classified(connection, record),
        events=(*business, *reported),
        holds=tuple(_held(hold, lawbook) for hold in holds_of_record(connection, record.id)),
        locks=tuple(Promise(row.until_date, row.known_at) for row in promises),
    )


def locks_of(components: Iterable[ComponentView]) -> tuple[LockInStore, ...]:
    """For each store the weakest lock of the copies there."""
    ordered = sorted(components, key=lambda copy: copy.store)
    found = []
    for store, group in groupby(ordered, key=lambda copy: copy.store):
        held = list(group)
        mode = min((copy.lock_mode for copy in held), key=_MODES.index)
        found.append(LockInStore(store, mode, min(copy.lock_until for copy in held), len(held)))
    return tuple(found)


def _standing(decision: Decision, locks: tuple[LockInStore, ...], time_zone: str) -> LockStanding | None:
    if decision.lock is None:
        return None
    if not locks or any(held.mode != "COMPLIANCE" for held in locks):
        return LockStanding.PLANNED
    until = end_of_day(decision.lock.until_date, time_zone)
    return LockStanding.STANDS if all(held.until >= until for held in locks) else LockStanding.SHORTER


def _held(hold: RecordHold, lawbook: Lawbook) -> ReportedHold:
    told = Hold(hold.matter_number, lawbook.day_of(hold.held_at), hold.review_date)
    return ReportedHold(told, hold.held_at, hold.released_at)


def _classified(connection: Connection, record: RecordView) -> tuple[Classified, ...]:
    changes = sorted(
        (c.known_at, c) for c in classifications_of_record(connection, record.id) if c.known_at is not None
    )
    first = changes[0][1].from_class if changes else record.class_code
    return (
        Classified(first, record.received_at),
        *(Classified(change.to_class, known_at) for known_at, change in changes),
    )


def _occurred_date(
    ctx: Context, connection: Connection, viewer: Viewer, record: RecordView, known_at: datetime
) -> date | None:
    """The day of the business as it was known at an instant: later corrections are taken back, one by one."""
    day = record.occurred_date
    for correction in corrections_of(ctx, connection, viewer, record):
        if correction.at <= known_at:
            break
        for change in correction.changes:
            if change.field == "occurred_date":
                day = date.fromisoformat(change.old) if change.old else None
    return day


def _is_known(event: ReportedEvent, known_at: datetime) -> bool:
    return event.known_at <= known_at and (event.undone_at is None or known_at < event.undone_at)


def _what_follows(decision: Decision, lawbook: Lawbook, known_at: datetime) -> What | None:
    if decision.next_date is None:
        return None
    law = law_known(lawbook.book, decision.next_date, known_at)
    what = decide(decision.facts, law, decision.next_date).what
    return None if what is What.HELD else what  # a hold ends by an act, on no day that anybody knows
