"""The quarantine: what was refused and why, and what was done about it."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any
from uuid import UUID

from fastapi import Query, Request
from pydantic import BaseModel, Field
from sqlalchemy import Connection
from starlette.responses import Response

from vault.access.queries import unit_id_by_code
from vault.access.rights import Right
from vault.foundation.bulk import ACT_MAX
from vault.foundation.db.keyset import EVERYTHING
from vault.intake import quarantine
from vault.intake.model import Handling, Item, ItemStatus, QuarantineState
from vault.intake.quarantine import QuarantineFilters
from vault.surfaces.api.intake import finding_body
from vault.surfaces.api.lists import PageAsked, outcome_body, page_body
from vault.surfaces.i18n import Language
from vault.surfaces.lists.csv_file import export
from vault.surfaces.lists.intake import QUARANTINE
from vault.surfaces.lists.listing import day_begins, day_ends, zone_of
from vault.surfaces.problems import language_of
from vault.surfaces.routing import Ctx, CurrentViewer, Routes

routes = Routes("/quarantine", "intake")


class QuarantineAsked(PageAsked):
    """Which refused items: those for which all that is given holds. Days are the organisation's."""

    state: QuarantineState | None = None
    reason: str | None = None
    unit_code: str | None = None
    sender_id: UUID | None = None
    batch_id: UUID | None = None
    received_from: date | None = None
    received_until: date | None = None


class QuarantineSearch(QuarantineAsked):
    """Also by part of the file's name: in the body, because it may name a person and must not stand in an address."""

    file_name: str | None = None


@routes.get("", Right.INTAKE_QUARANTINE_READ)
def list_quarantine(
    request: Request, ctx: Ctx, viewer: CurrentViewer, wanted: Annotated[QuarantineAsked, Query()]
) -> dict[str, Any]:
    """Refused items with their reasons, newest first."""
    return search_quarantine(request, ctx, viewer, QuarantineSearch(**wanted.model_dump()))


@routes.post("/search", Right.INTAKE_QUARANTINE_READ)
def search_quarantine(request: Request, ctx: Ctx, viewer: CurrentViewer, wanted: QuarantineSearch) -> dict[str, Any]:
    """Refused items with their reasons, newest first, also by part of the file's name."""
    language = language_of(request)
    with ctx.database.read() as connection:
        question = QUARANTINE.ask(ctx, connection, viewer, _quarantine_filters(connection, wanted), EVERYTHING)
        return page_body("items", question, wanted, lambda item: item_body(item, language))


@routes.post("/export", Right.ACCESS_LIST_EXPORT, response_class=Response)
def export_quarantine(request: Request, ctx: Ctx, viewer: CurrentViewer, wanted: QuarantineSearch) -> Response:
    """The whole list as CSV. The ledger notes it with the count."""
    with ctx.database.read() as connection:
        filters = _quarantine_filters(connection, wanted)
    return export(ctx, viewer, QUARANTINE, filters, EVERYTHING, language_of(request))


def _quarantine_filters(connection: Connection, wanted: QuarantineSearch) -> QuarantineFilters:
    zone = zone_of(connection)
    return QuarantineFilters(
        text=wanted.file_name or None,
        state=wanted.state,
        reason=wanted.reason,
        unit_id=unit_id_by_code(connection, wanted.unit_code) if wanted.unit_code else None,
        sender_id=wanted.sender_id,
        batch_id=wanted.batch_id,
        received_from=day_begins(wanted.received_from, zone),
        received_before=day_ends(wanted.received_until, zone),
    )


class Handled(BaseModel):
    """Refused items, and what was done about them."""

    item_ids: list[UUID] = Field(min_length=1, max_length=ACT_MAX)
    handling: Handling
    note: str = ""


class Reopened(BaseModel):
    """Refused items that are to wait again."""

    item_ids: list[UUID] = Field(min_length=1, max_length=ACT_MAX)


@routes.post("/handle", Right.INTAKE_QUARANTINE_HANDLE)
def handle_items(request: Request, ctx: Ctx, viewer: CurrentViewer, told: Handled) -> dict[str, Any]:
    """Takes refused items off the list of what waits; says which were not, and why."""
    return outcome_body(quarantine.handle(ctx, viewer, told.item_ids, told.handling, told.note), request)


@routes.post("/reopen", Right.INTAKE_QUARANTINE_HANDLE)
def reopen_items(request: Request, ctx: Ctx, viewer: CurrentViewer, told: Reopened) -> dict[str, Any]:
    """Puts refused items back on the list of what waits."""
    return outcome_body(quarantine.reopen(ctx, viewer, told.item_ids), request)


def item_body(item: Item, language: Language) -> dict[str, Any]:
    """An item as JSON."""
    return {
        "item_id": str(item.id),
        "batch_id": str(item.batch_id) if item.batch_id else None,
        "file_name": item.file_name,
        "size_bytes": item.size_bytes,
        "media_type": item.media_type,
        "class_code": item.class_code,
        "status": item.status.value,
        "record_id": str(item.record_id) if item.record_id else None,
        "received_at": item.received_at.isoformat(),
        "state": item.quarantine_state.value if item.status is ItemStatus.REFUSED else None,
        "handled_at": item.handled_at.isoformat() if item.handled_at else None,
        "handling": item.handling.value if item.handling else None,
        "handling_note": item.handling_note,
        "findings": [finding_body(finding, language) for finding in item.findings],
    }
