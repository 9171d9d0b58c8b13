"""What the watcher takes, what it leaves alone, and what it says beside the files."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.surfaces.station.running import Watching
from tests.surfaces.station.simulated_server import SimulatedServer
from tests.surfaces.station.test_exactly_once import put_away, scan

Watch = Callable[..., Watching]
pytestmark = pytest.mark.clause("V4")


@pytest.mark.slow
def test_a_growing_file_is_sent_when_it_is_whole(server: SimulatedServer, folder: Path, watch: Watch) -> None:
    watching = watch(settle=0.6)
    watching.until(lambda: watching.named("started"))
    for n in range(8):
        with (folder / "slow.tif").open("ab") as file:
            file.write(bytes([n]) * 1000)
        time.sleep(0.2)
        assert server.archive.posts == []
    watching.until(lambda: watching.named("sent"))
    assert [len(record["body"]) for record in server.archive.records.values()] == [8000]


@pytest.mark.slow
def test_a_file_held_open_for_writing_is_left_alone(server: SimulatedServer, folder: Path, watch: Watch) -> None:
    with (folder / "held.tif").open("wb") as file:
        file.write(b"first half")
        file.flush()
        watching = watch(settle=0.1)
        watching.until(lambda: watching.named("started"))
        time.sleep(1.5)
        assert server.archive.posts == []
        file.write(b", second half")
    watching.until(lambda: watching.named("sent"))
    assert [record["body"] for record in server.archive.records.values()] == [b"first half, second half"]


def test_links_hidden_and_unfinished_files_stay(server: SimulatedServer, folder: Path, watch: Watch) -> None:
    secret = folder.parent / "secret"
    secret.write_bytes(b"not yours")
    (folder / "link.tif").symlink_to(secret)
    for name in (".hidden.tif", "other.tif.part", "scan.TMP", "note.json", "~$draft.pdf"):
        (folder / name).write_bytes(b"x")
    scan(folder, "scan.tif", b"yes")
    assert watch("--once").wait() == 0
    assert [record["body"] for record in server.archive.records.values()] == [b"yes"]
    assert len([p for p in folder.iterdir() if not p.is_dir()]) == 6
    assert secret.read_bytes() == b"not yours"


def test_equal_names_are_put_away_beside_each_other(server: SimulatedServer, folder: Path, watch: Watch) -> None:
    watching = watch()
    for n in range(3):
        scan(folder, "scan0001.tif", f"sheet {n}".encode())
        watching.until(lambda n=n: len(watching.named("sent")) == n + 1)
    assert watching.end() == 0
    assert [p.name for p in put_away(folder)] == ["scan0001.tif", "scan0001~2.tif", "scan0001~3.tif"]
    assert {p.read_bytes() for p in put_away(folder)} == {b"sheet 0", b"sheet 1", b"sheet 2"}


def test_a_refused_file_is_explained_in_both_languages(server: SimulatedServer, folder: Path, watch: Watch) -> None:
    scan(folder, "坏的.tif", b"REFUSE this")
    watching = watch("--once")
    assert watching.wait() == 1
    assert watching.named("refused")[0]["reason"] == "damaged"
    (refused,) = put_away(folder, "refused")
    assert refused.read_bytes() == b"REFUSE this"
    text = refused.with_name(refused.name + ".reason.txt").read_text(encoding="utf-8")
    assert "The file cannot be read to its end: cut." in text
    assert "文件无法完整读取：cut。 请重新扫描该业务单。" in text
    assert "坏的.tif" in text
    scan(folder, "坏的.tif", b"REFUSE this")  # put back by the operator, it is examined anew
    assert watch("--once").wait() == 1
    assert len(server.archive.items) == 2


def test_two_watchers_do_not_share_a_folder(folder: Path, watch: Watch) -> None:
    first = watch()
    first.until(lambda: first.named("started"))
    second = watch()
    assert second.wait() == 75
    assert json.loads(second.said)["error"]["code"] == "folder-taken"
    assert str(first.process.pid) in second.said
    first.kill()
    third = watch("--once")
    assert third.wait() == 0


def test_a_wrong_token_stops_nothing_for_ever(server: SimulatedServer, folder: Path, watch: Watch) -> None:
    right, server.token = server.token, "another"
    scan(folder, "scan.tif", b"patient")
    watching = watch()
    watching.until(lambda: watching.named("waiting"))
    assert watching.named("waiting")[0]["code"] == "sign-in-needed"
    assert (folder / "scan.tif").exists()
    server.token = right
    watching.until(lambda: watching.named("sent"))
    assert watching.end() == 0


def test_an_unknown_class_never_empties_the_folder_into_refused(
    server: SimulatedServer, folder: Path, watch: Watch
) -> None:
    scan(folder, "scan.tif", b"good")
    watching = watch("--class", "NONE", "--once", "--patience", "1")
    assert watching.wait() == 75
    assert json.loads(watching.said.splitlines()[-1])["error"]["code"] == "left-over"
    assert (folder / "scan.tif").exists()
    assert not (folder / "refused").exists()
    assert server.archive.items == {}


def test_descriptions_beside_scans(server: SimulatedServer, folder: Path, watch: Watch) -> None:
    scan(folder, "scan.tif", b"described")
    watching = watch("--wait-for-description")
    watching.until(lambda: watching.named("waiting"))
    assert server.archive.posts == []
    (folder / "scan.json").write_text(json.dumps({"customer_name": "张三", "phone": "13800138000"}), encoding="utf-8")
    watching.until(lambda: watching.named("sent"))
    watching.end()
    (record,) = server.archive.records.values()
    assert record["metadata"]["customer_name"] == "张三"
    assert record["metadata"]["file_name"] == "scan.tif"
    assert sorted(p.name for p in put_away(folder)) == ["scan.json", "scan.tif"]
    journal = b"".join(p.read_bytes() for p in (folder / ".slipvault").glob("journal*"))
    assert b"13800138000" not in journal
    assert "张三".encode() not in journal


def test_a_description_the_server_refuses_refuses_its_scan(
    server: SimulatedServer, folder: Path, watch: Watch
) -> None:
    scan(folder, "scan.tif", b"wrongly described")
    (folder / "scan.tif.json").write_text('{"attributes": "wrong"}', encoding="utf-8")
    watching = watch("--once")
    assert watching.wait() == 1
    assert watching.named("refused")[0]["reason"] == "bad-request"
    names = sorted(p.name for p in (folder / "refused").rglob("*") if p.is_file())
    assert names == ["scan.tif", "scan.tif.json", "scan.tif.reason.txt"]


def test_the_folder_and_disk_are_told_plainly(env: dict[str, str], folder: Path, watch: Watch) -> None:
    folder.rmdir()
    watching = watch()
    assert watching.wait() == 78
    assert json.loads(watching.said)["error"]["code"] == "folder-unusable"


@pytest.mark.slow
def test_a_file_replaced_while_it_is_sent_is_sent_whole(server: SimulatedServer, folder: Path, watch: Watch) -> None:
    server.delay_s = 2.0
    scan(folder, "scan.tif", b"old")
    watching = watch("--clients", 1)
    watching.until(lambda: any(status["under_way"] for status in watching.named("status")))
    scan(folder, "scan.tif", b"new, and longer")
    server.delay_s = 0.0
    watching.until(lambda: len(server.archive.records) == 2 and not (folder / "scan.tif").exists())
    assert watching.end() == 0
    assert {record["body"] for record in server.archive.records.values()} == {b"old", b"new, and longer"}
    assert [p.read_bytes() for p in put_away(folder)] == [b"new, and longer"]


@pytest.mark.slow
def test_many_small_scans_go_as_fast_as_a_scanner(server: SimulatedServer, folder: Path, watch: Watch) -> None:
    for n in range(300):
        scan(folder, f"{n:04}.tif", os.urandom(2_000))
    began_s = time.monotonic()
    assert watch("--once").wait() == 0
    assert len(server.archive.records) == 300
    assert time.monotonic() - began_s < 30
