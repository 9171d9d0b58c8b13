"""What the law says of all records of a class, computed by the database: a `SimplePlan` as one query.

The same as `retention_rules.plans.settle`, which a test holds it against. Records that the plan cannot decide come
out as `is_hard`, for `decide`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Date,
    Integer,
    Subquery,
    and_,
    case,
    cast,
    false,
    func,
    literal,
    null,
    or_,
    select,
)

from retention_rules.clauses import MADE
from retention_rules.model import RECEIVED, FiscalYear, What
from retention_rules.plans import Rounding, SimplePlan, Term
from vault.catalogue.model import RecordStatus
from vault.catalogue.tables import record_states, records
from vault.retention.tables import record_events

Day = ColumnElement[Any]
_NO_DAY: Day = cast(null(), Date)
_LAST_DAY: Day = literal(date.max, Date)


@dataclass(frozen=True)
class Span:
    """Records in the order of their ids: all after one, to another and with it."""

    after: UUID | None
    last: UUID

    def within(self, column: ColumnElement[Any]) -> ColumnElement[bool]:
        """Whether an id is one of them."""
        upto = column <= self.last
        return upto if self.after is None else and_(column > self.after, upto)


@dataclass(frozen=True)
class _Facts:
    """One row a record: `rows` with `record_id`, `status`, `locked_until` and `is_hard`; the day of each event."""

    rows: Subquery
    days: Mapping[str, Day]


def due_query(
    plan: SimplePlan, span: Span, time_zone: str, fiscal_year: FiscalYear, on: date, schedule_number: int
) -> Subquery:
    """The due dates of a class's records in `span` as they should be on a day, before holds, one row each.

    The columns are those of `record_states` that are derived, with `status` and `locked_until` (the last day that the
    lock of a filed record covers).
    """
    facts = _facts(plan, span, time_zone)
    ends = [_end(term, facts.days, fiscal_year) for term in plan.terms]
    limits = [_latest([_end(term, facts.days, fiscal_year) for term in limit]) for limit in plan.limits]
    delete_by = func.least(*limits) if limits else _NO_DAY
    if plan.is_only_limited:
        ends.append(delete_by)
    until = _NO_DAY if plan.is_permanent else _latest(ends)
    dated = select(
        facts.rows.c.record_id,
        facts.rows.c.status,
        facts.rows.c.locked_until,
        facts.rows.c.is_hard,
        # GREATEST leaves out what is null: an open end must stay open, whatever was promised.
        case((until.isnot(None), func.greatest(until, facts.rows.c.locked_until))).label("retain_until"),
        delete_by.label("delete_by"),
    ).subquery()
    return select(
        dated,
        _what(plan, dated, on).label("what"),
        _next_date(plan, dated, on).label("next_date"),
        literal(schedule_number, Integer).label("schedule_number"),
    ).subquery()


def _what(plan: SimplePlan, dated: Subquery, on: date) -> ColumnElement[str]:
    today = literal(on, Date)
    is_due = func.coalesce(today > dated.c.retain_until, false())
    is_beyond = func.coalesce(today > dated.c.delete_by, false())
    return case(
        (and_(is_due, is_beyond), plan.when_overdue.value),
        (is_due, plan.when_due.value),
        (is_beyond, plan.when_beyond.value),
        else_=(What.PERMANENT if plan.is_permanent else What.KEEP).value,
    )


def _next_date(plan: SimplePlan, dated: Subquery, on: date) -> Day:
    """The day after each end that is still ahead, and the day on which other rules bind: the first of them."""
    ahead = [
        case((and_(column >= literal(on, Date), column < _LAST_DAY), column + literal(1, Integer)))
        for column in (dated.c.retain_until, dated.c.delete_by)
    ]
    return func.least(*ahead, literal(plan.ends_date, Date))


def _facts(plan: SimplePlan, span: Span, time_zone: str) -> _Facts:
    events = sorted({name for term in _terms(plan) for name in (term.event, *term.otherwise)} - {RECEIVED})
    reported = (
        select(
            record_events.c.record_id,
            func.bool_or(record_events.c.day.is_(None)).label("is_never"),
            func.bool_or(record_events.c.name.in_(sorted(plan.hard_events))).label("is_matter"),
            *(
                func.max(record_events.c.day).filter(record_events.c.name == name).label(f"event_{place}")
                for place, name in enumerate(events)
            ),
        )
        .where(record_events.c.undone_at.is_(None), span.within(record_events.c.record_id))
        .group_by(record_events.c.record_id)
        .subquery()
    )
    received = cast(func.timezone(time_zone, records.c.received_at), Date)
    locked = cast(func.timezone(time_zone, record_states.c.lock_until), Date) - literal(1, Integer)
    days: dict[str, Day] = {RECEIVED: received}
    for place, name in enumerate(events):
        told = reported.c[f"event_{place}"]
        # The day of the business tells these, for as long as nobody reported them themselves: see `dossier`.
        days[name] = func.coalesce(told, records.c.occurred_date, received) if name in MADE else told
    rows = (
        select(
            records.c.id.label("record_id"),
            record_states.c.status,
            case((record_states.c.status == RecordStatus.FILED.value, locked)).label("locked_until"),
            func.coalesce(or_(reported.c.is_never, reported.c.is_matter), false()).label("is_hard"),
            *(day.label(_column(name)) for name, day in days.items()),
        )
        .join(record_states, record_states.c.record_id == records.c.id)
        .outerjoin(reported, reported.c.record_id == records.c.id)
        .where(
            records.c.class_code == plan.class_code,
            span.within(records.c.id),
            span.within(record_states.c.record_id),
        )
        .subquery()
    )
    return _Facts(rows, {name: rows.c[_column(name)] for name in days})


def _column(event: str) -> str:
    return f"day_of_{event}"


def _terms(plan: SimplePlan) -> Iterable[Term]:
    yield from plan.terms
    for limit in plan.limits:
        yield from limit


def _end(term: Term, days: Mapping[str, Day], fiscal_year: FiscalYear) -> Day:
    """The last day of a term; a date that no calendar has any more becomes the last that there is."""
    day = days[term.event]
    if term.otherwise:
        day = func.coalesce(day, func.greatest(*(days[name] for name in term.otherwise)))
    if term.rounds_to is Rounding.YEAR:
        day = func.make_date(_year(day), 12, 31)
    elif term.rounds_to is Rounding.FISCAL:
        day = _fiscal_year_end(day, fiscal_year)
    if term.shift_days:
        day = day + literal(term.shift_days, Integer)
    if term.months:
        day = cast(day + func.make_interval(0, term.months), Date)
    if term.days:
        day = day + literal(term.days, Integer)
    day = func.least(day, _LAST_DAY) - literal(term.back_days, Integer)
    # LEAST leaves out what is null: a term whose event has not happened has no end.
    return day if term.otherwise else case((days[term.event].isnot(None), day))


def _fiscal_year_end(day: Day, fiscal_year: FiscalYear) -> Day:
    """31 of a shorter month, and 29 February, are its last day: a month after the last day of the month before."""

    def end_in(year: Day) -> Day:
        first = func.make_date(year, fiscal_year.end_month, 1)
        last_of_month = cast(first + func.make_interval(0, 1), Date) - literal(1, Integer)
        return func.least(first + literal(fiscal_year.end_day - 1, Integer), last_of_month)

    year = _year(day)
    this = end_in(year)
    return case((day <= this, this), else_=end_in(year + literal(1, Integer)))


def _year(day: Day) -> Day:
    return cast(func.date_part("year", day), Integer)


def _latest(days: list[Day]) -> Day:
    """The latest; none while one of them is."""
    if not days:
        return _NO_DAY
    return case((and_(*(day.isnot(None) for day in days)), func.greatest(*days)))
