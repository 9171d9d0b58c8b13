"""The application on a small archive with something in every list."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import date
from pathlib import Path

import httpx
import pytest

from tests.support.archive import Archive, jpeg
from tests.support.pages import Visitor, api_client, make_app, serving, visiting
from vault.catalogue.model import FieldKind
from vault.intake.batches import open_batch

NAMES = ("欧阳小明", "张小明", "张伟")


@pytest.fixture
def root(archive: Archive, tmp_path: Path) -> Iterator[str]:
    with serving(make_app(archive, tmp_path)) as address:
        yield address


@pytest.fixture
def api(root: str) -> Iterator[httpx.Client]:
    with api_client(root) as client:
        yield client


@pytest.fixture
def filled(archive: Archive) -> Archive:
    batch = open_batch(archive.ctx, archive.operator, "十一月二十四日", 4)
    for place, name in enumerate(NAMES):
        archive.send(
            jpeg(place),
            customer_name=name,
            title=f"{name}开户申请书",
            business_number=f"KH-2026-{place:03d}",
            business_type="开户",
            occurred_date=date(2026, 1, 1 + place),
            personal=((FieldKind.PHONE, f"1380000000{place}"),),
            batch_id=batch.id,
        )
    archive.send(jpeg(9)[:-2000], file_name="坏的.jpg", batch_id=batch.id)
    archive.sequence()
    return archive


@pytest.fixture
def visit(root: str, archive: Archive) -> Iterator[Callable[..., Visitor]]:
    with ExitStack() as stack:
        yield lambda login, *roles, **more: stack.enter_context(visiting(root, archive, login, *roles, **more))
