"""Events of records as a list: narrowed, by page, within what the viewer may see."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, Select, Uuid, any_, cast, or_, select
from sqlalchemy.dialects.postgresql import ARRAY

from vault.access.model import Viewer
from vault.catalogue.tables import records
from vault.foundation.db import keyset
from vault.foundation.db.keyset import EVERYTHING, Page, Picked, Span
from vault.foundation.errors import NotFoundOrNotYours
from vault.retention.model import RecordEvent
from vault.retention.queries import event_of
from vault.retention.tables import record_events


@dataclass(frozen=True)
class EventFilters:
    """Which events: all given conditions must hold. `is_undone` none: either. Days are those on which it happened."""

    name: str | None = None
    is_undone: bool | None = None
    number: str | None = None  # archival, or business number
    record_id: UUID | None = None
    report_id: UUID | None = None
    unit_id: UUID | None = None
    day_from: date | None = None
    day_until: date | None = None
    reported_from: datetime | None = None
    reported_before: datetime | None = None


@dataclass(frozen=True)
class EventLine:
    """An event with the number of its record."""

    event: RecordEvent
    archival_number: str
    unit_id: UUID

    @property
    def id(self) -> UUID:
        """The event's."""
        return self.event.id


def find_events(
    connection: Connection, viewer: Viewer, filters: EventFilters, span: Span, picked: Picked = EVERYTHING
) -> Page[EventLine]:
    """One page of the events that the filters name, newest first."""
    query = _narrowed(_lines(), viewer, filters, picked)
    return keyset.cut(connection, query, record_events.c.id, span, lambda rows: [_line(row) for row in rows])


def count_events(
    connection: Connection,
    viewer: Viewer,
    filters: EventFilters,
    picked: Picked = EVERYTHING,
    at_most: int | None = None,
) -> int:
    """How many events the filters name, at most `at_most` + 1."""
    wanted = select(record_events.c.id).join(records, records.c.id == record_events.c.record_id)
    return keyset.count(connection, _narrowed(wanted, viewer, filters, picked), at_most)


def get_event(connection: Connection, viewer: Viewer, event_id: UUID) -> EventLine:
    """One event. Raises NotFoundOrNotYours."""
    query = _narrowed(_lines(), viewer, EventFilters(), Picked((event_id,)))
    row = connection.execute(query).one_or_none()
    if row is None:
        raise NotFoundOrNotYours
    return _line(row)


def _lines() -> Select[Any]:
    return select(record_events, records.c.archival_number, records.c.unit_id).join(
        records, records.c.id == record_events.c.record_id
    )


def _line(row: Any) -> EventLine:
    return EventLine(event_of(row), row.archival_number, row.unit_id)


def _narrowed(query: Select[Any], viewer: Viewer, filters: EventFilters, picked: Picked) -> Select[Any]:
    columns, undone = record_events.c, record_events.c.undone_at
    wanted: list[ColumnElement[bool]] = picked.conditions(columns.id)
    if viewer.units is not None:
        wanted.append(records.c.unit_id == any_(cast(sorted(viewer.units), ARRAY(Uuid))))
    for column, value in (
        (columns.name, filters.name),
        (columns.record_id, filters.record_id),
        (columns.report_id, filters.report_id),
        (records.c.unit_id, filters.unit_id),
    ):
        if value is not None:
            wanted.append(column == value)
    if filters.number is not None:
        wanted.append(or_(records.c.archival_number == filters.number, records.c.business_number == filters.number))
    if filters.is_undone is not None:
        wanted.append(undone.isnot(None) if filters.is_undone else undone.is_(None))
    if filters.day_from is not None:
        wanted.append(columns.day >= filters.day_from)
    if filters.day_until is not None:
        wanted.append(columns.day <= filters.day_until)
    if filters.reported_from is not None:
        wanted.append(columns.known_at >= filters.reported_from)
    if filters.reported_before is not None:
        wanted.append(columns.known_at < filters.reported_before)
    return query.where(*wanted)
