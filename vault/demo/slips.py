"""The demo's slips, one after the other, the same for the same seed."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from vault.demo.drawing import draw_pages, encoded
from vault.demo.forms import FORMS
from vault.demo.people import citizen

_KINDS = ("jpeg", "jpeg", "pdf", "tiff-g4", "tiff-lzw", "tiff-jpeg")
_HANDLERS = ("刘敏", "陈志强", "周晓红", "孙海燕", "吴建平")
_EXTENSIONS = {"jpeg": "jpg", "pdf": "pdf"}


@dataclass(frozen=True)
class DemoSlip:
    """A drawn slip, what a clerk would enter of it, and the number in its code, which is left for the scanner."""

    file_name: str
    data: bytes
    class_code: str
    metadata: dict[str, str]
    number: str = ""
    pages: int = 1


def demo_slips(seed: int, count: int, today: date) -> Iterator[DemoSlip]:
    """`count` slips whose business was done in the two years before `today`."""
    draw = random.Random(seed)  # noqa: S311 - pictures, nothing confidential
    for place in range(count):
        form = FORMS[draw.randrange(len(FORMS))]
        who = citizen(draw)
        day = today - timedelta(days=draw.randrange(1, 730))
        number = f"{form.number_prefix}-{day:%Y%m%d}-{place + 1:04d}"
        handler = draw.choice(_HANDLERS)
        kind = draw.choice(_KINDS) if form.pages == 1 else draw.choice(_KINDS[2:])
        pages = draw_pages(form, who, number, day.isoformat(), handler, draw)
        metadata = {
            "class_code": form.class_code,
            "business_type": form.title,
            "title": f"{form.title} {number}",
            "handler": handler,
            "customer_name": who.name,
            "occurred_date": day.isoformat(),
            "id_number": who.id_number,
            "phone": who.phone,
        }
        if any(label == "卡号／账号" for row in form.rows for label, _ in row):
            metadata["card_number"] = who.card_number
        name = f"scan-{place + 1:04d}.{_EXTENSIONS.get(kind, 'tif')}"
        yield DemoSlip(name, encoded(pages, kind), form.class_code, metadata, number, len(pages))
