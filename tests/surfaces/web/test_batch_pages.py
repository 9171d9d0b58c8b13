"""One batch in the browser: it is said to be in one state at a time."""

from __future__ import annotations

import html
import re
from collections.abc import Callable

import httpx
import pytest

from tests.support.archive import Archive, jpeg
from tests.support.pages import Visitor
from vault.access.rights import Role
from vault.intake.batches import close_batch, open_batch

STATES = ("正在接收", "已到齐，待关闭", "已平衡", "未平衡")


def states_told(answer: httpx.Response) -> list[str]:
    main = answer.text.partition("<main")[2].partition("</main>")[0]
    text = html.unescape(re.sub(r"<[^>]+>", " ", main.partition('id="story"')[0]))
    return [state for state in STATES if state in text]


@pytest.mark.clause("C4.3")
def test_a_batch_is_in_one_state_at_a_time(archive: Archive, visit: Callable[..., Visitor]) -> None:
    keeper = visit("keeper", Role.ARCHIVE_ADMINISTRATOR)
    batch = open_batch(archive.ctx, archive.operator, "上午的一批", 2)
    address = f"/batches/{batch.id}"
    archive.send(jpeg(1), batch_id=batch.id)
    assert states_told(keeper.get(address)) == ["正在接收"]
    assert "还缺" in keeper.get(address).text
    archive.send(jpeg(2), batch_id=batch.id)
    seen = keeper.get(address)
    assert states_told(seen) == ["已到齐，待关闭"]
    assert "申报的份数已全部收到" in seen.text
    assert "已到齐，待关闭" in keeper.get("/batches").text
    close_batch(archive.ctx, archive.operator, batch.id)
    assert states_told(keeper.get(address)) == ["已平衡"]
    uncounted = open_batch(archive.ctx, archive.operator, "没有申报份数的一批", None)
    archive.send(jpeg(3), batch_id=uncounted.id)
    assert states_told(keeper.get(f"/batches/{uncounted.id}")) == ["正在接收"]
