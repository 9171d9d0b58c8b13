"""So many requests in a second and no more, from however many threads: a store has others to serve."""

from __future__ import annotations

import threading
import time

from vault.foundation.clock import Clock, SystemClock


class Pace:
    """Lets requests through evenly; without a number as they come. It goes by the time of the machine, which waits."""

    def __init__(self, per_second: float | None, clock: Clock | None = None) -> None:
        self._gap_s = 1 / per_second if per_second else 0.0
        self._clock = clock or SystemClock()
        self._guard = threading.Lock()
        self._next_s = 0.0

    def wait(self) -> None:
        """Returns when it is this request's turn."""
        if not self._gap_s:
            return
        with self._guard:
            now_s = self._clock.monotonic()
            turn_s = max(self._next_s, now_s)
            self._next_s = turn_s + self._gap_s
        if turn_s > now_s:
            time.sleep(turn_s - now_s)
