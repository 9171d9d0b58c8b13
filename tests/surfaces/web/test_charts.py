"""Charts as geometry: shares and places, whatever the numbers."""

from __future__ import annotations

from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from vault.surfaces.web.charts import bar_chart, lock_line

DAYS = st.dates(date(2000, 1, 1), date(2126, 1, 1))


@given(st.lists(st.integers(0, 10**7), max_size=40))
def test_bars_stay_inside_and_keep_their_order_of_height(counts) -> None:
    chart = bar_chart([(str(n), count) for n, count in enumerate(counts)])
    assert chart.value_sum == sum(counts)
    for bar in chart.bars:
        assert bar.x >= 0
        assert bar.x + bar.width <= 100
        assert 0 <= bar.height <= chart.height
        assert abs(bar.y + bar.height - chart.height) < 0.02
        assert (bar.height >= 2) == (bar.value > 0)
    for one, other in zip(chart.bars, chart.bars[1:], strict=False):
        assert one.value >= other.value or one.height <= other.height


@given(DAYS, st.integers(0, 40_000), st.integers(0, 40_000), st.none() | st.integers(0, 40_000))
def test_the_time_line_holds_every_day_it_is_given(start, today_after, lock_after, keep_after) -> None:
    def later(days):
        return date.fromordinal(start.toordinal() + days)

    line = lock_line(
        start=start,
        today=later(today_after),
        locks_until=[later(lock_after), later(lock_after // 2)],
        retain_until=None if keep_after is None else later(keep_after),
        at_least_until=later(lock_after // 3),
    )
    lock, _ = line.locks
    places = [lock.width, line.retention.width, line.today_x, *(tick.x for tick in line.ticks)]
    assert all(0 <= place <= 100 for place in places)
    assert len(line.ticks) <= 8
    if keep_after is None:
        assert line.retention.is_open
        assert line.certain is not None
        assert line.certain.width <= lock.width
        assert not line.is_covered
    else:
        assert line.is_covered == (lock_after // 2 >= keep_after)
        assert (lock.width >= line.retention.width) or lock_after < keep_after
