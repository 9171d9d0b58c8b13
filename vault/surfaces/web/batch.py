"""One batch: its balance, its items, its story."""

from __future__ import annotations

from uuid import UUID

from starlette.requests import Request
from starlette.responses import Response

from vault.access.rights import Right
from vault.foundation.ledger.queries import entries_of_subject
from vault.intake import queries
from vault.intake.batches import close_batch
from vault.intake.model import Batch, BatchState, Item
from vault.surfaces.api.intake import finding_body
from vault.surfaces.i18n import Language
from vault.surfaces.routing import Ctx, CurrentViewer, Routes
from vault.surfaces.web.batches import balance_of, batch_rows
from vault.surfaces.web.pages import go, language_for, page, paging, timeline
from vault.surfaces.web.views import labels
from vault.surfaces.web.views.intake import (
    BatchItem,
    BatchView,
)
from vault.surfaces.web.views.parts import Action, Link

routes = Routes("", "pages", in_schema=False)
_SIZE = 50


@routes.get("/batches/{batch_id}", Right.INTAKE_BATCH_CREATE, response_class=Response)
def batch_page(
    request: Request, ctx: Ctx, viewer: CurrentViewer, batch_id: UUID, after: UUID | None = None
) -> Response:
    """One batch with its balance and items."""
    with ctx.database.read() as connection:
        batch = queries.get_batch(connection, viewer, batch_id)
        items = queries.list_items(connection, units=viewer.units, batch_id=batch_id, after=after, size=_SIZE + 1)
        story = timeline(connection, request, entries_of_subject(connection, batch_id))
        sender = batch_rows(request, connection, (batch,))[0].sender
    shown = items[:_SIZE]
    more = shown[-1].id if len(items) > _SIZE else None
    view = BatchView(
        id=str(batch.id),
        name=batch.name,
        state=batch.state.value,
        class_name=", ".join(sorted({item.class_code for item in shown})),
        sender=sender,
        opened_at=batch.opened_at,
        closed_at=batch.closed_at,
        balance=balance_of(batch),
        items=tuple(_batch_item(item, language_for(request)) for item in shown),
        paging=paging(
            f"/batches/{batch.id}", {}, total=batch.balance.received, shown=len(shown), before=after, after=more
        ),
        timeline=story,
        actions=_batch_actions(batch),
    )
    return page(request, "batch.html", view, current="batches")


@routes.post("/batches/{batch_id}/close", Right.INTAKE_BATCH_CREATE, response_class=Response)
def close(ctx: Ctx, viewer: CurrentViewer, batch_id: UUID) -> Response:
    """Closes a batch."""
    close_batch(ctx, viewer, batch_id)
    return go(f"/batches/{batch_id}")


def _batch_item(item: Item, language: Language) -> BatchItem:
    said = [finding_body(finding, language) for finding in item.findings]
    return BatchItem(
        id=str(item.id),
        file_name=item.file_name or str(item.id),
        state=item.status.value,
        size_bytes=item.size_bytes,
        received_at=item.received_at,
        record=Link(str(item.record_id), f"/records/{item.record_id}") if item.record_id else None,
        reasons=tuple(str(f["message"]) for f in said if f["severity"] == "refuse"),
        warnings=tuple(str(f["message"]) for f in said if f["severity"] == "warn"),
    )


def _batch_actions(batch: Batch) -> tuple[Action, ...]:
    if batch.state is not BatchState.OPEN:
        return ()
    return (
        Action(labels.CLOSE_BATCH, f"/batches/{batch.id}/close", "post", "primary"),
        Action(labels.SEND_MORE, f"/intake?batch={batch.id}"),
    )
