"""What an archivist does in the browser, from the first run on."""

from __future__ import annotations

import io
import json
import re
import subprocess
import sys
from pathlib import Path

import httpx
import pytest
from axe_playwright_python.sync_playwright import Axe
from PIL import Image, ImageChops
from playwright.sync_api import Page, expect

from tests.journeys.conftest import ROOT, Server, wait_for
from tests.support.archive import jpeg, pdf, tiff

pytestmark = [pytest.mark.journey]
PAGES = (
    "",
    "intake",
    "batches",
    "quarantine",
    "records",
    "ledger",
    "health",
    "people",
    "stations",
    "units",
    "jobs",
    "settings",
)


@pytest.fixture
def scans(tmp_path: Path) -> list[str]:
    files = {"多页.tif": tiff(3, seed=11), "单页.pdf": pdf(seed=12), "坏的.jpg": jpeg(13)[:-2000]}
    for name, data in files.items():
        (tmp_path / name).write_bytes(data)
    return [str(tmp_path / name) for name in files]


@pytest.mark.clause("C1.4")
@pytest.mark.clause("V1")
@pytest.mark.clause("V2")
def test_scans_go_in_and_are_found_looked_at_and_proven(desk: Page, server: Server, scans: list[str]) -> None:
    desk.goto(f"{server.url}/intake")
    desk.select_option("select[name=class_code]", "ACCOUNT-OPENING")
    desk.set_input_files("#f-files", scans)
    desk.click("details.more-fields summary")
    desk.fill("[name=customer_name]", "欧阳小明")  # after the files were chosen: it goes with them all the same
    desk.click("#send")
    expect(desk.locator("#upload-summary")).to_contain_text("入库 2", timeout=30_000)
    expect(desk.locator("#upload-summary")).to_contain_text("退回 1")

    desk.fill("#search", "阳小明")
    desk.press("#search", "Enter")
    desk.wait_for_load_state()
    assert "阳小明" not in desk.url
    assert "%E9" not in desk.url
    rows = desk.locator("table.records tbody tr")
    expect(rows).to_have_count(2)
    multi_page = rows.filter(has=desk.locator("td.num", has_text=re.compile(r"^\s*3\s*$"))).first
    multi_page.locator("a").first.click()
    desk.wait_for_load_state()
    record_url = desk.url.split("?")[0]

    def has_pages() -> bool:
        desk.goto(record_url)
        return desk.locator("#thumbs li").count() == 3

    wait_for(has_pages)
    desk.keyboard.press("ArrowRight")
    expect(desk.locator("#viewer-place")).to_contain_text("2")
    expect(desk.locator("#page-image")).to_have_attribute(
        "src", f"/records/{record_url.rsplit('/', 1)[1]}/pages/2.jpg"
    )
    main = desk.locator("main").inner_text()
    assert "治理锁定" in main
    assert "档案登记" in main
    _is_watermarked(desk, record_url)

    desk.goto(f"{server.url}/quarantine")
    assert "坏的.jpg" in desk.locator("main").inner_text()


def _is_watermarked(desk: Page, record_url: str) -> None:
    """The page as it is shown differs from the page as it is kept: paper has turned grey in places."""
    shown = desk.request.get(f"{record_url}/pages/1.jpg")
    assert shown.status == 200
    assert "no-store" in shown.headers["cache-control"]
    image = Image.open(io.BytesIO(shown.body())).convert("L")
    grey = image.point([255 if 190 <= value <= 225 else 0 for value in range(256)])
    assert (grey.histogram()[255] / (image.width * image.height)) > 0.005
    assert ImageChops.invert(image).getbbox() is not None


@pytest.mark.clause("C2.5")
def test_a_personal_number_is_masked_until_a_reason_is_given(desk: Page, server: Server, api: httpx.Client) -> None:
    import base64

    told = {"class_code": "GENERAL", "customer_name": "司马光", "id_number": "11010519491231002X"}
    headers = {
        "Idempotency-Key": "journey-personal-1",
        "Slipvault-Metadata": base64.urlsafe_b64encode(json.dumps(told).encode()).decode().rstrip("="),
    }
    sent = api.post("/intake/items", content=jpeg(77), headers=headers).json()
    desk.goto(f"{server.url}/records/{sent['record_id']}")
    assert "11010519491231002X" not in desk.content()
    assert "110105********002X" in desk.content()
    desk.click("details.unmask summary")
    desk.fill("[name=reason]", "案件 2026-77 核对身份")
    desk.click("details.unmask button")
    desk.wait_for_load_state()
    assert "11010519491231002X" in desk.content()
    assert "11010519491231002X" not in desk.url
    desk.goto(f"{server.url}/records/{sent['record_id']}")
    assert "11010519491231002X" not in desk.content()
    entries = api.get(f"/records/{sent['record_id']}").json()["ledger"]
    assert "catalogue:field:unmask" in [entry["event"] for entry in entries]


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("language", ["zh", "en"])
def test_every_page_is_reachable_accessible_and_fits(desk: Page, server: Server, language: str, width: int) -> None:
    desk.click(f"button[name=language][value={language}]") if desk.locator(
        f"button[name=language][value={language}]"
    ).count() else None
    desk.set_viewport_size({"width": width, "height": 900})
    for name in PAGES:
        answer = desk.goto(f"{server.url}/{name}")
        assert answer is not None
        assert answer.status == 200, name
        assert desk.locator("html").get_attribute("lang") == {"zh": "zh-CN", "en": "en"}[language]
        sideways = desk.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert sideways <= 1, f"{name} scrolls sideways at {width}"
        found = Axe().run(desk)
        assert found.violations_count == 0, f"{name}: {found.generate_report()}"


@pytest.mark.clause("C4.4")
def test_without_signing_in_there_is_nothing(server: Server) -> None:
    with httpx.Client(base_url=server.url, trust_env=False) as nobody:
        for name in PAGES:
            answer = nobody.get(f"/{name}")
            assert answer.status_code == 303
            assert answer.headers["location"].startswith("/sign-in")
        assert nobody.get("/api/v1/quarantine").json()["code"] == "sign-in-needed"
        assert nobody.post("/api/v1/records/search", json={}).status_code == 401
        forged = nobody.post("/sign-in", data={"sign_in_name": "admin", "password": "x", "csrf_token": "x"})
        assert forged.status_code == 403


def test_not_there_and_not_yours_are_the_same_answer(desk: Page, server: Server) -> None:
    missing = desk.goto(f"{server.url}/records/00000000-0000-7000-8000-000000000000")
    assert missing is not None
    assert missing.status == 404
    nonsense = desk.goto(f"{server.url}/no-such-page")
    assert nonsense is not None
    assert nonsense.status == 404


def test_verify_is_clean_from_the_command_line(server: Server, api: httpx.Client) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "vault.surfaces.cli.main", "verify", "--json"],
        env={"PATH": "/usr/bin:/bin", "SLIPVAULT_HOME": str(server.home)},
        capture_output=True,
        text=True,
        cwd=ROOT,
        timeout=120,
    )
    assert done.returncode == 0, done.stdout + done.stderr
