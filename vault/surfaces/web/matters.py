"""Matters: the list, opening one, one of them with its holds, closing it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated
from uuid import UUID
from zoneinfo import ZoneInfo

from fastapi import Form as Field
from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response

from vault.access.model import Viewer
from vault.access.queries import actor_names
from vault.access.rights import Right
from vault.foundation.context import Context
from vault.foundation.errors import N_, InvalidInput, NotFoundOrNotYours, VaultError
from vault.foundation.ids import new_token
from vault.holds import service
from vault.holds.matter_lists import MatterFilters, MatterLine
from vault.holds.model import Authority, Hold, NewMatter
from vault.holds.queries import get_matter, holds_of_matter
from vault.surfaces.lists.matters import MATTERS, state_of
from vault.surfaces.routing import Ctx, CurrentViewer, Routes
from vault.surfaces.web.listing import WebList, open_list
from vault.surfaces.web.pages import form_with, go, page, speaker
from vault.surfaces.web.story import actor_of, story
from vault.surfaces.web.views import holds as views
from vault.surfaces.web.views.lists import Empty
from vault.surfaces.web.views.parts import BLANK, Action, Choices, Form, Notice, Option
from vault.surfaces.web.words import state as word

routes = Routes("", "pages", in_schema=False)
Text = Annotated[str, Field()]
_STATES = {"open": True, "closed": False}
_DONE = {
    "opened": N_("The matter is open. Now hold its records."),
    "closed": N_("The matter is closed."),
}


def _parse(told: Mapping[str, str], _connection: Connection, _zone: ZoneInfo) -> MatterFilters:
    return MatterFilters(is_open=_STATES.get(told["state"]), text=told["q"] or None)


LIST: WebList[MatterFilters, MatterLine] = WebList(
    listing=MATTERS,
    title=N_("Holds"),
    open=("state",),
    personal=("q",),
    parse=_parse,
    anything=MatterFilters(),
    numbers_stand=True,
)


@routes.get("/matters", Right.HOLDS_MATTER_READ, response_class=Response)
def matters_page(request: Request, ctx: Ctx, viewer: CurrentViewer) -> Response:
    """The matters, newest first, with what is held under each."""
    return _list_page(request, ctx, viewer, BLANK)


@routes.post("/matters", Right.HOLDS_MATTER_OPEN, response_class=Response)
def open_matter(
    request: Request,
    ctx: Ctx,
    viewer: CurrentViewer,
    authority: Text = "",
    authority_name: Text = "",
    document_number: Text = "",
    basis: Text = "",
    title: Text = "",
    client_key: Text = "",
) -> Response:
    """Opens a matter."""
    values = {
        "authority": authority,
        "authority_name": authority_name,
        "document_number": document_number,
        "basis": basis,
        "title": title,
    }
    try:
        if authority not in set(Authority):
            raise InvalidInput(field="authority", problem=N_("choose one"))
        new = NewMatter(Authority(authority), authority_name, document_number, basis, title)
        matter = service.open_matter(ctx, viewer, new, client_key or None)
    except VaultError as error:
        return _list_page(request, ctx, viewer, form_with(request, values, error, "title"))
    return go(f"/matters/{matter.id}?done=opened")


@routes.get("/matters/{matter_id}", Right.HOLDS_MATTER_READ, response_class=Response)
def matter_page(request: Request, ctx: Ctx, viewer: CurrentViewer, matter_id: UUID, done: str = "") -> Response:
    """One matter with its holds."""
    notices = (Notice(speaker(request).gettext(_DONE[done])),) if done in _DONE else ()
    return _page(request, ctx, viewer, matter_id, BLANK, notices)


@routes.post("/matters/{matter_id}/close", Right.HOLDS_MATTER_OPEN, response_class=Response)
def close_matter(request: Request, ctx: Ctx, viewer: CurrentViewer, matter_id: UUID) -> Response:
    """Closes a matter under which nothing is held any more."""
    try:
        service.close_matter(ctx, viewer, matter_id)
    except NotFoundOrNotYours:
        raise
    except VaultError as error:
        return _page(request, ctx, viewer, matter_id, form_with(request, {}, error, ""))
    return go(f"/matters/{matter_id}?done=closed")


def _list_page(request: Request, ctx: Context, viewer: Viewer, form: Form) -> Response:
    say = speaker(request).gettext
    may_open = viewer.may(Right.HOLDS_MATTER_OPEN)
    with open_list(request, ctx, viewer, LIST) as asked:
        text = N_("No matter fits these filters.") if asked.is_narrowed else N_("Nothing was ever held.")
        hint = N_("A hold is placed under a matter: open one for the document that asks for it.") if may_open else ""
        view = views.MatterListView(
            list=asked.frame(Empty(text, "" if asked.is_narrowed else hint)),
            filter=views.MatterFilter(**asked.told.values),
            choices=Choices(
                {
                    "state": (Option("open", say(N_("Open"))), Option("closed", say(N_("Closed")))),
                    "authority": tuple(
                        Option(one.value, say(word("authority", one.value).label)) for one in Authority
                    ),
                }
            ),
            rows=tuple(_row(line) for line in asked.page.lines),
            may_open=may_open,
            client_key=new_token(18),
            form=form,
        )
    return page(request, "matters.html", view, current="matters", status=422 if form.errors else 200)


def _row(line: MatterLine) -> views.MatterRow:
    matter = line.matter
    return views.MatterRow(
        id=str(matter.id),
        href=f"/matters/{matter.id}",
        number=matter.number,
        state=state_of(line),
        authority=matter.authority.value,
        authority_name=matter.authority_name,
        document_number=matter.document_number,
        title=matter.title,
        opened_at=matter.opened_at,
        holds=line.holds,
        records=line.records,
    )


def _page(
    request: Request, ctx: Context, viewer: Viewer, matter_id: UUID, form: Form, notices: tuple[Notice, ...] = ()
) -> Response:
    with ctx.database.read() as connection:
        matter = get_matter(connection, viewer, matter_id)
        held = holds_of_matter(connection, viewer, matter_id)
        names = actor_names(connection, [matter.opened_by])
        told = story(request, connection, viewer, matter_id)
    in_force = [hold for hold in held if hold.is_in_force]
    line = MatterLine(matter, len(in_force), 0, 0, any(hold.is_release_proposed for hold in in_force))
    view = views.MatterView(
        href=f"/matters/{matter.id}",
        number=matter.number,
        state=state_of(line),
        authority=matter.authority.value,
        authority_name=matter.authority_name,
        document_number=matter.document_number,
        basis=matter.basis,
        title=matter.title,
        opened_by=actor_of(speaker(request), viewer, matter.opened_by_kind, matter.opened_by, names),
        opened_at=matter.opened_at,
        closed_at=matter.closed_at,
        holds=tuple(_hold_row(hold) for hold in held),
        timeline=told,
        actions=_actions(viewer, line),
        form=form,
        ledger_href=f"/ledger?subject={matter.id}" if viewer.may(Right.LEDGER_ENTRY_READ) else None,
    )
    return page(request, "matter.html", view, current="matters", status=422 if form.errors else 200, notices=notices)


def _actions(viewer: Viewer, line: MatterLine) -> tuple[Action, ...]:
    matter, offered = line.matter, []
    if matter.is_open and viewer.may(Right.HOLDS_HOLD_PLACE):
        offered.append(Action(N_("Hold records"), f"/holds/new?matter={matter.id}", tone="primary", icon="hold"))
    if matter.is_open and not line.holds and viewer.may(Right.HOLDS_MATTER_OPEN):
        offered.append(Action(N_("Close the matter"), f"/matters/{matter.id}/close", "post", icon="lock"))
    return tuple(offered)


def _hold_row(hold: Hold) -> views.HoldRow:
    return views.HoldRow(
        href=f"/holds/{hold.id}",
        name=hold.name,
        state=hold.state.value,
        reason=hold.reason,
        review_date=hold.review_date,
        placed_at=hold.placed_at,
        records=hold.records,
        standing=hold.standing,
    )
