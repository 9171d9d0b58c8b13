"""Reconciliation over the API and on the page of stores and keys."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.support.archive import Archive
from vault.foundation.ledger.entry import SYSTEM
from vault.foundation.storage.interface import Content, Lock, LockMode
from vault.oversight.reconciliation import reconcile
from vault.settings import Settings
from vault.surfaces.application import make_application

Ask = Callable[..., httpx.Response]


@pytest.fixture
def ask(archive: Archive, tmp_path: Path) -> Ask:
    """Asks a fresh application, as the operator of its host."""
    app = make_application(archive.ctx, Settings.from_environment({"SLIPVAULT_HOME": str(tmp_path)}))
    token = tmp_path / "run" / "operator.token"
    token.parent.mkdir()
    token.write_text(f"operator of {tmp_path.name}", encoding="ascii")

    async def send(method: str, path: str, told: dict[str, Any]) -> httpx.Response:
        headers = {"Authorization": f"Bearer operator of {tmp_path.name}", **told.pop("headers", {})}
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://archive.test") as client:
            return await client.request(method, path, headers=headers, **told)

    def asked(method: str, path: str, **told: Any) -> httpx.Response:
        with ThreadPoolExecutor(1) as pool:  # a browser test may have left its loop in this thread
            return pool.submit(asyncio.run, send(method, path, told)).result()

    return asked


@pytest.fixture
def until(archive: Archive) -> str:
    """A leftover that reconciliation knows; the date from which it may be removed."""
    data = b"left over"
    lock = Lock(LockMode.GOVERNANCE, (archive.clock.now() + timedelta(days=300)).replace(hour=3, microsecond=0))
    content = Content.from_bytes(data, hashlib.sha256(data).digest())
    archive.ctx.store.put_new("records/<b>left over</b>", content, lock)
    archive.clock.advance(timedelta(days=2))
    reconcile(archive.ctx, SYSTEM)
    assert lock.until is not None
    return lock.until.isoformat()


def test_it_is_asked_for_and_followed_as_a_job(ask: Ask) -> None:
    asked = ask("POST", "/api/v1/store/reconciliation", json={"older_than_hours": 48})
    assert asked.status_code == 202
    job = ask("GET", f"/api/v1/jobs/{asked.json()['job_id']}").json()
    assert (job["task"], job["state"]) == ("oversight:reconcile", "waiting")
    cancelled = ask("POST", f"/api/v1/jobs/{asked.json()['job_id']}/cancel").json()
    assert cancelled["state"] == "cancelled"
    assert ask("POST", "/api/v1/store/reconciliation").status_code == 202


def test_an_age_of_nothing_is_refused(ask: Ask) -> None:
    refused = ask("POST", "/api/v1/store/reconciliation", json={"older_than_hours": 0})
    assert (refused.status_code, refused.json()["code"]) == (422, "invalid-input")


def test_leftovers_are_listed_with_their_dates(ask: Ask, until: str) -> None:
    told = ask("GET", "/api/v1/store/leftovers").json()
    assert (told["objects"], told["size_bytes"], told["removable"]) == (1, 9, 0)
    (leftover,) = told["leftovers"]
    assert (leftover["object_key"], leftover["cause"]) == ("records/<b>left over</b>", "foreign")
    assert leftover["removable_from"] == until
    assert ask("GET", "/api/v1/store/leftovers", params={"after": leftover["id"]}).json()["leftovers"] == []


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("zh-CN", ("遗留对象", "1 个没有档案使用的对象", "并非由本档案库存入。", "立即对账")),
        (
            "en",
            (
                "Leftovers",
                "1 object that no record uses",
                "Not put there by this archive.",
                "Reconcile the store now",
            ),
        ),
    ],
)
def test_the_page_of_stores_and_keys_shows_them(ask: Ask, until: str, language: str, words: tuple[str, ...]) -> None:
    shown = ask("GET", "/health", headers={"Accept-Language": language}).text
    for word in words:
        assert word in shown
    assert "records/&lt;b&gt;left over&lt;/b&gt;" in shown
    assert until[:10] in shown


def test_the_page_starts_it_and_leads_to_the_job(ask: Ask) -> None:
    started = ask("POST", "/health/reconcile")
    assert started.status_code == 303
    assert ask("GET", started.headers["location"], headers={"Accept-Language": "en"}).text.count(
        "Reconciliation of store and catalogue"
    )
