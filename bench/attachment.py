"""A large file of a type that is kept unopened, on the whole road: command line, HTTP, spool, seal, store, and back.

Of every process the greatest resident memory is told (the kernel's own high-water mark), and how much disk was taken at
the worst moment. The bytes are a cipher's key stream: no disk or network can make them smaller.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from bench.intake import store_of_kind
from bench.service import Service, kind_of, running

GOAL_RESIDENT_MB = 200
_PIECE_BYTES = 8 << 20
_LOOK_EVERY_S = 0.1
# The file, the copy fetched back, and at the server: as it came in, sealed, and in the store.
_ROOM_TIMES = 5.2


def run(quick: bool = False, gb: float = 5.0, store: str = "worm") -> dict[str, Any]:
    """Sends, fetches back and verifies one file of `gb` gigabytes (10^9 bytes)."""
    size_bytes = int((0.2 if quick else gb) * 1e9)
    with store_of_kind(store, disk_gb=max(8, int(gb * 2.5))) as url, running(url) as service:
        room = shutil.disk_usage(service.home).free
        if room < size_bytes * _ROOM_TIMES:
            raise SystemExit(f"{room / 1e9:.0f} GB are free; this needs {size_bytes * _ROOM_TIMES / 1e9:.0f}")
        with tempfile.TemporaryDirectory(prefix="slipvault-bench-") as base:
            return _measure(service, Path(base), size_bytes, store)


def _measure(service: Service, base: Path, size_bytes: int, store: str) -> dict[str, Any]:
    source, target = base / "attachment.bin", base / "fetched.bin"
    sha256 = write_random(source, size_bytes)
    figures: dict[str, Any] = {"store": store, "size_bytes": size_bytes, "goal_resident_mb": GOAL_RESIDENT_MB}
    with watched(service) as peaks:
        told, seconds = _command(service, peaks, "intake", "send", source, "--class", "ATTACHMENT", "--clients", 1)
        figures["send"] = _rate(seconds, size_bytes)
        fetched, seconds = _command(service, peaks, "records", "fetch", told["record_id"], "-o", target)
        figures["fetch"] = _rate(seconds, size_bytes)
        figures["is_same"] = digest_of(target) == fetched["sha256"] == sha256
        target.unlink()
        verdict, seconds = _command(service, peaks, "verify")
        figures["verify"] = {**_rate(seconds, size_bytes), "clean": verdict["clean"]}
    figures["resident_mb_max"] = {kind: round(peak / 1e6) for kind, peak in sorted(peaks.resident_bytes.items())}
    figures["spool_and_store_times_size_max"] = round(peaks.disk_bytes / size_bytes, 2)
    return figures


def write_random(path: Path, size_bytes: int) -> str:
    """Writes bytes that nothing can compress; returns their SHA-256."""
    digest, left = hashlib.sha256(), size_bytes
    stream = Cipher(algorithms.AES(os.urandom(32)), modes.CTR(os.urandom(16))).encryptor()
    zeros = bytes(_PIECE_BYTES)
    with path.open("wb") as file:
        while left > 0:
            piece = stream.update(zeros[: min(left, _PIECE_BYTES)])
            digest.update(piece)
            file.write(piece)
            left -= len(piece)
    return digest.hexdigest()


def digest_of(path: Path) -> str:
    """The SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


class Peaks:
    """The greatest resident memory by kind of process, and the greatest use of the service's disk since the start."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._client: psutil.Process | None = None
        self._used_before = shutil.disk_usage(service.home).used
        self.resident_bytes: dict[str, int] = {}
        self.disk_bytes = 0

    def watch_also(self, pid: int) -> None:
        """A process that is no child of the service: the client."""
        self._client = psutil.Process(pid)

    def look(self) -> None:
        """Takes the kernel's high-water marks; a process that has ended keeps what was seen of it."""
        others = [("client", self._client)] if self._client else []
        for kind, process in [*((None, p) for p in self._service.processes()), *others]:
            try:
                peak = _high_water(process.pid)
                name = kind or kind_of(process)
            except (psutil.NoSuchProcess, OSError, StopIteration):
                continue
            self.resident_bytes[name] = max(peak, self.resident_bytes.get(name, 0))
        self.disk_bytes = max(self.disk_bytes, shutil.disk_usage(self._service.home).used - self._used_before)


@contextmanager
def watched(service: Service) -> Iterator[Peaks]:
    """Looks at the processes ten times a second while the body runs."""
    peaks, ending = Peaks(service), threading.Event()

    def look() -> None:
        while not ending.wait(_LOOK_EVERY_S):
            peaks.look()

    thread = threading.Thread(target=look)
    thread.start()
    try:
        yield peaks
    finally:
        ending.set()
        thread.join()


def _command(service: Service, peaks: Peaks, *arguments: object) -> tuple[dict[str, Any], float]:
    """The command line as its users call it; its one line of JSON, and how long it took."""
    environment = {**os.environ, "SLIPVAULT_HOME": str(service.home)}
    started = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-m", "vault.surfaces.cli.main", *map(str, arguments), "--json"],
        env=environment,
        stdout=subprocess.PIPE,
    )
    peaks.watch_also(process.pid)
    said, _ = process.communicate()
    seconds = time.perf_counter() - started
    if process.returncode:
        raise RuntimeError(f"{arguments[0]} ended with {process.returncode}: {said.decode()[:500]}")
    return json.loads(said), seconds


def _rate(seconds: float, size_bytes: int) -> dict[str, Any]:
    return {"seconds": round(seconds, 1), "mb_per_s": round(size_bytes / seconds / 1e6, 1)}


def _high_water(pid: int) -> int:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM:"))
