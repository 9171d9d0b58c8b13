"""The judgement: how long, and why. Pure: the same facts and day give the same decision for ever."""

from __future__ import annotations

from datetime import date

from retention_rules.model import Bound, Decision, Facts, Period, Reason, Rule, State
from retention_rules.periods import PERMANENT, add, count_from

FLOOR = Period(months=60)
FLOOR_CODE = "C6.1"
FLOOR_CITATION = "本办法 C6.1"
OWN_CODE = "OWN"

TEXT_OPEN = "The period of {period} counts from the event {trigger}, which has not happened yet."
TEXT_RUNS = "The event {trigger} was on {trigger_date}; the period of {period} counts from {start_date}."
TEXT_PERMANENT = "Kept permanently."
TEXT_FLOOR = "No law or standard is known for it: at least five years from {start_date}."
TEXT_OWN = "The organisation keeps this class for {period} from {start_date}."
TEXT_MAX = "This rule limits how long it may be kept; it does not make anything be kept."


def decide(facts: Facts, on: date) -> Decision:
    """What the law says of a record on the day `on`.

    The longest binding minimum wins; every rule that applied stays among the reasons. Where no rule binds, at
    least five years are kept from the day of receipt (clause C6.1). A period whose trigger has not happened keeps
    the record open: nobody can say yet when it ends.
    """
    reasons = [_reason(rule, facts) for rule in facts.rules]
    if facts.own_period is not None:
        reasons.append(_own(facts.own_period, facts))
    if not any(reason.is_binding for reason in reasons):
        reasons.append(_floor(facts))
    binding = [reason for reason in reasons if reason.is_binding]
    is_permanent = any(reason.text == TEXT_PERMANENT for reason in binding)
    is_open = any(reason.text == TEXT_OPEN for reason in binding)
    ordered = tuple(sorted(reasons, key=_weight))
    if is_permanent:
        return Decision(State.PERMANENT, None, ordered)
    if is_open:
        return Decision(State.OPEN, None, ordered)
    retain_until = max(reason.retain_until for reason in binding if reason.retain_until is not None)
    return Decision(State.DUE if retain_until <= on else State.RUNNING, retain_until, ordered)


def _reason(rule: Rule, facts: Facts) -> Reason:
    binds = rule.bound in {Bound.MIN, Bound.MIN_THEN_DELETE}
    common = {"period": period_words(rule.period), "trigger": rule.trigger}
    trigger = facts.events.get(rule.trigger)

    def reason(text: str, until: date | None, **more: str) -> Reason:
        return Reason(rule.code, rule.citation, text, {**common, **more}, until, binds, rule.is_verified)

    if not binds:
        return reason(TEXT_MAX, None)
    if rule.period == PERMANENT:
        return reason(TEXT_PERMANENT, None)
    if trigger is None:
        return reason(TEXT_OPEN, None)
    start = count_from(rule.calendar, trigger, facts.fiscal_year)
    return reason(TEXT_RUNS, add(start, rule.period), trigger_date=trigger.isoformat(), start_date=start.isoformat())


def _own(period: Period, facts: Facts) -> Reason:
    start = facts.received_date
    told = {"period": period_words(period), "start_date": start.isoformat()}
    if period == PERMANENT:
        return Reason(OWN_CODE, facts.class_code, TEXT_PERMANENT, told, None, True, True)
    return Reason(OWN_CODE, facts.class_code, TEXT_OWN, told, add(start, period), True, True)


def _floor(facts: Facts) -> Reason:
    start = facts.received_date
    told = {"start_date": start.isoformat()}
    return Reason(FLOOR_CODE, FLOOR_CITATION, TEXT_FLOOR, told, add(start, FLOOR), True, True)


def _weight(reason: Reason) -> tuple[int, int, str]:
    """Permanent first, then open, then the longest; reasons that do not bind last; ties by code."""
    if not reason.is_binding:
        return (3, 0, reason.rule_code)
    if reason.text == TEXT_PERMANENT:
        return (0, 0, reason.rule_code)
    if reason.text == TEXT_OPEN:
        return (1, 0, reason.rule_code)
    assert reason.retain_until is not None
    return (2, -reason.retain_until.toordinal(), reason.rule_code)


def period_words(period: Period) -> str:
    """A period in ISO 8601, `permanent` when it has no end."""
    if period.is_permanent:
        return "permanent"
    years, months = divmod(period.months, 12)
    parts = [f"{number}{unit}" for number, unit in ((years, "Y"), (months, "M"), (period.days, "D")) if number]
    return "P" + ("".join(parts) or "0D")
