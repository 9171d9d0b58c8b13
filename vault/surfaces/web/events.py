"""Events from which periods count: the list, one of them, and undoing it as a second person."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated
from uuid import UUID
from zoneinfo import ZoneInfo

from fastapi import Form as Field
from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response

from retention_rules import shipped
from vault.access.model import Viewer
from vault.access.queries import actor_names
from vault.access.rights import Right
from vault.foundation.context import Context
from vault.foundation.errors import N_, VaultError
from vault.retention import events
from vault.retention.event_queries import EventFilters, EventLine, get_event
from vault.retention.foreseen import Foreseen, foresee_undo
from vault.surfaces.i18n import Translator
from vault.surfaces.law_words import event_in_words, outcome_in_words
from vault.surfaces.lists.events import EVENTS
from vault.surfaces.routing import Ctx, CurrentViewer, Routes
from vault.surfaces.web.listing import WebList, day_of, open_list, state_options, unit_options, uuid_of
from vault.surfaces.web.pages import form_with, go, page, speaker
from vault.surfaces.web.story import actor_of
from vault.surfaces.web.views import events as views
from vault.surfaces.web.views.lists import Empty
from vault.surfaces.web.views.parts import BLANK, Action, Choices, Form, Notice, Option

routes = Routes("", "pages", in_schema=False)
Text = Annotated[str, Field()]
_STATES = {"valid": False, "undone": True}
_DONE = {
    "reported": N_("Reported; the due dates of the records followed at once."),
    "known": N_("Known already: nothing was reported twice."),
    "undone": N_("Undone; the due dates are what they were. Locks that were set stay."),
}


def _parse(told: Mapping[str, str], _connection: Connection, _zone: ZoneInfo) -> EventFilters:
    return EventFilters(
        name=told["name"] or None,
        is_undone=_STATES.get(told["state"]),
        record_id=uuid_of(told["record"]),
        report_id=uuid_of(told["report"]),
        number=told["number"] or None,
        unit_id=uuid_of(told["unit"]),
        day_from=day_of(told["from_date"]),
        day_until=day_of(told["to_date"]),
    )


LIST: WebList[EventFilters, EventLine] = WebList(
    listing=EVENTS,
    title=N_("Events"),
    open=("name", "state", "unit", "from_date", "to_date", "record", "report"),
    personal=("number",),
    parse=_parse,
    anything=EventFilters(),
    numbers_stand=True,
)


@routes.get("/events", Right.RETENTION_EVENT_READ, response_class=Response)
def events_page(request: Request, ctx: Ctx, viewer: CurrentViewer, done: str = "") -> Response:
    """The events of the records that the viewer may see."""
    say = speaker(request)
    may_report = viewer.may(Right.RETENTION_EVENT_REPORT)
    with open_list(request, ctx, viewer, LIST) as asked:
        lines = asked.page.lines
        names = actor_names(asked.connection, [line.event.reported_by for line in lines])
        view = views.EventListView(
            list=asked.frame(_empty(is_narrowed=asked.is_narrowed, may_report=may_report)),
            filter=views.EventFilter(**asked.told.values),
            choices=Choices(
                {
                    "name": event_options(say),
                    "state": state_options(asked.speech, "event", tuple(_STATES)),
                    "unit": unit_options(asked.speech, viewer),
                }
            ),
            rows=tuple(_row(say, viewer, line, names) for line in lines),
            may_report=may_report,
        )
    notices = (Notice(say.gettext(_DONE[done])),) if done in _DONE else ()
    return page(request, "events.html", view, current="events", notices=notices)


def event_options(say: Translator) -> tuple[Option, ...]:
    """The events that have names, to choose from."""
    told = [Option(name, event_in_words(say, name)) for name in shipped.event_names() if name != "received"]
    return tuple(sorted(told, key=lambda option: option.label))


def consequence_of(say: Translator, told: Foreseen) -> views.Consequence:
    """What becomes of a record, in words."""
    return views.Consequence(
        record_number=told.archival_number,
        record_href=f"/records/{told.record_id}",
        before=outcome_in_words(say, told.before),
        after=outcome_in_words(say, told.after),
        is_changed=told.is_changed,
    )


def event_page(request: Request, ctx: Ctx, viewer: CurrentViewer, event_id: UUID, done: str = "") -> Response:
    """One event, and what undoing it would do."""
    notices = (Notice(speaker(request).gettext(_DONE[done])),) if done in _DONE else ()
    return _page(request, ctx, viewer, event_id, BLANK, notices)


@routes.post("/events/{event_id}/undo", Right.RETENTION_EVENT_UNDO, response_class=Response)
def undo(request: Request, ctx: Ctx, viewer: CurrentViewer, event_id: UUID, reason: Text = "") -> Response:
    """Undoes an event that somebody else reported by mistake."""
    try:
        events.undo(ctx, viewer, event_id, reason)
    except VaultError as error:
        if error.code == "not-found":
            raise
        return _page(request, ctx, viewer, event_id, form_with(request, {"reason": reason}, error, "reason"))
    return go(f"/events/{event_id}?done=undone")


def _empty(*, is_narrowed: bool, may_report: bool) -> Empty:
    if is_narrowed:
        return Empty(N_("No event fits these filters."))
    actions = (Action(N_("Report events"), "/events/new", tone="primary", icon="plus"),) if may_report else ()
    return Empty(
        N_("No event was ever reported."), N_("Periods that count from an event begin when it is reported."), actions
    )


def _page(
    request: Request,
    ctx: Context,
    viewer: Viewer,
    event_id: UUID,
    form: Form,
    notices: tuple[Notice, ...] = (),
) -> Response:
    say = speaker(request)
    with ctx.database.read() as connection:
        line = get_event(connection, viewer, event_id)
        event = line.event
        people = [one for one in (event.reported_by, event.undone_by) if one]
        names = actor_names(connection, people)
        is_open = event.undone_at is None
        told = consequence_of(say, foresee_undo(connection, event, ctx.clock.now())) if is_open else None
    is_own = event.reported_by == viewer.id
    may_undo = is_open and viewer.may(Right.RETENTION_EVENT_UNDO)
    view = views.EventView(
        href=f"/events/{event_id}",
        row=_row(say, viewer, line, names),
        undone_by=actor_of(say, viewer, "person", event.undone_by, names) if event.undone_by else None,
        undone_at=event.undone_at,
        undone_because=event.undone_because or "",
        consequence=told,
        may_undo=may_undo and not is_own,
        why_not=say.gettext(N_("You reported it yourself; another person undoes it.")) if may_undo and is_own else "",
        form=form,
    )
    return page(request, "event.html", view, current="events", status=422 if form.errors else 200, notices=notices)


def _row(say: Translator, viewer: Viewer, line: EventLine, names: dict[UUID, str]) -> views.EventRow:
    event = line.event
    return views.EventRow(
        id=str(event.id),
        href=f"/events/{event.id}",
        name=event_in_words(say, event.name),
        day=event.day,
        record_number=line.archival_number,
        record_href=f"/records/{event.record_id}",
        evidence=event.evidence,
        by=actor_of(say, viewer, event.reported_by_kind, event.reported_by, names),
        at=event.known_at,
        state="undone" if event.undone_at else "valid",
    )
