"""Every object of a PDF, wherever it hangs: nothing that can run, fetch or carry, and no stream that is a bomb.

An action that nothing refers to is still no slip's. Names are compared after qpdf has decoded them, so that
`/J#61vaScript` is seen. Source: ISO 32000-2, 7.4 (filters), 12.6 (actions), 12.5 (annotations).
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator
from typing import Any

import pikepdf

from vault.intake.checks.explanations import NOT_UNPACKABLE
from vault.intake.checks.model import CheckPolicy, Notes

FILTERS_MAX = 4
_NODES_MAX = 2_000_000
_RUNS = frozenset(
    {
        "JavaScript", "Launch", "SubmitForm", "ImportData", "RichMediaExecute", "Rendition", "GoToE", "GoToR", "GoTo3DView",
        "Movie", "Sound", "Thread",
    }
)  # fmt: skip
_CARRIERS = frozenset({"RichMedia", "Movie", "Sound", "Screen", "3D", "FileAttachment"})
_HARMLESS_LINKS = ("http:", "https:", "mailto:", "tel:", "#")
# One look in C over an object's text decides whether it must be walked through at all.
_SUSPECT = re.compile(
    rb"/(?:JS|JavaScript|Launch|SubmitForm|ImportData|RichMedia\w*|Rendition|GoToE|GoToR|GoTo3DView|Movie|Sound|Thread|"
    rb"Screen|3D|FileAttachment|XFA|EmbeddedFiles?|EF|URI|FFilter|F)(?![^\s<>\[\](){}/%])"
)


def look_through(pdf: pikepdf.Pdf, policy: CheckPolicy, notes: Notes) -> list[pikepdf.Object]:
    """Notes what speaks against any object; returns the pictures, undecoded."""
    pictures: list[pikepdf.Object] = []
    if _is_suspect(pdf.trailer):
        _walk(pdf.trailer, notes)
    if len(pdf.objects) > policy.objects_max:
        notes.refuse("too-many-objects", objects_max=policy.objects_max)
        return pictures
    for item in pdf.objects:
        if isinstance(item, pikepdf.Stream):
            if _is_suspect(item.stream_dict):
                _walk(item.stream_dict, notes)
            if "/F" in item or "/FFilter" in item:
                notes.refuse("active-content", what="external stream")
            if item.get("/Subtype") == "/Image":
                pictures.append(item)
            else:
                _unpack(item, policy, notes)
        elif isinstance(item, pikepdf.Dictionary | pikepdf.Array) and _is_suspect(item):
            _walk(item, notes)
        if notes.is_refused:
            break
    return pictures


def filters_of(stream: pikepdf.Object) -> list[str]:
    """The names of a stream's filters, in the order in which they are to be undone."""
    told = stream.get("/Filter")
    if told is None:
        return []
    return [str(name) for name in told] if isinstance(told, pikepdf.Array) else [str(told)]


def inflated(data: bytes, size_bytes_max: int) -> bytes | None:
    """`data` unpacked, or nothing when it would be larger than `size_bytes_max`. Raises zlib.error."""
    unpacker = zlib.decompressobj()
    plain = unpacker.decompress(data, size_bytes_max)
    return None if unpacker.unconsumed_tail and unpacker.decompress(unpacker.unconsumed_tail, 1) else plain


def _is_suspect(item: pikepdf.Object) -> bool:
    return _SUSPECT.search(item.unparse(resolved=True)) is not None


def _direct_parts(item: Any) -> Iterator[Any]:
    """The dictionaries and arrays inside `item`, itself included, without following references."""
    waiting, left = [item], _NODES_MAX
    while waiting:
        part = waiting.pop()
        yield part
        values = list(dict(part).values()) if isinstance(part, pikepdf.Dictionary) else list(part)
        left -= len(values)
        if left < 0:
            raise ValueError("an object without end")
        waiting += [
            value
            for value in values
            if isinstance(value, pikepdf.Dictionary | pikepdf.Array) and not value.is_indirect
        ]


def _walk(item: Any, notes: Notes) -> None:
    for part in _direct_parts(item):
        if not isinstance(part, pikepdf.Dictionary):
            continue
        kind, subtype = str(part.get("/S", "")).lstrip("/"), str(part.get("/Subtype", "")).lstrip("/")
        if kind in _RUNS:
            notes.refuse("active-content", what=kind)
        elif "/JS" in part or "/JavaScript" in part:
            notes.refuse("active-content", what="JavaScript")
        elif "/XFA" in part:
            notes.refuse("active-content", what="XFA")
        elif subtype in _CARRIERS:
            notes.refuse("active-content", what=subtype)
        elif kind == "URI" and not _is_harmless(part.get("/URI")):
            notes.refuse("active-content", what="URI")
        if "/EmbeddedFiles" in part or "/EF" in part or str(part.get("/Type", "")) == "/EmbeddedFile":
            notes.refuse("embedded-files")


def _is_harmless(link: Any) -> bool:
    return isinstance(link, pikepdf.String) and str(link).strip().lower().startswith(_HARMLESS_LINKS)


def _unpack(stream: pikepdf.Object, policy: CheckPolicy, notes: Notes) -> None:
    """A stream that is no picture must unpack, and not into a bomb."""
    filters = filters_of(stream)
    if len(filters) > FILTERS_MAX:
        notes.refuse("unpacks-too-large", what="filters")
    elif filters == ["/FlateDecode"]:
        try:
            plain = inflated(stream.read_raw_bytes(), policy.unpacked_bytes_max)
        except zlib.error:
            notes.refuse("damaged", problem=NOT_UNPACKABLE)
            return
        if plain is None:
            notes.refuse("unpacks-too-large", what="stream")
    elif filters:
        # Rare chains are undone by qpdf, whose own limits were set to the same size.
        stream.read_bytes(pikepdf.StreamDecodeLevel.specialized)
