"""The schedule in the browser, without a script: drafted, changed class by class, taken from a file, approved by two others."""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from datetime import date

import httpx
import pytest

from tests.support.archive import Archive, jpeg
from tests.support.pages import Visitor
from vault.access.rights import Role
from vault.retention.model import ScheduleVersion, VersionState
from vault.retention.queries import get_version

Visit = Callable[..., Visitor]


def text_of(answer: httpx.Response) -> str:
    main = answer.text.partition("<main")[2].partition(">")[2].partition("</main>")[0]
    return html.unescape(" ".join(re.sub(r"<[^>]+>", " ", main).split()))


def fields_of(answer: httpx.Response, form_id: str = "class-form") -> dict[str, str | list[str]]:
    """What a browser would send of the form as it stands: texts, chosen options, ticked boxes."""
    form = re.search(rf'<form[^>]*id="{form_id}".*?</form>', answer.text, re.DOTALL)
    assert form is not None
    told: dict[str, str | list[str]] = {}
    for tag in re.findall(r"<input[^>]*>", form[0]):
        attrs = dict(re.findall(r'([a-z-]+)="([^"]*)"', tag))
        if "name" not in attrs or attrs["name"] == "csrf_token":
            continue
        if attrs.get("type") in {"checkbox", "radio"}:
            if " checked" not in tag:
                continue
            if attrs["name"] == "rules":
                told.setdefault("rules", [])
                told["rules"] = [*told["rules"], attrs["value"]]
                continue
        told[attrs["name"]] = html.unescape(attrs.get("value", ""))
    for name, body in re.findall(r'<select[^>]*name="([^"]+)".*?>(.*?)</select>', form[0], re.DOTALL):
        chosen = re.search(r'<option value="([^"]*)" selected', body)
        told[name] = chosen[1] if chosen else re.findall(r'<option value="([^"]*)"', body)[0]
    return told


def version(archive: Archive, number: int) -> ScheduleVersion:
    with archive.ctx.database.read() as connection:
        return get_version(connection, number, archive.clock.now())


def error_of(answer: httpx.Response, field: str) -> str:
    found = re.search(rf'<p class="error" id="e-{field}">(.*?)</p>', answer.text, re.DOTALL)
    return html.unescape(re.sub(r"<[^>]+>", "", found[1])) if found else ""


@pytest.mark.clause("V3")
@pytest.mark.invariant("A1")
def test_from_draft_to_law_by_three_people(archive: Archive, visit: Visit) -> None:
    keeper, one, two = (
        visit("keeper", Role.ARCHIVIST),
        visit("head1", Role.APPROVER),
        visit("head2", Role.APPROVER),
    )
    listed = text_of(keeper.get("/schedules"))
    assert "第 1 版" in listed
    assert "现行" in listed
    assert keeper.goes_to("/schedules", {"note": "投诉改为二十年"}) == "/schedules/2?done=drafted"

    editor = keeper.get("/schedules/2/classes/COMPLAINT")
    told = fields_of(editor)
    assert told["own_period_years"] == "10"
    assert "将保存到 2036" in text_of(editor)
    told["own_period_years"] = "20"
    tried = keeper.post("/schedules/2/class-example", told)
    assert "将保存到 2046" in text_of(tried)
    assert "加 20 年" in text_of(tried), "the arithmetic"
    assert version(archive, 2).content == version(archive, 1).content, "trying changes nothing"
    assert keeper.goes_to("/schedules/2/classes", told) == "/schedules/2?done=changed"
    shown = text_of(keeper.get("/schedules/2"))
    assert "类别 COMPLAINT：本单位期限由 10 年 改为 20 年（期限变长）" in shown

    untried = keeper.post("/schedules/2/propose", {"effective_date": "2027-01-01"})
    assert untried.status_code == 409
    assert error_of(untried, "effective_date")
    assert 'href="/schedules/2/simulation"' in untried.text
    archive.simulate(2, on=date(2027, 1, 2))
    other_day = keeper.post("/schedules/2/propose", {"effective_date": "2027-01-01"})
    assert other_day.status_code == 409
    assert "2027-01-02" in error_of(other_day, "effective_date")
    archive.simulate(2, on=date(2027, 1, 1))
    assert 'value="2027-01-01"' in keeper.get("/schedules/2").text, "the day that was simulated is offered"
    past = keeper.post("/schedules/2/propose", {"effective_date": "2020-01-01"})
    assert past.status_code == 422
    assert "2020-01-01" in error_of(past, "effective_date")
    assert error_of(keeper.post("/schedules/2/propose", {"effective_date": ""}), "effective_date")
    assert keeper.goes_to("/schedules/2/propose", {"effective_date": "2027-01-01"}) == "/schedules/2?done=proposed"
    assert keeper.post("/schedules/2/approve", {}).status_code == 403
    assert "还需 2 人批准" in text_of(one.get("/schedules/2"))

    assert one.goes_to("/schedules/2/approve", {"comment": "同意"}) == "/schedules/2?done=approved"
    again = one.post("/schedules/2/approve", {})
    assert again.status_code == 409
    assert "您已批准" in text_of(again)
    assert version(archive, 2).state is VersionState.PROPOSED
    two.goes_to("/schedules/2/approve", {})
    assert version(archive, 2).state is VersionState.APPROVED
    page = text_of(keeper.get("/schedules/2"))
    for part in (
        "已批准，尚未生效",
        "2027-01-01",
        "head1 的姓名",
        "head2 的姓名",
        "同意",
        version(archive, 2).digest.hex(),
    ):
        assert part in page, part
    assert "2027-01-01" in text_of(keeper.get("/schedules?state=approved"))


def test_who_proposes_does_not_approve_and_a_refusal_needs_a_reason(archive: Archive, visit: Visit) -> None:
    chief, head = visit("chief", Role.ARCHIVE_ADMINISTRATOR, Role.APPROVER), visit("head", Role.APPROVER)
    chief.goes_to("/schedules", {"note": "试改"})
    archive.simulate(2, on=date(2027, 1, 1))
    chief.goes_to("/schedules/2/propose", {"effective_date": "2027-01-01"})
    page = chief.get("/schedules/2")
    assert "这是您提请的" in text_of(page)
    assert 'action="/schedules/2/approve"' not in page.text
    assert chief.post("/schedules/2/approve", {}).status_code == 403
    short = head.post("/schedules/2/refuse", {"comment": "不"})
    assert short.status_code == 422
    assert 'action="/schedules/2/refuse"' in short.text
    assert "4 至 500" in short.text
    head.goes_to("/schedules/2/refuse", {"comment": "依据不足"})
    assert "依据不足" in text_of(chief.get("/schedules/2"))
    assert version(archive, 2).state is VersionState.REFUSED
    chief.goes_to("/schedules", {"note": "再试"})
    assert 'id="e-reason"' in chief.post("/schedules/3/withdraw", {"reason": " "}).text
    assert chief.goes_to("/schedules/3/withdraw", {"reason": "先征求意见"}) == "/schedules/3?done=withdrawn"
    assert "先征求意见" in text_of(chief.get("/schedules/3"))
    assert version(archive, 3).state is VersionState.WITHDRAWN


def test_every_field_that_is_wrong_is_told_beside_it(archive: Archive, visit: Visit) -> None:
    keeper = visit("keeper", Role.ARCHIVIST)
    keeper.goes_to("/schedules", {"note": "新类别"})
    told = fields_of(keeper.get("/schedules/2/new-class"))
    wrong = {
        **told,
        "code": "loan file",
        "name_en": "Loan",
        "copies": "99",
        "horizon_years": "x",
        "intake_lasts_days": "0",
    }
    answer = keeper.post("/schedules/2/classes", wrong)
    assert answer.status_code == 422
    assert "大写字母" in error_of(answer, "code")
    assert error_of(answer, "name_zh") == "此项必填。"
    assert error_of(answer, "name_en") == ""
    assert "1 至 9" in error_of(answer, "copies")
    assert error_of(answer, "horizon")
    assert error_of(answer, "intake_lasts_days")
    assert 'value="loan file"' in answer.text, "what was typed stays"
    assert "标出的各项改正后" in text_of(answer)

    right = {**told, "code": "LOAN-FILE", "name_zh": "贷款档案", "name_en": "Loan file", "rules": ["CN-ACC-VOUCHER"]}
    taken = keeper.post("/schedules/2/classes", {**right, "code": "COMPLAINT"})
    assert "已有此代码" in error_of(taken, "code")
    assert keeper.goes_to("/schedules/2/classes", {**right, "own_permanent": "1"}) == "/schedules/2?done=changed"
    made = version(archive, 2).content.class_of("LOAN-FILE")
    assert made is not None
    assert (made.rule_codes, made.own_period is not None and made.own_period.is_permanent) == (
        ("CN-ACC-VOUCHER",),
        True,
    )
    assert "永久保存" in text_of(keeper.get("/schedules/2/classes/LOAN-FILE"))
    assert keeper.goes_to("/schedules/2/classes/LOAN-FILE/remove") == "/schedules/2?done=removed"
    assert version(archive, 2).content.class_of("LOAN-FILE") is None


def test_two_who_change_two_classes_do_not_hinder_each_other_and_of_one_class_the_second_is_told(
    archive: Archive, visit: Visit
) -> None:
    first, second = visit("keeper1", Role.ARCHIVIST), visit("keeper2", Role.ARCHIVIST)
    first.goes_to("/schedules", {"note": "两人同改"})
    complaint = fields_of(first.get("/schedules/2/classes/COMPLAINT"))
    same = fields_of(second.get("/schedules/2/classes/COMPLAINT"))
    other = fields_of(second.get("/schedules/2/classes/GENERAL"))
    first.goes_to("/schedules/2/classes", {**complaint, "copies": "2"})
    second.goes_to("/schedules/2/classes", {**other, "copies": "3"})
    answer = second.post("/schedules/2/classes", {**same, "copies": "4"})
    assert answer.status_code == 409
    content = version(archive, 2).content
    assert [k.copies for k in content.classes if k.code in {"COMPLAINT", "GENERAL"}] == [3, 2]


def test_an_example_tells_what_it_waits_for_and_what_then(archive: Archive, visit: Visit) -> None:
    keeper = visit("keeper", Role.ARCHIVIST)
    page = text_of(keeper.get("/schedules/1/classes/ACCOUNT-OPENING?on=2028-02-29"))
    assert "2028-02-29 办结的业务单" in page
    assert "若同日还发生了" in page
    assert "滚动锁定" in page
    assert "新增类别" not in text_of(keeper.get("/schedules/1")), "what is law is not edited"
    assert keeper.post("/schedules/1/classes", {"held": "GENERAL"}).status_code == 404


def test_files_go_out_and_come_in_and_every_problem_is_told_with_its_line(archive: Archive, visit: Visit) -> None:
    keeper = visit("keeper", Role.ARCHIVIST)
    yaml = keeper.get("/schedules/1/file")
    assert "attachment" in yaml.headers["content-disposition"]
    text = yaml.text.replace("own_period: P30Y", "own_period: P40Y")
    client, token = keeper.client, keeper.csrf_token

    def send(address: str, name: str, body: str, **more: str) -> httpx.Response:
        files = {"file": (name, body.encode())}
        return client.post(address, data={"csrf_token": token, **more}, files=files, follow_redirects=False)

    assert send("/schedules", "新表.yaml", text, note="四十年").headers["location"] == "/schedules/2?done=drafted"
    assert "30 年 改为 40 年" in text_of(keeper.get("/schedules/2"))
    table = keeper.get("/schedules/2/file?format=csv").text
    seen = version(archive, 2).digest.hex()
    bad = send("/schedules/2/file", "表.csv", table.replace("DEFAULT-5Y", "NO-SUCH"), seen=seen)
    assert bad.status_code == 422
    for part in ("第 2 行", "第 13 行", "NO-SUCH", "未作任何改动"):
        assert part in text_of(bad), part
    assert send("/schedules/2/file", "表.csv", "\ufeff" + table.replace("P40Y", "P41Y"), seen=seen).status_code == 303
    assert "41 年" in text_of(keeper.get("/schedules/2"))
    stale = send("/schedules/2/file", "表.csv", table, seen=seen)
    assert stale.status_code == 409
    assert client.post("/schedules/2/file", data={"csrf_token": token, "seen": seen}).status_code == 422
    binary = client.post("/schedules", data={"csrf_token": token, "note": "x"}, files={"file": ("a.yaml", jpeg(1))})
    assert "UTF-8" in text_of(binary)


@pytest.mark.clause("C4.4")
def test_who_may_only_read_changes_nothing(visit: Visit) -> None:
    inspector, clerk = visit("inspector", Role.INSPECTOR), visit("clerk", Role.CLERK)
    assert inspector.get("/schedules/1").status_code == 200
    assert "新建草稿" not in inspector.get("/schedules").text
    assert inspector.post("/schedules", {"note": "x"}).status_code == 403
    assert clerk.get("/schedules").status_code == 403
    assert 'href="/schedules"' not in clerk.get("/").text
    assert inspector.get("/schedules/99").status_code == 404
    assert inspector.get("/schedules/1?against=77").status_code == 404
