"""What monitoring is told: the state of the archive, from whichever process, and nothing about people."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import httpx
import pytest

from tests.support.archive import Archive, jpeg
from tests.support.stores import cut_off
from vault.foundation.context import Context
from vault.foundation.db.engine import Database
from vault.foundation.ledger.entry import SYSTEM
from vault.foundation.storage.errors import StoreUnavailable
from vault.oversight.jobs import reconcile_and_keep, verify_and_keep
from vault.settings import Settings
from vault.surfaces.application import make_application

Ask = Callable[[], dict[str, float]]
WATCHING = Path(__file__).resolve().parents[3] / "docs" / "operate" / "watching.md"


@pytest.fixture
def figures(archive: Archive, tmp_path: Path) -> Ask:
    """Asks a fresh application, as anybody; gives the figures without labels."""
    return lambda: asked(archive.ctx, tmp_path)


def asked(ctx: Context, home: Path) -> dict[str, float]:
    app = make_application(ctx, Settings.from_environment({"SLIPVAULT_HOME": str(home)}))

    async def send() -> httpx.Response:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://archive.test") as client:
            return await client.get("/metrics")

    with ThreadPoolExecutor(1) as pool:  # a browser test may have left its loop in this thread
        answer = pool.submit(asyncio.run, send()).result()
    assert answer.status_code == 200
    lines = re.findall(r"^(slipvault_\w+) (\S+)$", answer.text, re.MULTILINE)
    return {name.removeprefix("slipvault_"): float(value) for name, value in lines}


def test_they_tell_how_the_archive_is(archive: Archive, figures: Ask) -> None:
    told = figures()
    assert (told["database_up"], told["store_lies"], told["renditions_waiting"]) == (1, 0, 0)
    assert "verification_findings" not in told, "there was none yet"
    archive.send(jpeg(1), customer_name="张三")
    with cut_off(archive, is_written=True), pytest.raises(StoreUnavailable):
        archive.send(jpeg(2))
    archive.clock.advance(timedelta(seconds=1))
    told = figures()
    assert (told["renditions_waiting"], told["uploads_unfinished"], told["leftovers"]) == (1, 1, 0)
    assert told["ledger_entries_pending"] > 0
    assert (told["holds_waiting"], told["holds_refused"]) == (0, 0)
    archive.clock.advance(timedelta(days=2))
    reconcile_and_keep(archive.ctx, SYSTEM)
    archive.sequence()
    verify_and_keep(archive.ctx, SYSTEM)
    archive.clock.advance(timedelta(seconds=30))
    told = figures()
    assert (told["uploads_unfinished"], told["leftovers"], told["verification_findings"]) == (0, 1, 0)
    assert told["leftovers_bytes"] > 1_000
    assert told["reconciliation_age_seconds"] == told["verification_age_seconds"] == 30
    assert told["store_probe_age_seconds"] > 86_400


def test_without_a_database_they_say_so(archive: Archive, tmp_path: Path) -> None:
    gone = Database("postgresql+psycopg://nobody@127.0.0.1:9/none", archive.clock, timeout_s=2)
    told = asked(replace(archive.ctx, database=gone), tmp_path)
    assert {name: value for name, value in told.items() if not name.startswith("http")} == {"database_up": 0}


def test_each_is_explained_to_operators(figures: Ask) -> None:
    page = WATCHING.read_text(encoding="utf-8")
    for name in figures():
        stem = name.rsplit("_", 1)
        assert f"slipvault_{name}" in page or (stem[0] == "jobs" and f"`_{stem[1]}`" in page), name
