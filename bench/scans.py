"""Scans to load the service with: real JPEG pages of a wanted size, each with bytes of its own."""

from __future__ import annotations

import functools
import io
import random

import img2pdf
import numpy as np
from PIL import Image, ImageDraw


@functools.cache
def page(size_bytes: int) -> bytes:
    """An A4 page at 200 dpi with writing and grain, as a JPEG of about `size_bytes`."""
    draw = random.Random(1)
    image = Image.new("RGB", (1654, 2339), (250, 249, 245))
    pen = ImageDraw.Draw(image)
    for row in range(20):
        pen.line((120, 150 + row * 104, 1530, 150 + row * 104), fill="black", width=2)
        for word in range(draw.randrange(1, 4)):
            pen.text((140 + word * 150, 165 + row * 104), f"word{draw.randrange(999)}", fill=(20, 30, 120))
    low, high, best = 0.0, 60.0, b""
    for _ in range(14):
        grain = (low + high) / 2
        noise = np.random.default_rng(1).normal(0, grain, (2339, 1654, 1))
        noisy = Image.fromarray(np.clip(np.asarray(image, dtype=np.float32) + noise, 0, 255).astype(np.uint8))
        out = io.BytesIO()
        noisy.save(out, "JPEG", quality=30, dpi=(200, 200))
        best = out.getvalue()
        low, high = (grain, high) if len(best) < size_bytes else (low, grain)
    return best


def scan(number: int, size_bytes: int) -> bytes:
    """The page with a comment of its own, so that no two are the same file."""
    base = page(size_bytes)
    note = f"scan {number}".encode()
    return base[:2] + b"\xff\xfe" + (len(note) + 2).to_bytes(2) + note + base[2:]


def pdf_scan(number: int, size_bytes: int) -> bytes:
    """The same as a one-page PDF."""
    made = img2pdf.convert(scan(number, size_bytes))
    assert isinstance(made, bytes)
    return made
