"""What every test of an upload does: a file nobody sent before, one attempt, and the attempts that finish it."""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable
from typing import Any

from tests.faults.site import Left, Site
from tests.support.archive import jpeg, pdf
from vault.surfaces.client import Answer, Unavailable

NOTHING, INTENT, SEALED, ALL = Left(), Left(intents=1), Left(intents=1, objects=1), Left(records=1)
NEVER_MET = "the fault was never met: the test shows nothing"
_numbers = itertools.count(1)


def new_file(kind: str) -> tuple[bytes, str, dict[str, Any]]:
    """Bytes that nobody sent before, their key, and what is told of them.

    `large` is more than is held in memory while it is received, `huge` also while it is sealed.
    """
    number = next(_numbers)
    key = f"the-key-of-{number:04}"
    if kind == "scan":
        return jpeg(number), key, {}
    if kind == "pdf":
        return pdf(number), key, {}
    size_bytes = {"large": 5 << 20, "huge": 17 << 20}[kind]
    return random.Random(number).randbytes(size_bytes), key, {"class_code": "ATTACHMENT"}


def attempt(send: Callable[[], Answer]) -> Answer | Unavailable:
    """One attempt, and how it ended."""
    try:
        return send()
    except Unavailable as error:
        return error


def finish(site: Site, data: bytes, key: str, metadata: dict[str, Any], before: Left, *, is_repeated: bool) -> None:
    """The sender's next attempt, and one more: accepted, once, and the bytes are those that were sent."""
    again = site.send(data, key, **metadata)
    assert (again.status, again.is_repeated) == ("accepted", is_repeated)
    third = site.send(data, key, **metadata)
    assert (third.status, third.is_repeated, third.record_id) == ("accepted", True, again.record_id)
    assert site.original(again.record_id) == data
    assert site.left().since(before) == ALL
