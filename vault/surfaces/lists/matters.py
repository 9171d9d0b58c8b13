"""The list of matters under which records are held."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sqlalchemy import Connection

from vault.access.model import Viewer
from vault.access.rights import Right
from vault.foundation.context import Context
from vault.foundation.db.keyset import Picked
from vault.foundation.errors import N_
from vault.holds.matter_lists import MatterFilters, MatterLine, count_matters, find_matters
from vault.surfaces.lists.listing import Listing, Question, Speech


def state_of(line: MatterLine) -> str:
    """Where a matter is, as pages call it."""
    if not line.matter.is_open:
        return "closed"
    if line.is_release_proposed:
        return "release-proposed"
    return "holds" if line.holds else "open"


def _ask(
    _ctx: Context, connection: Connection, viewer: Viewer, filters: MatterFilters, picked: Picked
) -> Question[MatterLine]:
    return Question(
        lambda span: find_matters(connection, viewer, filters, span, picked),
        lambda at_most: count_matters(connection, viewer, filters, picked, at_most),
    )


def _rows(speech: Speech, lines: Sequence[MatterLine]) -> Iterable[Sequence[object]]:
    """Without title and basis: they may name people, and the number of the document says which matter it is."""
    names = speech.names([line.matter.opened_by for line in lines])
    for line in lines:
        matter = line.matter
        yield (
            matter.number,
            speech.state("matter", state_of(line)),
            speech.state("authority", matter.authority.value),
            matter.document_number,
            line.holds,
            line.records,
            speech.actor(matter.opened_by, names),
            matter.opened_at,
            matter.closed_at,
            matter.id,
        )


MATTERS: Listing[MatterFilters, MatterLine] = Listing(
    name="matters",
    right=Right.HOLDS_MATTER_READ,
    ask=_ask,
    headings=(
        N_("Matter"),
        N_("State"),
        N_("Authority"),
        N_("Number of its document"),
        N_("Holds in force"),
        N_("Records held"),
        N_("Opened by"),
        N_("Opened"),
        N_("Closed"),
        N_("Id"),
    ),
    rows=_rows,
)
