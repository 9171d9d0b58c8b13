"""Calendar arithmetic: ISO 8601 periods, and the day from which each calendar counts."""

from __future__ import annotations

import re
from datetime import date, timedelta

from retention_rules.model import Calendar, FiscalYear, Period

_ISO_PERIOD = re.compile(r"P(?:(\d+)Y)?(?:(\d+)M)?(?:(\d+)D)?$")
PERMANENT = Period(is_permanent=True)


def parse_period(text: str) -> Period:
    """`P10Y`, `P6M`, `P30D`, `P1Y6M` or `permanent`.

    Raises:
        ValueError: anything else.
    """
    if text.lower() == "permanent":
        return PERMANENT
    match = _ISO_PERIOD.match(text)
    if match is None or not any(match.groups()):
        raise ValueError(f"not a period: {text!r}")
    years, months, days = (int(part or 0) for part in match.groups())
    return Period(months=12 * years + months, days=days)


def add(start: date, period: Period) -> date:
    """The day on which a finite period from `start` has run out.

    A day that the month does not have becomes its last one (29 February and a year give 28 February), as the
    period must not run into the next month (民法典 art. 202).
    """
    months = start.year * 12 + start.month - 1 + period.months
    year, month = divmod(months, 12)
    return date(year, month + 1, min(start.day, _days_in(year, month + 1))) + timedelta(days=period.days)


def count_from(calendar: Calendar, trigger: date, fiscal_year: FiscalYear) -> date:
    """The first day that counts, once `trigger` has happened."""
    if calendar is Calendar.FISCAL_YEAR_END:
        end = _fiscal_year_end(trigger, fiscal_year)
        return end + timedelta(days=1)
    if calendar is Calendar.YEAR_END:
        return date(trigger.year, 12, 31)
    if calendar is Calendar.NEXT_JANUARY:
        return date(trigger.year + 1, 1, 1)
    return trigger


def _fiscal_year_end(day: date, fiscal_year: FiscalYear) -> date:
    def end_in(year: int) -> date:
        last = min(fiscal_year.end_day, _days_in(year, fiscal_year.end_month))
        return date(year, fiscal_year.end_month, last)

    return end_in(day.year) if day <= end_in(day.year) else end_in(day.year + 1)


def _days_in(year: int, month: int) -> int:
    following = date(year + month // 12, month % 12 + 1, 1)
    return (following - timedelta(days=1)).day
