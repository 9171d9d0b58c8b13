"""How many records fall due when: counted by day, month or year of the last day on which they must be kept."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, Date, Uuid, any_, cast, func, select
from sqlalchemy.dialects.postgresql import ARRAY

from vault.catalogue.tables import record_states, records


class Step(StrEnum):
    """How finely it is counted."""

    DAY = "day"
    MONTH = "month"
    YEAR = "year"


@dataclass(frozen=True)
class DueFilters:
    """Whose records: of one class, of one unit."""

    class_code: str | None = None
    unit_id: UUID | None = None


@dataclass(frozen=True)
class DueCount:
    """How many records of a class must be kept to a day of the day, month or year that begins on `start_date`."""

    start_date: date
    class_code: str
    count: int


def due_counts(
    connection: Connection,
    filters: DueFilters,
    first: date,
    last: date,
    step: Step,
    *,
    units: frozenset[UUID] | None,
) -> tuple[DueCount, ...]:
    """The counts of the records within `units` (None: all) that must be kept to a day from `first` to `last`."""
    columns = record_states.c
    start = cast(func.date_trunc(step.value, columns.retain_until), Date).label("start_date")
    query = (
        select(start, records.c.class_code, func.count().label("counted"))
        .join(records, records.c.id == columns.record_id)
        .where(columns.retain_until >= first, columns.retain_until <= last, *_conditions(filters, units))
        .group_by(start, records.c.class_code)
        .order_by(start, records.c.class_code)
    )
    return tuple(DueCount(row.start_date, row.class_code, row.counted) for row in connection.execute(query))


def nearest_due(
    connection: Connection, filters: DueFilters, first: date, last: date, *, units: frozenset[UUID] | None
) -> tuple[date | None, date | None]:
    """The last day before `first` and the first day after `last` to which records within `units` must be kept."""
    day = record_states.c.retain_until
    query = select(day).join(records, records.c.id == record_states.c.record_id).where(*_conditions(filters, units))
    before = connection.execute(query.where(day < first).order_by(day.desc()).limit(1)).scalar_one_or_none()
    after = connection.execute(query.where(day > last).order_by(day).limit(1)).scalar_one_or_none()
    return before, after


def overdue_counts(
    connection: Connection, filters: DueFilters, today: date, *, units: frozenset[UUID] | None
) -> dict[str, int]:
    """How many records wait for what must happen to them, by what that is: their last day has passed."""
    columns = record_states.c
    query = (
        select(columns.what, func.count().label("counted"))
        .join(records, records.c.id == columns.record_id)
        .where(
            columns.what.in_(("destroy", "review", "transfer", "escalate", "restricted")),
            columns.retain_until < today,
            *_conditions(filters, units),
        )
        .group_by(columns.what)
    )
    return {row.what: row.counted for row in connection.execute(query)}


def _conditions(filters: DueFilters, units: frozenset[UUID] | None) -> list[ColumnElement[Any]]:
    wanted: list[ColumnElement[Any]] = []
    if units is not None:
        wanted.append(records.c.unit_id == any_(cast(sorted(units), ARRAY(Uuid))))
    if filters.class_code is not None:
        wanted.append(records.c.class_code == filters.class_code)
    if filters.unit_id is not None:
        wanted.append(records.c.unit_id == filters.unit_id)
    return wanted
