"""Holds: placing one on a list of records, one of them with its records, and its release by three people."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Annotated
from uuid import UUID

from fastapi import Form as Field
from starlette.requests import Request
from starlette.responses import Response

from vault.access.model import Viewer
from vault.access.rights import Right
from vault.foundation.context import Context
from vault.foundation.db.keyset import Span
from vault.foundation.errors import N_, InvalidInput, NotAllowed, NotFoundOrNotYours, VaultError
from vault.foundation.ids import new_token
from vault.holds import releasing, service
from vault.holds.matter_lists import open_matters
from vault.holds.model import Hold
from vault.surfaces.lists.listing import zone_of
from vault.surfaces.routing import Ctx, CurrentViewer, Routes
from vault.surfaces.web.hold_view import hold_view
from vault.surfaces.web.listing import day_of, uuid_of
from vault.surfaces.web.pages import form_with, go, page, speaker
from vault.surfaces.web.views import holds as views
from vault.surfaces.web.views.parts import Choices, Form, Notice, Option

routes = Routes("", "pages", in_schema=False)
Text = Annotated[str, Field()]
_MATTERS_MAX = 200
_DONE = {
    "placed": N_("Held: from now on nobody can destroy these records."),
    "added": N_("The records are held too, from now on."),
    "proposed": N_("Proposed: the hold stays in force until two others approve."),
    "approved": N_("Your approval is kept."),
    "released": N_("Released. Where no other hold keeps a record, it is taken off in the stores."),
    "refused": N_("Refused, with your reason; the hold stays in force."),
    "withdrawn": N_("Withdrawn; the hold stays in force."),
}


@routes.get("/holds/new", Right.HOLDS_HOLD_PLACE, response_class=Response)
def new_hold(request: Request, ctx: Ctx, viewer: CurrentViewer, matter: str = "", record: str = "") -> Response:
    """The form that places a hold, for a matter or a record already named."""
    return _place_page(request, ctx, viewer, Form({"matter": matter, "records": record}))


@routes.post("/holds", Right.HOLDS_HOLD_PLACE, response_class=Response)
def place_hold(
    request: Request,
    ctx: Ctx,
    viewer: CurrentViewer,
    matter: Text = "",
    records: Text = "",
    reason: Text = "",
    review_date: Text = "",
    client_key: Text = "",
) -> Response:
    """Holds the records of a list, all of them or none."""
    values = {"matter": matter, "records": records, "reason": reason, "review_date": review_date}
    try:
        matter_id, day = uuid_of(matter), day_of(review_date.strip())
        if matter_id is None:
            raise InvalidInput(field="matter", problem=N_("choose one"))
        if review_date.strip() and day is None:
            raise InvalidInput(field="review_date", problem=N_("a day is needed, such as 2027-01-01"))
        placed = service.place_hold(ctx, viewer, matter_id, records.splitlines(), reason, day, client_key or None)
    except VaultError as error:
        return _place_page(request, ctx, viewer, form_with(request, values, error, "records"))
    return go(f"/holds/{placed.hold.id}?done=placed")


@routes.get("/holds/{hold_id}", Right.HOLDS_MATTER_READ, response_class=Response)
def hold_page(request: Request, ctx: Ctx, viewer: CurrentViewer, hold_id: UUID, done: str = "") -> Response:
    """One hold with its records, and who stands behind its release."""
    return _page(request, ctx, viewer, hold_id, {}, done)


@routes.post("/holds/{hold_id}/records", Right.HOLDS_HOLD_PLACE, response_class=Response)
def add_records(request: Request, ctx: Ctx, viewer: CurrentViewer, hold_id: UUID, records: Text = "") -> Response:
    """Puts further records under the hold."""
    return _do(
        request,
        (ctx, viewer, hold_id),
        "add",
        {"records": records},
        lambda: service.add_records(ctx, viewer, hold_id, records.splitlines()).hold,
    )


@routes.post("/holds/{hold_id}/propose", Right.HOLDS_RELEASE_PROPOSE, response_class=Response)
def propose(request: Request, ctx: Ctx, viewer: CurrentViewer, hold_id: UUID, reason: Text = "") -> Response:
    """Proposes to release the hold."""
    return _do(
        request,
        (ctx, viewer, hold_id),
        "propose",
        {"reason": reason},
        lambda: releasing.propose_release(ctx, viewer, hold_id, reason),
    )


@routes.post("/holds/{hold_id}/approve", Right.HOLDS_RELEASE_APPROVE, response_class=Response)
def approve(
    request: Request, ctx: Ctx, viewer: CurrentViewer, hold_id: UUID, proposal: Text = "", comment: Text = ""
) -> Response:
    """Approves the release as one of the two others."""
    return _do(
        request,
        (ctx, viewer, hold_id),
        "approve",
        {"comment": comment},
        lambda: releasing.approve_release(ctx, viewer, hold_id, _read(proposal), comment),
    )


@routes.post("/holds/{hold_id}/refuse", Right.HOLDS_RELEASE_APPROVE, response_class=Response)
def refuse(
    request: Request, ctx: Ctx, viewer: CurrentViewer, hold_id: UUID, proposal: Text = "", comment: Text = ""
) -> Response:
    """Refuses the release, for a reason."""
    return _do(
        request,
        (ctx, viewer, hold_id),
        "refuse",
        {"comment": comment},
        lambda: releasing.refuse_release(ctx, viewer, hold_id, _read(proposal), comment),
    )


@routes.post("/holds/{hold_id}/withdraw", Right.HOLDS_RELEASE_PROPOSE, response_class=Response)
def withdraw(request: Request, ctx: Ctx, viewer: CurrentViewer, hold_id: UUID) -> Response:
    """Takes one's own proposal back."""
    return _do(
        request,
        (ctx, viewer, hold_id),
        "withdraw",
        {},
        lambda: releasing.withdraw_release(ctx, viewer, hold_id),
    )


def _read(proposal: str) -> UUID:
    """The proposal that stood on the page; one that nobody proposed where a form names none."""
    return uuid_of(proposal) or UUID(int=0)


_TOLD = {"add": "added", "propose": "proposed", "approve": "approved", "refuse": "refused", "withdraw": "withdrawn"}
_FIELDS = {"add": "records", "propose": "reason"}


def _do(
    request: Request,
    where: tuple[Context, Viewer, UUID],
    act: str,
    values: dict[str, str],
    do: Callable[[], Hold],
) -> Response:
    """Does an act on a hold; the page again with what was wrong, where something was."""
    ctx, viewer, hold_id = where
    try:
        hold = do()
    except (NotFoundOrNotYours, NotAllowed):
        raise
    except VaultError as error:
        form = form_with(request, values, error, _FIELDS.get(act, "comment"))
        return _page(request, ctx, viewer, hold_id, {act: form})
    told = _TOLD[act] if hold.is_in_force else "released"
    return go(f"/holds/{hold_id}?done={told}")


def _page(
    request: Request,
    ctx: Context,
    viewer: Viewer,
    hold_id: UUID,
    forms: Mapping[str, Form],
    done: str = "",
) -> Response:
    told = request.query_params
    span = Span(uuid_of(told.get("after", "")), uuid_of(told.get("before", "")))
    view = hold_view(request, ctx, viewer, hold_id, span, forms, is_waiting_only=told.get("waiting") == "1")
    # An address may be old, or made up: it never says of a hold what is not so.
    is_so = done in _DONE and (done == "released") != view.is_in_force
    notices = (Notice(speaker(request).gettext(_DONE[done])),) if is_so else ()
    status = 422 if view.first_wrong.errors else 200
    return page(request, "hold.html", view, current="matters", status=status, notices=notices)


def _place_page(request: Request, ctx: Context, viewer: Viewer, form: Form) -> Response:
    with ctx.database.read() as connection:
        found, is_cut = open_matters(connection, viewer, _MATTERS_MAX, uuid_of(form.value("matter")))
        tomorrow = ctx.clock.now().astimezone(zone_of(connection)).date() + timedelta(days=1)
    view = views.PlaceView(
        choices=Choices({"matter": tuple(Option(str(one.id), f"{one.number} {one.title}") for one in found)}),
        matter=form.value("matter"),
        is_cut=is_cut,
        client_key=new_token(18),
        tomorrow=tomorrow.isoformat(),
        form=form if form.errors else Form(form.values),
    )
    return page(request, "place_hold.html", view, current="matters", status=422 if form.errors else 200)
