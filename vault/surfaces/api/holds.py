"""Matters and holds: opened, placed on lists of records, released by three people."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any
from uuid import UUID

from fastapi import Query
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import Connection
from starlette.responses import Response

from vault.access.queries import actor_names
from vault.access.rights import Right
from vault.catalogue.queries import get_record
from vault.foundation.db.keyset import EVERYTHING, PAGE_SIZE_MAX, Span
from vault.holds import matter_lists, queries, releasing, service
from vault.holds.model import Authority, Hold, Matter, NewMatter, Placed
from vault.surfaces.api.lists import PageAsked, page_body
from vault.surfaces.api.schedule import proposal_body
from vault.surfaces.lists.matters import MATTERS
from vault.surfaces.routing import Ctx, CurrentViewer, Routes

routes = Routes("", "holds")
_REPEATED: dict[int | str, dict[str, Any]] = {200: {"description": "The same was sent before."}}


class Model(BaseModel):
    """What is sent in; nothing else is taken."""

    model_config = ConfigDict(extra="forbid")


class Search(PageAsked):
    """Which matters. In the body, because what was written of a matter must not stand in addresses."""

    is_open: bool | None = None
    text: str | None = None


class Opened(Model):
    """A matter to be opened."""

    client_key: str = Field(min_length=8, max_length=200, description="The same key is the same matter.")
    authority: Authority
    authority_name: str = Field(description="Which court, which police: as its document says.")
    document_number: str = Field(default="", description="That of the authority's document; the house has none.")
    basis: str = Field(description="The law that the document names.")
    title: str


class Records(Model):
    """Records by archival number or id, at most 5,000: all of them or none."""

    records: list[str]


class NewHold(Records):
    """A hold to be placed."""

    client_key: str = Field(min_length=8, max_length=200, description="The same key is the same hold.")
    reason: str
    review_date: date | None = Field(default=None, description="When somebody looks whether it is still needed.")


class Why(Model):
    """Why a hold is no longer needed."""

    reason: str


class Decision(Model):
    """What is said to a proposed release; a refusal needs a reason."""

    proposal_id: UUID = Field(
        description="The proposal that was read, `release.id` of the hold: no other is decided."
    )
    comment: str = ""


@routes.post("/matters/search", Right.HOLDS_MATTER_READ)
def search_matters(ctx: Ctx, viewer: CurrentViewer, wanted: Search) -> dict[str, Any]:
    """One page of the matters, newest first, with what is held under each."""
    filters = matter_lists.MatterFilters(is_open=wanted.is_open, text=wanted.text)
    with ctx.database.read() as connection:
        question = MATTERS.ask(ctx, connection, viewer, filters, EVERYTHING)
        return page_body("matters", question, wanted, _line_body)


@routes.post("/matters", Right.HOLDS_MATTER_OPEN, status_code=201, responses=_REPEATED)
def open_matter(ctx: Ctx, viewer: CurrentViewer, new: Opened, answer: Response) -> dict[str, Any]:
    """Opens a matter, which gets a number of ours; 200 with the earlier one under a key that was used before."""
    with ctx.database.read() as connection:
        if matter_lists.is_opened(connection, viewer, new.client_key):
            answer.status_code = 200
    told = NewMatter(new.authority, new.authority_name, new.document_number, new.basis, new.title)
    return _matter_body(service.open_matter(ctx, viewer, told, new.client_key))


@routes.get("/matters/{matter_id}", Right.HOLDS_MATTER_READ)
def show_matter(ctx: Ctx, viewer: CurrentViewer, matter_id: UUID) -> dict[str, Any]:
    """One matter with its holds, newest first."""
    with ctx.database.read() as connection:
        matter = queries.get_matter(connection, viewer, matter_id)
        held = [hold_body(connection, hold) for hold in queries.holds_of_matter(connection, viewer, matter_id)]
    return {**_matter_body(matter), "holds": held}


@routes.post("/matters/{matter_id}/close", Right.HOLDS_MATTER_OPEN)
def close_matter(ctx: Ctx, viewer: CurrentViewer, matter_id: UUID) -> dict[str, Any]:
    """Closes a matter under which no hold is in force."""
    return _matter_body(service.close_matter(ctx, viewer, matter_id))


@routes.post("/matters/{matter_id}/holds", Right.HOLDS_HOLD_PLACE, status_code=201, responses=_REPEATED)
def place_hold(ctx: Ctx, viewer: CurrentViewer, matter_id: UUID, new: NewHold, answer: Response) -> dict[str, Any]:
    """Holds records: from this answer on nobody can destroy them. Lines that name no record refuse the whole list.

    Under a key that was used before nothing is placed, and 200 tells the hold of then.
    """
    placed = service.place_hold(ctx, viewer, matter_id, new.records, new.reason, new.review_date, new.client_key)
    if not placed.added:
        answer.status_code = 200
    return _placed_body(ctx, placed)


@routes.get("/holds/{hold_id}", Right.HOLDS_MATTER_READ)
def show_hold(ctx: Ctx, viewer: CurrentViewer, hold_id: UUID) -> dict[str, Any]:
    """One hold: its state, and who has said what about its release."""
    with ctx.database.read() as connection:
        return hold_body(connection, queries.see_hold(connection, viewer, hold_id))


@routes.get("/holds/{hold_id}/records", Right.HOLDS_MATTER_READ)
def list_records(
    ctx: Ctx,
    viewer: CurrentViewer,
    hold_id: UUID,
    after: UUID | None = None,
    size: Annotated[int, Query(ge=1, le=PAGE_SIZE_MAX)] = 50,
) -> dict[str, Any]:
    """The records under a hold that the viewer may see, newest first."""
    with ctx.database.read() as connection:
        queries.see_hold(connection, viewer, hold_id)
        page = queries.find_held(connection, viewer, hold_id, Span(after=after, size=size))
        count = queries.count_held(connection, viewer, hold_id)
    return {
        "records": [
            {
                "record_id": str(line.record_id),
                "archival_number": line.archival_number,
                "held_at": line.held_at.isoformat(),
                "stands_at": line.stands_at.isoformat() if line.stands_at else None,
                "released_at": line.released_at.isoformat() if line.released_at else None,
                "problem": line.problem,
            }
            for line in page.lines
        ],
        "after": str(page.after) if page.after else None,
        "count": count,
    }


@routes.post("/holds/{hold_id}/records", Right.HOLDS_HOLD_PLACE)
def add_records(ctx: Ctx, viewer: CurrentViewer, hold_id: UUID, more: Records) -> dict[str, Any]:
    """Puts further records under a hold, all or none; those that it holds already stay as they are."""
    return _placed_body(ctx, service.add_records(ctx, viewer, hold_id, more.records))


@routes.post("/holds/{hold_id}/release", Right.HOLDS_RELEASE_PROPOSE)
def propose_release(ctx: Ctx, viewer: CurrentViewer, hold_id: UUID, why: Why) -> dict[str, Any]:
    """Proposes to release a hold: it stays in force until two others approve."""
    return _told(ctx, releasing.propose_release(ctx, viewer, hold_id, why.reason))


@routes.post("/holds/{hold_id}/release/approve", Right.HOLDS_RELEASE_APPROVE)
def approve_release(ctx: Ctx, viewer: CurrentViewer, hold_id: UUID, said: Decision) -> dict[str, Any]:
    """Approves the release that somebody else proposed; the second approval releases the hold."""
    return _told(ctx, releasing.approve_release(ctx, viewer, hold_id, said.proposal_id, said.comment))


@routes.post("/holds/{hold_id}/release/refuse", Right.HOLDS_RELEASE_APPROVE)
def refuse_release(ctx: Ctx, viewer: CurrentViewer, hold_id: UUID, said: Decision) -> dict[str, Any]:
    """Refuses the release for a reason."""
    return _told(ctx, releasing.refuse_release(ctx, viewer, hold_id, said.proposal_id, said.comment))


@routes.post("/holds/{hold_id}/release/withdraw", Right.HOLDS_RELEASE_PROPOSE)
def withdraw_release(ctx: Ctx, viewer: CurrentViewer, hold_id: UUID) -> dict[str, Any]:
    """Takes back one's own proposal."""
    return _told(ctx, releasing.withdraw_release(ctx, viewer, hold_id))


@routes.get("/records/{record_id}/holds", Right.RECORDS_RECORD_READ)
def holds_of_record(ctx: Ctx, viewer: CurrentViewer, record_id: UUID) -> dict[str, Any]:
    """Whether a record is held, and every hold that it is or was under."""
    with ctx.database.read() as connection:
        get_record(connection, viewer, record_id)
        found = queries.holds_of_record(connection, record_id)
    return {
        "is_held": any(hold.is_in_force for hold in found),
        "holds": [
            {
                "hold_id": str(hold.hold_id),
                "name": hold.name,
                "held_at": hold.held_at.isoformat(),
                "stands_at": hold.stands_at.isoformat() if hold.stands_at else None,
                "released_at": hold.released_at.isoformat() if hold.released_at else None,
                "review_date": hold.review_date.isoformat() if hold.review_date else None,
            }
            for hold in found
        ],
    }


def hold_body(connection: Connection, hold: Hold) -> dict[str, Any]:
    """A hold for programs."""
    names = actor_names(connection, [hold.placed_by])
    return {
        "id": str(hold.id),
        "name": hold.name,
        "matter_id": str(hold.matter_id),
        "state": hold.state.value,
        "is_in_force": hold.is_in_force,
        "reason": hold.reason,
        "review_date": hold.review_date.isoformat() if hold.review_date else None,
        "placed_by": {"kind": hold.placed_by_kind, "name": names.get(hold.placed_by)},
        "placed_at": hold.placed_at.isoformat(),
        "released_at": hold.released_at.isoformat() if hold.released_at else None,
        "release_reason": hold.release_reason,
        "release": proposal_body(connection, hold.release) if hold.release else None,
        "records": hold.records,
        "standing": hold.standing,
        "waiting": hold.waiting,
    }


def _told(ctx: Ctx, hold: Hold) -> dict[str, Any]:
    with ctx.database.read() as connection:
        return hold_body(connection, hold)


def _placed_body(ctx: Ctx, placed: Placed) -> dict[str, Any]:
    return {"hold": _told(ctx, placed.hold), "added": placed.added, "already": placed.already}


def _matter_body(matter: Matter) -> dict[str, Any]:
    return {
        "id": str(matter.id),
        "number": matter.number,
        "authority": matter.authority.value,
        "authority_name": matter.authority_name,
        "document_number": matter.document_number,
        "basis": matter.basis,
        "title": matter.title,
        "opened_at": matter.opened_at.isoformat(),
        "closed_at": matter.closed_at.isoformat() if matter.closed_at else None,
    }


def _line_body(line: matter_lists.MatterLine) -> dict[str, Any]:
    return {
        **_matter_body(line.matter),
        "holds_in_force": line.holds,
        "records_held": line.records,
        "waiting": line.waiting,
        "is_release_proposed": line.is_release_proposed,
    }
