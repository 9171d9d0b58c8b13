"""The holidays of a year as they were decreed, with the weekends that are worked instead 调休.

Periods that count in working days have no end that can be told until the years they reach into are entered.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import Connection, select

from vault.access.model import Viewer
from vault.access.rights import Right
from vault.foundation.context import Context
from vault.foundation.errors import N_, InvalidInput
from vault.foundation.ids import new_id
from vault.retention.due_dates import note_law_change
from vault.retention.model import Event
from vault.retention.tables import calendar_years
from vault.retention.witnessing import law_row

_SATURDAY = 6


@dataclass(frozen=True)
class EnteredYear:
    """A year as it was entered; of several entries of a year the last counts."""

    id: UUID
    year: int
    holidays: tuple[date, ...]
    workdays: tuple[date, ...]
    source: str
    entered_by: UUID | None
    entered_at: datetime


def enter_year(
    ctx: Context, viewer: Viewer, year: int, holidays: Iterable[date], workdays: Iterable[date], source: str
) -> EnteredYear:
    """Enters the holidays of a year, anew if they were wrong. Leaves `retention:calendar:enter`.

    Raises:
        NotAllowed: the viewer lacks `retention:calendar:enter`.
        InvalidInput: a day is of another year, is both, or is worked anyway; or no source is named.
    """
    viewer.require(Right.RETENTION_CALENDAR_ENTER)
    off, worked, source = sorted(set(holidays)), sorted(set(workdays)), " ".join(source.split())
    if not 1900 <= year <= 9999 or any(day.year != year for day in (*off, *worked)):
        raise InvalidInput(field="year", problem=N_("every day must be of the year"))
    if set(off) & set(worked):
        raise InvalidInput(field="workdays", problem=N_("a day cannot be a holiday and worked"))
    if any(day.isoweekday() < _SATURDAY for day in worked):
        raise InvalidInput(
            field="workdays", problem=N_("only days of a weekend are named, the others are worked anyway")
        )
    if not 4 <= len(source) <= 200:
        raise InvalidInput(field="source", problem=N_("name the decree in 4 to 200 characters"))
    year_id = new_id()
    row = {
        "id": year_id,
        "year": year,
        "holidays": off,
        "workdays": worked,
        "source": source,
        "entered_by": viewer.id,
        "entered_at": ctx.clock.now(),
    }
    with ctx.database.transaction(viewer.actor) as tx:
        tx.connection.execute(calendar_years.insert(), row)
        note_law_change(tx, "calendar")
        tx.witness(
            Event.CALENDAR_ENTERED,
            "calendar",
            year_id,
            year=year,
            holidays=len(off),
            workdays=len(worked),
            row=law_row(tx, calendar_years, year_id),
        )
        tx.commit()
        found = tx.connection.execute(select(calendar_years).where(calendar_years.c.id == year_id)).one()
    return EnteredYear(**found._mapping)


def list_years(connection: Connection) -> tuple[EnteredYear, ...]:
    """Every entry, the latest year first and of each year the last entry first."""
    query = select(calendar_years).order_by(calendar_years.c.year.desc(), calendar_years.c.id.desc())
    return tuple(EnteredYear(**row._mapping) for row in connection.execute(query))
