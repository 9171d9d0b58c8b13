"""Access copies, page images and thumbnails of every kind of original; watermarks."""

from __future__ import annotations

import io
import time

import numpy as np
import pikepdf
import pytest
from pikepdf import Array, Dictionary, Name, String
from PIL import Image, ImageDraw

from tests.hostile import good
from tests.support.archive import page
from vault.intake.decoding.isolated import NotRenderable, render
from vault.intake.renditions.making import PAGE_WIDTH_PIXELS, THUMBNAIL_WIDTH_PIXELS, render_here
from vault.intake.renditions.rendition import Rendition
from vault.intake.renditions.watermark import watermark

_TYPES = {"jpg": "image/jpeg", "png": "image/png", "tif": "image/tiff", "jp2": "image/jp2", "j2k": "image/jp2",
          "pdf": "application/pdf"}  # fmt: skip


def _made(data: bytes, media_type: str) -> list[Rendition]:
    return list(render_here(io.BytesIO(data), media_type))


def _picture(rendition: Rendition) -> Image.Image:
    image = Image.open(io.BytesIO(rendition.data))
    image.load()
    return image


@pytest.mark.parametrize("name", list(good.files()))
def test_each_page_has_an_image_and_a_thumbnail_and_the_whole_a_copy(name: str) -> None:
    data, media_type = good.files()[name], _TYPES[name.rsplit(".", 1)[1]]
    made = list(render(io.BytesIO(data), len(data), media_type))
    count = 2 if name.endswith("tif") else 1
    pages = [item for item in made if item.kind == "page"]
    thumbnails = [item for item in made if item.kind == "thumbnail"]
    (copy,) = [item for item in made if item.kind == "access_copy"]
    assert [item.ordinal for item in pages] == [item.ordinal for item in thumbnails] == [*range(1, count + 1)]
    for item in pages:
        assert _picture(item).format == "JPEG"
        assert 600 <= _picture(item).width <= PAGE_WIDTH_PIXELS
        # Written on, and on white paper.
        assert 0.5 < np.asarray(_picture(item).convert("L")).mean() / 255 < 0.999
    for item in thumbnails:
        assert _picture(item).width <= THUMBNAIL_WIDTH_PIXELS
        assert len(item.data) < 20_000
    with pikepdf.open(io.BytesIO(copy.data)) as pdf:
        assert len(pdf.pages) == count
        left, bottom, right, top = (float(edge) for edge in pdf.pages[0].mediabox)
    assert (right - left, top - bottom) == pytest.approx((595, 842), abs=4) or name.endswith(("jp2", "j2k"))


def test_a_repetition_at_another_time_makes_the_same_bytes() -> None:
    """So that a job done twice seals to the same objects."""
    first = {name: _made(data, _TYPES[name.rsplit(".", 1)[1]]) for name, data in good.files().items()}
    time.sleep(1.1)  # identifiers are made of whole seconds
    for name, data in good.files().items():
        assert _made(data, _TYPES[name.rsplit(".", 1)[1]]) == first[name], name


def test_a_scan_is_embedded_as_it_is() -> None:
    jpeg = good.files()["baseline.jpg"]
    first, _, copy = _made(jpeg, "image/jpeg")
    assert first.data == jpeg
    assert jpeg in copy.data


def test_a_scan_in_a_pdf_is_its_own_page_image() -> None:
    first, small, _ = _made(good.files()["scan.pdf"], "application/pdf")
    assert first.data == good.files()["baseline.jpg"]
    assert _picture(small).width == THUMBNAIL_WIDTH_PIXELS


@pytest.mark.parametrize("change", ["writing", "turned", "cropped", "mask", "note"])
def test_a_scan_that_is_not_alone_on_its_page_is_drawn(change: str) -> None:
    with pikepdf.open(io.BytesIO(good.files()["scan.pdf"])) as pdf:
        shown = pdf.pages[0]
        if change == "writing":
            shown.contents_add(pdf.make_stream(b" 0 0 m 300 300 l S"))
        elif change == "turned":
            shown.Rotate = 90
        elif change == "cropped":
            shown.CropBox = Array([0, 0, 200, 300])
        elif change == "mask":
            (image,) = shown.get_images().values()
            image.Decode = Array([1, 0, 1, 0, 1, 0])
        else:
            shown.Annots = Array([Dictionary(Type=Name.Annot, Subtype=Name.Square, Rect=Array([0, 0, 90, 90]))])
        out = io.BytesIO()
        pdf.save(out)
    first = _made(out.getvalue(), "application/pdf")[0]
    assert first.data != good.files()["baseline.jpg"]
    assert _picture(first).width <= PAGE_WIDTH_PIXELS


def test_scanned_and_written_pages_mixed_in_one_pdf() -> None:
    out = io.BytesIO()
    with pikepdf.new() as pdf:
        for name in ("scan.pdf", "text.pdf", "fax.pdf", "scan.pdf", "text.pdf"):
            with pikepdf.open(io.BytesIO(good.files()[name])) as part:
                pdf.pages.extend(part.pages)
        pdf.save(out)
    data = out.getvalue()
    made = list(render(io.BytesIO(data), len(data), "application/pdf"))
    pages = [item.data for item in made if item.kind == "page"]
    assert len(pages) == 5
    assert pages[0] == pages[3] == good.files()["baseline.jpg"]
    assert pages[1] == pages[4]
    assert len(set(pages)) == 3


def test_bitonal_pages_stay_bitonal_in_the_access_copy() -> None:
    with pikepdf.open(io.BytesIO(_made(good.files()["g4.tif"], "image/tiff")[-1].data)) as pdf:
        for shown in pdf.pages:
            (image,) = shown.get_images().values()
            assert "CCITTFaxDecode" in str(
                image.Filter.unparse() if isinstance(image.Filter, Array) else image.Filter
            )
            assert image.BitsPerComponent == 1


def _marked() -> Image.Image:
    """A page whose upper left corner is black."""
    image = Image.new("RGB", (900, 1200), "white")
    ImageDraw.Draw(image).rectangle((0, 0, 300, 300), fill="black")
    return image


def _corner(image: Image.Image) -> str:
    grey = np.asarray(image.convert("L").resize((8, 8)))
    corners = {
        "upper left": grey[0, 0],
        "upper right": grey[0, 7],
        "lower left": grey[7, 0],
        "lower right": grey[7, 7],
    }
    return min(corners, key=lambda name: int(corners[name]))


@pytest.mark.parametrize(
    ("orientation", "corner"), [(1, "upper left"), (3, "lower right"), (6, "upper right"), (8, "lower left")]
)
@pytest.mark.parametrize("form", ["JPEG", "TIFF"])
def test_pages_stand_upright_as_the_camera_said(orientation: int, corner: str, form: str) -> None:
    exif = Image.Exif()
    exif[274] = orientation
    options = {"exif": exif} if form == "JPEG" else {"tiffinfo": {274: orientation}}
    data = good.encoded(_marked(), form, **options)
    first, small, _ = _made(data, f"image/{form.lower()}")
    assert _corner(_picture(first)) == corner
    assert _corner(_picture(small)) == corner


def test_what_is_transparent_is_paper() -> None:
    image = Image.new("RGBA", (800, 1100), (0, 0, 0, 0))
    ImageDraw.Draw(image).rectangle((100, 100, 300, 300), fill=(0, 0, 160, 255))
    first = _picture(_made(good.encoded(image, "PNG"), "image/png")[0])
    assert first.getpixel((700, 1000)) == (255, 255, 255)


def test_twelve_bits_in_sixteen_are_not_black() -> None:
    grey = np.asarray(page(mode="L")).astype(np.uint16) * 16
    data = good.encoded(Image.fromarray(grey), "TIFF")
    first = np.asarray(_picture(_made(data, "image/tiff")[0]).convert("L"))
    assert first.max() > 245
    assert first.min() < 30


def test_the_access_copy_of_a_pdf_does_nothing_by_itself() -> None:
    with pikepdf.open(io.BytesIO(good.files()["text.pdf"])) as pdf:
        script = Dictionary(S=Name.JavaScript, JS=String("app.alert(1)"))
        pdf.Root.OpenAction = script
        pdf.Root.AcroForm = Dictionary(Fields=Array([]), XFA=pdf.make_stream(b"<xdp/>"))
        pdf.pages[0].AA = Dictionary(O=script)
        link = Dictionary(S=Name.URI, URI=String("https://example.invalid/seen-by"))
        box = Array([0, 0, 9, 9])
        pdf.pages[0].Annots = Array([Dictionary(Type=Name.Annot, Subtype=Name.Link, Rect=box, A=link)])
        pdf.attachments["inside.txt"] = b"inside"
        pdf.docinfo["/Author"] = "somebody"
        out = io.BytesIO()
        pdf.save(out)
    copy = _made(out.getvalue(), "application/pdf")[-1].data
    with pikepdf.open(io.BytesIO(copy)) as pdf:
        everything = b" ".join(
            item.stream_dict.unparse() if isinstance(item, pikepdf.Stream) else item.unparse(resolved=True)
            for item in pdf.objects
        )
        assert len(pdf.pages) == 1
    for word in (b"JavaScript", b"/JS", b"seen-by", b"XFA", b"EmbeddedFile", b"somebody"):
        assert word not in everything


def test_what_cannot_be_decoded_is_said_to_be_so() -> None:
    for name in ("g4.tif", "text.pdf", "colour.png"):
        data = good.files()[name][:300]
        with pytest.raises(NotRenderable):
            list(render(io.BytesIO(data), len(data), _TYPES[name.rsplit(".", 1)[1]]))


_LINES = ("张晓雪 滨湖区政务服务中心", "2026-11-24 14:05")


@pytest.mark.parametrize("mode", ["RGB", "L"])
def test_the_watermark_is_all_over_and_the_writing_stays(mode: str) -> None:
    before = page(mode=mode).resize((1240, 1754))
    after = _picture(Rendition("page", 1, "image/jpeg", watermark(good.encoded(before, "JPEG", quality=90), _LINES)))
    assert (after.size, after.mode) == (before.size, mode)
    old, new = (np.asarray(image.convert("L")).astype(int) for image in (before, after))
    marked = (old > 240) & (new < 225)
    for rows in np.array_split(marked, 4):
        for field in np.array_split(rows, 3, axis=1):
            assert field.mean() > 0.004, "a part of the page could be photographed without the name"
    assert marked.mean() < 0.25
    ink = old < 60
    assert new[ink].mean() < 90, "ink stays dark"
    assert new[marked].mean() > 150, "the mark stays lighter than ink"


def test_the_watermark_says_who_and_when() -> None:
    data = good.encoded(Image.new("L", (1240, 1754), 255), "JPEG")
    first, second = watermark(data, _LINES), watermark(data, (_LINES[0], "2026-11-24 14:06"))
    assert first != second
    assert watermark(data, _LINES) == first


def test_the_watermark_is_cheap() -> None:
    data = good.encoded(page(mode="L").resize((1240, 1754)), "JPEG", quality=75)
    watermark(data, _LINES)
    took = []
    for _ in range(7):
        started_s = time.thread_time()
        watermark(data, _LINES)
        took.append(time.thread_time() - started_s)
    assert sorted(took)[3] < 0.1, "twice and more of what is allowed, for slow machines"
