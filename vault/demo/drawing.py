"""Drawing a filled form as it would come from a scanner: print, handwriting, seal, code, skew and noise."""

from __future__ import annotations

import contextlib
import functools
import io
import itertools
import math
import random
from importlib import resources

import numpy as np
from PIL import Image, ImageChops, ImageDraw, ImageFont

from vault.demo.forms import Form
from vault.demo.people import Citizen

WIDTH, HEIGHT = 1240, 1754  # A4 at 150 dpi; scaled up to 200 dpi at the end
SCAN_SIZE = (1654, 2339)
DPI = 200
_INKS = ((18, 30, 120), (20, 20, 24), (10, 40, 150))
_SEAL = (200, 28, 36)
_PAPER = (252, 251, 247)
_FACE = 2


def draw_pages(
    form: Form, who: Citizen, number: str, day: str, handler: str, draw: random.Random
) -> list[Image.Image]:
    """The pages of one filled slip in colour, at 200 dpi."""
    first = _front(form, who, number, day, handler, draw)
    pages = [first, *(_following(form, number, page, draw) for page in range(2, form.pages + 1))]
    return [_scanned(page, draw) for page in pages]


def _front(form: Form, who: Citizen, number: str, day: str, handler: str, draw: random.Random) -> Image.Image:
    page = Image.new("RGB", (WIDTH, HEIGHT), _PAPER)
    pen = ImageDraw.Draw(page)
    ink = draw.choice(_INKS)
    pen.text((WIDTH / 2, 90), form.organisation, font=_font(30), fill="black", anchor="mm")
    pen.text((WIDTH / 2, 150), form.title, font=_font(46), fill="black", anchor="mm")
    pen.text((90, 215), f"编号：{number}", font=_font(24), fill="black")
    pen.text((WIDTH - 90, 215), f"日期：{day}", font=_font(24), fill="black", anchor="ra")
    y, left, right, high = 270, 90, WIDTH - 90, 84
    for row in form.rows:
        width = (right - left) / len(row)
        for place, (label, fill) in enumerate(row):
            x = left + place * width
            pen.rectangle((x, y, x + width, y + high), outline="black", width=2)
            pen.line((x + 190, y, x + 190, y + high), fill="black", width=2)
            pen.text((x + 95, y + high / 2), label, font=_font(26), fill="black", anchor="mm")
            _handwrite(page, fill(who, draw), (int(x + 205), int(y + 22)), 34, ink, draw)
        y += high
    pen.rectangle((left, y, right, y + 420), outline="black", width=2)
    pen.text((left + 20, y + 16), f"{form.body_label}：", font=_font(26), fill="black")
    _handwrite(page, draw.choice(form.bodies), (left + 40, y + 80), 36, ink, draw, wrap=26)
    y += 460
    pen.text((left, y), "客户签名：", font=_font(28), fill="black")
    _handwrite(page, who.name, (left + 170, y - 14), 48, ink, draw)
    pen.text((WIDTH / 2 + 40, y), "经办人：", font=_font(28), fill="black")
    _handwrite(page, handler, (WIDTH // 2 + 170, y - 14), 44, ink, draw)
    _office_box(page, handler, day, y + 90, ink, draw)
    _seal(page, form.organisation, (WIDTH - 400, y + 30 + draw.randrange(80)), draw)
    code = _code(number, is_bars=form.is_barred)
    page.paste(ImageChops.multiply(code, Image.new("RGB", code.size, _PAPER)), (90, HEIGHT - 90 - code.height))
    pen.text((90, HEIGHT - 60), "第一联　归档", font=_font(22), fill="black")
    return page


def _following(form: Form, number: str, page_number: int, draw: random.Random) -> Image.Image:
    page = Image.new("RGB", (WIDTH, HEIGHT), _PAPER)
    pen = ImageDraw.Draw(page)
    pen.text((WIDTH / 2, 100), f"{form.title}（附页 {page_number}）", font=_font(36), fill="black", anchor="mm")
    pen.text((90, 170), f"编号：{number}", font=_font(24), fill="black")
    clauses = (
        "一、申请人应当提供真实、有效的身份证件和证明文件，并对其真实性负责。",
        "二、受理单位依法对申请材料进行审查，必要时可以要求补正。",
        "三、个人信息仅用于办理本业务，依照个人信息保护法予以保护。",
        "四、业务单据按照档案管理规定归档保存，期满后依法处置。",
    )
    for place, clause in enumerate(clauses * 3):
        for line, start in enumerate(range(0, len(clause), 36)):
            pen.text((100, 260 + place * 110 + line * 42), clause[start : start + 36], font=_font(27), fill="black")
    _handwrite(page, "已阅知", (WIDTH - 360, HEIGHT - 200), 48, draw.choice(_INKS), draw)
    return page


def _handwrite(
    page: Image.Image,
    text: str,
    place: tuple[int, int],
    size: int,
    ink: tuple[int, int, int],
    draw: random.Random,
    wrap: int = 60,
) -> None:
    """Each character by itself: turned a little, moved a little, pressed harder or softer."""
    x, y = place
    for count, character in enumerate(text):
        if count and count % wrap == 0:
            x, y = place[0], y + int(size * 1.7)
        tile = Image.new("L", (size * 2, size * 2), 0)
        ImageDraw.Draw(tile).text(
            (size, size), character, font=_font(size + draw.randrange(-3, 4)), fill=255, anchor="mm"
        )
        tile = tile.rotate(draw.uniform(-9, 9), resample=Image.Resampling.BILINEAR)
        pressure = draw.uniform(0.75, 1.0)
        mask = tile.point([int(value * pressure) for value in range(256)])
        page.paste(ink, (x - size // 2, y - size // 2 + draw.randrange(-3, 4)), mask)
        advance = size if ord(character) > 0x2E80 else size * 0.58
        x += int(advance * draw.uniform(0.92, 1.06))


def _seal(page: Image.Image, organisation: str, place: tuple[int, int], draw: random.Random) -> None:
    """A round red seal: ring, star, and the organisation's name along the rim."""
    side = 260
    layer = Image.new("L", (side, side), 0)
    pen = ImageDraw.Draw(layer)
    pen.ellipse((6, 6, side - 6, side - 6), outline=255, width=7)
    centre = side / 2
    points = [
        (centre + radius * math.sin(math.radians(36 * k)), centre - radius * math.cos(math.radians(36 * k)))
        for k, radius in zip(range(10), (38, 15) * 5, strict=True)
    ]
    pen.polygon(points, fill=255)
    for index, character in enumerate(organisation):
        angle = -120 + 240 * index / max(1, len(organisation) - 1)
        glyph = Image.new("L", (44, 44), 0)
        ImageDraw.Draw(glyph).text((22, 22), character, font=_font(30), fill=255, anchor="mm")
        glyph = glyph.rotate(-angle, resample=Image.Resampling.BILINEAR)
        x = centre + 96 * math.sin(math.radians(angle)) - 22
        y = centre - 96 * math.cos(math.radians(angle)) - 22
        layer.paste(255, (int(x), int(y)), glyph)
    layer = layer.rotate(draw.uniform(-20, 20), resample=Image.Resampling.BILINEAR)
    wear = np.random.default_rng(draw.randrange(1 << 30)).random((side, side)) > 0.12
    mask = Image.fromarray((np.asarray(layer) * wear * 0.82).astype(np.uint8))
    page.paste(_SEAL, place, mask)


def _office_box(
    page: Image.Image, handler: str, day: str, y: float, ink: tuple[int, int, int], draw: random.Random
) -> None:
    """What the counter fills in: received when, looked at by whom, with what result."""
    pen = ImageDraw.Draw(page)
    left, right, high = 90, WIDTH - 90, 64
    pen.text((left, y), "以下由受理单位填写", font=_font(22), fill="black")
    y += 36
    result = draw.choice(("同意受理", "材料齐全，同意", "已核对原件", "予以办理"))
    for place, (label, value) in enumerate((("受理日期", day), ("审核意见", result), ("复核", handler))):
        top = y + place * high
        pen.rectangle((left, top, right, top + high), outline="black", width=1)
        pen.line((left + 190, top, left + 190, top + high), fill="black", width=1)
        pen.text((left + 95, top + high / 2), label, font=_font(24), fill="black", anchor="mm")
        _handwrite(page, value, (left + 215, int(top + 16)), 30, ink, draw)


def _code(number: str, *, is_bars: bool) -> Image.Image:
    import zxingcpp

    kind = zxingcpp.BarcodeFormat.Code128 if is_bars else zxingcpp.BarcodeFormat.QRCode
    made = zxingcpp.write_barcode_to_image(zxingcpp.create_barcode(number, kind), scale=3 if is_bars else 6)
    return Image.fromarray(np.asarray(made)).convert("RGB")


def _scanned(page: Image.Image, draw: random.Random) -> Image.Image:
    """What a scanner makes of it: a little skew, unevenness, noise."""
    turned = _leaning(page.resize(SCAN_SIZE, Image.Resampling.BILINEAR), draw.uniform(-1.2, 1.2))
    noise = _noise()
    y, x = draw.randrange(noise.shape[0] - SCAN_SIZE[1]), draw.randrange(noise.shape[1] - SCAN_SIZE[0])
    grain = Image.fromarray(noise[y : y + SCAN_SIZE[1], x : x + SCAN_SIZE[0]])
    return ImageChops.subtract(turned, Image.merge("RGB", (grain, grain, grain)))


def _leaning(page: Image.Image, degrees: float) -> Image.Image:
    """The page turned by a small angle: rows moved sideways, then columns up or down, by whole pixels.

    Three times as fast as turning with interpolation, and a sheet that slips in a feeder has the same small steps.
    """
    slope = math.tan(math.radians(degrees))
    straight = np.asarray(page)
    height, width = straight.shape[:2]
    leaning = np.full_like(straight, 248)
    for top, bottom, shift in _steps(height, slope):
        wanted, given = _shifted(width, shift)
        leaning[top:bottom, wanted] = straight[top:bottom, given]
    turned = np.full_like(straight, 248)
    for left, right, shift in _steps(width, -slope):
        wanted, given = _shifted(height, shift)
        turned[wanted, left:right] = leaning[given, left:right]
    return Image.fromarray(turned)


def _steps(length: int, slope: float) -> list[tuple[int, int, int]]:
    """The stretches of a side that are moved by the same number of pixels: begin, end, shift."""
    shifts = [round((place - length / 2) * slope) for place in range(length)]
    cuts = [0, *[place for place in range(1, length) if shifts[place] != shifts[place - 1]], length]
    return [(begin, end, shifts[begin]) for begin, end in itertools.pairwise(cuts)]


def _shifted(length: int, shift: int) -> tuple[slice, slice]:
    if shift >= 0:
        return slice(shift, length), slice(0, length - shift)
    return slice(0, length + shift), slice(-shift, length)


@functools.cache
def _noise() -> np.ndarray[tuple[int, int], np.dtype[np.uint8]]:
    """A field of sensor noise larger than a page; every scan takes its own part of it."""
    field = np.random.default_rng(1).normal(3, 2.0, (SCAN_SIZE[1] + 97, SCAN_SIZE[0] + 89))
    return np.clip(field, 0, 12).astype(np.uint8)


def encoded(pages: list[Image.Image], kind: str) -> bytes:
    """The pages as a file: jpeg (first page only), tiff-g4, tiff-lzw, tiff-jpeg, or pdf."""
    out = io.BytesIO()
    if kind == "jpeg":
        pages[0].save(out, "JPEG", quality=55, dpi=(DPI, DPI))
    elif kind == "pdf":
        import img2pdf

        # img2pdf's own engine and no dates: the same slip is the same bytes at any time.
        made = img2pdf.convert(
            [encoded([page], "jpeg") for page in pages], nodate=True, engine=img2pdf.Engine.internal
        )
        assert isinstance(made, bytes)
        return made
    else:
        compression = {"tiff-g4": "group4", "tiff-lzw": "tiff_lzw", "tiff-jpeg": "jpeg"}[kind]
        mode = {"tiff-g4": "1", "tiff-lzw": "L", "tiff-jpeg": "RGB"}[kind]
        ready = [_as_mode(page, mode) for page in pages]
        ready[0].save(out, "TIFF", compression=compression, dpi=(DPI, DPI), save_all=True, append_images=ready[1:])
    return out.getvalue()


def _as_mode(page: Image.Image, mode: str) -> Image.Image:
    if mode != "1":
        return page.convert(mode)
    return page.convert("L").point([255 if value > 150 else 0 for value in range(256)]).convert("1")


@functools.lru_cache(maxsize=64)
def _font(points: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(_font_file(), points, index=_FACE)


@functools.cache
def _font_file() -> str:
    """The collection as a file: FreeType reads of it what it needs, instead of all of it once for every size."""
    file = resources.files("noto_cjk_sans_otc") / "NotoSansCJK-Regular.ttc"
    return str(contextlib.ExitStack().enter_context(resources.as_file(file)))
