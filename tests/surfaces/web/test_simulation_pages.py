"""The simulation in the browser, without a script: asked for, followed, given up, read; and its list."""

from __future__ import annotations

import csv
import html
import io
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta

import httpx
import pytest

from retention_rules.model import Period
from tests.support.archive import Archive, jpeg
from tests.support.pages import Visitor
from vault.access.rights import Role
from vault.retention import service
from vault.retention.queries import version_in_effect

Visit = Callable[..., Visitor]
PAGE = "/schedules/2/simulation"


def text_of(answer: httpx.Response) -> str:
    main = answer.text.partition("<main")[2].partition(">")[2].partition("</main>")[0]
    return html.unescape(" ".join(re.sub(r"<[^>]+>", " ", main).split()))


@pytest.fixture
def draft(archive: Archive) -> None:
    """Version 2: complaints twenty years instead of ten; one complaint and one general slip are there."""
    for place, code in enumerate(("COMPLAINT", "GENERAL")):
        archive.send(jpeg(place), class_code=code, occurred_date=date(2026, 3, 1))
    with archive.ctx.database.read() as connection:
        content = version_in_effect(connection, archive.clock.now()).content
    classes = tuple(
        replace(k, own_period=Period(months=240)) if k.code == "COMPLAINT" else k for k in content.classes
    )
    service.draft(archive.ctx, archive.operator, "投诉二十年", replace(content, classes=classes))


@pytest.mark.clause("V3")
@pytest.mark.usefixtures("draft")
def test_it_is_asked_for_followed_and_read(archive: Archive, visit: Visit) -> None:
    keeper = visit("keeper", Role.ARCHIVIST)
    never = keeper.get(PAGE)
    assert "尚未模拟" in text_of(never)
    assert 'name="on_date"' in never.text
    for wrong, said in (("2020-01-01", "2020-01-01"), ("gestern", "日期")):
        refused = keeper.post(PAGE, {"on_date": wrong})
        assert refused.status_code == 422
        assert said in text_of(refused)
    today = archive.clock.now().date()
    assert keeper.goes_to(PAGE, {"on_date": (today + timedelta(days=30)).isoformat()}) == PAGE
    waiting = keeper.get(PAGE)
    assert f'data-progress="{PAGE}/progress"' in waiting.text
    assert keeper.get(f"{PAGE}/progress").json()["is_ended"] is False
    assert 'name="on_date"' not in waiting.text, "one at a time"
    assert keeper.goes_to(f"{PAGE}/cancel") == PAGE
    assert "没有保留任何结果" in text_of(keeper.get(PAGE))
    assert keeper.get(f"{PAGE}/progress").json()["is_ended"] is True
    assert keeper.goes_to(f"{PAGE}/cancel") == PAGE, "what has ended stays as it is"

    archive.simulate(2)
    found = keeper.get(PAGE)
    told = text_of(found)
    assert "对现有草案有效" in told
    assert "全部 2 件档案中，1 件的处理会改变" in told
    assert "1 件保管期延长" in told
    assert "+10" in told
    assert '<svg class="bars"' in found.text
    assert 'href="/schedules/2"' in found.text
    assert "2 件档案中 1 件受影响" in text_of(keeper.get("/schedules/2")), "also in the story of the version"
    longer = re.search(r'href="(/simulated-records\?[^"]*effect=longer[^"]*)"', found.text)
    assert longer is not None
    listed = keeper.get(html.unescape(longer[1]))
    assert "保管期延长" in text_of(listed)
    assert "2036" in text_of(listed)
    assert "2046" in text_of(listed)


@pytest.mark.usefixtures("draft")
def test_a_changed_draft_makes_it_out_of_date(archive: Archive, visit: Visit) -> None:
    keeper = visit("keeper", Role.ARCHIVIST)
    archive.simulate(2)
    assert "已失效" not in text_of(keeper.get(PAGE))
    with archive.ctx.database.read() as connection:
        content = version_in_effect(connection, archive.clock.now()).content
        seen = service.get_version(connection, 2, archive.clock.now()).digest
    service.change(archive.ctx, archive.operator, 2, content, seen=seen)
    stale = text_of(keeper.get(PAGE))
    assert "已失效" in stale
    assert "请重新模拟" in stale
    archive.simulate(2)
    assert "没有任何档案的处理会改变" in text_of(keeper.get(PAGE))


@pytest.mark.clause("C4.4")
@pytest.mark.usefixtures("draft")
def test_the_list_is_narrowed_and_taken_out_by_those_who_may(archive: Archive, visit: Visit) -> None:
    simulation = archive.simulate(2)
    keeper, auditor, clerk = (
        visit("keeper", Role.ARCHIVIST),
        visit("auditor", Role.AUDIT_OFFICER),
        visit("clerk", Role.CLERK),
    )
    whole = f"/simulated-records?simulation={simulation.id}"
    assert "共 1 条" in text_of(keeper.get(whole))
    fields = {"simulation": str(simulation.id), "effect": "shorter"}
    address = keeper.goes_to("/simulated-records/find", fields)
    none = keeper.get(address)
    assert "没有符合条件的档案" in text_of(none)
    assert f'href="{html.escape(whole)}"' in none.text
    taken = keeper.post("/simulated-records/export", {"simulation": str(simulation.id), "whole_list": "1"})
    rows = list(csv.reader(io.StringIO(taken.content.decode("utf-8-sig"))))
    assert len(rows) == 2
    assert rows[1][3] == "保管期延长"
    assert keeper.get("/simulated-records").status_code == 404
    assert auditor.get(PAGE).status_code == 200
    assert "/simulated-records" not in auditor.get(PAGE).text
    assert auditor.get(whole).status_code == 403
    assert auditor.post(PAGE, {}).status_code == 403
    assert clerk.get(PAGE).status_code == 403
    assert clerk.get(whole).status_code == 403


def _row_of(page: str, name: str) -> list[str]:
    """What the cells of a class's row say."""
    row = re.search(rf'<tr data-row><th scope="row">{name}.*?</tr>', page, re.DOTALL)
    assert row is not None, name
    cells = re.findall(r"<td[^>]*>(.*?)</td>", row[0], re.DOTALL)
    return [html.unescape(" ".join(re.sub(r"<[^>]+>", " ", cell).split())) for cell in cells]


def test_the_row_of_a_class_adds_up_also_where_nobody_can_tell_the_end(archive: Archive, visit: Visit) -> None:
    codes = ("COMPLAINT", "CONTRACT", "CONTRACT", "GENERAL", "LICENCE")
    for place, code in enumerate(codes):
        archive.send(jpeg(place), class_code=code, occurred_date=date(2026, 3, 1))
    with archive.ctx.database.read() as connection:
        content = version_in_effect(connection, archive.clock.now()).content
    own = {
        "COMPLAINT": Period(months=240),
        "CONTRACT": Period(months=240),
        "GENERAL": Period(is_permanent=True),
    }
    classes = tuple(replace(k, own_period=own.get(k.code, k.own_period)) for k in content.classes)
    service.draft(archive.ctx, archive.operator, "更长", replace(content, classes=classes))
    archive.simulate(2)
    page = visit("keeper", Role.ARCHIVIST).get(PAGE).text
    told = {name: _row_of(page, name) for name in ("投诉与建议", "劳动合同", "一般业务单", "行政许可申请")}
    assert told["劳动合同"][:5] == ["2", "2", "2 其中终期未定 2", "–", "–"]
    assert told["一般业务单"][:5] == ["1", "1", "–", "–", "1"]
    assert told["投诉与建议"][:5] == ["1", "1", "1", "–", "–"]
    assert told["行政许可申请"][:5] == ["1", "–", "–", "–", "–"]
    open_ends = re.search(r'href="(/simulated-records\?[^"]*effect=open_longer[^"]*)"', page)
    assert open_ends is not None
    assert "class_code=CONTRACT" in page
