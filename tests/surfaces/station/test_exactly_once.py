"""Each scan becomes one record, whatever dies: watcher, network, server, answers, disk."""

from __future__ import annotations

import hashlib
import random
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.surfaces.station.running import Watching
from tests.surfaces.station.simulated_server import FAULTS, SimulatedServer

Watch = Callable[..., Watching]
pytestmark = pytest.mark.clause("V4")


def scan(folder: Path, name: str, data: bytes) -> str:
    """A scan as a careful scanner leaves it: written under another name, then renamed."""
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(path.name + ".part")
    temporary.write_bytes(data)
    temporary.rename(path)
    return hashlib.sha256(data).hexdigest()


def left_in(folder: Path) -> list[str]:
    return [p.name for p in folder.iterdir() if p.is_file()]


def put_away(folder: Path, top: str = "done") -> list[Path]:
    return sorted(p for p in (folder / top).rglob("*") if p.is_file() and not p.name.endswith(".reason.txt"))


def check_exactly_once(server: SimulatedServer, folder: Path, digests: set[str]) -> None:
    archive = server.archive
    assert left_in(folder) == []
    assert {record["sha256"] for record in archive.records.values()} == digests
    assert len(archive.records) == len(digests)
    keys_of: dict[str, set[str]] = {}
    for key, sha256 in archive.posts:
        keys_of.setdefault(sha256, set()).add(key)
    assert {sha256: len(keys) for sha256, keys in keys_of.items()} == dict.fromkeys(digests, 1)
    assert {hashlib.sha256(p.read_bytes()).hexdigest() for p in put_away(folder)} == digests
    assert len(put_away(folder)) == len(digests)


@pytest.mark.faults
@pytest.mark.parametrize("step", ["headers", "mid-body", "settled", "answered"])
def test_the_watcher_killed_at_each_step_of_an_upload(
    server: SimulatedServer, folder: Path, watch: Watch, step: str
) -> None:
    digests = {scan(folder, f"{n}.tif", bytes([n]) * 50_000) for n in range(4)}
    first = watch("--clients", 1)
    server.kill_at = (step, first.process.pid)
    assert first.wait() == -9
    assert watch("--once").wait() == 0
    check_exactly_once(server, folder, digests)


@pytest.mark.faults
@pytest.mark.parametrize("seed", range(3))
def test_kills_and_bad_networks_at_random(server: SimulatedServer, folder: Path, watch: Watch, seed: int) -> None:
    chance = random.Random(seed)
    server.fault_for = lambda _path: chance.choice(FAULTS) if chance.random() < 0.25 else None
    server.delay_s = 0.01
    digests: set[str] = set()
    for round_number in range(6):
        watching = watch("--clients", 3)
        for n in range(8):
            digests.add(scan(folder, f"{round_number}-{n}.tif", chance.randbytes(chance.randint(1, 40_000))))
        time.sleep(chance.uniform(0.4, 1.6))
        watching.kill()
    server.fault_for = lambda _path: None
    final = watch("--once")
    assert final.wait() == 0, f"seed {seed}: {final.said}"
    check_exactly_once(server, folder, digests)


@pytest.mark.faults
def test_a_server_that_goes_and_comes_back(server: SimulatedServer, folder: Path, watch: Watch) -> None:
    digests = {scan(folder, "before.tif", b"before")}
    watching = watch()
    watching.until(lambda: watching.named("sent"))
    server.stop()
    digests.add(scan(folder, "during.tif", b"during"))
    watching.until(lambda: watching.named("waiting"))
    assert watching.named("waiting")[0]["code"] == "server-unavailable"
    assert watching.process.poll() is None
    server.start_again()
    watching.until(lambda: len(watching.named("sent")) == 2)
    assert watching.end() == 0
    check_exactly_once(server, folder, digests)


@pytest.mark.faults
@pytest.mark.parametrize("fault", FAULTS)
def test_each_fault_is_survived_and_said(server: SimulatedServer, folder: Path, watch: Watch, fault: str) -> None:
    uploads: list[str] = []

    def fault_for(path: str) -> str | None:
        if path == "/intake/items":
            uploads.append(path)
        return fault if len(uploads) <= 2 else None

    server.fault_for = fault_for
    digests = {scan(folder, "one.tif", b"x" * 100_000)}
    watching = watch("--once")
    assert watching.wait() == 0, watching.said
    check_exactly_once(server, folder, digests)
    assert bool(watching.named("waiting")) == (fault != "slow")


def test_a_file_that_cannot_be_put_away_is_not_sent_again(
    server: SimulatedServer, folder: Path, watch: Watch
) -> None:
    (folder / "done").write_text("a file where the directory should be", encoding="utf-8")
    digest = scan(folder, "one.tif", b"one")
    watching = watch()
    watching.until(lambda: watching.named("waiting"))
    assert watching.named("waiting")[0]["problem"]["code"] == "folder-unusable"
    watching.kill()
    (folder / "done").unlink()
    assert watch("--once").wait() == 0
    check_exactly_once(server, folder, {digest})
    assert len(server.archive.posts) == 1


def test_equal_files_are_items_of_their_own_but_one_record(
    server: SimulatedServer, folder: Path, watch: Watch
) -> None:
    scan(folder, "a.tif", b"same")
    scan(folder, "b.tif", b"same")
    assert watch("--once").wait() == 0
    assert len(server.archive.records) == 1
    assert sorted(item["status"] for item in server.archive.items.values()) == ["accepted", "duplicate"]
    scan(folder, "a.tif", b"same")
    assert watch("--once").wait() == 0
    assert len(server.archive.records) == 1
    assert len(put_away(folder)) == 3


def test_a_file_renamed_between_two_attempts_keeps_its_key(
    server: SimulatedServer, folder: Path, watch: Watch
) -> None:
    server.fault_for = lambda path: "lose-answer" if path == "/intake/items" else None
    digest = scan(folder, "scan.tif", b"renamed")
    watching = watch()
    watching.until(lambda: watching.named("waiting"))
    watching.kill()
    (folder / "scan.tif").rename(folder / "slip.tif")
    server.fault_for = lambda _path: None
    assert watch("--once").wait() == 0
    check_exactly_once(server, folder, {digest})
