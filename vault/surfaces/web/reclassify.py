"""Another class for a record: at once while it is to be filed, afterwards with a reason and a second person."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import Form as Field
from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response

from vault.access.approvals import get_proposal
from vault.access.model import Viewer
from vault.access.queries import actor_names
from vault.access.rights import Right
from vault.catalogue import reading
from vault.catalogue.model import RecordStatus
from vault.catalogue.queries import get_record
from vault.foundation.context import Context
from vault.foundation.errors import N_, InvalidInput, NotAllowed, NotFoundOrNotYours, VaultError
from vault.retention import reclassification
from vault.retention.foreseen import foresee_class
from vault.retention.model import Classification
from vault.retention.queries import classification_of, classifications_of_record
from vault.surfaces.lists.listing import Speech
from vault.surfaces.routing import Ctx, CurrentViewer, Routes
from vault.surfaces.web.events import consequence_of
from vault.surfaces.web.pages import form_with, go, language_for, page, speaker
from vault.surfaces.web.schedule_view import proposal_box
from vault.surfaces.web.views import reclassify as views
from vault.surfaces.web.views.parts import BLANK, Choices, Form, Notice, Option

routes = Routes("", "pages", in_schema=False)
Text = Annotated[str, Field()]
_DONE = {
    "changed": N_("The record has another class and, as that is part of it, another archival number."),
    "proposed": N_("Proposed: another person decides."),
    "approved": N_("Approved: the record has the other class, and its lock follows."),
    "refused": N_("Refused, with your reason."),
}


@routes.get("/records/{record_id}/class", Right.RECORDS_RECORD_READ, response_class=Response)
def class_page(
    request: Request, ctx: Ctx, viewer: CurrentViewer, record_id: UUID, class_code: str = "", done: str = ""
) -> Response:
    """What another class would do to the record, and what was proposed. Asking is looking at it."""
    notices = (Notice(speaker(request).gettext(_DONE[done])),) if done in _DONE else ()
    answer = _page(request, ctx, viewer, record_id, class_code, notices=notices)
    reading.witness_viewing(ctx, viewer, record_id)
    return answer


@routes.post("/records/{record_id}/class", Right.RECORDS_RECORD_CLASSIFY, response_class=Response)
def classify(
    request: Request, ctx: Ctx, viewer: CurrentViewer, record_id: UUID, class_code: Text = "", reason: Text = ""
) -> Response:
    """Gives the record the other class, or proposes it."""
    try:
        if not class_code:
            raise InvalidInput(field="class_code", problem=N_("choose one"))
        done = reclassification.classify(ctx, viewer, record_id, class_code, reason)
    except VaultError as error:
        if isinstance(error, NotFoundOrNotYours):
            raise
        form = form_with(request, {"class_code": class_code, "reason": reason}, error, "reason")
        return _page(request, ctx, viewer, record_id, class_code, form=form)
    return go(f"/records/{record_id}/class?done={'proposed' if done.is_after_filing else 'changed'}")


@routes.post(
    "/reclassifications/{classification_id}/approve",
    Right.RETENTION_RECLASSIFICATION_APPROVE,
    response_class=Response,
)
def approve(
    request: Request, ctx: Ctx, viewer: CurrentViewer, classification_id: UUID, comment: Text = ""
) -> Response:
    """Approves as the second person."""
    try:
        told = reclassification.approve(ctx, viewer, classification_id, comment)
    except VaultError as error:
        return _said_no(request, ctx, viewer, classification_id, comment, error)
    return go(f"/records/{told.record_id}/class?done=approved")


@routes.post(
    "/reclassifications/{classification_id}/refuse", Right.RETENTION_RECLASSIFICATION_APPROVE, response_class=Response
)
def refuse(
    request: Request, ctx: Ctx, viewer: CurrentViewer, classification_id: UUID, comment: Text = ""
) -> Response:
    """Refuses, for a reason."""
    try:
        told = reclassification.refuse(ctx, viewer, classification_id, comment)
    except VaultError as error:
        return _said_no(request, ctx, viewer, classification_id, comment, error)
    return go(f"/records/{told.record_id}/class?done=refused")


def _said_no(
    request: Request, ctx: Context, viewer: Viewer, classification_id: UUID, comment: str, error: VaultError
) -> Response:
    """The page again with what was wrong, for who may see the record."""
    if isinstance(error, NotFoundOrNotYours | NotAllowed):
        raise error
    with ctx.database.read() as connection:
        record_id = classification_of(connection, classification_id).record_id
    form = form_with(request, {"comment": comment}, error, "comment")
    return _page(request, ctx, viewer, record_id, "", refuse_form=form)


def _page(
    request: Request,
    ctx: Context,
    viewer: Viewer,
    record_id: UUID,
    class_code: str,
    *,
    form: Form = BLANK,
    refuse_form: Form = BLANK,
    notices: tuple[Notice, ...] = (),
) -> Response:
    say = speaker(request)
    with ctx.database.read() as connection:
        record = get_record(connection, viewer, record_id)
        classes = Speech(connection, language_for(request), ctx.clock.now()).classes
        chosen = class_code if class_code in classes and class_code != record.class_code else ""
        changes = tuple(
            _change(request, connection, viewer, told, classes)
            for told in classifications_of_record(connection, record_id)
        )
        foreseen = foresee_class(connection, record_id, chosen, ctx.clock.now()) if chosen else None
    view = views.ReclassifyView(
        href=f"/records/{record_id}/class",
        record_href=f"/records/{record_id}",
        archival_number=record.archival_number,
        class_name=classes.get(record.class_code, record.class_code),
        is_filed=record.status is RecordStatus.FILED,
        is_waiting=any(change.box is not None and change.box.is_open for change in changes),
        may_classify=viewer.may(Right.RECORDS_RECORD_CLASSIFY),
        choices=Choices(
            {"class_code": tuple(Option(code, name) for code, name in classes.items() if code != record.class_code)}
        ),
        chosen=chosen,
        chosen_name=classes.get(chosen, ""),
        consequence=consequence_of(say, foreseen) if foreseen else None,
        changes=changes,
        form=form,
        refuse_form=refuse_form,
    )
    status = 422 if form.errors or refuse_form.errors else 200
    return page(request, "reclassify.html", view, current="records", status=status, notices=notices)


def _change(
    request: Request, connection: Connection, viewer: Viewer, told: Classification, classes: dict[str, str]
) -> views.ClassChange:
    box = None
    if told.proposal_id is not None:
        proposal = get_proposal(connection, told.proposal_id)
        names = actor_names(connection, [proposal.proposed_by, *(said.person_id for said in proposal.approvals)])
        box = proposal_box(speaker(request), viewer, proposal, names, Right.RETENTION_RECLASSIFICATION_APPROVE)
    return views.ClassChange(
        before=classes.get(told.from_class, told.from_class),
        after=classes.get(told.to_class, told.to_class),
        reason=told.reason,
        box=box,
        href=f"/reclassifications/{told.id}",
    )
