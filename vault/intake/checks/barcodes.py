"""The slip's number from its barcode or QR code."""

from __future__ import annotations

import re

import numpy as np
import zxingcpp
from PIL import Image

_SIDE_PIXELS = 1_700


def read_slip_number(image: Image.Image, pattern: str) -> str | None:
    """The first code on the page whose whole text matches `pattern`."""
    grey = image if image.mode == "L" else image.convert("L")
    factor = max(1, max(grey.size) // _SIDE_PIXELS)
    if factor > 1:
        grey = grey.reduce(factor)
    formats = zxingcpp.BarcodeFormats(
        [zxingcpp.BarcodeFormat.QRCode, zxingcpp.BarcodeFormat.Code128, zxingcpp.BarcodeFormat.Code39]
    )
    wanted = re.compile(pattern)
    pixels = np.asarray(grey)  # handed a picture, the reader would copy it more dearly
    for code in zxingcpp.read_barcodes(
        pixels, formats=formats, try_rotate=False, try_downscale=False, try_invert=False
    ):
        text: str = code.text.strip()
        if wanted.fullmatch(text):
            return text
    return None
