"""Which lock a record gets when: short and liftable at intake, the class's own once it is filed.

Days are days of the organisation: a lock to a day runs to that day's end in its time zone, which the caller turns
into an instant. A lock is only ever made longer (invariant R1).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from retention_rules.decision import period_words
from retention_rules.model import Decision, LockMode, LockPolicy, State
from retention_rules.periods import add

TEXT_FULL = "Locked to the end of its retention, {until_date}."
TEXT_ROLLING = "Locked {horizon} ahead of today, to {until_date}, and renewed as time goes on."
TEXT_OPEN = (
    "Its end cannot be told yet: locked {horizon} ahead of today, to {until_date}, and renewed as time goes on."
)
TEXT_CAPPED = "Locked as long as a store can, to {until_date}, and renewed as time goes on."
TEXT_KEPT = "Locked to {until_date} already, which is never shortened."


@dataclass(frozen=True)
class FiledLock:
    """The lock that a filed record gets. `is_rolling`: it must be renewed before it runs out."""

    mode: LockMode
    until_date: date
    is_rolling: bool
    text: str
    facts: Mapping[str, str]


def intake_lock_until(received_at: datetime, policy: LockPolicy | None = None) -> datetime:
    """Until when the GOVERNANCE lock of a received record runs (instants in UTC, whole seconds).

    A wrong class can still be corrected before filing, so the lock that nobody can shorten comes only then.
    """
    lasts_days = (policy or LockPolicy()).intake_lasts_days
    return received_at.replace(microsecond=0) + timedelta(days=lasts_days)


def filed_lock(
    decision: Decision, on: date, policy: LockPolicy, locked_until: date | None = None
) -> FiledLock | None:
    """The COMPLIANCE lock for a record filed or renewed on the day `on`; none when it is due and not locked further.

    Nobody can take this lock back, so it never promises more than the decision: to its date, or, under a rolling
    policy and while no date can be told, only so far ahead as the policy says. `locked_until` is what was promised
    before and is kept.
    """
    ahead = add(on, policy.horizon)
    certain = decision.kept_at_least_until
    is_rolling = True
    if decision.state in {State.OPEN, State.PERMANENT}:
        text, until = TEXT_OPEN, ahead
        if certain is not None and not policy.is_rolling:
            until = max(ahead, certain)
    elif decision.state is State.DUE or decision.retain_until is None:
        if locked_until is None or locked_until < on:
            return None
        text, until, is_rolling = TEXT_KEPT, locked_until, False
    elif policy.is_rolling and ahead < decision.retain_until:
        text, until = TEXT_ROLLING, ahead
    else:
        text, until, is_rolling = TEXT_FULL, decision.retain_until, False
    longest = on + min(timedelta(days=policy.lasts_days_max), date.max - on)
    if until > longest:
        text, until, is_rolling = TEXT_CAPPED, longest, True
    if locked_until is not None and locked_until > until:
        text, until = TEXT_KEPT, locked_until
    told = {"until_date": until.isoformat(), "horizon": period_words(policy.horizon)}
    return FiledLock(LockMode.COMPLIANCE, until, is_rolling, text, told)
