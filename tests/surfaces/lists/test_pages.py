"""List pages over HTTP, without a script: addresses without people in them, pages, acts planned first, views, search."""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit
from uuid import UUID

import httpx
import pytest

from tests.support.archive import Archive
from tests.support.pages import Visitor
from vault.access import service
from vault.access.rights import Role
from vault.catalogue.search import Filters
from vault.foundation.clock import FixedClock
from vault.foundation.db.keyset import EVERYTHING, Span
from vault.foundation.ledger.queries import EntryFilters, count_entries
from vault.intake.batches import open_batch
from vault.retention import service as schedule
from vault.surfaces.lists.records import RECORDS
from vault.surfaces.web.listing import is_plain_number
from vault.surfaces.web.lists import LISTS

pytestmark = pytest.mark.usefixtures("filled")


def count_events(archive: Archive, event: str) -> int:
    with archive.ctx.database.read() as connection:
        return count_entries(connection, EntryFilters(event=event))


def text_of(answer: httpx.Response) -> str:
    """The words of a page, without markup."""
    main = answer.text.partition("<main")[2].partition(">")[2].partition("</main>")[0]
    return html.unescape(" ".join(re.sub(r"<[^>]+>", " ", main).split()))


def hidden(answer: httpx.Response, form: str) -> dict[str, str]:
    """The hidden fields of the form that goes to `form`."""
    found = re.search(rf'<form method="post" action="{form}".*?</form>', answer.text, re.DOTALL)
    assert found is not None, form
    fields = re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', found[0])
    return {name: html.unescape(value) for name, value in fields if name != "csrf_token"}


@pytest.mark.clause("C2.5")
@pytest.mark.parametrize(
    "words", ["欧阳小明", "13800000000", "11010519491231002X", "6222-0210-0111-6240", "john smith", "Zhang3"]
)
def test_what_may_name_a_person_never_stands_in_an_address(visit: Callable[..., Visitor], words: str) -> None:
    clerk = visit("clerk", Role.CLERK)
    for path in ("/records/find", "/search", "/batches/find", "/quarantine/find"):
        address = clerk.goes_to(path, {"q": words, "state": "open"})
        query = parse_qs(urlsplit(address).query)
        assert set(query) <= {"s", "state"}, address
        assert words not in address
        page = clerk.get(address)
        assert page.status_code == 200
        assert f'value="{words}"' in page.text, "whoever searched sees what they searched for"
        for link in re.findall(r'href="([^"]+)"', page.text):
            assert words not in html.unescape(link)


@pytest.mark.parametrize(
    ("text", "is_plain"),
    [
        ("0001-YW·2026-D5-GT01-0001", True),
        ("KH-2026-001", True),
        ("BN000000001", True),
        ("2026-11", True),
        ("123456", True),
        ("1234567", False),
        ("138-0000-0000", False),
        ("11010519491231002X", False),
        ("zhangsan1", False),
        ("张三1", False),
        ("", False),
    ],
)
def test_only_plain_numbers_of_records_stand_openly(text: str, is_plain: bool) -> None:
    assert is_plain_number(text) is is_plain


def test_a_number_stays_readable_and_filters_stand_as_they_are(visit: Callable[..., Visitor]) -> None:
    clerk = visit("clerk", Role.CLERK)
    address = clerk.goes_to(
        "/records/find", {"q": "KH-2026-00", "state": "received", "unit": "", "from_date": "2026-01-02"}
    )
    assert parse_qs(urlsplit(address).query) == {
        "q": ["KH-2026-00"],
        "state": ["received"],
        "from_date": ["2026-01-02"],
    }
    told = text_of(clerk.get(address))
    assert "张小明" in told
    assert "欧阳小明" not in told


def test_a_search_that_ran_out_or_was_written_into_the_address_is_not_silently_dropped(
    visit: Callable[..., Visitor], clock: FixedClock
) -> None:
    auditor = visit("auditor", Role.AUDIT_OFFICER)
    address = auditor.goes_to("/people/find", {"q": "auditor"})
    assert "已失效" not in text_of(auditor.get(address))
    assert "已失效" in text_of(auditor.get(address[:-3] + "xyz"))
    assert "已失效" in text_of(auditor.get("/people?q=auditor"))
    clerk = visit("clerk", Role.CLERK)
    old = clerk.goes_to("/records/find", {"q": "张伟"})
    assert "欧阳小明" not in text_of(clerk.get(old))


@pytest.mark.clause("C2.5")
def test_nobody_is_sought_by_a_personal_number_past_the_ledger(
    archive: Archive, visit: Callable[..., Visitor]
) -> None:
    archivist = visit("archivist", Role.ARCHIVIST)
    assert "欧阳小明" in text_of(archivist.get("/records?kind=phone&value=13800000002")), "the filter is not believed"
    assert count_events(archive, "catalogue:person:seek") == 0
    address = archivist.goes_to("/records/search", {"kind": "phone", "value": "138 0000 0002"})
    assert "13800000002" not in address
    told = text_of(archivist.get(address))
    assert "张伟" in told
    assert "欧阳小明" not in told
    assert count_events(archive, "catalogue:person:seek") == 1
    narrowed = archivist.goes_to("/records/find", {"s": address.partition("s=")[2], "state": "filed"})
    assert "张伟" not in text_of(archivist.get(narrowed))
    saved = archivist.goes_to("/records/views", {"view_name": "那一位", "s": address.partition("s=")[2]})
    assert "13800000002" not in saved
    view_id = parse_qs(urlsplit(saved).query)["view"][0]
    opened = archivist.get(f"/views/{view_id}").headers["location"]
    assert "张伟" in text_of(archivist.get(opened))
    assert count_events(archive, "catalogue:person:seek") == 2, "opening the view seeks again"
    assert archivist.post("/records/search", {"kind": "phone", "value": "  "}).status_code == 422


def test_pages_go_forth_and_back_with_their_filters(archive: Archive, visit: Callable[..., Visitor]) -> None:
    for number in range(60):
        open_batch(archive.ctx, archive.operator, f"批 {number:03d}", None)
    clerk = visit("clerk", Role.CLERK)
    first = clerk.get(clerk.goes_to("/batches/find", {"q": "批", "state": "open"}))
    assert "共 60 条 · 本页 50 条" in text_of(first)
    next_page = re.search(r'rel="next" href="([^"]+)"', first.text)
    assert next_page is not None
    second = clerk.get(html.unescape(next_page[1]))
    assert "本页 10 条" in text_of(second)
    assert "批 009" in text_of(second)
    assert "批 010" not in text_of(second)
    back = re.search(r'rel="prev" href="([^"]+)"', second.text)
    assert back is not None
    assert re.findall(r"批 \d{3}", text_of(clerk.get(html.unescape(back[1])))) == re.findall(
        r"批 \d{3}", text_of(first)
    )
    assert 'rel="next"' not in second.text


@pytest.mark.clause("V4")
def test_refused_items_are_planned_seen_to_and_put_back(archive: Archive, visit: Callable[..., Visitor]) -> None:
    archive.send(b"", file_name="空.tif")
    clerk = visit("clerk", Role.CLERK)
    listed = clerk.get("/quarantine")
    carried = hidden(listed, "/quarantine/plan")
    plan = clerk.post("/quarantine/plan", {**carried, "whole_list": "1", "act": "handle"})
    assert plan.status_code == 200
    assert "2 将从待处理中移出" in text_of(plan)
    assert "没有遗漏" in text_of(plan)
    later = archive.send(b"", file_name="后来.tif", key="later-later").item_id
    fields = hidden(plan, "/quarantine/act")
    assert clerk.post("/quarantine/act", fields).status_code == 422, "what was done must be said"
    wrong = clerk.post("/quarantine/act", {**fields, "handling": "other"})
    assert wrong.status_code == 422
    assert "请写明如何处理" in text_of(wrong)
    done = clerk.post("/quarantine/act", {**fields, "handling": "other", "note": "已联系送交人"})
    assert "已移出待处理: 2" in text_of(done)
    waiting, handled = text_of(clerk.get("/quarantine")), text_of(clerk.get("/quarantine?state=handled"))
    assert "后来.tif" in waiting
    assert "空.tif" not in waiting
    assert "已联系送交人" in handled
    assert "坏的.jpg" in handled
    undone = clerk.post("/quarantine/act", hidden(done, "/quarantine/act"))
    assert "已放回待处理: 2" in text_of(undone)
    assert "空.tif" in text_of(clerk.get("/quarantine"))
    one = clerk.post("/quarantine/plan", {**carried, "one": f"handle {later}", "pick": "ignored"})
    assert "后来.tif" in text_of(one)
    assert "1 将从待处理中移出" in text_of(one)


def test_what_cannot_be_done_is_said_with_the_reason_and_the_rest_is_done(
    archive: Archive, visit: Callable[..., Visitor]
) -> None:
    clerk = visit("clerk", Role.CLERK)
    short = open_batch(archive.ctx, archive.operator, "缺张", 9)
    even = open_batch(archive.ctx, archive.operator, "齐全", None)
    picked = {"act": "close", "pick": [str(short.id), str(even.id)], "picked": "00000000-0000-7000-8000-000000000000"}
    plan = clerk.post("/batches/plan", picked)
    told = text_of(plan)
    assert "1 将关闭，数目相符" in told
    assert "1 将关闭，数目不符" in told
    assert "1 这里没有您可以查看的内容" in told
    assert "不能再打开" in told
    from vault.intake.batches import close_batch

    close_batch(archive.ctx, archive.operator, short.id)
    done = text_of(clerk.post("/batches/act", hidden(plan, "/batches/act")))
    assert "已关闭的批次: 1" in done
    assert "2 条未完成" in done
    assert "已经关闭 缺张" in done


@pytest.mark.clause("C4.4")
def test_acts_are_for_those_who_may_and_on_what_they_may_see(archive: Archive, visit: Callable[..., Visitor]) -> None:
    head = visit("head", Role.APPROVER)
    assert head.get("/quarantine").status_code == 200
    assert "data-pick" not in head.get("/quarantine").text
    assert head.post("/quarantine/plan", {"act": "handle", "whole_list": "1"}).status_code == 403
    assert (
        head.post("/quarantine/act", {"act": "handle", "handling": "returned", "whole_list": "1"}).status_code == 403
    )
    assert head.post("/batches/plan", {"act": "close"}).status_code == 403
    other = service.create_unit(archive.ctx, archive.operator, "GT02", "二号窗口", "Window 2")
    stranger = visit("stranger", Role.CLERK, unit_id=other)
    plan = stranger.post("/quarantine/plan", {"act": "handle", "whole_list": "1"})
    assert "所选各条都不能更改" in text_of(plan)
    assert stranger.post("/quarantine/plan", {"act": "burn", "whole_list": "1"}).status_code == 404
    assert stranger.client.post("/quarantine/act", data={"act": "handle"}).status_code == 403, (
        "without the page's token"
    )
    assert count_events(archive, "intake:quarantine:handle") == 0


def test_views_are_saved_opened_shared_and_removed(archive: Archive, visit: Callable[..., Visitor]) -> None:
    jia, yi = visit("jia", Role.CLERK), visit("yi", Role.CLERK)
    narrowed = jia.get("/batches?state=unbalanced")
    carried = hidden(narrowed, "/batches/views")
    assert carried == {"state": "unbalanced"}
    saved = jia.goes_to("/batches/views", {**carried, "view_name": "未平", "is_shared": "1"})
    assert saved.startswith("/batches?state=unbalanced&view=")
    assert "删除此视图" in text_of(jia.get(saved))
    seen = yi.get("/batches")
    assert "未平 jia 的姓名" in text_of(seen)
    link = re.search(r'href="(/views/[^"]+)"', seen.text)
    assert link is not None
    opened = yi.get(link[1]).headers["location"]
    assert opened == saved
    assert "删除此视图" not in text_of(yi.get(opened))
    assert yi.post(f"{link[1]}/remove").status_code == 404
    named = jia.goes_to("/records/find", {"q": "欧阳小明"})
    mine = jia.goes_to("/records/views", {**hidden(jia.get(named), "/records/views"), "view_name": "某客户"})
    again = jia.get(f"/views/{parse_qs(urlsplit(mine).query)['view'][0]}").headers["location"]
    assert "欧阳" not in again
    assert "欧阳小明" in text_of(jia.get(again))
    assert jia.post("/batches/views", {"view_name": "未平"}).status_code == 409
    assert jia.post("/batches/views", {"view_name": ""}).status_code == 422
    assert jia.goes_to(f"{link[1]}/remove") == "/batches"
    assert yi.get(link[1]).status_code == 404
    auditor = visit("auditor", Role.AUDIT_OFFICER)
    assert auditor.post("/batches/views", {"view_name": "x"}).status_code == 403


def test_the_search_box_jumps_to_numbers_and_pages_and_finds_names(
    archive: Archive, visit: Callable[..., Visitor]
) -> None:
    clerk = visit("clerk", Role.CLERK)
    record = re.search(r'href="(/records/[0-9a-f-]{36})[?"]', clerk.get("/records?q=KH-2026-001").text)
    assert record is not None
    number = re.search(r"0001-YW·2026-\S+-0002", text_of(clerk.get("/records")))
    assert number is not None
    batch = re.search(r'href="(/batches/[0-9a-f-]{36})"', clerk.get("/batches").text)
    assert batch is not None
    jumps = {
        "KH-2026-001": record[1],
        "kh-2026-001": record[1],
        "ＫＨ－2026－001": record[1],
        number[0]: record[1],
        record[1].rpartition("/")[2]: record[1],
        batch[1].rpartition("/")[2]: batch[1],
        "隔离区": "/quarantine",
        "Quarantine": "/quarantine",
        "batches": "/batches",
        "": "/records",
    }
    for words, place in jumps.items():
        assert clerk.goes_to("/search", {"q": words}) == place, words
    assert clerk.goes_to("/search", {"q": "KH-2026-00"}) == "/records?q=KH-2026-00", "several: a list"
    assert clerk.goes_to("/search", {"q": "小明"}).startswith("/records?s=")
    assert clerk.goes_to("/search", {"q": "存证日志"}).startswith("/records?s="), "a page that is not the viewer's"

    auditor = visit("auditor", Role.AUDIT_OFFICER)
    assert auditor.goes_to("/search", {"q": "ledger"}) == "/ledger"
    assert auditor.goes_to("/search", {"q": "clerk"}).startswith("/people?s=")
    assert auditor.goes_to("/search", {"q": record[1].rpartition("/")[2]}) == f"/ledger?subject={record[1][9:]}"
    system = visit("system", Role.SYSTEM_OFFICER)
    nowhere = system.post("/search", {"q": "KH-2026-001"})
    assert nowhere.status_code == 200
    assert "没有找到“KH-2026-001”" in text_of(nowhere)
    assert system.goes_to("/search", {"q": "后台作业"}) == "/jobs"


@pytest.mark.clause("C4.4")
def test_suggestions_hold_only_what_the_viewer_may_see(archive: Archive, visit: Callable[..., Visitor]) -> None:
    def told(visitor: Visitor, words: str) -> list[tuple[str, str]]:
        answer = visitor.post("/search/suggest", {"q": words})
        assert answer.headers["cache-control"] == "no-store"
        return [(one["what"], one["label"]) for one in answer.json()["suggestions"]]

    clerk = visit("clerk", Role.CLERK)
    assert told(clerk, "小明") == [("档案", "张小明"), ("档案", "欧阳小明")]
    assert told(clerk, "KH-2026-00") == [("档案", f"KH-2026-00{n}") for n in (2, 1, 0)]
    assert told(clerk, "十一月") == [("批次", "十一月二十四日")]
    assert told(clerk, "隔离") == [("页面", "隔离区")]
    assert told(clerk, "小") == []
    other = service.create_unit(archive.ctx, archive.operator, "GT02", "二号窗口", "Window 2")
    stranger = visit("stranger", Role.CLERK, unit_id=other)
    assert told(stranger, "小明") == told(stranger, "十一月") == told(stranger, "clerk") == []
    auditor = visit("auditor", Role.AUDIT_OFFICER)
    assert told(auditor, "小明") == []
    assert ("人员", "clerk 的姓名") in told(auditor, "clerk")


def test_a_list_without_lines_says_what_to_do_next_for_each_role(
    archive: Archive, visit: Callable[..., Visitor]
) -> None:
    other = service.create_unit(archive.ctx, archive.operator, "GT02", "二号窗口", "Window 2")
    clerk = visit("clerk", Role.CLERK, unit_id=other)
    head = visit("head", Role.APPROVER, unit_id=other)
    assert "请在收件页面发送第一批扫描件" in text_of(clerk.get("/records"))
    assert 'href="/intake"' in clerk.get("/records").text.partition("<main")[2]
    assert "本部门还没有档案" in text_of(head.get("/records"))
    assert "还没有批次" in text_of(clerk.get("/batches"))
    assert "隔离区为空" in text_of(head.get("/quarantine"))
    narrowed = clerk.get("/batches?state=open")
    assert "没有符合条件的批次" in text_of(narrowed)
    assert "清除条件" in text_of(narrowed)
    number = clerk.get(clerk.goes_to("/records/find", {"q": "13800000000"}))
    assert "个人号码只有有权查看的人才能查找" in text_of(number)
    archivist = visit("archivist", Role.ARCHIVIST)
    number = archivist.get(archivist.goes_to("/records/find", {"q": "13800000009"}))
    assert "按完整个人号码查找" in text_of(number)


@pytest.mark.parametrize(("filters", "size"), [(Filters(), 50), (Filters(), 2), (Filters(name="没有"), 2)])
def test_a_page_saves_the_counting_only_where_it_shows_all(archive: Archive, filters: Filters, size: int) -> None:
    with archive.ctx.database.read() as connection:
        question = RECORDS.ask(archive.ctx, connection, archive.operator, filters, EVERYTHING)
        truth, span, seen = question.count(None), Span(size=size), []
        while True:
            page = question.page(span)
            seen.append(question.count_beside(page))
            span = Span(after=page.after, size=size)
            if page.after is None:
                break
        seen.append(question.count_beside(question.page(Span(after=UUID(int=0), size=size))))
    assert set(seen) == {truth}


def test_after_signing_in_the_list_is_the_one_that_was_asked_for(root: str) -> None:
    with httpx.Client(base_url=root, trust_env=False) as nobody:
        answer = nobody.get("/batches?state=open&unit=x")
    assert answer.headers["location"] == "/sign-in?next=/batches%3Fstate%3Dopen%26unit%3Dx"


def test_every_list_takes_each_of_its_filters_and_nonsense_without_failing(
    archive: Archive, visit: Callable[..., Visitor]
) -> None:
    visitors = [
        visit("admin2", Role.ARCHIVE_ADMINISTRATOR, Role.SECURITY_OFFICER),
        visit("auditor", Role.AUDIT_OFFICER),
    ]
    simulation = archive.simulate(schedule.draft(archive.ctx, archive.operator, "试算").number)
    whose = {"simulated-records": ("simulation", str(simulation.id))}  # such a list belongs to something
    for name, web_list in LISTS.items():
        belongs, owner = whose.get(name, ("", ""))
        begin = f"/{name}?{belongs}={owner}&" if belongs else f"/{name}?"
        visitor = next(v for v in visitors if v.get(begin).status_code == 200)
        for field in web_list.open:
            for value in ("x", "2026-02-31", "00000000-0000-7000-8000-000000000000", "2026-01-01", "'; --"):
                address = f"/{name}?{field}={value}" if field == belongs else f"{begin}{field}={value}"
                wanted = 404 if field == belongs else 200
                assert visitor.get(address).status_code == wanted, (name, field, value)
        assert visitor.get(f"{begin}after=x&before=y&view=z").status_code == 200


def test_the_api_and_the_pages_narrow_alike(archive: Archive, api: httpx.Client, clock: FixedClock) -> None:
    today = (clock.now() + timedelta(hours=8)).date().isoformat()
    tomorrow = (clock.now() + timedelta(hours=32)).date().isoformat()
    batch = api.get("/batches").json()["batches"][0]["id"]
    sender = str(archive.operator.id)
    cases = [
        ("/batches/search", "batches", {"name": "二十四"}, 1),
        ("/batches/search", "batches", {"name": "二十五"}, 0),
        ("/batches/search", "batches", {"balanced": True, "state": "open"}, 1),
        ("/batches/search", "batches", {"balanced": False}, 0),
        ("/batches/search", "batches", {"unit_code": "GT01", "sender_id": sender, "opened_from": today}, 1),
        ("/batches/search", "batches", {"opened_from": tomorrow}, 0),
        ("/quarantine/search", "items", {"file_name": "坏", "state": "waiting", "reason": "damaged"}, 1),
        ("/quarantine/search", "items", {"state": "handled"}, 0),
        ("/quarantine/search", "items", {"batch_id": batch, "unit_code": "GT01", "received_until": today}, 1),
        ("/records/search", "records", {"batch_id": batch, "name": "小明"}, 2),
    ]
    for path, name, body, lines in cases:
        answer = api.post(path, json=body)
        assert answer.status_code == 200, answer.text
        assert (len(answer.json()[name]), answer.json()["count"]) == (lines, lines), (path, body)
        assert answer.json()["count_is_exact"] is True
    for query, lines in (
        ({"event": "intake:item:refuse"}, 1),
        ({"actor_kind": "operator", "event": "catalogue:record:register"}, 3),
        ({"actor_id": sender, "subject_type": "batch"}, 1),
        ({"subject_id": batch, "at_from": today, "at_until": today}, 1),
        ({"at_from": tomorrow}, 0),
    ):
        answer = api.get("/ledger/entries", params=query)
        assert len(answer.json()["entries"]) == lines, (query, answer.text)
    assert api.get("/batches", params={"nonsense": "1"}).status_code == 400
    assert api.get("/batches", params={"size": 201}).status_code == 400
    first = api.get("/ledger/entries", params={"size": 2}).json()
    second = api.get("/ledger/entries", params={"size": 2, "after": first["after"]}).json()
    assert (
        api.get("/ledger/entries", params={"size": 2, "before": second["before"]}).json()["entries"]
        == first["entries"]
    )


def test_the_api_sees_to_refused_items_and_names_what_it_could_not(archive: Archive, api: httpx.Client) -> None:
    item = api.get("/quarantine").json()["items"][0]["item_id"]
    unknown = "00000000-0000-7000-8000-000000000000"
    told = {"item_ids": [item, unknown], "handling": "scanned_again", "note": "重扫"}
    answer = api.post("/quarantine/handle", json=told).json()
    assert answer["done"] == [item]
    assert [(line["id"], line["reason"]) for line in answer["failed"]] == [
        (unknown, "There is nothing here that you may see.")
    ]
    shown = api.get("/quarantine", params={"state": "handled"}).json()["items"][0]
    assert (shown["state"], shown["handling"], shown["handling_note"]) == ("handled", "scanned_again", "重扫")
    assert api.post("/quarantine/reopen", json={"item_ids": [item]}).json() == {"done": [item], "failed": []}
    assert api.post("/quarantine/handle", json={"item_ids": [item], "handling": "other"}).status_code == 422
    assert api.post("/quarantine/handle", json={"item_ids": [], "handling": "returned"}).status_code == 400
    assert api.post("/quarantine/handle", json={"item_ids": [item], "handling": "burnt"}).status_code == 400
