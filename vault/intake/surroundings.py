"""What stands around an upload and hardly ever changes: looked up once a second and process.

The store's probe, the class, the unit, the organisation and its law, and whether the sender is trusted.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from retention_rules.model import ClassDefinition
from vault.access.model import Viewer
from vault.foundation.context import Context
from vault.intake import arrivals
from vault.retention.book import Lawbook, read_book
from vault.retention.trust import waits_days

SURROUNDINGS_LAST_S = 1.0


@dataclass(frozen=True)
class Surroundings:
    """The class, place and law of an upload. `files_after_days`: the sender's clean scans are filed by rule then."""

    retention_class: ClassDefinition
    place: arrivals.Place
    lawbook: Lawbook
    files_after_days: int | None


_surroundings: dict[tuple[str, Path, str, UUID | None, UUID], tuple[float, Surroundings]] = {}


def surroundings(ctx: Context, viewer: Viewer, class_code: str, unit_id: UUID | None) -> Surroundings:
    """The class, place and law of an upload, into a store that is trusted.

    Raises:
        StoreNotTrusted, UnknownClass, NoSchedule, NotFoundOrNotYours.
    """
    key = (ctx.store.name, ctx.spool_directory, class_code, unit_id, viewer.id)
    now_s = ctx.clock.monotonic()
    known = _surroundings.get(key)
    if known is not None and now_s - known[0] < SURROUNDINGS_LAST_S and viewer.may_see_unit(known[1].place.unit_id):
        return known[1]
    now = ctx.clock.now()
    with ctx.database.read() as connection:
        arrivals.require_trusted_store(connection, ctx.store.name)
        lawbook = read_book(connection)
        retention_class = lawbook.class_in_effect(class_code, lawbook.day_of(now), now)
        place = arrivals.place_of(connection, viewer, unit_id)
        found = Surroundings(retention_class, place, lawbook, waits_days(connection, viewer.id, class_code))
    if len(_surroundings) > 1000:
        _surroundings.clear()
    _surroundings[key] = (now_s, found)
    return found
