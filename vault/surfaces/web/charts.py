"""Charts as geometry: numbers in, places in per cent and pixels out; the templates draw them as SVG.

Horizontal places are per cent of the width and vertical ones pixels, so a chart fills any width while its
letters and lines keep their size. Nothing here needs an inline style, which the content policy forbids.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar; `x` and `width` in per cent, `y` and `height` in pixels from the top."""

    label: str
    value: int
    x: float
    width: float
    y: float
    height: float
    is_labelled: bool
    is_highest: bool


@dataclass(frozen=True, slots=True)
class BarChart:
    """Counts side by side, with one grid line at half and one at the top."""

    bars: tuple[Bar, ...]
    height: int
    value_max: int
    value_sum: int


def bar_chart(counts: Sequence[tuple[str, int]], *, height: int = 96, label_every: int = 1) -> BarChart:
    """Lays out `counts` (label, number); a number above nothing is never thinner than 2 px."""
    value_max = max((value for _, value in counts), default=0)
    slot = 100 / max(1, len(counts))
    bars = []
    for index, (label, value) in enumerate(counts):
        tall = max(2.0, height * value / value_max) if value else 0.0
        bars.append(
            Bar(
                label=label,
                value=value,
                x=round(index * slot + slot * 0.15, 3),
                width=round(slot * 0.7, 3),
                y=round(height - tall, 2),
                height=round(tall, 2),
                is_labelled=index % label_every == 0,
                is_highest=value > 0 and value == value_max,
            )
        )
    return BarChart(tuple(bars), height, value_max, sum(value for _, value in counts))


@dataclass(frozen=True, slots=True)
class Stretch:
    """A bar on a time line; `x` and `width` in per cent. Without an end it runs off the right edge."""

    x: float
    width: float
    is_open: bool


@dataclass(frozen=True, slots=True)
class Tick:
    """A year on the axis."""

    x: float
    label: str


@dataclass(frozen=True, slots=True)
class LockLine:
    """Locks in each store and the retention of one record, as bars on one time line."""

    locks: tuple[Stretch, ...]
    retention: Stretch
    certain: Stretch | None  # the part of an open retention that is certain
    today_x: float
    ticks: tuple[Tick, ...]
    is_covered: bool


def lock_line(
    *,
    start: date,
    today: date,
    locks_until: Sequence[date],
    retain_until: date | None,
    at_least_until: date | None = None,
) -> LockLine:
    """Lays the locks and the retention period on one line of time.

    Args:
        start: the day the record came in.
        locks_until: for each store the day its earliest lock ends.
        retain_until: the last day it must be kept, or nothing while the period has no end.
        at_least_until: without that, the day until which it must be kept at least.
    """
    ends = [day for day in (*locks_until, retain_until, at_least_until, today) if day is not None]
    days = max(1, (max(ends) - start).days)
    total = days * (1.25 if retain_until is None else 1.06)

    def x(day: date) -> float:
        return round(min(100.0, max(0.0, (day - start).days / total * 100)), 3)

    retention = Stretch(0, 100 if retain_until is None else x(retain_until), retain_until is None)
    return LockLine(
        locks=tuple(Stretch(0, x(until), is_open=False) for until in locks_until),
        retention=retention,
        certain=Stretch(0, x(at_least_until), is_open=False) if at_least_until and retain_until is None else None,
        today_x=x(today),
        ticks=_ticks(start, total, x),
        is_covered=retain_until is not None and all(until >= retain_until for until in locks_until),
    )


def _ticks(start: date, total_days: float, x: Callable[[date], float]) -> tuple[Tick, ...]:
    """Years on the axis; months where there is less than two years to see."""
    if total_days < 730:
        months = [date(start.year + month // 12, month % 12 + 1, 1) for month in range(start.month, start.month + 26)]
        step = 1 if total_days < 240 else 3
        wanted = [(day, f"{day:%Y-%m}") for day in months if (day.month - 1) % step == 0]
    else:
        years = int(total_days // 365.25) + 1
        step = next(step for step in (1, 2, 5, 10, 20, 50, 100, 1000) if years / step <= 6)
        firsts = [date(year, 1, 1) for year in range(start.year + 1, min(9999, start.year + years) + 1)]
        wanted = [(day, str(day.year)) for day in firsts if day.year % step == 0]
    return tuple(Tick(place, label) for day, label in wanted if 3 < (place := x(day)) < 95)
