"""The law that binds a class, made ready to be applied: clauses, and the day on which each ends for a record.

A `Law` is made once from a schedule's classes, the rules they name and what administrators confirmed; applying it
costs the same however many rules the packs hold.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum
from types import MappingProxyType

from retention_rules.errors import InvalidData
from retention_rules.model import (
    RECEIVED,
    Bound,
    Calendar,
    ClassDefinition,
    Confirmation,
    Extension,
    Facts,
    Organisation,
    Period,
    Rule,
)
from retention_rules.packs import rule_digest
from retention_rules.periods import add, add_days, add_months, fiscal_year_end, last_day, year_end
from retention_rules.triggers import Happens, How, Trigger, parse_trigger

FLOOR = Period(months=60)
FLOOR_CODE = "C6.1"
FLOOR_CITATION = "本办法 C6.1"
OWN_CODE = "OWN"

# The day a record was made or its business done, by whichever of these names it is known.
MADE = ("document_created", "record_created", "slip_closed")
FISCAL_YEAR_END, RECORD_YEAR = "fiscal_year_end", "record_year"
# Events that follow from when a record was made: the end of the year in which it was.
YEAR_ENDS = frozenset({FISCAL_YEAR_END, RECORD_YEAR})

EU_MEMBERS = frozenset(
    {"AT", "BE", "BG", "CY", "CZ", "DE", "DK", "EE", "ES", "FI", "FR", "GR", "HR", "HU", "IE", "IT", "LT", "LU", "LV"}
    | {"MT", "NL", "PL", "PT", "RO", "SE", "SI", "SK"}
)


class Unknown(StrEnum):
    """Why nobody can tell yet on which day a clause ends."""

    EVENT = "event"  # what it counts from has not happened
    NEVER = "never"  # what it counts from will not happen
    MATTER = "matter"  # a matter that extends it is still open
    HOLIDAYS = "holidays"  # the holidays of a year that it needs are not known


class Origin(StrEnum):
    """Who set a clause: the law, the organisation for its class, or the measures where nobody did."""

    LAW = "law"
    OWN = "own"
    FLOOR = "floor"


@dataclass(frozen=True, slots=True)
class Clause:
    """One period that binds a class. A rule that says keep and then delete is two: a minimum and a maximum.

    `event` is its trigger where that is one plain event, and `is_plain` that it only counts months and days from it:
    the usual case, which is computed without detours. `is_trusted`: verified, or confirmed by somebody.
    """

    code: str
    citation: str
    version: str
    origin: Origin
    bound: Bound
    period: Period
    trigger: Trigger
    calendar: Calendar
    effective_date: date | None = None
    ended_date: date | None = None
    is_verified: bool = True
    confirmation: Confirmation | None = None
    jurisdiction: str = ""
    extensions: tuple[Extension, ...] = ()
    longer_on: str | None = None
    longer_period: Period | None = None
    event: str | None = None
    is_plain: bool = False

    @property
    def is_trusted(self) -> bool:
        """Whether somebody has seen its source."""
        return self.is_verified or self.confirmation is not None

    def is_in_force(self, on: date) -> bool:
        """Whether it binds on a day."""
        if self.effective_date is not None and on < self.effective_date:
            return False
        return self.ended_date is None or on < self.ended_date


@dataclass(frozen=True, slots=True)
class Span:
    """The clauses of a class that are in force over some days, all the same ones on each.

    `keeping` are those that keep: the minima of law, the organisation's own period, and the five years of clause C6.1
    where no law says how long.
    """

    keeping: tuple[Clause, ...]
    maxima: tuple[Clause, ...]
    advice: tuple[Clause, ...]
    coming: tuple[Clause, ...]
    ends_date: date | None

    @property
    def minima(self) -> tuple[Clause, ...]:
        """The minima of law."""
        return tuple(clause for clause in self.keeping if clause.origin is Origin.LAW)

    @property
    def is_only_limited(self) -> bool:
        """Whether law says how long only by a maximum: it is kept to that, and then due."""
        return bool(self.maxima) and not self.minima

    @property
    def untrusted(self) -> tuple[Clause, ...]:
        """The clauses that would allow a destruction though nobody has seen their source."""
        deciding = self.maxima if self.is_only_limited else self.keeping
        return tuple(clause for clause in deciding if not clause.is_trusted)


@dataclass(frozen=True, slots=True)
class ClassLaw:
    """All that binds a class; `changes` are the days on which other clauses come into force."""

    definition: ClassDefinition
    changes: tuple[date, ...]
    spans: tuple[Span, ...]

    def on(self, day: date) -> Span:
        """What binds it on a day."""
        return self.spans[bisect_right(self.changes, day)]


@dataclass(frozen=True, slots=True)
class Law:
    """A schedule made ready. `version` is the schedule's."""

    classes: Mapping[str, ClassLaw]
    organisation: Organisation
    version: str = ""


def law_of(
    classes: Iterable[ClassDefinition],
    rules: Mapping[str, Sequence[Rule]],
    organisation: Organisation | None = None,
    confirmations: Iterable[Confirmation] = (),
    version: str = "",
) -> Law:
    """The law for some classes; `rules` holds every version of each rule by its code (see `packs.by_code`).

    Raises:
        InvalidData: a class names a rule that is not there.
    """
    confirmed = {(c.rule_code, c.rule_digest): c for c in confirmations}
    made = {}
    for definition in classes:
        missing = [code for code in definition.rule_codes if code not in rules]
        if missing:
            raise InvalidData(f"class {definition.code} names rules that are in no pack: {', '.join(missing)}")
        bound = [rule for code in sorted(set(definition.rule_codes)) for rule in rules[code]]
        made[definition.code] = _class_law(definition, bound, confirmed)
    return Law(MappingProxyType(made), organisation or Organisation(), version)


def end_of(clause: Clause, facts: Facts, organisation: Organisation) -> date | Unknown:
    """The last day of a clause for a record; why there is none that can be told."""
    event = clause.event
    day: date | Unknown | None = None if event is None else facts.events.get(event)
    if day is None:
        day = trigger_day(clause.trigger, facts, organisation)
        if isinstance(day, Unknown):
            return day
    if clause.is_plain and not isinstance(day, Unknown):
        period = clause.period
        end = add_months(day, period.months)
        return add_days(end, period.days) if period.days else end
    return _end_with_matters(clause, day, facts, organisation)


def trigger_day(trigger: Trigger, facts: Facts, organisation: Organisation) -> date | Unknown:
    """The day on which a trigger has happened; why there is none."""
    if isinstance(trigger, Happens):
        return event_day(trigger.name, facts, organisation)
    days = [trigger_day(part, facts, organisation) for part in trigger.parts]
    if trigger.how is How.LATER_OF:
        days = [day for day in days if day is not Unknown.NEVER] or [Unknown.NEVER]
    known = [day for day in days if not isinstance(day, Unknown)]
    if trigger.how is How.EARLIER_OF and known:
        return min(known)
    if trigger.how is not How.EARLIER_OF:
        if len(known) == len(days):
            return max(known)
        return Unknown.NEVER if Unknown.NEVER in days else Unknown.EVENT
    return Unknown.EVENT if Unknown.EVENT in days else Unknown.NEVER


def event_day(name: str, facts: Facts, organisation: Organisation) -> date | Unknown:
    """The day of one event. The years in which a record was made end by themselves."""
    if name == RECEIVED:
        return facts.received_date
    day = facts.events.get(name)
    if name in YEAR_ENDS:
        if day is None:
            day = max((facts.events[made] for made in MADE if made in facts.events), default=None)
        if day is not None:
            return year_end(day) if name == RECORD_YEAR else fiscal_year_end(day, organisation.fiscal_year)
    if day is not None:
        return day
    return Unknown.NEVER if name in facts.never else Unknown.EVENT


def period_of(clause: Clause, facts: Facts) -> Period:
    """The period that counts for a record: the longer one once what calls for it has been reported."""
    if clause.longer_on is not None and clause.longer_period is not None and clause.longer_on in facts.events:
        return clause.longer_period
    return clause.period


def is_open_matter(extension: Extension, facts: Facts) -> bool:
    """Whether a matter that keeps a rule from running out has been opened and not closed since."""
    opened, closed = facts.events.get(extension.opened), facts.events.get(extension.closed)
    return opened is not None and (closed is None or closed < opened)


def yields_to(maximum: Clause, minimum: Clause) -> bool:
    """Whether a legal maximum gives way to this legal minimum: both are of one legal order (PIPL art. 47; GDPR art.
    17(3)(b)). Between two legal orders no law decides.
    """
    one, other = maximum.jurisdiction, minimum.jurisdiction
    return one == other or (one == "EU" and other in EU_MEMBERS) or (other == "EU" and one in EU_MEMBERS)


def _end_with_matters(
    clause: Clause, day: date | Unknown, facts: Facts, organisation: Organisation
) -> date | Unknown:
    if isinstance(day, Unknown):
        return day
    end = last_day(clause.calendar, day, period_of(clause, facts), organisation)
    if end is None:
        return Unknown.HOLIDAYS
    for extension in clause.extensions:
        if is_open_matter(extension, facts):
            return Unknown.MATTER
        closed = facts.events.get(extension.closed)
        if closed is not None and extension.opened in facts.events:
            end = max(end, add(closed, extension.adds))
    return end


def _class_law(
    definition: ClassDefinition, rules: Sequence[Rule], confirmed: Mapping[tuple[str, str], Confirmation]
) -> ClassLaw:
    clauses = [_clause(rule, confirmed) for rule in rules]
    limits = [
        _limit(rule, clause)
        for rule, clause in zip(rules, clauses, strict=True)
        if rule.bound in {Bound.MAX, Bound.MIN_THEN_DELETE}
    ]
    others = [clause for clause in clauses if clause.bound is not Bound.MAX]
    ends = {day for rule in rules for day in (rule.effective_date, rule.ended_date) if day is not None}
    changes = tuple(sorted(ends))
    firsts = (date.min, *changes)
    spans = tuple(
        _span(definition, [*others, *limits], first, next_first)
        for first, next_first in zip(firsts, (*changes, None), strict=True)
    )
    return ClassLaw(definition, changes, spans)


def _limit(rule: Rule, clause: Clause) -> Clause:
    """The maximum that a rule sets."""
    limit = replace(clause, bound=Bound.MAX, period=rule.longest, extensions=(), longer_on=None)
    if rule.delete_on is not None:
        trigger = parse_trigger(rule.delete_on)
        limit = replace(limit, trigger=trigger, period=Period(), calendar=Calendar.EXACT_DATE)
    return _ready(limit)


def _span(definition: ClassDefinition, clauses: Sequence[Clause], first: date, ends_date: date | None) -> Span:
    valid = [clause for clause in clauses if clause.is_in_force(first)]
    minima = [clause for clause in valid if clause.bound not in {Bound.MAX, Bound.ADVISORY}]
    maxima = tuple(clause for clause in valid if clause.bound is Bound.MAX)
    house = []
    if definition.own_period is not None:
        house.append(
            _house(
                OWN_CODE,
                definition.code,
                Origin.OWN,
                definition.own_period,
                definition.own_trigger,
                definition.own_calendar,
            )
        )
    if not minima and not maxima:
        house.append(_house(FLOOR_CODE, FLOOR_CITATION, Origin.FLOOR, FLOOR, RECEIVED))
    return Span(
        keeping=(*minima, *house),
        maxima=maxima,
        advice=tuple(clause for clause in valid if clause.bound is Bound.ADVISORY),
        coming=tuple(
            clause for clause in clauses if clause.effective_date is not None and first < clause.effective_date
        ),
        ends_date=ends_date,
    )


def _clause(rule: Rule, confirmed: Mapping[tuple[str, str], Confirmation]) -> Clause:
    return _ready(
        Clause(
            code=rule.code,
            citation=rule.citation,
            version=rule.pack,
            origin=Origin.LAW,
            bound=rule.bound,
            period=rule.period,
            trigger=parse_trigger(rule.trigger),
            calendar=rule.calendar,
            effective_date=rule.effective_date,
            ended_date=rule.ended_date,
            is_verified=rule.is_verified,
            confirmation=None if rule.is_verified else confirmed.get((rule.code, rule_digest(rule))),
            jurisdiction=rule.jurisdiction,
            extensions=rule.extensions,
            longer_on=rule.longer_on,
            longer_period=rule.max_period,
        )
    )


def _house(
    code: str,
    citation: str,
    origin: Origin,
    period: Period,
    trigger: str,
    calendar: Calendar = Calendar.EXACT_DATE,
) -> Clause:
    bound = Bound.PERMANENT if period.is_permanent else Bound.MIN
    return _ready(Clause(code, citation, "", origin, bound, period, parse_trigger(trigger), calendar))


def _ready(clause: Clause) -> Clause:
    trigger = clause.trigger
    is_one_event = isinstance(trigger, Happens) and trigger.name not in {*YEAR_ENDS, RECEIVED}
    is_plain = clause.calendar is Calendar.EXACT_DATE and not clause.extensions and clause.longer_on is None
    event = trigger.name if isinstance(trigger, Happens) and is_one_event else None
    return replace(clause, event=event, is_plain=is_plain and not clause.period.is_permanent)
