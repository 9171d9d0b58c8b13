"""Units in the browser and by program: added by those who look after the organisation, and then to be chosen."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.support.archive import Archive
from tests.support.pages import Visitor, api_client
from vault.access.rights import Role
from vault.foundation.ledger.queries import EntryFilters, count_entries

Visit = Callable[..., Visitor]


@pytest.mark.clause("C1.1")
def test_a_unit_is_added_and_can_be_chosen_for_people(archive: Archive, visit: Visit) -> None:
    chief, security = visit("chief", Role.ARCHIVE_ADMINISTRATOR), visit("security", Role.SECURITY_OFFICER)
    assert "GT01" in chief.get("/units").text
    assert chief.goes_to("/units", {"code": " gt02 ", "name_zh": "二号窗口", "name_en": ""}) == "/units?done=added"
    listed = chief.get("/units?done=added").text
    assert "GT02" in listed
    assert "已添加" in listed
    assert "二号窗口" in security.get("/people").text
    with archive.ctx.database.read() as connection:
        assert count_entries(connection, EntryFilters(event="access:unit:create")) == 2


def test_what_is_wrong_stands_beside_its_field_and_what_was_typed_stays(visit: Visit) -> None:
    chief = visit("chief", Role.ARCHIVE_ADMINISTRATOR)
    for told, field, said in (
        ({"code": "GT01", "name_zh": "又一个"}, "code", "其他部门已使用此代码"),
        ({"code": "二号", "name_zh": "二号窗口"}, "code", "1 至 12 位"),
        ({"code": "GT03", "name_zh": " "}, "name_zh", "1 至 100"),
        ({"code": "GT03", "name_zh": "三号窗口", "name_en": "W" * 101}, "name_en", "过长"),
    ):
        answer = chief.post("/units", told)
        assert answer.status_code == 422
        assert f'id="e-{field}"' in answer.text
        assert said in answer.text
        assert f'value="{told["code"]}"' in answer.text


@pytest.mark.clause("C4.4")
def test_only_who_looks_after_the_organisation_may(visit: Visit) -> None:
    keeper = visit("keeper", Role.ARCHIVIST)
    assert keeper.get("/units").status_code == 403
    assert keeper.post("/units", {"code": "GT02", "name_zh": "二号窗口"}).status_code == 403
    assert 'href="/units"' not in keeper.get("/").text
    assert 'href="/units"' in visit("chief", Role.ARCHIVE_ADMINISTRATOR).get("/").text


def test_a_program_adds_a_unit(root: str) -> None:
    with api_client(root) as operator:
        added = operator.post("/units", json={"code": "GT02", "name_zh": "二号窗口", "name_en": "Window 2"})
        assert added.status_code == 201
        again = operator.post("/units", json={"code": "GT02", "name_zh": "二号窗口"})
        assert (again.status_code, again.json()["code"]) == (409, "unit-code-taken")
        codes = [unit["code"] for unit in operator.get("/units").json()["units"]]
        assert codes == ["GT01", "GT02"]
