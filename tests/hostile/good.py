"""One good file of every type and compression, small, as the seed of hostile ones."""

from __future__ import annotations

import functools
import io
from typing import Any

import img2pdf
import pikepdf
from PIL import Image

from tests.support.archive import page

DPI = 100


def encoded(image: Image.Image, form: str, **options: Any) -> bytes:
    """The picture as a file."""
    out = io.BytesIO()
    image.save(out, form, **options)
    return out.getvalue()


def tiff(compression: str | None, mode: str, pages: int = 2) -> bytes:
    """A TIFF of some pages."""
    first, *rest = [page(seed=number, mode=mode) for number in range(pages)]
    more = {"quality": 70} if compression == "jpeg" else {}
    return encoded(first, "TIFF", compression=compression, dpi=(DPI, DPI), save_all=True, append_images=rest, **more)


def born_digital_pdf() -> bytes:
    """A PDF with writing instead of a scan, its objects packed into object streams."""
    pdf = pikepdf.new()
    pdf.add_blank_page(page_size=(595, 842))
    font = pikepdf.Dictionary(Type=pikepdf.Name.Font, Subtype=pikepdf.Name.Type1, BaseFont=pikepdf.Name.Helvetica)
    pdf.pages[0].Resources = pikepdf.Dictionary(Font=pikepdf.Dictionary(F1=pdf.make_indirect(font)))
    lines = b"".join(
        b"1 0 0 1 60 %d Tm (Remittance slip, line %d of this form) Tj " % (780 - 30 * n, n) for n in range(20)
    )
    pdf.pages[0].Contents = pdf.make_stream(b"BT /F1 14 Tf " + lines + b"ET")
    out = io.BytesIO()
    pdf.save(out, object_stream_mode=pikepdf.ObjectStreamMode.generate, compress_streams=True, static_id=True)
    return out.getvalue()


def scanned_pdf(*images: bytes) -> bytes:
    """Pictures as pages of a PDF, without re-encoding, the same bytes on every run."""
    made = img2pdf.convert(list(images), nodate=True, engine=img2pdf.Engine.internal)
    assert isinstance(made, bytes)
    return made


@functools.cache
def files() -> dict[str, bytes]:
    """Every kind, by a name with its usual extension."""
    dpi = (DPI, DPI)
    jpeg = encoded(page(seed=1), "JPEG", quality=60, dpi=dpi)
    return {
        "baseline.jpg": jpeg,
        "progressive.jpg": encoded(page(seed=2), "JPEG", quality=60, dpi=dpi, progressive=True),
        "grey.jpg": encoded(page(seed=3, mode="L"), "JPEG", quality=60, dpi=dpi),
        "colour.png": encoded(page(seed=4), "PNG", dpi=dpi),
        "bitonal.png": encoded(page(seed=5, mode="1"), "PNG", dpi=dpi),
        "g4.tif": tiff("group4", "1"),
        "lzw.tif": tiff("tiff_lzw", "L"),
        "deflate.tif": tiff("tiff_adobe_deflate", "RGB"),
        "jpeg.tif": tiff("jpeg", "RGB"),
        "raw.tif": tiff(None, "1"),
        "boxed.jp2": encoded(page(seed=6, mode="L"), "JPEG2000", quality_mode="rates", quality_layers=[20]),
        "bare.j2k": encoded(page(seed=7, mode="L"), "JPEG2000", no_jp2=True, quality_layers=[20]),
        "scan.pdf": scanned_pdf(jpeg),
        "fax.pdf": scanned_pdf(encoded(page(seed=8, mode="1"), "TIFF", compression="group4", dpi=dpi)),
        "flate.pdf": scanned_pdf(encoded(page(seed=9), "PNG", dpi=dpi)),
        "text.pdf": born_digital_pdf(),
    }
