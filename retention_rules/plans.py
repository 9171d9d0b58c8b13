"""The part of the law that a database can apply by itself: a class as a few columns of numbers.

`plan_of` turns what binds a class on a day into a `SimplePlan`, or says why that cannot be done. A sweep then computes
in SQL, for every record of the class:

    last day of a term = round(day of its event) + shift_days + months + days - back_days
    retain_until       = the latest of all terms, `locked_until` and `extended_until`; none while a term has no day
    delete_by          = the earliest of the limits that have a day; each limit is the latest of its terms

Adding months to a date in PostgreSQL takes the last day of a shorter month, as this law does. Records that `is_hard`
names go through `decide`. `settle` is the same in Python: what SQL must agree with.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from retention_rules.clauses import FISCAL_YEAR_END, MADE, RECORD_YEAR, YEAR_ENDS, Clause, Origin, yields_to
from retention_rules.law import Law
from retention_rules.model import RECEIVED, Bound, Calendar, Disposition, Facts, Organisation, What
from retention_rules.periods import FROM_A_FIRST_DAY, add_days, add_months, fiscal_year_end, year_end
from retention_rules.triggers import Combined, Happens, How, Trigger


class Rounding(StrEnum):
    """To which day an event's day is taken before the period is added."""

    DAY = "day"
    YEAR = "calendar_year_end"
    FISCAL = "fiscal_year_end"


class NotSimple(StrEnum):
    """Why a class cannot be computed by columns alone."""

    NO_CLASS = "no_class"
    WORKING_DAYS = "working_days"
    EARLIER_OF = "earlier_of"
    TWO_YEARS = "two_years"  # the event rounds to one kind of year, the calendar to another
    MAXIMUM_MEETS_WISH = "maximum_meets_wish"  # the organisation's own period may outlast a legal maximum
    MAXIMUM_ABROAD = "maximum_abroad"  # a maximum and a minimum of different legal orders


@dataclass(frozen=True)
class Term:
    """One period of one event. Where the event itself was not reported, the latest of `otherwise` serves."""

    rule: str
    event: str
    otherwise: tuple[str, ...]
    rounds_to: Rounding
    shift_days: int
    months: int
    days: int
    back_days: int


@dataclass(frozen=True)
class SimplePlan:
    """A class as columns, for the days until `ends_date` (exclusive; none: for good).

    `when_due` is what a record is whose `retain_until` has passed, `when_overdue` likewise when `delete_by` has passed
    too, `when_beyond` when only `delete_by` has. `is_only_limited`: there is no minimum of law, and `retain_until` is at
    least `delete_by`. Records with one of `hard_events` go through `decide`.
    """

    class_code: str
    terms: tuple[Term, ...]
    limits: tuple[tuple[Term, ...], ...]
    is_permanent: bool
    is_only_limited: bool
    when_due: What
    when_overdue: What
    when_beyond: What
    hard_events: frozenset[str]
    ends_date: date | None


@dataclass(frozen=True)
class Settled:
    """What a plan says of a record: the same as `decide`, without reasons."""

    what: What
    retain_until: date | None
    delete_by: date | None


class _Hard(Exception):
    def __init__(self, why: NotSimple) -> None:
        self.why = why


def plan_of(class_code: str, law: Law, on: date) -> SimplePlan | NotSimple:
    """What binds a class on a day as columns; why it cannot be."""
    rules = law.classes.get(class_code)
    if rules is None:
        return NotSimple.NO_CLASS
    span = rules.on(on)
    disposition = rules.definition.disposition
    try:
        terms = tuple(term for clause in span.keeping for term in _terms(clause))
        limits = tuple(tuple(_terms(clause)) for clause in span.maxima)
    except _Hard as hard:
        return hard.why
    if span.maxima and any(clause.origin is not Origin.LAW for clause in span.keeping):
        return NotSimple.MAXIMUM_MEETS_WISH
    if not all(yields_to(maximum, minimum) for maximum in span.maxima for minimum in span.minima):
        return NotSimple.MAXIMUM_ABROAD
    due = What.ESCALATE if span.untrusted else What(disposition.value)
    wish = disposition in {Disposition.TRANSFER, Disposition.PERMANENT}
    return SimplePlan(
        class_code=class_code,
        terms=terms,
        limits=limits,
        is_permanent=any(clause.bound is Bound.PERMANENT for clause in span.keeping),
        is_only_limited=span.is_only_limited,
        when_due=due,
        when_overdue=What.ESCALATE if wish else due,
        when_beyond=What.RESTRICTED,
        hard_events=frozenset(_hard_events(span.keeping)),
        ends_date=span.ends_date,
    )


def is_hard(plan: SimplePlan, facts: Facts) -> bool:
    """Whether a record of a simple class needs `decide` all the same."""
    wished_beyond = bool(plan.limits) and facts.extended_until is not None
    return bool(facts.never) or wished_beyond or any(event in facts.events for event in plan.hard_events)


def settle(plan: SimplePlan, facts: Facts, organisation: Organisation, on: date) -> Settled:
    """What a plan says of a record that is not hard, on a day for which it was made."""
    ends = [_end(term, facts, organisation) for term in plan.terms]
    limits = [_latest([_end(term, facts, organisation) for term in limit]) for limit in plan.limits]
    delete_by = min((limit for limit in limits if limit is not None), default=None)
    if plan.is_only_limited:
        ends.append(delete_by)
    retain_until = None if plan.is_permanent else _latest(ends)
    if retain_until is not None:
        promised = [day for day in (facts.locked_until, facts.extended_until) if day is not None]
        retain_until = max([retain_until, *promised])
    is_beyond = delete_by is not None and on > delete_by
    if facts.holds:
        what = What.HELD
    elif retain_until is not None and on > retain_until:
        what = plan.when_overdue if is_beyond else plan.when_due
    elif is_beyond:
        what = plan.when_beyond
    else:
        what = What.PERMANENT if plan.is_permanent else What.KEEP
    return Settled(what, retain_until, delete_by)


def _latest(days: list[date | None]) -> date | None:
    """The latest; none while one of them is."""
    known = [day for day in days if day is not None]
    return max(known) if known and len(known) == len(days) else None


def _end(term: Term, facts: Facts, organisation: Organisation) -> date | None:
    events: Mapping[str, date] = {**facts.events, RECEIVED: facts.received_date}
    day = events.get(term.event)
    if day is None:
        day = max((events[event] for event in term.otherwise if event in events), default=None)
    if day is None:
        return None
    if term.rounds_to is Rounding.YEAR:
        day = year_end(day)
    elif term.rounds_to is Rounding.FISCAL:
        day = fiscal_year_end(day, organisation.fiscal_year)
    end = add_days(add_months(add_days(day, term.shift_days), term.months), term.days)
    return date.fromordinal(end.toordinal() - term.back_days)


def _terms(clause: Clause) -> Iterator[Term]:
    if clause.bound is Bound.PERMANENT:
        return
    if clause.calendar is Calendar.WORKING_DAYS:
        raise _Hard(NotSimple.WORKING_DAYS)
    for event in _all_of(clause.trigger):
        is_year = event in YEAR_ENDS
        of_event = {FISCAL_YEAR_END: Rounding.FISCAL, RECORD_YEAR: Rounding.YEAR}.get(event, Rounding.DAY)
        of_calendar = _ROUNDS[clause.calendar]
        if Rounding.DAY not in {of_event, of_calendar} and of_event is not of_calendar:
            raise _Hard(NotSimple.TWO_YEARS)
        counts_first = int(clause.calendar in FROM_A_FIRST_DAY)
        yield Term(
            rule=clause.code,
            event=event,
            otherwise=MADE if is_year else (),
            rounds_to=of_calendar if of_event is Rounding.DAY else of_event,
            shift_days=counts_first,
            months=clause.period.months,
            days=clause.period.days,
            back_days=counts_first if clause.period.months or clause.period.days else 0,
        )


_ROUNDS = {
    Calendar.EXACT_DATE: Rounding.DAY,
    Calendar.FISCAL_YEAR_END: Rounding.FISCAL,
    Calendar.NEXT_JANUARY: Rounding.YEAR,
    Calendar.YEAR_END: Rounding.YEAR,
}


def _all_of(trigger: Trigger) -> Iterator[str]:
    """The events that must all have happened: the end of the last is the last end, for every calendar."""
    if isinstance(trigger, Happens):
        yield trigger.name
        return
    if isinstance(trigger, Combined) and trigger.how is How.EARLIER_OF:
        raise _Hard(NotSimple.EARLIER_OF)
    for part in trigger.parts:
        yield from _all_of(part)


def _hard_events(clauses: tuple[Clause, ...]) -> Iterator[str]:
    for clause in clauses:
        yield from (extension.opened for extension in clause.extensions)
        if clause.longer_on is not None:
            yield clause.longer_on
