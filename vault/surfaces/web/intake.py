"""Bringing scans in."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from fastapi.concurrency import run_in_threadpool
from starlette.datastructures import UploadFile
from starlette.requests import Request
from starlette.responses import Response

from vault.access.model import Viewer
from vault.access.queries import all_units, organisation
from vault.access.rights import Right
from vault.foundation.errors import VaultError
from vault.foundation.ids import new_id
from vault.foundation.storage.probe import MESSAGES
from vault.intake import queries
from vault.intake.batches import open_batch
from vault.intake.stores import newest_probe
from vault.retention.queries import classes_in_effect
from vault.surfaces.api.intake import receive_spooled
from vault.surfaces.i18n import Language
from vault.surfaces.problems import BadRequest
from vault.surfaces.routing import Ctx, CurrentViewer, Routes
from vault.surfaces.uploads import metadata_from, spool
from vault.surfaces.web.batches import batch_rows
from vault.surfaces.web.pages import form_with, go, language_for, page
from vault.surfaces.web.views.intake import (
    ClassOption,
    IntakeView,
)
from vault.surfaces.web.views.parts import Form, Link, Option

routes = Routes("", "pages", in_schema=False)
ACCEPTED_TYPES = "TIFF · JPEG · PNG · JPEG 2000 · PDF"
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


def _intake_view(request: Request, ctx: Ctx, viewer: Viewer, form: Form | None, batch: UUID | None) -> IntakeView:
    english = language_for(request) is Language.EN
    with ctx.database.read() as connection:
        classes = classes_in_effect(connection, ctx.clock.now())
        units = [unit for unit in all_units(connection) if viewer.may_see_unit(unit.id)]
        probe = newest_probe(connection, ctx.store.name)
        recent = batch_rows(request, connection, queries.list_batches(connection, units=viewer.units, size=5))
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
