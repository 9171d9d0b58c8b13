"""The list of ledger entries."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sqlalchemy import Connection

from vault.access.model import Viewer
from vault.access.rights import Right
from vault.foundation.context import Context
from vault.foundation.db.keyset import Picked
from vault.foundation.errors import N_
from vault.foundation.ledger import queries
from vault.foundation.ledger.queries import EntryFilters, EntryLine
from vault.surfaces.lists.listing import Listing, Question, Speech
from vault.surfaces.web import words


def _ask(
    _ctx: Context, connection: Connection, _viewer: Viewer, filters: EntryFilters, picked: Picked
) -> Question[EntryLine]:
    return Question(
        lambda span: queries.find_entries(connection, filters, span, picked=picked),
        lambda at_most: queries.count_entries(connection, filters, picked=picked, at_most=at_most),
    )


def _rows(speech: Speech, lines: Sequence[EntryLine]) -> Iterable[Sequence[object]]:
    names = speech.names(line.actor_id for line in lines)
    for line in lines:
        yield (
            line.leaf_index,
            line.at,
            speech.say(words.event(line.event)),
            line.event,
            speech.state("actor", line.actor_kind),
            names.get(line.actor_id, "") if line.actor_id else "",
            line.actor_id,
            line.subject_type,
            line.subject_id,
            line.context_id,
            line.id,
        )


LEDGER: Listing[EntryFilters, EntryLine] = Listing(
    name="ledger",
    right=Right.LEDGER_ENTRY_READ,
    ask=_ask,
    headings=(
        N_("Index"),
        N_("Time"),
        N_("Event"),
        N_("Code of the event"),
        N_("Kind of actor"),
        N_("Who"),
        N_("Id of the actor"),
        N_("Kind of thing"),
        N_("Id of the thing"),
        N_("Id of what it belongs to"),
        N_("Id"),
    ),
    rows=_rows,
)
