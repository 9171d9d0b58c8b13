"""The slip's number from its barcode or QR code."""

from __future__ import annotations

import re

from PIL import Image

_SIDE_PIXELS = 1_700
_SLIP_NUMBER = re.compile(r"[A-Z]{1,6}[-0-9]{6,30}$")


def read_slip_number(image: Image.Image) -> str | None:
    """The first code on the page that has the form of a slip number: capitals, then digits and hyphens."""
    import zxingcpp

    grey = image.convert("L") if image.mode != "L" else image
    factor = max(1, max(grey.size) // _SIDE_PIXELS)
    if factor > 1:
        grey = grey.reduce(factor)
    formats = zxingcpp.BarcodeFormats(
        [zxingcpp.BarcodeFormat.QRCode, zxingcpp.BarcodeFormat.Code128, zxingcpp.BarcodeFormat.Code39]
    )
    for code in zxingcpp.read_barcodes(
        grey, formats=formats, try_rotate=False, try_downscale=False, try_invert=False
    ):
        text: str = code.text.strip()
        if _SLIP_NUMBER.match(text):
            return text
    return None
