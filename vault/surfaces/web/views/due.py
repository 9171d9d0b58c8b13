"""What falls due when: years, the months of a year, the days of a month."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from vault.surfaces.web.charts import BarChart
from vault.surfaces.web.views.parts import Choices, Link


@dataclass(frozen=True, slots=True)
class DueFilter:
    """What the calendar is narrowed to."""

    class_code: str = ""
    unit: str = ""
    year: str = ""
    month: str = ""


@dataclass(frozen=True, slots=True)
class DueCell:
    """A stretch of time; `href` leads to its records, `heat` is 0 to 4."""

    label: str
    count: int
    href: str
    heat: int
    is_now: bool = False


@dataclass(frozen=True, slots=True)
class DueRow:
    """One class, and what falls due of it in each stretch."""

    name: str
    cells: tuple[DueCell, ...]
    total: DueCell


@dataclass(frozen=True, slots=True)
class DueView:
    """The calendar. `weeks` are the days of a month, with nothing where the month has none; else `rows` by class."""

    title: str
    filter: DueFilter
    choices: Choices
    chart: BarChart
    chart_hrefs: tuple[str, ...]
    headings: tuple[Link, ...]
    rows: tuple[DueRow, ...]
    totals: tuple[DueCell, ...]
    weeks: tuple[tuple[DueCell | None, ...], ...]
    weekdays: tuple[str, ...]
    total_count: int
    tabs: tuple[tuple[Link, bool], ...]
    previous: Link | None
    next: Link | None
    overdue: tuple[tuple[str, int, str], ...]
    today: date
    nearest: tuple[Link, ...] = ()  # the nearest stretches before and after in which something falls due
