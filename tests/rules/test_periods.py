"""Calendar arithmetic against an independent library, on a million random cases; periods and triggers as text."""

from __future__ import annotations

import random
from datetime import MAXYEAR, date, timedelta

import pytest
from dateutil.relativedelta import relativedelta
from dateutil.rrule import DAILY, FR, MO, TH, TU, WE, rrule
from hypothesis import given
from hypothesis import strategies as st

from retention_rules.errors import InvalidData
from retention_rules.model import PERMANENT, Calendar, FiscalYear, Organisation, Period, WorkingDays
from retention_rules.periods import add, fiscal_year_end, last_day, parse_period
from retention_rules.triggers import DEPTH_MAX, PARTS_MAX, Combined, Happens, How, events_in, parse_trigger

FIRST, LAST = date(1900, 1, 1).toordinal(), date(2199, 12, 31).toordinal()


DAY, YEAR = relativedelta(days=1), relativedelta(years=1)
DECEMBER, NEW_YEAR = relativedelta(month=12, day=31), relativedelta(years=1, month=1, day=1)


def independently(calendar: Calendar, happened: date, length: relativedelta, year_end: relativedelta) -> date:
    """The last day of a period, by dateutil and in other words than the law's."""
    if calendar is Calendar.EXACT_DATE:
        return happened + length
    if calendar is Calendar.YEAR_END:
        return happened + DECEMBER + length
    if calendar is Calendar.NEXT_JANUARY:
        first = happened + NEW_YEAR
    else:
        end = happened + year_end
        first = (end if end >= happened else happened + YEAR + year_end) + DAY
    return max(first, first + length - DAY)


@pytest.mark.slow
@pytest.mark.timeout(1200)
@pytest.mark.clause("C6.1")
def test_a_million_dates_agree_with_an_independent_library() -> None:
    seed = random.SystemRandom().randrange(2**32)
    chance = random.Random(seed)
    calendars = [calendar for calendar in Calendar if calendar is not Calendar.WORKING_DAYS]
    months = [0, 1, 6, 12, 24, 60, 120, 180, 360, 1200, *range(0, 1300, 7)]
    periods = [Period(months=chance.choice(months), days=chance.choice([0, 0, 30, 365])) for _ in range(300)]
    lengths = [(period, relativedelta(months=period.months, days=period.days)) for period in periods]
    ends = [(month, day) for month in range(1, 13) for day in (1, 15, 28, 29, 30, 31)]
    years = [(Organisation(FiscalYear(*end)), relativedelta(month=end[0], day=end[1])) for end in ends]
    for _ in range(1_000_000):
        happened = date.fromordinal(chance.randrange(FIRST, LAST))
        if happened.day == 17:  # the end of February more often than it comes
            happened = happened.replace(month=2, day=28) + timedelta(days=chance.choice((0, 1)))
        calendar, (period, length), (year, year_end) = (
            chance.choice(calendars),
            chance.choice(lengths),
            chance.choice(years),
        )

        told = last_day(calendar, happened, period, year)

        assert told == independently(calendar, happened, length, year_end), (seed, calendar, happened, period, year)


@given(
    st.dates(date(2020, 1, 1), date(2029, 1, 1)),
    st.integers(1, 300),
    st.sets(st.dates(date(2020, 1, 1), date(2030, 12, 31)), max_size=60),
    st.sets(st.dates(date(2020, 1, 1), date(2030, 12, 31)), max_size=20),
)
def test_working_days_agree_with_an_independent_library(
    happened: date, count: int, holidays: set[date], moved: set[date]
) -> None:
    working = WorkingDays(frozenset(holidays), frozenset(moved), frozenset(range(2020, 2032)))
    weekdays = {
        day.date() for day in rrule(DAILY, byweekday=(MO, TU, WE, TH, FR), dtstart=happened, until=date(2031, 12, 31))
    }
    worked = sorted(day for day in (weekdays - holidays) | moved if day > happened)

    told = last_day(Calendar.WORKING_DAYS, happened, Period(days=count), Organisation(working_days=working))

    assert told == worked[count - 1]


def test_a_last_day_that_is_not_worked_moves_to_the_next_that_is() -> None:
    known = Organisation(working_days=WorkingDays(years=frozenset({2026, 2027})))

    assert last_day(Calendar.WORKING_DAYS, date(2026, 10, 2), Period(months=2), known) == date(2026, 12, 2)
    assert last_day(Calendar.WORKING_DAYS, date(2026, 10, 5), Period(months=2), known) == date(2026, 12, 7)
    assert last_day(Calendar.WORKING_DAYS, date(2026, 12, 5), Period(), known) == date(2026, 12, 7)


def test_nothing_is_told_of_years_whose_holidays_are_not_known() -> None:
    known = Organisation(working_days=WorkingDays(years=frozenset({2026})))

    assert last_day(Calendar.WORKING_DAYS, date(2026, 12, 30), Period(days=1), known) == date(2026, 12, 31)
    assert last_day(Calendar.WORKING_DAYS, date(2026, 12, 30), Period(days=2), known) is None
    assert last_day(Calendar.WORKING_DAYS, date(2026, 12, 30), Period(months=120), known) is None


def test_time_ends_with_the_last_day_there_is() -> None:
    far = date(MAXYEAR, 6, 1)

    assert add(far, Period(months=12)) == date.max
    assert add(date(9900, 1, 1), Period(months=1200, days=5)) == date.max
    assert add(far, Period(days=10**6)) == date.max
    assert fiscal_year_end(far, FiscalYear(3, 31)) == date.max
    for calendar in Calendar:
        told = last_day(calendar, far, Period(months=12), Organisation())
        assert told is None or told >= far
    with pytest.raises(ValueError, match="no last day"):
        add(far, PERMANENT)


@pytest.mark.parametrize(
    ("text", "period"),
    [
        ("P10Y", Period(months=120)),
        ("P1Y6M", Period(months=18)),
        ("P90D", Period(days=90)),
        ("P0D", Period()),
        ("P2Y1M3D", Period(months=25, days=3)),
        ("permanent", PERMANENT),
    ],
)
def test_a_period_is_read_and_told(text: str, period: Period) -> None:
    assert parse_period(text) == period
    assert str(period) == text


@pytest.mark.parametrize(
    "text", ["", "P", "10", "P10", "10Y", "P-1Y", "P1.5Y", "PT1H", "P1W", "for ever", "P1000Y", "P１Y"]
)
def test_what_is_no_period_is_refused(text: str) -> None:
    with pytest.raises(InvalidData, match="not a period"):
        parse_period(text)


@given(st.integers(0, 9999), st.integers(0, 999_999))
def test_any_period_survives_its_text(months: int, days: int) -> None:
    assert parse_period(str(Period(months=months, days=days))) == Period(months=months, days=days)


TRIGGERS = st.recursive(
    st.from_regex(r"[a-z][a-z0-9_]{0,20}", fullmatch=True).filter(lambda name: name not in set(How)).map(Happens),
    lambda part: st.builds(Combined, st.sampled_from(How), st.lists(part, min_size=2, max_size=3).map(tuple)),
    max_leaves=6,
)


@given(TRIGGERS)
def test_any_trigger_survives_its_text(trigger: Happens | Combined) -> None:
    try:
        read = parse_trigger(str(trigger))
    except InvalidData:
        assert str(trigger).count("(") > DEPTH_MAX
    else:
        assert read == trigger
        assert set(events_in(read)) == set(events_in(trigger))


@pytest.mark.parametrize(
    "text",
    ["", "A", "a b", "all_of", "all_of()", "all_of(a)", "all_of(a,)", "all_of(a b)", "later_of(a, b", "later_of a, b)",
     "(a, b)", "a)", "any_of(a, b)", "a, b", "1a", "a-b", f"all_of({', '.join(['a'] * (PARTS_MAX + 1))})",
     "all_of(a, " * (DEPTH_MAX + 2) + "b" + ")" * (DEPTH_MAX + 2)],
)  # fmt: skip
def test_what_is_no_trigger_is_refused(text: str) -> None:
    with pytest.raises(InvalidData, match="not a trigger"):
        parse_trigger(text)
