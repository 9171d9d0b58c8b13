"""The list of batches."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response

from vault.access.queries import actor_names
from vault.access.rights import Right
from vault.foundation.errors import N_
from vault.intake import queries
from vault.intake.model import Batch, BatchState
from vault.surfaces.routing import Ctx, CurrentViewer, Routes
from vault.surfaces.web.pages import actor_name, page, paging, speaker
from vault.surfaces.web.views import labels
from vault.surfaces.web.views.intake import (
    Balance,
    BatchFilter,
    BatchListView,
    BatchRow,
)
from vault.surfaces.web.views.parts import Action, ActorName, Choices, Option

routes = Routes("", "pages", in_schema=False)
_SIZE = 50


@routes.get("/batches", Right.INTAKE_BATCH_CREATE, response_class=Response)
def batches_page(
    request: Request, ctx: Ctx, viewer: CurrentViewer, q: str = "", state: str = "", after: UUID | None = None
) -> Response:
    """The list of batches."""
    wanted = BatchState(state) if state in set(BatchState) else None
    with ctx.database.read() as connection:
        found = queries.list_batches(
            connection, units=viewer.units, name=q or None, state=wanted, after=after, size=_SIZE + 1
        )
        rows = batch_rows(request, connection, found[:_SIZE])
    say = speaker(request).gettext
    states = tuple(
        Option(value, say(word))
        for value, word in (
            ("open", N_("Receiving")),
            ("balanced", N_("Balanced")),
            ("unbalanced", N_("Not balanced")),
        )
    )
    more = found[_SIZE - 1].id if len(found) > _SIZE else None
    view = BatchListView(
        filter=BatchFilter(q=q, state=state),
        choices=Choices({"state": states}),
        rows=rows,
        paging=paging(
            "/batches", {"q": q, "state": state}, total=len(rows), shown=len(rows), before=after, after=more
        ),
        actions=(Action(labels.SEND_SCANS, "/intake", tone="primary"),),
    )
    return page(request, "batches.html", view, current="batches")


def batch_rows(request: Request, connection: Connection, found: tuple[Batch, ...]) -> tuple[BatchRow, ...]:
    """Batches as rows, with their senders by name."""
    names = actor_names(connection, [batch.opened_by for batch in found])
    return tuple(
        BatchRow(
            id=str(batch.id),
            name=batch.name,
            href=f"/batches/{batch.id}",
            state=batch.state.value,
            sender=sender_name(request, batch.opened_by, names),
            opened_at=batch.opened_at,
            balance=balance_of(batch),
        )
        for batch in found
    )


def sender_name(request: Request, sender_id: UUID, names: dict[UUID, str]) -> ActorName:
    """Who sent it: a person or station by name, else the operator of the host."""
    return actor_name(request, "person" if sender_id in names else "operator", sender_id, names)


def balance_of(batch: Batch) -> Balance:
    """The balance as the page shows it."""
    of = batch.balance
    return Balance(of.sheets_announced, of.received, of.accepted, of.refused, of.duplicate)
