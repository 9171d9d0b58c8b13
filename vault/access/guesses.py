"""Slowing down guesses at passwords: counted for each login and each address, with a wait that doubles.

An attempt is counted before the password is looked at and taken back when it was right, so a thousand attempts at
once are no better than a thousand one after the other. What is guessed at is kept as a digest, never in plain.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.dialects.postgresql import insert

from vault.access.errors import TooManyGuesses
from vault.access.tables import guesses
from vault.foundation.db.transaction import Transaction

DELAY_MAX = timedelta(minutes=15)


@dataclass(frozen=True)
class Target:
    """What is guessed at, how many wrong tries are free, and how long until they are forgotten."""

    digest: bytes
    free_failures: int
    forgotten_after: timedelta


def login_target(login: str) -> Target:
    """The account behind a sign-in name, whether it exists or not."""
    return Target(_digest(f"login/{login}"), 5, timedelta(hours=24))


def address_target(address: str) -> Target:
    """A network address. A whole hall of windows may share one, so it has more patience."""
    return Target(_digest(f"address/{address}"), 50, timedelta(hours=1))


def delay_after(failures: int, free_failures: int) -> timedelta:
    """How long the next guess must wait after so many wrong ones: nothing, then 2, 4, 8 ... seconds."""
    over = failures - free_failures
    if over <= 0:
        return timedelta(0)
    return min(DELAY_MAX, timedelta(seconds=2 ** min(over, 16)))


def count_attempt(tx: Transaction, *targets: Target) -> timedelta:
    """Counts an attempt as wrong until `take_back` says otherwise; returns the longest wait that now follows.

    Raises:
        TooManyGuesses: the wait after an earlier guess is not over; this one does not count.
    """
    now = tx.clock.now()
    longest = timedelta(0)
    for target in targets:
        # One statement makes or locks the row: between two, a right sign-in could have taken it away.
        row = tx.connection.execute(
            insert(guesses)
            .values(target=target.digest, failures=0, last_at=now, free_at=now)
            .on_conflict_do_update(index_elements=["target"], set_={"failures": guesses.c.failures})
            .returning(guesses)
        ).one()
        _require_waited(now, row.free_at)
        failures = 1 if now - row.last_at > target.forgotten_after else row.failures + 1
        delay = delay_after(failures, target.free_failures)
        longest = max(longest, delay)
        tx.connection.execute(
            guesses.update()
            .where(guesses.c.target == target.digest)
            .values(failures=failures, last_at=now, free_at=now + delay)
        )
    return longest


def take_back(tx: Transaction, right: Target, *others: Target) -> None:
    """The attempt was right: forgets the wrong ones at `right`, and at the others only this one."""
    tx.connection.execute(guesses.delete().where(guesses.c.target == right.digest))
    now = tx.clock.now()
    for target in others:
        tx.connection.execute(
            guesses.update()
            .where(guesses.c.target == target.digest, guesses.c.failures > 0)
            .values(failures=guesses.c.failures - 1, free_at=now)
        )


def _require_waited(now: datetime, free_at: datetime) -> None:
    wait = free_at - now
    # A longer wait than there is comes from a clock that was wrong: nobody is locked out for a year by that.
    if timedelta(0) < wait <= DELAY_MAX:
        raise TooManyGuesses(retry_after_s=int(wait.total_seconds()) + 1)


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()
