"""The due calendar: the same numbers as the records list behind each link, for years, months and days, and only one's own."""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from datetime import date, timedelta

import httpx
import pytest

from tests.support.archive import Archive, jpeg
from tests.support.pages import Visitor
from vault.access import service
from vault.access.rights import Role
from vault.retention.sweep import sweep

Visit = Callable[..., Visitor]


def text_of(answer: httpx.Response) -> str:
    main = answer.text.partition("<main")[2].partition(">")[2].partition("</main>")[0]
    return html.unescape(" ".join(re.sub(r"<[^>]+>", " ", main).split()))


def counted_links(answer: httpx.Response) -> dict[str, int]:
    """Each link to records with the number that stands in it."""
    found = re.findall(r'<a href="(/records\?[^"]+)">(?:<strong>)?([0-9,]+)', answer.text)
    return {html.unescape(href): int(number.replace(",", "")) for href, number in found}


@pytest.fixture
def kept(archive: Archive) -> Archive:
    """General slips of March and April 2026, kept five years; a complaint, kept ten; a contract whose end is open."""
    days = (date(2026, 3, 1), date(2026, 3, 1), date(2026, 3, 15), date(2026, 4, 2))
    for place, day in enumerate(days):
        archive.send(jpeg(70 + place), occurred_date=day)
    archive.send(jpeg(80), class_code="CONTRACT", occurred_date=date(2026, 3, 1))
    archive.send(jpeg(81), class_code="LICENCE", occurred_date=date(2026, 3, 1))
    return archive


def test_each_number_leads_to_just_so_many_records(kept: Archive, visit: Visit) -> None:
    keeper = visit("keeper", Role.ARCHIVIST)
    month = counted_links(keeper.get("/due?month=2031-03"))
    assert sorted(month.values()) == [1, 2, 3], "two days, and the class together"
    year = counted_links(keeper.get("/due?year=2031"))
    assert {3, 1, 4} <= set(year.values())
    for links in (month, year, counted_links(keeper.get("/due?year=all"))):
        assert links
        for href, count in links.items():
            listed = text_of(keeper.get(href))
            assert f"共 {count} 条" in listed, (href, listed[:200])


def test_filters_stand_in_the_address_and_go_on_to_the_records(kept: Archive, visit: Visit) -> None:
    keeper = visit("keeper", Role.ARCHIVIST)
    links = counted_links(keeper.get("/due?year=2031&class_code=GENERAL"))
    assert links
    assert all("class_code=GENERAL" in href for href in links)
    assert "没有档案届满" in text_of(keeper.get("/due?year=2031&class_code=COMPLAINT"))
    for query in ("year=x", "year=99999", "month=2031-13", "month=0000-01", "unit=x", "year=0001", "month=9998-12"):
        assert keeper.get(f"/due?{query}").status_code == 200, query


def test_what_is_past_its_last_day_is_told_and_leads_to_its_records(kept: Archive, visit: Visit) -> None:
    keeper = visit("keeper", Role.ARCHIVIST)
    assert "已届满" not in text_of(keeper.get("/due"))
    kept.clock.advance(timedelta(days=366 * 6))
    sweep(kept.ctx)
    keeper = visit("keeper2", Role.ARCHIVIST)
    page = keeper.get("/due")
    assert "已届满，待处置" in text_of(page)
    links = re.findall(r'<a href="(/records\?[^"]*what=[^"]+)">', page.text)
    assert links
    assert "共 4 条" in text_of(keeper.get(html.unescape(links[0])))


@pytest.mark.clause("C4.4")
def test_only_the_records_of_ones_own_unit_are_counted(kept: Archive, visit: Visit) -> None:
    other = service.create_unit(kept.ctx, kept.operator, "GT02", "二号窗口", "Window 2")
    clerk = visit("clerk", Role.CLERK, unit_id=other)
    assert "没有档案届满" in text_of(clerk.get("/due?year=2031"))
    assert visit("officer", Role.SYSTEM_OFFICER).get("/due").status_code == 403


def test_it_opens_where_something_falls_due_and_leads_to_the_other_years(archive: Archive, visit: Visit) -> None:
    keeper = visit("keeper", Role.ARCHIVIST)
    empty = text_of(keeper.get("/due"))
    assert f"{archive.clock.now().year} 年" in empty
    assert "没有档案届满" in empty
    assert "最近有档案届满的时段" not in empty
    archive.send(jpeg(90), occurred_date=date(2026, 3, 1))
    archive.send(jpeg(91), class_code="LICENCE", occurred_date=date(2026, 3, 1))
    opened = keeper.get("/due")
    assert "2031 年" in text_of(opened)
    assert "一般业务单 · · 1 ·" in text_of(opened)
    assert 'href="/due?year=2056"' in opened.text
    assert "2056 年" in text_of(keeper.get("/due?class_code=LICENCE")), "of those that the filters name"
    between = keeper.get("/due?year=2040").text
    assert "没有档案届满" in between
    assert [year for year in ("2031", "2056") if f'href="/due?year={year}"' in between] == ["2031", "2056"]
    assert 'href="/due?month=2056-12"' in keeper.get("/due?month=2040-01").text
