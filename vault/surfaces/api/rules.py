"""The rules on which the schedule rests: packs, what is unverified, confirmations; and the holidays."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any
from uuid import UUID

from fastapi import Query
from pydantic import Field

from retention_rules.model import Rule
from retention_rules.packs import plain_rule, rule_digest
from vault.access.approvals import get_proposal
from vault.access.rights import Right
from vault.retention import confirmations, holidays
from vault.retention.book import known_packs, read_book
from vault.retention.confirmations import RuleConfirmation
from vault.retention.exchange import enter_pack
from vault.surfaces.api.schedule import Comment, Model, proposal_body
from vault.surfaces.routing import Ctx, CurrentViewer, Routes

routes = Routes("/rules", "rules")
calendar_routes = Routes("/calendar", "rules")
Size = Annotated[int, Query(ge=1, le=200)]


class Source(Model):
    """In which published source a rule stands as it is entered here."""

    source: str


class PackText(Model):
    """A rule pack as YAML."""

    text: str


class Year(Model):
    """The holidays of a year as they were decreed, and the weekends that are worked instead."""

    holidays: list[date]
    workdays: list[date] = Field(default_factory=list)
    source: str


@routes.get("", Right.RETENTION_SCHEDULE_READ)
def list_rules(ctx: Ctx, unconfirmed: bool = False) -> dict[str, Any]:  # noqa: FBT001, FBT002 - a parameter of the address
    """The rules in the packs of the schedule in effect; only those that nobody has confirmed, when asked."""
    now = ctx.clock.now()
    with ctx.database.read() as connection:
        book = read_book(connection)
    found = confirmations.rules_in_effect(book, book.day_of(now), now)
    confirmed = {(k.confirmation.rule_code, k.confirmation.rule_digest) for k in book.book.confirmations}
    rows = [_rule_body(rule, confirmed) for code in sorted(found) for rule in found[code]]
    return {"rules": [row for row in rows if not unconfirmed or not (row["verified"] or row["confirmed"])]}


@routes.get("/confirmations", Right.RETENTION_SCHEDULE_READ)
def list_confirmations(ctx: Ctx, after: UUID | None = None, size: Size = 50) -> dict[str, Any]:
    """Confirmations, proposed or given, newest first."""
    with ctx.database.read() as connection:
        found = confirmations.list_confirmations(connection, after=after, size=size)
        rows = [
            {
                **_confirmation_body(one),
                "proposal": proposal_body(connection, get_proposal(connection, one.proposal_id)),
            }
            for one in found
        ]
    return {"confirmations": rows, "after": str(found[-1].id) if len(found) == size else None}


@routes.post("/{code}/confirmations", Right.RETENTION_CONFIRMATION_PROPOSE)
def propose_confirmation(ctx: Ctx, viewer: CurrentViewer, code: str, told: Source) -> dict[str, Any]:
    """Says in which source a rule stands; a second person confirms it."""
    return _confirmation_body(confirmations.propose(ctx, viewer, code, told.source))


@routes.post("/confirmations/{confirmation_id}/approve", Right.RETENTION_CONFIRMATION_APPROVE)
def approve_confirmation(ctx: Ctx, viewer: CurrentViewer, confirmation_id: UUID, said: Comment) -> dict[str, Any]:
    """Confirms as the second person."""
    return _confirmation_body(confirmations.approve(ctx, viewer, confirmation_id, said.comment))


@routes.post("/confirmations/{confirmation_id}/refuse", Right.RETENTION_CONFIRMATION_APPROVE)
def refuse_confirmation(ctx: Ctx, viewer: CurrentViewer, confirmation_id: UUID, said: Comment) -> dict[str, Any]:
    """Refuses: the source does not say so."""
    return _confirmation_body(confirmations.refuse(ctx, viewer, confirmation_id, said.comment))


@routes.get("/packs", Right.RETENTION_SCHEDULE_READ)
def list_packs(ctx: Ctx) -> dict[str, Any]:
    """Every rule pack with its digest."""
    with ctx.database.read() as connection:
        packs = known_packs(connection)
    return {
        "packs": [
            {
                "version": pack.version,
                "jurisdiction": pack.jurisdiction,
                "published_date": pack.published_date.isoformat(),
                "supersedes": pack.supersedes,
                "rules": len(pack.rules),
                "digest": pack.digest,
            }
            for _, pack in sorted(packs.items())
        ]
    }


@routes.post("/packs", Right.RETENTION_SCHEDULE_DRAFT)
def add_pack(ctx: Ctx, viewer: CurrentViewer, new: PackText) -> dict[str, Any]:
    """Enters a rule pack of the organisation's own; it binds nothing until a schedule that names it is approved."""
    pack = enter_pack(ctx, viewer, new.text)
    return {"version": pack.version, "rules": len(pack.rules), "digest": pack.digest}


@calendar_routes.get("", Right.RETENTION_SCHEDULE_READ)
def list_years(ctx: Ctx) -> dict[str, Any]:
    """The holidays that were entered; of several entries of a year the first listed counts."""
    with ctx.database.read() as connection:
        found = holidays.list_years(connection)
    return {"years": [_year_body(year) for year in found]}


@calendar_routes.post("/{year}", Right.RETENTION_CALENDAR_ENTER)
def enter_year(ctx: Ctx, viewer: CurrentViewer, year: int, days: Year) -> dict[str, Any]:
    """Enters the holidays of a year, anew if they were wrong."""
    return _year_body(holidays.enter_year(ctx, viewer, year, days.holidays, days.workdays, days.source))


def _rule_body(rule: Rule, confirmed: set[tuple[str, str]]) -> dict[str, Any]:
    digest = rule_digest(rule)
    return {**plain_rule(rule), "pack": rule.pack, "digest": digest, "confirmed": (rule.code, digest) in confirmed}


def _confirmation_body(told: RuleConfirmation) -> dict[str, Any]:
    return {
        "id": str(told.id),
        "rule": told.rule_code,
        "digest": told.rule_digest,
        "source": told.source,
        "proposed_at": told.proposed_at.isoformat(),
        "confirmed_at": told.confirmed_at.isoformat() if told.confirmed_at else None,
    }


def _year_body(year: holidays.EnteredYear) -> dict[str, Any]:
    return {
        "year": year.year,
        "holidays": [day.isoformat() for day in year.holidays],
        "workdays": [day.isoformat() for day in year.workdays],
        "source": year.source,
        "entered_at": year.entered_at.isoformat(),
    }
