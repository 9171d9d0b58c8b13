"""The quarantine: what was refused, and why."""

from __future__ import annotations

from uuid import UUID

from starlette.requests import Request
from starlette.responses import Response

from vault.access.queries import actor_names
from vault.access.rights import Right
from vault.intake import queries
from vault.intake.model import Item, ItemStatus
from vault.surfaces.api.intake import finding_body
from vault.surfaces.routing import Ctx, CurrentViewer, Routes
from vault.surfaces.web.batches import sender_name
from vault.surfaces.web.pages import language_for, page, paging
from vault.surfaces.web.views.intake import (
    QuarantineFilter,
    QuarantineListView,
    QuarantineRow,
)
from vault.surfaces.web.views.parts import Choices, Link

routes = Routes("", "pages", in_schema=False)
_SIZE = 50


@routes.get("/quarantine", Right.INTAKE_QUARANTINE_READ, response_class=Response)
def quarantine_page(request: Request, ctx: Ctx, viewer: CurrentViewer, after: UUID | None = None) -> Response:
    """Refused items with their reasons."""
    with ctx.database.read() as connection:
        items = queries.list_items(
            connection, units=viewer.units, status=ItemStatus.REFUSED, after=after, size=_SIZE + 1
        )
        total = queries.count_items(connection, viewer.units, ItemStatus.REFUSED)
        names = actor_names(connection, [item.sender_id for item in items])
    shown = items[:_SIZE]
    more = shown[-1].id if len(items) > _SIZE else None
    view = QuarantineListView(
        filter=QuarantineFilter(),
        choices=Choices(),
        rows=tuple(_quarantine_row(request, item, names) for item in shown),
        paging=paging("/quarantine", {}, total=total, shown=len(shown), before=after, after=more),
    )
    return page(request, "quarantine.html", view, current="quarantine")


def _quarantine_row(request: Request, item: Item, names: dict[UUID, str]) -> QuarantineRow:
    said = [finding_body(finding, language_for(request)) for finding in item.findings]
    refusing = [finding for finding in said if finding["severity"] == "refuse"]
    return QuarantineRow(
        id=str(item.id),
        file_name=item.file_name or str(item.id),
        reason_code=str(refusing[0]["code"]) if refusing else "",
        reasons=tuple(str(finding["message"]) for finding in refusing),
        advice=str(refusing[0]["hint"]) if refusing else "",
        size_bytes=item.size_bytes,
        media_type=item.media_type or "",
        sha256_hex=item.sha256.hex(),
        sender=sender_name(request, item.sender_id, names),
        refused_at=item.received_at,
        batch=Link(str(item.batch_id), f"/batches/{item.batch_id}") if item.batch_id else None,
    )
