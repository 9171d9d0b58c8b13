"""Good files of every type and compression are accepted, with the right facts of every page."""

from __future__ import annotations

import io
from datetime import date

import pytest
from PIL import Image, ImageDraw

from tests.hostile import good
from tests.support.archive import page
from vault.demo.slips import demo_slips
from vault.intake.checks import CheckPolicy, Examination
from vault.intake.checks.examination import examine_here
from vault.intake.decoding.isolated import examine

_EXPECTED = {
    "baseline.jpg": ("image/jpeg", 1, "colour"),
    "progressive.jpg": ("image/jpeg", 1, "colour"),
    "grey.jpg": ("image/jpeg", 1, "grey"),
    "colour.png": ("image/png", 1, "colour"),
    "bitonal.png": ("image/png", 1, "bitonal"),
    "g4.tif": ("image/tiff", 2, "bitonal"),
    "lzw.tif": ("image/tiff", 2, "grey"),
    "deflate.tif": ("image/tiff", 2, "colour"),
    "jpeg.tif": ("image/tiff", 2, "colour"),
    "raw.tif": ("image/tiff", 2, "bitonal"),
    "boxed.jp2": ("image/jp2", 1, "grey"),
    "bare.j2k": ("image/jp2", 1, "grey"),
    "scan.pdf": ("application/pdf", 1, "colour"),
    "fax.pdf": ("application/pdf", 1, "bitonal"),
    "flate.pdf": ("application/pdf", 1, "colour"),
    "text.pdf": ("application/pdf", 1, None),
}


def _examined(data: bytes, name: str = "scan", policy: CheckPolicy | None = None) -> Examination:
    return examine(io.BytesIO(data), len(data), policy or CheckPolicy(), name)


def test_every_good_file_has_its_expectation() -> None:
    assert set(good.files()) == set(_EXPECTED)


@pytest.mark.parametrize("name", list(_EXPECTED))
def test_accepted_with_facts(name: str) -> None:
    media_type, pages, colour = _EXPECTED[name]
    found = _examined(good.files()[name], name)
    assert not found.is_refused, found.findings
    assert (found.media_type, found.page_count, len(found.pages)) == (media_type, pages, pages)
    for facts in found.pages:
        assert facts.colour == colour
        assert facts.is_blank is False
        if colour is not None:
            assert (facts.width, facts.height, facts.dpi) == (827, 1169, 100)
    # 100 dpi is enough to read and less than the standard asks for.
    assert {finding.code for finding in found.findings} == ({"dpi-low"} if colour else set())


@pytest.mark.parametrize("name", [name for name in _EXPECTED if not name.endswith("jpg")])
def test_the_decoder_process_answers_as_this_process_does(name: str) -> None:
    data = good.files()[name]
    here = examine_here(io.BytesIO(data), len(data), CheckPolicy(), name)
    assert _examined(data, name) == here


@pytest.mark.parametrize("compression", ["group3", "packbits", "tiff_lzw", "tiff_deflate", None])
def test_further_compressions_and_many_pages(compression: str | None) -> None:
    mode = "1" if compression in {"group3", None} else "L"
    found = _examined(good.tiff(compression, mode, pages=7), "pile.tif")
    assert not found.is_refused, found.findings
    assert found.page_count == 7


@pytest.mark.parametrize("mode", ["LA", "RGBA", "P", "I;16"])
def test_further_modes_of_png(mode: str) -> None:
    made = good.encoded(
        page(mode="L").convert("I").convert("I;16") if mode == "I;16" else page().convert(mode), "PNG"
    )
    assert not _examined(made, "scan.png", CheckPolicy(dpi_min=90)).is_refused


def test_interlaced_png_and_cmyk_jpeg() -> None:
    cmyk = good.encoded(page().convert("CMYK"), "JPEG", dpi=(200, 200))
    assert not _examined(cmyk, "scan.jpg").is_refused


def test_no_demo_slip_is_refused_or_warned_of() -> None:
    wrong = {}
    for slip in demo_slips(11, 6, date(2026, 6, 1)):
        found = _examined(slip.data, slip.file_name)
        number = slip.metadata["title"].rsplit(" ", 1)[1]
        if found.findings or found.slip_number != number:
            wrong[slip.file_name] = (found.slip_number, number, found.findings)
    assert wrong == {}


def test_other_types_are_kept_unopened_only_where_the_class_says_so() -> None:
    data = b"PK\x03\x04" + bytes(5_000)
    refused = _examined(data, "table.xlsx")
    assert [finding.code for finding in refused.findings] == ["unsupported-type"]
    kept = _examined(data, "table.xlsx", CheckPolicy(keep_unopened=True))
    assert (kept.findings, kept.page_count, kept.media_type) == ((), 0, "application/octet-stream")


def test_links_to_web_pages_are_no_reason_to_refuse() -> None:
    import pikepdf
    from pikepdf import Array, Dictionary, Name, String

    with pikepdf.open(io.BytesIO(good.files()["text.pdf"])) as pdf:
        action = Dictionary(S=Name.URI, URI=String("https://example.invalid/form?F=1"))
        pdf.pages[0].Annots = Array(
            [Dictionary(Type=Name.Annot, Subtype=Name.Link, Rect=Array([0, 0, 9, 9]), A=action)]
        )
        pdf.Root.OpenAction = Dictionary(S=Name.GoTo, D=Array([pdf.pages[0].obj, Name.Fit]))
        pdf.docinfo["/Title"] = String("Form /JS /Launch 业务单")
        out = io.BytesIO()
        pdf.save(out)
    assert _examined(out.getvalue(), "form.pdf").findings == ()


def test_a_long_pile_is_decoded_whole_though_not_judged_whole() -> None:
    data = good.tiff("group4", "1", pages=30)
    found = _examined(data, "pile.tif", CheckPolicy(quality_seconds_max=0.05))
    assert not found.is_refused
    assert found.page_count == len(found.pages) == 30
    assert "judged-in-part" in {finding.code for finding in found.findings}
    assert found.pages[-1].is_blank is None
    cut = _examined(data[:-2_000], "pile.tif", CheckPolicy(quality_seconds_max=0.05))
    assert cut.is_refused


def test_a_scan_turned_by_its_page_is_judged_upright() -> None:
    import pikepdf

    with pikepdf.open(io.BytesIO(good.files()["scan.pdf"])) as pdf:
        pdf.pages[0].Rotate = 90
        out = io.BytesIO()
        pdf.save(out)
    assert not _examined(out.getvalue()).is_refused


def test_mixed_pages() -> None:
    bitonal, colour = page(seed=1, mode="1"), page(seed=2)
    out = io.BytesIO()
    bitonal.save(
        out, "TIFF", compression="group4", dpi=(200, 200), save_all=True, append_images=[colour.convert("1")]
    )
    assert _examined(out.getvalue()).page_count == 2
    blank = Image.new("1", (827, 1169), 1)
    out = io.BytesIO()
    bitonal.save(out, "TIFF", compression="group4", dpi=(200, 200), save_all=True, append_images=[blank])
    found = _examined(out.getvalue())
    assert [(finding.code, finding.page) for finding in found.findings if finding.code == "blank-page"] == [
        ("blank-page", 2)
    ]
    assert not found.is_refused
    ImageDraw.Draw(blank).text((400, 500), "x", fill=0)
