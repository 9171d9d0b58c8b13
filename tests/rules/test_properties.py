"""What must hold for every record, rule and day, tried on ones nobody thought of."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from retention_rules.decision import FLOOR, decide
from retention_rules.locks import filed_lock
from retention_rules.model import Bound, Calendar, Facts, FiscalYear, LockMode, LockPolicy, Period, Rule, State
from retention_rules.periods import PERMANENT, add, count_from, fiscal_year_end, last_day

TRIGGERS = ("account_closed", "record_created", "fiscal_year_end", "relationship_or_transaction_end")
DAYS = st.dates(date(1980, 1, 1), date(2100, 12, 31))
FINITE = st.builds(Period, months=st.integers(0, 1200), days=st.integers(0, 400))
PERIODS = st.one_of(FINITE, st.just(PERMANENT))
FISCAL_YEARS = st.builds(FiscalYear, st.integers(1, 12), st.integers(1, 31))


@st.composite
def rules(draw: st.DrawFn, bounds: tuple[Bound, ...] = tuple(Bound)) -> Rule:
    bound = draw(st.sampled_from(bounds))
    return Rule(
        code=f"R{draw(st.integers(0, 10**9))}",
        name_zh="规则",
        name_en="rule",
        period=draw(FINITE if bound is Bound.MAX else PERIODS),
        bound=bound,
        trigger=draw(st.sampled_from(TRIGGERS)),
        calendar=draw(st.sampled_from(list(Calendar))),
        citation="art. 1",
        is_verified=draw(st.booleans()),
        effective_date=draw(st.one_of(st.none(), DAYS)),
    )


@st.composite
def records(draw: st.DrawFn) -> Facts:
    return Facts(
        class_code="A",
        rules=tuple(draw(st.lists(rules(), max_size=5, unique_by=lambda rule: rule.code))),
        received_date=draw(DAYS),
        events=draw(st.dictionaries(st.sampled_from(TRIGGERS), DAYS)),
        own_period=draw(st.one_of(st.none(), PERIODS)),
        fiscal_year=draw(FISCAL_YEARS),
    )


def end_of(facts: Facts, on: date) -> date:
    """How long it is kept, with no known end as the end of time."""
    decision = decide(facts, on)
    return date.max if decision.retain_until is None else decision.retain_until


@given(records(), DAYS, st.data())
def test_the_order_of_rules_is_irrelevant(facts: Facts, on: date, data: st.DataObject) -> None:
    shuffled = tuple(data.draw(st.permutations(facts.rules)))

    assert decide(facts, on) == decide(Facts(**{**vars(facts), "rules": shuffled}), on)


@given(records(), DAYS, rules((Bound.MIN, Bound.MIN_THEN_DELETE)))
def test_one_more_minimum_never_shortens_what_law_or_house_demanded(facts: Facts, on: date, more: Rule) -> None:
    """Only the five years for want of a rule give way to a rule (C6.1); every demand that was there stays."""
    before = decide(facts, on)
    after = decide(Facts(**{**vars(facts), "rules": (*facts.rules, more)}), on)
    demands = [reason for reason in before.reasons if reason.is_binding and reason.rule_code != "C6.1"]

    assert all(reason in after.reasons for reason in demands)
    assert all((after.retain_until or date.max) >= (reason.retain_until or date.max) for reason in demands)


@given(records(), DAYS, st.integers(0, 600))
def test_a_longer_minimum_never_shortens(facts: Facts, on: date, months: int) -> None:
    longer = tuple(
        Rule(**{**vars(rule), "period": Period(months=rule.period.months + months, days=rule.period.days)})
        if not rule.period.is_permanent
        else rule
        for rule in facts.rules
    )

    assert end_of(Facts(**{**vars(facts), "rules": longer}), on) >= end_of(facts, on)


@pytest.mark.clause("C6.1")
@given(records(), DAYS)
def test_without_a_rule_of_law_at_least_five_years(facts: Facts, on: date) -> None:
    bare = Facts(**{**vars(facts), "rules": tuple(r for r in facts.rules if r.bound in {Bound.MAX, Bound.ADVISORY})})

    assert end_of(bare, on) >= add(bare.received_date, FLOOR)


@given(records(), DAYS, st.integers(0, 40_000))
def test_what_is_due_stays_due_until_a_new_rule_takes_effect(facts: Facts, on: date, days: int) -> None:
    settled = Facts(
        **{**vars(facts), "rules": tuple(Rule(**{**vars(r), "effective_date": None}) for r in facts.rules)}
    )
    later = on + timedelta(days=days)

    now, then = decide(settled, on), decide(settled, later)

    assert now.retain_until == then.retain_until
    if now.state is State.DUE:
        assert then.state is State.DUE


@given(records(), DAYS)
def test_the_state_says_what_the_date_says(facts: Facts, on: date) -> None:
    decision = decide(facts, on)

    assert (decision.state is State.DUE) == (decision.retain_until is not None and on > decision.retain_until)
    assert (decision.retain_until is None) == (decision.state in {State.OPEN, State.PERMANENT})
    assert decision.winning.is_binding
    assert len(decision.reasons) >= len(facts.rules)


@given(records(), DAYS)
def test_every_reason_fills_its_sentence(facts: Facts, on: date) -> None:
    for reason in decide(facts, on).reasons:
        assert "{" not in reason.text.format(**reason.facts)


@given(DAYS, FINITE, FINITE)
def test_a_longer_period_never_ends_earlier(start: date, period: Period, more: Period) -> None:
    longer = Period(months=period.months + more.months, days=period.days + more.days)

    assert add(start, longer) >= add(start, period) >= start


@given(DAYS, DAYS, FINITE, st.sampled_from(list(Calendar)), FISCAL_YEARS)
def test_a_later_event_never_ends_earlier(
    one: date, other: date, period: Period, calendar: Calendar, fiscal_year: FiscalYear
) -> None:
    earlier, later = sorted((one, other))

    assert last_day(calendar, earlier, period, fiscal_year) <= last_day(calendar, later, period, fiscal_year)
    assert last_day(calendar, later, period, fiscal_year) >= later - timedelta(days=0 if period.months else 1)


@given(DAYS, FISCAL_YEARS)
def test_a_day_lies_within_its_accounting_year(day: date, fiscal_year: FiscalYear) -> None:
    end = fiscal_year_end(day, fiscal_year)

    assert day <= end <= day + timedelta(days=366)
    assert fiscal_year_end(end, fiscal_year) == end
    assert count_from(Calendar.FISCAL_YEAR_END, day, fiscal_year) == end + timedelta(days=1)


@given(st.dates(date(1980, 1, 1), date(2090, 12, 31)), st.integers(0, 400), st.integers(0, 60))
@settings(max_examples=400)
def test_months_and_days_agree_with_counting_by_hand(start: date, months: int, days: int) -> None:
    year, month = start.year, start.month
    for _ in range(months):
        year, month = (year + 1, 1) if month == 12 else (year, month + 1)
    day = start.day
    while True:
        try:
            expected = date(year, month, day)
            break
        except ValueError:
            day -= 1

    assert add(start, Period(months=months, days=days)) == expected + timedelta(days=days)


@pytest.mark.invariant("R1")
@given(
    records(),
    st.dates(date(2000, 1, 1), date(2080, 1, 1)),
    st.builds(LockPolicy, is_rolling=st.booleans(), horizon=st.builds(Period, months=st.integers(1, 240))),
    st.one_of(st.none(), DAYS),
)
def test_a_filed_lock_never_shortens_and_never_outlives_its_reason(
    facts: Facts, on: date, policy: LockPolicy, locked_until: date | None
) -> None:
    decision = decide(facts, on)

    lock = filed_lock(decision, on, policy, locked_until)

    if lock is None:
        assert decision.state is State.DUE
        assert locked_until is None or locked_until < on
        return
    assert lock.mode is LockMode.COMPLIANCE
    assert "{" not in lock.text.format(**lock.facts)
    if locked_until is not None:
        assert lock.until_date >= locked_until
    furthest = max(
        add(on, policy.horizon), decision.retain_until or on, decision.kept_at_least_until or on, locked_until or on
    )
    assert on <= lock.until_date <= furthest
    if decision.retain_until is None or lock.until_date < decision.retain_until:
        assert lock.is_rolling
