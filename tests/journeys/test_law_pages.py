"""The pages of the law in a real browser: a class edited while its example follows, rules found, events foreseen, why told."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import httpx
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from tests.journeys.conftest import PASSWORD, Server
from tests.support.archive import jpeg

pytestmark = [pytest.mark.journey]
CASES = [("zh", 1280), ("zh", 390), ("en", 1280), ("en", 390)]


def is_sound(page: Page) -> None:
    """Accessible, and no wider than the window."""
    sideways = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert sideways <= 1, f"{page.url} scrolls sideways"
    found = Axe().run(page)
    assert found.violations_count == 0, f"{page.url}: {found.generate_report()}"


def speak(page: Page, language: str) -> None:
    """Changes the language of the pages, where it is another."""
    button = page.locator(f"button[name=language][value={language}]")
    if button.count():
        button.click()
        page.wait_for_load_state()


def draft(page: Page, server: Server, note: str) -> str:
    """Begins a draft and gives its address."""
    page.goto(f"{server.url}/schedules")
    page.fill("#f-note", note)
    page.click('form[action="/schedules"] button.primary')
    page.wait_for_url("**/schedules/*?done=drafted")
    return page.url.partition("?")[0]


@pytest.fixture
def approver(desk: Page, server: Server, browser: Browser) -> Iterator[Page]:
    """Somebody who approves, signed in on a phone with an own password."""
    desk.goto(f"{server.url}/people")
    desk.fill("form[action='/people'] [name=name]", "宋江")
    desk.fill("form[action='/people'] [name=sign_in_name]", "songjiang")
    desk.select_option("form[action='/people'] [name=unit_id]", index=1)
    desk.check("form[action='/people'] [name=role][value=approver]")
    desk.click("form[action='/people'] button.primary")
    first = desk.locator(".secret code").inner_text()
    context = browser.new_context(viewport={"width": 390, "height": 844}, locale="zh-CN")
    page = context.new_page()
    page.goto(f"{server.url}/sign-in")
    page.fill("#f-sign_in_name", "songjiang")
    page.fill("#f-password", first)
    page.click('form[action="/sign-in"] button.primary')
    page.wait_for_url("**/setup")
    page.fill("[name=password_now]", first)
    page.fill("[name=password]", PASSWORD)
    page.fill("[name=password_again]", PASSWORD)
    page.click('form[action="/setup"] button.primary')
    page.wait_for_url(f"{server.url}/")
    yield page
    context.close()


@pytest.mark.clause("V3")
def test_the_example_follows_what_is_typed_and_only_saving_changes_the_draft(desk: Page, server: Server) -> None:
    speak(desk, "zh")
    address = draft(desk, server, "投诉改为二十年")
    desk.click('a[href$="/classes/COMPLAINT"]')
    desk.wait_for_url("**/classes/COMPLAINT")
    example = desk.locator("#example")
    year = int(re.search(r"将保存到 (\d{4})", example.inner_text())[1])  # type: ignore[index]
    desk.fill("#f-own_period_years", "20")
    expect(example).to_contain_text(f"将保存到 {year + 10}")
    expect(example).to_contain_text("加 20 年")
    expect(desk.locator("#f-own_period_years")).to_be_focused()

    desk.fill("#f-copies", "99")
    wrong = desk.locator("#e-copies")
    expect(wrong).to_contain_text("1 至 9")
    expect(example).to_contain_text("标出的各项改正后")
    desk.fill("#f-copies", "2")
    expect(wrong).to_have_count(0)
    expect(example).to_contain_text(f"将保存到 {year + 10}")

    options = desk.locator("#rule-options [data-words]:visible")
    assert options.count() > 100
    desk.fill("#rule-search", "会计凭证")
    expect(options.first).to_contain_text("会计凭证")
    assert 0 < options.count() < 20
    desk.press("#rule-search", "Enter")
    assert desk.url.endswith("/classes/COMPLAINT"), "Enter in the search sends nothing"
    desk.locator('#rule-options input[value="CN-ACC-VOUCHER"]').check()
    expect(example).to_contain_text(f"将保存到 {year + 20}")
    is_sound(desk)

    desk.goto(address)
    expect(desk.locator("#changes ~ *, .changes-told").first).not_to_contain_text("COMPLAINT")
    desk.goto(f"{address}/classes/COMPLAINT")
    desk.fill("#f-own_period_years", "20")
    desk.click("#class-form button.primary")
    desk.wait_for_url("**?done=changed")
    expect(desk.locator(".changes-told")).to_contain_text("10 年 改为 20 年")
    desk.fill('form[action$="/withdraw"] [name=reason]', "只是试改")
    desk.click('form[action$="/withdraw"] button')
    desk.wait_for_url("**?done=withdrawn")


@pytest.mark.invariant("A1")
def test_a_rule_is_proposed_by_one_and_confirmed_by_another_on_a_phone(
    desk: Page, approver: Page, server: Server
) -> None:
    speak(desk, "zh")
    desk.goto(f"{server.url}/rules?q=DEFAULT-5Y")
    desk.click("tbody a[data-open]")
    desk.fill("#f-source", "本办法第六条，2026 年印发")
    desk.click('form[action$="/confirm"] button')
    desk.wait_for_url("**?done=proposed")
    assert desk.locator('form[action$="/approve"]').count() == 0, "whoever proposed it does not confirm it"
    approver.goto(f"{server.url}/")
    approver.click('a[href="/rules/DEFAULT-5Y"]')
    expect(approver.locator("main")).to_contain_text("2026 年印发")
    is_sound(approver)
    approver.click('form[action$="/approve"] button')
    approver.wait_for_url("**?done=confirmed")
    expect(approver.locator(".subtitle")).to_contain_text("已由两人核实")


@pytest.mark.clause("C8.1")
def test_an_event_is_foreseen_reported_and_told_by_why(desk: Page, server: Server, api: httpx.Client) -> None:
    speak(desk, "zh")
    today = datetime.now(ZoneInfo("Asia/Shanghai")).date()
    until = today.replace(year=today.year + 10)  # the class's own period, from the day it comes in
    sent = api.post(
        "/intake/items",
        content=jpeg(9311),
        headers={"Idempotency-Key": "law-pages-journey-1", "Slipvault-Metadata": _metadata("CONTRACT", "HT-2026-77")},
    )
    assert sent.status_code == 201, sent.text
    record = f"{server.url}/records/{sent.json()['record_id']}"
    desk.goto(f"{server.url}/events/new?record=HT-2026-77")
    desk.select_option("#f-event", "contract_terminated")
    desk.fill("#f-day", "2026-05-01")
    desk.fill("#f-evidence", "解除协议 7")
    desk.click('form[action="/events/preview"] button')
    expect(desk.locator("main")).to_contain_text(f"保存，至 {until}")
    is_sound(desk)
    desk.click('form[action="/events"] button.primary')
    desk.wait_for_url("**/events?report=*")
    expect(desk.locator("tbody")).to_contain_text("合同终止")
    desk.go_back()
    expect(desk.locator("main")).to_contain_text("1 个事件已经登记过，不再重复登记")

    desk.goto(f"{record}/why")
    expect(desk.locator("#conclusion + .lead-fact")).to_contain_text(str(until))
    expect(desk.locator(".rules")).to_contain_text("解除协议 7")
    expect(desk.locator('[lang="en"] >> text=Kept to the end of ' + str(until))).to_be_visible()
    desk.fill("#f-on", str(until + timedelta(days=1)))
    desk.click('form[action$="/why"] button')
    expect(desk.locator("#conclusion")).to_contain_text(str(until + timedelta(days=1)))
    is_sound(desk)
    desk.goto(f"{server.url}/due?month={until:%Y-%m}")
    desk.click("td.heat-4 a")
    expect(desk.locator("tbody")).to_contain_text("HT-2026-77")


@pytest.mark.parametrize(("language", "width"), CASES)
def test_every_page_of_the_law_is_accessible_and_fits(desk: Page, server: Server, language: str, width: int) -> None:
    speak(desk, language)
    desk.set_viewport_size({"width": width, "height": 900})
    for path in (
        *("/schedules", "/schedules/1", "/schedules/1/classes/ACCOUNT-OPENING", "/rules", "/rules/CN-ACC-VOUCHER"),
        *("/events", "/events/new", "/due", "/due?month=2031-11", "/due?year=all"),
    ):
        desk.goto(f"{server.url}{path}")
        assert desk.locator("h1").count() == 1, path
        is_sound(desk)


def _metadata(class_code: str, number: str) -> str:
    told = {
        "class_code": class_code,
        "business_number": number,
        "file_name": "合同.jpg",
        "occurred_date": "2026-03-01",
    }
    return base64.urlsafe_b64encode(json.dumps(told).encode()).decode().rstrip("=")
