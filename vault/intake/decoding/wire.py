"""What goes through the pipe of a decoder: frames of JSON with bytes behind them.

A decoder may have been taken over by the file that it decodes, so that nothing it says is believed beyond its form:
there is no pickle, every value is checked for its type, and texts and counts are bounded.

    frame = 4 bytes length of the JSON, 8 bytes length of the data (big-endian), JSON, data
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from vault.intake.checks.media_types import IMAGES, OPENED, PDF
from vault.intake.checks.model import CheckPolicy, Examination, Finding, PageFacts, Severity
from vault.intake.renditions.rendition import Rendition

HEAD_BYTES = 12
_JSON_BYTES_MAX = 4 << 20
_DATA_BYTES_MAX = 512 << 20
_TEXT_MAX = 300
_FINDINGS_MAX = 100
_KINDS = frozenset({"page", "thumbnail", "access_copy"})


class Malformed(Exception):
    """The frame is not of the form that our decoder sends."""


def frame(told: dict[str, Any], data: bytes = b"") -> bytes:
    """The bytes of one frame."""
    text = json.dumps(told).encode()
    return len(text).to_bytes(4) + len(data).to_bytes(8) + text + data


def read_frame(read: Callable[[int], bytes]) -> tuple[dict[str, Any], bytes]:
    """The next frame; `read` gives exactly so many bytes or raises.

    Raises:
        Malformed: it is no frame.
    """
    head = read(HEAD_BYTES)
    text_size, data_size = int.from_bytes(head[:4]), int.from_bytes(head[4:])
    if text_size > _JSON_BYTES_MAX or data_size > _DATA_BYTES_MAX:
        raise Malformed
    text = read(text_size)
    data = read(data_size)
    try:
        told = json.loads(text)
    except (ValueError, RecursionError):
        raise Malformed from None
    if not isinstance(told, dict):
        raise Malformed
    return told, data


def policy_told(policy: CheckPolicy) -> dict[str, Any]:
    """A policy for the way to the decoder."""
    return asdict(policy)


def examination_told(examination: Examination) -> dict[str, Any]:
    """An examination for the way back."""
    return asdict(examination)


def examination_from(told: dict[str, Any], pages_max: int) -> Examination:
    """The examination that a decoder told.

    Raises:
        Malformed: a value is missing or of another type.
    """
    try:
        findings, pages = told["findings"], told["pages"]
        if len(findings) > _FINDINGS_MAX or len(pages) > pages_max + 1:
            raise Malformed
        return Examination(
            media_type=_one_of(told["media_type"], OPENED),
            page_count=_whole(told["page_count"]),
            findings=tuple(_finding(finding) for finding in findings),
            slip_number=None if told["slip_number"] is None else _text(told["slip_number"]),
            pages=tuple(_page(page) for page in pages),
        )
    except (KeyError, TypeError, ValueError, AttributeError):
        raise Malformed from None


def rendition_told(rendition: Rendition) -> dict[str, Any]:
    """A rendition without its bytes for the way back."""
    return {"kind": rendition.kind, "ordinal": rendition.ordinal, "media_type": rendition.media_type}


def rendition_from(told: dict[str, Any], data: bytes) -> Rendition:
    """The rendition that a decoder told.

    Raises:
        Malformed: a value is missing or of another type.
    """
    try:
        kind = _one_of(told["kind"], _KINDS)
        return Rendition(kind, _whole(told["ordinal"]), _one_of(told["media_type"], IMAGES | {PDF}), data)
    except (KeyError, TypeError, ValueError):
        raise Malformed from None


def _finding(told: dict[str, Any]) -> Finding:
    page = told["page"]
    return Finding(
        _text(told["code"]),
        Severity(told["severity"]),
        None if page is None else _whole(page),
        {_text(name): _text(value) for name, value in told["facts"].items()},
    )


def _page(told: dict[str, Any]) -> PageFacts:
    skew, blank, edge, colour = (told[name] for name in ("skew_degrees", "is_blank", "clipped_edge", "colour"))
    return PageFacts(
        _whole(told["width"]),
        _whole(told["height"]),
        None if told["dpi"] is None else _whole(told["dpi"]),
        None if skew is None else float(skew),
        None if blank is None else bool(blank),
        None if edge is None else _text(edge),
        None if colour is None else _text(colour),
    )


def _text(value: object) -> str:
    if not isinstance(value, str) or len(value) > _TEXT_MAX:
        raise Malformed
    return value


def _whole(value: object) -> int:
    if not isinstance(value, int) or not 0 <= value < 1 << 40:
        raise Malformed
    return value


def _one_of(value: object, known: frozenset[str]) -> str:
    text = _text(value)
    if text not in known:
        raise Malformed
    return text
