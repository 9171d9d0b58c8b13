"""Debian's Chromium, one for a test process: Playwright allows only one of its loops in a thread."""

from __future__ import annotations

import os
from collections.abc import Iterator
from importlib import resources
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser

CHROMIUM = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


# A bare machine has no Chinese font, and what cannot be drawn is missing in what is printed.
FONTS = """<?xml version="1.0"?>
<fontconfig><include ignore_missing="yes">/etc/fonts/fonts.conf</include><dir>{directory}</dir></fontconfig>
"""


@pytest.fixture(scope="session")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """The browser, with the fonts of the program beside those of the machine."""
    from playwright.sync_api import sync_playwright  # a second of work that most test processes never need

    fonts = tmp_path_factory.mktemp("fonts") / "fonts.conf"
    fonts.write_text(FONTS.format(directory=resources.files("noto_cjk_sans_otc")), encoding="utf-8")
    environment = {**os.environ, "FONTCONFIG_FILE": str(fonts)}
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=CHROMIUM, env=environment)
        yield launched
        launched.close()
