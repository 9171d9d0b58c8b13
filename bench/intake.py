"""Accepted files a second through HTTP, beside bare `put` of the same bytes into the same store."""

from __future__ import annotations

import hashlib
import os
import secrets
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

from bench.scans import scan
from bench.service import Client, running, shared_out
from vault.foundation.clock import SystemClock
from vault.foundation.storage import bare_store
from vault.foundation.storage.interface import Content, Lock, LockMode

ROOT = Path(__file__).resolve().parents[1]


def run(quick: bool = False, store: str = "worm", clients: int = 8) -> dict[str, Any]:
    """Both sizes on one store; CPU milliseconds a file by kind of process."""
    with store_of_kind(store) as url:
        figures: dict[str, Any] = {"store": store, "clients": clients}
        for name, size_bytes, count in (("100KB", 100_000, 400), ("1MB", 1_000_000, 100)):
            figures[name] = _measure(url, size_bytes, count // 8 if quick else count, clients)
        return figures


def _measure(url: str | None, size_bytes: int, count: int, clients: int) -> dict[str, Any]:
    files = [scan(number, size_bytes) for number in range(count + clients * 2)]
    with running(url) as service:
        local = threading.local()

        def send(number: int) -> None:
            if not hasattr(local, "client"):
                local.client = Client(service)
            metadata = {"class_code": "GENERAL", "customer_name": "王小明", "business_number": f"B{number}"}
            status = local.client.send(files[number], f"bench-{number:08d}", metadata)
            assert status == "accepted", status

        shared_out(lambda n: send(count + n), clients * 2, clients)  # warm
        before = service.cpu_seconds()
        seconds = shared_out(send, count, clients)
        after = service.cpu_seconds()
        bare = _bare_puts(url or f"worm://{service.home / 'bare'}", files[:count], clients)
    rate = count / seconds
    return {
        "files": count,
        "file_bytes": len(files[0]),
        "accepted_per_second": round(rate, 1),
        "bare_puts_per_second": round(bare, 1),
        "ratio_to_bare": round(rate / bare, 3),
        "cpu_ms_per_file": {
            kind: round((after[kind] - before.get(kind, 0.0)) / count * 1000, 2) for kind in sorted(after)
        },
    }


def _bare_puts(url: str, files: list[bytes], clients: int) -> float:
    clock = SystemClock()
    store = bare_store(url, clock)
    lock = Lock(LockMode.GOVERNANCE, clock.now() + timedelta(days=1))
    contents = [Content.from_bytes(data, hashlib.sha256(data).digest()) for data in files]
    mark = secrets.token_hex(4)
    seconds = shared_out(lambda n: _put(store, f"bare/{mark}/{n}", contents[n], lock), len(files), clients)
    return len(files) / seconds


def _put(store: Any, key: str, content: Content, lock: Lock) -> None:
    store.put_new(key, content, lock)


@contextmanager
def store_of_kind(kind: str, disk_gb: int = 8) -> Iterator[str | None]:
    """The address of a fresh store: nothing for the service's own directory, or a bucket of a Ceph gateway."""
    if kind == "worm":
        yield None
        return
    with tempfile.TemporaryDirectory(prefix="slipvault-rgw-", dir="/dev/shm") as directory:
        up = [str(ROOT / "scripts" / "rgw-up")]
        done = subprocess.run(
            [*up, "up", f"{directory}/c"],
            check=True,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "RGW_UP_DISK_GB": str(disk_gb)},
        )
        told = dict(line.split("=", 1) for line in done.stdout.splitlines() if "=" in line)
        os.environ.update(told)
        try:
            import boto3

            client = boto3.client("s3", endpoint_url=told["S3_ENDPOINT_URL"])
            client.create_bucket(Bucket="bench", ObjectLockEnabledForBucket=True)
            yield f"s3+{told['S3_ENDPOINT_URL']}/bench"
        finally:
            subprocess.run([*up, "down", f"{directory}/c"], check=False)
