"""Examining pictures with Pillow: bounds from the header first, then every page decoded to its last line."""

from __future__ import annotations

import struct
import warnings
from typing import BinaryIO

from PIL import Image, ImageFile, UnidentifiedImageError

from vault.intake.checks.barcodes import read_slip_number
from vault.intake.checks.media_types import JPEG, JPEG2000, PNG, TIFF
from vault.intake.checks.model import CheckPolicy, Notes
from vault.intake.checks.quality import SIDE_PIXELS, judge, small_grey

# Bounds are checked here from the headers, with reasons; Pillow's own guess would come first and without them.
Image.MAX_IMAGE_PIXELS = None
ImageFile.LOAD_TRUNCATED_IMAGES = False

_FORMATS = {JPEG: ("JPEG", "MPO"), PNG: ("PNG",), TIFF: ("TIFF",), JPEG2000: ("JPEG2000",)}
_A4_LONG_INCHES = 11.69
# What Pillow and the codecs raise on bytes that are not what they claim to be.
DECODER_ERRORS = (
    OSError,
    ValueError,
    SyntaxError,
    EOFError,
    KeyError,
    IndexError,
    TypeError,
    ArithmeticError,
    AttributeError,
    struct.error,
    UnidentifiedImageError,
    Image.DecompressionBombError,
    RuntimeError,
)


def examine_image(source: BinaryIO, media_type: str, policy: CheckPolicy, notes: Notes) -> tuple[int, str | None]:
    """Examines a picture of one or more pages; returns the number of pages and the slip number if one was read."""
    if media_type == TIFF and _pages_loop(source, policy.pages_max):
        notes.refuse("damaged", problem="its pages lead back to themselves")
        return 0, None
    source.seek(0)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # every oddity that matters becomes a finding or an error
            with Image.open(source, formats=_FORMATS[media_type]) as image:
                return _pages(image, media_type, policy, notes)
    except MemoryError:
        notes.refuse("breaks-decoder")
    except DECODER_ERRORS as error:
        notes.refuse("damaged", problem=type(error).__name__)
    return 0, None


def _pages_loop(source: BinaryIO, pages_max: int) -> bool:
    """Whether the chain of a TIFF's directories comes back to one that it left: pages would stay hidden."""
    source.seek(0)
    order = "<" if source.read(2) == b"II" else ">"
    is_big = struct.unpack(f"{order}H", source.read(2))[0] == 43
    offset_form, count_form, entry_bytes = (
        (f"{order}Q", f"{order}Q", 20) if is_big else (f"{order}I", f"{order}H", 12)
    )
    seen: set[int] = set()
    place = 8 if is_big else 4
    while len(seen) <= pages_max:
        source.seek(place)
        told = source.read(struct.calcsize(offset_form))
        if len(told) < struct.calcsize(offset_form):
            return False  # cut off: decoding says so
        (directory,) = struct.unpack(offset_form, told)
        if directory == 0:
            return False
        if directory in seen:
            return True
        seen.add(directory)
        source.seek(directory)
        counted = source.read(struct.calcsize(count_form))
        if len(counted) < struct.calcsize(count_form):
            return False
        place = directory + len(counted) + struct.unpack(count_form, counted)[0] * entry_bytes
    return False


def _pages(image: Image.Image, media_type: str, policy: CheckPolicy, notes: Notes) -> tuple[int, str | None]:
    slip_number: str | None = None
    blank = page = 0
    while True:
        try:
            image.seek(page)
        except EOFError:
            break
        page += 1
        if page > policy.pages_max:
            notes.refuse("too-many-pages", pages_max=policy.pages_max)
            return page - 1, None
        if not _within_bounds(image.size, page, policy, notes):
            return page, None
        _resolution(image, page, policy, notes)
        if media_type == JPEG:
            # Huffman decoding still runs to the last byte, so that a cut is found; only the transform is smaller.
            image.draft("L", (SIDE_PIXELS, SIDE_PIXELS))
        image.load()
        grey = small_grey(image)
        blank += judge(grey, page, policy, notes)
        if page == 1:
            slip_number = read_slip_number(image)
        if media_type in {JPEG, PNG, JPEG2000}:
            break
    if page and blank == page:
        notes.refuse("all-blank")
    return page, slip_number


def _within_bounds(size: tuple[int, int], page: int, policy: CheckPolicy, notes: Notes) -> bool:
    width, height = size
    if width * height > policy.pixels_max:
        notes.refuse("too-many-pixels", page, pixels=width * height, pixels_max=policy.pixels_max)
        return False
    if max(size) > policy.side_pixels_max or min(size) < 16 or max(size) > 40 * min(size):
        notes.refuse("absurd-dimensions", page, width=width, height=height)
        return False
    return True


def _resolution(image: Image.Image, page: int, policy: CheckPolicy, notes: Notes) -> None:
    stated = image.info.get("dpi")
    try:
        dpi = round(float(min(stated[0], stated[1]))) if stated else 0
    except (TypeError, ValueError, ZeroDivisionError, OverflowError):
        dpi = 0
    if dpi <= 1:  # not stated: judged as if the page were A4
        dpi = round(max(image.size) / _A4_LONG_INCHES)
    if dpi < policy.dpi_min:
        notes.refuse("dpi-too-low", page, dpi=dpi, dpi_min=policy.dpi_min)
    elif dpi < policy.dpi_wanted:
        notes.warn("dpi-low", page, dpi=dpi, dpi_wanted=policy.dpi_wanted)
