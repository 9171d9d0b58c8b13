"""Correcting what is said of a record, with what follows for how long it is kept (C2.4)."""

from __future__ import annotations

from uuid import UUID

from vault.access.model import Viewer
from vault.catalogue import corrections
from vault.catalogue.model import NewDescription
from vault.catalogue.queries import get_record
from vault.foundation.context import Context
from vault.foundation.db.transaction import Detail
from vault.retention.due_dates import settle
from vault.retention.model import Event


def describe(
    ctx: Context, viewer: Viewer, record_id: UUID, new: NewDescription, *, revision: int, reason: str = ""
) -> int:
    """Corrects what is said of a record; gives its new revision. Leaves `catalogue:record:describe`.

    A corrected day of the business moves the due dates with it, which leaves `retention:due_dates:settle`. Locks are
    not touched: a promise once locked is never shortened (R1).

    Raises:
        NotAllowed: the viewer lacks `records:record:describe`.
        NotFoundOrNotYours: no such record for this viewer.
        RecordChanged: it was corrected after `revision`.
        BadFieldValue, ReasonNeeded, NothingToChange: what shall be said cannot be said.
    """
    with ctx.database.transaction(viewer.actor) as tx:
        done = corrections.correct(tx, ctx.keyring, viewer, record_id, new, revision=revision, reason=reason)
        if done.day_moved:
            before = get_record(tx.connection, viewer, record_id).retain_until
            after = settle(tx, [record_id])[record_id].retain_until
            days: list[Detail] = [day.isoformat() if day else None for day in (before, after)]
            tx.witness(Event.DUE_DATES_SETTLED, "record", record_id, before=days[0], after=days[1])
        tx.commit()
    return done.revision
