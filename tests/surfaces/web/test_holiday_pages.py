"""Holidays in the browser: entered by those who may, read by those who read the schedule, replaced and kept."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

import pytest

from tests.support.archive import Archive
from tests.support.pages import Visitor
from vault.access.rights import Role
from vault.foundation.ledger.queries import EntryFilters, count_entries
from vault.retention.holidays import list_years

Visit = Callable[..., Visitor]
YEAR = {
    "year": "2027",
    "holidays": "2027-01-01\r\n2027-02-05..2027-02-07，2027-05-01",
    "workdays": "2027-02-14",
    "source": "国办发明电〔2026〕9号",
}


@pytest.mark.clause("C3.2")
def test_a_year_is_entered_and_entered_anew(archive: Archive, visit: Visit) -> None:
    chief = visit("chief", Role.ARCHIVE_ADMINISTRATOR)
    assert "尚未录入任何年份" in chief.get("/holidays").text
    assert chief.goes_to("/holidays", YEAR) == "/holidays?done=entered"
    chief.goes_to("/holidays", {**YEAR, "holidays": "2027-01-01", "workdays": ""})
    with archive.ctx.database.read() as connection:
        newest, first = list_years(connection)
        assert count_entries(connection, EntryFilters(event="retention:calendar:enter")) == 2
    assert [day.isoformat() for day in first.holidays] == [
        f"2027-{day}" for day in ("01-01", "02-05", "02-06", "02-07", "05-01")
    ]
    assert (list(first.workdays), list(newest.workdays)) == ([date(2027, 2, 14)], [])
    listed = chief.get("/holidays?done=entered").text
    assert listed.count("国办发明电〔2026〕9号") == 2
    assert listed.count("已被后来的录入取代") == 1


@pytest.mark.parametrize(
    ("wrong", "field", "said"),
    [
        ({"holidays": "春节"}, "holidays", "2027-02-05..2027-02-11"),
        ({"holidays": "2027-05-03..2027-05-01"}, "holidays", "2027-02-05..2027-02-11"),
        ({"holidays": "2026-01-01"}, "year", "该年"),
        ({"workdays": "2027-02-15"}, "workdays", "周末"),
        ({"source": "x"}, "source", "4 至 200"),
        ({"year": "明年"}, "year", "该年"),
        ({"year": "9" * 5_000}, "year", "该年"),
        ({"holidays": "2027-01-01..2027-12-31 2028-01-01..2028-12-31"}, "holidays", "超过一年"),
    ],
)
def test_what_is_wrong_stands_beside_its_field(visit: Visit, wrong: dict[str, str], field: str, said: str) -> None:
    answer = visit("chief", Role.ARCHIVE_ADMINISTRATOR).post("/holidays", {**YEAR, **wrong})
    assert answer.status_code == 422
    assert f'id="e-{field}"' in answer.text
    assert said in answer.text
    assert YEAR["workdays"] in answer.text or "workdays" in wrong


@pytest.mark.clause("C4.4")
def test_only_who_may_enters_them(visit: Visit) -> None:
    approver, clerk = visit("approver", Role.APPROVER), visit("clerk", Role.CLERK)
    assert "<textarea" not in approver.get("/holidays").text
    assert approver.post("/holidays", YEAR).status_code == 403
    assert clerk.get("/holidays").status_code == 403
