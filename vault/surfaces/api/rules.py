"""The rules on which the schedule rests: packs, what is unverified, confirmations; and the holidays."""

from __future__ import annotations

import base64
from datetime import date
from typing import Annotated, Any
from uuid import UUID

from fastapi import Query
from pydantic import Field

from retention_rules.model import Rule
from retention_rules.packs import plain_rule, rule_digest
from vault.access.approvals import get_proposal
from vault.access.rights import Right
from vault.foundation.errors import N_, InvalidInput
from vault.foundation.keys.detached import fingerprint, key_of, pem_of
from vault.retention import confirmations, holidays
from vault.retention.book import known_packs, read_book
from vault.retention.confirmations import RuleConfirmation
from vault.retention.rule_packs import Signature, enter_pack, export_pack
from vault.surfaces.api.schedule import Comment, Model, proposal_body
from vault.surfaces.routing import Ctx, CurrentViewer, Routes

routes = Routes("/rules", "rules")
calendar_routes = Routes("/calendar", "rules")
Size = Annotated[int, Query(ge=1, le=200)]


class Source(Model):
    """In which published source a rule stands as it is entered here."""

    source: str


class PackText(Model):
    """A rule pack as YAML or JSON; signed ones with signature (base64) and public key (PEM)."""

    text: str
    signature: str | None = None
    public_key: str | None = None


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
    pack = enter_pack(ctx, viewer, new.text, _signature(new))
    return {"version": pack.version, "rules": len(pack.rules), "digest": pack.digest}


@routes.get("/packs/{version}", Right.RETENTION_SCHEDULE_READ)
def take_out_pack(ctx: Ctx, viewer: CurrentViewer, version: str) -> dict[str, Any]:
    """A pack as it is signed, with the signature it came with or, once it is approved, this archive's; else with none.

    Leaves `retention:pack:export`.
    """
    body, signature = export_pack(ctx, viewer, version)
    return {
        "text": body.decode(),
        "signature": base64.b64encode(signature.signature).decode() if signature else None,
        "public_key": pem_of(signature.public_key) if signature else None,
        "fingerprint": fingerprint(signature.public_key) if signature else None,
    }


def _signature(new: PackText) -> Signature | None:
    if new.signature is None and new.public_key is None:
        return None
    key = key_of(new.public_key or "")
    try:
        given = base64.b64decode(new.signature or "", validate=True)
    except ValueError as error:
        raise InvalidInput(field="signature", problem=N_("it is no base64")) from error
    if key is None:
        raise InvalidInput(field="public_key", problem=N_("it is no Ed25519 public key in PEM"))
    return Signature(given, key)


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
