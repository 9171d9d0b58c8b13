"""How long a start takes with data in the home: from the command to a page, and to /readyz, with the cost by phase.

The home is filled once through the real intake. Then the service is started and stopped again and again, as
`scripts/run` does it once the packages are there. The phases are those that the service itself notes in its log: loading
its programs, the database, the preparation (schema, law, ledger), the web processes.
"""

from __future__ import annotations

import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import psutil

from bench.scans import scan
from bench.service import Client, running_in
from bench.statistics import milliseconds

GOAL_READY_S = 4.0
RECORDS, STARTS = 300, 7
CLIENTS = 4
SCAN_BYTES = 60_000


def run(quick: bool = False, rows: int = RECORDS) -> dict[str, Any]:
    """Starts a home of `rows` records some times; the first start after filling is told apart."""
    records, starts = (20, 2) if quick else (rows, STARTS)
    with tempfile.TemporaryDirectory(prefix="slipvault-bench-") as base:
        Path(base).chmod(0o755)
        home = Path(base) / "home"
        _fill(home, records)
        measured = [_start(home) for _ in range(starts)]
        killed = _start(home, is_killed=True)
        after_kill = _start(home)
    return {
        "goal_ready_s": GOAL_READY_S,
        "records": records,
        "starts": starts,
        "ready": milliseconds([one["ready_s"] for one in measured]),
        "first_page": milliseconds([one["page_s"] for one in measured]),
        "phases_s": {
            name: round(statistics.median(one["phases"][name] for one in measured), 2) for name in killed["phases"]
        },
        "web_s": {name: round(statistics.median(one["web"][name] for one in measured), 2) for name in killed["web"]},
        "cpu_s": round(statistics.median(one["cpu_s"] for one in measured), 2),
        "after_kill_ready_s": round(after_kill["ready_s"], 2),
        "is_goal_met": statistics.median(one["ready_s"] for one in measured) <= GOAL_READY_S,
    }


def _fill(home: Path, records: int) -> None:
    with running_in(home) as service, ThreadPoolExecutor(CLIENTS) as pool:

        def send(part: int) -> None:
            client = Client(service)
            for number in range(part, records, CLIENTS):
                status = client.send(scan(number, SCAN_BYTES), f"start-{number:06}", {"class_code": "GENERAL"})
                if status != "accepted":
                    raise SystemExit(f"a scan was {status}")

        list(pool.map(send, range(CLIENTS)))


def _start(home: Path, *, is_killed: bool = False) -> dict[str, Any]:
    """One start and stop; seconds since the command was given."""
    environment = {**os.environ, "SLIPVAULT_HOME": str(home), "SLIPVAULT_PORT": "0"}
    for name in ("SLIPVAULT_DATABASE_URL", "PYTHONDONTWRITEBYTECODE"):  # compiled once, as at everybody's
        environment.pop(name, None)
    (home / "run" / "server.url").unlink(missing_ok=True)  # of one that was killed
    with tempfile.TemporaryFile() as log:
        began_s = time.monotonic()
        process = subprocess.Popen(
            [sys.executable, "-m", "vault.surfaces.supervisor"], env=environment, stdout=log, stderr=log
        )
        url = _await(home / "run" / "server.url", process)
        page_s = _answered(f"{url}/sign-in", process) - began_s
        ready_s = _answered(f"{url}/readyz", process) - began_s
        cpu_s = _cpu_s(process.pid)
        process.send_signal(signal.SIGKILL if is_killed else signal.SIGTERM)
        process.wait(90)
        log.seek(0)
        noted = [json.loads(line) for line in log.read().splitlines() if line.startswith(b"{")]
    ready = next(line for line in noted if line["event"] == "service ready")
    web = [line for line in noted if line["event"] == "web process ready"]
    return {
        "ready_s": ready_s,
        "page_s": page_s,
        "phases": ready["phases"],
        "web": {name: max(line[name] for line in web) for name in ("programs_s", "application_s")},
        "cpu_s": cpu_s,
    }


def _await(file: Path, process: subprocess.Popen[bytes]) -> str:
    while process.poll() is None:
        if file.exists():
            return file.read_text(encoding="utf-8")
        time.sleep(0.005)
    raise SystemExit("the service did not start")


def _answered(url: str, process: subprocess.Popen[bytes]) -> float:
    """The instant at which the address answered well."""
    # One client: making one takes longer than the pause, and would be measured.
    with httpx.Client(trust_env=False, timeout=5, verify=False) as client:
        while process.poll() is None:
            try:
                if client.get(url).status_code == 200:
                    return time.monotonic()
            except httpx.HTTPError:
                pass
            time.sleep(0.01)
    raise SystemExit("the service ended")


def _cpu_s(pid: int) -> float:
    """Processor seconds of everything that runs by now."""
    root = psutil.Process(pid)
    total = 0.0
    for process in [root, *root.children(recursive=True)]:
        try:
            times = process.cpu_times()
        except psutil.NoSuchProcess:
            continue
        total += times.user + times.system
    return total
