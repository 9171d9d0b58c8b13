"""Examining PDFs with qpdf (pikepdf) and PDFium: whole, unencrypted, and unable to run anything."""

from __future__ import annotations

import io
from typing import Any, BinaryIO

import pikepdf
import pypdfium2
from PIL import Image

from vault.intake.checks.barcodes import read_slip_number
from vault.intake.checks.images import DECODER_ERRORS
from vault.intake.checks.model import CheckPolicy, Notes
from vault.intake.checks.quality import SIDE_PIXELS, judge, small_grey

_RUNS = {
    "/JavaScript": "JavaScript",
    "/Launch": "Launch",
    "/SubmitForm": "SubmitForm",
    "/ImportData": "ImportData",
    "/RichMediaExecute": "RichMedia",
    "/Rendition": "Rendition",
    "/GoToE": "GoToE",
}
_CARRIERS = {"/RichMedia", "/Movie", "/Sound", "/Screen", "/3D", "/FileAttachment"}
_QUALITY_PAGES_MAX = 200


def examine_pdf(source: BinaryIO, size_bytes: int, policy: CheckPolicy, notes: Notes) -> tuple[int, str | None]:
    """Examines a PDF; returns the number of pages and the slip number if one was read."""
    source.seek(0)
    if source.read(1024).find(b"%PDF-") > 0:
        notes.refuse("leading-data")
    source.seek(max(0, size_bytes - policy.trailing_bytes_max - 64))
    if b"%%EOF" not in source.read():
        notes.refuse("damaged", problem="no end of file")
        return 0, None
    source.seek(0)
    try:
        with pikepdf.open(source, suppress_warnings=True, attempt_recovery=False) as pdf:
            if pdf.is_encrypted:
                notes.refuse("encrypted")
            _active_content(pdf, policy, notes)
            pages = len(pdf.pages)
            if pages == 0:
                notes.refuse("no-pages")
            elif pages > policy.pages_max:
                notes.refuse("too-many-pages", pages_max=policy.pages_max)
            if notes.is_refused:
                return pages, None
            return pages, _decode_pages(source, pdf, pages, policy, notes)
    except pikepdf.PasswordError:
        notes.refuse("encrypted")
    except MemoryError:
        notes.refuse("breaks-decoder")
    except (pikepdf.PdfError, pypdfium2.PdfiumError, RecursionError, *DECODER_ERRORS) as error:
        notes.refuse("damaged", problem=type(error).__name__)
    return 0, None


def _active_content(pdf: pikepdf.Pdf, policy: CheckPolicy, notes: Notes) -> None:
    """Every object is looked at, wherever it hangs: an action that nothing refers to is still no slip's."""
    for count, item in enumerate(pdf.objects):
        if count > policy.objects_max:
            notes.refuse("too-many-objects", objects_max=policy.objects_max)
            return
        if isinstance(item, pikepdf.Dictionary | pikepdf.Stream):
            _look_at(item, notes, 0)


def _look_at(item: Any, notes: Notes, depth: int) -> None:
    kind = str(item.get("/S", ""))
    if kind in _RUNS:
        notes.refuse("active-content", what=_RUNS[kind])
    if "/JS" in item:
        notes.refuse("active-content", what="JavaScript")
    if "/XFA" in item:
        notes.refuse("active-content", what="XFA")
    if str(item.get("/Subtype", "")) in _CARRIERS:
        notes.refuse("active-content", what=str(item.get("/Subtype")).lstrip("/"))
    if "/EmbeddedFiles" in item or "/EF" in item or str(item.get("/Type", "")) == "/EmbeddedFile":
        notes.refuse("embedded-files")
    if depth < 8:
        for value in dict(item).values():
            if isinstance(value, pikepdf.Dictionary) and not value.is_indirect:
                _look_at(value, notes, depth + 1)
            elif isinstance(value, pikepdf.Array) and not value.is_indirect:
                for part in list(value)[:200]:
                    if isinstance(part, pikepdf.Dictionary) and not part.is_indirect:
                        _look_at(part, notes, depth + 1)


def _decode_pages(source: BinaryIO, pdf: pikepdf.Pdf, pages: int, policy: CheckPolicy, notes: Notes) -> str | None:
    slip_number: str | None = None
    blank = 0
    document: pypdfium2.PdfDocument | None = None
    try:
        for number in range(1, pages + 1):
            image = _scanned_page(pdf.pages[number - 1], policy, number, notes)
            if notes.is_refused:
                return None
            if image is None:
                if document is None:
                    source.seek(0)
                    document = pypdfium2.PdfDocument(source)
                image = _rendered(document[number - 1], SIDE_PIXELS * (2 if number == 1 else 1))
            if number <= _QUALITY_PAGES_MAX:
                blank += judge(small_grey(image), number, policy, notes)
            if number == 1:
                slip_number = read_slip_number(image)
    finally:
        if document is not None:
            document.close()
    if blank == pages:
        notes.refuse("all-blank")
    return slip_number


def _scanned_page(page: pikepdf.Page, policy: CheckPolicy, number: int, notes: Notes) -> Image.Image | None:
    """The page's picture when the page is one JPEG and nothing else, decoded small but to its last byte."""
    images = page.images
    for item in images.values():
        width, height = int(item.get("/Width", 0)), int(item.get("/Height", 0))
        if width * height > policy.pixels_max:
            notes.refuse("too-many-pixels", number, pixels=width * height, pixels_max=policy.pixels_max)
            return None
    if len(images) != 1 or "/Font" in page.resources or page.get("/Annots"):
        return None
    (item,) = images.values()
    if str(item.get("/Filter")) != "/DCTDecode":
        return None
    image = Image.open(io.BytesIO(item.read_raw_bytes()), formats=("JPEG",))
    image.draft("L", (SIDE_PIXELS, SIDE_PIXELS))
    image.load()
    return image


def _rendered(page: pypdfium2.PdfPage, side_pixels: int) -> Image.Image:
    width, height = page.get_size()
    if not 1 <= max(width, height) <= 100_000:
        raise ValueError("a page without a size")
    bitmap = page.render(scale=side_pixels / max(width, height), grayscale=True, may_draw_forms=False)
    picture: Image.Image = bitmap.to_pil()
    return picture
