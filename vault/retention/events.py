"""Events 事件 from which periods count: reported singly or as a list, never overwritten, undone by somebody else.

A report names a client key: the same report under the same key is answered as before, another one is refused. The due
dates of each record follow in the same transaction. Undoing restores what the law said before; a lock that was set
meanwhile stays, because a promise is never taken back (invariant R1).
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import psycopg
from sqlalchemy import Connection, select
from sqlalchemy.exc import IntegrityError

from retention_rules import shipped
from retention_rules.law import Law
from retention_rules.model import RECEIVED
from retention_rules.triggers import NAME, events_in
from vault.access.model import Viewer
from vault.access.rights import Right
from vault.catalogue import service as catalogue
from vault.catalogue.describe import FIRST_DAY
from vault.catalogue.service import Changing
from vault.catalogue.tables import records
from vault.catalogue.witnessing import digests
from vault.foundation.context import Context
from vault.foundation.db.transaction import Transaction
from vault.foundation.errors import N_, InvalidInput, NotFoundOrNotYours
from vault.foundation.ids import new_id
from vault.foundation.ledger.entry import canonical_json
from vault.retention.book import read_book
from vault.retention.due_dates import settle
from vault.retention.errors import EventUndone, OwnEvent, ReportKeyReused
from vault.retention.model import Event, NewEvent, RecordEvent
from vault.retention.queries import event_of
from vault.retention.tables import event_reports, record_events

EVIDENCE_LENGTH_MAX, REASON_LENGTH_MIN, REASON_LENGTH_MAX = 200, 4, 500
EVENTS_MAX = 10_000
_AHEAD_MAX = timedelta(days=36_525)
_KEY_CONSTRAINT = "event_reports_client_key_key"


@dataclass(frozen=True)
class Report:
    """What a report did. `is_repeated`: all of it was there already. `known` are those of its events that were there
    before the others were entered.
    """

    id: UUID
    events: tuple[RecordEvent, ...]
    is_repeated: bool
    known: tuple[RecordEvent, ...] = ()


def report(ctx: Context, viewer: Viewer, new: Sequence[NewEvent], client_key: str) -> Report:
    """Reports events, all or none. Leaves `retention:events:report`, and `retention:event:report` for each record.

    One that is known already, of the same record and day and not undone, is not entered again, whoever reported it.

    Raises:
        NotAllowed: the viewer lacks `retention:event:report`.
        NotFoundOrNotYours: a record is not there for this viewer.
        InvalidInput: an event, day, evidence or key cannot be right, or there are none or too many.
        ReportKeyReused: the key belongs to another report.
    """
    viewer.require(Right.RETENTION_EVENT_REPORT)
    if not 8 <= len(client_key) <= 200:
        raise InvalidInput(field="client_key", problem=N_("8 to 200 characters are needed"))
    if not 1 <= len(new) <= EVENTS_MAX:
        raise InvalidInput(field="events", problem=N_("1 to 10,000 events can be reported at once"))
    digest, report_id = _digest(new), None
    known: tuple[RecordEvent, ...] = ()
    try:
        with ctx.database.transaction(viewer.actor) as tx:
            earlier = _earlier(tx.connection, viewer, client_key, digest)
            if earlier is not None:
                return earlier
            require_reportable(tx, viewer, new)
            catalogue.hold_still(tx, sorted({event.record_id for event in new}))  # of two at once the second waits
            there = known_already(tx.connection, new)
            known = tuple(there.values())
            fresh = [event for event in new if place_of(event) not in there]
            if not fresh:
                return Report(known[0].report_id, known, is_repeated=True)
            report_id = _enter(tx, viewer, fresh, client_key, digest)
            tx.commit()
    except IntegrityError as error:
        if not isinstance(error.orig, psycopg.Error) or error.orig.diag.constraint_name != _KEY_CONSTRAINT:
            raise
        # The same report was under way twice; the other one came first.
    with ctx.database.read() as connection:
        done = _earlier(connection, viewer, client_key, digest)
    assert done is not None
    return Report(done.id, done.events, is_repeated=done.id != report_id, known=known)


def undo(ctx: Context, viewer: Viewer, event_id: UUID, reason: str) -> RecordEvent:
    """Undoes an event that was reported by mistake by somebody else. Leaves `retention:event:undo`.

    Raises:
        NotAllowed: the viewer lacks `retention:event:undo`.
        NotFoundOrNotYours, OwnEvent, EventUndone, InvalidInput.
    """
    viewer.require(Right.RETENTION_EVENT_UNDO)
    reason = " ".join(reason.split())
    if not REASON_LENGTH_MIN <= len(reason) <= REASON_LENGTH_MAX:
        raise InvalidInput(field="reason", problem=N_("4 to 500 characters are needed"))
    with ctx.database.transaction(viewer.actor) as tx:
        event, changing = _held_event(tx, viewer, event_id)
        if event.undone_at is not None:
            raise EventUndone
        if event.reported_by == viewer.id:
            raise OwnEvent
        tx.connection.execute(
            record_events.update()
            .where(record_events.c.id == event_id)
            .values(undone_at=tx.clock.now(), undone_by=viewer.id, undone_because=reason)
        )
        settle(tx, [event.record_id])
        tx.witness(
            Event.EVENT_UNDONE,
            "record",
            event.record_id,
            context_id=event.report_id,
            revision=changing[event.record_id].revision,
            event_id=str(event_id),
            digests=digests(tx.connection, changing, [record_events])[event.record_id],
        )
        undone = event_of(tx.connection.execute(select(record_events).where(record_events.c.id == event_id)).one())
        tx.commit()
    return undone


def known_events(law: Law) -> frozenset[str]:
    """The events that may be reported: those that come with the program, and those that the schedule counts from."""
    names = set(shipped.event_names())
    for rules in law.classes.values():
        for span in rules.spans:
            for clause in (*span.keeping, *span.maxima, *span.advice, *span.coming):
                names.update(events_in(clause.trigger))
                names.update(name for matter in clause.extensions for name in (matter.opened, matter.closed))
                if clause.longer_on is not None:
                    names.add(clause.longer_on)
    return frozenset(names - {RECEIVED})


def require_reportable(tx: Transaction, viewer: Viewer, new: Sequence[NewEvent]) -> None:
    """Refuses what cannot be reported, naming the first. Raises InvalidInput, NotFoundOrNotYours."""
    lawbook = read_book(tx.connection)
    now = tx.clock.now()
    today = lawbook.day_of(now)
    names = known_events(lawbook.law(today, now))
    for event in new:
        problem = problem_with(event, names, today)
        if problem is not None:
            raise InvalidInput(field=problem[0], problem=problem[1])
    if len({(event.record_id, event.name) for event in new}) != len(new):
        raise InvalidInput(field="events", problem=N_("an event is reported twice of the same record"))
    if visible_records(tx.connection, viewer, [event.record_id for event in new]) != {e.record_id for e in new}:
        raise NotFoundOrNotYours


def problem_with(event: NewEvent, names: frozenset[str], today: date) -> tuple[str, str] | None:
    """Field and msgid of what is wrong with an event, whatever record it concerns; none when nothing is.

    What is agreed for a coming day, as the end of a contract, may come otherwise: it is reported once it has happened.
    """
    if NAME.fullmatch(event.name) is None or event.name not in names:
        return "event", N_("there is no such event")
    if event.day is not None and event.day < FIRST_DAY:
        return "day", N_("the day is before 1900")
    if event.day is not None and event.day > today and event.name not in shipped.events_set_ahead():
        return "day", N_("the day has not come yet: an event is reported once it has happened")
    if event.day is not None and event.day > today + _AHEAD_MAX:
        return "day", N_("the day is too far away to be right")
    if len(event.evidence) > EVIDENCE_LENGTH_MAX:
        return "evidence", N_("at most 200 characters are kept")
    return None


def place_of(event: NewEvent | RecordEvent) -> tuple[UUID, str, date | None]:
    """What makes an event the same as another: record, name and day."""
    return event.record_id, event.name, event.day


def known_already(
    connection: Connection, new: Sequence[NewEvent]
) -> dict[tuple[UUID, str, date | None], RecordEvent]:
    """Those events that were reported before and not undone, by their places."""
    wanted = {place_of(event) for event in new}
    query = select(record_events).where(
        record_events.c.record_id.in_(sorted({event.record_id for event in new})),
        record_events.c.name.in_(sorted({event.name for event in new})),
        record_events.c.undone_at.is_(None),
    )
    found = (event_of(row) for row in connection.execute(query.order_by(record_events.c.id)))
    return {place_of(event): event for event in found if place_of(event) in wanted}


def visible_records(connection: Connection, viewer: Viewer, record_ids: Sequence[UUID]) -> set[UUID]:
    """Which of the records are there and within the viewer's sight."""
    query = select(records.c.id).where(records.c.id.in_(sorted(set(record_ids))))
    if viewer.units is not None:
        query = query.where(records.c.unit_id.in_(sorted(viewer.units)))
    return set(connection.execute(query).scalars())


def _enter(tx: Transaction, viewer: Viewer, new: Sequence[NewEvent], client_key: str, digest: bytes) -> UUID:
    report_id, now = new_id(), tx.clock.now()
    record_ids = sorted({event.record_id for event in new})
    changing = catalogue.begin_changes(tx, record_ids)  # first: whoever settles sees all events or waits
    tx.connection.execute(
        event_reports.insert(),
        {
            "id": report_id,
            "sender_id": viewer.id,
            "client_key": client_key,
            "digest": digest,
            "events": len(new),
            "reported_at": now,
        },
    )
    rows: list[dict[str, Any]] = [
        {
            "id": new_id(),
            "report_id": report_id,
            "record_id": event.record_id,
            "name": event.name,
            "day": event.day,
            "evidence": event.evidence,
            "reported_by_kind": viewer.kind,
            "reported_by": viewer.id,
            "known_at": now,
        }
        for event in new
    ]
    tx.connection.execute(record_events.insert(), rows)
    settle(tx, record_ids)
    told = digests(tx.connection, changing, [record_events])
    for row in rows:
        record_id = row["record_id"]
        tx.witness(
            Event.EVENT_REPORTED,
            "record",
            record_id,
            context_id=report_id,
            revision=changing[record_id].revision,
            event_id=str(row["id"]),
            name=row["name"],
            day=row["day"].isoformat() if row["day"] else None,
            digests=told[record_id],
        )
    tx.witness(Event.EVENTS_REPORTED, "report", report_id, events=len(rows), digest=digest.hex())
    return report_id


def _earlier(connection: Connection, viewer: Viewer, client_key: str, digest: bytes) -> Report | None:
    row = connection.execute(
        select(event_reports).where(event_reports.c.sender_id == viewer.id, event_reports.c.client_key == client_key)
    ).one_or_none()
    if row is None:
        return None
    if bytes(row.digest) != digest:
        raise ReportKeyReused
    events = connection.execute(
        select(record_events).where(record_events.c.report_id == row.id).order_by(record_events.c.id)
    )
    return Report(row.id, tuple(event_of(event) for event in events), is_repeated=True)


def _held_event(tx: Transaction, viewer: Viewer, event_id: UUID) -> tuple[RecordEvent, dict[UUID, Changing]]:
    """The event, its record held still; two who undo at once come one after the other."""
    query = select(record_events).where(record_events.c.id == event_id)
    row = tx.connection.execute(query).one_or_none()
    if row is None or not visible_records(tx.connection, viewer, [row.record_id]):
        raise NotFoundOrNotYours
    changing = catalogue.begin_changes(tx, [row.record_id])
    return event_of(tx.connection.execute(query).one()), changing


def _digest(new: Sequence[NewEvent]) -> bytes:
    plain = [
        [str(event.record_id), event.name, event.day.isoformat() if event.day else None, event.evidence]
        for event in new
    ]
    return hashlib.sha256(canonical_json(plain)).digest()
