"""Sub-folders as batches: announced, received, closed, balanced."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.surfaces.station.running import Watching
from tests.surfaces.station.simulated_server import SimulatedServer
from tests.surfaces.station.test_exactly_once import scan

Watch = Callable[..., Watching]
pytestmark = pytest.mark.clause("V4")


def announce(folder: Path, name: str, sheets: int) -> None:
    (folder / name).mkdir()
    (folder / name / "sheets.txt").write_text(f"{sheets}\n", encoding="utf-8")


def balances(folder: Path) -> list[Path]:
    return sorted((folder / "done").rglob("balance-*.txt"))


def test_a_batch_ends_balanced(server: SimulatedServer, folder: Path, watch: Watch) -> None:
    announce(folder, "柜台一", 3)
    scan(folder, "柜台一/1.tif", b"one")
    scan(folder, "柜台一/2.tif", b"one")
    scan(folder, "柜台一/3.tif", b"REFUSE")
    (folder / "柜台一" / "close.txt").touch()
    watching = watch("--batch-by-folder", "--once")
    assert watching.wait() == 1, "one was refused"
    (batch,) = server.archive.batches.values()
    assert (batch["name"], batch["sheets_announced"], batch["state"]) == ("柜台一", 3, "balanced")
    (closed,) = watching.named("batch-closed")
    assert closed["balanced"] is True
    (text,) = balances(folder)
    assert "Balanced: every sheet is accounted for." in text.read_text(encoding="utf-8")
    assert "3" in text.read_text(encoding="utf-8")
    assert not (folder / "柜台一").exists()


def test_a_missing_sheet_is_shown(server: SimulatedServer, folder: Path, watch: Watch) -> None:
    announce(folder, "A", 2)
    scan(folder, "A/1.tif", b"one")
    (folder / "A" / "close.txt").touch()
    watching = watch("--batch-by-folder", "--once")
    assert watching.wait() == 1
    assert watching.named("batch-closed")[0]["balanced"] is False
    (batch,) = server.archive.batches.values()
    assert batch["state"] == "unbalanced"
    assert "NOT balanced" in balances(folder)[0].read_text(encoding="utf-8")


def test_an_announced_batch_without_scans_is_unbalanced(server: SimulatedServer, folder: Path, watch: Watch) -> None:
    announce(folder, "A", 2)
    (folder / "A" / "close.txt").touch()
    assert watch("--batch-by-folder", "--once").wait() == 1
    assert [batch["state"] for batch in server.archive.batches.values()] == ["unbalanced"]


def test_a_folder_of_the_same_name_is_a_new_batch(server: SimulatedServer, folder: Path, watch: Watch) -> None:
    watching = watch("--batch-by-folder")
    for n in range(2):
        announce(folder, "001", 1)
        scan(folder, "001/scan.tif", b"the same sheet")
        (folder / "001" / "close.txt").touch()
        watching.until(lambda n=n: len(watching.named("batch-closed")) == n + 1)
    assert watching.end() == 0
    assert [batch["state"] for batch in server.archive.batches.values()] == ["balanced", "balanced"]
    assert len(server.archive.records) == 1
    assert len(balances(folder)) == 2


def test_a_late_announcement_counts_here(server: SimulatedServer, folder: Path, watch: Watch) -> None:
    watching = watch("--batch-by-folder")
    scan(folder, "A/1.tif", b"one")
    watching.until(lambda: watching.named("sent"))
    (folder / "A").mkdir(exist_ok=True)
    (folder / "A" / "sheets.txt").write_text("2", encoding="utf-8")
    (folder / "A" / "close.txt").touch()
    watching.until(lambda: watching.named("batch-closed"))
    assert watching.named("batch-closed")[0]["balanced"] is False
    assert "2 sheets were announced after" in balances(folder)[0].read_text(encoding="utf-8")
    assert watching.end() == 0


def test_an_unreadable_announcement_holds_the_batch(server: SimulatedServer, folder: Path, watch: Watch) -> None:
    (folder / "A").mkdir()
    (folder / "A" / "sheets.txt").write_text("twelve", encoding="utf-8")
    scan(folder, "A/1.tif", b"one")
    scan(folder, "B/1.tif", b"two")
    watching = watch("--batch-by-folder")
    watching.until(lambda: watching.named("waiting") and watching.named("sent"))
    assert watching.named("waiting")[0]["code"] == "bad-control-file"
    (folder / "A" / "sheets.txt").write_text("12", encoding="utf-8")
    watching.until(lambda: len(watching.named("sent")) == 2)
    assert {b["name"]: b["sheets_announced"] for b in server.archive.batches.values()} == {"A": 12, "B": None}


def test_a_batch_closed_by_somebody_else_is_opened_anew(server: SimulatedServer, folder: Path, watch: Watch) -> None:
    scan(folder, "A/1.tif", b"one")
    watching = watch("--batch-by-folder")
    watching.until(lambda: watching.named("sent"))
    for batch in server.archive.batches.values():
        batch["state"] = "unbalanced"
    scan(folder, "A/2.tif", b"two")
    watching.until(lambda: len(watching.named("sent")) == 2)
    assert len(server.archive.batches) == 2
    assert sorted(item["status"] for item in server.archive.items.values()) == ["accepted", "accepted"]
    assert watching.end() == 0


@pytest.mark.faults
def test_a_lost_answer_to_the_closing(server: SimulatedServer, folder: Path, watch: Watch) -> None:
    lost: list[str] = []

    def fault_for(path: str) -> str | None:
        if path.endswith("/close") and not lost:
            lost.append(path)
            return "lose-answer"
        return None

    server.fault_for = fault_for
    announce(folder, "A", 1)
    scan(folder, "A/1.tif", b"one")
    (folder / "A" / "close.txt").touch()
    watching = watch("--batch-by-folder", "--once")
    assert watching.wait() == 0, watching.said
    assert lost
    assert len(server.archive.batches) == 1
    (kept,) = sorted((folder / "done").rglob("balance-*.json"))
    assert json.loads(kept.read_text(encoding="utf-8"))["balance"]["balanced"] is True
