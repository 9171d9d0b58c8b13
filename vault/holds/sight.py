"""What a viewer limited to some units may see of matters and holds: conditions for queries.

A hold is seen by whoever may see one of its records, a matter by whoever may see one of its holds.
"""

from __future__ import annotations

from sqlalchemy import ColumnElement, select

from vault.access.model import Viewer
from vault.catalogue.tables import records
from vault.holds.tables import held_records, holds, matters


def records_seen(viewer: Viewer) -> list[ColumnElement[bool]]:
    """Which rows of `held_records` are of records that the viewer may see."""
    if viewer.units is None:
        return []
    seen = select(records.c.id).where(
        records.c.id == held_records.c.record_id, records.c.unit_id.in_(sorted(viewer.units))
    )
    return [seen.correlate(held_records).exists()]


def holds_seen(viewer: Viewer) -> list[ColumnElement[bool]]:
    """Which holds the viewer may see: those with a record of the viewer's units."""
    if viewer.units is None:
        return []
    seen = select(held_records).where(held_records.c.hold_id == holds.c.id, *records_seen(viewer))
    return [seen.correlate(holds).exists()]


def matters_seen(viewer: Viewer) -> list[ColumnElement[bool]]:
    """Which matters: those with such a hold, and those that the viewer opened, as nothing is held under them yet."""
    if viewer.units is None:
        return []
    seen = select(holds.c.id).where(holds.c.matter_id == matters.c.id, *holds_seen(viewer))
    return [(matters.c.opened_by == viewer.id) | seen.correlate(matters).exists()]
