"""What must hold for every record, rule and day, tried on ones nobody thought of."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from retention_rules import shipped, words
from retention_rules.clauses import MADE
from retention_rules.law import FLOOR
from retention_rules.model import PERMANENT, Bound, Calendar, Hold, LockMode, Organisation, Period, Rule, State, What
from retention_rules.periods import add, count_from, fiscal_year_end, last_day
from retention_rules.plans import NotSimple, SimplePlan, is_hard, plan_of, settle
from tests.rules.worlds import DAYS, EVENTS, FINITE, FISCAL_YEARS, KNOWN_YEARS, World, rules, worlds

_DAY = timedelta(days=1)
_DUE = {What.DESTROY, What.REVIEW, What.TRANSFER}


@pytest.mark.invariant("H1")
@given(worlds(), DAYS)
def test_a_hold_always_wins(world: World, on: date) -> None:
    held = world.knowing(holds=(*world.facts.holds, Hold("case 9")))

    decision = held.decide(on)

    assert decision.what is What.HELD
    assert decision.winning.rule == "HOLD"
    assert decision.retain_until == world.decide(on).retain_until


@given(worlds(), DAYS)
def test_a_hold_that_is_released_leaves_nothing_behind(world: World, on: date) -> None:
    free = world.knowing(holds=())

    assert free.decide(on).what is not What.HELD
    assert world.knowing(holds=(Hold("x"),)).knowing(holds=()).decide(on) == free.decide(on)


@pytest.mark.invariant("S1")
@given(worlds(), DAYS)
def test_nothing_is_due_before_the_longest_binding_minimum_has_ended(world: World, on: date) -> None:
    decision = world.decide(on)

    if decision.what in _DUE:
        assert decision.state is State.DUE
        for reason in decision.reasons:
            if reason.is_binding:
                assert reason.retain_until is not None
                assert reason.retain_until < on
    assert (decision.state is State.DUE) == (decision.retain_until is not None and on > decision.retain_until)
    assert (decision.retain_until is None) == (decision.state in {State.OPEN, State.PERMANENT})


@pytest.mark.invariant("S1")
@given(worlds(), DAYS)
def test_a_rule_that_nobody_has_confirmed_allows_no_destruction(world: World, on: date) -> None:
    decision = world.decide(on)

    if decision.what in _DUE:
        assert decision.unconfirmed_rules == ()
        for rule in world.rules:
            if rule.is_in_force(on) and rule.bound in {Bound.MIN, Bound.MIN_THEN_DELETE, Bound.PERMANENT}:
                assert rule.is_verified


@given(worlds(), DAYS, st.data())
def test_the_order_of_rules_is_irrelevant(world: World, on: date, data: st.DataObject) -> None:
    shuffled = replace(world, rules=tuple(data.draw(st.permutations(world.rules))))

    assert shuffled.decide(on) == world.decide(on)
    assert shuffled.decide(on).reasons == world.decide(on).reasons


@given(worlds(), DAYS)
def test_the_same_facts_have_the_same_reasons(world: World, on: date) -> None:
    again = replace(world, facts=replace(world.facts, events=dict(reversed(list(world.facts.events.items())))))

    assert again.decide(on) == world.decide(on)
    assert again.decide(on).reasons == world.decide(on).reasons


@given(worlds(), DAYS, st.sampled_from(EVENTS), DAYS)
def test_undoing_an_event_restores_what_was(world: World, on: date, event: str, day: date) -> None:
    before = {name: at for name, at in world.facts.events.items() if name != event}
    bare = world.knowing(events=before)
    undone = bare.knowing(events={**before, event: day}).knowing(events=before)

    assert undone.decide(on) == bare.decide(on)
    assert undone.decide(on).reasons == bare.decide(on).reasons


@given(worlds(), DAYS, rules((Bound.MIN, Bound.PERMANENT)))
def test_one_more_minimum_never_shortens_what_law_or_house_demanded(world: World, on: date, more: Rule) -> None:
    """Only the five years for want of a rule, and a maximum that stood alone, give way to a rule."""
    assume(more.code not in {rule.code for rule in world.rules})
    before = world.decide(on)
    after = replace(world, rules=(*world.rules, more)).decide(on)
    demands = [reason for reason in before.reasons if reason.is_binding and reason.rule not in {"C6.1", "HOLD"}]

    assert all(reason in after.reasons for reason in demands)
    for reason in demands:
        assert (after.retain_until or date.max) >= (reason.retain_until or date.max)


@given(worlds(), DAYS, st.integers(0, 600))
def test_a_longer_minimum_never_shortens(world: World, on: date, months: int) -> None:
    longer = tuple(_longer(rule, months) if rule.bound is not Bound.MAX else rule for rule in world.rules)

    assert replace(world, rules=longer).end(on) >= world.end(on)


@given(worlds(), DAYS, DAYS)
def test_a_promise_never_shortens_and_is_kept(world: World, on: date, promised: date) -> None:
    locked = world.knowing(locked_until=promised)

    assert locked.end(on) >= world.knowing(locked_until=None).end(on)
    assert locked.end(on) >= promised


@pytest.mark.clause("C6.1")
@given(worlds(), DAYS)
def test_without_a_rule_of_law_at_least_five_years(world: World, on: date) -> None:
    bare = replace(world, rules=tuple(rule for rule in world.rules if rule.bound is Bound.ADVISORY))

    assert bare.end(on) >= add(bare.facts.received_date, FLOOR)


@given(worlds(), DAYS, st.integers(0, 40_000))
def test_what_is_due_stays_due_until_a_new_rule_takes_effect(world: World, on: date, days: int) -> None:
    timeless = tuple(replace(rule, effective_date=None, ended_date=None) for rule in world.rules)
    settled = replace(world, rules=timeless)

    now, then = settled.decide(on), settled.decide(on + timedelta(days=days))

    assert now.retain_until == then.retain_until
    assert now.delete_by == then.delete_by
    if now.state is State.DUE:
        assert then.state is State.DUE
    if now.is_restricted:
        assert then.is_restricted


@given(worlds(), DAYS, st.integers(1, 20_000))
def test_nothing_changes_by_itself_before_the_next_date(world: World, on: date, days: int) -> None:
    now = world.decide(on)
    later = on + timedelta(days=days)
    assume(now.next_date is None or later < now.next_date)
    then = world.decide(later)

    assert (then.what, then.state, then.retain_until, then.delete_by, then.conflict) == (
        now.what,
        now.state,
        now.retain_until,
        now.delete_by,
        now.conflict,
    )


@given(worlds(), DAYS)
def test_a_maximum_never_destroys_what_a_minimum_keeps(world: World, on: date) -> None:
    decision = world.decide(on)

    if decision.is_restricted and decision.state is not State.DUE:
        assert decision.what in {What.HELD, What.RESTRICTED, What.ESCALATE}


@given(worlds(), DAYS)
def test_every_reason_can_be_said_and_every_number_traced(world: World, on: date) -> None:
    for reason in world.decide(on).reasons:
        for language in words.LANGUAGES:
            assert "{" not in words.say(reason, language, shipped.event_names())
            for step in reason.steps:
                assert "{" not in words.say_step(step, language, shipped.event_names())
        if reason.is_binding and reason.kind not in {"hold", "locked", "extended"}:
            arithmetic = [step.day for step in reason.steps if step.day is not None and step.kind != "event"]
            assert reason.retain_until is None or reason.retain_until in arithmetic


@settings(max_examples=400)
@given(worlds(), DAYS)
def test_what_sql_would_compute_is_what_the_law_says(world: World, on: date) -> None:
    plan = plan_of("A", world.law, on)
    if not isinstance(plan, SimplePlan):
        assert plan in NotSimple
        return
    assume(not is_hard(plan, world.facts))

    decision = world.decide(on)

    settled = settle(plan, world.facts, world.organisation, on)
    assert (settled.what, settled.retain_until, settled.delete_by) == (
        decision.what,
        decision.retain_until,
        decision.delete_by,
    )


@given(DAYS, FINITE, FINITE)
def test_a_longer_period_never_ends_earlier(start: date, period: Period, more: Period) -> None:
    longer = Period(months=period.months + more.months, days=period.days + more.days)

    assert add(start, longer) >= add(start, period) >= start


@given(DAYS, DAYS, FINITE, st.sampled_from(list(Calendar)), FISCAL_YEARS)
def test_a_later_event_never_ends_earlier(
    one: date, other: date, period: Period, calendar: Calendar, fiscal_year: object
) -> None:
    organisation = Organisation(fiscal_year, KNOWN_YEARS)  # type: ignore[arg-type]
    earlier, later = sorted((one, other))

    first, second = (last_day(calendar, day, period, organisation) for day in (earlier, later))

    assert first is not None
    assert second is not None
    assert first <= second
    assert second >= later - (timedelta(0) if period.months else _DAY)


@given(DAYS, FISCAL_YEARS)
def test_a_day_lies_within_its_accounting_year(day: date, fiscal_year: object) -> None:
    year = Organisation(fiscal_year).fiscal_year  # type: ignore[arg-type]
    end = fiscal_year_end(day, year)

    assert day <= end <= day + timedelta(days=366)
    assert fiscal_year_end(end, year) == end
    assert count_from(Calendar.FISCAL_YEAR_END, day, year) == end + _DAY


@pytest.mark.invariant("R1")
@given(worlds(), st.dates(date(2000, 1, 1), date(2080, 1, 1)))
def test_a_filed_lock_never_shortens_and_never_outlives_its_reason(world: World, on: date) -> None:
    decision, promised = world.decide(on), world.facts.locked_until

    lock = decision.lock

    if lock is None:
        assert promised is None or promised < on
        assert decision.state is State.DUE or decision.is_restricted
        return
    assert lock.mode is LockMode.COMPLIANCE
    assert "{" not in words.say_lock(lock, "zh")
    assert promised is None or lock.until_date >= promised
    ends = [decision.retain_until, decision.at_least_until, promised, add(on, world.definition.lock.horizon)]
    assert on <= lock.until_date <= max(end for end in ends if end is not None)
    until = decision.retain_until
    if decision.delete_by is None and (until is None or lock.until_date < until):
        assert lock.is_rolling


def _longer(rule: Rule, months: int) -> Rule:
    if rule.period == PERMANENT:
        return rule
    period = Period(months=rule.period.months + months, days=rule.period.days)
    longest = rule.max_period and Period(months=rule.max_period.months + months, days=rule.max_period.days)
    return replace(rule, period=period, max_period=longest)


def test_the_events_that_end_years_by_themselves_are_known() -> None:
    assert all(event in shipped.event_names() for event in MADE)
