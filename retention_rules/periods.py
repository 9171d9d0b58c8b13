"""Calendar arithmetic: ISO 8601 periods, and the day from which each calendar counts."""

from __future__ import annotations

import re
from calendar import isleap
from datetime import date, timedelta

from retention_rules.errors import InvalidData
from retention_rules.model import PERMANENT, Calendar, FiscalYear, Organisation, Period, WorkingDays

_ISO_PERIOD = re.compile(r"P(?:([0-9]{1,3})Y)?(?:([0-9]{1,4})M)?(?:([0-9]{1,6})D)?")
_DAYS_ALWAYS = 28  # every month has these
_DAYS_IN = (0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_FEBRUARY = 2
_YEAR_MAX = date.max.year
_DAY = timedelta(days=1)
FROM_A_FIRST_DAY = frozenset({Calendar.FISCAL_YEAR_END, Calendar.NEXT_JANUARY})


def parse_period(text: str) -> Period:
    """`P10Y`, `P6M`, `P30D`, `P1Y6M` or `permanent`.

    Raises:
        InvalidData: anything else.
    """
    if text.lower() == "permanent":
        return PERMANENT
    match = _ISO_PERIOD.fullmatch(text)
    if match is None or not any(match.groups()):
        raise InvalidData(f"not a period: {text[:40]!r}", f"不是期限：{text[:40]!r}")
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
    return add_days(add_months(start, period.months), period.days)


def add_months(start: date, months: int) -> date:
    """The corresponding day `months` later, or the last day of that month; never past the last year there is."""
    years, month = divmod(start.month - 1 + months, 12)
    year, day = start.year + years, start.day
    if year > _YEAR_MAX:
        return date.max
    return date(year, month + 1, day if day <= _DAYS_ALWAYS else min(day, _days_in(year, month + 1)))


def add_days(start: date, days: int) -> date:
    """The day `days` later; never past the last day there is."""
    if not days:
        return start
    return start + timedelta(days=min(days, (date.max - start).days))


def count_from(calendar: Calendar, trigger: date, fiscal_year: FiscalYear) -> date:
    """The day from which a period counts, once `trigger` has happened."""
    if calendar is Calendar.FISCAL_YEAR_END:
        return add_days(fiscal_year_end(trigger, fiscal_year), 1)
    if calendar is Calendar.YEAR_END:
        return year_end(trigger)
    if calendar is Calendar.NEXT_JANUARY:
        return add_days(year_end(trigger), 1)
    return trigger


def last_day(calendar: Calendar, trigger: date, period: Period, organisation: Organisation) -> date | None:
    """The last day of a period, which belongs to it; none while holidays that it needs have not been decreed.

    Counted from an event or the end of a year, that day itself does not count, so the corresponding day is the last
    (民法典 art. 201, 202; AO s. 108 with BGB s. 187, 188). Counted from a first day, that day counts too.
    """
    if calendar is Calendar.WORKING_DAYS:
        return last_working_day(trigger, period, organisation.working_days)
    start = count_from(calendar, trigger, organisation.fiscal_year)
    end = add(start, period)
    if calendar in FROM_A_FIRST_DAY and end > start:
        return end - _DAY
    return end


def last_working_day(trigger: date, period: Period, working: WorkingDays) -> date | None:
    """The months of a period, then its days counted in working days; a last day that is not worked moves to the next
    one that is (民法典 art. 203). None when it reaches into a year whose holidays are not known.
    """
    day, left = add_months(trigger, period.months), period.days
    while True:
        if left:
            day = add_days(day, 1)
        if day.year not in working.years:
            return None
        if is_working_day(day, working):
            left -= 1
            if left <= 0:
                return day
        elif left <= 0:
            day = add_days(day, 1)


def is_working_day(day: date, working: WorkingDays) -> bool:
    """Whether a day of a known year is worked."""
    if day in working.workdays:
        return True
    return day.isoweekday() <= 5 and day not in working.holidays


def year_end(day: date) -> date:
    """The last day of the calendar year of `day`."""
    return date(day.year, 12, 31)


def fiscal_year_end(day: date, fiscal_year: FiscalYear) -> date:
    """The last day of the accounting year of `day`. 31 of a shorter month, and 29 February, are its last day."""
    month, last = fiscal_year.end_month, fiscal_year.end_day
    year = day.year
    if day.month > month or (day.month == month and day.day > last):
        if year == _YEAR_MAX:
            return date.max
        year += 1
    return date(year, month, last if last <= _DAYS_ALWAYS else min(last, _days_in(year, month)))


def _days_in(year: int, month: int) -> int:
    return 29 if month == _FEBRUARY and isleap(year) else _DAYS_IN[month]
