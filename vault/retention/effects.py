"""What a schedule version would do to a record: each effect is a condition on the two laws' answers, in one place.

The same conditions choose which records are kept, count them, and narrow the list of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Protocol

from sqlalchemy import ColumnCollection, ColumnElement, Integer, and_, cast, false, func, or_

from retention_rules.model import What
from vault.retention.tables import simulation_effects

YEAR_DAYS = 365.2425
_DUE = (What.DESTROY.value, What.REVIEW.value, What.TRANSFER.value)


class Effect(StrEnum):
    """One way in which a record would be treated otherwise."""

    LONGER = "longer"  # kept longer: both laws say until when
    SHORTER = "shorter"
    OPEN_LONGER = "open_longer"  # when it ends cannot be told before or after; what is certain moves back
    OPEN_SHORTER = "open_shorter"
    PERMANENT = "permanent"  # to be kept for ever, and was not
    NOT_PERMANENT = "not_permanent"
    OPEN = "open"  # the end can no longer be told
    NOT_OPEN = "not_open"
    DUE = "due"  # due to be appraised, destroyed or handed over, and was not
    NOT_DUE = "not_due"
    DISPOSITION = "disposition"  # due before and after, for something else
    RESTRICTED = "restricted"  # kept, but all use of it stops
    NOT_RESTRICTED = "not_restricted"
    ESCALATED = "escalated"  # a person must decide, as the law does not
    NOT_ESCALATED = "not_escalated"
    LIMIT = "limit"  # the day by which it must be gone moves
    LOCK = "lock"  # would be kept less long, but a lock stands: it is kept until the lock ends
    HOLD = "hold"  # would become due or be kept less long, but a hold is in force: it is kept until that is released
    LOCK_GROWS = "lock_grows"  # its lock will be made longer than it would be otherwise, which nobody can take back


class _Rows(Protocol):
    @property
    def c(self) -> ColumnCollection[Any, Any]: ...


def conditions(rows: _Rows = simulation_effects) -> Mapping[Effect, ColumnElement[bool]]:
    """When a row with the columns of `simulation_effects` has each effect."""
    c = rows.c
    is_due_before, is_due_after = c.what_before.in_(_DUE), c.what_after.in_(_DUE)
    told = _entered(c, What.PERMANENT), _left(c, What.PERMANENT)
    return MappingProxyType(
        {
            Effect.LONGER: c.until_after > c.until_before,
            Effect.SHORTER: c.until_after < c.until_before,
            Effect.OPEN_LONGER: and_(_stays_open(c), _is_later(c.at_least_after, c.at_least_before)),
            Effect.OPEN_SHORTER: and_(_stays_open(c), _is_later(c.at_least_before, c.at_least_after)),
            Effect.PERMANENT: told[0],
            Effect.NOT_PERMANENT: told[1],
            Effect.OPEN: and_(
                c.until_before.isnot(None), c.until_after.is_(None), c.what_after != What.PERMANENT.value
            ),
            Effect.NOT_OPEN: and_(
                c.until_before.is_(None), c.until_after.isnot(None), c.what_before != What.PERMANENT.value
            ),
            Effect.DUE: and_(~is_due_before, is_due_after),
            Effect.NOT_DUE: and_(is_due_before, ~is_due_after),
            Effect.DISPOSITION: and_(is_due_before, is_due_after, c.what_before != c.what_after),
            Effect.RESTRICTED: _entered(c, What.RESTRICTED),
            Effect.NOT_RESTRICTED: _left(c, What.RESTRICTED),
            Effect.ESCALATED: _entered(c, What.ESCALATE),
            Effect.NOT_ESCALATED: _left(c, What.ESCALATE),
            Effect.LIMIT: c.delete_by_before.is_distinct_from(c.delete_by_after),
            Effect.LOCK: _meets_lock(c),
            Effect.HOLD: and_(c.is_held, _lets_go(c)),
            Effect.LOCK_GROWS: _lengthens_lock(c),
        }
    )


def is_affected(rows: _Rows) -> ColumnElement[bool]:
    """Whether a row has any effect."""
    c = rows.c
    return or_(
        c.until_before.is_distinct_from(c.until_after),
        c.at_least_before.is_distinct_from(c.at_least_after),
        c.what_before != c.what_after,
        c.delete_by_before.is_distinct_from(c.delete_by_after),
        func.coalesce(_meets_lock(c), false()),
        func.coalesce(_lengthens_lock(c), false()),
    )


def years(rows: _Rows = simulation_effects) -> ColumnElement[int]:
    """How many years a record gains (or loses, below nothing), to the nearest; null unless both ends are known."""
    return cast(func.round((rows.c.until_after - rows.c.until_before) / YEAR_DAYS), Integer)


def _stays_open(c: ColumnCollection[Any, Any]) -> ColumnElement[bool]:
    is_permanent = or_(c.what_before == What.PERMANENT.value, c.what_after == What.PERMANENT.value)
    return and_(c.until_before.is_(None), c.until_after.is_(None), ~is_permanent)


def _is_later(one: ColumnElement[Any], other: ColumnElement[Any]) -> ColumnElement[bool]:
    """Whether a day is later than another, which may be none."""
    return and_(one.isnot(None), or_(other.is_(None), one > other))


def _entered(c: ColumnCollection[Any, Any], what: What) -> ColumnElement[bool]:
    return and_(c.what_before != what.value, c.what_after == what.value)


def _left(c: ColumnCollection[Any, Any], what: What) -> ColumnElement[bool]:
    return and_(c.what_before == what.value, c.what_after != what.value)


def _lets_go(c: ColumnCollection[Any, Any]) -> ColumnElement[bool]:
    """It would become due, or be kept less long, by whatever of it can be told, or were it not for a lock that stands."""
    ways = (
        and_(c.what_before.notin_(_DUE), c.what_after.in_(_DUE)),
        c.until_after < c.until_before,
        and_(_stays_open(c), _is_later(c.at_least_before, c.at_least_after)),
        _left(c, What.PERMANENT),
        _meets_lock(c),
    )
    return or_(*(func.coalesce(way, false()) for way in ways))


def _meets_lock(c: ColumnCollection[Any, Any]) -> ColumnElement[bool]:
    """Its period, or the day by which it must be gone, would move to before the end of a lock that stands."""
    earlier = and_(c.period_after < c.locked_until, or_(c.period_before.is_(None), c.period_after < c.period_before))
    sooner = and_(
        c.delete_by_after < c.locked_until,
        or_(c.delete_by_before.is_(None), c.delete_by_after < c.delete_by_before),
    )
    return or_(func.coalesce(earlier, false()), func.coalesce(sooner, false()))


def _lengthens_lock(c: ColumnCollection[Any, Any]) -> ColumnElement[bool]:
    """The sweep would lock it past what stands, and past what the law that applies otherwise would have it locked to."""
    return and_(c.lock_after > c.locked_until, or_(c.lock_before.is_(None), c.lock_after > c.lock_before))
