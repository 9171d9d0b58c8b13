"""What the application makes of requests that are too large, unreadable or ask for too much, and what it notes of them."""

from __future__ import annotations

import asyncio
import base64
import io
import json
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest
from sqlalchemy import func, select

from tests.support.archive import Archive, jpeg
from vault.access.rights import Right
from vault.catalogue import reading
from vault.catalogue.model import ComponentKind
from vault.catalogue.queries import ComponentView, get_record
from vault.foundation.errors import NotAllowed, VaultError
from vault.foundation.ledger.tables import ledger_entries
from vault.intake.errors import UploadTooLarge
from vault.intake.jobs import render_waiting
from vault.retention.errors import UnknownClass
from vault.settings import Settings
from vault.surfaces.application import make_application
from vault.surfaces.bodies import BODY_BYTES_MAX
from vault.surfaces.bytes_out import stream_bytes
from vault.surfaces.observing import facts_to_log
from vault.surfaces.problems import BadRequest, NoSuchRange
from vault.surfaces.uploads import metadata_from

TOKEN = {"Authorization": "Bearer operator-token-of-a-test"}
Ask = Callable[..., httpx.Response]


@pytest.fixture
def ask(archive: Archive, tmp_path: Path) -> Ask:
    """Sends one request to a fresh application."""
    settings = Settings.from_environment(
        {"SLIPVAULT_HOME": str(tmp_path), "SLIPVAULT_UPLOAD_BYTES_MAX": str(3 * BODY_BYTES_MAX)}
    )
    app = make_application(archive.ctx, settings)
    token = tmp_path / "run" / "operator.token"
    token.parent.mkdir()
    token.write_text("operator-token-of-a-test", encoding="ascii")

    async def send(method: str, path: str, **more: Any) -> httpx.Response:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://archive.test") as client:
            return await client.request(method, path, **more)

    def asked(method: str, path: str, **more: Any) -> httpx.Response:
        with ThreadPoolExecutor(1) as pool:  # a browser test may have left its loop in this thread
            return pool.submit(asyncio.run, send(method, path, **more)).result()

    return asked


def code(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


class Chunks:
    """A body without a length, that counts how much of it was taken."""

    def __init__(self, size_bytes: int) -> None:
        self.left_bytes, self.taken_bytes = size_bytes, 0

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while self.left_bytes:
            chunk = b"x" * min(64 << 10, self.left_bytes)
            self.left_bytes -= len(chunk)
            self.taken_bytes += len(chunk)
            yield chunk


def test_a_body_that_is_too_large_is_refused_before_anybody_is_asked_who_they_are(ask: Ask) -> None:
    large = ask("POST", "/api/v1/records/search", content=b"x" * (2 * BODY_BYTES_MAX))
    assert code(large) == (413, "body-too-large")
    assert large.headers["content-type"] == "application/problem+json"
    chunks = Chunks(64 * BODY_BYTES_MAX)
    json_type = {"Content-Type": "application/json"}
    assert code(ask("POST", "/api/v1/records/search", content=chunks, headers=json_type)) == (413, "body-too-large")
    assert chunks.taken_bytes <= BODY_BYTES_MAX + (64 << 10), "nothing is read beyond the limit"
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    page = ask("POST", "/sign-in", content=Chunks(2 * BODY_BYTES_MAX), headers=form)
    assert (page.status_code, page.headers["content-type"]) == (413, "text/html; charset=utf-8")
    just = ask(
        "POST", "/api/v1/records/search", content=json.dumps({"name": "x" * 900_000}).encode(), headers=json_type
    )
    assert code(just) == (401, "sign-in-needed")


def test_an_upload_may_be_as_large_as_the_installation_says(ask: Ask) -> None:
    metadata = base64.urlsafe_b64encode(json.dumps({"class_code": "GENERAL"}).encode()).decode()
    headers = {**TOKEN, "Idempotency-Key": "large-upload", "Slipvault-Metadata": metadata}
    assert ask("POST", "/api/v1/intake/items", content=Chunks(2 * BODY_BYTES_MAX), headers=headers).status_code == 422
    chunks = Chunks(64 * BODY_BYTES_MAX)
    assert code(ask("POST", "/api/v1/intake/items", content=chunks, headers=headers)) == (413, "upload-too-large")
    assert chunks.taken_bytes <= 5 * BODY_BYTES_MAX


@pytest.mark.parametrize(
    "told",
    [
        {"title": "a\x00b"},
        {"file_name": "\ud800.jpg"},
        {"file_name": "x" * 256},
        {"unit_code": "GT01\x07"},
        {"attributes": {"窗口": "3\x00"}},
        {"attributes": {"\udfff": "3"}},
    ],
)
def test_what_is_no_text_is_not_taken_for_metadata(told: dict[str, Any]) -> None:
    with pytest.raises(BadRequest):
        metadata_from({"class_code": "GENERAL", **told})


def test_an_unknown_member_is_counted_and_not_quoted() -> None:
    with pytest.raises(BadRequest) as refused:
        metadata_from({"class_code": "GENERAL", "张三 110101199003070134": ""})
    assert "张三" not in str(refused.value)
    assert "1 members" in str(refused.value)


@pytest.mark.parametrize("body", ['{"name": "a\\u0000b"}', '{"number": "\\ud800"}', '{"class_code": "\\u0000"}'])
def test_a_search_for_what_is_no_text_is_refused(ask: Ask, body: str) -> None:
    answer = ask(
        "POST", "/api/v1/records/search", content=body, headers={**TOKEN, "Content-Type": "application/json"}
    )
    assert answer.status_code in {400, 422}, answer.text


def test_a_query_that_holds_no_text_is_refused(ask: Ask) -> None:
    assert code(ask("GET", "/api/v1/events?name=%00", headers=TOKEN)) == (422, "unusable-text")


def test_two_personal_numbers_at_once_are_refused_and_leave_nothing(ask: Ask, archive: Archive) -> None:
    wanted = {"id_number": "110101199003070134", "phone": "13800138000"}
    assert code(ask("POST", "/api/v1/records/search", json=wanted, headers=TOKEN)) == (400, "bad-request")
    assert noted(archive, "catalogue:person:seek") == 0
    assert ask("POST", "/api/v1/records/search", json={"phone": "13800138000"}, headers=TOKEN).status_code == 200


def test_an_unknown_member_of_a_body_is_not_quoted(ask: Ask) -> None:
    answer = ask("POST", "/api/v1/records/search", json={"张三": 1}, headers=TOKEN)
    assert answer.status_code == 400
    assert "张三" not in answer.text


@pytest.mark.parametrize(
    ("asked", "status"),
    [
        ("bytes=--5", 416),
        ("bytes=-0", 416),
        ("bytes=10-", 416),
        ("bytes=5-4", 416),
        ("bytes=-", 416),
        ("bytes=0-1,3-4", 400),
    ],
)
def test_a_range_that_the_file_does_not_have_is_refused_and_the_file_let_go(asked: str, status: int) -> None:
    content = io.BytesIO(b"0123456789")
    with pytest.raises((BadRequest, NoSuchRange)) as refused:
        stream_bytes(content, _component(), "stem", asked)
    assert refused.value.status == status
    assert content.closed


@pytest.mark.parametrize(
    ("asked", "told"), [("bytes=-3", "bytes 7-9/10"), ("bytes=-30", "bytes 0-9/10"), ("bytes=2-", "bytes 2-9/10")]
)
def test_a_range_that_the_file_has_is_told(asked: str, told: str) -> None:
    answer = stream_bytes(io.BytesIO(b"0123456789"), _component(), "stem", asked)
    assert (answer.status_code, answer.headers["content-range"]) == (206, told)


def _component() -> ComponentView:
    return ComponentView(
        id=UUID(int=1), kind=ComponentKind.ORIGINAL, ordinal=0, media_type="image/jpeg", size_bytes=10, sha256=bytes(32),
        sealed_size_bytes=10, sealed_sha256=bytes(32), store="s", object_key="k", version_id="v", lock_mode="governance",
        lock_until=datetime(2030, 1, 1, tzinfo=UTC), created_at=datetime(2025, 1, 1, tzinfo=UTC),
    )  # fmt: skip


@pytest.mark.invariant("L3")
@pytest.mark.parametrize(
    ("error", "facts"),
    [
        (UnknownClass(class_code="张三"), {}),
        (BadRequest(problem="张三"), {}),
        (UploadTooLarge(size_bytes_max=5), {"size_bytes_max": 5}),
        (NotAllowed(right="records:record:read"), {"right": "records:record:read"}),
    ],
)
def test_the_log_holds_nothing_that_a_sender_wrote(error: VaultError, facts: dict[str, object]) -> None:
    assert facts_to_log(error) == facts


def noted(archive: Archive, event: str) -> int:
    with archive.ctx.database.read() as connection:
        count = select(func.count()).select_from(ledger_entries).where(ledger_entries.c.event == event)
        return int(connection.execute(count).scalar_one())


@pytest.mark.clause("C4.4")
@pytest.mark.clause("C5.1")
def test_looking_at_a_record_by_program_is_noted_once_in_a_while(ask: Ask, archive: Archive) -> None:
    record_id = archive.send(jpeg()).record_id
    assert record_id is not None
    for _ in range(3):
        assert ask("GET", f"/api/v1/records/{record_id}", headers=TOKEN).status_code == 200
    assert noted(archive, "catalogue:pages:view") == 1
    assert ask("GET", f"/api/v1/records/{UUID(int=5)}", headers=TOKEN).status_code == 404
    assert noted(archive, "catalogue:pages:view") == 1, "what nobody saw is not noted"


@pytest.mark.clause("C5.1")
def test_an_unmarked_copy_is_taken_like_an_original(archive: Archive) -> None:
    record_id = archive.send(jpeg()).record_id
    assert record_id is not None
    assert list(render_waiting(archive.ctx)) == [record_id]
    clerk = replace(archive.operator, rights=frozenset({Right.RECORDS_RECORD_READ}))
    with pytest.raises(NotAllowed):
        reading.read_rendition(archive.ctx, clerk, record_id, ComponentKind.ACCESS_COPY, 0)
    assert noted(archive, "catalogue:copy:fetch") == 0
    reading.read_rendition(archive.ctx, archive.operator, record_id, ComponentKind.ACCESS_COPY, 0)
    assert noted(archive, "catalogue:copy:fetch") == 1
    for kind in (ComponentKind.PAGE, ComponentKind.THUMBNAIL, ComponentKind.PAGE):
        reading.read_rendition(archive.ctx, clerk, record_id, kind, 1)
    assert noted(archive, "catalogue:pages:view") == 1
    with archive.ctx.database.read() as connection:
        assert get_record(connection, clerk, record_id).component(ComponentKind.ACCESS_COPY) is not None
