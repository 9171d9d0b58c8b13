"""Reporting events: one, or a list; what would follow is shown before it is done, and the same is never done twice."""

from __future__ import annotations

import csv
import io
from urllib.parse import urlencode

from sqlalchemy import Connection
from starlette.datastructures import FormData, UploadFile
from starlette.requests import Request
from starlette.responses import Response

from vault.access.model import Viewer
from vault.access.rights import Right
from vault.foundation.context import Context
from vault.foundation.errors import N_, VaultError
from vault.foundation.ids import new_token
from vault.retention.book import read_book
from vault.retention.event_lists import COLUMNS, ReadList, read_list, report_list
from vault.retention.events import known_already, place_of
from vault.retention.foreseen import foresee
from vault.retention.model import RecordEvent
from vault.surfaces.i18n import Translator
from vault.surfaces.law_words import event_in_words
from vault.surfaces.routing import Ctx, CurrentViewer, Routes
from vault.surfaces.web import sealed_address
from vault.surfaces.web.events import consequence_of, event_options, event_page
from vault.surfaces.web.pages import form_with, go, page, speaker
from vault.surfaces.web.schedules import Sent
from vault.surfaces.web.views import events as views
from vault.surfaces.web.views.parts import BLANK, Choices, FieldError, Form, Link

routes = Routes("", "pages", in_schema=False)
_SHOWN_MAX = 200
_KEPT = "rows"
_PREVIEW = "/events/preview"
# What proxies usually let through in an address; and what is not worth trying to press into it.
_TOKEN_LENGTH_MAX, _TEXT_SEALED_MAX = 6_000, 200_000


@routes.get("/events/new", Right.RETENTION_EVENT_REPORT, response_class=Response)
def report_page(request: Request, ctx: Ctx, record: str = "") -> Response:
    """The forms: one event, or a list."""
    return _forms(request, ctx, Form({"record": record[:80]}))


@routes.post("/events/preview", Right.RETENTION_EVENT_REPORT, response_class=Response)
def preview(ctx: Ctx, form: Sent) -> Response:
    """What one event would do is shown at an address of its own, to which one may come back."""
    values = {name: str(form.get(name, "")).strip() for name in (*COLUMNS, "never")}
    return go(_address(sealed_address.seal(ctx, _PREVIEW, values)))


@routes.post("/events/preview-list", Right.RETENTION_EVENT_REPORT, response_class=Response)
def preview_list(request: Request, ctx: Ctx, viewer: CurrentViewer, form: Sent) -> Response:
    """What a list would do, line by line; one that is too long for an address is shown as it is sent."""
    try:
        text = _text_of(form)
    except UnicodeDecodeError:
        text = ""
    token = sealed_address.seal(ctx, _PREVIEW, {_KEPT: text}) if len(text) <= _TEXT_SEALED_MAX else ""
    if token and len(token) <= _TOKEN_LENGTH_MAX:
        return go(_address(token))
    return _shown(request, ctx, viewer, text)


@routes.get("/events/preview", Right.RETENTION_EVENT_REPORT, response_class=Response)
def previewed(request: Request, ctx: Ctx, viewer: CurrentViewer, of: str = "") -> Response:
    """What an event or a list would do; nothing is reported yet."""
    values = sealed_address.unseal(ctx, _PREVIEW, of)
    if _KEPT in values:
        return _shown(request, ctx, viewer, values[_KEPT])
    if not values:
        return go("/events/new")
    day = "never" if values["never"] else values["day"]
    text = _table([values["record"], values["event"], day, values["evidence"]])
    say = speaker(request)
    with ctx.database.read() as connection:
        told = read_list(ctx, connection, viewer, text)
        if told.problems:
            errors = tuple(FieldError(one.field, _sentence(say, one.problem)) for one in told.problems)
            return _forms(request, ctx, Form(values, errors))
        view = _preview(ctx, connection, say, told, text)
    return page(request, "event_preview.html", view, current="events")


@routes.post("/events", Right.RETENTION_EVENT_REPORT, response_class=Response)
def report(request: Request, ctx: Ctx, viewer: CurrentViewer, form: Sent) -> Response:
    """Does what was shown: the good lines, or all or none."""
    text, key = str(form.get(_KEPT, "")), str(form.get("client_key", ""))
    try:
        done = report_list(ctx, viewer, text, key, each=bool(form.get("each")))
    except VaultError as error:
        return _forms(request, ctx, list_form=form_with(request, {}, error, "file"))
    if done.report is None:
        return go("/events/new")
    told = "known" if done.report.is_repeated else "reported"
    return go(f"/events?report={done.report.id}&done={told}")


# After `/events/new`, which would be taken for an event's id.
routes.get("/events/{event_id}", Right.RETENTION_EVENT_READ, response_class=Response)(event_page)


def _forms(request: Request, ctx: Context, form: Form = BLANK, list_form: Form = BLANK) -> Response:
    with ctx.database.read() as connection:
        today = read_book(connection).day_of(ctx.clock.now())
    view = views.ReportView(Choices({"event": event_options(speaker(request))}), today, form, list_form)
    status = 422 if form.errors or list_form.errors else 200
    return page(request, "event_report.html", view, current="events", status=status)


def _address(token: str) -> str:
    return f"/events/preview?{urlencode({'of': token})}"


def _shown(request: Request, ctx: Context, viewer: Viewer, text: str) -> Response:
    say = speaker(request)
    if not text.strip():
        told_why = say.gettext(N_("Choose a file in UTF-8, or paste the lines."))
        return _forms(request, ctx, list_form=Form({}, (FieldError("file", told_why),)))
    with ctx.database.read() as connection:
        view = _preview(ctx, connection, say, read_list(ctx, connection, viewer, text), text)
    return page(request, "event_preview.html", view, current="events", status=422 if view.problems else 200)


def _text_of(form: FormData) -> str:
    """The lines of a list: of the file, or else those pasted. Raises UnicodeDecodeError."""
    file = form.get("file")
    if isinstance(file, UploadFile) and file.filename:
        return file.file.read().decode("utf-8-sig")
    return str(form.get("lines", ""))


def _table(cells: list[str]) -> str:
    out = io.StringIO()
    csv.writer(out).writerows([COLUMNS, cells])
    return out.getvalue()


def _preview(ctx: Context, connection: Connection, say: Translator, told: ReadList, text: str) -> views.PreviewView:
    there = known_already(connection, told.events)
    fresh = [event for event in told.events if place_of(event) not in there]
    found = foresee(connection, fresh, ctx.clock.now())
    # What becomes another is what a person must see; the rest follows as far as there is room.
    shown = sorted(found, key=lambda one: not one.is_changed)[:_SHOWN_MAX]
    return views.PreviewView(
        events_count=len(fresh),
        known=tuple(_link(say, event) for event in list(there.values())[:_SHOWN_MAX]),
        lines_count=told.lines,
        refused_count=told.refused,
        changed_count=sum(one.is_changed for one in found),
        consequences=tuple(consequence_of(say, one) for one in shown),
        problems=tuple(
            say.gettext(N_("line {line}: {problem}")).format(line=one.line, problem=_sentence(say, one.problem))
            for one in told.problems[:_SHOWN_MAX]
        ),
        text=text,
        client_key=new_token(18),
    )


def _link(say: Translator, event: RecordEvent) -> Link:
    day = event.day or say.gettext(N_("will never happen"))
    return Link(f"{event_in_words(say, event.name)} {day}", f"/events/{event.id}")


def _sentence(say: Translator, message: str) -> str:
    told = say.gettext(message)
    return told[:1].upper() + told[1:]
