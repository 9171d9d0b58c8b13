"""From a pile of scans to a record that is looked at, corrected, verified and printed: what each page shows on the way."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import pikepdf
import pypdfium2
import pytest
from axe_playwright_python.sync_playwright import Axe
from PIL import Image
from playwright.sync_api import Browser, Page, expect

from tests.journeys.conftest import PASSWORD, Server, wait_for
from tests.support.archive import jpeg, pdf, tiff

pytestmark = [pytest.mark.journey]
A4_POINTS = (595, 842)
CASES = [("zh", 1280), ("zh", 390), ("en", 1280), ("en", 390)]
SURNAMES = dict(zip(CASES, ("欧阳", "司徒", "上官", "诸葛"), strict=True))


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


@pytest.fixture
def files(tmp_path: Path, request: pytest.FixtureRequest) -> list[Path]:
    """A multi-page TIFF, a PDF and a broken scan, other ones for each test."""
    seed = sum(request.node.name.encode()) % 9973
    made = {"多页.tif": tiff(3, seed=seed), "单页.pdf": pdf(seed + 1), "坏的.jpg": jpeg(seed + 2)[:-2000]}
    for name, data in made.items():
        (tmp_path / name).write_bytes(data)
    return [tmp_path / name for name in made]


def send(page: Page, server: Server, files: list[Path], customer: str, announced: int = 3) -> str:
    """Sends files through the intake page as one batch and gives the address of the batch."""
    page.goto(f"{server.url}/intake")
    page.select_option("select[name=class_code]", "ACCOUNT-OPENING")
    page.fill("[name=batch_name]", f"{customer}的一批")
    page.fill("[name=sheets_announced]", str(announced))
    page.click("details.more-fields summary")
    page.fill("[name=customer_name]", customer)
    page.set_input_files("#f-files", files)
    page.click("#send")
    expect(page.locator("#upload-list")).to_have_class(re.compile("done"), timeout=60_000)
    address = page.locator("#upload-batch a").get_attribute("href")
    assert address is not None
    return f"{server.url}{address}"


def find(page: Page, server: Server, part: str, pages: int) -> str:
    """Finds a record by part of a name in the search box and opens it; waits for its page images."""
    page.goto(f"{server.url}/records")
    page.fill("#search", part)
    page.press("#search", "Enter")
    page.wait_for_load_state()
    addresses = page.locator("tbody a[href^='/records/0']").evaluate_all("links => links.map(link => link.href)")
    for address in dict.fromkeys(str(found).partition("?")[0] for found in addresses):
        wait_for(lambda address=address: has_images(page, address), 120)
        if page.locator("#thumbs li").count() == pages:
            return address
    raise AssertionError(f"no record of {pages} pages among {addresses}")


def has_images(page: Page, address: str) -> bool:
    page.goto(address)
    assert page.locator(".stage-empty .state.bad").count() == 0, "page images could not be made"
    return page.locator("#page-image").count() == 1


@pytest.mark.clause("C1.4")
@pytest.mark.clause("V1")
@pytest.mark.clause("V2")
@pytest.mark.clause("V7")
@pytest.mark.parametrize(("language", "width"), CASES)
def test_a_scan_comes_in_is_found_looked_at_and_proven(
    desk: Page, server: Server, files: list[Path], language: str, width: int
) -> None:
    customer = f"{SURNAMES[language, width]}明月"
    speak(desk, language)
    desk.set_viewport_size({"width": width, "height": 900})
    batch = send(desk, server, files, customer)
    rows = desk.locator("#uploads li")
    expect(rows.locator(".state.good")).to_have_count(2)
    expect(rows.filter(has_text="坏的.jpg").locator(".upload-note")).not_to_be_empty()
    is_sound(desk)

    desk.goto(batch)
    expect(desk.locator(".equation")).to_contain_text("3")
    expect(desk.locator("table.items tbody tr")).to_have_count(3)
    assert re.search(r"[0-9a-f]{8}-[0-9a-f]{4}-", desk.locator("main").inner_text()) is None, "a bare identifier"
    is_sound(desk)

    address = find(desk, server, customer[1:], 3)
    expect(desk.locator("h1")).to_contain_text({"zh": "开户资料", "en": "Account opening"}[language])
    main = desk.locator("main").inner_text()
    lock = {"zh": "治理锁定", "en": "Governance lock"}[language]
    registered = {"zh": "档案登记", "en": "Record registered"}[language]
    assert lock in main
    assert registered in main
    assert re.search(r"\d{4}-\d\d-\d\d \d\d:\d\d", desk.locator(".lockline table").inner_text())
    assert re.search(r"[0-9a-f]{8}-[0-9a-f]{4}-", main) is None, "a bare identifier"
    is_sound(desk)

    page_through(desk)
    is_watermarked(desk, address)

    desk.locator(".timeline a", has_text=registered).first.click()
    desk.wait_for_load_state()
    wait_for(lambda: is_proven(desk), 20)
    expect(desk.locator("h1")).to_have_text(registered)
    is_sound(desk)
    speak(desk, "zh")


def page_through(desk: Page) -> None:
    """By key, by thumbnail, two at once; the page that is shown is there within a blink, because it was fetched ahead."""
    desk.wait_for_load_state("networkidle")
    desk.keyboard.press("ArrowRight")
    expect(desk.locator("#viewer-place")).to_contain_text("2")
    assert desk.locator("#page-image").evaluate("image => image.complete && image.naturalWidth > 500")
    desk.locator("#thumbs a").nth(2).click()
    expect(desk.locator("#page-image")).to_have_attribute("src", re.compile(r"/pages/3\.jpg$"))
    desk.keyboard.press("Home")
    desk.keyboard.press("s")
    expect(desk.locator("#stage img")).to_have_count(2)
    desk.keyboard.press("s")
    desk.keyboard.press("r")
    turned = desk.locator("#page-image").bounding_box()
    assert turned is not None
    assert turned["width"] > turned["height"]


def is_watermarked(desk: Page, address: str) -> None:
    """The page as it is shown: paper has turned grey in places, the writing is still black, and no cache keeps it."""
    shown = desk.request.get(f"{address}/pages/1.jpg")
    assert shown.status == 200
    assert shown.headers["cache-control"] == "private, no-store"
    image = Image.open(io.BytesIO(shown.body())).convert("L")
    counts = image.histogram()
    assert sum(counts[190:226]) / (image.width * image.height) > 0.005
    assert sum(counts[:80]) / (image.width * image.height) > 0.005


def is_proven(desk: Page) -> bool:
    if desk.locator(".subtitle .state.good").count():
        return True
    desk.reload()
    return False


@pytest.mark.clause("C2.4")
def test_two_correct_one_record_and_the_second_is_shown_both(
    desk: Page, server: Server, browser: Browser, files: list[Path]
) -> None:
    send(desk, server, files[:1], "公孙大娘", announced=1)
    address = find(desk, server, "孙大娘", 3)
    other = desk.context.new_page()
    other.goto(f"{address}/describe")
    desk.goto(f"{address}/describe")
    expect(desk.locator("#page-image")).to_be_visible()
    is_sound(desk)

    desk.fill("[name=customer_name]", "公孙二娘")
    desk.click("form button.primary:has-text('保存更正')")
    expect(desk.locator(".error-summary")).to_contain_text("理由")
    desk.fill("[name=reason]", "与原件核对有误")
    desk.click("form button.primary:has-text('保存更正')")
    expect(desk.locator(".notice")).to_contain_text("更正已保存")
    expect(desk.locator(".corrected del").first).to_have_text("公孙大娘")
    expect(desk.locator(".corrections")).to_contain_text("与原件核对有误")
    is_sound(desk)

    other.fill("[name=handler]", "周晓红")
    other.fill("[name=reason]", "补录经办人")
    other.click("form button.primary:has-text('保存更正')")
    expect(other.locator(".callout.warn")).to_contain_text("公孙二娘")
    expect(other.locator("[name=customer_name]")).to_have_value("公孙二娘")
    expect(other.locator("[name=handler]")).to_have_value("周晓红")
    is_sound(other)
    other.click("form button.primary:has-text('保存更正')")
    expect(other.locator(".notice")).to_be_visible()
    expect(other.locator(".facts").first).to_contain_text("公孙二娘")
    other.close()


@pytest.mark.clause("C4.3")
@pytest.mark.clause("V7")
def test_a_record_is_verified_at_once_and_says_when_it_was(desk: Page, server: Server, files: list[Path]) -> None:
    send(desk, server, files[:1], "慕容复", announced=1)
    address = find(desk, server, "容复", 3)
    expect(desk.locator("#verified .state").first).to_have_text("入库后尚未核验")
    desk.locator(".head button", has_text="立即核验").click()
    expect(desk.locator("#verified .verdict-box .state")).to_have_text("未被改动")
    expect(desk.locator("#verified .checks li")).to_have_count(4)
    expect(desk.locator("#verified .checks .state.bad")).to_have_count(0)
    expect(desk.locator(".timeline")).to_contain_text("核验档案")
    is_sound(desk)
    desk.goto(address)
    expect(desk.locator(".subtitle")).to_contain_text("未被改动")


@pytest.mark.invariant("R1")
def test_a_record_is_filed_after_being_told_what_that_means(desk: Page, server: Server, files: list[Path]) -> None:
    send(desk, server, files[:1], "独孤信", announced=1)
    address = find(desk, server, "孤信", 3)
    desk.locator(".head a.primary", has_text="归档").click()
    desk.wait_for_load_state()
    expect(desk.locator(".plan")).to_contain_text("任何人都不能缩短或解除锁定")
    expect(desk.locator("#page-image")).to_be_visible()
    is_sound(desk)
    desk.locator(".plan a", has_text="取消").click()
    expect(desk.locator(".subtitle")).to_contain_text("待归档")
    desk.goto(f"{address}/file")
    with desk.expect_navigation():
        desk.locator(".plan button.primary").click()
    wait_for(lambda: says(desk, address, "合规锁定"), 60)
    expect(desk.locator(".subtitle")).to_contain_text("已归档")
    assert desk.locator(".head a", has_text="归档").count() == 0


def says(page: Page, address: str, words: str) -> bool:
    page.goto(address)
    return words in page.locator(".subtitle").inner_text()


def test_the_batch_and_the_record_print_on_a4_with_lines_to_sign_and_without_any_page(
    desk: Page, server: Server, files: list[Path]
) -> None:
    batch = send(desk, server, files, "皇甫嵩")
    desk.goto(batch)
    sheet, text = printed(desk)
    assert {"移交人", "接收人", "滨湖区政务服务中心"} <= {
        word for word in ("移交人", "接收人", "滨湖区政务服务中心") if word in text
    }
    assert "1 / " in text
    find(desk, server, "甫嵩", 3)
    sheet, text = printed(desk)
    assert "为何仍在保管" in text
    assert [name for one in sheet.pages for name in one.get_images()] == [], "a page of the record was printed"


def printed(page: Page) -> tuple[pikepdf.Pdf, str]:
    """What the browser prints, and its words."""
    data = page.pdf(prefer_css_page_size=True)
    sheet = pikepdf.open(io.BytesIO(data))
    for one in sheet.pages:
        size = [round(float(side)) for side in one.mediabox[2:]]
        assert all(abs(side - wanted) <= 1 for side, wanted in zip(size, A4_POINTS, strict=True))
    read = pypdfium2.PdfDocument(data)
    text = "\n".join(read[number].get_textpage().get_text_range() for number in range(len(read)))
    read.close()
    return sheet, text


@pytest.fixture
def clerk(desk: Page, server: Server, browser: Browser) -> Iterator[Page]:
    """A clerk of the first unit, with a password of their own, in a browser without scripts."""
    name = "窗口甲"
    desk.goto(f"{server.url}/people")
    if desk.locator("a", has_text=name).count() == 0:
        desk.fill("form[action='/people'] [name=name]", name)
        desk.fill("form[action='/people'] [name=sign_in_name]", "chuangkou")
        desk.select_option("form[action='/people'] [name=unit_id]", index=1)
        desk.check("form[action='/people'] [name=role][value=clerk]")
        desk.click("form[action='/people'] button.primary")
        password = desk.locator(".secret code").inner_text()
    else:
        desk.locator("a", has_text=name).first.click()
        desk.locator("button", has_text="一次性密码").click()
        password = desk.locator(".secret code").inner_text()
    context = browser.new_context(viewport={"width": 1280, "height": 900}, locale="zh-CN", java_script_enabled=False)
    page = context.new_page()
    page.set_default_timeout(15_000)
    page.goto(f"{server.url}/sign-in")
    page.fill("#f-sign_in_name", "chuangkou")
    page.fill("#f-password", password)
    page.click('form[action="/sign-in"] button.primary')
    page.wait_for_url("**/setup")
    page.fill("[name=password_now]", password)
    page.fill("[name=password]", PASSWORD)
    page.fill("[name=password_again]", PASSWORD)
    page.click("main button.primary")
    page.wait_for_url(f"{server.url}/")
    yield page
    context.close()


@pytest.mark.clause("C4.4")
def test_without_a_script_a_clerk_sends_looks_and_takes_nothing_away(
    clerk: Page, desk: Page, server: Server, files: list[Path]
) -> None:
    clerk.goto(f"{server.url}/intake")
    clerk.select_option("select[name=class_code]", "GENERAL")
    clerk.fill("[name=batch_name]", "无脚本的一批")
    clerk.fill("[name=sheets_announced]", "3")
    clerk.set_input_files("#f-files", files)
    clerk.click("#send")
    expect(clerk.locator("main")).to_contain_text("坏的.jpg")
    expect(clerk.locator(".uploads .state.good")).to_have_count(2)
    expect(clerk.locator(".uploads .reason.bad-text")).to_have_count(1)
    clerk.goto(f"{server.url}/")
    expect(clerk.locator("main")).to_contain_text("无脚本的一批")

    clerk.goto(f"{server.url}/batches")
    clerk.locator("a", has_text="无脚本的一批").first.click()
    record = clerk.locator("tr", has_text="多页.tif").locator("a[href^='/records/']")
    record.click()
    address = clerk.url.partition("?")[0]

    def is_there() -> bool:
        clerk.goto(address)
        return clerk.locator("#thumbs li").count() == 3

    wait_for(is_there, 120)
    clerk.click("#page-next")
    expect(clerk.locator("#viewer-place")).to_contain_text("2")
    expect(clerk.locator("#page-image")).to_have_attribute("src", re.compile(r"/pages/2\.jpg$"))
    assert clerk.request.get(f"{address}/original").status == 403
    assert clerk.request.get(f"{address}/describe").status == 403
    assert clerk.locator("a", has_text="调取原件").count() == 0
    assert clerk.locator(".timeline a").count() == 0, "a clerk may not read the ledger"


@pytest.mark.parametrize(("language", "width"), [("zh", 1280), ("en", 390)])
def test_people_and_stations_have_pages_that_tell_their_story(
    desk: Page, server: Server, api: httpx.Client, language: str, width: int
) -> None:
    speak(desk, language)
    desk.set_viewport_size({"width": width, "height": 900})
    desk.goto(f"{server.url}/stations")
    if desk.locator("a[href^='/stations/']").count() == 0:
        desk.fill("[name=station]", "一楼大厅 3 号扫描站")
        desk.select_option("[name=unit_id]", index=1)
        desk.fill(
            "[name=expires_date]", desk.evaluate("new Date(Date.now() + 20 * 864e5).toISOString().slice(0, 10)")
        )
        desk.locator("form[action='/stations'] button.primary").click()
        desk.wait_for_load_state()
    desk.locator("a[href^='/stations/']").first.click()
    desk.wait_for_load_state()
    expect(desk.locator("h1")).to_have_text("一楼大厅 3 号扫描站")
    expect(desk.locator(".timeline li")).to_have_count(2)
    is_sound(desk)
    desk.goto(f"{server.url}/people")
    desk.locator("tbody a[href^='/people/']").first.click()
    desk.wait_for_load_state()
    expect(desk.locator(".timeline li").first).to_be_visible()
    is_sound(desk)
    desk.goto(f"{server.url}/")
    expect(desk.locator("main")).to_contain_text("一楼大厅 3 号扫描站")
    speak(desk, "zh")
