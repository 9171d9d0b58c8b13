"""What reconciliation found of locks, holds and objects: over the API, on its page, and by the command line."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.support.archive import Archive, jpeg, make_archive, trust
from tests.support.stores import rewrite_lock
from vault.catalogue.queries import components_of
from vault.foundation.clock import FixedClock
from vault.foundation.db.engine import Database
from vault.foundation.ledger.entry import SYSTEM
from vault.foundation.storage.interface import NO_LOCK
from vault.oversight.reconciliation import reconcile
from vault.settings import Settings
from vault.surfaces.application import make_application

Ask = Callable[..., httpx.Response]
pytestmark = pytest.mark.clause("C4.3")


@pytest.fixture
def kept(database: Database, tmp_path: Path) -> Archive:
    """Three records in a write-once directory: one lock was taken off, one hold set, one object removed."""
    archive = make_archive(database, FixedClock(datetime.now(UTC)), tmp_path, f"worm://{tmp_path / 'store'}")
    trust(archive)
    keys = []
    for seed in (1, 2, 3):
        record_id = archive.send(jpeg(seed)).record_id
        assert record_id is not None
        with database.read() as connection:
            keys.append(components_of(connection, record_id)[0].object_key)
    rewrite_lock(tmp_path / "store", keys[0], NO_LOCK)
    archive.ctx.store.set_hold(keys[1], "1", on=True)
    info = archive.ctx.store.head(keys[2])
    for path in (tmp_path / "store" / "objects").rglob("*"):
        if path.is_file() and info.key.encode() in path.read_bytes()[:2000]:
            path.unlink()
    return archive


@pytest.fixture
def ask(kept: Archive, tmp_path: Path) -> Ask:
    """Asks a fresh application, as the operator of its host."""
    app = make_application(kept.ctx, Settings.from_environment({"SLIPVAULT_HOME": str(tmp_path)}))
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


def test_they_are_listed_narrowed_and_taken_out(kept: Archive, ask: Ask) -> None:
    reconcile(kept.ctx, SYSTEM)
    told = ask("GET", "/api/v1/store/drifts", headers={"Accept-Language": "en"}).json()
    assert told["count"] == 3
    assert {(one["kind"], one["state"]) for one in told["drifts"]} == {
        ("lock-missing", "repaired"),
        ("hold-unknown", "open"),
        ("object-missing", "open"),
    }
    (mended,) = ask("GET", "/api/v1/store/drifts", params={"state": "repaired"}).json()["drifts"]
    assert mended["repaired"] == mended["expected"] != mended["found"] == "NONE"
    assert mended["store"] == kept.ctx.store.name
    (missing,) = ask("GET", "/api/v1/store/drifts", params={"kind": "object-missing"}).json()["drifts"]
    assert missing["repaired"] is None
    assert missing["advice"]
    of_record = ask("GET", "/api/v1/store/drifts", params={"record_id": missing["record_id"]}).json()["drifts"]
    assert of_record == [missing]
    assert ask("GET", "/api/v1/store/drifts", params={"state": "nonsense"}).status_code == 400
    file = ask("POST", "/api/v1/store/drifts/export", json={"state": "open"})
    assert file.status_code == 200
    assert len(file.text.strip().splitlines()) == 3


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("zh-CN", ("对账", "对象在存储中缺失", "目录所不知的冻结标记", "1 个对象在存储中缺失或损坏。", "立即对账")),
        (
            "en",
            (
                "Reconciliation",
                "Object missing from the store",
                "Legal hold that the catalogue does not know",
                "1 object is missing from the store or damaged.",
                "Reconcile the store now",
            ),
        ),
    ],
)
def test_the_page_shows_what_is_open_and_what_a_person_must_do(
    kept: Archive, ask: Ask, language: str, words: tuple[str, ...]
) -> None:
    reconcile(kept.ctx, SYSTEM)
    shown = ask("GET", "/reconciliation", headers={"Accept-Language": language}).text
    for word in words:
        assert word in shown
    assert "GOVERNANCE" in shown
    assert "NONE" not in shown, "what was mended is under another tab"
    mended = ask("GET", "/reconciliation?state=repaired", headers={"Accept-Language": "en"}).text
    assert "set to what the catalogue says" in mended
    assert "/reconciliation" in ask("GET", "/health").text
    assert (
        "Nothing that was found fits"
        in ask("GET", "/reconciliation?state=in-order", headers={"Accept-Language": "en"}).text
    )


def test_the_page_of_an_archive_that_was_never_compared_says_so(ask: Ask) -> None:
    shown = ask("GET", "/reconciliation", headers={"Accept-Language": "en"}).text
    assert "have not been compared with the catalogue yet" in shown


def test_the_page_shows_the_runs_and_cancels_them(ask: Ask) -> None:
    run = ask("POST", "/health/reconcile").headers["location"]
    shown = ask("GET", "/reconciliation").text
    assert f'href="{run}"' in shown
    assert f"{run}/cancel" in shown
    assert f'data-progress="{run}/progress"' in shown


@pytest.mark.slow
def test_the_command_tells_counts_and_findings_and_ends_with_one_until_all_is_in_order(
    kept: Archive, database_url: str, tmp_path: Path
) -> None:
    (tmp_path / "home").mkdir()
    env = {
        **os.environ,
        "SLIPVAULT_HOME": str(tmp_path / "home"),
        "SLIPVAULT_DATABASE_URL": database_url,
        "SLIPVAULT_STORE_URL": kept.ctx.store.name,
        "SLIPVAULT_CUSTODIAN_URL": f"file://{tmp_path / 'custodian'}",
    }

    def run() -> subprocess.CompletedProcess[str]:
        words = [
            sys.executable,
            "-m",
            "vault.surfaces.cli.main",
            "store",
            "reconcile",
            "--json",
            "--per-second",
            "900",
        ]
        return subprocess.run(words, env=env, capture_output=True, text=True, timeout=60)

    first = run()
    assert first.returncode == 1, first.stderr
    told = json.loads(first.stdout)
    counts = {name: told[name] for name in ("versions", "drifts", "alarms", "repaired", "clean")}
    assert counts == {"versions": 2, "drifts": 2, "alarms": 1, "repaired": 1, "clean": False}
    assert sorted(one["kind"] for one in told["findings"]) == ["hold-unknown", "lock-missing", "object-missing"]
    for one in told["findings"]:
        assert {"record_id", "store", "object_key", "version_id", "found", "expected", "repaired"} <= set(one)
    second = json.loads(run().stdout)
    assert (second["repaired"], second["drifts"], len(second["findings"])) == (0, 2, 2)
