"""Hostile files on the whole road of intake: a receipt for each, nothing half-kept, the reason on the quarantine list."""

from __future__ import annotations

import pytest
from sqlalchemy import func, select

from tests.hostile.corpus import corpus
from tests.support.archive import Archive
from vault.catalogue.tables import records
from vault.intake.jobs import render_waiting
from vault.intake.model import ItemStatus
from vault.intake.tables import intake_items

_EVERY = 4
_SLOW = frozenset({"tiff-endless-pages.tif", "pdf-laughing-forms.pdf", "pdf-400000-objects.pdf"})


@pytest.mark.slow
def test_each_gets_a_receipt_and_the_archive_goes_on(archive: Archive) -> None:
    files = [file for file in corpus()[::_EVERY] if file.name not in _SLOW]
    accepted = 0
    for file in files:
        receipt = archive.send(file.data, file_name=file.name)
        if receipt.status is ItemStatus.REFUSED:
            assert [finding for finding in receipt.findings if finding.severity == "refuse"], file.name
            assert receipt.record_id is None, file.name
        else:
            assert file.may_be_accepted, file.name
            accepted += receipt.status is ItemStatus.ACCEPTED
    assert len(list(render_waiting(archive.ctx))) == accepted
    with archive.ctx.database.read() as connection:
        kept = connection.execute(select(func.count()).select_from(records)).scalar_one()
        unsettled = connection.execute(
            select(func.count()).where(intake_items.c.status == ItemStatus.INTENT.value)
        ).scalar_one()
    assert (kept, unsettled) == (accepted, 0)
