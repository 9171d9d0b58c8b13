"""The whole service started as a user starts it, and a cheap client to load it with."""

from __future__ import annotations

import base64
import http.client
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import psutil


@dataclass(frozen=True)
class Service:
    """A running installation."""

    home: Path
    host: str
    port: int
    token: str
    pid: int

    def processes(self) -> list[psutil.Process]:
        """The supervisor and everything below it, the database included."""
        root = psutil.Process(self.pid)
        return [root, *root.children(recursive=True)]

    def pss_bytes(self) -> int:
        """Proportional set size of all processes: shared memory is counted once."""
        total = 0
        for process in self.processes():
            try:
                total += process.memory_full_info().pss
            except (psutil.NoSuchProcess, psutil.AccessDenied):
                continue
        return total

    def cpu_seconds(self) -> dict[str, float]:
        """Processor seconds so far, by the kind of process."""
        seconds: dict[str, float] = {}
        for process in self.processes():
            try:
                times = process.cpu_times()
                kind = kind_of(process)
            except psutil.NoSuchProcess:
                continue
            seconds[kind] = seconds.get(kind, 0.0) + times.user + times.system
        return seconds


def kind_of(process: psutil.Process) -> str:
    """What a process of the service is for."""
    line = " ".join(process.cmdline())
    for mark, kind in (
        ("web_process", "web"),
        ("surfaces.worker", "worker"),
        ("decoding.decoder", "decoder"),
        ("supervisor", "supervisor"),
        ("postgres", "database"),
    ):
        if mark in line:
            return kind
    return "other"


@contextmanager
def running(store_url: str | None = None, extra: dict[str, str] | None = None) -> Iterator[Service]:
    """The service in a fresh home on the disk of this checkout's temporary directory."""
    with tempfile.TemporaryDirectory(prefix="slipvault-bench-") as base:
        Path(base).chmod(0o755)
        told = {"SLIPVAULT_STORE_URL": store_url} if store_url else {}
        with running_in(Path(base) / "home", {**told, **(extra or {})}) as service:
            yield service


@contextmanager
def running_in(home: Path, extra: dict[str, str] | None = None) -> Iterator[Service]:
    """The service of a home, which stays."""
    environment = {**os.environ, "SLIPVAULT_HOME": str(home), "SLIPVAULT_PORT": "0", **(extra or {})}
    environment.pop("SLIPVAULT_DATABASE_URL", None)
    with home.with_name(f"{home.name}.out").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "vault.surfaces.supervisor"], env=environment, stdout=log, stderr=log
        )
        try:
            _await(home, process)
            address = urlsplit((home / "run" / "server.url").read_text())
            token = (home / "run" / "operator.token").read_text()
            yield Service(home, address.hostname or "", address.port or 0, token, process.pid)
        finally:
            process.terminate()
            process.wait(60)


def _await(home: Path, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 90
    while time.monotonic() < deadline and process.poll() is None:
        try:
            address = urlsplit((home / "run" / "server.url").read_text())
            connection = http.client.HTTPConnection(address.hostname or "", address.port, timeout=2)
            connection.request("GET", "/readyz")
            if connection.getresponse().status == 200:
                return
        except OSError:
            time.sleep(0.1)
    raise RuntimeError("the service did not become ready")


class Client:
    """One connection that is kept."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._connection = http.client.HTTPConnection(service.host, service.port, timeout=120)

    def send(self, data: bytes, key: str, metadata: dict[str, str]) -> str:
        """Sends a file; returns its status."""
        told = base64.urlsafe_b64encode(json.dumps(metadata).encode()).decode().rstrip("=")
        headers = {
            "Authorization": f"Bearer {self._service.token}",
            "Idempotency-Key": key,
            "Slipvault-Metadata": told,
            "Content-Type": "application/octet-stream",
        }
        self._connection.request("POST", "/api/v1/intake/items", data, headers)
        return str(json.loads(self._connection.getresponse().read()).get("status"))

    def search(self, wanted: dict[str, str]) -> dict[str, object]:
        """Searches records."""
        headers = {"Authorization": f"Bearer {self._service.token}", "Content-Type": "application/json"}
        self._connection.request("POST", "/api/v1/records/search", json.dumps(wanted), headers)
        found: dict[str, object] = json.loads(self._connection.getresponse().read())
        return found


def shared_out(work: Callable[[int], None], count: int, threads: int) -> float:
    """Runs `work(i)` for i below `count` in so many threads; returns the seconds it took."""
    numbers = iter(range(count))
    guard = threading.Lock()
    failures: list[BaseException] = []

    def run() -> None:
        try:
            while True:
                with guard:
                    number = next(numbers, None)
                if number is None or failures:
                    return
                work(number)
        except BaseException as error:
            failures.append(error)

    pool = [threading.Thread(target=run) for _ in range(threads)]
    started = time.perf_counter()
    for thread in pool:
        thread.start()
    for thread in pool:
        thread.join()
    if failures:
        raise failures[0]
    return time.perf_counter() - started
