"""A file that comes in pieces: each request brings one (`Content-Range`), the last is answered like a whole file.

A large file over a bad network would never arrive if each cut began it anew. `Content-Range: bytes */SIZE` asks how much
has arrived; what is whole is settled by the same question, so an answer that was lost is asked for again.
"""

from __future__ import annotations

import hashlib
import io
import re
import shutil
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import BinaryIO, cast

from fastapi.concurrency import run_in_threadpool
from starlette.requests import Request

from vault.access.model import Viewer
from vault.foundation.context import Context
from vault.foundation.errors import N_
from vault.foundation.keys.plain_tag import Tagging
from vault.intake import arrivals, queries
from vault.intake.checks import media_types
from vault.intake.errors import ClientKeyReused, DigestMismatch, PieceOutOfPlace, ReceivedDamaged, UploadTooLarge
from vault.intake.model import Receipt
from vault.intake.sealing import nameless_file
from vault.intake.unfinished import SEGMENT_BYTES, UnfinishedUpload, clear_stale, require_room
from vault.surfaces.problems import BadRequest
from vault.surfaces.uploads import Spooled, unhurried

_CONTENT_RANGE = re.compile(r"bytes (?:(\d{1,15})-(\d{1,15})|\*)/(\d{1,15})")


@dataclass(frozen=True)
class Piece:
    """Bytes `start` to `stop` of a file of `size_bytes`; without a start only a question."""

    start: int | None
    stop: int
    size_bytes: int


def piece_of(request: Request) -> Piece | None:
    """The piece that a request says it brings; nothing when it brings the whole.

    Raises:
        BadRequest: the header is none of the two forms, or its numbers cannot be.
        UploadTooLarge: the whole is larger than this installation takes.
    """
    header = request.headers.get("content-range")
    if header is None:
        return None
    found = _CONTENT_RANGE.fullmatch(header.strip())
    if found is None:
        raise BadRequest(problem=N_("Content-Range must be bytes FIRST-LAST/SIZE or bytes */SIZE"))
    size_bytes = int(found[3])
    if size_bytes > request.app.state.upload_bytes_max:
        raise UploadTooLarge(size_bytes_max=request.app.state.upload_bytes_max)
    start = None if found[1] is None else int(found[1])
    stop = 0 if start is None else int(found[2]) + 1
    if size_bytes < 1 or (start is not None and not start < stop <= size_bytes):
        raise BadRequest(problem=N_("these bytes cannot be in a file of that size"))
    return Piece(start, stop, size_bytes)


def settled_before(
    ctx: Context, viewer: Viewer, key: str, size_bytes: int, announced_sha256: str | None
) -> Receipt | None:
    """The answer that the sender got, or missed, to the same client key.

    Who says no digest is believed by the size: the digest is taken when the bytes are sent, and then looked at.

    Raises:
        ClientKeyReused: the key belongs to other bytes.
    """
    with ctx.database.read() as connection:
        found = arrivals.settled_item(connection, viewer.id, key)
        if found is None:
            return None
        item_id, sha256, size = found
        if size != size_bytes:
            raise ClientKeyReused
        if announced_sha256 is not None and announced_sha256.lower() != sha256.hex():
            raise ClientKeyReused
        return queries.receipt_of(connection, viewer, item_id, is_repeated=True)


async def receive_piece(request: Request, ctx: Context, upload: UnfinishedUpload, piece: Piece) -> None:
    """Keeps what a request brings, a segment at a time: what came before a cut has come.

    Raises:
        PieceOutOfPlace, NoRoom, UploadBusy: see `UnfinishedUpload.append`.
        BadRequest: the body is longer than the header says.
        BodyCutOff: the sender went away or fell silent.
    """
    assert piece.start is not None
    received_bytes = upload.received_bytes
    if piece.start != received_bytes:
        raise PieceOutOfPlace(received_bytes=received_bytes)
    if received_bytes == 0:
        await run_in_threadpool(clear_stale, ctx.spool_directory, ctx.clock)
    await run_in_threadpool(require_room, ctx.spool_directory, piece.size_bytes - received_bytes, piece.size_bytes)
    async for at, segment in _segments(request.stream(), piece):
        await run_in_threadpool(upload.append, at, segment)


async def _segments(chunks: AsyncIterator[bytes], piece: Piece) -> AsyncIterator[tuple[int, bytes]]:
    """The body in whole segments with their places; only the file's last one may be shorter."""
    assert piece.start is not None
    held, at = bytearray(), piece.start
    async for chunk in unhurried(chunks):
        held += chunk
        if at + len(held) > piece.stop:
            raise BadRequest(problem=N_("the body is longer than Content-Range says"))
        while len(held) >= SEGMENT_BYTES or (held and at + len(held) == piece.size_bytes):
            segment = bytes(held[:SEGMENT_BYTES])
            del held[:SEGMENT_BYTES]
            yield at, segment
            at += len(segment)


@contextmanager
def whole(ctx: Context, upload: UnfinishedUpload, announced_sha256: str | None) -> Iterator[Spooled]:
    """A file that has arrived whole, as intake takes it; what was kept of it goes when the body ends well.

    Raises:
        DigestMismatch, ReceivedDamaged: it is not what was announced, or not what arrived: it must be sent again.
        UploadBusy: another request is settling it.
    """
    with upload.opened() as content:
        try:
            found, tagging = hashlib.sha256(), Tagging()
            while chunk := content.read(SEGMENT_BYTES):
                found.update(chunk)
                tagging.update(chunk)
            if announced_sha256 is not None and announced_sha256.lower() != found.hexdigest():
                raise DigestMismatch(announced=announced_sha256[:16], received=found.hexdigest()[:16])
        except (ReceivedDamaged, DigestMismatch):
            upload.forget()
            raise
        yield Spooled(_openable(ctx, content), upload.size_bytes, found.digest(), tagging.finish())
        upload.forget()


def _openable(ctx: Context, content: io.BufferedReader) -> BinaryIO:
    """Decoders take a descriptor: what they will open is copied into a file that has no name."""
    content.seek(0)
    if media_types.media_type_of(content.read(media_types.HEAD_BYTES)) not in media_types.OPENED:
        return cast("BinaryIO", content)
    file = nameless_file(ctx.spool_directory)
    content.seek(0)
    shutil.copyfileobj(content, file, SEGMENT_BYTES)
    return cast("BinaryIO", file)
