"""Turning measured seconds into figures: median, p95, and the spread that tells how noisy the machine was."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any


def quantile(values: Sequence[float], share: float) -> float:
    """The value below which `share` of the values lie (nearest rank)."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def timed(work: Callable[[], Any], rounds: int) -> list[float]:
    """Seconds of each of `rounds` calls."""
    seconds = []
    for _ in range(rounds):
        started = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - started)
    return seconds


def milliseconds(seconds: Sequence[float]) -> dict[str, float]:
    """p50, p95, least and most, in milliseconds."""
    return {
        "p50_ms": round(quantile(seconds, 0.5) * 1000, 3),
        "p95_ms": round(quantile(seconds, 0.95) * 1000, 3),
        "min_ms": round(min(seconds) * 1000, 3),
        "max_ms": round(max(seconds) * 1000, 3),
    }
