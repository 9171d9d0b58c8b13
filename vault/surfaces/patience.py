"""Going on after failures that pass by themselves: attempts with growing pauses and full jitter."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from vault.surfaces.client import Interrupted, Unavailable

RETRY_AFTER_S_MAX = 600.0
_RANDOM = random.SystemRandom()

T = TypeVar("T")
OnWait = Callable[[Unavailable, float], None]


@dataclass(frozen=True)
class Patience:
    """How long to go on: the attempts (None: for ever) and the pauses between them, doubling up to the longest."""

    attempts_max: int | None = 8
    pause_first_s: float = 0.5
    pause_most_s: float = 30.0

    def pause_s(self, failures: int, retry_after_s: float | None) -> float:
        """How long to wait after so many failures; what the server asks for is never undercut."""
        longest = min(self.pause_most_s, self.pause_first_s * 2.0 ** min(failures - 1, 20))
        jittered = longest * (0.5 + 0.5 * _RANDOM.random())
        return jittered if retry_after_s is None else max(jittered, min(retry_after_s, RETRY_AFTER_S_MAX))


def persist(
    attempt: Callable[[], T], patience: Patience, stop: threading.Event, on_wait: OnWait = lambda _why, _pause_s: None
) -> T:
    """Repeats `attempt` until it does not fail in a passing way.

    Raises:
        Unavailable: the patience is used up.
        Interrupted: `stop` was set while waiting.
    """
    failures = 0
    while True:
        try:
            return attempt()
        except Unavailable as why:
            failures = 1 if why.has_got_on else failures + 1
            if patience.attempts_max is not None and failures >= patience.attempts_max:
                raise
            pause_s = patience.pause_s(failures, why.retry_after_s)
            on_wait(why, pause_s)
            if stop.wait(pause_s):
                raise Interrupted from why
