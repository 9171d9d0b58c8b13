"""One version of the schedule: what it lays down, what it changes, who stands behind it; and its way to being law."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from fastapi import Form as Field
from starlette.requests import Request
from starlette.responses import Response

from vault.access.model import Viewer
from vault.access.rights import Right
from vault.foundation.context import Context
from vault.foundation.errors import N_, InvalidInput, VaultError
from vault.retention import exchange, service
from vault.retention.book import read_book
from vault.retention.errors import ScheduleFileRefused
from vault.retention.queries import get_version
from vault.surfaces.i18n import Language
from vault.surfaces.routing import Ctx, CurrentViewer, Routes
from vault.surfaces.web.listing import day_of
from vault.surfaces.web.pages import form_with, go, language_for, page, speaker
from vault.surfaces.web.rendering import PAGE_HEADERS
from vault.surfaces.web.schedule_view import version_view
from vault.surfaces.web.schedules import Sent, content_of, problems_of
from vault.surfaces.web.views.parts import Form, Notice

routes = Routes("", "pages", in_schema=False)
Text = Annotated[str, Field()]
_DONE = {
    "drafted": N_("The draft is there. Change its classes below, then propose it."),
    "changed": N_("The draft was changed."),
    "removed": N_("The class was taken out of the draft."),
    "proposed": N_("Proposed: from now on it is fixed, and two others decide."),
    "approved": N_("Your approval is kept."),
    "refused": N_("Refused, with your reason."),
    "withdrawn": N_("Withdrawn."),
}


@routes.get("/schedules/{number}", Right.RETENTION_SCHEDULE_READ, response_class=Response)
def version_page(request: Request, ctx: Ctx, viewer: CurrentViewer, number: int, done: str = "") -> Response:
    """One version, with what it changes against the one before, or against another."""
    notices = (Notice(speaker(request).gettext(_DONE[done])),) if done in _DONE else ()
    return _page(request, ctx, viewer, number, {}, notices=notices)


@routes.get("/schedules/{number}/file", Right.RETENTION_SCHEDULE_READ, response_class=Response)
def export(request: Request, ctx: Ctx, number: int, format: str = "yaml") -> Response:  # noqa: A002 - the name in the address
    """The version as a file to edit: YAML whole, CSV only its classes."""
    with ctx.database.read() as connection:
        version = get_version(connection, number, ctx.clock.now())
        today = read_book(connection).day_of(ctx.clock.now())
    if format == "csv":
        text = "\ufeff" + exchange.as_csv(version, is_chinese=language_for(request) is Language.ZH)
        kind, ending = "text/csv; charset=utf-8", "csv"
    else:
        text, kind, ending = exchange.as_yaml(version, today), "application/yaml; charset=utf-8", "yaml"
    headers = {**PAGE_HEADERS, "Content-Disposition": f'attachment; filename="schedule-{number}.{ending}"'}
    return Response(text.encode(), media_type=kind, headers=headers)


@routes.post("/schedules/{number}/file", Right.RETENTION_SCHEDULE_DRAFT, response_class=Response)
def take_file(request: Request, ctx: Ctx, viewer: CurrentViewer, number: int, form: Sent) -> Response:
    """Replaces what a draft lays down by a file."""
    with ctx.database.read() as connection:
        version = get_version(connection, number, ctx.clock.now())
    try:
        content = content_of(ctx, form, version)
        if content is None:
            raise InvalidInput(field="file", problem=N_("choose a file"))
        service.change(ctx, viewer, number, content, seen=digest_of(str(form.get("seen", ""))))
    except VaultError as error:
        problems = problems_of(request, error) if isinstance(error, ScheduleFileRefused) else ()
        return _refused(request, ctx, viewer, number, "file", "file", error, problems=problems)
    return go(f"/schedules/{number}?done=changed")


@routes.post("/schedules/{number}/propose", Right.RETENTION_SCHEDULE_DRAFT, response_class=Response)
def propose(request: Request, ctx: Ctx, viewer: CurrentViewer, number: int, effective_date: Text = "") -> Response:
    """Proposes a draft to take effect on a day."""
    try:
        day = day_of(effective_date.strip())
        if day is None:
            raise InvalidInput(field="effective_date", problem=N_("a day is needed, such as 2027-01-01"))
        service.propose(ctx, viewer, number, day)
    except VaultError as error:
        values = {"effective_date": effective_date}
        return _refused(request, ctx, viewer, number, "propose", "effective_date", error, values)
    return go(f"/schedules/{number}?done=proposed")


@routes.post("/schedules/{number}/approve", Right.RETENTION_SCHEDULE_APPROVE, response_class=Response)
def approve(request: Request, ctx: Ctx, viewer: CurrentViewer, number: int, comment: Text = "") -> Response:
    """Approves as one of the two others."""
    try:
        service.approve(ctx, viewer, number, comment)
    except VaultError as error:
        return _refused(request, ctx, viewer, number, "approve", "comment", error, {"comment": comment})
    return go(f"/schedules/{number}?done=approved")


@routes.post("/schedules/{number}/refuse", Right.RETENTION_SCHEDULE_APPROVE, response_class=Response)
def refuse(request: Request, ctx: Ctx, viewer: CurrentViewer, number: int, comment: Text = "") -> Response:
    """Refuses, for a reason."""
    try:
        service.refuse(ctx, viewer, number, comment)
    except VaultError as error:
        return _refused(request, ctx, viewer, number, "refuse", "comment", error, {"comment": comment})
    return go(f"/schedules/{number}?done=refused")


@routes.post("/schedules/{number}/withdraw", Right.RETENTION_SCHEDULE_DRAFT, response_class=Response)
def withdraw(request: Request, ctx: Ctx, viewer: CurrentViewer, number: int, reason: Text = "") -> Response:
    """Gives up a draft, or takes back one's own proposal, and says why."""
    try:
        if not reason.strip():
            raise InvalidInput(field="reason", problem=N_("4 to 500 characters are needed"))
        service.withdraw(ctx, viewer, number, reason)
    except VaultError as error:
        return _refused(request, ctx, viewer, number, "withdraw", "reason", error, {"reason": reason})
    return go(f"/schedules/{number}?done=withdrawn")


def digest_of(text: str) -> bytes:
    """The digest that a form carries; nothing where it is none."""
    try:
        return bytes.fromhex(text)
    except ValueError:
        return b""


def _refused(
    request: Request,
    ctx: Context,
    viewer: Viewer,
    number: int,
    name: str,
    field: str,
    error: VaultError,
    values: dict[str, str] | None = None,
    problems: tuple[str, ...] = (),
) -> Response:
    """The page again, what was wrong beside the form that was sent. What is not there, and what one may not, goes on."""
    if error.status in {403, 404} and error.code in {"not-found", "not-allowed"}:
        raise error
    forms = {name: form_with(request, values or {}, error, field)}
    return _page(request, ctx, viewer, number, forms, status=error.status, problems=problems)


def _page(
    request: Request,
    ctx: Context,
    viewer: Viewer,
    number: int,
    forms: Mapping[str, Form],
    *,
    status: int = 200,
    notices: tuple[Notice, ...] = (),
    problems: tuple[str, ...] = (),
) -> Response:
    wanted = request.query_params.get("against", "")
    with ctx.database.read() as connection:
        view = version_view(
            request,
            connection,
            viewer,
            number,
            now=ctx.clock.now(),
            against=int(wanted) if wanted.isascii() and wanted.isdigit() and len(wanted) < 9 else None,
            forms=forms,
            problems=problems,
        )
    return page(request, "schedule.html", view, current="schedules", status=status, notices=notices)
