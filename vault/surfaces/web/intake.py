"""Bringing scans in."""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from fastapi.concurrency import run_in_threadpool
from starlette.datastructures import UploadFile
from starlette.requests import Request
from starlette.responses import Response

from vault.access.model import Viewer
from vault.access.queries import all_units, organisation, unit_id_by_code
from vault.access.rights import Right
from vault.foundation.db.keyset import Span
from vault.foundation.errors import N_, InvalidInput, VaultError
from vault.foundation.ids import new_id
from vault.foundation.storage.probe import MESSAGES
from vault.intake import queries
from vault.intake.batches import BatchFilters, find_batches, open_batch
from vault.intake.model import Receipt
from vault.intake.stores import newest_probe
from vault.retention.queries import classes_in_effect
from vault.surfaces.api.intake import finding_body, receive_spooled
from vault.surfaces.i18n import Language
from vault.surfaces.law_words import period_code_in_words
from vault.surfaces.routing import Ctx, CurrentViewer, Routes
from vault.surfaces.uploads import metadata_from, spool
from vault.surfaces.web.batches import batch_rows
from vault.surfaces.web.pages import form_with, go, language_for, page, speaker
from vault.surfaces.web.views.parts import Form, Link, Option
from vault.surfaces.web.views.sending import (
    ClassOption,
    IntakeView,
    SentFile,
)

routes = Routes("", "pages", in_schema=False)
ACCEPTED_TYPES = "TIFF · JPEG · PNG · JPEG 2000 · PDF"
_DESCRIPTION = ("business_type", "business_number", "customer_name", "handler", "occurred_date")


@routes.get("/intake", Right.INTAKE_ITEM_SEND, response_class=Response)
def intake_page(request: Request, ctx: Ctx, viewer: CurrentViewer, batch: UUID | None = None) -> Response:
    """The drop zone."""
    return page(request, "intake.html", _intake_view(request, ctx, viewer, None, batch), current="intake")


@routes.post("/intake", Right.INTAKE_ITEM_SEND, response_class=Response)
async def send_without_script(request: Request, ctx: Ctx, viewer: CurrentViewer) -> Response:
    """Takes in files from the form itself, where no script runs: each has its own outcome."""
    form = await request.form()
    values = {name: value.strip() for name, value in form.items() if isinstance(value, str)}
    files = [file for file in form.getlist("files") if isinstance(file, UploadFile) and file.filename]
    try:
        if not files:
            raise InvalidInput(field="files", problem=N_("choose at least one"))
        batch_id = await run_in_threadpool(_batch_for, ctx, viewer, values)
    except VaultError as error:
        view = _intake_view(request, ctx, viewer, form_with(request, values, error, "files"), None)
        return page(request, "intake.html", view, current="intake", status=error.status)
    sent = [await _outcome(request, ctx, viewer, values, batch_id, file) for file in files]
    is_whole = all(one.state in {"accepted", "duplicate"} for one in sent)
    if is_whole and batch_id:
        return go(f"/batches/{batch_id}")
    view = _intake_view(request, ctx, viewer, Form(values), batch_id, tuple(sent))
    return page(request, "intake.html", view, current="intake", status=200 if is_whole else 422)


def _batch_for(ctx: Ctx, viewer: Viewer, values: dict[str, str]) -> UUID | None:
    if values.get("batch_id"):
        return UUID(values["batch_id"])
    if not values.get("batch_name"):
        return None
    sheets, unit_id = values.get("sheets_announced", ""), None
    if values.get("unit_code"):
        with ctx.database.read() as connection:
            unit_id = unit_id_by_code(connection, values["unit_code"])
    return open_batch(ctx, viewer, values["batch_name"], int(sheets) if sheets.isdigit() else None, unit_id).id


async def _outcome(
    request: Request, ctx: Ctx, viewer: Viewer, values: dict[str, str], batch_id: UUID | None, file: UploadFile
) -> SentFile:
    """What became of one file; an error of one is no reason to leave out the others."""
    name = file.filename or ""
    try:
        receipt = await _receive(request, ctx, viewer, values, batch_id, file)
    except VaultError as error:
        said = speaker(request).explain(error)
        return SentFile(name, "failed", told=((said.what_happened, said.what_to_do),))
    found = [finding_body(finding, language_for(request)) for finding in receipt.findings]
    return SentFile(
        file_name=name,
        state=receipt.status.value,
        record=Link("", f"/records/{receipt.record_id}") if receipt.record_id else None,
        told=tuple((str(finding["message"]), str(finding["hint"])) for finding in found),
    )


async def _receive(
    request: Request, ctx: Ctx, viewer: Viewer, values: dict[str, str], batch_id: UUID | None, file: UploadFile
) -> Receipt:
    told: dict[str, Any] = {name: values[name] for name in _DESCRIPTION if values.get(name)}
    told |= {"class_code": values.get("class_code", ""), "file_name": file.filename}
    told |= {"batch_id": str(batch_id)} if batch_id else {}
    told |= {"unit_code": values["unit_code"]} if values.get("unit_code") else {}

    async def chunks() -> AsyncIterator[bytes]:
        while chunk := await file.read(1 << 20):
            yield chunk

    spooled = await spool(chunks(), ctx.spool_directory, request.app.state.upload_bytes_max, None)
    return await run_in_threadpool(receive_spooled, ctx, viewer, f"web-{new_id()}", metadata_from(told), spooled)


def _intake_view(
    request: Request,
    ctx: Ctx,
    viewer: Viewer,
    form: Form | None,
    batch: UUID | None,
    sent: tuple[SentFile, ...] = (),
) -> IntakeView:
    english = language_for(request) is Language.EN
    with ctx.database.read() as connection:
        classes = classes_in_effect(connection, ctx.clock.now())
        units = [unit for unit in all_units(connection) if viewer.may_see_unit(unit.id)]
        probe = newest_probe(connection, ctx.store.name)
        newest = find_batches(connection, BatchFilters(), Span(size=5), units=viewer.units)
        recent = batch_rows(request, connection, newest.lines)
        into = queries.get_batch(connection, viewer, batch) if batch else None
        zone = ZoneInfo(organisation(connection).time_zone)
        taken = queries.open_names(connection, viewer.id)
    say = speaker(request)
    now = ctx.clock.now().astimezone(zone)
    proposed = {"batch_name": _free_name(f"{now:%Y-%m-%d %H:%M}", taken), "batch_id": str(batch or "")}
    lies = probe.lies if probe else ("bucket-locked",)
    return IntakeView(
        classes=tuple(
            ClassOption(k.code, k.name_en if english else k.name_zh, period_code_in_words(say, k.period_code))
            for k in classes
        ),
        units=tuple(Option(unit.code, unit.name_en if english else unit.name_zh) for unit in units),
        accepted_types=ACCEPTED_TYPES,
        upload_bytes_max=request.app.state.upload_bytes_max,
        person_key=hashlib.sha256(viewer.id.bytes).hexdigest()[:16],
        form=Form({**proposed, **form.values}, form.errors) if form else Form(proposed),
        sent=sent,
        batch=Link(into.name, f"/batches/{into.id}") if into else None,
        stopped_because=tuple(MESSAGES.get(lie, lie) for lie in lies),
        recent=recent,
    )


def _free_name(name: str, taken: frozenset[str]) -> str:
    """A name under which no batch of the sender is open: another pile of the same minute is another batch."""
    names = itertools.chain([name], (f"{name} ({number})" for number in itertools.count(2)))
    return next(free for free in names if free not in taken)
