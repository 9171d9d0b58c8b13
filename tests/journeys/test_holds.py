"""A court's letter: legal staff hold a record in the browser, the store follows, and two heads release it on the phone."""

from __future__ import annotations

import base64
import json

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from tests.journeys.conftest import PASSWORD, Server
from tests.support.archive import jpeg

pytestmark = [pytest.mark.journey]


def enter(desk: Page, browser: Browser, server: Server, name: str, role: str, width: int) -> Page:
    """Adds somebody, who chooses a password and is signed in."""
    desk.goto(f"{server.url}/people")
    desk.fill("form[action='/people'] [name=name]", f"姓名{name}")
    desk.fill("form[action='/people'] [name=sign_in_name]", name)
    desk.select_option("form[action='/people'] [name=unit_id]", index=1)
    desk.check(f"form[action='/people'] [name=role][value={role}]")
    desk.click("form[action='/people'] button.primary")
    first = desk.locator(".secret code").inner_text()
    page = browser.new_context(viewport={"width": width, "height": 844}, locale="zh-CN").new_page()
    page.set_default_timeout(15_000)
    page.goto(f"{server.url}/sign-in")
    page.fill("#f-sign_in_name", name)
    page.fill("#f-password", first)
    page.click('form[action="/sign-in"] button.primary')
    page.wait_for_url("**/setup")
    page.fill("[name=password_now]", first)
    page.fill("[name=password]", PASSWORD)
    page.fill("[name=password_again]", PASSWORD)
    page.click('form[action="/setup"] button.primary')
    page.wait_for_url(f"{server.url}/")
    return page


@pytest.mark.clause("V5")
@pytest.mark.clause("C5.3")
@pytest.mark.invariant("A1")
def test_a_record_is_held_and_released_by_three_people(
    desk: Page, browser: Browser, server: Server, api: httpx.Client
) -> None:
    told = base64.b64encode(json.dumps({"class_code": "GENERAL"}).encode()).decode()
    headers = {"Idempotency-Key": "held-by-a-court", "Slipvault-Metadata": told}
    sent = api.post("/intake/items", content=jpeg(9401), headers=headers).json()
    legal = enter(desk, browser, server, "falv", "legal", 1280)
    heads = [enter(desk, browser, server, name, "approver", 390) for name in ("heada", "headb")]
    legal.goto(f"{server.url}/matters")
    legal.select_option("#f-authority", "court")
    for field, text in (
        ("authority_name", "市中院"),
        ("document_number", "(2026) 17 号"),
        ("basis", "民诉法"),
        ("title", "某案"),
    ):
        legal.fill(f"#f-{field}", text)
    legal.click("form[action='/matters'] button.primary")
    legal.wait_for_url("**/matters/*?done=opened")
    legal.click("a[href^='/holds/new']")
    legal.fill("#f-records", f"{sent['archival_number']}\n没有这一份")
    legal.fill("#f-reason", "法院要求保全")
    legal.click("form[action='/holds'] button.primary")
    expect(legal.locator("#e-records")).to_contain_text("第 2 行")
    legal.fill("#f-records", sent["archival_number"])
    legal.click("form[action='/holds'] button.primary")
    legal.wait_for_url("**/holds/*?done=placed")
    hold = legal.url.partition("?")[0]
    for _ in range(60):
        if "存储中已设置" in legal.locator(".subtitle").inner_text():
            break
        legal.wait_for_timeout(500)
        legal.goto(hold)
    expect(legal.locator(".subtitle")).to_contain_text("存储中已设置")
    legal.goto(f"{server.url}/records/{sent['record_id']}")
    expect(legal.locator(".callout").first).to_contain_text("本档案已被冻结")
    legal.goto(hold)
    legal.fill("#f-reason", "案件已结")
    legal.click(f"form[action='{hold.removeprefix(server.url)}/propose'] button")
    legal.wait_for_url("**/holds/*?done=proposed")
    for head, done in zip(heads, ("approved", "released"), strict=True):
        head.goto(f"{server.url}/")
        head.click("a:has-text('冻结 M-')")
        head.wait_for_url("**/holds/*")
        wide = head.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert wide <= 1
        head.click("form[action$='/approve'] button.primary")
        head.wait_for_url(f"**/holds/*?done={done}")
        head.context.close()
    legal.goto(f"{server.url}/records/{sent['record_id']}")
    expect(legal.locator("main")).not_to_contain_text("本档案已被冻结")
    legal.context.close()
