"""Why a decision is what it is: structured reasons, from which `words` makes sentences in Chinese and English.

Reasons are made only when somebody asks for them. They follow the same clauses as the decision, step by step.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from retention_rules.clauses import (
    EU_MEMBERS,
    FISCAL_YEAR_END,
    MADE,
    RECORD_YEAR,
    YEAR_ENDS,
    Clause,
    Origin,
    Span,
    Unknown,
    end_of,
    event_day,
    is_open_matter,
    period_of,
    trigger_day,
)
from retention_rules.law import Law
from retention_rules.model import Bound, Calendar, Extension, Facts, Hold
from retention_rules.periods import FROM_A_FIRST_DAY, add, add_months, count_from
from retention_rules.triggers import Combined, Trigger, events_in


class Kind(StrEnum):
    """What a reason says; one sentence each in `words`."""

    HOLD = "hold"
    MINIMUM = "minimum"
    MINIMUM_OPEN = "minimum_open"
    MINIMUM_NEVER = "minimum_never"
    MINIMUM_MATTER = "minimum_matter"
    MINIMUM_HOLIDAYS = "minimum_holidays"
    PERMANENT = "permanent"
    MAXIMUM = "maximum"
    MAXIMUM_OPEN = "maximum_open"
    ADVICE = "advice"
    NOT_YET_IN_FORCE = "not_yet_in_force"
    OWN = "own"
    OWN_OPEN = "own_open"
    FLOOR = "floor"
    LOCKED = "locked"
    EXTENDED = "extended"
    UNCONFIRMED = "unconfirmed"
    RESTRICTED = "restricted"
    OVERDUE = "overdue"
    CONFLICT_HOUSE = "conflict_house"
    CONFLICT_ABROAD = "conflict_abroad"
    CONFLICT_DISPOSITION = "conflict_disposition"
    NO_CLASS = "no_class"


class StepKind(StrEnum):
    """One step of calendar arithmetic; one sentence each in `words`."""

    EVENT = "event"  # an event happened on the day
    NEVER = "never"  # an event is known never to happen
    YEAR_OF = "year_of"  # the year in which it was made ends on the day
    COMBINED = "combined"  # several triggers give the day
    COUNT_FROM = "count_from"  # the calendar starts on the day
    ADD = "add"  # the period runs to the day
    MONTH_END = "month_end"  # the month is too short, so its last day is taken
    WORKING_DAYS = "working_days"
    LAST_DAY = "last_day"  # the first day counted too, so the last is one earlier
    MATTER = "matter"  # a matter was closed and adds time
    MATTER_OPEN = "matter_open"  # a matter was opened on the day and is not settled


@dataclass(frozen=True)
class Step:
    """One step: what was done (`told` fills its sentence) and the day that came out; none of what never happens."""

    kind: StepKind
    day: date | None
    told: Mapping[str, str]


@dataclass(frozen=True)
class Reason:
    """One reason. `told` fills the sentence of its `kind`.

    `rule` is the rule's code, or C6.1 (the measures' five years), OWN (the organisation's period), LOCK, APPRAISAL or
    HOLD; of an unknown class, its code. `version` is the rule pack. `retain_until` is the last day to which it keeps
    the record, none while that cannot be told; `delete_by` the last day on which it may be kept.
    """

    kind: Kind
    rule: str
    citation: str
    told: Mapping[str, str]
    version: str = ""
    is_binding: bool = False
    is_verified: bool = True
    confirmed_source: str = ""
    retain_until: date | None = None
    delete_by: date | None = None
    steps: tuple[Step, ...] = ()


def clause_reason(clause: Clause, facts: Facts, law: Law, on: date) -> Reason:
    """What one clause says of a record on a day."""
    kind, until, delete_by, binds = _meaning(clause, facts, law, on)
    told = {"period": str(period_of(clause, facts)), "trigger": str(clause.trigger)}
    end = until or delete_by
    if end is not None:
        told["until_date"] = end.isoformat()
    if kind is Kind.NOT_YET_IN_FORCE:
        told = {"effective_date": str(clause.effective_date)}
    if kind is Kind.MINIMUM_MATTER:
        told["matter"] = next(e.opened for e in clause.extensions if is_open_matter(e, facts))
    has_steps = clause.bound is not Bound.PERMANENT and kind not in {Kind.NOT_YET_IN_FORCE, Kind.ADVICE}
    return Reason(
        kind=kind,
        rule=clause.code,
        citation=clause.citation,
        told=told,
        version=clause.version,
        is_binding=binds,
        is_verified=clause.is_verified,
        confirmed_source=clause.confirmation.source if clause.confirmation else "",
        retain_until=until,
        delete_by=delete_by,
        steps=tuple(_steps(clause, facts, law, end)) if has_steps else (),
    )


def hold_reason(hold: Hold) -> Reason:
    """A hold that is in force."""
    told = {"matter": hold.matter}
    if hold.placed_date is not None:
        told["placed_date"] = hold.placed_date.isoformat()
    return Reason(Kind.HOLD, "HOLD", hold.matter, told, is_binding=True)


def promise_reasons(facts: Facts) -> Iterator[Reason]:
    """What was promised to the record itself: its lock, and what an appraisal decided."""
    for kind, rule, until in (
        (Kind.LOCKED, "LOCK", facts.locked_until),
        (Kind.EXTENDED, "APPRAISAL", facts.extended_until),
    ):
        if until is not None:
            yield Reason(kind, rule, "", {"until_date": until.isoformat()}, is_binding=True, retain_until=until)


def unconfirmed_reason(clause: Clause) -> Reason:
    """A rule that would allow a destruction though nobody has seen its source."""
    told = {"rule": clause.code}
    return Reason(Kind.UNCONFIRMED, clause.code, clause.citation, told, clause.version, is_verified=False)


def conflict_reason(kind: Kind, facts: Facts, law: Law, span: Span, delete_by: date | None) -> Reason:
    """What a person must settle, or what follows from a maximum that has passed: it names the rule that set it."""
    told = {"class": facts.class_code}
    if delete_by is None:
        return Reason(kind, facts.class_code, "", told)
    told["delete_by"] = delete_by.isoformat()
    passed = min(
        (clause for clause in span.maxima if end_of(clause, facts, law.organisation) == delete_by),
        key=lambda clause: clause.code,
    )
    ground = _GROUNDS.get(passed.jurisdiction)
    citation = ground if kind is Kind.RESTRICTED and ground is not None else passed.citation
    return Reason(kind, passed.code, citation, told, passed.version, delete_by=delete_by)


def weight(reason: Reason) -> tuple[int, int, bool, str, str]:
    """Holds, then what a person must settle, then permanent, open, the longest; what does not bind comes last."""
    if reason.kind is Kind.HOLD:
        place, length = 0, 0
    elif reason.kind in _TO_SETTLE:
        place, length = 1, 0
    elif not reason.is_binding:
        place, length = 5, 0
    elif reason.kind is Kind.PERMANENT:
        place, length = 2, 0
    elif reason.retain_until is None:
        place, length = 3, 0
    else:
        place, length = 4, -reason.retain_until.toordinal()
    return (place, length, reason.kind is Kind.LOCKED, reason.rule, reason.kind)


def clauses_of(span: Span) -> Iterator[Clause]:
    """Every clause that has something to say, those still to come included."""
    yield from (*span.keeping, *span.maxima, *span.advice, *span.coming)


def in_order(reasons: Iterable[Reason]) -> tuple[Reason, ...]:
    """Each reason once, the one that decides first."""
    return tuple(sorted({_identity(reason): reason for reason in reasons}.values(), key=weight))


def _identity(reason: Reason) -> tuple[str, str, str, str]:
    return (reason.kind, reason.rule, reason.version, str(sorted(reason.told.items())))


_TO_SETTLE = frozenset(
    {Kind.MINIMUM_NEVER, Kind.UNCONFIRMED, Kind.RESTRICTED, Kind.OVERDUE, Kind.NO_CLASS}
    | {Kind.CONFLICT_HOUSE, Kind.CONFLICT_ABROAD, Kind.CONFLICT_DISPOSITION}
)
# Why a record that a law wants gone is kept all the same, and no longer used.
_EU_GROUND = "GDPR art.17(3)(b), art.18"
_GROUNDS = {
    **dict.fromkeys(EU_MEMBERS, _EU_GROUND),
    "CN": "个人信息保护法 art.47",
    "EU": _EU_GROUND,
    "UK": "UK GDPR art.17(3)(b), art.18",
}
_OPEN = {
    Unknown.EVENT: Kind.MINIMUM_OPEN,
    Unknown.NEVER: Kind.MINIMUM_NEVER,
    Unknown.MATTER: Kind.MINIMUM_MATTER,
    Unknown.HOLIDAYS: Kind.MINIMUM_HOLIDAYS,
}
_KEPT = {Origin.LAW: Kind.MINIMUM, Origin.OWN: Kind.OWN, Origin.FLOOR: Kind.FLOOR}


def _meaning(clause: Clause, facts: Facts, law: Law, on: date) -> tuple[Kind, date | None, date | None, bool]:
    if not clause.is_in_force(on):
        return Kind.NOT_YET_IN_FORCE, None, None, False
    if clause.bound is Bound.ADVISORY:
        return Kind.ADVICE, None, None, False
    if clause.bound is Bound.PERMANENT:
        return Kind.PERMANENT, None, None, True
    end = end_of(clause, facts, law.organisation)
    if clause.bound is Bound.MAX:
        return (
            (Kind.MAXIMUM_OPEN, None, None, False) if isinstance(end, Unknown) else (Kind.MAXIMUM, None, end, False)
        )
    if isinstance(end, Unknown):
        is_own = clause.origin is Origin.OWN and end is Unknown.EVENT
        return (Kind.OWN_OPEN if is_own else _OPEN[end]), None, None, True
    return _KEPT[clause.origin], end, None, True


def _steps(clause: Clause, facts: Facts, law: Law, end: date | None) -> Iterator[Step]:
    """The arithmetic of a clause, from its events as far as it goes."""
    yield from _trigger_steps(clause.trigger, facts, law)
    day = trigger_day(clause.trigger, facts, law.organisation)
    if isinstance(day, Unknown):
        return
    period = period_of(clause, facts)
    if clause.calendar is Calendar.WORKING_DAYS:
        if end is not None:
            yield Step(StepKind.WORKING_DAYS, end, {"period": str(period)})
        return
    start = count_from(clause.calendar, day, law.organisation.fiscal_year)
    if clause.calendar is not Calendar.EXACT_DATE:
        yield Step(StepKind.COUNT_FROM, start, {"calendar": clause.calendar.value})
    reached = add(start, period)
    yield Step(StepKind.ADD, reached, {"period": str(period), "from_date": start.isoformat()})
    if add_months(start, period.months).day != start.day:
        yield Step(StepKind.MONTH_END, add_months(start, period.months), {"from_day": str(start.day)})
    if clause.calendar in FROM_A_FIRST_DAY and reached > start:
        last = date.fromordinal(reached.toordinal() - 1)
        yield Step(StepKind.LAST_DAY, last, {"start_date": start.isoformat()})
    for extension in clause.extensions:
        yield from _matter_steps(extension, facts)


def _matter_steps(extension: Extension, facts: Facts) -> Iterator[Step]:
    if extension.opened not in facts.events:
        return
    if is_open_matter(extension, facts):
        yield Step(StepKind.MATTER_OPEN, facts.events[extension.opened], {"matter": extension.opened})
        return
    closed = facts.events[extension.closed]
    told = {"matter": extension.closed, "closed_date": closed.isoformat(), "period": str(extension.adds)}
    yield Step(StepKind.MATTER, add(closed, extension.adds), told)


def _trigger_steps(trigger: Trigger, facts: Facts, law: Law) -> Iterator[Step]:
    for name in events_in(trigger):
        day = event_day(name, facts, law.organisation)
        if isinstance(day, Unknown):
            if day is Unknown.NEVER:
                yield Step(StepKind.NEVER, None, {"event": name})
            continue
        made = _made_by(name, facts)
        if made is not None:
            yield _event_step(made, facts.events[made], facts)
        elif name in facts.events and facts.events[name] != day:
            yield _event_step(name, facts.events[name], facts)
        if name in YEAR_ENDS:
            yield Step(StepKind.YEAR_OF, day, {"year": "fiscal" if name == FISCAL_YEAR_END else "calendar"})
        else:
            yield _event_step(name, day, facts)
    if isinstance(trigger, Combined):
        day = trigger_day(trigger, facts, law.organisation)
        if not isinstance(day, Unknown):
            yield Step(StepKind.COMBINED, day, {"how": trigger.how.value, "trigger": str(trigger)})


def _made_by(name: str, facts: Facts) -> str | None:
    """The event from which the year's end follows, where it was not reported itself."""
    if name not in {FISCAL_YEAR_END, RECORD_YEAR} or name in facts.events:
        return None
    made = [event for event in MADE if event in facts.events]
    return max(made, key=lambda event: facts.events[event], default=None)


def _event_step(name: str, day: date, facts: Facts) -> Step:
    told = {"event": name}
    if name in facts.evidence:
        told["evidence"] = facts.evidence[name]
    return Step(StepKind.EVENT, day, told)
