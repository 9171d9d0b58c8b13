"""A morning at a desk: 200 one-page A4 scans as JPEG and as PDF by 8 clients, measured as rivals were.

Accepted a second, fully processed a second (access copy, page image and thumbnail sealed; searchable), search while
it comes in, memory idle and busy. Rivals on such a machine: paperless-ngx 3.0.5 26.9 accepted/s, 0.81 processed/s, search
42 ms, 0.55 GB idle; Mayan EDMS 4.12.2 8.9/s, 1.35/s, 98-248 ms, 3.6 GB. Neither seals anything.
"""

from __future__ import annotations

import random
import threading
import time
from typing import Any

from bench.scans import pdf_scan, scan
from bench.service import Client, Service, running, shared_out
from bench.statistics import milliseconds

_SCAN_BYTES = 119_000
_NAMES = "王李张刘陈杨黄赵吴周"


def run(quick: bool = False) -> dict[str, Any]:
    """JPEG and PDF, each in a fresh service."""
    count = 40 if quick else 200
    return {
        "jpeg": _measure([scan(n, _SCAN_BYTES) for n in range(count)]),
        "pdf": _measure([pdf_scan(n, _SCAN_BYTES) for n in range(count)]),
    }


def _measure(files: list[bytes]) -> dict[str, Any]:
    with running() as service:
        time.sleep(8)
        idle = service.pss_bytes()
        local = threading.local()
        draw = random.Random(1)
        names = [draw.choice(_NAMES) + draw.choice("伟芳娜敏静") + draw.choice("一二三四五") for _ in files]

        def send(number: int) -> None:
            if not hasattr(local, "client"):
                local.client = Client(service)
            metadata = {"class_code": "GENERAL", "customer_name": names[number], "title": "演示"}
            status = local.client.send(files[number], f"desk-{number:08d}", metadata)
            assert status == "accepted", status

        busy = _Watch(service, names)
        busy.start()
        started = time.perf_counter()
        seconds = shared_out(send, len(files), 8)
        processed = _await_processed(service, len(files), started)
        busy.end.set()
        busy.join()
        return {
            "files": len(files),
            "file_bytes": len(files[0]),
            "accepted_per_second": round(len(files) / seconds, 1),
            "fully_processed_per_second": round(len(files) / processed, 1),
            "search_while_coming_in": milliseconds(busy.search_seconds),
            "search_at_rest": milliseconds(_searches(service, names)),
            "pss_idle_gb": round(idle / 1e9, 3),
            "pss_busy_gb": round(busy.pss_most / 1e9, 3),
        }


def _await_processed(service: Service, count: int, started: float) -> float:
    from sqlalchemy import create_engine, text

    from vault.foundation.db.launcher import address_of

    engine = create_engine(address_of(service.home / "database"))
    try:
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            while True:
                done = connection.execute(
                    text("SELECT count(*) FROM components WHERE kind = 'access_copy'")
                ).scalar_one()
                if done >= count:
                    return time.perf_counter() - started
                time.sleep(0.1)
    finally:
        engine.dispose()


def _searches(service: Service, names: list[str]) -> list[float]:
    client, seconds = Client(service), []
    for name in names[:40]:
        started = time.perf_counter()
        client.search({"name": name[:2]})
        seconds.append(time.perf_counter() - started)
    return seconds


class _Watch(threading.Thread):
    """Searches and weighs while others send."""

    def __init__(self, service: Service, names: list[str]) -> None:
        super().__init__()
        self._service = service
        self._names = names
        self.end = threading.Event()
        self.search_seconds: list[float] = []
        self.pss_most = 0

    def run(self) -> None:
        client, number = Client(self._service), 0
        while not self.end.wait(0.15):
            started = time.perf_counter()
            client.search({"name": self._names[number % len(self._names)][:2]})
            self.search_seconds.append(time.perf_counter() - started)
            if number % 10 == 0:
                self.pss_most = max(self.pss_most, self._service.pss_bytes())
            number += 1
