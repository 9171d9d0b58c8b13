"""Making renditions, page by page, in the memory of one page. Runs in a decoder process."""

from __future__ import annotations

import io
import warnings
from collections.abc import Iterator
from typing import BinaryIO, cast

from PIL import Image

from vault.intake.checks.media_types import JPEG, PDF
from vault.intake.renditions.rendition import Rendition

# The originals were examined: their bounds are known.
Image.MAX_IMAGE_PIXELS = None

PAGE_WIDTH_PIXELS = 1_240  # A4 at 150 dpi: small hands are legible, a page is about 200 KB
THUMBNAIL_WIDTH_PIXELS = 180
_PAGE_QUALITY = 75
_THUMBNAIL_QUALITY = 60
_KEEP_BYTES_MAX = 400_000


def render_here(source: BinaryIO, media_type: str) -> Iterator[Rendition]:
    """All renditions of an original."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if media_type == PDF:
            yield from _from_pdf(source)
        elif media_type == JPEG:
            yield from _from_jpeg(source)
        else:
            yield from _from_pictures(source)


def _from_jpeg(source: BinaryIO) -> Iterator[Rendition]:
    """A scan of usual size is its own page image: decoding and encoding again would only cost and blur."""
    import img2pdf

    data = source.read()
    with Image.open(io.BytesIO(data), formats=("JPEG", "MPO")) as image:
        is_plain = image.mode in {"L", "RGB"} and "exif" not in image.info and "icc_profile" not in image.info
        if is_plain and len(data) <= _KEEP_BYTES_MAX and image.format == "JPEG":
            yield Rendition("page", 1, JPEG, data)
            image.draft(image.mode, (THUMBNAIL_WIDTH_PIXELS, THUMBNAIL_WIDTH_PIXELS))
            yield _thumbnail(image, 1)
        else:
            image.draft("RGB", (PAGE_WIDTH_PIXELS, PAGE_WIDTH_PIXELS))
            page = _page(image)
            yield _encoded(page, 1)
            yield _thumbnail(page, 1)
    yield Rendition("access_copy", 0, PDF, cast("bytes", img2pdf.convert(data, rotation=img2pdf.Rotation.ifvalid)))


def _from_pictures(source: BinaryIO) -> Iterator[Rendition]:
    """TIFF, PNG and JPEG 2000: the access copy is put together from what the pages became."""
    import img2pdf

    made: list[bytes] = []
    with Image.open(source) as image:
        number = 0
        while True:
            try:
                image.seek(number)
            except EOFError:
                break
            number += 1
            dpi = image.info.get("dpi")
            page = _page(image)
            rendition = _encoded(page, number)
            yield rendition
            yield _thumbnail(page, number)
            made.append(_with_dpi(image, dpi))
            if getattr(image, "n_frames", 1) == 1:
                break
    yield Rendition("access_copy", 0, PDF, cast("bytes", img2pdf.convert(made)))


def _with_dpi(image: Image.Image, dpi: tuple[float, float] | None) -> bytes:
    """The page at full resolution for the access copy: bitonal pages stay bitonal (G4), others become JPEG."""
    out = io.BytesIO()
    stated = dpi if dpi and min(dpi) > 1 else (200, 200)
    if image.mode == "1":
        image.save(out, "TIFF", compression="group4", dpi=stated)
    else:
        image.convert("L" if image.mode in {"L", "LA", "I;16"} else "RGB").save(
            out, "JPEG", quality=_PAGE_QUALITY, dpi=stated
        )
    return out.getvalue()


def _from_pdf(source: BinaryIO) -> Iterator[Rendition]:
    import pikepdf
    import pypdfium2

    document = pypdfium2.PdfDocument(source)
    try:
        for number in range(1, len(document) + 1):
            page = document[number - 1]
            width, height = page.get_size()
            scale = min(PAGE_WIDTH_PIXELS / max(1.0, width), 4.0, 6_000 / max(1.0, height))
            picture = page.render(scale=scale, may_draw_forms=False).to_pil().convert("RGB")
            if _is_grey(picture):
                picture = picture.convert("L")
            yield _encoded(picture, number)
            yield _thumbnail(picture, number)
            page.close()
    finally:
        document.close()
    source.seek(0)
    with pikepdf.open(source, suppress_warnings=True) as pdf:
        out = io.BytesIO()
        for key in ("/OpenAction", "/AA", "/AcroForm", "/Names", "/Metadata", "/PieceInfo"):
            if key in pdf.Root:
                del pdf.Root[key]
        with pdf.open_metadata(set_pikepdf_as_editor=False) as metadata:
            metadata.clear()
        for key in list(pdf.docinfo.keys()):
            del pdf.docinfo[key]
        pdf.save(out, linearize=True, deterministic_id=True)
        yield Rendition("access_copy", 0, PDF, out.getvalue())


def _page(image: Image.Image) -> Image.Image:
    """The page at reading size, in grey or colour."""
    grey_modes = {"1", "L", "LA", "I;16", "I"}
    if image.mode == "1":
        image = image.convert("L")
    elif image.mode not in {"L", "RGB"}:
        image = image.convert("L" if image.mode in grey_modes else "RGB")
    width, height = image.size
    if width <= PAGE_WIDTH_PIXELS:
        return image.copy()
    size = (PAGE_WIDTH_PIXELS, max(1, round(height * PAGE_WIDTH_PIXELS / width)))
    return image.resize(size, Image.Resampling.BOX if width > 2 * PAGE_WIDTH_PIXELS else Image.Resampling.BILINEAR)


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
    return small.getextrema()[1][1] < 24  # type: ignore[index]  # HSV has three bands
