"""Events from which periods count: listed, reported, undone."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any
from uuid import UUID

from fastapi import Query, Request
from pydantic import Field
from starlette.responses import Response

from vault.access.queries import actor_names
from vault.access.rights import Right
from vault.retention import events
from vault.retention.errors import EventListRefused
from vault.retention.event_lists import LineProblem, report_list
from vault.retention.model import NewEvent, RecordEvent
from vault.retention.queries import list_events
from vault.surfaces.api.schedule import Model
from vault.surfaces.i18n import Language, translator
from vault.surfaces.problems import language_of, problem
from vault.surfaces.routing import Ctx, CurrentViewer, Routes

routes = Routes("/events", "events")
Size = Annotated[int, Query(ge=1, le=200)]
Key = Annotated[str, Field(description="The same report under the same key is answered as before.")]


class NewOne(Model):
    """What happened to a record. `day` null: it is known that it will never happen."""

    record_id: UUID
    event: str
    day: date | None
    evidence: str = ""


class NewEvents(Model):
    """Events to report, all or none."""

    client_key: Key
    events: list[NewOne]


class NewList(Model):
    """A table with the columns record, event, day, evidence, as CSV."""

    client_key: Key
    text: str
    each: bool = Field(default=False, description="Take each good line, instead of all or none.")


class Because(Model):
    """Why an event is undone."""

    reason: str


@routes.get("", Right.RETENTION_EVENT_READ)
def list_all(
    ctx: Ctx,
    viewer: CurrentViewer,
    name: str | None = None,
    report_id: UUID | None = None,
    undone: bool | None = None,  # noqa: FBT001 - a parameter of the address
    after: UUID | None = None,
    size: Size = 50,
) -> dict[str, Any]:
    """Events of the records that one may see, newest first."""
    with ctx.database.read() as connection:
        found = list_events(
            connection, viewer, name=name, report_id=report_id, is_undone=undone, after=after, size=size
        )
        names = actor_names(connection, [who for e in found for who in (e.reported_by, e.undone_by) if who])
    return {
        "events": [event_body(event, names) for event in found],
        "after": str(found[-1].id) if len(found) == size else None,
    }


@routes.post("", Right.RETENTION_EVENT_REPORT)
def report(ctx: Ctx, viewer: CurrentViewer, new: NewEvents) -> dict[str, Any]:
    """Reports events; the due dates of each record follow at once."""
    told = [NewEvent(one.record_id, one.event, one.day, one.evidence) for one in new.events]
    return _report_body(events.report(ctx, viewer, told, new.client_key))


@routes.post("/list", Right.RETENTION_EVENT_REPORT, response_model=None)
def report_table(request: Request, ctx: Ctx, viewer: CurrentViewer, new: NewList) -> dict[str, Any] | Response:
    """Reports a list; what cannot be taken is told line by line."""
    language = language_of(request)
    try:
        done = report_list(ctx, viewer, new.text, new.client_key, each=new.each)
    except EventListRefused as error:
        return problem(error, language, problems=[_problem_body(one, language) for one in error.problems])
    return {
        **(
            _report_body(done.report)
            if done.report
            else {"report_id": None, "events": [], "known": [], "repeated": False}
        ),
        "problems": [_problem_body(one, language) for one in done.problems],
    }


@routes.post("/{event_id}/undo", Right.RETENTION_EVENT_UNDO)
def undo(ctx: Ctx, viewer: CurrentViewer, event_id: UUID, because: Because) -> dict[str, Any]:
    """Undoes an event that somebody else reported by mistake; locks that were set stay."""
    return event_body(events.undo(ctx, viewer, event_id, because.reason), {})


def event_body(event: RecordEvent, names: dict[UUID, str]) -> dict[str, Any]:
    """An event."""
    return {
        "id": str(event.id),
        "report_id": str(event.report_id),
        "record_id": str(event.record_id),
        "event": event.name,
        "day": event.day.isoformat() if event.day else None,
        "evidence": event.evidence,
        "reported_by": {"kind": event.reported_by_kind, "name": names.get(event.reported_by)},
        "reported_at": event.known_at.isoformat(),
        "undone_at": event.undone_at.isoformat() if event.undone_at else None,
        "undone_by": names.get(event.undone_by) if event.undone_by else None,
        "undone_because": event.undone_because,
    }


def _report_body(report: events.Report) -> dict[str, Any]:
    return {
        "report_id": str(report.id),
        "repeated": report.is_repeated,
        "events": [event_body(event, {}) for event in report.events],
        "known": [event_body(event, {}) for event in report.known],
    }


def _problem_body(found: LineProblem, language: Language) -> dict[str, Any]:
    return {"line": found.line, "field": found.field or None, "text": translator(language).gettext(found.problem)}
