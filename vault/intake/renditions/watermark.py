"""The viewer's name and the time across a page: seen on a photograph of the screen, and the writing stays legible."""

from __future__ import annotations

import contextlib
import functools
import io
from importlib import resources

from PIL import Image, ImageChops, ImageDraw, ImageFont

_INK = 205  # of 255, multiplied in: paper gets a grey tint, ink stays ink
_STEP_SHARE = 0.30
_ANGLE = 30
_QUALITY = 78
_CHINESE_FACE = 2  # of the collection: the face drawn as in the mainland


def watermark(image: bytes, lines: tuple[str, ...]) -> bytes:
    """The JPEG page image with `lines` written over it again and again, as a JPEG."""
    with Image.open(io.BytesIO(image), formats=("JPEG",)) as page:
        page.load()
        base = page if page.mode in {"L", "RGB"} else page.convert("RGB")
        overlay = _overlay(base.size, lines)
        marked = ImageChops.multiply(base, overlay if base.mode == "L" else overlay.convert("RGB"))
    out = io.BytesIO()
    marked.save(out, "JPEG", quality=_QUALITY)
    return out.getvalue()


@functools.lru_cache(maxsize=8)
def _overlay(size: tuple[int, int], lines: tuple[str, ...]) -> Image.Image:
    width, height = size
    points = max(14, width // 42)
    font = _font(points)
    text = "\n".join(lines)
    left, top, right, bottom = ImageDraw.Draw(Image.new("L", (1, 1))).multiline_textbbox((0, 0), text, font=font)
    tile = Image.new("L", (round(right - left) + points * 3, round(bottom - top) + points), 255)
    ImageDraw.Draw(tile).multiline_text((points, points // 2), text, font=font, fill=_INK)
    turned = tile.rotate(_ANGLE, expand=True, fillcolor=255, resample=Image.Resampling.BILINEAR)
    overlay = Image.new("L", size, 255)
    step_x = max(turned.width, round(width * _STEP_SHARE))
    step_y = max(turned.height, round(width * _STEP_SHARE))
    for row, y in enumerate(range(-turned.height // 3, height, step_y)):
        for x in range(-(row % 2) * step_x // 2, width, step_x):
            overlay.paste(turned, (x, y))
    return overlay


@functools.lru_cache(maxsize=8)
def _font(points: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(_font_file(), points, index=_CHINESE_FACE)


@functools.cache
def _font_file() -> str:
    """The collection as a file: FreeType reads of it what it needs, which is a small part of 19 MB."""
    file = resources.files("noto_cjk_sans_otc") / "NotoSansCJK-Regular.ttc"
    return str(contextlib.ExitStack().enter_context(resources.as_file(file)))
