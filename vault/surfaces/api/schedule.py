"""Versions of the schedule: read, drafted from files, proposed, approved."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Literal

from fastapi import Query, Request
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import Connection
from starlette.responses import Response

from retention_rules import shipped
from retention_rules.differences import say_change
from retention_rules.problems import say_problem
from vault.access.approvals import Proposal, get_proposal
from vault.access.queries import actor_names
from vault.access.rights import Right
from vault.foundation.context import Context
from vault.retention import exchange, service
from vault.retention.book import read_book
from vault.retention.errors import ScheduleFileRefused
from vault.retention.model import Content, ScheduleVersion, VersionState
from vault.retention.queries import get_version, list_versions, version_in_effect
from vault.surfaces.i18n import Language
from vault.surfaces.problems import language_of, problem
from vault.surfaces.routing import Ctx, CurrentViewer, Routes

routes = Routes("/schedule", "schedule")
Size = Annotated[int, Query(ge=1, le=200)]
Format = Literal["yaml", "csv"]


class Model(BaseModel):
    """What is sent in; nothing else is taken."""

    model_config = ConfigDict(extra="forbid")


class Draft(Model):
    """A new draft: of a file, or of what is in effect now."""

    note: str = Field(description="What changes and why; others read it before they approve.")
    text: str | None = Field(default=None, description="A whole version as YAML, or its classes as CSV.")
    format: Format = "yaml"


class Changed(Model):
    """Another content for a draft."""

    text: str
    format: Format = "yaml"
    seen: str = Field(description="The digest of the draft as it was read.")
    note: str | None = None


class Effective(Model):
    """From which day."""

    effective_date: date


class Comment(Model):
    """What is said to an approval or a refusal; a refusal needs a reason."""

    comment: str = ""


class Because(Model):
    """Why a version is given up."""

    reason: str


@routes.get("", Right.RETENTION_SCHEDULE_READ)
def show_schedule(ctx: Ctx) -> dict[str, Any]:
    """The version in effect."""
    with ctx.database.read() as connection:
        return version_body(connection, version_in_effect(connection, ctx.clock.now()))


@routes.get("/versions", Right.RETENTION_SCHEDULE_READ)
def list_all(
    ctx: Ctx, state: VersionState | None = None, after: int | None = None, size: Size = 50
) -> dict[str, Any]:
    """Versions, the newest first."""
    with ctx.database.read() as connection:
        found = list_versions(connection, ctx.clock.now(), state=state, after=after, size=size)
    return {
        "versions": [_line(version) for version in found],
        "after": found[-1].number if len(found) == size else None,
    }


@routes.get("/versions/{number}", Right.RETENTION_SCHEDULE_READ)
def show_version(ctx: Ctx, number: int) -> dict[str, Any]:
    """One version with all it lays down, and who approved it."""
    with ctx.database.read() as connection:
        return version_body(connection, get_version(connection, number, ctx.clock.now()))


@routes.get("/versions/{number}/file", Right.RETENTION_SCHEDULE_READ, response_class=Response)
def export_version(request: Request, ctx: Ctx, number: int, format: Format = "yaml") -> Response:  # noqa: A002 - the name in the address
    """A version as a file to edit: YAML whole, CSV only its classes."""
    with ctx.database.read() as connection:
        version = get_version(connection, number, ctx.clock.now())
        today = read_book(connection).day_of(ctx.clock.now())
    if format == "csv":
        text = "\ufeff" + exchange.as_csv(version, is_chinese=language_of(request) is Language.ZH)
        return Response(text.encode(), media_type="text/csv; charset=utf-8")
    return Response(exchange.as_yaml(version, today).encode(), media_type="application/yaml")


@routes.get("/versions/{old}/differences/{new}", Right.RETENTION_SCHEDULE_READ)
def show_differences(request: Request, ctx: Ctx, old: int, new: int) -> dict[str, Any]:
    """What differs between two versions, as data and as sentences."""
    with ctx.database.read() as connection:
        now = ctx.clock.now()
        today = read_book(connection).day_of(now)
        changes = exchange.differences(get_version(connection, old, now), get_version(connection, new, now), today)
    language = language_of(request).value
    return {
        "changes": [
            {
                "subject": change.subject,
                "code": change.code,
                "how": change.how.value,
                "effect": change.effect.value,
                "field": change.field or None,
                "before": change.before or None,
                "after": change.after or None,
                "text": say_change(change, language, shipped.event_names()),
            }
            for change in changes
        ]
    }


@routes.post("/versions", Right.RETENTION_SCHEDULE_DRAFT, response_model=None)
def draft(request: Request, ctx: Ctx, viewer: CurrentViewer, new: Draft) -> dict[str, Any] | Response:
    """A new draft. A file with problems is refused with all of them, each with its line."""
    try:
        content = _content(ctx, new.text, new.format, None) if new.text is not None else None
    except ScheduleFileRefused as error:
        return _refused(request, error)
    return _line(service.draft(ctx, viewer, new.note, content))


@routes.post("/versions/{number}/content", Right.RETENTION_SCHEDULE_DRAFT, response_model=None)
def change(request: Request, ctx: Ctx, viewer: CurrentViewer, number: int, new: Changed) -> dict[str, Any] | Response:
    """Another content for a draft; a draft that somebody changed since it was read is a conflict (409)."""
    try:
        content = _content(ctx, new.text, new.format, number)
    except ScheduleFileRefused as error:
        return _refused(request, error)
    seen = bytes.fromhex(new.seen) if len(new.seen) == 64 and new.seen.isalnum() else b""
    return _line(service.change(ctx, viewer, number, content, seen=seen, note=new.note))


@routes.post("/versions/{number}/propose", Right.RETENTION_SCHEDULE_DRAFT)
def propose(ctx: Ctx, viewer: CurrentViewer, number: int, wanted: Effective) -> dict[str, Any]:
    """Proposes a draft: from now on it is fixed and waits for two people."""
    return _line(service.propose(ctx, viewer, number, wanted.effective_date))


@routes.post("/versions/{number}/approve", Right.RETENTION_SCHEDULE_APPROVE)
def approve(ctx: Ctx, viewer: CurrentViewer, number: int, said: Comment) -> dict[str, Any]:
    """Approves a version that somebody else proposed; the second approval makes it law from its day on."""
    version = service.approve(ctx, viewer, number, said.comment)
    with ctx.database.read() as connection:
        return version_body(connection, version)


@routes.post("/versions/{number}/refuse", Right.RETENTION_SCHEDULE_APPROVE)
def refuse(ctx: Ctx, viewer: CurrentViewer, number: int, said: Comment) -> dict[str, Any]:
    """Refuses a version for a reason."""
    return _line(service.refuse(ctx, viewer, number, said.comment))


@routes.post("/versions/{number}/withdraw", Right.RETENTION_SCHEDULE_DRAFT)
def withdraw(ctx: Ctx, viewer: CurrentViewer, number: int, why: Because) -> dict[str, Any]:
    """Gives up a draft, or takes back one's own proposal."""
    return _line(service.withdraw(ctx, viewer, number, why.reason))


def version_body(connection: Connection, version: ScheduleVersion) -> dict[str, Any]:
    """A version with all it lays down."""
    proposal = get_proposal(connection, version.proposal_id) if version.proposal_id else None
    return {
        **_line(version),
        **service.plain_content(version.content),
        "proposal": proposal_body(connection, proposal) if proposal else None,
    }


def proposal_body(connection: Connection, proposal: Proposal) -> dict[str, Any]:
    """A proposal, and who has said what."""
    ids = [proposal.proposed_by, *(said.person_id for said in proposal.approvals)]
    names = actor_names(connection, ids)
    return {
        "id": str(proposal.id),
        "state": proposal.state.value,
        "proposed_by": {"kind": proposal.proposed_by_kind, "name": names.get(proposal.proposed_by)},
        "proposed_at": proposal.proposed_at.isoformat(),
        "approvals_needed": proposal.approvals_needed,
        "approvals_missing": proposal.approvals_missing,
        "approvals": [
            {
                "person_id": str(said.person_id),
                "name": names.get(said.person_id),
                "is_approved": said.is_approved,
                "comment": said.comment,
                "at": said.at.isoformat(),
            }
            for said in proposal.approvals
        ],
    }


def _line(version: ScheduleVersion) -> dict[str, Any]:
    return {
        "number": version.number,
        "state": version.state.value,
        "standing": version.standing.value if version.standing else None,
        "note": version.note,
        "based_on": version.based_on,
        "effective_date": version.effective_date.isoformat() if version.effective_date else None,
        "approved_at": version.approved_at.isoformat() if version.approved_at else None,
        "withdrawn_because": version.withdrawn_because,
        "digest": version.digest.hex(),
        "class_count": len(version.content.classes),
    }


def _content(ctx: Context, text: str, form: Format, number: int | None) -> Content:
    with ctx.database.read() as connection:
        if form == "yaml":
            return exchange.content_from_yaml(connection, text)
        now = ctx.clock.now()
        base = get_version(connection, number, now) if number else version_in_effect(connection, now)
        return exchange.content_from_csv(connection, text, base.content)


def _refused(request: Request, error: ScheduleFileRefused) -> Response:
    language = language_of(request)
    lines = [
        {"line": found.line, "field": found.field or None, "text": say_problem(found, language.value)}
        for found in error.problems
    ]
    return problem(error, language, problems=lines)
