"""Receiving a body of any size with bounded memory, hashed once on the way in."""

from __future__ import annotations

import asyncio
import base64
import binascii
import hashlib
import io
import json
import unicodedata
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, BinaryIO, cast
from uuid import UUID

from fastapi.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request

from retention_rules.errors import InvalidData
from vault.catalogue.model import Description, FieldKind
from vault.foundation.errors import N_, Fault, VaultError
from vault.foundation.keys.plain_tag import PlainTag, Tagging
from vault.intake.errors import DigestMismatch, UploadTooLarge
from vault.intake.sealing import nameless_file, spool_failures
from vault.surfaces.problems import BadRequest

FILE_NAME_LENGTH_MAX = 255
IN_MEMORY_BYTES_MAX = 4 << 20
SILENT_S_MAX = 60.0
METADATA_BYTES_MAX = 16 << 10
_HASH_HERE_BYTES_MAX = 64 << 10
_TEXT_FIELDS = ("business_number", "business_type", "title", "handler", "customer_name")


class BodyCutOff(VaultError):
    """The connection ended before the whole body had arrived; nothing of it was kept."""

    code = "body-cut-off"
    status = 400
    exit_code = 75
    fault = Fault.CALLER
    message = N_("The connection ended before the whole file had arrived.")
    hint = N_("Nothing was stored. Send it again with the same client key.")


async def unhurried(chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """The chunks as they come, as slowly as they come; a sender that says nothing for a minute is gone.

    Raises:
        BodyCutOff: the sender went away or fell silent.
    """
    while True:
        try:
            async with asyncio.timeout(SILENT_S_MAX):
                chunk = await anext(chunks)
        except StopAsyncIteration:
            return
        except (ClientDisconnect, TimeoutError):
            raise BodyCutOff from None
        yield chunk


@dataclass(frozen=True)
class Spooled:
    """A received body; close `content` when done."""

    content: BinaryIO
    size_bytes: int
    sha256: bytes
    tag: PlainTag | None = None  # of what rests on the disk


async def spool(
    chunks: AsyncIterator[bytes], directory: Path, size_bytes_max: int, announced_sha256: str | None
) -> Spooled:
    """Takes a body in: small ones into memory, large ones into a file without a name.

    Raises:
        UploadTooLarge: it is larger than `size_bytes_max`.
        DigestMismatch: its SHA-256 is not the announced one (hexadecimal).
        BodyCutOff: the sender went away or fell silent.
        NoRoom: the disk is full.
        SpoolUnavailable: the disk fails in another way.
    """
    with spool_failures():
        return await _spooled(chunks, directory, size_bytes_max, announced_sha256)


async def _spooled(
    chunks: AsyncIterator[bytes], directory: Path, size_bytes_max: int, announced_sha256: str | None
) -> Spooled:
    digest, size, target = hashlib.sha256(), 0, cast("BinaryIO", io.BytesIO())
    tagging: Tagging | None = None
    try:
        async for chunk in unhurried(chunks):
            size += len(chunk)
            if size > size_bytes_max:
                raise UploadTooLarge(size_bytes_max=size_bytes_max)
            if size > IN_MEMORY_BYTES_MAX and isinstance(target, io.BytesIO):
                tagging = Tagging()
                target = await run_in_threadpool(_to_file, target, directory, tagging)
            if isinstance(target, io.BytesIO) and len(chunk) <= _HASH_HERE_BYTES_MAX:
                digest.update(chunk)
                target.write(chunk)
            else:
                await run_in_threadpool(_write, target, digest, tagging, chunk)
        received = digest.digest()
        if announced_sha256 is not None and announced_sha256.lower() != received.hex():
            raise DigestMismatch(announced=announced_sha256[:16], received=received.hex()[:16])
    except BaseException:
        target.close()
        raise
    target.seek(0)
    return Spooled(target, size, received, tagging.finish() if tagging is not None else None)


def _to_file(target: io.BytesIO, directory: Path, tagging: Tagging) -> BinaryIO:
    file = nameless_file(directory)
    tagging.update(target.getvalue())
    file.write(target.getbuffer())
    return cast("BinaryIO", file)


def _write(target: BinaryIO, digest: Any, tagging: Tagging | None, chunk: bytes) -> None:
    digest.update(chunk)
    if tagging is not None:
        tagging.update(chunk)
    target.write(chunk)


@dataclass(frozen=True)
class Metadata:
    """What a sender says about a file."""

    class_code: str
    batch_id: UUID | None
    unit_code: str | None
    file_name: str | None
    description: Description


def metadata_from_header(request: Request) -> Metadata:
    """Reads `Slipvault-Metadata`: base64url of a JSON object. It is a header because names must not be in URLs.

    Raises:
        BadRequest: it is missing, too long or not of this form.
    """
    value = request.headers.get("slipvault-metadata")
    if not value or len(value) > METADATA_BYTES_MAX:
        raise BadRequest(problem=N_("the header Slipvault-Metadata is missing or longer than 16 KiB"))
    try:
        told = json.loads(base64.urlsafe_b64decode(value + "=" * (-len(value) % 4)))
    except (binascii.Error, ValueError, RecursionError):
        raise BadRequest(problem=N_("the header Slipvault-Metadata is not base64url of JSON")) from None
    return metadata_from(told)


def metadata_from(told: object) -> Metadata:
    """Reads what a sender says about a file from a JSON object.

    Raises:
        BadRequest: a member is unknown, has the wrong type or holds what is no text, or the name is too long.
    """
    if not isinstance(told, dict):
        raise BadRequest(problem=N_("the metadata must be a JSON object"))
    rest = dict(told)
    attributes = rest.pop("attributes", None) or {}
    if not isinstance(attributes, dict) or not all(isinstance(v, str) for v in attributes.values()):
        raise BadRequest(problem=N_("attributes must be an object of texts"))
    if not all(is_plain(text) for pair in attributes.items() for text in pair):
        raise BadRequest(problem=N_("attributes must hold no control characters"))
    text = {name: _text(rest, name) for name in (*_TEXT_FIELDS, "class_code", "unit_code", "file_name")}
    personal = tuple((kind, value) for kind in FieldKind if (value := _text(rest, kind.value)))
    batch, occurred = _text(rest, "batch_id"), _text(rest, "occurred_date")
    if rest:
        count = len(rest)
        told = (f"{count} members of the metadata are not known", f"元数据中有 {count} 个不认识的成员")
        raise BadRequest(problem=InvalidData(*told))
    try:
        occurred_date = date.fromisoformat(occurred) if occurred else None
        batch_id = UUID(batch) if batch else None
    except ValueError:
        raise BadRequest(problem=N_("occurred_date must be YYYY-MM-DD and batch_id a UUID")) from None
    if len(text["file_name"] or "") > FILE_NAME_LENGTH_MAX:
        raise BadRequest(problem=N_("the file name is longer than 255 characters"))
    if not text["class_code"]:
        raise BadRequest(problem=N_("class_code is missing"))
    description = Description(
        **{name: text[name] for name in _TEXT_FIELDS},
        occurred_date=occurred_date,
        attributes=attributes,
        personal=personal,
    )
    return Metadata(text["class_code"], batch_id, text["unit_code"], text["file_name"], description)


def _text(told: dict[str, Any], name: str) -> str | None:
    value = told.pop(name, None)
    if value is not None and not isinstance(value, str):
        raise BadRequest(problem=InvalidData(f"{name} must be a text", f"{name} 应为文本"))
    if value is not None and not is_plain(value):
        raise BadRequest(problem=InvalidData(f"{name} must hold no control characters", f"{name} 不能含控制字符"))
    return value or None


def is_plain(text: str) -> bool:
    """Whether a text is free of control characters and of halves of surrogate pairs, which no database keeps."""
    return not any(unicodedata.category(character) in {"Cc", "Cs"} for character in text)
