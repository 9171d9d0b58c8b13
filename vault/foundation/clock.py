"""The only place that reads the time."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """Tells the time: instants in aware UTC, and a monotonic count of seconds for durations."""

    def now(self) -> datetime: ...

    def monotonic(self) -> float: ...


def is_over(since: datetime, lasts: timedelta, now: datetime) -> bool:
    """Whether what began at an instant and lasts so long is over at `now`.

    An instant further ahead than that was noted by a clock that was wrong: what waits for it would wait for ever.
    """
    return abs(now - since) >= lasts


class SystemClock:
    """The time of this machine."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    def monotonic(self) -> float:
        return time.monotonic()


class FixedClock:
    """A simulated clock that stands still until it is advanced or set (also backwards, to try clock jumps)."""

    def __init__(self, at: datetime) -> None:
        if at.tzinfo is None:
            raise ValueError("an instant must be aware")
        self.at = at.astimezone(UTC)
        self._elapsed_seconds = 0.0

    def now(self) -> datetime:
        return self.at

    def monotonic(self) -> float:
        return self._elapsed_seconds

    def advance(self, by: timedelta) -> None:
        """Moves both the wall clock and the monotonic clock on."""
        self.at += by
        self._elapsed_seconds += max(0.0, by.total_seconds())
