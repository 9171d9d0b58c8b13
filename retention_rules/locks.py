"""Which lock a record gets when: short and liftable at intake, the class's own once it is filed.

Days are days of the organisation: a lock to a day runs to that day's end in its time zone, which the caller turns
into an instant. A lock is only ever made longer (invariant R1).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum

from retention_rules.model import LockMode, LockPolicy, State
from retention_rules.periods import add


class LockKind(StrEnum):
    """Why a lock runs as far as it does; one sentence each in `words`."""

    FULL = "full"  # to the end of its retention
    ROLLING = "rolling"  # ahead of today, as the class wants it
    OPEN = "open"  # ahead of today, as the end cannot be told
    PERMANENT = "permanent"  # ahead of today, as there is no end
    CAPPED = "capped"  # as far as a store can
    LIMITED = "limited"  # as far as a law allows it to be kept
    KEPT = "kept"  # as far as it was promised before


@dataclass(frozen=True)
class Ahead:
    """What a decision says of the time ahead: the periods' state, their end, what is certain, and a legal limit."""

    state: State
    retain_until: date | None
    at_least_until: date | None
    limit: date | None = None


@dataclass(frozen=True)
class FiledLock:
    """The lock that a filed record gets. `is_rolling`: it must be renewed before it runs out."""

    mode: LockMode
    until_date: date
    is_rolling: bool
    kind: LockKind


def intake_lock_until(received_at: datetime, policy: LockPolicy | None = None) -> datetime:
    """Until when the GOVERNANCE lock of a received record runs (instants in UTC, whole seconds).

    A wrong class can still be corrected before filing, so the lock that nobody can shorten comes only then.
    """
    lasts_days = (policy or LockPolicy()).intake_lasts_days
    return received_at.replace(microsecond=0) + timedelta(days=lasts_days)


def filed_lock(ahead: Ahead, on: date, policy: LockPolicy, locked_until: date | None = None) -> FiledLock | None:
    """The COMPLIANCE lock for a record filed or renewed on the day `on`; none when nothing keeps it any more.

    Nobody can take this lock back, so it never promises more than the decision: to its date, or, under a rolling
    policy and while no date can be told, only so far ahead as the policy says; and never beyond what a law allows.
    `locked_until` is what was promised before and is kept.
    """
    kind, until, is_rolling = _wanted(ahead, on, policy)
    if ahead.limit is not None and until is not None and until > ahead.limit:
        kind, until, is_rolling = LockKind.LIMITED, ahead.limit, False
    _, longest = ahead_of(on, policy)
    if until is not None and until > longest:
        kind, until, is_rolling = LockKind.CAPPED, longest, True
    if locked_until is not None and (until is None or locked_until > until):
        kind, until = LockKind.KEPT, locked_until
    if until is None or until < on:
        return None
    return FiledLock(LockMode.COMPLIANCE, until, is_rolling, kind)


def ahead_of(on: date, policy: LockPolicy) -> tuple[date, date]:
    """To which day a lock rolls on a day, and the furthest that a store can be asked for."""
    return add(on, policy.horizon), on + min(timedelta(days=policy.lasts_days_max), date.max - on)


def _wanted(ahead: Ahead, on: date, policy: LockPolicy) -> tuple[LockKind, date | None, bool]:
    """What the class's policy would lock, whether it may or not."""
    rolled, _ = ahead_of(on, policy)
    if ahead.state in {State.OPEN, State.PERMANENT}:
        kind, certain = LockKind.PERMANENT if ahead.state is State.PERMANENT else LockKind.OPEN, ahead.at_least_until
        if certain is None or policy.is_rolling or certain < rolled:
            return kind, rolled, True
        return kind, certain, True
    if ahead.state is State.DUE or ahead.retain_until is None:
        return LockKind.KEPT, None, False
    if policy.is_rolling and rolled < ahead.retain_until:
        return LockKind.ROLLING, rolled, True
    return LockKind.FULL, ahead.retain_until, False
