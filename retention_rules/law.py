"""The law that binds a class, made ready to be applied.

A `Law` is made once from a schedule's classes, the rules they name and what administrators confirmed; applying it
costs the same however many rules the packs hold.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from types import MappingProxyType

from retention_rules.clauses import YEAR_ENDS, Clause, Origin, Span
from retention_rules.errors import InvalidData
from retention_rules.model import (
    RECEIVED,
    Bound,
    Calendar,
    ClassDefinition,
    Confirmation,
    FiscalYear,
    Organisation,
    Period,
    Rule,
)
from retention_rules.packs import rule_digest
from retention_rules.triggers import Happens, parse_trigger

FLOOR = Period(months=60)
FLOOR_CODE = "C6.1"
FLOOR_CITATION = "本办法 C6.1"
OWN_CODE = "OWN"


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
    organisation = organisation or Organisation()
    confirmed = {(c.rule_code, c.rule_digest): c for c in confirmations}
    made = {}
    for definition in classes:
        missing = [code for code in definition.rule_codes if code not in rules]
        if missing:
            named = ", ".join(missing)
            raise InvalidData(
                f"class {definition.code} names rules that are in no pack: {named}",
                f"类别 {definition.code} 引用的规则不在任何规则包中：{named}",
            )
        bound = [rule for code in sorted(set(definition.rule_codes)) for rule in rules[code]]
        made[definition.code] = _class_law(definition, bound, confirmed, organisation)
    return Law(MappingProxyType(made), organisation, version)


def _class_law(
    definition: ClassDefinition,
    rules: Sequence[Rule],
    confirmed: Mapping[tuple[str, str], Confirmation],
    organisation: Organisation,
) -> ClassLaw:
    clauses = []
    for rule in rules:
        clause = _clause(rule, confirmed)
        if rule.bound is not Bound.MAX:
            clauses.append(_ready(clause, organisation))
        if rule.bound in {Bound.MAX, Bound.MIN_THEN_DELETE}:
            clauses.append(_ready(_limit(rule, clause), organisation))
    house = None
    if definition.own_period is not None:
        house = _house(OWN_CODE, definition.code, Origin.OWN, definition.own_period)
        house = replace(house, trigger=parse_trigger(definition.own_trigger), calendar=definition.own_calendar)
        house = _ready(house, organisation)
    floor = _ready(_house(FLOOR_CODE, FLOOR_CITATION, Origin.FLOOR, FLOOR), organisation)
    ends = {day for rule in rules for day in (rule.effective_date, rule.ended_date) if day is not None}
    changes = tuple(sorted(ends))
    spans = tuple(
        _span(clauses, house, floor, first, ends_date)
        for first, ends_date in zip((date.min, *changes), (*changes, None), strict=True)
    )
    return ClassLaw(definition, changes, spans)


def _span(
    clauses: Sequence[Clause], house: Clause | None, floor: Clause, first: date, ends_date: date | None
) -> Span:
    valid = [clause for clause in clauses if clause.is_in_force(first)]
    keeping = [clause for clause in valid if clause.bound not in {Bound.MAX, Bound.ADVISORY}]
    maxima = tuple(clause for clause in valid if clause.bound is Bound.MAX)
    if not keeping and not maxima:
        keeping.append(floor)
    if house is not None:
        keeping.append(house)
    return Span(
        keeping=tuple(keeping),
        maxima=maxima,
        advice=tuple(clause for clause in valid if clause.bound is Bound.ADVISORY),
        coming=tuple(c for c in clauses if c.effective_date is not None and first < c.effective_date),
        ends_date=ends_date,
    )


def _limit(rule: Rule, clause: Clause) -> Clause:
    """The maximum that a rule sets."""
    limit = replace(clause, bound=Bound.MAX, period=rule.longest, extensions=(), longer_on=None)
    if rule.delete_on is None:
        return limit
    return replace(limit, trigger=parse_trigger(rule.delete_on), period=Period(), calendar=Calendar.EXACT_DATE)


def _clause(rule: Rule, confirmed: Mapping[tuple[str, str], Confirmation]) -> Clause:
    return Clause(
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


def _house(code: str, citation: str, origin: Origin, period: Period) -> Clause:
    bound = Bound.PERMANENT if period.is_permanent else Bound.MIN
    return Clause(code, citation, "", origin, bound, period, parse_trigger(RECEIVED), Calendar.EXACT_DATE)


def _ready(clause: Clause, organisation: Organisation) -> Clause:
    """The clause with what makes the usual cases quick."""
    trigger, period = clause.trigger, clause.period
    is_one_event = isinstance(trigger, Happens) and trigger.name not in {*YEAR_ENDS, RECEIVED}
    is_fixed = clause.longer_on is None and not period.is_permanent
    ends_in_december = clause.calendar in {Calendar.NEXT_JANUARY, Calendar.YEAR_END} or (
        clause.calendar is Calendar.FISCAL_YEAR_END and organisation.fiscal_year == FiscalYear(12, 31)
    )
    years, months = divmod(period.months, 12)
    is_whole = is_fixed and ends_in_december and not months and not period.days
    return replace(
        clause,
        event=trigger.name if isinstance(trigger, Happens) and is_one_event else "",
        is_plain=is_fixed and clause.calendar is Calendar.EXACT_DATE and not clause.extensions,
        years_to_december=years if is_whole else 0,
    )
