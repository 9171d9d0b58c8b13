"""The contract of uploads in pieces (docs/reference/uploads.md), asked of the application itself."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import random
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest

from tests.support.archive import Archive, tiff
from vault.catalogue.reading import open_original
from vault.settings import Settings
from vault.surfaces.application import make_application

MIB = 1 << 20
DATA = random.Random(2).randbytes(3 * MIB + 5)
Ask = Callable[..., httpx.Response]


@pytest.fixture
def ask(archive: Archive, tmp_path: Path) -> Ask:
    """Sends one request to the intake of a fresh application."""
    settings = Settings.from_environment(
        {"SLIPVAULT_HOME": str(tmp_path), "SLIPVAULT_UPLOAD_BYTES_MAX": str(8 * MIB)}
    )
    app = make_application(archive.ctx, settings)
    token = tmp_path / "run" / "operator.token"
    token.parent.mkdir()
    token.write_text("operator-token-of-a-test", encoding="ascii")

    async def send(body: bytes, headers: dict[str, str]) -> httpx.Response:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://archive.test") as client:
            return await client.post("/api/v1/intake/items", content=body, headers=headers)

    def asked(
        content_range: str, body: bytes = b"", *, key: str = "pieces-0001", of: bytes = DATA, **told: str
    ) -> httpx.Response:
        metadata = json.dumps({"class_code": "ATTACHMENT", "file_name": "录像.bin", **told}).encode()
        headers = {
            "Authorization": "Bearer operator-token-of-a-test",
            "Idempotency-Key": key,
            "Slipvault-Metadata": base64.urlsafe_b64encode(metadata).decode().rstrip("="),
            "X-Content-SHA256": hashlib.sha256(of).hexdigest(),
            "Content-Range": content_range,
        }
        with ThreadPoolExecutor(1) as pool:  # a browser test may have left its loop in this thread
            return pool.submit(asyncio.run, send(body, headers)).result()

    return asked


def said(response: httpx.Response) -> dict[str, Any]:
    body: dict[str, Any] = response.json()
    return body


@pytest.mark.clause("V4")
@pytest.mark.clause("C4.4")
def test_a_file_in_pieces_is_one_record_with_the_same_bytes(ask: Ask, archive: Archive) -> None:
    size = len(DATA)
    first = ask(f"bytes */{size}")
    assert (first.status_code, said(first)["received_bytes"]) == (202, 0)
    second = ask(f"bytes 0-{2 * MIB - 1}/{size}", DATA[: 2 * MIB])
    assert said(second) == {"status": "receiving", "received_bytes": 2 * MIB, "size_bytes": size}
    last = ask(f"bytes {2 * MIB}-{size - 1}/{size}", DATA[2 * MIB :])
    assert last.status_code == 201, last.text
    assert said(last)["status"] == "accepted"
    _, component, content = open_original(archive.ctx, archive.operator, UUID(said(last)["record_id"]))
    with content:
        assert content.read() == DATA
    assert component.media_type == "application/octet-stream"
    assert list((archive.ctx.spool_directory / "unfinished").iterdir()) == []
    again = ask(f"bytes */{size}")
    assert (again.status_code, said(again)["record_id"]) == (200, said(last)["record_id"])
    assert said(again)["repeated"]


def test_pages_in_pieces_are_examined_like_any_others(ask: Ask) -> None:
    scan = tiff(3, seed=5)
    answer = ask(f"bytes 0-{len(scan) - 1}/{len(scan)}", scan, of=scan, class_code="GENERAL", key="pieces-tiff")
    assert answer.status_code == 201, answer.text
    refused = ask(f"bytes 0-{len(DATA) - 1}/{len(DATA)}", DATA, class_code="GENERAL", key="pieces-refused")
    assert refused.status_code == 422
    assert [finding["code"] for finding in said(refused)["findings"]] == ["unsupported-type"]


def test_of_a_cut_piece_the_whole_segments_have_come(ask: Ask) -> None:
    size = len(DATA)
    cut = ask(f"bytes 0-{size - 1}/{size}", DATA[: MIB + 1234])
    assert (cut.status_code, said(cut)["received_bytes"]) == (202, MIB)
    wrong = ask(f"bytes 0-{MIB - 1}/{size}", DATA[:MIB])
    assert (wrong.status_code, said(wrong)["code"]) == (409, "piece-out-of-place")
    assert said(wrong)["facts"]["received_bytes"] == MIB
    assert ask(f"bytes {MIB}-{size - 1}/{size}", DATA[MIB:]).status_code == 201


def test_other_bytes_than_announced_are_not_kept(ask: Ask, archive: Archive) -> None:
    size = len(DATA)
    answer = ask(f"bytes 0-{size - 1}/{size}", DATA[:-1] + b"?")
    assert (answer.status_code, said(answer)["code"]) == (422, "digest-mismatch")
    assert said(ask(f"bytes */{size}"))["received_bytes"] == 0, "it begins anew"
    assert ask(f"bytes 0-{size - 1}/{size}", DATA).status_code == 201


@pytest.mark.parametrize(
    ("content_range", "body", "code"),
    [
        ("bytes 0-9/5", b"x" * 10, "bad-request"),
        ("bytes 9-0/10", b"", "bad-request"),
        ("bytes */0", b"", "bad-request"),
        ("items 0-9/10", b"", "bad-request"),
        ("bytes 0-9/*", b"", "bad-request"),
        ("bytes 0-4/10", b"123456", "bad-request"),
        (f"bytes */{9 * MIB}", b"", "upload-too-large"),
    ],
)
def test_what_cannot_be_is_refused(ask: Ask, content_range: str, body: bytes, code: str) -> None:
    answer = ask(content_range, body)
    assert answer.status_code in {400, 413}
    assert said(answer)["code"] == code


def test_nothing_travels_into_a_class_that_is_not_there(ask: Ask, archive: Archive) -> None:
    answer = ask(f"bytes 0-{MIB - 1}/{len(DATA)}", DATA[:MIB], class_code="NO-SUCH")
    assert (answer.status_code, said(answer)["code"]) == (422, "unknown-class")
    assert not (archive.ctx.spool_directory / "unfinished").exists()
