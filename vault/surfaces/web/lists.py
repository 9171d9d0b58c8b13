"""What can be done with every list, once for all: finding, taking out as a file, acts on many lines, saved views."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any
from urllib.parse import urlencode
from uuid import UUID

from fastapi import Depends
from sqlalchemy import Connection
from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import Response

from vault.access import lists as saved
from vault.access.model import Viewer
from vault.access.rights import Right
from vault.catalogue import reading
from vault.catalogue.model import FieldKind
from vault.foundation.bulk import Line as PlannedLine
from vault.foundation.bulk import Outcome, Plan, by_note
from vault.foundation.db.keyset import Picked
from vault.foundation.errors import InvalidInput, NotFoundOrNotYours
from vault.surfaces.lists.csv_file import export
from vault.surfaces.lists.listing import Speech, zone_of
from vault.surfaces.routing import Ctx, CurrentViewer, Routes
from vault.surfaces.web import (
    batches,
    events,
    jobs,
    ledger,
    matters,
    people,
    quarantine,
    reconciliation,
    records,
    schedules,
    simulated_records,
    stations,
)
from vault.surfaces.web.listing import SEALED, Act, WebList, address_of, picked_by, told_by
from vault.surfaces.web.pages import form_with, go, language_for, page
from vault.surfaces.web.views import labels
from vault.surfaces.web.views.lists import OutcomeView, PlanGroup, PlanView
from vault.surfaces.web.views.parts import BLANK, Action, Form

routes = Routes("", "pages", in_schema=False)
LISTS: Mapping[str, WebList[Any, Any]] = {
    module.LIST.listing.name: module.LIST
    for module in (
        *(records, batches, quarantine, schedules, simulated_records, events),
        *(ledger, people, stations, jobs, reconciliation, matters),
    )
}
# A form carries ids of what was picked on other pages in one field; ticks of one page are at most a page.
_FIELDS_MAX = 2_000
_NAMES_SHOWN = 20


async def _form(request: Request) -> FormData:
    return await request.form(max_fields=_FIELDS_MAX)


Told = Annotated[FormData, Depends(_form)]


def _declare(web_list: WebList[Any, Any]) -> None:
    """The routes of one list; each needs the list's own right at least."""

    @routes.post(f"{web_list.path}/find", web_list.listing.right, response_class=Response)
    def find(ctx: Ctx, form: Told) -> Response:
        told = _texts(form)
        sealed = told_by(ctx, web_list, {SEALED: told.get(SEALED, "")}).values
        return go(address_of(ctx, web_list, {**sealed, **told}))

    @routes.post(f"{web_list.path}/export", Right.ACCESS_LIST_EXPORT, response_class=Response)
    def take_out(request: Request, ctx: Ctx, viewer: CurrentViewer, form: Told) -> Response:
        with ctx.database.read() as connection:
            filters, picked = _meant(ctx, connection, web_list, form)
        return export(ctx, viewer, web_list.listing, filters, picked, language_for(request))

    @routes.post(f"{web_list.path}/views", web_list.listing.right, response_class=Response)
    def save(ctx: Ctx, viewer: CurrentViewer, form: Told) -> Response:
        told = _texts(form)
        values = told_by(ctx, web_list, told).values
        view_id = saved.save_view(
            ctx,
            viewer,
            web_list.listing.name,
            told.get("view_name", ""),
            {name: values[name] for name in web_list.open if values[name]},
            {name: values[name] for name in web_list.personal if values[name]},
            is_shared=bool(told.get("is_shared")),
        )
        return go(address_of(ctx, web_list, values, view=str(view_id)))

    if web_list.acts:
        _declare_acts(web_list)


def _declare_acts(web_list: WebList[Any, Any]) -> None:
    @routes.post(f"{web_list.path}/plan", web_list.listing.right, response_class=Response)
    def plan(request: Request, ctx: Ctx, viewer: CurrentViewer, form: Told) -> Response:
        act = _act(web_list, viewer, form)
        return _plan_page(request, ctx, viewer, web_list, act, form, BLANK)

    @routes.post(f"{web_list.path}/act", web_list.listing.right, response_class=Response)
    def do(request: Request, ctx: Ctx, viewer: CurrentViewer, form: Told) -> Response:
        act = _act(web_list, viewer, form)
        told = _texts(form)
        with ctx.database.read() as connection:
            planned = act.plan(connection, viewer, *_meant(ctx, connection, web_list, form))
        try:
            outcome = act.do(ctx, viewer, tuple(line.id for line in planned.will), told)
        except InvalidInput as error:
            return _plan_page(request, ctx, viewer, web_list, act, form, form_with(request, told, error, act.name))
        return page(
            request,
            "outcome.html",
            _outcome_view(ctx, web_list, act, told, planned, outcome),
            current=web_list.listing.name,
        )


@routes.get("/views/{view_id}", Right.SELF_SESSION_USE, response_class=Response)
def open_saved(ctx: Ctx, viewer: CurrentViewer, view_id: UUID) -> Response:
    """Opens a saved view: the list with its filters. One that seeks a person by number is noted as such a search."""
    with ctx.database.read() as connection:
        view, openly, personal = saved.open_view(ctx, connection, viewer, view_id)
    web_list = LISTS.get(view.list_name)
    if web_list is None:
        raise NotFoundOrNotYours
    viewer.require(web_list.listing.right)
    if personal.get("kind") in set(FieldKind):
        reading.witness_personal_search(ctx, viewer, FieldKind(personal["kind"]))
    return go(address_of(ctx, web_list, {**openly, **personal}, view=str(view_id)))


@routes.post("/views/{view_id}/remove", Right.SELF_SESSION_USE, response_class=Response)
def remove_saved(ctx: Ctx, viewer: CurrentViewer, view_id: UUID) -> Response:
    """Removes one of the viewer's own views."""
    return go(f"/{saved.remove_view(ctx, viewer, view_id).list_name}")


def _texts(form: FormData) -> dict[str, str]:
    return {name: value.strip() for name, value in form.items() if isinstance(value, str)}


def _meant(ctx: Ctx, connection: Connection, web_list: WebList[Any, Any], form: FormData) -> tuple[Any, Picked]:
    """Which lines a form means: those ticked, or the whole list as it was narrowed and seen."""
    told = _texts(form)
    picked = picked_by(told, [value for value in form.getlist("pick") if isinstance(value, str)])
    if picked.ids is not None:
        return web_list.anything, picked
    return web_list.parse(told_by(ctx, web_list, told).values, connection, zone_of(connection)), picked


def _act(web_list: WebList[Any, Any], viewer: Viewer, form: FormData) -> Act[Any]:
    # The button of a single line carries act and id in one value.
    act = web_list.act(str(form.get("one", "")).partition(" ")[0] or str(form.get("act", "")))
    if act is None:
        raise NotFoundOrNotYours
    viewer.require(act.right)
    return act


def _plan_page(
    request: Request,
    ctx: Ctx,
    viewer: Viewer,
    web_list: WebList[Any, Any],
    act: Act[Any],
    form: FormData,
    shown: Form,
) -> Response:
    told = _texts(form)
    with ctx.database.read() as connection:
        filters, picked = _meant(ctx, connection, web_list, form)
        planned = act.plan(connection, viewer, filters, picked)
        fields = act.fields(Speech(connection, language_for(request), ctx.clock.now()))
    address = told_by(ctx, web_list, told).address
    view = PlanView(
        title=act.title,
        list_title=web_list.title,
        back_href=web_list.path + (f"?{urlencode(address)}" if address else ""),
        act_href=f"{web_list.path}/act",
        act=act.name,
        confirm=act.confirm,
        consequence=act.consequence,
        will=_groups(planned.will),
        will_not=_groups(planned.will_not),
        hidden=(*address.items(), *_picked_fields(picked)),
        fields=fields,
        form=shown,
    )
    return page(request, "plan.html", view, current=web_list.listing.name, status=422 if shown.errors else 200)


def _outcome_view(
    ctx: Ctx, web_list: WebList[Any, Any], act: Act[Any], told: Mapping[str, str], planned: Plan, outcome: Outcome
) -> OutcomeView:
    address = told_by(ctx, web_list, told).address
    undo = None
    if act.undo and outcome.done:
        fields = (("act", act.undo), *_picked_fields(Picked(ids=outcome.done)))
        undo = Action(labels.UNDO, f"{web_list.path}/act", "post", fields=fields)
    return OutcomeView(
        title=act.done,
        list_name=web_list.listing.name,
        list_title=web_list.title,
        back_href=web_list.path + (f"?{urlencode(address)}" if address else ""),
        done_count=len(outcome.done),
        failed=_groups(outcome.failed + planned.will_not),
        undo=undo,
    )


def _picked_fields(picked: Picked) -> tuple[tuple[str, str], ...]:
    if picked.ids is not None:
        return (("picked", ",".join(str(one) for one in picked.ids)),)
    return (("whole_list", "1"), ("newest", str(picked.newest or "")))


def _groups(lines: tuple[PlannedLine, ...]) -> tuple[PlanGroup, ...]:
    """Lines of which the same comes together, each group with the names of its first."""
    return tuple(
        PlanGroup(note, count, tuple(line.name for line in lines if line.note == note)[:_NAMES_SHOWN])
        for note, count in by_note(lines)
    )


for _one in LISTS.values():
    _declare(_one)
