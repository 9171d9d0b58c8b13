"""The slip's number from its barcode or QR code."""

from __future__ import annotations

import re

from PIL import Image

_SIDE_PIXELS = 1_700


def read_slip_number(image: Image.Image, pattern: str) -> str | None:
    """The first code on the page whose whole text matches `pattern`."""
    import zxingcpp

    grey = image if image.mode == "L" else image.convert("L")
    factor = max(1, max(grey.size) // _SIDE_PIXELS)
    if factor > 1:
        grey = grey.reduce(factor)
    formats = zxingcpp.BarcodeFormats(
        [zxingcpp.BarcodeFormat.QRCode, zxingcpp.BarcodeFormat.Code128, zxingcpp.BarcodeFormat.Code39]
    )
    wanted = re.compile(pattern)
    for code in zxingcpp.read_barcodes(
        grey, formats=formats, try_rotate=False, try_downscale=False, try_invert=False
    ):
        text: str = code.text.strip()
        if wanted.fullmatch(text):
            return text
    return None
