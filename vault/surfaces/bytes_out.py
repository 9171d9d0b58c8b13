"""Sending a component's plain bytes: constant memory, one range at a time, nothing that a browser would run."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import BinaryIO

from starlette.responses import Response, StreamingResponse

from vault.catalogue.queries import ComponentView
from vault.foundation.errors import N_
from vault.surfaces.problems import BadRequest, NoSuchRange

_CHUNK_BYTES = 1 << 20
_RANGE = re.compile(r"([0-9]{0,18})-([0-9]{0,18})")
_SUFFIXES = {
    "image/jpeg": ".jpg",
    "image/png": ".png",
    "image/tiff": ".tif",
    "image/jp2": ".jp2",
    "application/pdf": ".pdf",
}


def stream_bytes(content: BinaryIO, component: ComponentView, stem: str, range_header: str | None) -> Response:
    """A download named after the record's id, never after what it is about. Closes `content` at the end, and when refused.

    Raises:
        BadRequest: the header is not one range of bytes.
        NoSuchRange: the file has no bytes there (RFC 9110 section 14).
    """
    start, stop, status = 0, component.size_bytes, 200
    headers = {
        "Cache-Control": "no-store",
        "Accept-Ranges": "bytes",
        "Content-Disposition": f'attachment; filename="{stem}{_SUFFIXES.get(component.media_type, ".bin")}"',
        "X-Content-SHA256": component.sha256.hex(),
        "X-Content-Type-Options": "nosniff",
    }
    if range_header is not None:
        try:
            start, stop = _one_range(range_header, component.size_bytes)
        except (BadRequest, NoSuchRange):
            content.close()
            raise
        status = 206
        headers["Content-Range"] = f"bytes {start}-{stop - 1}/{component.size_bytes}"
    headers["Content-Length"] = str(stop - start)
    return StreamingResponse(_chunks(content, start, stop), status, headers, media_type=component.media_type)


def _chunks(content: BinaryIO, start: int, stop: int) -> Iterator[bytes]:
    with content:
        content.seek(start)
        left = stop - start
        while left > 0:
            chunk = content.read(min(_CHUNK_BYTES, left))
            if not chunk:
                return
            left -= len(chunk)
            yield chunk


def _one_range(header: str, size_bytes: int) -> tuple[int, int]:
    unit, _, spec = header.partition("=")
    if unit.strip() != "bytes" or "-" not in spec or "," in spec:
        raise BadRequest(problem=N_("only one range of bytes can be asked for"))
    found = _RANGE.fullmatch(spec.strip())
    if found is None:
        raise NoSuchRange(size_bytes=size_bytes)
    first, last = found[1], found[2]
    if first:
        start, stop = int(first), min(int(last) + 1, size_bytes) if last else size_bytes
    else:
        start, stop = max(0, size_bytes - int(last or 0)), size_bytes
    if not start < stop:
        raise NoSuchRange(size_bytes=size_bytes)
    return start, stop
