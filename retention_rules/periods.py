"""Calendar arithmetic: ISO 8601 periods, and the day from which each calendar counts."""

from __future__ import annotations

import re
from calendar import monthrange
from datetime import date, timedelta

from retention_rules.model import Calendar, FiscalYear, Period

_ISO_PERIOD = re.compile(r"P(?:([0-9]{1,3})Y)?(?:([0-9]{1,4})M)?(?:([0-9]{1,6})D)?")
PERMANENT = Period(is_permanent=True)


def parse_period(text: str) -> Period:
    """`P10Y`, `P6M`, `P30D`, `P1Y6M` or `permanent`.

    Raises:
        ValueError: anything else.
    """
    if text.lower() == "permanent":
        return PERMANENT
    match = _ISO_PERIOD.fullmatch(text)
    if match is None or not any(match.groups()):
        raise ValueError(f"not a period: {text!r}")
    years, months, days = (int(part or 0) for part in match.groups())
    return Period(months=12 * years + months, days=days)


def add(start: date, period: Period) -> date:
    """The day on which a finite period from `start` has run out.

    A day that the month does not have becomes its last one (29 February and a year give 28 February), as the
    period must not run into the next month (民法典 art. 202). Past the last year that a date can have, it is that
    year's last day: a record kept until then is kept.

    Raises:
        ValueError: the period is permanent.
    """
    if period.is_permanent:
        raise ValueError("a permanent period has no last day")
    months = start.year * 12 + start.month - 1 + period.months
    year, month = divmod(months, 12)
    if year > date.max.year:
        return date.max
    day = date(year, month + 1, min(start.day, _days_in(year, month + 1)))
    return day + timedelta(days=min(period.days, (date.max - day).days))


def count_from(calendar: Calendar, trigger: date, fiscal_year: FiscalYear) -> date:
    """The first day that counts, once `trigger` has happened."""
    if calendar is Calendar.FISCAL_YEAR_END:
        return fiscal_year_end(trigger, fiscal_year) + timedelta(days=1)
    if calendar is Calendar.YEAR_END:
        return year_end(trigger)
    if calendar is Calendar.NEXT_JANUARY:
        return date(trigger.year + 1, 1, 1)
    return trigger


def last_day(calendar: Calendar, trigger: date, period: Period, fiscal_year: FiscalYear) -> date:
    """The last day of a period, which belongs to it.

    Counted from an event or the end of a year, that day itself does not count, so the corresponding day is the last
    (民法典 art. 201, 202; AO s. 108 with BGB s. 187, 188). Counted from a first day, that day counts too.
    """
    start = count_from(calendar, trigger, fiscal_year)
    end = add(start, period)
    if calendar in {Calendar.FISCAL_YEAR_END, Calendar.NEXT_JANUARY} and end > start:
        return end - timedelta(days=1)
    return end


def year_end(day: date) -> date:
    """The last day of the calendar year of `day`."""
    return date(day.year, 12, 31)


def fiscal_year_end(day: date, fiscal_year: FiscalYear) -> date:
    """The last day of the accounting year of `day`. 31 of a shorter month, and 29 February, are its last day."""

    def end_in(year: int) -> date:
        last = min(fiscal_year.end_day, _days_in(year, fiscal_year.end_month))
        return date(year, fiscal_year.end_month, last)

    return end_in(day.year) if day <= end_in(day.year) else end_in(day.year + 1)


def _days_in(year: int, month: int) -> int:
    return monthrange(year, month)[1]
