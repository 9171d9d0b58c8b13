"""What the law says of all records of many classes, computed by the database: their `SimplePlan`s as one query.

The same as `retention_rules.plans.settle`, which a test holds it against. Records that a plan cannot decide, or whose
class has none, come out as `is_hard`, for `decide`. `comparison_query` asks two laws about the same records at once.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    CTE,
    ColumnElement,
    Date,
    Integer,
    Select,
    Subquery,
    Text,
    Uuid,
    and_,
    bindparam,
    case,
    cast,
    false,
    func,
    literal,
    null,
    or_,
    select,
    true,
    union_all,
)

from retention_rules.clauses import MADE
from retention_rules.locks import ahead_of
from retention_rules.model import RECEIVED, FiscalYear, LockPolicy, What
from retention_rules.plans import Rounding, SimplePlan, Term
from vault.catalogue.model import RecordStatus
from vault.catalogue.tables import record_states, records
from vault.holds.tables import held_records
from vault.retention.tables import record_events

Day = ColumnElement[Any]
_NO_DAY: Day = cast(null(), Date)
_NOTHING: ColumnElement[Any] = cast(null(), Text)
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


class AnySpan:
    """A span that is told when the statement runs, as the parameters of `told`."""

    @staticmethod
    def told(span: Span) -> dict[str, UUID]:
        """The parameters for a span."""
        return {"span_after": span.after or UUID(int=0), "span_last": span.last}

    def within(self, column: ColumnElement[UUID]) -> ColumnElement[bool]:
        """Whether an id is one of the span's."""
        return and_(column > bindparam("span_after", type_=Uuid), column <= bindparam("span_last", type_=Uuid))


def due_query(
    plans: Mapping[str, SimplePlan],
    span: Span,
    time_zone: str,
    fiscal_year: FiscalYear,
    on: date,
    schedule_number: int,
) -> Subquery:
    """The due dates of the records in `span` as they should be on a day, before holds, one row each.

    `plans` are those of the classes that have one. The columns are those of `record_states` that are derived, with
    `status` and `locked_until` (the last day that the lock of a filed record covers).
    """

    def answer(rows: Subquery, code: str | None) -> Select[Any]:
        """What the plan of a class says of its records."""
        plan = plans.get(code) if code else None
        until, delete_by = _ends(plan, rows, fiscal_year) if plan else (_NO_DAY, _NO_DAY)
        told = (rows.c[name] for name in ("record_id", "class_code", "status", "locked_until", "is_hard"))
        bound = _fenced(select(*told, until.label("until"), delete_by.label("delete_by")))
        # GREATEST leaves out what is null: an open end must stay open, whatever was promised.
        promised = func.greatest(bound.c.until, bound.c.locked_until)
        dated = _fenced(select(bound, case((bound.c.until.isnot(None), promised)).label("retain_until")))
        return select(
            dated,
            (_what(plan, dated.c.retain_until, dated.c.delete_by, on) if plan else _NOTHING).label("what"),
            (_next_date(plan, dated, on) if plan else _NO_DAY).label("next_date"),
            literal(schedule_number, Integer).label("schedule_number"),
        )

    return _each_class(_facts([plans], span, time_zone), plans, answer)


@dataclass(frozen=True)
class Asked:
    """One of the laws that are compared: the plans and lock policies of the classes that have a plan, and its year."""

    plans: Mapping[str, SimplePlan]
    locks: Mapping[str, LockPolicy]
    fiscal_year: FiscalYear


def comparison_query(
    before: Asked, after: Asked, codes: Collection[str], span: Span | AnySpan, time_zone: str, on: date
) -> Subquery:
    """What two laws say on a day of the records in `span` that have one of some classes, one row each.

    The columns are those of `simulation_effects`, but for the simulation, and `is_hard`: one of the laws must be asked
    by `decide`. Both answers are before holds; `is_held` stands beside them.
    """
    laws = (("before", before), ("after", after))

    def answer(rows: Subquery, code: str | None) -> Select[Any]:
        """What both plans of a class say of its records."""
        plans = {name: law.plans.get(code) if code else None for name, law in laws}
        periods: list[ColumnElement[Any]] = []
        for name, law in laws:
            plan = plans[name]
            period, delete_by = _ends(plan, rows, law.fiscal_year) if plan else (_NO_DAY, _NO_DAY)
            certain = _certain(plan, rows, law.fiscal_year) if plan else _NO_DAY
            periods += [
                period.label(f"period_{name}"),
                delete_by.label(f"delete_by_{name}"),
                certain.label(f"certain_{name}"),
            ]
        told = (rows.c[name] for name in ("record_id", "unit_id", "class_code", "locked_until", "is_hard"))
        bound = _fenced(select(*told, *periods))
        kept = [
            case((period.isnot(None), func.greatest(period, bound.c.locked_until))).label(f"until_{name}")
            for name, period in (("before", bound.c.period_before), ("after", bound.c.period_after))
        ]
        dated = _fenced(select(bound, *kept))
        answers: list[ColumnElement[Any]] = []
        for name, law in laws:
            plan = plans[name]
            until, delete_by = dated.c[f"until_{name}"], dated.c[f"delete_by_{name}"]
            at_least = _at_least(plan, dated, name) if plan else _NO_DAY
            lock = _lock(plan, law.locks[plan.class_code], dated, name, on) if plan else _NO_DAY
            answers += [
                cast(case((until.is_(None), at_least)), Date).label(f"at_least_{name}"),
                (_what(plan, until, delete_by, on) if plan else _NOTHING).label(f"what_{name}"),
                cast(case((dated.c.locked_until.isnot(None), lock)), Date).label(f"lock_{name}"),
            ]
        return select(dated, *answers)

    known = {*before.plans, *after.plans}
    found = _each_class(_facts([before.plans, after.plans], span, time_zone, codes), known, answer)
    held = (
        select(held_records.c.record_id)
        .where(held_records.c.released_at.is_(None), span.within(held_records.c.record_id))
        .distinct()
        .subquery()
    )
    return (
        select(found, held.c.record_id.isnot(None).label("is_held"))
        .outerjoin(held, held.c.record_id == found.c.record_id)
        .subquery()
    )


def _each_class(rows: CTE, codes: Collection[str], answer: Callable[[Subquery, str | None], Select[Any]]) -> Subquery:
    """A branch for each class that has a plan, and one for the others (None): no row asks which of the plans is its own."""
    ordered = sorted(codes)
    branches = [answer(_fenced(select(rows).where(rows.c.class_code == code)), code) for code in ordered]
    branches.append(answer(_fenced(select(rows).where(rows.c.class_code.notin_(ordered))), None))
    return union_all(*branches).subquery()


def _fenced(query: Select[Any]) -> Subquery:
    """Computed once a row: pulled up, each date would be computed again wherever it is named."""
    return query.offset(0).subquery()


def _ends(plan: SimplePlan, rows: Subquery, fiscal_year: FiscalYear) -> tuple[Day, Day]:
    """Until when a record of the class is kept by what binds it, and by when it must be gone."""
    ends = [_end(term, rows, fiscal_year) for term in plan.terms]
    limits = [_latest([_end(term, rows, fiscal_year) for term in limit]) for limit in plan.limits]
    delete_by = func.least(*limits) if limits else _NO_DAY
    if plan.is_only_limited:
        ends.append(delete_by)
    return (_NO_DAY if plan.is_permanent else _latest(ends)), delete_by


def _certain(plan: SimplePlan, rows: Subquery, fiscal_year: FiscalYear) -> Day:
    """The latest end that is known, though others are not; asked only where the end itself is not told."""
    if len(plan.terms) < 2 and not plan.is_permanent:
        return _NO_DAY
    ends = [_end(term, rows, fiscal_year) for term in plan.terms]
    return func.greatest(*ends) if ends else _NO_DAY


def _at_least(plan: SimplePlan, dated: Subquery, name: str) -> Day:
    """Until when a record is kept in any case while its end cannot be told.

    A class that is only limited has no other terms in a plan (`NotSimple.MAXIMUM_MEETS_WISH`): its end is the limit, and
    while that cannot be told the limit adds nothing.
    """
    return _NO_DAY if plan.is_permanent else func.greatest(dated.c[f"certain_{name}"], dated.c.locked_until)


def _lock(plan: SimplePlan, policy: LockPolicy, dated: Subquery, name: str, on: date) -> Day:
    """Until when a filed record of the class should be locked today: `locks.filed_lock` as an expression."""
    until, delete_by, period = (dated.c[f"{column}_{name}"] for column in ("until", "delete_by", "period"))
    today = literal(on, Date)
    rolled, longest = (literal(day, Date) for day in ahead_of(on, policy))
    certain = func.greatest(dated.c[f"certain_{name}"], dated.c.locked_until)
    # GREATEST and LEAST leave out what is null.
    open_end = rolled if policy.is_rolling else func.greatest(certain, rolled)
    running = func.least(rolled, until) if policy.is_rolling else until
    wanted: Day = open_end
    if not plan.is_permanent:
        wanted = case((until.is_(None), open_end), (today <= until, running))
    if plan.limits and not plan.is_permanent:
        # A maximum yields to the minima: while one of them has no end, nothing limits the lock.
        limit = delete_by if plan.is_only_limited else case((period.isnot(None), func.greatest(delete_by, period)))
        limit = case((delete_by.isnot(None), limit))
        wanted = case((wanted.isnot(None), func.least(wanted, limit)))
    wanted = func.greatest(case((wanted.isnot(None), func.least(wanted, longest))), dated.c.locked_until)
    return case((wanted >= today, wanted))


def _what(plan: SimplePlan, until: Day, delete_by: Day, on: date) -> ColumnElement[str]:
    today = literal(on, Date)
    is_due = func.coalesce(today > until, false())
    is_beyond = func.coalesce(today > delete_by, false())
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


def _facts(
    laws: Sequence[Mapping[str, SimplePlan]],
    span: Span | AnySpan,
    time_zone: str,
    codes: Collection[str] | None = None,
) -> CTE:
    """What the plans of all the laws ask for, one row a record: of all, or of those of some classes."""
    plans = [plan for law in laws for plan in law.values()]
    named = {name for plan in plans for term in _terms(plan) for name in (term.event, *term.otherwise)}
    events = sorted(named - {RECEIVED})
    reported = (
        select(
            record_events.c.record_id,
            func.bool_or(record_events.c.day.is_(None)).label("is_never"),
            func.array_agg(record_events.c.name).label("names"),
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
    hard = {
        code: {event for law in laws if code in law for event in law[code].hard_events}
        for code in {plan.class_code for plan in plans}
    }
    matters = {
        code: reported.c.names.op("&&")(cast(sorted(events), ARRAY(Text))) for code, events in hard.items() if events
    }
    is_matter = case(matters, value=records.c.class_code) if matters else false()
    joined = (
        select(
            records.c.id.label("record_id"),
            records.c.class_code,
            records.c.unit_id,
            record_states.c.status,
            case((record_states.c.status == RecordStatus.FILED.value, locked)).label("locked_until"),
            or_(
                records.c.class_code.notin_(sorted(set.intersection(*(set(law) for law in laws)))),
                func.coalesce(reported.c.is_never, false()),
                func.coalesce(is_matter, false()),
            ).label("is_hard"),
            *(day.label(_column(name)) for name, day in days.items()),
        )
        .join(record_states, record_states.c.record_id == records.c.id)
        .outerjoin(reported, reported.c.record_id == records.c.id)
        .where(
            span.within(records.c.id),
            span.within(record_states.c.record_id),
            true() if codes is None else records.c.class_code.in_(sorted(codes)),
        )
    )
    return joined.cte("facts")  # named by many, hence computed once


def _column(event: str) -> str:
    return f"day_of_{event}"


def _terms(plan: SimplePlan) -> Iterable[Term]:
    yield from plan.terms
    for limit in plan.limits:
        yield from limit


def _end(term: Term, rows: Subquery, fiscal_year: FiscalYear) -> Day:
    """The last day of a term; a date that no calendar has any more becomes the last that there is."""
    happened: Day = rows.c[_column(term.event)]
    day = happened
    if term.otherwise:
        day = func.coalesce(day, func.greatest(*(rows.c[_column(name)] for name in term.otherwise)))
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
    return day if term.otherwise else case((happened.isnot(None), day))


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
