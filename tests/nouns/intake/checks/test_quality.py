"""Skew, blankness, clipped edges and slip numbers, measured on drawn pages whose truth is known."""

from __future__ import annotations

import io
import random
from typing import Any

import numpy as np
import pytest
import zxingcpp
from PIL import Image, ImageDraw

from tests.hostile.good import encoded
from tests.support.archive import page
from vault.intake.checks import CheckPolicy, Examination
from vault.intake.checks.examination import examine_here

_SIZE = (1654, 2339)


def _examined(
    image: Image.Image, form: str = "JPEG", policy: CheckPolicy | None = None, **options: Any
) -> Examination:
    data = encoded(image, form, dpi=(200, 200), **options)
    return examine_here(io.BytesIO(data), len(data), policy or CheckPolicy(), "scan")


def _form() -> Image.Image:
    """A full page at 200 dpi: rules, print, margins."""
    image = Image.new("L", _SIZE, 250)
    pen = ImageDraw.Draw(image)
    for row in range(24):
        y = 220 + row * 80
        pen.line((160, y, 1490, y), fill=20, width=3)
        for word in range(9):
            pen.text((180 + word * 140, y + 24), f"slip {row}{word}", fill=30, font_size=26)
    return image


def _noisy(image: Image.Image, strength: float) -> Image.Image:
    noise = np.random.default_rng(5).normal(0, strength, (image.height, image.width))
    return Image.fromarray(np.clip(np.asarray(image.convert("L"), dtype=np.float32) + noise, 0, 255).astype(np.uint8))


@pytest.mark.parametrize("degrees", [-5.0, -3.5, -2.0, -1.0, -0.4, 0.0, 0.4, 1.0, 2.0, 3.5, 5.0])
def test_skew_is_measured_to_a_third_of_a_degree(degrees: float) -> None:
    turned = _form().rotate(degrees, resample=Image.Resampling.BICUBIC, fillcolor=250)
    found = _examined(_noisy(turned, 6))
    assert found.pages[0].skew_degrees is not None
    assert abs(found.pages[0].skew_degrees + degrees) <= 0.35 or abs(found.pages[0].skew_degrees - degrees) <= 0.35
    assert ("skewed" in {finding.code for finding in found.findings}) == (abs(degrees) > 3)


def test_the_sign_of_skew_is_that_of_turning_clockwise() -> None:
    # Pillow turns counter-clockwise for positive angles.
    found = _examined(_form().rotate(-2, resample=Image.Resampling.BICUBIC, fillcolor=250))
    assert found.pages[0].skew_degrees == pytest.approx(2.0, abs=0.35)


@pytest.mark.parametrize("paper", [255, 235, 200])
@pytest.mark.parametrize("noise", [0.0, 8.0])
def test_blank_paper_is_blank_in_any_shade(paper: int, noise: float) -> None:
    found = _examined(_noisy(Image.new("L", _SIZE, paper), noise))
    assert found.pages[0].is_blank is True
    assert {finding.code for finding in found.findings} == {"blank-page", "all-blank"}


def test_one_short_line_is_not_blank() -> None:
    image = Image.new("L", _SIZE, 250)
    ImageDraw.Draw(image).text((300, 400), "Received with thanks, 12 May", fill=20, font_size=48)
    assert _examined(_noisy(image, 4)).pages[0].is_blank is False


@pytest.mark.parametrize(("edge", "shift"), [("top", (0, -500)), ("bottom", (0, 500)), ("left", (-300, 0))])
def test_writing_over_the_edge_is_seen(edge: str, shift: tuple[int, int]) -> None:
    image = Image.new("L", _SIZE, 250)
    solid = _form()
    ImageDraw.Draw(solid).rectangle((160, 600, 1490, 1800), fill=40)
    image.paste(solid, (shift[0] * 2, shift[1] * 2))
    assert _examined(image).pages[0].clipped_edge == edge


def test_a_scanners_dark_frame_is_not_clipped_writing() -> None:
    image = _form()
    ImageDraw.Draw(image).rectangle((0, 0, _SIZE[0] - 1, _SIZE[1] - 1), outline=10, width=40)
    assert _examined(image).pages[0].clipped_edge is None


@pytest.mark.parametrize(
    ("dpi", "code"), [(60, "dpi-too-low"), (150, "dpi-low"), (199, "dpi-low"), (200, None), (300, None)]
)
def test_resolution(dpi: int, code: str | None) -> None:
    data = encoded(_form(), "JPEG", dpi=(dpi, dpi))
    found = examine_here(io.BytesIO(data), len(data), CheckPolicy(), "scan.jpg")
    assert found.pages[0].dpi == dpi
    assert [finding.code for finding in found.findings] == ([code] if code else [])


def test_without_stated_resolution_the_page_is_taken_for_a4() -> None:
    data = encoded(_form(), "JPEG")
    assert examine_here(io.BytesIO(data), len(data), CheckPolicy(), "scan.jpg").pages[0].dpi == 200


def _with_code(kind: Any, text: str, place: tuple[int, int], scale: int) -> Image.Image:
    image = _form()
    made = np.asarray(zxingcpp.write_barcode_to_image(zxingcpp.create_barcode(text, kind), scale=scale))
    image.paste(Image.fromarray(made), place)
    return image


@pytest.mark.parametrize("turned", [-3, -1, 0, 1, 3])
@pytest.mark.parametrize("form", ["JPEG", "TIFF"])
def test_qr_code_is_read_from_skewed_noisy_pages(turned: int, form: str) -> None:
    number = "KH-20261124-0007"
    image = _with_code(zxingcpp.BarcodeFormat.QRCode, number, (1250, 1950), 6)
    image = _noisy(image.rotate(turned, resample=Image.Resampling.BICUBIC, fillcolor=250), 10)
    options = {"quality": 55} if form == "JPEG" else {"compression": "tiff_lzw"}
    assert _examined(image, form, **options).slip_number == number


@pytest.mark.parametrize("scale", [2, 3, 4])
@pytest.mark.parametrize("turned", [-2, 0, 2])
def test_code_128_is_read_at_ordinary_widths(scale: int, turned: int) -> None:
    """At 200 dpi a scale of 2 is a bar of 0.25 mm, as on waybills."""
    number = "HK-20260105-0012"
    image = _with_code(zxingcpp.BarcodeFormat.Code128, number, (700, 60), scale)
    image = _noisy(image.rotate(turned, resample=Image.Resampling.BICUBIC, fillcolor=250), 6)
    assert _examined(image, quality=60).slip_number == number


def test_codes_that_are_no_slip_numbers_are_passed_over() -> None:
    image = _with_code(zxingcpp.BarcodeFormat.QRCode, "https://example.invalid/", (1250, 1950), 6)
    assert _examined(image).slip_number is None
    policy = CheckPolicy(slip_number_pattern=r"https://.*")
    assert _examined(image, policy=policy).slip_number == "https://example.invalid/"


def test_codes_of_later_pages_are_read_only_where_the_policy_says_so() -> None:
    second = _with_code(zxingcpp.BarcodeFormat.QRCode, "XK-20260101-0001", (1250, 1950), 6)
    out = io.BytesIO()
    _form().save(out, "TIFF", compression="tiff_lzw", dpi=(200, 200), save_all=True, append_images=[second])
    data = out.getvalue()

    def read(policy: CheckPolicy) -> str | None:
        return examine_here(io.BytesIO(data), len(data), policy, "scan.tif").slip_number

    assert read(CheckPolicy()) is None
    assert read(CheckPolicy(code_pages_max=2)) == "XK-20260101-0001"


def test_skew_is_found_on_ordinary_pages_of_random_writing() -> None:
    draw = random.Random(3)
    for seed in range(4):
        degrees = draw.uniform(-4, 4)
        turned = page(seed=seed, mode="L").resize(_SIZE).rotate(degrees, fillcolor=255)
        found = _examined(turned).pages[0].skew_degrees
        assert found == pytest.approx(-degrees, abs=0.4)
