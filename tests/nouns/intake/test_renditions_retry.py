"""Page images that could not be made are tried again by themselves, and once more when somebody asks."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import select

from tests.support.archive import Archive, tiff
from vault.access.model import Viewer
from vault.access.rights import Right
from vault.foundation.errors import NotAllowed, NotFoundOrNotYours
from vault.foundation.ledger.queries import entries_of_subject
from vault.intake.jobs import ATTEMPTS_MAX, CLAIM_LASTS, render_again, render_waiting
from vault.intake.queries import is_rendering
from vault.intake.tables import rendition_tasks


@pytest.fixture
def record_id(archive: Archive) -> UUID:
    record_id = archive.send(tiff(1, seed=3), file_name="a.tif").record_id
    assert record_id is not None
    return record_id


def _state(archive: Archive, record_id: UUID) -> str | None:
    with archive.ctx.database.read() as connection:
        return is_rendering(connection, record_id)


def _out_of_order(archive: Archive) -> Archive:
    """The same archive, its store out of reach: each attempt fails."""
    from dataclasses import replace

    from vault.foundation.storage import bare_store

    return replace(archive, ctx=replace(archive.ctx, store=bare_store("memory://nowhere", archive.clock)))


def test_it_is_tried_again_when_the_claim_has_run_out_and_then_fails_for_good(
    archive: Archive, record_id: UUID
) -> None:
    broken = _out_of_order(archive)
    for attempt in range(1, ATTEMPTS_MAX + 1):
        assert list(render_waiting(broken.ctx)) == [record_id]
        assert list(render_waiting(broken.ctx)) == [], "no second attempt at once"
        assert _state(archive, record_id) == ("failed" if attempt == ATTEMPTS_MAX else "waiting")
        archive.clock.advance(CLAIM_LASTS + timedelta(seconds=1))
    assert list(render_waiting(archive.ctx)) == []

    render_again(archive.ctx, archive.operator, record_id)
    assert list(render_waiting(archive.ctx)) == [record_id]
    assert _state(archive, record_id) is None
    with archive.ctx.database.read() as connection:
        events = [line.event for line in entries_of_subject(connection, record_id)]
        assert connection.execute(select(rendition_tasks)).all() == []
    assert events[1:] == ["intake:renditions:fail", "intake:renditions:retry", "catalogue:renditions:add"]


def test_what_did_not_fail_is_not_tried_again(archive: Archive, record_id: UUID) -> None:
    with pytest.raises(NotFoundOrNotYours):
        render_again(archive.ctx, archive.operator, record_id)
    operator = archive.operator
    reader = Viewer(operator.id, "operator", "x", operator.rights - {Right.INTAKE_ITEM_SEND}, None, None)
    with pytest.raises(NotAllowed):
        render_again(archive.ctx, reader, record_id)
