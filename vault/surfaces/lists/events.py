"""The list of events from which periods count."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sqlalchemy import Connection

from vault.access.model import Viewer
from vault.access.rights import Right
from vault.foundation.context import Context
from vault.foundation.db.keyset import Picked
from vault.foundation.errors import N_
from vault.retention.event_queries import EventFilters, EventLine, count_events, find_events
from vault.surfaces.law_words import event_in_words
from vault.surfaces.lists.listing import Listing, Question, Speech


def _ask(
    _ctx: Context, connection: Connection, viewer: Viewer, filters: EventFilters, picked: Picked
) -> Question[EventLine]:
    return Question(
        lambda span: find_events(connection, viewer, filters, span, picked),
        lambda at_most: count_events(connection, viewer, filters, picked, at_most),
    )


def _rows(speech: Speech, lines: Sequence[EventLine]) -> Iterable[Sequence[object]]:
    names = speech.names(who for line in lines for who in (line.event.reported_by, line.event.undone_by))
    for line in lines:
        event = line.event
        yield (
            event_in_words(speech.translator, event.name),
            event.day or speech.say(N_("will never happen")),
            line.archival_number,
            speech.units.get(line.unit_id, ""),
            event.evidence,
            speech.actor(event.reported_by, names),
            event.known_at,
            speech.state("event", "undone" if event.undone_at else "valid"),
            speech.actor(event.undone_by, names),
            event.undone_at,
            event.undone_because,
            event.id,
        )


EVENTS: Listing[EventFilters, EventLine] = Listing(
    name="events",
    right=Right.RETENTION_EVENT_READ,
    ask=_ask,
    headings=(
        N_("Event"),
        N_("Happened on"),
        N_("Archival number"),
        N_("Unit"),
        N_("Evidence"),
        N_("Reported by"),
        N_("Reported"),
        N_("State"),
        N_("Undone by"),
        N_("Undone"),
        N_("Why undone"),
        N_("Id"),
    ),
    rows=_rows,
)
