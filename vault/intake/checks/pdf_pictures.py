"""The pictures inside a PDF, decoded to their last line. PDFium shows what it gets; a cut-off scan must be noticed."""

from __future__ import annotations

import io
import struct
from dataclasses import dataclass
from typing import Any

import pikepdf
from PIL import Image

from vault.intake.checks import outlines
from vault.intake.checks.explanations import LARGER, NO_SENSE, PICTURE_ENDS_EARLY, TOO_MANY_PARTS
from vault.intake.checks.model import CheckPolicy
from vault.intake.checks.pdf_objects import FILTERS_MAX, filters_of, inflated
from vault.intake.checks.quality import SIDE_PIXELS

_BYTES_PER_PIXEL_MAX = 8
_COMPONENTS = {"/DeviceGray": 1, "/CalGray": 1, "/Indexed": 1, "/Separation": 1, "/DeviceRGB": 3, "/CalRGB": 3,
               "/Lab": 3, "/DeviceCMYK": 4}  # fmt: skip


@dataclass(frozen=True)
class Picture:
    """A decoded picture, perhaps smaller than it is; `width`, `height` and `mode` are its own."""

    width: int
    height: int
    mode: str
    image: Image.Image


def decoded_picture(item: pikepdf.Object, policy: CheckPolicy) -> Picture | None:
    """Decodes a picture to its end; gives it as an image when it is of a kind that scanners make.

    Raises:
        outlines.Broken: it ends too early or is too large for what it declares.
        OSError, ValueError, zlib.error, pikepdf.PdfError: it cannot be decoded.
    """
    filters = filters_of(item)
    if len(filters) > FILTERS_MAX:
        raise outlines.Broken(TOO_MANY_PARTS)
    if filters == ["/DCTDecode"]:
        return _jpeg(item.read_raw_bytes(), policy)
    if filters == ["/JPXDecode"]:
        return _jpeg2000(item.read_raw_bytes(), policy)
    if filters == ["/CCITTFaxDecode"]:
        return _fax(item)
    if filters and filters[-1] in {"/DCTDecode", "/JPXDecode", "/CCITTFaxDecode", "/JBIG2Decode"}:
        return None  # PDFium decodes it when the page is drawn
    return _plain(item, filters, policy)


def _jpeg(data: bytes, policy: CheckPolicy) -> Picture:
    outline = outlines.jpeg_outline(data)
    if outline.width * outline.height > policy.pixels_max or outline.scans > policy.jpeg_scans_max:
        raise outlines.Broken(LARGER)
    image = Image.open(io.BytesIO(data), formats=("JPEG",))
    size, mode = image.size, image.mode
    image.draft("L", (SIDE_PIXELS, SIDE_PIXELS))
    image.load()
    return Picture(*size, mode, image)


def _jpeg2000(data: bytes, policy: CheckPolicy) -> Picture:
    outline = outlines.jpeg2000_outline(io.BytesIO(data), len(data))
    if outline.width * outline.height > policy.pixels_max:
        raise outlines.Broken(LARGER)
    image = Image.open(io.BytesIO(data), formats=("JPEG2000",))
    image.load()
    return Picture(*image.size, image.mode, image)


def _fax(item: pikepdf.Object) -> Picture | None:
    """A fax-coded picture, handed to libtiff in a TIFF of one strip."""
    told = item.get("/DecodeParms")
    parameters: Any = told[0] if isinstance(told, pikepdf.Array) and len(told) else told
    if parameters is None or int(parameters.get("/K", 0)) >= 0 or bool(parameters.get("/EncodedByteAlign", False)):
        return None
    width, height = int(parameters.get("/Columns", 1728)), int(item.get("/Height", 0))
    if width != int(item.get("/Width", 0)):
        raise outlines.Broken(NO_SENSE)
    data = item.read_raw_bytes()
    is_black_one = bool(parameters.get("/BlackIs1", False))
    entries = [
        (256, 4, width), (257, 4, height), (258, 3, 1), (259, 3, 4), (262, 3, int(is_black_one)), (273, 4, 8),
        (277, 3, 1), (278, 4, height), (279, 4, len(data)),
    ]  # fmt: skip
    directory = struct.pack("<H", len(entries)) + b"".join(
        struct.pack("<HHII", tag, kind, 1, value) for tag, kind, value in entries
    )
    tiff = struct.pack("<2sHI", b"II", 42, 8 + len(data) + len(data) % 2) + data + b"\0" * (len(data) % 2)
    image = Image.open(io.BytesIO(tiff + directory + b"\0\0\0\0"), formats=("TIFF",))
    image.load()
    return Picture(width, height, "1", image)


def _plain(item: pikepdf.Object, filters: list[str], policy: CheckPolicy) -> Picture | None:
    """A picture without a codec of its own: so many lines of so many bytes."""
    width, height = int(item.get("/Width", 0)), int(item.get("/Height", 0))
    bits = 1 if item.get("/ImageMask") else int(item.get("/BitsPerComponent", 8))
    components = _components(item)
    line = -(-width * bits * (components or 1) // 8)
    size_max = min(height * (width * _BYTES_PER_PIXEL_MAX + 16), 8 * policy.pixels_max)
    if filters == ["/FlateDecode"]:
        data = inflated(item.read_raw_bytes(), size_max)
        if data is None:
            raise outlines.Broken(LARGER)
        if _predictor(item) > 1:
            if len(data) < (line + (_predictor(item) >= 10)) * height:
                raise outlines.Broken(PICTURE_ENDS_EARLY)
            data = item.read_bytes(pikepdf.StreamDecodeLevel.specialized)
    else:
        data = item.read_bytes(pikepdf.StreamDecodeLevel.specialized)
    if len(data) < line * height:
        raise outlines.Broken(PICTURE_ENDS_EARLY)
    mode = {(8, 1): "L", (8, 3): "RGB", (1, 1): "1"}.get((bits, components or 0))
    space = item.get("/ColorSpace")
    if mode is None or "/Decode" in item or (isinstance(space, pikepdf.Array) and space[0] == "/Indexed"):
        return None
    return Picture(width, height, mode, Image.frombytes(mode, (width, height), data[: line * height]))


def _predictor(item: pikepdf.Object) -> int:
    told = item.get("/DecodeParms")
    parameters: Any = told[0] if isinstance(told, pikepdf.Array) and len(told) else told
    return int(parameters.get("/Predictor", 1)) if isinstance(parameters, pikepdf.Dictionary) else 1


def _components(item: pikepdf.Object) -> int | None:
    """How many numbers make a pixel; nothing when the colour space does not say so simply."""
    space: Any = item.get("/ColorSpace")
    if isinstance(space, pikepdf.Array) and len(space):
        if space[0] == "/ICCBased":
            return int(space[1].get("/N", 1))
        space = space[0]
    return 1 if item.get("/ImageMask") else _COMPONENTS.get(str(space))
