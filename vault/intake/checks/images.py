"""Examining pictures with Pillow: bounds from the headers first, then every page decoded to its last line."""

from __future__ import annotations

import mmap
import struct
import warnings
from typing import BinaryIO

from PIL import Image, ImageFile, UnidentifiedImageError

from vault.intake.checks import outlines
from vault.intake.checks.explanations import NO_SENSE, NOT_DECODABLE
from vault.intake.checks.media_types import JPEG, JPEG2000, PNG, TIFF
from vault.intake.checks.model import CheckPolicy, Notes, PageFacts
from vault.intake.checks.pages import PageByPage, colour_of, stated_dpi
from vault.intake.checks.quality import SIDE_PIXELS

# Bounds are checked here from the headers, with reasons; Pillow's own guess would come first and without them.
Image.MAX_IMAGE_PIXELS = None
ImageFile.LOAD_TRUNCATED_IMAGES = False

_FORMATS = {JPEG: ("JPEG", "MPO"), PNG: ("PNG",), TIFF: ("TIFF",), JPEG2000: ("JPEG2000",)}
# A page whose pixels are larger than this is no scan: 4 samples of 16 bits.
_BYTES_PER_PIXEL_MAX = 16
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


def examine_image(source: BinaryIO, size_bytes: int, media_type: str, policy: CheckPolicy, notes: Notes) -> None:
    """Examines a picture of one or more pages."""
    pages = PageByPage(policy, notes)
    try:
        if not _is_laid_out_well(source, size_bytes, media_type, policy, notes, pages):
            return
        source.seek(0)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # every oddity that matters becomes a finding or an error
            with Image.open(source, formats=_FORMATS[media_type]) as image:
                _decode(image, media_type, notes, pages)
    except outlines.Broken as error:
        notes.refuse("damaged", problem=str(error))
    except MemoryError:
        notes.refuse("breaks-decoder")
    except DECODER_ERRORS:
        notes.refuse("damaged", problem=NOT_DECODABLE)


def _is_laid_out_well(
    source: BinaryIO, size_bytes: int, media_type: str, policy: CheckPolicy, notes: Notes, pages: PageByPage
) -> bool:
    """Checks the outline before any decoder starts; raises `outlines.Broken`."""
    if media_type == TIFF:
        for number, page in enumerate(outlines.tiff_pages(source, size_bytes), 1):
            if number > policy.pages_max:
                notes.refuse("too-many-pages", pages_max=policy.pages_max)
                return False
            if page.bytes_per_pixel > _BYTES_PER_PIXEL_MAX:
                raise outlines.Broken(NO_SENSE)
            if not pages.is_within_bounds(page.width, page.height, number):
                return False
        return True
    if media_type == PNG:
        outline = outlines.png_outline(source, size_bytes, policy.pixels_max)
    elif media_type == JPEG2000:
        outline = outlines.jpeg2000_outline(source, size_bytes)
    else:
        if size_bytes > policy.jpeg_bytes_max:
            notes.refuse("file-too-large", size_bytes=size_bytes, size_bytes_max=policy.jpeg_bytes_max)
            return False
        outline = outlines.jpeg_outline(_in_memory(source))
    if outline.scans > policy.jpeg_scans_max:
        notes.refuse("unpacks-too-large", what="scans")
        return False
    if size_bytes - outline.end > policy.trailing_bytes_max:
        notes.refuse("trailing-data", size_bytes=size_bytes - outline.end)
        return False
    if outline.pictures > 1:
        notes.warn("more-pictures")
    return pages.is_within_bounds(outline.width, outline.height, 1)


def _in_memory(source: BinaryIO) -> bytes:
    """The whole file; a file on disk is mapped, not read."""
    try:
        return mmap.mmap(source.fileno(), 0, access=mmap.ACCESS_READ)  # type: ignore[return-value]  # reads as bytes do
    except OSError:
        source.seek(0)
        return source.read()


def _decode(image: Image.Image, media_type: str, notes: Notes, pages: PageByPage) -> None:
    number = 0
    while True:
        try:
            image.seek(number)
        except EOFError:
            break
        number += 1
        size, mode = image.size, image.mode
        # The outline and the decoder must agree, or the bounds were checked on another picture.
        if not pages.is_within_bounds(*size, number):
            return
        if media_type == JPEG:
            # Huffman decoding still runs to the last byte, so that a cut is found; only the transform is smaller.
            image.draft("L", (SIDE_PIXELS, SIDE_PIXELS))
        image.load()
        pages.look_at(image, PageFacts(*size, dpi=stated_dpi(image, size), colour=colour_of(mode)))
        if notes.is_refused or media_type != TIFF:
            break
    pages.finish()
