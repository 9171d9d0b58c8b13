"""Making renditions, page by page, in the memory of one page. Runs in a decoder process."""

from __future__ import annotations

import io
import warnings
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, BinaryIO, Self, cast

from PIL import Image, ImageOps

from vault.intake.checks.media_types import JPEG, JPEG2000, PDF, PNG, TIFF
from vault.intake.renditions.rendition import Rendition
from vault.intake.renditions.scanned_pages import scanned_jpeg

if TYPE_CHECKING:
    import pikepdf

# The originals were examined: their bounds are known.
Image.MAX_IMAGE_PIXELS = None

PAGE_WIDTH_PIXELS = 1_240  # A4 at 150 dpi: small hands are legible, a page is about 200 KB
THUMBNAIL_WIDTH_PIXELS = 180
_PAGE_QUALITY = 75
_THUMBNAIL_QUALITY = 60
_KEEP_BYTES_MAX = 400_000
_PAGE_HEIGHT_PIXELS_MAX = 6_000
_DPI_ASSUMED = (200.0, 200.0)
_FORMATS = {TIFF: ("TIFF",), PNG: ("PNG",), JPEG2000: ("JPEG2000",)}
_ROOT_KEYS_DROPPED = (
    "/OpenAction", "/AA", "/AcroForm", "/Names", "/Metadata", "/PieceInfo", "/URI", "/AF", "/Collection", "/Outlines",
    "/Dests", "/StructTreeRoot", "/Perms", "/Extensions", "/Requirements",
)  # fmt: skip


def render_here(source: BinaryIO, media_type: str) -> Iterator[Rendition]:
    """All renditions of an original."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if media_type == PDF:
            yield from _from_pdf(source)
        elif media_type == JPEG:
            yield from _from_jpeg(source)
        else:
            yield from _from_pictures(source, media_type)


def _from_jpeg(source: BinaryIO) -> Iterator[Rendition]:
    """A scan of usual size is its own page image: decoding and encoding again would only cost and blur."""
    data = source.read()
    with Image.open(io.BytesIO(data), formats=("JPEG", "MPO")) as image:
        is_plain = image.mode in {"L", "RGB"} and "exif" not in image.info and "icc_profile" not in image.info
        if is_plain and len(data) <= _KEEP_BYTES_MAX and image.format == "JPEG":
            yield from _from_scan(data, 1)
        else:
            # Turned as the camera says only after it is small; a page lying on its side is decoded wider than needed.
            image.draft("RGB", (PAGE_WIDTH_PIXELS, PAGE_WIDTH_PIXELS))
            page = _page(ImageOps.exif_transpose(image))
            yield _encoded(page, 1)
            yield _thumbnail(page, 1)
    yield Rendition("access_copy", 0, PDF, _as_pdf([data]))


def _from_pictures(source: BinaryIO, media_type: str) -> Iterator[Rendition]:
    """TIFF, PNG and JPEG 2000: the access copy is put together from what the pages became."""
    made: list[bytes] = []
    with Image.open(source, formats=_FORMATS[media_type]) as image:
        number = 0
        while True:
            try:
                image.seek(number)
            except EOFError:
                break
            number += 1
            upright = ImageOps.exif_transpose(_legible(image))
            page = _page(upright)
            yield _encoded(page, number)
            yield _thumbnail(page, number)
            made.append(_full_size(upright, image.info.get("dpi")))
            if media_type != TIFF:
                break
    yield Rendition("access_copy", 0, PDF, _as_pdf(made))


def _legible(image: Image.Image) -> Image.Image:
    """Modes that browsers and PDF readers do not show become ones that they do; what is transparent is paper."""
    if image.mode in {"1", "L", "RGB"}:
        return image
    if image.mode.startswith("I") or image.mode == "F":
        return _eight_bits(image)
    if image.mode in {"LA", "PA", "RGBA", "La", "RGBa"} or "transparency" in image.info:
        inked = image.convert("RGBA")
        paper = Image.new("RGBA", inked.size, "white")
        paper.alpha_composite(inked)
        return paper.convert("L" if image.mode in {"LA", "La"} else "RGB")
    return image.convert("RGB")


def _eight_bits(image: Image.Image) -> Image.Image:
    """Grey of more than eight bits, the darkest black and the lightest white: scanners use 12 of 16 bits as they like."""
    low, high = (float(cast("float", value)) for value in image.getextrema())
    wide = image.convert("F")
    return wide.point(
        lambda value: value * (255.0 / max(1.0, high - low)) - low * 255.0 / max(1.0, high - low)
    ).convert("L")


def _full_size(image: Image.Image, dpi: tuple[float, float] | None) -> bytes:
    """The page at full resolution for the access copy: bitonal pages stay bitonal (G4), others become JPEG."""
    out = io.BytesIO()
    try:
        stated = tuple(float(value) for value in dpi) if dpi and min(dpi) > 1 else _DPI_ASSUMED
    except (TypeError, ValueError, ZeroDivisionError):
        stated = _DPI_ASSUMED
    if image.mode == "1":
        image.save(out, "TIFF", compression="group4", dpi=stated)
    else:
        image.save(out, "JPEG", quality=_PAGE_QUALITY, dpi=tuple(max(1, round(value)) for value in stated))
    return out.getvalue()


def _as_pdf(pages: list[bytes]) -> bytes:
    """Pictures as the pages of a PDF, not encoded again.

    img2pdf's own engine and no dates, so that a repetition makes the same bytes: the other puts the time into the /ID.
    """
    import img2pdf

    return cast(
        "bytes",
        img2pdf.convert(pages, rotation=img2pdf.Rotation.ifvalid, nodate=True, engine=img2pdf.Engine.internal),
    )


def _from_pdf(source: BinaryIO) -> Iterator[Rendition]:
    import pikepdf

    with pikepdf.open(source, suppress_warnings=True) as pdf, _Drawing(source) as drawing:
        for number, page in enumerate(pdf.pages, 1):
            scan = scanned_jpeg(page, _KEEP_BYTES_MAX)
            yield from _from_scan(scan, number) if scan is not None else drawing.page(number)
        yield Rendition("access_copy", 0, PDF, _harmless_copy(pdf))


def _from_scan(data: bytes, number: int) -> Iterator[Rendition]:
    with Image.open(io.BytesIO(data), formats=("JPEG",)) as image:
        yield Rendition("page", number, JPEG, data)
        image.draft(image.mode, (THUMBNAIL_WIDTH_PIXELS, THUMBNAIL_WIDTH_PIXELS))
        yield _thumbnail(image, number)


class _Drawing:
    """Draws pages with PDFium, which is opened only when a page must be drawn."""

    def __init__(self, source: BinaryIO) -> None:
        self._source = source
        self._document: Any = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *raised: object) -> None:
        if self._document is not None:
            self._document.close()

    def page(self, number: int) -> Iterator[Rendition]:
        """The page image and thumbnail of one page."""
        import pypdfium2

        if self._document is None:
            # PDFium and qpdf read the same file by turns; both seek before they read.
            self._source.seek(0)
            self._document = pypdfium2.PdfDocument(self._source)
        page = self._document[number - 1]
        width, height = page.get_size()
        scale = min(PAGE_WIDTH_PIXELS / max(1.0, width), 4.0, _PAGE_HEIGHT_PIXELS_MAX / max(1.0, height))
        picture = page.render(scale=scale, may_draw_forms=False).to_pil().convert("RGB")
        page.close()
        if _is_grey(picture):
            picture = picture.convert("L")
        yield _encoded(picture, number)
        yield _thumbnail(picture, number)


def _harmless_copy(pdf: pikepdf.Pdf) -> bytes:
    """The PDF written anew without anything that acts: no actions, links, forms, attachments, names or metadata."""
    import pikepdf

    for key in _ROOT_KEYS_DROPPED:
        if key in pdf.Root:
            del pdf.Root[key]
    for page in pdf.pages:
        for key in ("/AA", "/Metadata", "/PieceInfo"):
            if key in page.obj:
                del page.obj[key]
        for annotation in page.get("/Annots", []):
            for key in ("/A", "/AA", "/PA", "/Dest"):
                if isinstance(annotation, pikepdf.Dictionary) and key in annotation:
                    del annotation[key]
    if "/Info" in pdf.trailer:
        del pdf.trailer["/Info"]
    pdf.remove_unreferenced_resources()
    out = io.BytesIO()
    pdf.save(out, linearize=True, deterministic_id=True)
    return out.getvalue()


def _page(image: Image.Image) -> Image.Image:
    """The page at reading size, in grey or colour."""
    if image.mode not in {"L", "RGB"}:
        image = image.convert("L" if image.mode == "1" else "RGB")
    width, height = image.size
    if width <= PAGE_WIDTH_PIXELS and height <= _PAGE_HEIGHT_PIXELS_MAX:
        return image.copy()
    scale = min(PAGE_WIDTH_PIXELS / width, _PAGE_HEIGHT_PIXELS_MAX / height)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    return image.resize(size, Image.Resampling.BOX if scale < 0.5 else Image.Resampling.BILINEAR)


def _encoded(page: Image.Image, number: int) -> Rendition:
    out = io.BytesIO()
    page.save(out, "JPEG", quality=_PAGE_QUALITY)
    return Rendition("page", number, JPEG, out.getvalue())


def _thumbnail(image: Image.Image, number: int) -> Rendition:
    small = image.convert("RGB") if image.mode not in {"L", "RGB"} else image.copy()
    small.thumbnail((THUMBNAIL_WIDTH_PIXELS, THUMBNAIL_WIDTH_PIXELS * 4), Image.Resampling.BILINEAR, reducing_gap=2.0)
    out = io.BytesIO()
    small.save(out, "JPEG", quality=_THUMBNAIL_QUALITY)
    return Rendition("thumbnail", number, JPEG, out.getvalue())


def _is_grey(picture: Image.Image) -> bool:
    small = picture.reduce(max(1, max(picture.size) // 200)).convert("HSV")
    return small.getextrema()[1][1] < 24  # type: ignore[index]  # HSV has three bands, whatever getextrema() promises
