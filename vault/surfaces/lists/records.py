"""The list of records."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sqlalchemy import Connection

from retention_rules.identifiers import mask_name
from vault.access.model import Viewer
from vault.access.rights import Right
from vault.catalogue import search
from vault.catalogue.search import Filters, RecordLine
from vault.foundation.context import Context
from vault.foundation.db.keyset import Picked
from vault.foundation.errors import N_
from vault.surfaces.lists.listing import Listing, Question, Speech


def ask(
    ctx: Context, connection: Connection, viewer: Viewer, filters: Filters, picked: Picked
) -> Question[RecordLine]:
    """The records of the viewer's units."""
    tokens: tuple[bytes, ...] = ()
    if filters.personal is not None:
        tokens = tuple(ctx.keyring.blind_tokens(connection, filters.personal[0].value, filters.personal[1]))
    return Question(
        lambda span: search.find(connection, filters, span, units=viewer.units, blind_tokens=tokens, picked=picked),
        lambda at_most: search.count(
            connection, filters, units=viewer.units, blind_tokens=tokens, picked=picked, at_most=at_most
        ),
    )


def _rows(speech: Speech, lines: Sequence[RecordLine]) -> Iterable[Sequence[object]]:
    for line in lines:
        name = line.customer_name or ""
        title = line.title or ""
        yield (
            line.archival_number,
            line.business_number,
            line.business_type,
            title.replace(name, mask_name(name)) if name else title,
            mask_name(name),
            line.handler,
            speech.units.get(line.unit_id, ""),
            speech.classes.get(line.class_code, line.class_code),
            line.occurred_date,
            line.received_at,
            line.page_count,
            speech.state("record", line.status),
            line.retain_until,
            line.lock_until,
            line.id,
        )


RECORDS: Listing[Filters, RecordLine] = Listing(
    name="records",
    right=Right.RECORDS_RECORD_READ,
    ask=ask,
    headings=(
        N_("Archival number"),
        N_("Business number"),
        N_("Business type"),
        N_("Title"),
        N_("Customer (masked)"),
        N_("Handler"),
        N_("Unit"),
        N_("Retention class"),
        N_("Date of the business"),
        N_("Received"),
        N_("Pages"),
        N_("State"),
        N_("Keep until"),
        N_("Locked until"),
        N_("Id"),
    ),
    rows=_rows,
)
