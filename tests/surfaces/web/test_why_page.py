"""Why a record is here, as a page: any day, the knowledge of any day, and a viewing in the ledger for each look."""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from datetime import date, timedelta

import httpx
import pytest

from tests.support.archive import Archive, jpeg
from tests.support.pages import Visitor, api_client
from vault.access.rights import Role
from vault.foundation.ledger.queries import EntryFilters, count_entries
from vault.retention import events
from vault.retention.model import NewEvent

DAY = timedelta(days=1)


def text_of(answer: httpx.Response) -> str:
    main = answer.text.partition("<main")[2].partition(">")[2].partition("</main>")[0]
    return html.unescape(" ".join(re.sub(r"<[^>]+>", " ", main).split()))


def viewings(archive: Archive) -> int:
    with archive.ctx.database.read() as connection:
        return count_entries(connection, EntryFilters(event="catalogue:pages:view"))


@pytest.mark.clause("C8.1")
def test_the_whole_derivation_for_any_day_with_the_knowledge_of_any_day(
    archive: Archive, visit: Callable[..., Visitor]
) -> None:
    record_id = archive.send(jpeg(1), class_code="CONTRACT", occurred_date=date(2026, 3, 1)).record_id
    assert record_id is not None
    came_in = archive.clock.now().date()
    archive.clock.advance(9 * 365 * DAY)
    known = archive.clock.now().date()
    ended = known.replace(day=1)
    until = ended.replace(year=ended.year + 2)
    told = [NewEvent(record_id, "contract_terminated", ended, "解除协议 7")]
    events.report(archive.ctx, archive.operator, told, "contract-7")
    keeper = visit("keeper", Role.ARCHIVIST)
    address = f"/records/{record_id}/why"

    today = text_of(keeper.get(address))
    for part in (f"保存至 {until}", "劳动合同法 art.50", "解除协议 7", f"{ended} 加 2 年", "治理锁定", "第 1 版"):
        assert part in today, part
    assert "By law kept at least 2 years" in today, "the other language to read aloud"

    then = text_of(keeper.get(f"{address}?on={came_in}"))
    assert "届满日尚不能确定" in then
    assert "解除协议 7" not in then
    hindsight = text_of(keeper.get(f"{address}?on={came_in}&known={known}"))
    assert f"保存至 {until}" in hindsight
    assert str(until + DAY) in text_of(keeper.get(f"{address}?on={until - 90 * DAY}"))


def test_a_day_that_is_none_or_before_it_came_in_is_told_beside_its_field(
    archive: Archive, visit: Callable[..., Visitor]
) -> None:
    record_id = archive.send(jpeg(1)).record_id
    keeper = visit("keeper", Role.ARCHIVIST)
    for query, field in (("on=gestern", "on"), ("on=1999-01-01", "on"), ("known=1999-01-01", "known")):
        answer = keeper.get(f"/records/{record_id}/why?{query}")
        assert answer.status_code == 422, query
        assert f'id="e-{field}"' in answer.text, query
    assert keeper.get("/records/00000000-0000-7000-8000-000000000000/why").status_code == 404


@pytest.mark.clause("V7")
def test_asking_why_is_looking_and_the_ledger_has_it(
    archive: Archive, root: str, visit: Callable[..., Visitor]
) -> None:
    record_id = archive.send(jpeg(1)).record_id
    before = viewings(archive)
    assert visit("keeper", Role.ARCHIVIST).get(f"/records/{record_id}/why").status_code == 200
    assert viewings(archive) == before + 1
    with api_client(root) as api:
        answer = api.get(f"/records/{record_id}/why", params={"on": "2030-01-01", "known": "2030-01-01"})
    assert answer.status_code == 200, answer.text
    assert answer.json()["on"] == "2030-01-01"
    assert viewings(archive) == before + 2
