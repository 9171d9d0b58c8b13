"""A large file of a type that is kept unopened: in, with cuts and kills on the way, and out again, in little memory."""

from __future__ import annotations

import hashlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import psutil
import pytest
from playwright.sync_api import Page, Route, expect

from tests.journeys.conftest import Server, start, wait_for

pytestmark = [pytest.mark.journey, pytest.mark.slow, pytest.mark.clause("C4.4"), pytest.mark.clause("V4")]
SIZE_BYTES = 300_000_000
RESIDENT_BYTES_MAX = 200_000_000


@pytest.fixture
def own_server() -> Iterator[Server]:
    """An installation of its own: its processes are killed and their memory is looked at."""
    base = Path("/var/tmp") / f"slipvault-attachment-{os.getpid()}"
    base.mkdir(mode=0o755)
    process, found = start(base / "home")
    try:
        yield found
    finally:
        process.terminate()
        process.wait(60)
        if process.stdout is not None:
            process.stdout.close()
        shutil.rmtree(base)


@pytest.mark.faults
@pytest.mark.timeout(600)
def test_it_goes_in_and_out_through_kills_in_little_memory(own_server: Server, tmp_path: Path) -> None:
    source, target = tmp_path / "监控录像.bin", tmp_path / "back.bin"
    sha256 = _write_random(source, SIZE_BYTES)
    with _resident_peaks(own_server) as peaks:
        _is_killed_half_way(own_server, source)
        taken_before = _pieces_taken(own_server)
        sent = _run(own_server, "intake", "send", source, "--class", "ATTACHMENT", "--json")
        assert sent.returncode == 0, sent.stderr
        told = json.loads(sent.stdout)
        assert told["status"] == "accepted"
        taken = _pieces_taken(own_server) - taken_before
        assert 0 < taken <= SIZE_BYTES * 2 // 3 // (32 << 20) + 2, "it went on where it was"
        assert list((own_server.home / "spool" / "unfinished").iterdir()) == []

        fetch = ("records", "fetch", told["record_id"], "-o", target, "--json")
        part = target.with_name(f".{target.name}.{told['record_id']}.part")
        process = _begin(own_server, *fetch)
        while not (part.exists() and part.stat().st_size > SIZE_BYTES // 10):
            assert process.poll() is None
            time.sleep(0.002)  # a fast machine has the rest within a blink
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 75
        assert part.stat().st_size > SIZE_BYTES // 10
        assert not target.exists()
        fetched = _run(own_server, *fetch)
        assert fetched.returncode == 0, fetched.stderr
        assert json.loads(fetched.stdout)["sha256"] == sha256
        with target.open("rb") as file:
            assert hashlib.file_digest(file, "sha256").hexdigest() == sha256
        assert not part.exists()
        verified = _run(own_server, "verify", "--json")
        assert verified.returncode == 0, verified.stdout
    assert {"web", "worker", "client", "postgres"} <= set(peaks)
    assert max(peaks.values()) < RESIDENT_BYTES_MAX, peaks


@pytest.mark.timeout(300)
def test_in_the_browser_a_cut_costs_one_piece(desk: Page, server: Server, tmp_path: Path) -> None:
    source = tmp_path / "现场录音.bin"
    _write_random(source, 70_000_000)
    ranges: list[str] = []

    def cut_once(route: Route) -> None:
        ranges.append(route.request.headers.get("content-range", ""))
        if len(ranges) == 3:
            route.abort("connectionreset")
        else:
            route.continue_()

    desk.route("**/api/v1/intake/items", cut_once)
    desk.goto(f"{server.url}/intake")
    desk.select_option("select[name=class_code]", "ATTACHMENT")
    desk.set_input_files("#f-files", str(source))
    desk.click("#send")
    expect(desk.locator("#upload-summary")).to_contain_text("入库 1", timeout=120_000)
    mib = 1 << 20
    assert ranges[0] == "bytes */70000000"
    assert ranges[1:] == [
        f"bytes 0-{32 * mib - 1}/70000000",
        f"bytes {32 * mib}-{64 * mib - 1}/70000000",
        "bytes */70000000",
        f"bytes {32 * mib}-{64 * mib - 1}/70000000",
        f"bytes {64 * mib}-69999999/70000000",
    ]
    desk.click("#uploads li a")
    desk.wait_for_load_state()
    assert "application/octet-stream" in desk.locator("main").inner_text()


def _is_killed_half_way(server: Server, source: Path) -> None:
    """kill -9 of the sender, and of the web process that receives, once a third has arrived."""
    sender = _begin(server, "intake", "send", source, "--class", "ATTACHMENT", "--json")
    unfinished = server.home / "spool" / "unfinished"
    wait_for(lambda: sum(path.stat().st_size for path in unfinished.glob("*")) > SIZE_BYTES // 3, 60)
    sender.kill()
    sender.wait(10)
    (web,) = [process for process in _processes(server) if _kind(process) == "web"]
    web.kill()
    wait_for(lambda: _is_ready(server), 60)


def _is_ready(server: Server) -> bool:
    try:
        return httpx.get(f"{server.url}/readyz", trust_env=False, timeout=2).status_code == 200
    except httpx.HTTPError:
        return False


def _pieces_taken(server: Server) -> int:
    """How many requests the service answered with "go on", by its own figures."""
    told = httpx.get(
        f"{server.url}/metrics", trust_env=False, headers={"Authorization": f"Bearer {server.token}"}
    ).text
    lines = [line for line in told.splitlines() if "requests_total" in line and 'status="202"' in line]
    return int(sum(float(line.rsplit(" ", 1)[1]) for line in lines))


def _command(*arguments: object) -> list[str]:
    return [sys.executable, "-m", "vault.surfaces.cli.main", *map(str, arguments)]


def _environment(server: Server) -> dict[str, str]:
    return {**os.environ, "SLIPVAULT_HOME": str(server.home), "LANG": "en_US.UTF-8"}


def _run(server: Server, *arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        _command(*arguments), env=_environment(server), capture_output=True, text=True, timeout=300, encoding="utf-8"
    )


def _begin(server: Server, *arguments: object) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        _command(*arguments), env=_environment(server), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )


def _write_random(path: Path, size_bytes: int) -> str:
    draw, digest = random.Random(3), hashlib.sha256()
    with path.open("wb") as file:
        for start in range(0, size_bytes, 10_000_000):
            piece = draw.randbytes(min(10_000_000, size_bytes - start))
            digest.update(piece)
            file.write(piece)
    return digest.hexdigest()


def _processes(server: Server) -> list[psutil.Process]:
    noted = json.loads((server.home / "run" / "supervisor.json").read_text(encoding="ascii"))
    root = psutil.Process(int(noted["pid"]))
    return [root, *root.children(recursive=True)]


def _kind(process: psutil.Process) -> str:
    line = " ".join(process.cmdline())
    marks = {"web_process": "web", "surfaces.worker": "worker", "decoder": "decoder", "cli.main": "client"}
    found = next((kind for mark, kind in marks.items() if mark in line), None)
    return found or ("postgres" if "postgres" in process.name() else "supervisor")


@contextmanager
def _resident_peaks(server: Server) -> Iterator[dict[str, int]]:
    """The kernel's high-water mark of resident memory, by kind of process; the clients are this test's children."""
    peaks: dict[str, int] = {}
    ending = threading.Event()

    def look() -> None:
        while not ending.wait(0.1):
            for process in {*_processes(server), *psutil.Process().children()}:
                try:
                    lines = Path(f"/proc/{process.pid}/status").read_text().splitlines()
                    peak = next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM:"))
                    kind = _kind(process)
                except (OSError, StopIteration, psutil.NoSuchProcess):
                    continue
                if process.ppid() == os.getpid() and kind != "client":
                    continue  # a child that another test of this process left
                peaks[kind] = max(peak, peaks.get(kind, 0))

    thread = threading.Thread(target=look)
    thread.start()
    try:
        yield peaks
    finally:
        ending.set()
        thread.join()
