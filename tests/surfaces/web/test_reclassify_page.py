"""Another class in the browser: seen before it is done, free before filing, proposed and approved by two people afterwards."""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from datetime import date
from uuid import UUID

import httpx
import pytest

from tests.support.archive import Archive, jpeg
from tests.support.pages import Visitor
from vault.access import service
from vault.access.rights import Role
from vault.catalogue.queries import RecordView, get_record
from vault.retention.filing import file
from vault.retention.locking import lock_waiting

Visit = Callable[..., Visitor]


def text_of(answer: httpx.Response) -> str:
    main = answer.text.partition("<main")[2].partition(">")[2].partition("</main>")[0]
    return html.unescape(" ".join(re.sub(r"<[^>]+>", " ", main).split()))


@pytest.fixture
def record_id(archive: Archive) -> UUID:
    found = archive.send(jpeg(1), occurred_date=date(2026, 3, 1)).record_id
    assert found is not None
    return found


def look(archive: Archive, record_id: UUID) -> RecordView:
    with archive.ctx.database.read() as connection:
        return get_record(connection, archive.operator, record_id)


def test_before_filing_another_class_costs_nothing(archive: Archive, visit: Visit, record_id: UUID) -> None:
    keeper = visit("keeper", Role.ARCHIVIST)
    address = f"/records/{record_id}/class"
    assert f'href="{address}"' in keeper.get(f"/records/{record_id}").text
    seen = text_of(keeper.get(f"{address}?class_code=COMPLAINT"))
    assert "保存，至 2031-03-01" in seen
    assert "档号随之改变" in seen
    assert look(archive, record_id).class_code == "GENERAL", "a look changes nothing"
    assert keeper.post(address, {"class_code": "NO-SUCH"}).status_code == 422
    assert keeper.post(address, {"class_code": ""}).status_code == 422
    assert keeper.goes_to(address, {"class_code": "COMPLAINT"}) == f"{address}?done=changed"
    assert look(archive, record_id).class_code == "COMPLAINT"
    assert "一般业务单 → 投诉与建议" in text_of(keeper.get(address))


@pytest.mark.invariant("A1")
@pytest.mark.invariant("R1")
def test_after_filing_another_person_approves_and_nothing_gets_shorter(
    archive: Archive, visit: Visit, record_id: UUID
) -> None:
    file(archive.ctx, archive.operator, [record_id])
    list(lock_waiting(archive.ctx))
    keeper, head = visit("keeper", Role.ARCHIVIST), visit("head", Role.APPROVER)
    address = f"/records/{record_id}/class"
    assert "第二人批准" in text_of(keeper.get(f"{address}?class_code=LICENCE"))
    without = keeper.post(address, {"class_code": "LICENCE"})
    assert without.status_code == 422
    assert 'id="e-reason"' in without.text
    told = {"class_code": "LICENCE", "reason": "本为许可申请"}
    assert keeper.goes_to(address, told) == f"{address}?done=proposed"
    assert look(archive, record_id).class_code == "GENERAL"
    assert keeper.post(address, told).status_code == 422, "one proposal at a time"
    waiting = text_of(head.get("/"))
    assert "由 GENERAL 改为 LICENCE" in waiting
    page = head.get(address)
    found = re.search(r'action="(/reclassifications/[^"]+)/approve"', page.text)
    assert found is not None
    assert keeper.post(f"{found[1]}/approve").status_code == 403
    assert head.post(f"{found[1]}/refuse", {"comment": "x"}).status_code == 422
    assert head.goes_to(f"{found[1]}/approve", {"comment": "同意"}) == f"{address}?done=approved"
    assert look(archive, record_id).class_code == "LICENCE"
    assert "head 的姓名" in text_of(keeper.get(address))
    shorter = keeper.post(address, {"class_code": "GENERAL", "reason": "改回五年"})
    assert shorter.status_code == 422
    assert head.post(f"{found[1]}/approve").status_code == 422, "only once"


@pytest.mark.clause("C4.4")
def test_who_may_not_sees_no_form_and_other_units_see_nothing(
    archive: Archive, visit: Visit, record_id: UUID
) -> None:
    address = f"/records/{record_id}/class"
    clerk = visit("clerk", Role.CLERK)
    assert 'name="class_code"' not in clerk.get(address).text
    assert clerk.post(address, {"class_code": "COMPLAINT"}).status_code == 403
    other = service.create_unit(archive.ctx, archive.operator, "GT02", "二号窗口", "Window 2")
    assert visit("stranger", Role.CLERK, unit_id=other).get(address).status_code == 404
