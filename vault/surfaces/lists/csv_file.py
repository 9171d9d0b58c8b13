"""A list as a CSV file (RFC 4180): one snapshot, streamed, safe to open in a spreadsheet.

Excel reads a file as UTF-8 only when it begins with a byte order mark, runs a cell that begins like a formula, and rounds
numbers of more than 15 digits: all three are provided against. Names of customers are masked, because a file goes where
no right follows it (`docs/decisions`).
"""

from __future__ import annotations

import csv
import io
import re
import threading
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from datetime import date, datetime
from itertools import islice

import anyio
from anyio.to_thread import run_sync
from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from vault.access.lists import witness_export
from vault.access.model import Viewer
from vault.access.rights import Right
from vault.foundation.context import Context
from vault.foundation.db.keyset import Picked, walk
from vault.surfaces.i18n import Formats, Language
from vault.surfaces.lists.listing import Filters, Line, Listing, Speech
from vault.surfaces.problems import Busy

MEDIA_TYPE = "text/csv; charset=utf-8"
_BYTE_ORDER_MARK = "\ufeff"
_LINES_AT_ONCE = 500
# Each holds a snapshot and a connection for as long as its reader takes.
_EXPORTS_AT_ONCE = threading.BoundedSemaphore(4)
_FORMULA_SIGNS = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
_LONG_NUMBER = re.compile(r"[0-9]{12,}|[0-9]+[eE][0-9]+")


def export(
    ctx: Context,
    viewer: Viewer,
    listing: Listing[Filters, Line],
    filters: Filters,
    picked: Picked,
    language: Language,
) -> StreamingResponse:
    """The list as a download. Leaves `access:list:export` with the exact count before the first byte goes out.

    Raises:
        NotAllowed: the viewer lacks the list's own right or `access:list:export`.
        Busy: as many exports are under way as may be.
    """
    viewer.require(listing.right)
    viewer.require(Right.ACCESS_LIST_EXPORT)
    if not _EXPORTS_AT_ONCE.acquire(blocking=False):
        raise Busy(retry_after_s=10)
    held = ExitStack()
    held.callback(_EXPORTS_AT_ONCE.release)
    try:
        connection = held.enter_context(ctx.database.read())
        question = listing.ask(ctx, connection, viewer, filters, picked)
        speech = Speech(connection, language, ctx.clock.now())
        count = question.count(None)
        witness_export(ctx, viewer, listing.name, count, is_selection=picked.ids is not None)
        headers = {
            "Content-Disposition": f'attachment; filename="{listing.name}-{speech.formats.day(ctx.clock.now())}.csv"',
            "Cache-Control": "no-store",
            "X-Content-Type-Options": "nosniff",
            "Slipvault-Count": str(count),
        }
    except BaseException:
        held.close()
        raise
    return _Holding(csv_chunks(listing, walk(question.page), speech), headers, held)


def csv_chunks(listing: Listing[Filters, Line], lines: Iterator[Line], speech: Speech) -> Iterator[bytes]:
    """The file in pieces of a few hundred lines."""
    yield (_BYTE_ORDER_MARK + _text([[speech.say(one) for one in listing.headings]])).encode()
    while chunk := list(islice(lines, _LINES_AT_ONCE)):
        cells = [[_cell(value, speech.formats) for value in row] for row in listing.rows(speech, chunk)]
        yield _text(cells).encode()


def harmless(text: str) -> str:
    """A text that no spreadsheet takes for a formula or rounds as a number.

    A formula gets an apostrophe in front, the spreadsheet's own sign for text; a long number gets a tab behind, which
    shows nowhere and makes it a text.
    """
    if text.startswith(_FORMULA_SIGNS):
        return f"'{text}"
    return f"{text}\t" if _LONG_NUMBER.fullmatch(text) else text


def _cell(value: object, formats: Formats) -> str:
    if value is None:
        return ""
    if isinstance(value, datetime):
        return formats.local(value).strftime("%Y-%m-%d %H:%M:%S")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, bool | int):
        return str(value)
    return harmless(str(value))


def _text(rows: Sequence[Sequence[str]]) -> str:
    out = io.StringIO()
    csv.writer(out, lineterminator="\r\n").writerows(rows)
    return out.getvalue()


class _Holding(StreamingResponse):
    """A stream that lets go of its snapshot however it ends: read to the end, cut off, or never begun."""

    def __init__(self, chunks: Iterator[bytes], headers: dict[str, str], held: ExitStack) -> None:
        super().__init__(chunks, headers=headers, media_type=MEDIA_TYPE)
        self._held = held

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Sends the file."""
        try:
            await super().__call__(scope, receive, send)
        finally:
            with anyio.CancelScope(shield=True):
                await run_sync(self._held.close)
