"""Bringing the demo's slips in through the real intake, as a station and a clerk would.

    python -m vault.demo.filling COUNT

Run again it doubles nothing: the same slips have the same client keys.
"""

from __future__ import annotations

import base64
import json
import sys
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from datetime import date
from pathlib import Path

import httpx

from vault.demo.slips import DemoSlip, demo_slips
from vault.foundation.clock import SystemClock
from vault.settings import Settings

SEED = 2026
COUNT = 300
_PER_PART = 20


def fill(home: Path, count: int = COUNT) -> dict[str, int]:
    """Sends `count` slips and a few that are refused; returns how many ended in each status."""
    url = (home / "run" / "server.url").read_text(encoding="utf-8")
    token = (home / "run" / "operator.token").read_text(encoding="utf-8")
    today = SystemClock().now().date()
    ended: dict[str, int] = {}
    parts = [(SEED + part, min(_PER_PART, count - part * _PER_PART), today) for part in range(-(-count // _PER_PART))]
    with (
        httpx.Client(
            base_url=f"{url}/api/v1", headers={"Authorization": f"Bearer {token}"}, trust_env=False, timeout=120
        ) as client,
        ProcessPoolExecutor(2) as painters,
        ThreadPoolExecutor(4) as senders,
    ):
        batch = _open_batch(client, count)
        sent = 0
        for slips in painters.map(_paint, parts):
            for status in senders.map(lambda slip: _send(client, slip, batch), slips):
                ended[status] = ended.get(status, 0) + 1
            sent += len(slips)
            print(sent, count, flush=True)  # noqa: T201 - read by the supervisor, which says it in words
        for slip in _hopeless():
            status = _send(client, slip, batch)
            ended[status] = ended.get(status, 0) + 1
        client.post(f"/batches/{batch}/close")
    return ended


def _paint(part: tuple[int, int, date]) -> list[DemoSlip]:
    seed, count, today = part
    return list(demo_slips(seed, count, today))


def _hopeless() -> list[DemoSlip]:
    """What a real morning also brings: an empty file, a cut-off scan, something that is no scan."""
    good = next(demo_slips(1, 1, date(2026, 1, 5)))
    metadata = {"class_code": "GENERAL"}
    return [
        DemoSlip("scan-empty.tif", b"", "GENERAL", metadata),
        DemoSlip("scan-cut-off.tif", good.data[: len(good.data) // 2], "GENERAL", metadata),
        DemoSlip("notes.docx", b"PK\x03\x04 not a scan", "GENERAL", metadata),
    ]


def _open_batch(client: httpx.Client, count: int) -> str:
    answer = client.post("/batches", json={"name": "演示批次", "sheets_announced": count + len(_hopeless())})
    answer.raise_for_status()
    return str(answer.json()["id"])


def _send(client: httpx.Client, slip: DemoSlip, batch: str) -> str:
    told = {**slip.metadata, "file_name": slip.file_name, "batch_id": batch}
    header = base64.urlsafe_b64encode(json.dumps(told).encode()).decode().rstrip("=")
    key = f"demo-{SEED}-{slip.file_name}-{slip.metadata.get('title', '')[-20:].encode().hex()}"[:200]
    answer = client.post(
        "/intake/items", content=slip.data, headers={"Idempotency-Key": key, "Slipvault-Metadata": header}
    )
    return str(answer.json().get("status") if answer.status_code != 422 else "refused")


def main() -> None:
    """Fills the running installation of this home."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else COUNT
    fill(Settings.from_environment().home, count)


if __name__ == "__main__":
    main()
