"""The lists of batches and of the quarantine."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sqlalchemy import Connection

from vault.access.model import Viewer
from vault.access.rights import Right
from vault.foundation.context import Context
from vault.foundation.db.keyset import Picked
from vault.foundation.errors import N_
from vault.intake import quarantine
from vault.intake.batches import BatchFilters, count_batches, find_batches
from vault.intake.model import Batch, Item
from vault.intake.quarantine import QuarantineFilters
from vault.surfaces.api.intake import finding_body
from vault.surfaces.lists.listing import Listing, Question, Speech


def _ask_batches(
    _ctx: Context, connection: Connection, viewer: Viewer, filters: BatchFilters, picked: Picked
) -> Question[Batch]:
    return Question(
        lambda span: find_batches(connection, filters, span, units=viewer.units, picked=picked),
        lambda at_most: count_batches(connection, filters, units=viewer.units, picked=picked, at_most=at_most),
    )


def _batch_rows(speech: Speech, lines: Sequence[Batch]) -> Iterable[Sequence[object]]:
    names = speech.names(batch.opened_by for batch in lines)
    for batch in lines:
        balance = batch.balance
        yield (
            batch.name,
            speech.state("batch", batch.state),
            speech.units.get(batch.unit_id, ""),
            speech.actor(batch.opened_by, names),
            balance.sheets_announced,
            balance.received,
            balance.accepted,
            balance.duplicate,
            balance.refused,
            batch.opened_at,
            batch.closed_at,
            batch.id,
        )


BATCHES: Listing[BatchFilters, Batch] = Listing(
    name="batches",
    right=Right.INTAKE_BATCH_CREATE,
    ask=_ask_batches,
    headings=(
        N_("Batch"),
        N_("State"),
        N_("Unit"),
        N_("Sender"),
        N_("Announced"),
        N_("Received"),
        N_("Accepted"),
        N_("Already here"),
        N_("Refused"),
        N_("Opened"),
        N_("Closed at"),
        N_("Id"),
    ),
    rows=_batch_rows,
)


def _ask_quarantine(
    _ctx: Context, connection: Connection, viewer: Viewer, filters: QuarantineFilters, picked: Picked
) -> Question[Item]:
    return Question(
        lambda span: quarantine.find(connection, filters, span, units=viewer.units, picked=picked),
        lambda at_most: quarantine.count(connection, filters, units=viewer.units, picked=picked, at_most=at_most),
    )


def _quarantine_rows(speech: Speech, lines: Sequence[Item]) -> Iterable[Sequence[object]]:
    names = speech.names([*(item.sender_id for item in lines), *(item.handled_by for item in lines)])
    for item in lines:
        told = [finding_body(finding, speech.language) for finding in item.findings if finding.severity == "refuse"]
        yield (
            item.file_name,
            speech.say(N_("; ")).join(str(one["message"]) for one in told),
            speech.state("quarantine", item.quarantine_state),
            speech.state("handling", item.handling) if item.handling else "",
            item.handling_note,
            speech.actor(item.handled_by, names),
            item.handled_at,
            speech.units.get(item.unit_id, ""),
            speech.actor(item.sender_id, names),
            item.received_at,
            item.media_type,
            item.size_bytes,
            item.sha256.hex(),
            item.batch_id,
            item.id,
        )


QUARANTINE: Listing[QuarantineFilters, Item] = Listing(
    name="quarantine",
    right=Right.INTAKE_QUARANTINE_READ,
    ask=_ask_quarantine,
    headings=(
        N_("File"),
        N_("Reasons"),
        N_("State"),
        N_("What was done"),
        N_("Note"),
        N_("Seen to by"),
        N_("Seen to at"),
        N_("Unit"),
        N_("Sender"),
        N_("Received"),
        N_("Type"),
        N_("Bytes"),
        N_("SHA-256"),
        N_("Id of the batch"),
        N_("Id"),
    ),
    rows=_quarantine_rows,
)
