"""Events in the browser: what would follow is seen first; reported singly, by business number or as a list; undone by another."""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from datetime import date
from zoneinfo import ZoneInfo

import httpx
import pytest

from tests.support.archive import Archive, jpeg
from tests.support.pages import Visitor
from vault.access.rights import Role
from vault.catalogue.queries import get_record
from vault.retention.event_queries import EventFilters, count_events

Visit = Callable[..., Visitor]
ENDED = date(2026, 5, 1)


def own_end(archive: Archive) -> date:
    """Until when a labour contract that came in today is kept by the class's own period."""
    today = archive.clock.now().astimezone(ZoneInfo("Asia/Shanghai")).date()
    return today.replace(year=today.year + 10)


def text_of(answer: httpx.Response) -> str:
    main = answer.text.partition("<main")[2].partition(">")[2].partition("</main>")[0]
    return html.unescape(" ".join(re.sub(r"<[^>]+>", " ", main).split()))


def look_ahead(visitor: Visitor, told: dict[str, str], address: str = "/events/preview") -> httpx.Response:
    """What would follow, at the address to which the form leads."""
    return visitor.get(visitor.goes_to(address, told))


def confirm(answer: httpx.Response) -> dict[str, str]:
    """What the button below a preview sends."""
    key = re.search(r'name="client_key" value="([^"]+)"', answer.text)
    rows = re.search(r'<textarea name="rows"[^>]*>\n(.*?)</textarea>', answer.text, re.DOTALL)
    assert key is not None
    assert rows is not None
    more = {"each": "1"} if 'name="each"' in answer.text else {}
    return {"client_key": key[1], "rows": html.unescape(rows[1]), **more}


@pytest.fixture
def numbers(archive: Archive) -> list[str]:
    """Three labour contracts, two of them of one business."""
    found = []
    for place, business in enumerate(("HT-7", "HT-7", "HT-8")):
        record_id = archive.send(
            jpeg(50 + place), class_code="CONTRACT", occurred_date=date(2026, 3, 1), business_number=business
        ).record_id
        assert record_id is not None
        with archive.ctx.database.read() as connection:
            found.append(get_record(connection, archive.operator, record_id).archival_number)
    return found


def count(archive: Archive, **wanted: object) -> int:
    with archive.ctx.database.read() as connection:
        return count_events(connection, archive.operator, EventFilters(**wanted))


@pytest.mark.clause("C8.1")
def test_one_event_is_seen_before_it_is_reported_and_undone_by_another(
    archive: Archive, visit: Visit, numbers: list[str]
) -> None:
    keeper, other = visit("keeper", Role.ARCHIVIST), visit("keeper2", Role.ARCHIVIST)
    assert "尚未登记任何事件" in text_of(keeper.get("/events"))
    told = {"record": numbers[2], "event": "contract_terminated", "day": ENDED.isoformat(), "evidence": "解除协议 7"}
    seen = look_ahead(keeper, told)
    assert f"保存，至少至 {own_end(archive)}" in text_of(seen)
    assert f"保存，至 {own_end(archive)}" in text_of(seen)
    assert count(archive) == 0, "a look changes nothing"
    address = keeper.goes_to("/events", confirm(seen))
    again = keeper.goes_to("/events", confirm(seen))
    assert again == address.replace("reported", "known"), "the same report again is the same"
    assert count(archive) == 1
    listed = keeper.get(address)
    assert "解除协议 7" in text_of(listed)
    event = re.search(r'href="(/events/0[^"]+)" data-open', listed.text)
    assert event is not None

    own = keeper.get(event[1])
    assert "须由他人撤销" in text_of(own)
    assert keeper.post(f"{event[1]}/undo", {"reason": "录入有误"}).status_code == 422
    assert f"保存，至少至 {own_end(archive)}" in text_of(other.get(event[1])), "what undoing would do"
    assert other.post(f"{event[1]}/undo", {"reason": "x"}).status_code == 422
    assert other.goes_to(f"{event[1]}/undo", {"reason": "登记错了档案"}) == f"{event[1]}?done=undone"
    page = text_of(keeper.get(event[1]))
    for part in ("已撤销", "keeper2 的姓名", "登记错了档案"):
        assert part in page, part
    assert "档案" in text_of(keeper.get("/events?state=undone"))
    assert "没有符合条件的事件" in text_of(keeper.get("/events?state=valid"))


def test_a_business_number_means_all_its_records_and_errors_stand_beside_their_field(
    archive: Archive, visit: Visit, numbers: list[str]
) -> None:
    keeper = visit("keeper", Role.ARCHIVIST)
    told = {"record": "HT-7", "event": "contract_terminated", "never": "1", "day": ""}
    seen = look_ahead(keeper, told)
    assert "将登记 2 个事件" in text_of(seen)
    assert "须由人决定" in text_of(seen)
    keeper.goes_to("/events", confirm(seen))
    assert count(archive) == 2
    ahead = look_ahead(keeper, {**told, "never": "", "day": "2999-01-01"})
    assert "日期尚未到来：事件发生后方可登记" in text_of(ahead)
    for wrong, field in (({"record": "NICHTS-1"}, "record"), ({"never": "", "day": "gestern"}, "day")):
        answer = look_ahead(keeper, {**told, **wrong})
        assert answer.status_code == 422, field
        assert f'id="e-{field}"' in answer.text
        assert 'value="NICHTS-1"' in answer.text or field != "record", "what was typed stays"


def test_a_list_names_its_bad_lines_and_the_good_ones_can_be_taken_alone(
    archive: Archive, visit: Visit, numbers: list[str]
) -> None:
    keeper = visit("keeper", Role.ARCHIVIST)
    lines = f"档案,事件,日期,依据\n{numbers[0]},合同终止,2026-05-01,甲\n{numbers[1]},没有的事件,2026-05-01,乙\nX-1,contract_terminated,2026-05-01,丙\n"
    seen = look_ahead(keeper, {"lines": lines}, "/events/preview-list")
    assert seen.status_code == 422
    for part in ("有 2 行不能登记", "第 3 行", "第 4 行", "将登记 1 个事件"):
        assert part in text_of(seen), part
    keeper.goes_to("/events", confirm(seen))
    assert count(archive) == 1
    empty = look_ahead(keeper, {"lines": ""}, "/events/preview-list")
    assert empty.status_code == 422
    assert 'id="e-file"' in empty.text
    file = {"file": ("清单.csv", f"档案,事件,日期\n{numbers[1]},contract_terminated,不会发生\n".encode("utf-8-sig"))}
    sent = keeper.client.post(
        "/events/preview-list", data={"csrf_token": keeper.csrf_token}, files=file, follow_redirects=True
    )
    assert "将登记 1 个事件" in text_of(sent)
    gbk = {"file": ("清单.csv", "档案,事件,日期\n".encode("gbk"))}
    assert (
        keeper.client.post(
            "/events/preview-list", data={"csrf_token": keeper.csrf_token}, files=gbk, follow_redirects=True
        ).status_code
        == 422
    )


@pytest.mark.clause("C4.4")
def test_who_only_reads_reports_nothing_and_other_units_events_are_not_there(
    archive: Archive, visit: Visit, numbers: list[str]
) -> None:
    from vault.access import service

    keeper, inspector = visit("keeper", Role.ARCHIVIST), visit("inspector", Role.INSPECTOR)
    seen = look_ahead(keeper, {"record": "HT-8", "event": "contract_terminated", "day": ENDED.isoformat()})
    listed = keeper.get(keeper.goes_to("/events", confirm(seen)))
    event = re.search(r'href="(/events/0[^"]+)" data-open', listed.text)
    assert event is not None
    assert inspector.get("/events").status_code == 200
    assert "/events/new" not in inspector.get("/events").text
    assert inspector.get("/events/new").status_code == 403
    other = service.create_unit(archive.ctx, archive.operator, "GT02", "二号窗口", "Window 2")
    head = visit("head", Role.APPROVER, unit_id=other)
    assert head.get(event[1]).status_code == 404
    assert head.post(f"{event[1]}/undo", {"reason": "登记错了档案"}).status_code == 404
    assert numbers[2] not in head.get("/events").text


@pytest.mark.clause("C8.1")
def test_the_same_event_again_is_known_already_whoever_reports_it(
    archive: Archive, visit: Visit, numbers: list[str]
) -> None:
    keeper, other = visit("keeper", Role.ARCHIVIST), visit("keeper2", Role.ARCHIVIST)
    told = {"record": numbers[2], "event": "contract_terminated", "day": ENDED.isoformat(), "evidence": "解除协议 7"}
    preview = keeper.goes_to("/events/preview", told)
    assert "解除协议" not in preview
    assert ENDED.isoformat() not in preview, "nothing that was typed stands in the address"
    sent = confirm(keeper.get(preview))
    keeper.goes_to("/events", sent)
    back = text_of(keeper.get(preview))
    assert "1 个事件已经登记过，不再重复登记" in back
    assert "将登记" not in back
    address = keeper.goes_to("/events", {**sent, "client_key": "another-key"})
    assert address.endswith("done=known")
    assert "已经登记过：没有重复登记" in keeper.get(address).text
    other.goes_to(
        "/events", confirm_lines(f"档案,事件,日期\n{numbers[2]},合同终止,{ENDED}\n{numbers[1]},合同终止,{ENDED}\n")
    )
    assert count(archive) == 2, "only what was new"
    another_day = look_ahead(keeper, {**told, "day": "2026-06-01"})
    assert "将登记 1 个事件" in text_of(another_day)


def confirm_lines(lines: str) -> dict[str, str]:
    """A list, as the button below its preview sends it."""
    return {"client_key": "list-of-the-other", "rows": lines}


def test_a_list_too_long_for_an_address_is_shown_all_the_same(visit: Visit, numbers: list[str]) -> None:
    keeper = visit("keeper", Role.ARCHIVIST)
    lines = "档案,事件,日期\n" + "".join(f"X-{n * n * 7919},合同终止,{ENDED}\n" for n in range(3000))
    seen = keeper.post("/events/preview-list", {"lines": lines})
    assert seen.status_code == 422
    assert "有 3,000 行不能登记" in text_of(seen) or "有 3000 行不能登记" in text_of(seen)


def test_a_token_of_another_page_and_a_persons_number_do_not_get_through(visit: Visit) -> None:
    keeper = visit("keeper", Role.ARCHIVIST)
    elsewhere = keeper.goes_to("/batches/find", {"q": "张三"})
    assert keeper.get("/events/preview?of=" + elsewhere.split("=")[1]).headers["location"] == "/events/new"
    there = keeper.goes_to("/events/find", {"number": "11010519491231002X"})
    assert "11010519491231002" not in there
    assert "11010519491231002X" in keeper.get(there).text, "what was searched for still stands in the field"


def test_any_event_is_found_by_the_number_of_its_record_and_from_its_record(
    archive: Archive, visit: Visit, numbers: list[str]
) -> None:
    keeper, other = visit("keeper", Role.ARCHIVIST), visit("keeper2", Role.ARCHIVIST)
    told = {"record": "HT-7", "event": "contract_terminated", "day": ENDED.isoformat()}
    keeper.goes_to("/events", confirm(look_ahead(keeper, told)))
    found = other.get(f"/events?number={numbers[0]}").text
    assert numbers[0] in found
    assert numbers[1] not in found
    assert other.get("/events?number=HT-7").text.count("data-open") == 2
    event = re.search(r'href="(/events/0[^"]+)" data-open', found)
    record = re.search(r'class="archnum" href="(/records/[^"]+)"', found)
    assert event is not None
    assert record is not None
    assert f'href="{event[1]}"' in other.get(f"{record[1]}/why").text
    assert other.goes_to(f"{event[1]}/undo", {"reason": "登记错了档案"})
