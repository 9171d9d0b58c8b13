"""Journeys go through HTTP, the browser or the command line only; importing the program is forbidden here."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, Page

ROOT = Path(__file__).resolve().parents[2]
PASSWORD = "江山如画一时多少豪杰了啊"
CHROMIUM = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@dataclass(frozen=True)
class Server:
    """A running installation, as somebody outside sees it."""

    url: str
    home: Path
    one_time_password: str

    @property
    def token(self) -> str:
        """The operator's token."""
        return (self.home / "run" / "operator.token").read_text(encoding="utf-8")


def start(home: Path, extra: dict[str, str] | None = None) -> tuple[subprocess.Popen[str], Server]:
    """Starts the service and waits until it says that it is ready."""
    is_new = not (home / "database").exists()
    environment = {
        **os.environ,
        "SLIPVAULT_HOME": str(home),
        "SLIPVAULT_PORT": "0",
        "SLIPVAULT_WEB_PROCESSES": "1",
        **(extra or {}),
    }
    process = subprocess.Popen(
        [sys.executable, "-m", "vault.surfaces.supervisor"],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert process.stdout is not None
    said, url, password = [], "", ""
    for line in process.stdout:
        said.append(line)
        if found := re.search(r"ready: (\S+)", line):
            url = found[1]
        if found := re.search(r"one-time password (\S+)", line):
            password = found[1]
        if url and (password or not is_new):
            break
    assert url, "".join(said)
    _drain(process)
    return process, Server(url, home, password)


def _drain(process: subprocess.Popen[str]) -> None:
    """What the service says later must not fill the pipe and stop it."""
    import threading

    stream = process.stdout
    assert stream is not None
    threading.Thread(target=lambda: [None for _ in stream], daemon=True).start()


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One installation for the journeys of a test process, its first run done."""
    base = Path("/var/tmp") / f"slipvault-journey-{os.getpid()}"
    base.mkdir(mode=0o755)
    process, found = start(base / "home")
    try:
        yield found
    finally:
        process.terminate()
        process.wait(60)
        if process.stdout is not None:
            process.stdout.close()
        subprocess.run(["rm", "-rf", str(base)], check=False)


@pytest.fixture
def api(server: Server) -> Iterator[httpx.Client]:
    """The API as the operator."""
    headers = {"Authorization": f"Bearer {server.token}", "Accept-Language": "en"}
    with httpx.Client(base_url=f"{server.url}/api/v1", headers=headers, trust_env=False, timeout=60) as client:
        yield client


@pytest.fixture
def desk(server: Server, browser: Browser) -> Iterator[Page]:
    """A page signed in as the first administrator, the first-run set-up done."""
    context = browser.new_context(viewport={"width": 1280, "height": 900}, locale="zh-CN")
    page = context.new_page()
    page.set_default_timeout(15_000)
    page.goto(f"{server.url}/sign-in")
    sign_in(page, PASSWORD)
    if page.url.endswith("/sign-in"):
        sign_in(page, server.one_time_password)
        page.wait_for_url("**/setup")
        page.fill("[name=organisation]", "滨湖区政务服务中心")
        page.fill("[name=password_now]", server.one_time_password)
        page.fill("[name=password]", PASSWORD)
        page.fill("[name=password_again]", PASSWORD)
        page.click('form[action="/setup"] button.primary')
    page.wait_for_url(f"{server.url}/")
    yield page
    context.close()


def sign_in(page: Page, password: str) -> None:
    """Fills in the sign-in form."""
    page.fill("#f-sign_in_name", "admin")
    page.fill("#f-password", password)
    page.click('form[action="/sign-in"] button.primary')
    page.wait_for_load_state()


def wait_for(what: object, seconds: float = 30.0) -> None:
    """Waits until `what()` is true."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if what():  # type: ignore[operator]
            return
        time.sleep(0.2)
    raise AssertionError("it did not happen in time")
