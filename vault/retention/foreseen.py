"""What events would do before they are reported, and what undoing one or another class would do:
the decision before and after it.

Nothing is written; what is shown is computed as `settle` will compute it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection, select

from retention_rules.decision import Decision, decide
from retention_rules.model import Facts
from vault.catalogue.tables import records
from vault.retention.book import read_book
from vault.retention.dossier import facts_now
from vault.retention.model import NewEvent, RecordEvent


@dataclass(frozen=True)
class Foreseen:
    """One record, before and after."""

    record_id: UUID
    archival_number: str
    before: Decision
    after: Decision

    @property
    def is_changed(self) -> bool:
        """Whether anything that people see becomes another."""
        one, other = self.before, self.after
        return (one.what, one.retain_until, one.delete_by) != (other.what, other.retain_until, other.delete_by)


def foresee(connection: Connection, new: Sequence[NewEvent], now: datetime) -> tuple[Foreseen, ...]:
    """What events would do to their records, in the order of the events; the caller looks only at visible ones."""
    wanted: dict[UUID, list[NewEvent]] = {}
    for event in new:
        wanted.setdefault(event.record_id, []).append(event)
    lawbook = read_book(connection)
    today = lawbook.day_of(now)
    law = lawbook.law(today, now)
    held = facts_now(connection, wanted, lawbook.time_zone)
    names = _numbers(connection, wanted)
    return tuple(
        Foreseen(
            record_id,
            names[record_id],
            decide(held[record_id], law, today),
            decide(_with(held[record_id], told), law, today),
        )
        for record_id, told in wanted.items()
        if record_id in held
    )


def foresee_undo(connection: Connection, event: RecordEvent, now: datetime) -> Foreseen:
    """What undoing an event would do to its record."""
    lawbook = read_book(connection)
    today = lawbook.day_of(now)
    law = lawbook.law(today, now)
    before = facts_now(connection, [event.record_id], lawbook.time_zone)[event.record_id]
    after = facts_now(connection, [event.record_id], lawbook.time_zone, without=event.id)[event.record_id]
    number = _numbers(connection, [event.record_id])[event.record_id]
    return Foreseen(event.record_id, number, decide(before, law, today), decide(after, law, today))


def foresee_class(connection: Connection, record_id: UUID, class_code: str, now: datetime) -> Foreseen:
    """What another class would do to a record."""
    lawbook = read_book(connection)
    today = lawbook.day_of(now)
    law = lawbook.law(today, now)
    held = facts_now(connection, [record_id], lawbook.time_zone)[record_id]
    number = _numbers(connection, [record_id])[record_id]
    after = decide(replace(held, class_code=class_code), law, today)
    return Foreseen(record_id, number, decide(held, law, today), after)


def _with(facts: Facts, told: Sequence[NewEvent]) -> Facts:
    """The facts once these events are reported: of an event reported several times the last day counts."""
    events, never = dict(facts.events), set(facts.never)
    for event in told:
        if event.day is None:
            never.add(event.name)
        elif event.name not in events or event.day >= events[event.name]:
            events[event.name] = event.day
    return replace(facts, events=events, never=frozenset(never))


def _numbers(connection: Connection, record_ids: Sequence[UUID] | dict[UUID, list[NewEvent]]) -> dict[UUID, str]:
    rows = connection.execute(
        select(records.c.id, records.c.archival_number).where(records.c.id.in_(sorted(record_ids)))
    )
    return {row.id: row.archival_number for row in rows}
