"""The sample pages in a real browser: accessible, within the content policy, working with and without scripts."""

from __future__ import annotations

import base64
import json

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect
from web_preview import serving
from web_samples import RECORD, empty, full

from vault.surfaces.i18n import Language

pytestmark = pytest.mark.slow
SAMPLES = {sample.name: sample for sample in [*full(Language.ZH), *empty(Language.ZH)]}


@pytest.fixture(scope="module")
def root():
    with serving() as address:
        yield address


@pytest.fixture
def opened(browser, root, request):
    """A page at 1280 in Chinese, unless the test names other settings with `browsing`."""
    mark = request.node.get_closest_marker("browsing")
    told = dict(mark.kwargs) if mark else {}
    language = told.pop("language", "zh")
    width = told.pop("width", 1280)
    context = browser.new_context(viewport={"width": width, "height": 900}, **told)
    context.add_cookies([{"name": "language", "value": language, "url": root}])
    page = context.new_page()
    page.set_default_timeout(10_000)
    yield page
    context.close()


@pytest.mark.parametrize("names", [list(SAMPLES)[first::6] for first in range(6)], ids=range(6))
def test_no_page_has_an_axe_violation_or_meets_the_content_policy(browser, root, names) -> None:
    told: list[str] = []
    for language, width, scheme in (("zh", 1280, "light"), ("en", 390, "dark")):
        context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
        context.add_cookies([{"name": "language", "value": language, "url": root}])
        page = context.new_page()
        page.on("console", lambda message: "Content Security Policy" in message.text and told.append(message.text))
        page.on("pageerror", lambda error: told.append(str(error)))
        for name in names:
            page.goto(root + SAMPLES[name].address, wait_until="load")
            wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
            if wide > 0:
                told.append(f"{name} {language} {width}: {wide} px too wide")
            told.extend(f"{name} {language}: {v['id']}" for v in Axe().run(page).response["violations"])
        context.close()
    assert told == []


def test_the_policy_stops_an_inline_script(opened: Page, root: str) -> None:
    opened.goto(root + "/")
    opened.evaluate("document.body.insertAdjacentHTML('beforeend', '<img src=x onerror=\"document.title=1\">')")
    opened.evaluate(
        "const s = document.createElement('script'); s.textContent = 'document.title = 2'; document.body.append(s)"
    )
    opened.wait_for_timeout(200)
    assert opened.title() not in ("1", "2")


def test_viewer_keys_turn_pages_zoom_rotate_and_spread(opened: Page, root: str) -> None:
    opened.goto(root + RECORD)
    place = opened.locator("#viewer-place")
    image = opened.locator("#page-image")
    expect(place).to_have_text("第 1 页，共 4 页")
    opened.keyboard.press("ArrowRight")
    expect(place).to_have_text("第 2 页，共 4 页")
    expect(image).to_have_attribute("src", f"{RECORD}/pages/2.jpg")
    assert opened.url.endswith("?page=2")
    before = image.bounding_box()
    opened.keyboard.press("+")
    expect(opened.locator("#viewer-zoom")).to_have_text("125%")
    assert image.bounding_box()["width"] > before["width"] * 1.2
    opened.keyboard.press("w")
    opened.keyboard.press("r")
    turned = image.bounding_box()
    assert turned["width"] > turned["height"]
    opened.keyboard.press("End")
    expect(place).to_have_text("第 4 页，共 4 页")
    opened.keyboard.press("Home")
    opened.keyboard.press("s")
    expect(opened.locator("#stage img:visible")).to_have_count(2)
    opened.locator("#thumbs a").nth(2).click()
    expect(place).to_have_text("第 3 页，共 4 页")


def test_neighbours_are_fetched_ahead_and_no_page_twice(opened: Page, root: str) -> None:
    asked: list[str] = []
    opened.on("request", lambda request: "/pages/" in request.url and asked.append(request.url.rpartition("/")[2]))
    opened.goto(root + RECORD)
    expect(opened.locator("#page-image")).to_be_visible()
    opened.wait_for_load_state("networkidle")
    assert sorted(asked) == ["1.jpg", "2.jpg", "3.jpg"]
    opened.keyboard.press("ArrowRight")
    assert opened.locator("#page-image").evaluate("image => image.complete && image.naturalWidth > 0")
    opened.keyboard.press("ArrowLeft")
    opened.keyboard.press("ArrowRight")
    opened.wait_for_load_state("networkidle")
    assert sorted(asked) == ["1.jpg", "2.jpg", "3.jpg", "4.jpg"]


def test_how_somebody_likes_to_look_is_kept_from_record_to_record(opened: Page, root: str) -> None:
    opened.goto(root + RECORD)
    opened.keyboard.press("h")
    opened.keyboard.press("s")
    stage = opened.locator("#stage").bounding_box()
    for image in opened.locator("#stage img").all():
        assert image.bounding_box()["height"] <= stage["height"]
    opened.keyboard.press("j")
    opened.wait_for_load_state()
    expect(opened.locator('[data-tool="spread"]')).to_have_attribute("aria-pressed", "true")
    expect(opened.locator('[data-tool="page"]')).to_have_attribute("aria-pressed", "true")
    expect(opened.locator("#stage img")).to_have_count(2)


def test_a_page_that_does_not_come_says_so_and_is_asked_for_again(opened: Page, root: str) -> None:
    opened.route("**/pages/2.jpg", lambda route: route.abort())
    opened.goto(root + RECORD)
    opened.wait_for_load_state("networkidle")
    opened.keyboard.press("ArrowRight")
    expect(opened.locator(".stage-note")).to_be_visible()
    opened.unroute("**/pages/2.jpg")
    opened.locator("#thumbs a").nth(1).click()
    expect(opened.locator(".stage-note")).to_be_hidden()
    assert opened.locator("#page-image").get_attribute("src").endswith("/pages/2.jpg")


@pytest.mark.browsing(java_script_enabled=False)
def test_without_a_script_pages_and_thumbnails_are_links(opened: Page, root: str) -> None:
    opened.goto(root + RECORD)
    expect(opened.locator("#viewer-tools")).to_be_hidden()
    expect(opened.locator("#page-image")).to_be_visible()
    assert opened.locator("#page-next").get_attribute("href") == f"{RECORD}?page=2#viewer"
    opened.goto(root + "/intake")
    expect(opened.locator("#send")).to_be_visible()
    assert opened.locator("#intake-form").get_attribute("enctype") == "multipart/form-data"


def test_slash_goes_to_the_search_and_escape_leaves_it(opened: Page, root: str) -> None:
    opened.goto(root + "/records?q=开户")
    opened.keyboard.press("/")
    expect(opened.locator("#search")).to_be_focused()
    opened.keyboard.type("j/")
    expect(opened.locator("#search")).to_have_value("j/")
    opened.keyboard.press("Escape")
    expect(opened.locator("#search")).not_to_be_focused()


def test_selecting_counts_over_pages_and_opens_the_acts(opened: Page, root: str) -> None:
    opened.goto(root + "/batches")
    button, told = opened.locator("#bulk-bar .actions button").first, opened.locator("[data-picked]")
    expect(button).to_be_disabled()
    opened.locator("[data-pick-all]").check()
    expect(told).to_have_text("已选 4 份")
    expect(button).to_be_enabled()
    opened.locator("[data-pick]").first.uncheck()
    expect(told).to_have_text("已选 3 份")
    opened.evaluate(
        "sessionStorage.setItem('picked:batches', JSON.stringify([...JSON.parse(sessionStorage.getItem('picked:batches')), 'x']))"
    )
    opened.reload()
    expect(told).to_have_text("已选 4 条，其中 1 条在其他页")
    assert opened.locator("#bulk [name=picked]").input_value().endswith("x")
    opened.locator("#bulk [name=whole_list]").check()
    expect(told).to_have_text("已选整个列表")
    assert opened.locator("#bulk [name=picked]").input_value() == ""
    opened.locator("[data-clear]").click()
    expect(told).to_have_text("尚未选择。")
    expect(button).to_be_disabled()
    opened.locator("[data-pick]").first.check()
    opened.goto(root + "/quarantine/act")
    opened.goto(root + "/batches")
    expect(told).to_have_text("已选 1 份")


def test_what_was_acted_upon_is_no_longer_selected(opened: Page, root: str) -> None:
    opened.goto(root + "/quarantine")
    opened.locator("[data-pick]").first.check()
    opened.goto(root + "/quarantine/act")
    opened.goto(root + "/quarantine")
    expect(opened.locator("[data-picked]")).to_have_text("尚未选择。")


def test_lines_are_walked_picked_and_opened_by_keys(opened: Page, root: str) -> None:
    opened.goto(root + "/batches")
    opened.keyboard.press("j")
    opened.keyboard.press("j")
    opened.keyboard.press("k")
    expect(opened.locator("[data-row].current")).to_have_count(1)
    expect(opened.locator("[data-row] a[data-open]").first).to_be_focused()
    opened.keyboard.press("x")
    expect(opened.locator("[data-pick]").first).to_be_checked()
    opened.keyboard.press("Enter")
    opened.wait_for_url("**/batches/0193*")
    opened.goto(root + "/batches")
    opened.keyboard.press("n")
    opened.wait_for_url("**/batches?after=b4")


def test_the_question_mark_shows_the_keys(opened: Page, root: str) -> None:
    opened.goto(root + "/batches")
    expect(opened.locator("#keys")).to_be_hidden()
    opened.keyboard.press("?")
    expect(opened.locator("#keys")).to_be_visible()
    assert Axe().run(opened).violations_count == 0
    opened.keyboard.press("j")
    expect(opened.locator("[data-row].current")).to_have_count(0)
    opened.keyboard.press("Escape")
    expect(opened.locator("#keys")).to_be_hidden()


def test_suggestions_are_chosen_by_keys_and_nothing_typed_gets_into_an_address(opened: Page, root: str) -> None:
    asked: list[str] = []
    opened.on("request", lambda request: asked.append(request.url))
    opened.goto(root + "/batches")
    box, listbox = opened.locator("#search"), opened.locator("#suggestions")
    box.fill("欧阳")
    expect(listbox.locator("[role=option]")).to_have_count(2)
    expect(box).to_have_attribute("aria-expanded", "true")
    assert Axe().run(opened).violations_count == 0
    box.press("ArrowDown")
    box.press("ArrowDown")
    expect(box).to_have_attribute("aria-activedescendant", "suggestion-1")
    box.press("Escape")
    expect(listbox).to_be_hidden()
    expect(box).to_be_focused()
    box.fill("欧阳明")
    expect(listbox).to_be_visible()
    box.press("ArrowDown")
    box.press("Enter")
    opened.wait_for_url("**/records/0193*")
    assert not [url for url in asked if "欧阳" in url or "%E6%AC%A7" in url]
    opened.goto(root + "/batches")
    box.fill("无此人")
    expect(opened.locator("#suggestions-count")).to_have_text("暂无匹配，按回车在档案中查找。")


def test_progress_is_shown_as_it_goes_on(opened: Page, root: str) -> None:
    opened.goto(root + "/ledger?running")
    expect(opened.locator(".progress-text").first).to_have_text("40,000 / 48,213")


@pytest.mark.browsing(width=390)
def test_on_a_phone_the_rail_opens_and_closes_by_links_alone(opened: Page, root: str) -> None:
    opened.goto(root + "/")
    rail = opened.locator("#rail")
    expect(rail).to_be_hidden()
    opened.locator(".menu-open").click()
    expect(rail).to_be_visible()
    opened.locator(".menu-close").click()
    expect(rail).to_be_hidden()


def send(page: Page, root: str, *files: tuple[str, bytes]) -> None:
    page.goto(root + "/intake")
    page.locator("[name=class_code]").first.check()
    page.locator("[name=batch_name]").fill("二十四日下午")
    page.locator("[name=sheets_announced]").fill(str(len(files)))
    choose(page, *files)
    page.locator("#send").click()


def choose(page: Page, *files: tuple[str, bytes]) -> None:
    page.locator("#f-files").set_input_files(
        [{"name": name, "mimeType": "application/octet-stream", "buffer": body} for name, body in files]
    )


def metadata_sent(page: Page) -> list[dict[str, str]]:
    """What every upload from now on says of its file, as it goes out."""
    told: list[dict[str, str]] = []

    def note(request) -> None:
        if request.url.endswith("/intake/items"):
            text = request.headers["slipvault-metadata"]
            told.append(json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))))

    page.on("request", note)
    return told


def test_each_file_is_sent_by_itself_and_shows_what_the_server_said(opened: Page, root: str) -> None:
    send(opened, root, ("好.tif", b"good"), ("again.tif", b"duplicate"), ("坏.pdf", b"refuse"), ("空.tif", b""))
    rows = opened.locator("#uploads li")
    expect(rows.nth(0).locator(".state")).to_have_text("已入库")
    expect(rows.nth(0).get_by_role("link")).to_have_attribute("href", "/records/r-1")
    expect(rows.nth(1).locator(".state")).to_have_text("库中已有")
    expect(rows.nth(2).locator(".state")).to_have_text("已退回")
    expect(rows.nth(2).locator(".upload-note .reason")).to_have_text(["第 4 页读不出", "请重新扫描"])
    expect(rows.nth(3).locator(".upload-note")).to_have_text("文件为空，未发送。")
    expect(opened.locator("#upload-summary")).to_contain_text("已发送 4 / 4：入库 1，库中已有 1，退回 2，未发送 0")
    expect(opened.locator("#upload-batch a")).to_have_attribute("href", "/batches/b-1")


def test_a_passing_failure_is_tried_again_with_the_same_key(opened: Page, root: str) -> None:
    send(opened, root, ("later.tif", b"busy-once"))
    expect(opened.locator("#uploads .state")).to_have_text("已入库")
    keys = opened.evaluate("fetch('/keys').then((r) => r.json())")["busy-once"]
    assert len(keys) >= 2
    assert keys[-1] == keys[-2]


def test_a_file_under_way_can_be_cancelled_and_sent_after_all(opened: Page, root: str) -> None:
    send(opened, root, ("slow.tif", b"slow"))
    row = opened.locator("#uploads li")
    expect(row.locator(".state")).to_have_text("正在检查")
    row.get_by_role("button").click()
    expect(row.locator(".state")).to_have_text("已取消")
    expect(row).to_contain_text("不会重复")
    row.get_by_role("button").click()
    expect(row.locator(".state")).to_have_text("已入库")


def test_what_is_typed_after_the_files_were_chosen_goes_with_them(opened: Page, root: str) -> None:
    told = metadata_sent(opened)
    opened.goto(root + "/intake")
    choose(opened, ("先选.tif", b"good"))
    choose(opened, ("后选.tif", b"good-two"))
    rows = opened.locator("#uploads li")
    expect(rows.locator(".state")).to_have_text(["待发送", "待发送"])
    expect(opened.locator("#chosen")).to_contain_text("已选 2 个文件，尚未发送")
    assert told == []
    opened.locator("[name=class_code]").nth(1).check()
    opened.fill("[name=batch_name]", "二十四日下午")
    opened.locator(".more-fields summary").click()
    opened.fill("[name=customer_name]", "欧阳小明")
    opened.fill("[name=occurred_date]", "2026-03-01")
    expect(opened.locator("#send")).to_have_text("发送 2 个文件")
    opened.press("[name=customer_name]", "Enter")
    expect(rows.locator(".state")).to_have_text(["已入库", "已入库"])
    expect(opened.locator("[name=customer_name]")).to_have_value("")
    expect(opened.locator("[name=occurred_date]")).to_have_value("2026-03-01")
    code = opened.locator("[name=class_code]").nth(1).input_value()
    assert [(one["class_code"], one["customer_name"], one["occurred_date"]) for one in told] == [
        (code, "欧阳小明", "2026-03-01")
    ] * 2


def test_a_retry_says_what_was_said_and_the_next_pile_what_is_said_then(opened: Page, root: str) -> None:
    told = metadata_sent(opened)
    opened.goto(root + "/intake")
    opened.locator("[name=class_code]").first.check()
    opened.fill("[name=batch_name]", "二十四日下午")
    opened.locator(".more-fields summary").click()
    opened.fill("[name=customer_name]", "甲")
    choose(opened, ("one.tif", b"slow-described"))
    opened.locator("#send").click()
    row = opened.locator("#uploads li").first
    row.get_by_role("button").click()
    expect(row.locator(".state")).to_have_text("已取消")
    opened.fill("[name=customer_name]", "乙")
    choose(opened, ("two.tif", b"good"))
    row.get_by_role("button").click()
    expect(row.locator(".state")).to_have_text("已入库")
    assert {one["customer_name"] for one in told} == {"甲"}, "the second waits to be sent"
    opened.locator("#send").click()
    expect(opened.locator("#uploads li").nth(1).locator(".state")).to_have_text("已入库")
    assert [one["customer_name"] for one in told if one["file_name"] == "two.tif"] == ["乙"]


def test_without_files_class_or_with_a_coming_day_nothing_is_sent(opened: Page, root: str) -> None:
    told = metadata_sent(opened)
    opened.goto(root + "/intake")
    opened.locator("[name=class_code]").first.check()
    opened.locator("#send").click()
    assert opened.locator("#f-files").evaluate("input => input.validationMessage") == "请先选择文件。"
    opened.reload()
    choose(opened, ("a.tif", b"good"))
    opened.locator("#send").click()
    expect(opened.locator("#uploads .state")).to_have_text("待发送")
    opened.locator("[name=class_code]").first.check()
    opened.locator(".more-fields summary").click()
    opened.fill("[name=occurred_date]", "2999-01-01")
    opened.locator(".more-fields summary").click()
    opened.locator("#send").click()
    expect(opened.locator("[name=occurred_date]")).to_be_visible()
    expect(opened.locator("#uploads .state")).to_have_text("待发送")
    opened.locator("#uploads").get_by_role("button", name="移除").click()
    expect(opened.locator("#upload-list")).to_be_hidden()
    assert told == []


def test_what_was_said_wrongly_is_corrected_and_sent_again(opened: Page, root: str) -> None:
    body = '{"code": "bad-field-value", "detail": "业务日期不可接受：日期尚未到来。", "hint": "请与原件核对。"}'
    answer = {"status": 422, "content_type": "application/problem+json", "body": body}
    opened.route("**/api/v1/intake/items", lambda route: route.fulfill(**answer))
    send(opened, root, ("a.tif", b"good"))
    expect(opened.locator("#uploads .upload-note")).to_contain_text("日期尚未到来")
    expect(opened.locator("#uploads .state")).to_have_text("待发送")
    opened.unroute("**/api/v1/intake/items")
    opened.locator("#send").click()
    expect(opened.locator("#uploads .state")).to_have_text("已入库")


def test_pausing_stops_what_is_under_way_and_going_on_sends_it_with_the_same_key(opened: Page, root: str) -> None:
    send(opened, root, ("slow-pause.tif", b"slow-pause"))
    row = opened.locator("#uploads li")
    expect(row.locator(".state")).to_have_text("正在检查")
    opened.locator("#pause").click()
    expect(row.locator(".state")).to_have_text("等待")
    expect(opened.locator("#paused-why")).to_contain_text("已暂停")
    opened.locator("#pause").click()
    expect(row.locator(".state")).to_have_text("已入库")
    expect(opened.locator("#paused")).to_be_hidden()
    keys = opened.evaluate("fetch('/keys').then((r) => r.json())")["slow-pause"]
    assert keys[-1] == keys[-2]


def test_whoever_was_signed_out_signs_in_elsewhere_and_goes_on_here(opened: Page, root: str) -> None:
    answer = {"status": 401, "content_type": "application/problem+json", "body": '{"code": "sign-in-needed"}'}
    opened.route("**/api/v1/intake/items", lambda route: route.fulfill(**answer))
    send(opened, root, ("a.tif", b"good"))
    expect(opened.locator("#sign-in-again")).to_be_visible()
    expect(opened.locator("#uploads .state")).to_have_text("等待")
    opened.unroute("**/api/v1/intake/items")
    opened.locator("#pause").click()
    expect(opened.locator("#uploads .state")).to_have_text("已入库")


def test_who_comes_back_is_told_what_was_not_sent_and_its_key_is_kept(opened: Page, root: str, tmp_path) -> None:
    scan = tmp_path / "晚到.tif"
    scan.write_bytes(b"good-late")
    opened.route("**/api/v1/intake/items", lambda route: route.abort())
    opened.goto(root + "/intake")
    opened.locator("[name=class_code]").first.check()
    opened.locator("[name=batch_name]").fill("没发完的一批")
    opened.locator("#f-files").set_input_files(scan)
    opened.locator("#send").click()
    expect(opened.locator("#uploads .upload-note")).to_contain_text("连接中断")
    kept = opened.evaluate("JSON.parse(Object.values(localStorage)[0])")
    opened.on("dialog", lambda dialog: dialog.accept())
    opened.goto(root + "/intake")
    expect(opened.locator("#unsent-names")).to_have_text("晚到.tif")
    expect(opened.locator("#unsent")).to_contain_text("1 个文件")
    opened.unroute("**/api/v1/intake/items")
    with opened.expect_file_chooser() as chooser:
        opened.locator("#unsent-choose").click()
    assert opened.locator("[name=batch_name]").input_value() == "没发完的一批"
    chooser.value.set_files(scan)
    opened.locator("#send").click()
    expect(opened.locator("#uploads .state")).to_have_text("已入库")
    keys = opened.evaluate("fetch('/keys').then((r) => r.json())")["good-late"]
    assert keys == [file["key"] for file in kept["files"].values()]
    assert opened.evaluate("localStorage.length") == 0


def test_all_that_was_not_sent_is_sent_by_one_press(opened: Page, root: str) -> None:
    send(opened, root, ("one.tif", b"slow-all-1"), ("two.tif", b"slow-all-2"))
    opened.locator("#cancel-all").click()
    expect(opened.locator("#uploads .state")).to_have_text(["已取消", "已取消"])
    expect(opened.locator("#retry-all")).to_have_text("重发未发送的（2）")
    opened.locator("#retry-all").click()
    expect(opened.locator("#uploads .state")).to_have_text(["已入库", "已入库"])
    expect(opened.locator("#retry-all")).to_be_hidden()
