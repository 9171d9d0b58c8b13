"""Behind a proxy that ends TLS: its word counts only when the operator named it."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import httpx
import pytest

from tests.journeys.conftest import Server, start

pytestmark = [pytest.mark.journey, pytest.mark.clause("C4.4")]
_SAID_BY_A_PROXY = {"X-Forwarded-Proto": "https", "X-Forwarded-For": "203.0.113.9"}


def _is_cookie_secure(url: str) -> bool:
    answer = httpx.get(f"{url}/sign-in", headers=_SAID_BY_A_PROXY, trust_env=False)
    return "; secure" in answer.headers["set-cookie"].lower()


def test_a_named_proxy_makes_cookies_secure_and_another_does_not(server: Server) -> None:
    assert not _is_cookie_secure(server.url)
    home = Path("/var/tmp") / f"slipvault-proxy-{os.getpid()}" / "home"
    home.parent.mkdir(mode=0o755)
    process, behind = start(home, {"SLIPVAULT_TRUSTED_PROXIES": "127.0.0.1"})
    try:
        assert _is_cookie_secure(behind.url)
    finally:
        process.terminate()
        process.wait(60)
        if process.stdout is not None:
            process.stdout.close()
        shutil.rmtree(home.parent)
