"""The judgement: how long, and why. Pure: the same facts and day give the same decision for ever."""

from __future__ import annotations

from datetime import date

from retention_rules.model import Bound, Decision, Facts, Period, Reason, Rule, State
from retention_rules.periods import PERMANENT, add, count_from, last_day
from retention_rules.triggers import trigger_date

FLOOR = Period(months=60)
FLOOR_CODE = "C6.1"
FLOOR_CITATION = "本办法 C6.1"
OWN_CODE = "OWN"

TEXT_OPEN = "The period of {period} counts from the event {trigger}, which has not happened yet."
TEXT_RUNS = (
    "The event {trigger} was on {trigger_date}; the period of {period} counts from {start_date} to {until_date}."
)
TEXT_PERMANENT = "Kept permanently."
TEXT_FLOOR = "No law or standard is known for it: at least five years from {start_date}, to {until_date}."
TEXT_OWN = "The organisation keeps this class for {period} from {start_date}, to {until_date}."
TEXT_MAX = "Kept no longer than {period} after the event {trigger}, which was on {trigger_date}: to {delete_by}."
TEXT_MAX_OPEN = "Kept no longer than {period} after the event {trigger}, which has not happened yet."
TEXT_ADVISORY = "Advice, no duty: a claim may be raised for {period} after the event {trigger}."
TEXT_NOT_YET = "In force only from {effective_date}."

_MINIMA = frozenset({Bound.MIN, Bound.MIN_THEN_DELETE})
_MAXIMA = frozenset({Bound.MAX, Bound.MIN_THEN_DELETE})


def decide(facts: Facts, on: date) -> Decision:
    """What the law says of a record on the day `on`.

    The longest binding minimum wins; every rule that applied stays among the reasons. Where no rule of law binds, at
    least five years are kept from the day of receipt, whatever shorter period the organisation has set (clause
    C6.1). A period whose trigger has not happened keeps the record open: nobody can say yet when it ends. The last
    day of a period belongs to it: the record is due on the day after.
    """
    reasons = [_reason(rule, facts, on) for rule in facts.rules]
    if not any(reason.is_binding for reason in reasons):
        reasons.append(_floor(facts))
    if facts.own_period is not None:
        reasons.append(_own(facts.own_period, facts))
    binding = [reason for reason in reasons if reason.is_binding]
    ends = [reason.retain_until for reason in binding if reason.retain_until is not None]
    at_least = max(ends, default=None)
    maxima = [reason.delete_by for reason in reasons if reason.delete_by is not None]
    is_permanent = any(reason.text == TEXT_PERMANENT for reason in binding)
    is_open = any(reason.text == TEXT_OPEN for reason in binding)
    if is_permanent:
        state, retain_until = State.PERMANENT, None
    elif is_open or at_least is None:
        state, retain_until = State.OPEN, None
    else:
        state, retain_until = State.DUE if on > at_least else State.RUNNING, at_least
    ordered = tuple(sorted(reasons, key=_weight))
    return Decision(state, retain_until, ordered, at_least, min(maxima, default=None))


def _reason(rule: Rule, facts: Facts, on: date) -> Reason:
    told = {"period": period_words(rule.period), "trigger": rule.trigger}
    happened = trigger_date(rule.trigger, facts.events, facts.fiscal_year)
    if happened is not None:
        told["trigger_date"] = happened.isoformat()

    def reason(text: str, until: date | None = None, delete_by: date | None = None, *, binds: bool) -> Reason:
        return Reason(rule.code, rule.citation, text, told, until, binds, rule.is_verified, delete_by)

    if rule.effective_date is not None and on < rule.effective_date:
        told["effective_date"] = rule.effective_date.isoformat()
        return reason(TEXT_NOT_YET, binds=False)
    if rule.bound is Bound.ADVISORY:
        return reason(TEXT_ADVISORY, binds=False)
    delete_by = _delete_by(rule, happened, facts)
    if delete_by is not None:
        told["delete_by"] = delete_by.isoformat()
    if rule.bound not in _MINIMA:
        told["period"] = period_words(rule.max_period or rule.period)
        return reason(TEXT_MAX_OPEN if happened is None else TEXT_MAX, None, delete_by, binds=False)
    if rule.period == PERMANENT:
        return reason(TEXT_PERMANENT, binds=True)
    if happened is None:
        return reason(TEXT_OPEN, binds=True)
    until = last_day(rule.calendar, happened, rule.period, facts.fiscal_year)
    told["start_date"] = count_from(rule.calendar, happened, facts.fiscal_year).isoformat()
    told["until_date"] = until.isoformat()
    return reason(TEXT_RUNS, until, delete_by, binds=True)


def _delete_by(rule: Rule, happened: date | None, facts: Facts) -> date | None:
    """The last day on which a rule with a maximum allows it to be kept; none when it sets none or is open."""
    longest = rule.max_period or rule.period
    if happened is None or longest.is_permanent or rule.bound not in _MAXIMA:
        return None
    return last_day(rule.calendar, happened, longest, facts.fiscal_year)


def _own(period: Period, facts: Facts) -> Reason:
    start = facts.received_date
    told = {"period": period_words(period), "start_date": start.isoformat()}
    if period == PERMANENT:
        return Reason(OWN_CODE, facts.class_code, TEXT_PERMANENT, told, None, True, True)
    until = add(start, period)
    told["until_date"] = until.isoformat()
    return Reason(OWN_CODE, facts.class_code, TEXT_OWN, told, until, True, True)


def _floor(facts: Facts) -> Reason:
    start = facts.received_date
    until = add(start, FLOOR)
    told = {"start_date": start.isoformat(), "until_date": until.isoformat()}
    return Reason(FLOOR_CODE, FLOOR_CITATION, TEXT_FLOOR, told, until, True, True)


def _weight(reason: Reason) -> tuple[int, int, str]:
    """Permanent first, then open, then the longest; reasons that do not bind last; ties by code."""
    if not reason.is_binding:
        return (3, 0, reason.rule_code)
    if reason.text == TEXT_PERMANENT:
        return (0, 0, reason.rule_code)
    if reason.retain_until is None:
        return (1, 0, reason.rule_code)
    return (2, -reason.retain_until.toordinal(), reason.rule_code)


def period_words(period: Period) -> str:
    """A period in ISO 8601, `permanent` when it has no end."""
    if period.is_permanent:
        return "permanent"
    years, months = divmod(period.months, 12)
    parts = [f"{number}{unit}" for number, unit in ((years, "Y"), (months, "M"), (period.days, "D")) if number]
    return "P" + ("".join(parts) or "0D")
