"""What is known of records, as the law takes it: all that was ever reported of one, or what is true of many now."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, func, select

from retention_rules.clauses import MADE
from retention_rules.model import Facts
from retention_rules.schedules import day_of
from vault.catalogue.model import RecordStatus
from vault.catalogue.tables import record_states, records
from vault.retention.tables import record_events


def business_events(occurred_date: date | None, received_date: date) -> dict[str, date]:
    """The events that the day of the business tells, for as long as nobody reported them themselves.

    A slip comes in when its business is done; where nobody said when that was, the day it came in counts.
    """
    return dict.fromkeys(MADE, occurred_date or received_date)


def locked_day(lock_until: datetime, time_zone: str) -> date:
    """The last whole day of the organisation that a lock covers: of a lock to a day, that day."""
    return day_of(lock_until, time_zone) - timedelta(days=1)


def facts_now(
    connection: Connection, record_ids: Iterable[UUID], time_zone: str, *, without: UUID | None = None
) -> dict[UUID, Facts]:
    """What is true of each record now, but for holds: those are looked up when something shall happen to it.

    `without` names a reported event that is left out, as if it were undone.
    """
    ids = sorted(set(record_ids))
    reported = _reported(connection, ids, without)
    rows = connection.execute(
        select(
            records.c.id,
            records.c.class_code,
            records.c.received_at,
            records.c.occurred_date,
            record_states.c.status,
            record_states.c.lock_until,
        )
        .join(record_states, record_states.c.record_id == records.c.id)
        .where(records.c.id.in_(ids))
    )
    return {row.id: _facts(row, reported.get(row.id, {}), time_zone) for row in rows}


def _facts(row: Any, reported: Mapping[str, tuple[date | None, bool]], time_zone: str) -> Facts:
    received = day_of(row.received_at, time_zone)
    days = {name: day for name, (day, _) in reported.items() if day is not None}
    return Facts(
        class_code=row.class_code,
        received_date=received,
        events={**business_events(row.occurred_date, received), **days},
        locked_until=locked_day(row.lock_until, time_zone) if row.status == RecordStatus.FILED else None,
        never=frozenset(name for name, (_, never) in reported.items() if never),
    )


def _reported(
    connection: Connection, ids: list[UUID], without: UUID | None
) -> dict[UUID, dict[str, tuple[date | None, bool]]]:
    """Of each record and event that was not undone: the last day reported, and whether it will never happen."""
    query = (
        select(
            record_events.c.record_id,
            record_events.c.name,
            func.max(record_events.c.day).label("day"),
            func.bool_or(record_events.c.day.is_(None)).label("never"),
        )
        .where(record_events.c.record_id.in_(ids), record_events.c.undone_at.is_(None))
        .group_by(record_events.c.record_id, record_events.c.name)
    )
    if without is not None:
        query = query.where(record_events.c.id != without)
    found: dict[UUID, dict[str, tuple[date | None, bool]]] = {}
    for row in connection.execute(query):
        found.setdefault(row.record_id, {})[row.name] = (row.day, row.never)
    return found
