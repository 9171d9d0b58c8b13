"""Naming the organisation, with what follows from it: its fonds, and the day on which everything falls due."""

from __future__ import annotations

from vault.access import queries
from vault.access import service as access
from vault.access.model import Viewer
from vault.catalogue.classes import ensure_fonds
from vault.foundation.context import Context
from vault.retention.due_dates import note_law_change


def set_up(ctx: Context, viewer: Viewer, name: str, fonds_code: str, time_zone: str) -> None:
    """Names the organisation, enters its fonds, and lets due dates follow another time zone.

    Leaves `access:organisation:change`, and `catalogue:fonds:create` for a new fonds.

    Raises:
        NotAllowed, InvalidInput.
    """
    with ctx.database.transaction(viewer.actor) as tx:
        before = queries.organisation(tx.connection)
        access.change_organisation(tx, viewer, name, fonds_code, time_zone)
        ensure_fonds(tx, fonds_code, fonds_code)
        if time_zone != before.time_zone:
            note_law_change(tx, "calendar")
        tx.commit()
