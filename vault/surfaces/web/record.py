"""One record's page, its images, its original, its verification."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID
from zoneinfo import ZoneInfo

from fastapi import Form as Field
from starlette.requests import Request
from starlette.responses import Response

from vault.access.queries import organisation
from vault.access.rights import Right
from vault.catalogue import reading
from vault.catalogue.errors import ReasonNeeded
from vault.catalogue.model import ComponentKind, RecordStatus
from vault.catalogue.queries import get_record
from vault.foundation.errors import N_
from vault.intake.jobs import render_again
from vault.intake.queries import is_rendering
from vault.intake.renditions.watermark import watermark
from vault.oversight.record_check import verify_record
from vault.retention import filing
from vault.retention.queries import filing_of
from vault.surfaces.bytes_out import stream_bytes
from vault.surfaces.i18n import Formats, translator
from vault.surfaces.routing import Ctx, CurrentViewer, Routes
from vault.surfaces.web.pages import form_with, go, language_for, page, speaker
from vault.surfaces.web.record_around import around_record, back_to
from vault.surfaces.web.record_view import record_view
from vault.surfaces.web.rendering import SECURITY_HEADERS
from vault.surfaces.web.views.parts import Notice

routes = Routes("", "pages", in_schema=False)
Text = Annotated[str, Field()]
_DONE = {
    "described": N_("The correction is kept. The old values stay readable below."),
    "verified": N_("The record was verified; the outcome stands below."),
    "filed": N_("The record is being filed: its locks are set in a moment."),
    "stopped": N_("Filing was stopped; the record is to be filed as before."),
}


@routes.get("/records/{record_id}", Right.RECORDS_RECORD_READ, response_class=Response)
def record_page(request: Request, ctx: Ctx, viewer: CurrentViewer, record_id: UUID, done: str = "") -> Response:
    """One record. Opening it is noted in the ledger."""
    around = around_record(request, ctx, viewer, record_id)
    reading.witness_viewing(ctx, viewer, record_id)
    wanted = request.query_params.get("page", "")
    view = record_view(around, current=int(wanted) if wanted.isdigit() else 1)
    is_told = done in _DONE and not (done == "filed" and around.record.status is RecordStatus.FILED)
    notices = (Notice(speaker(request).gettext(_DONE[done])),) if is_told else ()
    return page(request, "record.html", view, current="records", notices=notices)


@routes.post("/records/{record_id}/unmask", Right.RECORDS_FIELD_UNMASK, response_class=Response)
def unmask(request: Request, ctx: Ctx, viewer: CurrentViewer, record_id: UUID, reason: Text = "") -> Response:
    """Shows the personal fields in full, once, for a reason that the ledger keeps."""
    around = around_record(request, ctx, viewer, record_id)
    try:
        clear = {
            (field.kind, field.ordinal): reading.unmask(ctx, viewer, record_id, field.kind, field.ordinal, reason)
            for field in around.record.personal
        }
    except ReasonNeeded as error:
        view = record_view(around, unmask_form=form_with(request, {"reason": reason}, error, "reason"))
        return page(request, "record.html", view, current="records", status=422)
    shown = speaker(request).gettext(N_("The whole numbers are shown this once; the ledger has recorded it."))
    view = record_view(around_record(request, ctx, viewer, record_id), clear=clear)
    return page(request, "record.html", view, current="records", notices=(Notice(shown, "warn"),))


@routes.post("/records/{record_id}/verify", Right.RECORDS_RECORD_VERIFY, response_class=Response)
def verify(request: Request, ctx: Ctx, viewer: CurrentViewer, record_id: UUID) -> Response:
    """Verifies the record now and shows the outcome on its page."""
    verify_record(ctx, viewer, record_id)
    return go(f"{back_to(request, ctx, record_id, done='verified')}#verified")


@routes.get("/records/{record_id}/file", Right.RETENTION_RECORD_FILE, response_class=Response)
def file_page(request: Request, ctx: Ctx, viewer: CurrentViewer, record_id: UUID) -> Response:
    """What filing the record would do, with its pages beside: nobody can take the lock back."""
    around = around_record(request, ctx, viewer, record_id)
    reading.witness_viewing(ctx, viewer, record_id)
    wanted = request.query_params.get("page", "")
    view = record_view(around, current=int(wanted) if wanted.isdigit() else 1, is_filing=True)
    return page(request, "record.html", view, current="records")


@routes.post("/records/{record_id}/file", Right.RETENTION_RECORD_FILE, response_class=Response)
def file_record(request: Request, ctx: Ctx, viewer: CurrentViewer, record_id: UUID) -> Response:
    """Files the record; its locks are set in the background."""
    filing.file(ctx, viewer, [record_id])
    return go(back_to(request, ctx, record_id, done="filed"))


@routes.post("/records/{record_id}/file/stop", Right.RETENTION_RECORD_FILE, response_class=Response)
def stop_filing(request: Request, ctx: Ctx, viewer: CurrentViewer, record_id: UUID) -> Response:
    """Takes the filing back, for as long as no lock is being set."""
    filing.stop_filing(ctx, viewer, record_id)
    return go(back_to(request, ctx, record_id, done="stopped"))


@routes.post("/records/{record_id}/render", Right.INTAKE_ITEM_SEND, response_class=Response)
def render_once_more(request: Request, ctx: Ctx, viewer: CurrentViewer, record_id: UUID) -> Response:
    """Has the page images tried again that could not be made."""
    render_again(ctx, viewer, record_id)
    return go(back_to(request, ctx, record_id))


@routes.get("/records/{record_id}/pages/{number}.jpg", Right.RECORDS_RECORD_READ, response_class=Response)
def page_image(request: Request, ctx: Ctx, viewer: CurrentViewer, record_id: UUID, number: int) -> Response:
    """A page with the viewer's name and the time across it."""
    _, data = reading.read_rendition(ctx, viewer, record_id, ComponentKind.PAGE, number)
    with ctx.database.read() as connection:
        home = organisation(connection)
    formats = Formats(translator(language_for(request)), ZoneInfo(home.time_zone))
    lines = (f"{viewer.name} {home.name}".strip(), formats.instant(ctx.clock.now()))
    return _image(watermark(data, lines))


@routes.get("/records/{record_id}/thumbs/{number}.jpg", Right.RECORDS_RECORD_READ, response_class=Response)
def thumbnail(ctx: Ctx, viewer: CurrentViewer, record_id: UUID, number: int) -> Response:
    """A thumbnail."""
    return _image(reading.read_rendition(ctx, viewer, record_id, ComponentKind.THUMBNAIL, number)[1])


@routes.get("/records/{record_id}/original", Right.RECORDS_ORIGINAL_FETCH, response_class=Response)
def original(request: Request, ctx: Ctx, viewer: CurrentViewer, record_id: UUID) -> Response:
    """The original as it came in; fetching it is noted in the ledger."""
    _, component, content = reading.open_original(ctx, viewer, record_id)
    response = stream_bytes(content, component, str(record_id), request.headers.get("range"))
    response.headers.update(SECURITY_HEADERS)
    return response


@routes.get("/records/{record_id}/progress", Right.RECORDS_RECORD_READ)
def rendering_progress(request: Request, ctx: Ctx, viewer: CurrentViewer, record_id: UUID) -> dict[str, Any]:
    """Whether the pages are there yet and the record is filed, for the page that waits for either."""
    with ctx.database.read() as connection:
        record = get_record(connection, viewer, record_id)
        asked = filing_of(connection, record_id) if record.status is RecordStatus.RECEIVED else None
        state = is_rendering(connection, record_id) or ("being_filed" if asked else None)
    text = speaker(request).gettext(N_("Page images are being made"))
    return {"state": state or "done", "done": int(state is None), "total": 1, "text": text, "is_ended": state is None}


def _image(data: bytes) -> Response:
    headers = {**SECURITY_HEADERS, "Cache-Control": "private, no-store"}
    return Response(data, media_type="image/jpeg", headers=headers)
