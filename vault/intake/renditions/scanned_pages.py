"""Pages of a PDF that are one scanned JPEG and nothing else: the picture itself is the page image.

Most PDFs that come from scanners are such. Drawing them costs ten times as much and blurs them.
"""

from __future__ import annotations

import re
from typing import Any

import pikepdf

_NUMBER = rb"([0-9]+(?:\.[0-9]*)?)"
_ZERO = rb"-?0(?:\.0*)?"
_ONLY_A_PICTURE = re.compile(
    rb"\s*(?:q\s+)?"
    + rb"\s+".join([_NUMBER, _ZERO, _ZERO, _NUMBER, _ZERO, _ZERO])
    + rb"\s+cm\s+/\S+\s+Do(?:\s+Q)?\s*"
)
_CONTENT_BYTES_MAX = 400
_POINTS_OFF_MAX = 2.0


def scanned_jpeg(page: pikepdf.Page, size_bytes_max: int) -> bytes | None:
    """The JPEG that fills the page alone and upright, if the page is such and the JPEG not larger than the bound."""
    resources = page.resources
    shown = list(dict(resources.get("/XObject", {})).values())
    if len(shown) != 1 or "/Font" in resources or page.get("/Annots") or int(page.get("/Rotate", 0)) % 360:
        return None
    (item,) = shown
    if not isinstance(item, pikepdf.Stream) or not _is_plain_jpeg(item) or not _fills(page):
        return None
    data = item.read_raw_bytes()
    return data if len(data) <= size_bytes_max else None


def _is_plain_jpeg(item: Any) -> bool:
    told = item.get("/Filter")
    filters = [str(name) for name in told] if isinstance(told, pikepdf.Array) else [str(told)]
    is_altered = any(key in item for key in ("/SMask", "/Mask", "/Decode", "/ImageMask"))
    return filters == ["/DCTDecode"] and not is_altered and item.get("/ColorSpace") in ("/DeviceRGB", "/DeviceGray")


def _fills(page: pikepdf.Page) -> bool:
    """Whether all that the page does is to show its picture from edge to edge."""
    content = page.get("/Contents")
    if isinstance(content, pikepdf.Array):
        content = content[0] if len(content) == 1 else None
    if not isinstance(content, pikepdf.Stream):
        return False
    found = _ONLY_A_PICTURE.fullmatch(content.read_bytes()[:_CONTENT_BYTES_MAX])
    if found is None:
        return False
    left, bottom, right, top = (float(edge) for edge in page.cropbox)
    off = (left, bottom, right - float(found[1]), top - float(found[2]))
    return all(abs(points) <= _POINTS_OFF_MAX for points in off)
