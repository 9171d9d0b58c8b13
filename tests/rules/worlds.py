"""Records, rules and classes that nobody thought of, for Hypothesis."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date

from hypothesis import strategies as st

from retention_rules.decision import Decision, decide
from retention_rules.law import Law, law_of
from retention_rules.model import (
    PERMANENT,
    Bound,
    Calendar,
    ClassDefinition,
    Disposition,
    Extension,
    Facts,
    FiscalYear,
    Hold,
    LockPolicy,
    Organisation,
    Period,
    Rule,
    WorkingDays,
)

EVENTS = ("account_closed", "record_created", "fiscal_year_end", "record_year", "wages_settled", "dispute_opened")
TRIGGERS = (
    *EVENTS[:5],
    "received",
    "later_of(account_closed, wages_settled)",
    "all_of(record_created, later_of(account_closed, wages_settled))",
    "earlier_of(account_closed, record_created)",
)
DAYS = st.dates(date(1980, 1, 1), date(2100, 12, 31))
FINITE = st.builds(Period, months=st.integers(0, 1200), days=st.integers(0, 400))
PERIODS = st.one_of(FINITE, st.just(PERMANENT))
FISCAL_YEARS = st.builds(FiscalYear, st.integers(1, 12), st.integers(1, 31))
KNOWN_YEARS = WorkingDays(
    frozenset({date(2026, 10, 1)}), frozenset({date(2026, 10, 10)}), frozenset(range(1980, 2300))
)
ORGANISATIONS = st.builds(
    Organisation, FISCAL_YEARS, st.sampled_from([WorkingDays(), KNOWN_YEARS]), st.just("Asia/Shanghai")
)
HOLDS = st.builds(Hold, st.sampled_from(["case 1", "case 2"]), review_date=st.one_of(st.none(), DAYS))
POLICIES = st.builds(LockPolicy, is_rolling=st.booleans(), horizon=st.builds(Period, months=st.integers(1, 240)))


@dataclass(frozen=True)
class World:
    """A record of class A, the rules that bind it, and the organisation."""

    facts: Facts
    definition: ClassDefinition
    rules: tuple[Rule, ...]
    organisation: Organisation

    @property
    def law(self) -> Law:
        """The law of class A."""
        codes = tuple(rule.code for rule in self.rules)
        return law_of(
            [replace(self.definition, rule_codes=codes)], {r.code: (r,) for r in self.rules}, self.organisation
        )

    def decide(self, on: date) -> Decision:
        """What the law says."""
        return decide(self.facts, self.law, on)

    def knowing(self, **facts: object) -> World:
        """The same with other facts."""
        return replace(self, facts=replace(self.facts, **facts))  # type: ignore[arg-type]

    def end(self, on: date) -> date:
        """How long it is kept, with no known end as the end of time."""
        return self.decide(on).retain_until or date.max


@st.composite
def rules(draw: st.DrawFn, bounds: tuple[Bound, ...] = tuple(Bound)) -> Rule:
    bound = draw(st.sampled_from(bounds))
    period = PERMANENT if bound is Bound.PERMANENT else draw(FINITE)
    longest = Period(months=period.months + draw(st.integers(0, 60)), days=period.days)
    has_maximum = bound in {Bound.MIN, Bound.MIN_THEN_DELETE} and draw(st.booleans())
    first = draw(st.one_of(st.none(), DAYS))
    return Rule(
        code=f"R{draw(st.integers(0, 10**9))}",
        name_zh="规则",
        name_en="rule",
        period=period,
        bound=bound,
        trigger=draw(st.sampled_from(TRIGGERS)),
        calendar=draw(st.sampled_from(list(Calendar))),
        citation="art. 1",
        is_verified=draw(st.booleans()),
        max_period=longest if has_maximum else None,
        effective_date=first,
        ended_date=None
        if first is None
        else draw(st.one_of(st.none(), st.dates(date(2101, 1, 1), date(2110, 1, 1)))),
        longer_on="dispute_opened" if has_maximum and draw(st.booleans()) else None,
        extensions=(Extension("dispute_opened", "wages_settled", draw(FINITE)),) if draw(st.booleans()) else (),
        jurisdiction=draw(st.sampled_from(["CN", "EU", "DE", "US"])),
    )


@st.composite
def records(draw: st.DrawFn) -> Facts:
    return Facts(
        class_code="A",
        received_date=draw(DAYS),
        events=draw(st.dictionaries(st.sampled_from(EVENTS), DAYS)),
        holds=tuple(draw(st.lists(HOLDS, max_size=2))) if draw(st.booleans()) else (),
        locked_until=draw(st.one_of(st.none(), DAYS)),
        extended_until=draw(st.one_of(st.none(), st.none(), DAYS)),
        never=frozenset(draw(st.sets(st.sampled_from(EVENTS), max_size=2))) if draw(st.booleans()) else frozenset(),
    )


@st.composite
def worlds(draw: st.DrawFn) -> World:
    definition = ClassDefinition(
        "A",
        "甲类",
        "A",
        "YW",
        "D10",
        own_period=draw(st.one_of(st.none(), PERIODS)),
        own_trigger=draw(st.sampled_from(["received", "account_closed"])),
        disposition=draw(st.sampled_from(list(Disposition))),
        lock=draw(POLICIES),
    )
    bound = tuple(draw(st.lists(rules(), max_size=4, unique_by=lambda rule: rule.code)))
    return World(draw(records()), definition, bound, draw(ORGANISATIONS))
