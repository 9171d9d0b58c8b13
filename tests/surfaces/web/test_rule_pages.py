"""The rules in the browser: searched, read whole with the mark of what nobody has verified, and confirmed by two people."""

from __future__ import annotations

import html
import re
from collections.abc import Callable

import httpx
import pytest

from retention_rules import shipped
from tests.support.pages import Visitor
from vault.access.rights import Role

Visit = Callable[..., Visitor]


def text_of(answer: httpx.Response) -> str:
    main = answer.text.partition("<main")[2].partition(">")[2].partition("</main>")[0]
    return html.unescape(" ".join(re.sub(r"<[^>]+>", " ", main).split()))


def codes(answer: httpx.Response) -> list[str]:
    return re.findall(r'<a href="/rules/([^"]+)" data-open>', answer.text)


def test_all_rules_are_there_and_each_filter_narrows(visit: Visit) -> None:
    reader = visit("inspector", Role.INSPECTOR)
    everything = codes(reader.get("/rules"))
    assert len(everything) == sum(len(pack.rules) for pack in shipped.packs().values()) == 104
    cases = {
        "q=会计档案管理办法": lambda code: "CN-ACC-VOUCHER" in code,
        "q=cn-acc": lambda code: "CN-ACC-VOUCHER" in code,
        "sector=medical": lambda code: "CN-MED-OUTPATIENT" in code,
        "jurisdiction=DE": lambda code: "DE-BELEG" in code,
        "event=contract_terminated": lambda code: "CN-LABOR-CONTRACT" in code,
        "state=unverified": lambda code: "DEFAULT-5Y" in code,
    }
    for query, has in cases.items():
        found = codes(reader.get(f"/rules?{query}"))
        assert has(found), query
        assert 0 < len(found) < 104, query
    verified = codes(reader.get("/rules?state=verified"))
    assert "DEFAULT-5Y" not in verified
    assert "没有符合条件的规则" in text_of(reader.get("/rules?q=不存在的法律"))
    assert reader.get("/rules/NO-SUCH-RULE").status_code == 404
    assert visit("clerk", Role.CLERK).get("/rules").status_code == 403


def test_every_rule_has_a_page_with_its_source_and_where_it_is_used(visit: Visit) -> None:
    reader = visit("inspector", Role.INSPECTOR)
    for rule in shipped.rules():
        answer = reader.get(f"/rules/{rule}")
        assert answer.status_code == 200, rule
        assert all(one.citation in html.unescape(answer.text) for one in shipped.rules()[rule]), rule
        if not all(one.is_verified for one in shipped.rules()[rule]):
            assert "未核实" in text_of(answer), rule
    page = text_of(reader.get("/rules/CN-ACC-VOUCHER"))
    for part in ("30 年", "会计年度终了", "汇款及转账凭证", "cn-2026.11"):
        assert part in page, part


@pytest.mark.invariant("A1")
def test_a_rule_is_confirmed_by_two_people_with_its_source(visit: Visit) -> None:
    keeper, head = visit("keeper", Role.ARCHIVIST), visit("head", Role.APPROVER)
    short = keeper.post("/rules/DEFAULT-5Y/confirm", {"source": "x"})
    assert short.status_code == 422
    assert 'id="e-source"' in short.text
    told = {"source": "本办法第六条，2026 年 3 月印发"}
    assert keeper.goes_to("/rules/DEFAULT-5Y/confirm", told) == "/rules/DEFAULT-5Y?done=proposed"
    assert keeper.post("/rules/DEFAULT-5Y/confirm", told).status_code == 422
    page = head.get("/rules/DEFAULT-5Y")
    assert told["source"] in text_of(page)
    found = re.search(r'action="(/rules/confirmations/[^"]+)/approve"', page.text)
    assert found is not None
    assert head.post(f"{found[1]}/refuse", {"comment": "不"}).status_code == 422
    assert head.goes_to(f"{found[1]}/approve") == "/rules/DEFAULT-5Y?done=confirmed"
    after = text_of(keeper.get("/rules/DEFAULT-5Y"))
    assert "已由两人核实" in after
    assert "keeper 的姓名" in after
    assert "head 的姓名" in after
    assert "DEFAULT-5Y" not in codes(keeper.get("/rules?state=unverified"))
    assert head.post(f"{found[1]}/approve").status_code == 422, "only once"
