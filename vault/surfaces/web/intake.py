"""Bringing scans in, batches, and the quarantine list."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from fastapi.concurrency import run_in_threadpool
from sqlalchemy import Connection
from starlette.datastructures import UploadFile
from starlette.requests import Request
from starlette.responses import Response

from vault.access.model import Viewer
from vault.access.queries import actor_names, all_units, organisation
from vault.access.rights import Right
from vault.catalogue.classification import all_classes
from vault.foundation.errors import N_, VaultError
from vault.foundation.ids import new_id
from vault.foundation.ledger.queries import entries_of_subject
from vault.foundation.storage.probe import MESSAGES
from vault.intake import queries
from vault.intake.batches import close_batch, open_batch
from vault.intake.model import Batch, BatchState, Item, ItemStatus
from vault.intake.stores import newest_probe
from vault.surfaces.api.intake import finding_body, receive_spooled
from vault.surfaces.i18n import Language
from vault.surfaces.problems import BadRequest
from vault.surfaces.routing import Ctx, CurrentViewer, Routes
from vault.surfaces.uploads import metadata_from, spool
from vault.surfaces.web.pages import actor_name, form_with, go, language_for, page, paging, speaker, timeline
from vault.surfaces.web.views import labels
from vault.surfaces.web.views.intake import (
    Balance,
    BatchFilter,
    BatchItem,
    BatchListView,
    BatchRow,
    BatchView,
    ClassOption,
    IntakeView,
    QuarantineFilter,
    QuarantineListView,
    QuarantineRow,
)
from vault.surfaces.web.views.parts import Action, ActorName, Choices, Form, Link, Option

routes = Routes("", "pages", in_schema=False)
ACCEPTED_TYPES = "TIFF · JPEG · PNG · JPEG 2000 · PDF"
_SIZE = 50
_DESCRIPTION = ("business_type", "business_number", "customer_name", "handler", "occurred_date")


@routes.get("/intake", Right.INTAKE_ITEM_SEND, response_class=Response)
def intake_page(request: Request, ctx: Ctx, viewer: CurrentViewer, batch: UUID | None = None) -> Response:
    """The drop zone."""
    return page(request, "intake.html", _intake_view(request, ctx, viewer, None, batch), current="intake")


@routes.post("/intake", Right.INTAKE_ITEM_SEND, response_class=Response)
async def send_without_script(request: Request, ctx: Ctx, viewer: CurrentViewer) -> Response:
    """Takes in files from the form itself, where no script runs."""
    form = await request.form()
    values = {name: value.strip() for name, value in form.items() if isinstance(value, str)}
    files = [file for file in form.getlist("files") if isinstance(file, UploadFile) and file.filename]
    try:
        if not files:
            raise BadRequest(problem="no file was chosen")
        batch_id = await run_in_threadpool(_batch_for, ctx, viewer, values)
        for file in files:
            await _receive(request, ctx, viewer, values, batch_id, file)
    except VaultError as error:
        view = _intake_view(request, ctx, viewer, form_with(request, values, error, "files"), None)
        return page(request, "intake.html", view, current="intake", status=error.status)
    return go(f"/batches/{batch_id}" if batch_id else "/records")


def _batch_for(ctx: Ctx, viewer: Viewer, values: dict[str, str]) -> UUID | None:
    if values.get("batch_id"):
        return UUID(values["batch_id"])
    if not values.get("batch_name"):
        return None
    sheets = values.get("sheets_announced", "")
    return open_batch(ctx, viewer, values["batch_name"], int(sheets) if sheets.isdigit() else None).id


async def _receive(
    request: Request, ctx: Ctx, viewer: Viewer, values: dict[str, str], batch_id: UUID | None, file: UploadFile
) -> None:
    told: dict[str, Any] = {name: values[name] for name in _DESCRIPTION if values.get(name)}
    told |= {"class_code": values.get("class_code", ""), "file_name": file.filename}
    told |= {"batch_id": str(batch_id)} if batch_id else {}
    told |= {"unit_code": values["unit_code"]} if values.get("unit_code") else {}

    async def chunks() -> AsyncIterator[bytes]:
        while chunk := await file.read(1 << 20):
            yield chunk

    spooled = await spool(chunks(), ctx.spool_directory, request.app.state.upload_bytes_max, None)
    await run_in_threadpool(receive_spooled, ctx, viewer, f"web-{new_id()}", metadata_from(told), spooled)


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
        rows = _batch_rows(request, connection, found[:_SIZE])
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


@routes.get("/batches/{batch_id}", Right.INTAKE_BATCH_CREATE, response_class=Response)
def batch_page(
    request: Request, ctx: Ctx, viewer: CurrentViewer, batch_id: UUID, after: UUID | None = None
) -> Response:
    """One batch with its balance and items."""
    with ctx.database.read() as connection:
        batch = queries.get_batch(connection, viewer, batch_id)
        items = queries.list_items(connection, units=viewer.units, batch_id=batch_id, after=after, size=_SIZE + 1)
        story = timeline(connection, request, entries_of_subject(connection, batch_id))
        sender = _batch_rows(request, connection, (batch,))[0].sender
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
        balance=_balance(batch),
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


def _intake_view(request: Request, ctx: Ctx, viewer: Viewer, form: Form | None, batch: UUID | None) -> IntakeView:
    english = language_for(request) is Language.EN
    with ctx.database.read() as connection:
        classes = all_classes(connection)
        units = [unit for unit in all_units(connection) if viewer.may_see_unit(unit.id)]
        probe = newest_probe(connection, ctx.store.name)
        recent = _batch_rows(request, connection, queries.list_batches(connection, units=viewer.units, size=5))
        into = queries.get_batch(connection, viewer, batch) if batch else None
        zone = ZoneInfo(organisation(connection).time_zone)
    now = ctx.clock.now().astimezone(zone)
    proposed = {"batch_name": f"{now:%Y-%m-%d %H:%M}", "batch_id": str(batch or "")}
    lies = probe.lies if probe else ("bucket-locked",)
    return IntakeView(
        classes=tuple(ClassOption(k.code, k.name_en if english else k.name_zh, k.period_code) for k in classes),
        units=tuple(Option(unit.code, unit.name_en if english else unit.name_zh) for unit in units),
        accepted_types=ACCEPTED_TYPES,
        upload_bytes_max=request.app.state.upload_bytes_max,
        batches_href="/api/v1/batches",
        form=form or Form(proposed),
        batch=Link(into.name, f"/batches/{into.id}") if into else None,
        stopped_because=tuple(MESSAGES.get(lie, lie) for lie in lies),
        recent=recent,
    )


def _batch_rows(request: Request, connection: Connection, found: tuple[Batch, ...]) -> tuple[BatchRow, ...]:
    names = actor_names(connection, [batch.opened_by for batch in found])
    return tuple(
        BatchRow(
            id=str(batch.id),
            name=batch.name,
            href=f"/batches/{batch.id}",
            state=batch.state.value,
            sender=_sender(request, batch.opened_by, names),
            opened_at=batch.opened_at,
            balance=_balance(batch),
        )
        for batch in found
    )


def _sender(request: Request, sender_id: UUID, names: dict[UUID, str]) -> ActorName:
    return actor_name(request, "person" if sender_id in names else "operator", sender_id, names)


def _balance(batch: Batch) -> Balance:
    of = batch.balance
    return Balance(of.sheets_announced, of.received, of.accepted, of.refused, of.duplicate)


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
        sender=_sender(request, item.sender_id, names),
        refused_at=item.received_at,
        batch=Link(str(item.batch_id), f"/batches/{item.batch_id}") if item.batch_id else None,
    )
