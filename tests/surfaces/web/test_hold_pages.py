"""Holds in the browser: a matter opened, records held by a list, released by three people; what others may not see."""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest

from tests.support.archive import Archive, jpeg
from tests.support.pages import Visitor
from vault.access import service
from vault.access.rights import Role
from vault.catalogue.queries import get_record
from vault.holds import queries
from vault.holds.jobs import tell_waiting
from vault.surfaces.web import holds as hold_pages

pytestmark = [pytest.mark.clause("V5"), pytest.mark.clause("C5.3")]
Visit = Callable[..., Visitor]
MATTER = {
    "authority": "court",
    "authority_name": "市中级人民法院",
    "document_number": "(2026) 法执字第 17 号",
    "basis": "民事诉讼法第七十条",
    "title": "张三诉李四一案",
}


def text_of(answer: httpx.Response) -> str:
    main = answer.text.partition("<main")[2].partition(">")[2].partition("</main>")[0]
    return html.unescape(" ".join(re.sub(r"<[^>]+>", " ", main).split()))


@pytest.fixture
def record_id(archive: Archive) -> UUID:
    found = archive.send(jpeg(1), occurred_date=date(2026, 3, 1)).record_id
    assert found is not None
    return found


def number_of(archive: Archive, record_id: UUID) -> str:
    with archive.ctx.database.read() as connection:
        return get_record(connection, archive.operator, record_id).archival_number


def open_matter(legal: Visitor) -> str:
    """Opens a matter; gives its address."""
    address = legal.goes_to("/matters", MATTER)
    assert address.endswith("?done=opened")
    return address.partition("?")[0]


@pytest.mark.invariant("A1")
def test_a_record_is_held_from_its_page_and_released_by_three(
    archive: Archive, visit: Visit, record_id: UUID
) -> None:
    legal, heads = visit("legal", Role.LEGAL), [visit(f"head{n}", Role.APPROVER) for n in range(2)]
    number = number_of(archive, record_id)
    assert "尚未冻结过任何档案" in text_of(legal.get("/matters"))
    matter = open_matter(legal)
    offered = re.search(r'href="(/holds/new\?record=[^"]+)"', legal.get(f"/records/{record_id}").text)
    assert offered is not None
    assert number in html.unescape(legal.get(html.unescape(offered[1])).text)
    told = {"matter": matter.rpartition("/")[2], "records": f"{number}\nX-1", "reason": "法院要求保全"}
    wrong = legal.post("/holds", told)
    assert wrong.status_code == 422
    assert "第 2 行" in text_of(wrong)
    hold = legal.goes_to("/holds", {**told, "records": number}).partition("?")[0]
    assert "正在存储中设置" in text_of(legal.get(hold))
    seen = text_of(legal.get(f"/records/{record_id}"))
    assert "本档案已被冻结" in seen
    assert "M-2026-0001/1" in seen
    list(tell_waiting(archive.ctx))
    assert "有效，存储中已设置" in text_of(legal.get(matter))
    assert legal.post(f"{hold}/propose", {"reason": ""}).status_code == 422
    assert legal.goes_to(f"{hold}/propose", {"reason": "案件已结"}) == f"{hold}?done=proposed"
    for head, done in zip(heads, ("approved", "released"), strict=True):
        assert "已提出解除，涉及 1 份档案" in text_of(head.get("/"))
        page = head.get(hold).text
        assert f'action="{hold}/approve"' in page
        read = re.findall('name="proposal" value="([^"]+)"', page)[0]
        assert "已解除" not in text_of(head.get(f"{hold}?done=released")), "an address never says what is not so"
        assert "另一项" in text_of(head.post(f"{hold}/approve", {"proposal": record_id, "comment": "同意"}))
        assert head.goes_to(f"{hold}/approve", {"proposal": read, "comment": "同意"}) == f"{hold}?done={done}"
        assert "已提出解除" not in text_of(head.get("/"))
    assert "本档案已被冻结" not in text_of(legal.get(f"/records/{record_id}"))
    assert "已解除" in text_of(legal.get(hold))
    assert legal.goes_to(f"{matter}/close", {}) == f"{matter}?done=closed"
    assert legal.get("/matters?state=open").text.count("data-row") == 0


def test_what_was_written_of_a_matter_stands_in_no_address(archive: Archive, visit: Visit, record_id: UUID) -> None:
    legal = visit("legal", Role.LEGAL)
    matter = open_matter(legal)
    address = legal.goes_to("/matters/find", {"q": "张三诉李四"})
    assert "张三" not in address
    assert "M-2026-0001" in text_of(legal.get(address))
    assert legal.goes_to("/matters/find", {"q": "M-2026-0001"}) == "/matters?q=M-2026-0001"
    for page in (address, matter):
        for link in re.findall(r'href="([^"]+)"', legal.get(page).text):
            assert "张三" not in html.unescape(link)


@pytest.mark.clause("C4.4")
def test_who_may_not_see_matters_sees_only_that_the_record_is_held(
    archive: Archive, visit: Visit, record_id: UUID
) -> None:
    legal, clerk = visit("legal", Role.LEGAL), visit("clerk", Role.CLERK)
    matter = open_matter(legal)
    told = {"matter": matter.rpartition("/")[2], "records": number_of(archive, record_id), "reason": "法院要求保全"}
    hold = legal.goes_to("/holds", told).partition("?")[0]
    seen = clerk.get(f"/records/{record_id}")
    assert "本档案已被冻结" in text_of(seen)
    assert hold not in seen.text
    assert "张三" not in seen.text
    for address in ("/matters", matter, hold, "/holds/new"):
        assert clerk.get(address).status_code == 403
    keeper = visit("keeper", Role.ARCHIVIST)
    assert keeper.get(hold).status_code == 200
    assert f'action="{hold}/' not in keeper.get(hold).text
    assert keeper.post(f"{hold}/approve").status_code == 403
    other = service.create_unit(archive.ctx, archive.operator, "GT02", "二号窗口", "Window 2")
    stranger = visit("stranger", Role.APPROVER, unit_id=other)
    for address in (hold, matter):
        assert stranger.get(address).status_code == 404
    assert "张三" not in stranger.get("/matters").text
    assert stranger.post(f"{hold}/approve").status_code == 404


def test_a_form_sent_twice_holds_once_and_a_review_comes_to_the_desk(
    archive: Archive, visit: Visit, record_id: UUID
) -> None:
    legal = visit("legal", Role.LEGAL)
    matter = open_matter(legal)
    review = (archive.clock.now() + timedelta(days=30)).date().isoformat()
    told = {
        "matter": matter.rpartition("/")[2],
        "records": number_of(archive, record_id),
        "reason": "法院要求保全",
        "review_date": review,
        "client_key": "the-same-form",
    }
    assert legal.goes_to("/holds", told) == legal.goes_to("/holds", told)
    assert "请复核是否仍需冻结" not in text_of(legal.get("/"))
    with archive.ctx.database.read() as connection:
        assert queries.reviews_due(connection, archive.operator, date.fromisoformat(review))
        assert len(queries.holds_of_matter(connection, archive.operator, UUID(matter.rpartition("/")[2]))) == 1
    for wrong in ({"matter": ""}, {"review_date": "morgen"}, {"review_date": "2020-01-01"}, {"reason": "x"}):
        assert legal.post("/holds", {**told, **wrong, "client_key": "another-form"}).status_code == 422
    assert legal.post("/matters", {**MATTER, "document_number": ""}).status_code == 422
    assert legal.post("/matters", {**MATTER, "authority": "king"}).status_code == 422


def test_an_older_matter_is_chosen_from_its_own_page(
    archive: Archive, visit: Visit, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hold_pages, "_MATTERS_MAX", 1)
    legal = visit("legal", Role.LEGAL)
    older = open_matter(legal)
    page = legal.get("/holds/new").text
    assert "只能选择最新的未结案件" not in page
    newer = open_matter(legal)
    options = [matter.rpartition("/")[2] for matter in (newer, older)]
    page = legal.get("/holds/new").text
    assert "只能选择最新的未结案件" in page
    assert f'value="{options[1]}"' not in page
    button = re.search(r'href="(/holds/new\?matter=[^"]+)"', legal.get(older).text)
    assert button is not None
    assert f'<option value="{options[1]}" selected>' in legal.get(button[1]).text


def test_what_a_store_refuses_to_hold_is_seen(archive: Archive, visit: Visit, record_id: UUID) -> None:
    legal, officer = visit("legal", Role.LEGAL), visit("officer", Role.SYSTEM_OFFICER)
    matter = open_matter(legal)
    told = {"matter": matter.rpartition("/")[2], "records": number_of(archive, record_id), "reason": "法院要求保全"}
    hold = legal.goes_to("/holds", told).partition("?")[0]
    assert "存储拒绝" not in text_of(legal.get(hold))
    assert "冻结标记" not in text_of(officer.get("/"))
    store: Any = archive.ctx.store
    kept = dict(store._objects)
    store._objects.clear()  # the store lost everything, for the moment
    list(tell_waiting(archive.ctx))
    assert "存储拒绝了其中 1 份：object-not-found" in text_of(legal.get(hold))
    assert f'href="{hold}?waiting=1#records"' in legal.get(hold).text
    assert number_of(archive, record_id) in text_of(legal.get(f"{hold}?waiting=1"))
    assert f'href="{hold}?waiting=1"' in legal.get("/").text
    assert "存储拒绝为 1 份档案设置或取消冻结标记" in text_of(officer.get("/"))
    assert "1 份待处理，存储拒绝了其中 1 份" in text_of(officer.get("/health"))
    store._objects.update(kept)
    archive.clock.advance(timedelta(seconds=3))
    list(tell_waiting(archive.ctx))
    assert "存储拒绝" not in text_of(legal.get(hold))
    assert "没有档案在等待" in text_of(legal.get(f"{hold}?waiting=1"))
