"""Batches: opening, finding, closing."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any
from uuid import UUID

from fastapi import Query, Request
from pydantic import BaseModel
from sqlalchemy import Connection
from starlette.responses import Response

from vault.access.queries import unit_id_by_code
from vault.access.rights import Right
from vault.foundation.db.keyset import EVERYTHING
from vault.intake import queries
from vault.intake.batches import BatchFilters, close_batch, open_batch
from vault.intake.model import Batch, BatchState
from vault.surfaces.api.lists import PageAsked, page_body
from vault.surfaces.lists.csv_file import export
from vault.surfaces.lists.intake import BATCHES
from vault.surfaces.lists.listing import day_begins, day_ends, zone_of
from vault.surfaces.problems import language_of
from vault.surfaces.routing import Ctx, CurrentViewer, Routes

routes = Routes("/batches", "intake")


class NewBatch(BaseModel):
    """A batch to open."""

    name: str
    sheets_announced: int | None = None
    unit_code: str | None = None


@routes.post("", Right.INTAKE_BATCH_CREATE, status_code=201)
def create_batch(ctx: Ctx, viewer: CurrentViewer, new: NewBatch) -> dict[str, Any]:
    """Opens a batch, or gives the sender's open batch of that name."""
    unit_id = None
    if new.unit_code:
        with ctx.database.read() as connection:
            unit_id = unit_id_by_code(connection, new.unit_code)
    return batch_body(open_batch(ctx, viewer, new.name, new.sheets_announced, unit_id))


class BatchesAsked(PageAsked):
    """Which batches: those for which all that is given holds. Days are the organisation's."""

    state: BatchState | None = None
    balanced: bool | None = None
    unit_code: str | None = None
    sender_id: UUID | None = None
    opened_from: date | None = None
    opened_until: date | None = None


class BatchSearch(BatchesAsked):
    """Also by part of a name: in the body, because a name may name a person and must not stand in an address."""

    name: str | None = None


@routes.get("", Right.INTAKE_BATCH_CREATE)
def list_batches(ctx: Ctx, viewer: CurrentViewer, wanted: Annotated[BatchesAsked, Query()]) -> dict[str, Any]:
    """Batches of the viewer's units, newest first."""
    return search_batches(ctx, viewer, BatchSearch(**wanted.model_dump()))


@routes.post("/search", Right.INTAKE_BATCH_CREATE)
def search_batches(ctx: Ctx, viewer: CurrentViewer, wanted: BatchSearch) -> dict[str, Any]:
    """Batches of the viewer's units, newest first, also by part of their name."""
    with ctx.database.read() as connection:
        question = BATCHES.ask(ctx, connection, viewer, _batch_filters(connection, wanted), EVERYTHING)
        return page_body("batches", question, wanted, batch_body)


@routes.post("/export", Right.ACCESS_LIST_EXPORT, response_class=Response)
def export_batches(request: Request, ctx: Ctx, viewer: CurrentViewer, wanted: BatchSearch) -> Response:
    """The whole list as CSV. The ledger notes it with the count."""
    with ctx.database.read() as connection:
        filters = _batch_filters(connection, wanted)
    return export(ctx, viewer, BATCHES, filters, EVERYTHING, language_of(request))


def _batch_filters(connection: Connection, wanted: BatchSearch) -> BatchFilters:
    zone = zone_of(connection)
    return BatchFilters(
        name=wanted.name or None,
        state=wanted.state,
        is_even=wanted.balanced,
        unit_id=unit_id_by_code(connection, wanted.unit_code) if wanted.unit_code else None,
        opened_by=wanted.sender_id,
        opened_from=day_begins(wanted.opened_from, zone),
        opened_before=day_ends(wanted.opened_until, zone),
    )


@routes.get("/{batch_id}", Right.INTAKE_BATCH_CREATE)
def show_batch(ctx: Ctx, viewer: CurrentViewer, batch_id: UUID) -> dict[str, Any]:
    """One batch with its balance."""
    with ctx.database.read() as connection:
        return batch_body(queries.get_batch(connection, viewer, batch_id))


@routes.post("/{batch_id}/close", Right.INTAKE_BATCH_CREATE)
def close(ctx: Ctx, viewer: CurrentViewer, batch_id: UUID) -> dict[str, Any]:
    """Closes a batch; it ends balanced or unbalanced."""
    return batch_body(close_batch(ctx, viewer, batch_id))


def batch_body(batch: Batch) -> dict[str, Any]:
    """A batch as JSON."""
    balance = batch.balance
    return {
        "id": str(batch.id),
        "name": batch.name,
        "state": batch.state.value,
        "opened_at": batch.opened_at.isoformat(),
        "closed_at": batch.closed_at.isoformat() if batch.closed_at else None,
        "balance": {
            "sheets_announced": balance.sheets_announced,
            "received": balance.received,
            "accepted": balance.accepted,
            "duplicate": balance.duplicate,
            "refused": balance.refused,
            "unsettled": balance.unsettled,
            "balanced": balance.is_balanced,
        },
    }
