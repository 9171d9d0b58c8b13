"""The versions of the schedule as a list, and beginning a draft: of what is in effect, or of a file."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from typing import Annotated
from zoneinfo import ZoneInfo

from fastapi import Depends
from sqlalchemy import Connection
from starlette.datastructures import FormData, UploadFile
from starlette.requests import Request
from starlette.responses import Response

from retention_rules.problems import say_problem
from vault.access.approvals import proposals_of
from vault.access.model import Viewer
from vault.access.rights import Right
from vault.foundation.context import Context
from vault.foundation.errors import N_, InvalidInput, VaultError
from vault.retention import exchange, service
from vault.retention.errors import ScheduleFileRefused
from vault.retention.model import Content, ScheduleVersion, VersionState
from vault.retention.queries import VersionFilters, version_in_effect
from vault.surfaces.lists.schedules import SCHEDULES, approved_by, state_of
from vault.surfaces.routing import Ctx, CurrentViewer, Routes
from vault.surfaces.web.listing import OpenList, WebList, day_of, open_list, state_options
from vault.surfaces.web.pages import form_with, go, page, speaker
from vault.surfaces.web.story import actor_of
from vault.surfaces.web.views import schedules as views
from vault.surfaces.web.views.lists import Empty
from vault.surfaces.web.views.parts import BLANK, Choices, Form

routes = Routes("", "pages", in_schema=False)


async def sent_form(request: Request) -> AsyncIterator[FormData]:
    """The form with its file, which is closed when the answer is made."""
    async with request.form(max_fields=2_000) as form:
        yield form


Sent = Annotated[FormData, Depends(sent_form)]


def _parse(told: Mapping[str, str], _connection: Connection, _zone: ZoneInfo) -> VersionFilters:
    return VersionFilters(
        state=VersionState(told["state"]) if told["state"] in set(VersionState) else None,
        effective_from=day_of(told["from_date"]),
        effective_until=day_of(told["to_date"]),
    )


LIST: WebList[VersionFilters, ScheduleVersion] = WebList(
    listing=SCHEDULES,
    title=N_("Schedule"),
    open=("state", "from_date", "to_date"),
    personal=(),
    parse=_parse,
    anything=VersionFilters(),
)


@routes.get("/schedules", Right.RETENTION_SCHEDULE_READ, response_class=Response)
def schedules_page(request: Request, ctx: Ctx, viewer: CurrentViewer) -> Response:
    """Every version of the schedule, newest first."""
    return _page(request, ctx, viewer, BLANK)


@routes.post("/schedules", Right.RETENTION_SCHEDULE_DRAFT, response_class=Response)
def begin_draft(request: Request, ctx: Ctx, viewer: CurrentViewer, form: Sent) -> Response:
    """Begins a draft: of the file sent, or of what is in effect now."""
    values = {"note": str(form.get("note", ""))}
    try:
        version = service.draft(ctx, viewer, values["note"], content_of(ctx, form, None))
    except ScheduleFileRefused as error:
        return _page(request, ctx, viewer, form_with(request, values, error, "file"), problems_of(request, error))
    except VaultError as error:
        return _page(request, ctx, viewer, form_with(request, values, error, "note"))
    return go(f"/schedules/{version.number}?done=drafted")


def content_of(ctx: Context, form: FormData, base: ScheduleVersion | None) -> Content | None:
    """What the file of a form lays down; nothing when no file was chosen. A table keeps the packs of `base`.

    Raises:
        ScheduleFileRefused, InvalidInput: the file cannot be used.
    """
    file = form.get("file")
    if not isinstance(file, UploadFile) or not file.filename:
        return None
    try:
        text = file.file.read().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InvalidInput(
            field="file", problem=N_("it is no text in UTF-8; save it as CSV UTF-8 or YAML")
        ) from error
    with ctx.database.read() as connection:
        if file.filename.lower().endswith(".csv"):
            held = base or version_in_effect(connection, ctx.clock.now())
            return exchange.content_from_csv(connection, text, held.content)
        return exchange.content_from_yaml(connection, text)


def problems_of(request: Request, error: ScheduleFileRefused) -> tuple[str, ...]:
    """Every problem of a file, with its line, in the reader's language."""
    language = speaker(request).language.value
    return tuple(say_problem(found, language) for found in error.problems)


def _page(request: Request, ctx: Context, viewer: Viewer, form: Form, problems: tuple[str, ...] = ()) -> Response:
    with open_list(request, ctx, viewer, LIST) as asked:
        view = views.ScheduleListView(
            list=asked.frame(Empty(N_("No version fits these filters."))),
            filter=views.VersionFilter(**asked.told.values),
            choices=Choices({"state": state_options(asked.speech, "version", tuple(VersionState))}),
            rows=tuple(_rows(asked, viewer)),
            may_draft=viewer.may(Right.RETENTION_SCHEDULE_DRAFT),
            form=form,
            file_problems=problems,
        )
    return page(request, "schedules.html", view, current="schedules", status=422 if form.errors else 200)


def _rows(asked: OpenList[VersionFilters, ScheduleVersion], viewer: Viewer) -> list[views.VersionRow]:
    lines, speech = asked.page.lines, asked.speech
    proposals = proposals_of(asked.connection, [version.proposal_id for version in lines if version.proposal_id])
    approvers = {version.id: approved_by(proposals, version) for version in lines}
    names = speech.names([*(v.created_by for v in lines), *(one for held in approvers.values() for one in held)])
    return [
        views.VersionRow(
            id=str(version.id),
            href=f"/schedules/{version.number}",
            number=version.number,
            state=state_of(version),
            note=version.note,
            effective_date=version.effective_date if version.number > 1 else None,
            drafted_by=actor_of(speech.translator, viewer, version.created_by_kind, version.created_by, names),
            drafted_at=version.created_at,
            approved_by=tuple(names.get(one, "") for one in approvers[version.id]),
            digest=version.digest.hex(),
            class_count=len(version.content.classes),
        )
        for version in lines
    ]
