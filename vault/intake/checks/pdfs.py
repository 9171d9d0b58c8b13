"""Examining PDFs with qpdf (pikepdf) and PDFium: whole, unencrypted, and unable to run anything."""

from __future__ import annotations

import functools
import re
import zlib
from typing import BinaryIO

import pikepdf
import pypdfium2
from PIL import Image

from vault.foundation.errors import N_
from vault.intake.checks import outlines
from vault.intake.checks.explanations import ENDS_EARLY, NOT_DECODABLE
from vault.intake.checks.images import DECODER_ERRORS
from vault.intake.checks.model import CheckPolicy, Notes, PageFacts
from vault.intake.checks.pages import PageByPage, colour_of
from vault.intake.checks.pdf_objects import look_through
from vault.intake.checks.pdf_pictures import Picture, decoded_picture
from vault.intake.checks.quality import SIDE_PIXELS

_MARK = b"%PDF-"
_END = b"%%EOF"
_OBJECT = re.compile(rb"\d+ \d+ obj\b")
_TAIL_BYTES = 1 << 20
_POINTS_PER_INCH = 72
_PAGE_POINTS_MAX = 100_000
# Warnings of qpdf that mean that it left something out, rather than that it put something right.
_DROPPED = re.compile(r"nested|endstream|endobj|loop|lacks|limits error|null|unknown token|unexpected")
# What may stand before the mark and hides nothing: white space and a byte order mark.
_BEFORE = b"\xef\xbb\xbf\0\t\n\f\r "


def examine_pdf(source: BinaryIO, size_bytes: int, policy: CheckPolicy, notes: Notes) -> None:
    """Examines a PDF."""
    if not _is_framed(source, size_bytes, policy, notes):
        return
    source.seek(0)
    _limit_qpdf(policy.unpacked_bytes_max)
    try:
        with pikepdf.open(source, suppress_warnings=True, attempt_recovery=False) as pdf:
            if pdf.is_encrypted:
                notes.refuse("encrypted")
                return
            pictures = look_through(pdf, policy, notes)
            if _DROPPED.search("\n".join(pdf.get_warnings())):
                raise outlines.Broken(N_("parts of it cannot be read"))
            pages = len(pdf.pages)
            if pages == 0:
                notes.refuse("no-pages")
            elif pages > policy.pages_max:
                notes.refuse("too-many-pages", pages_max=policy.pages_max)
            if not notes.is_refused:
                _Pages(source, pdf, policy, notes).examine(pictures)
    except pikepdf.PasswordError:
        notes.refuse("encrypted")
    except MemoryError:
        notes.refuse("breaks-decoder")
    except outlines.Broken as error:
        notes.refuse("damaged", problem=str(error))
    except (pikepdf.PdfError, pypdfium2.PdfiumError, RecursionError, zlib.error, *DECODER_ERRORS):
        notes.refuse("damaged", problem=NOT_DECODABLE)


def _is_framed(source: BinaryIO, size_bytes: int, policy: CheckPolicy, notes: Notes) -> bool:
    """Whether the PDF begins at the beginning and ends at the end of the file."""
    source.seek(0)
    head = source.read(1024)
    if head[: head.find(_MARK)].strip(_BEFORE):
        notes.refuse("leading-data")
        return False
    start = max(0, size_bytes - _TAIL_BYTES)
    source.seek(start)
    tail = source.read()
    end = tail.rfind(_END)
    if end < 0:
        notes.refuse("damaged", problem=ENDS_EARLY)
        return False
    if _OBJECT.search(tail, end):
        # An end mark stands near the beginning, too, of a file made for reading over a network.
        notes.refuse("damaged", problem=ENDS_EARLY)
        return False
    trailing = len(tail) - end - len(_END)
    if trailing > policy.trailing_bytes_max:
        notes.refuse("trailing-data", size_bytes=trailing)
        return False
    return True


@functools.cache
def _limit_qpdf(unpacked_bytes_max: int) -> None:
    """Sets the limits of qpdf, which unpacks object streams and rare filters itself; they are of the process."""
    pikepdf.settings.set_qpdf_limits(
        flate_max_memory=4 * unpacked_bytes_max,
        png_max_memory=4 * unpacked_bytes_max,
        tiff_max_memory=4 * unpacked_bytes_max,
        run_length_max_memory=4 * unpacked_bytes_max,
        dct_max_memory=4 * unpacked_bytes_max,
        dct_max_progressive_scans=64,
        max_stream_filters=4,
        parser_max_nesting=200,
        parser_max_container_size=2_000_000,
        doc_max_warnings=200,
    )


class _Pages:
    """The pages of one PDF. A page that is one scanned picture is judged by that picture, others are drawn."""

    def __init__(self, source: BinaryIO, pdf: pikepdf.Pdf, policy: CheckPolicy, notes: Notes) -> None:
        self._source = source
        self._pdf = pdf
        self._policy = policy
        self._notes = notes
        self._pages = PageByPage(policy, notes)
        self._document: pypdfium2.PdfDocument | None = None
        self._decoded: set[tuple[int, int]] = set()

    def examine(self, pictures: list[pikepdf.Object]) -> None:
        """Every page, and every picture to its last line whether a page shows it or not."""
        try:
            for page in self._pdf.pages:
                self._look_at(page)
                if self._notes.is_refused:
                    return
        finally:
            if self._document is not None:
                self._document.close()
        for item in pictures:
            if item.objgen not in self._decoded and self._is_within_bounds(item, None):
                decoded_picture(item, self._policy)
            if self._notes.is_refused:
                return
        self._pages.finish()

    def _look_at(self, page: pikepdf.Page) -> None:
        number = len(self._notes.pages) + 1
        width, height = _size_in_points(page)
        scanned = self._scan_of(page)
        if scanned is not None and not self._is_within_bounds(scanned, number):
            return
        picture = decoded_picture(scanned, self._policy) if scanned is not None else None
        if scanned is not None:
            self._decoded.add(scanned.objgen)
        if picture is not None:
            dpi = round(min(picture.width * _POINTS_PER_INCH / width, picture.height * _POINTS_PER_INCH / height))
            facts = PageFacts(picture.width, picture.height, dpi, colour=colour_of(picture.mode))
            if not self._pages.is_within_bounds(picture.width, picture.height, number):
                return
            self._pages.look_at(_upright(picture, page), facts)
            return
        facts = PageFacts(round(width), round(height))
        if self._pages.is_judging:
            self._pages.look_at(self._drawn(number, width, height), facts)
        else:
            self._pages.pass_by(facts)

    def _is_within_bounds(self, item: pikepdf.Object, page: int | None) -> bool:
        return self._pages.is_within_bounds(int(item.get("/Width", 0)), int(item.get("/Height", 0)), page)

    def _scan_of(self, page: pikepdf.Page) -> pikepdf.Object | None:
        """The page's picture when it shows one and no writing of its own."""
        resources = page.resources
        shown = list(dict(resources.get("/XObject", {})).values())
        if len(shown) != 1 or "/Font" in resources or page.get("/Annots"):
            return None
        (item,) = shown
        is_picture = isinstance(item, pikepdf.Stream) and item.get("/Subtype") == "/Image"
        return item if is_picture and not item.get("/ImageMask") else None

    def _drawn(self, number: int, width: float, height: float) -> Image.Image:
        if self._document is None:
            self._source.seek(0)
            self._document = pypdfium2.PdfDocument(self._source)
        side_pixels = SIDE_PIXELS * (2 if number <= self._policy.code_pages_max else 1)
        page = self._document[number - 1]
        try:
            bitmap = page.render(scale=side_pixels / max(width, height), grayscale=True, may_draw_forms=False)
            drawn: Image.Image = bitmap.to_pil().copy()
            return drawn
        finally:
            page.close()


def _size_in_points(page: pikepdf.Page) -> tuple[float, float]:
    left, bottom, right, top = (float(edge) for edge in page.cropbox)
    unit = float(page.get("/UserUnit", 1))
    width, height = abs(right - left) * unit, abs(top - bottom) * unit
    if not (1 <= width <= _PAGE_POINTS_MAX and 1 <= height <= _PAGE_POINTS_MAX):
        raise outlines.Broken(N_("a page has no size"))
    return width, height


def _upright(picture: Picture, page: pikepdf.Page) -> Image.Image:
    turned = int(page.get("/Rotate", 0)) % 360
    return picture.image.rotate(-turned, expand=True) if turned in {90, 180, 270} else picture.image
