"""Reading the ledger and its proofs; asking for a verification."""

from __future__ import annotations

import base64
from datetime import date
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import Query, Request
from pydantic import Field
from sqlalchemy import Connection
from starlette.responses import PlainTextResponse, Response

from vault.access.rights import Right
from vault.foundation.db.keyset import EVERYTHING
from vault.foundation.errors import NotFoundOrNotYours
from vault.foundation.ledger import queries
from vault.oversight.jobs import ask_verification
from vault.surfaces.api.lists import PageAsked, page_body
from vault.surfaces.lists.csv_file import export
from vault.surfaces.lists.ledger import LEDGER
from vault.surfaces.lists.listing import day_begins, day_ends, zone_of
from vault.surfaces.problems import language_of
from vault.surfaces.routing import Ctx, CurrentViewer, Routes

routes = Routes("/ledger", "ledger")


class EntriesAsked(PageAsked):
    """Which entries: those for which all that is given holds. Days are the organisation's."""

    event: str | None = None
    actor_kind: Literal["person", "station", "operator", "system"] | None = None
    actor_id: UUID | None = None
    subject_type: str | None = None
    subject_id: UUID | None = None
    at_from: date | None = None
    at_until: date | None = None
    size: int = Field(default=50, ge=1, le=queries.PAGE_SIZE_MAX)


@routes.get("/entries", Right.LEDGER_ENTRY_READ)
def list_entries(ctx: Ctx, viewer: CurrentViewer, wanted: Annotated[EntriesAsked, Query()]) -> dict[str, Any]:
    """Entries, newest first."""
    with ctx.database.read() as connection:
        question = LEDGER.ask(ctx, connection, viewer, _filters(connection, wanted), EVERYTHING)
        return page_body("entries", question, wanted, _line_body)


@routes.post("/entries/export", Right.ACCESS_LIST_EXPORT, response_class=Response)
def export_entries(request: Request, ctx: Ctx, viewer: CurrentViewer, wanted: EntriesAsked) -> Response:
    """The list as CSV, for reading: proofs are in the export that `slipvault ledger export` writes."""
    with ctx.database.read() as connection:
        filters = _filters(connection, wanted)
    return export(ctx, viewer, LEDGER, filters, EVERYTHING, language_of(request))


def _filters(connection: Connection, wanted: EntriesAsked) -> queries.EntryFilters:
    zone = zone_of(connection)
    return queries.EntryFilters(
        event=wanted.event,
        actor_kind=wanted.actor_kind,
        actor_ids=(wanted.actor_id,) if wanted.actor_id else None,
        subject_type=wanted.subject_type,
        subject_id=wanted.subject_id,
        at_from=day_begins(wanted.at_from, zone),
        at_before=day_ends(wanted.at_until, zone),
    )


@routes.get("/entries/{entry_id}", Right.LEDGER_ENTRY_READ)
def show_entry(ctx: Ctx, entry_id: UUID) -> dict[str, Any]:
    """One entry: its canonical bytes, leaf hash, and inclusion proof under the newest checkpoint."""
    with ctx.database.read() as connection:
        found = queries.proven_entry(connection, entry_id, ctx.custodian.public_key())
    if found is None:
        raise NotFoundOrNotYours
    return {
        **_line_body(found.line),
        "body": found.body.decode(),
        "leaf_hash": found.leaf_hash.hex() if found.leaf_hash else None,
        "checkpoint": found.checkpoint_note,
        "proof": [base64.b64encode(step).decode() for step in found.proof],
    }


@routes.get("/entries/{entry_id}/proof", Right.LEDGER_ENTRY_READ, response_class=Response)
def show_proof(ctx: Ctx, entry_id: UUID) -> Response:
    """The proof as a C2SP tlog-proof, to be checked by anybody's tool."""
    with ctx.database.read() as connection:
        found = queries.proven_entry(connection, entry_id, ctx.custodian.public_key())
    proof = found.to_tlog_proof() if found is not None else None
    if proof is None:
        raise NotFoundOrNotYours
    return PlainTextResponse(proof)


@routes.get("/checkpoint", Right.LEDGER_ENTRY_READ, response_class=Response)
def checkpoint(ctx: Ctx) -> Response:
    """The newest checkpoint as a signed note."""
    with ctx.database.read() as connection:
        newest = queries.latest_checkpoint(connection, ctx.custodian.public_key())
    if newest is None:
        raise NotFoundOrNotYours
    return PlainTextResponse(newest.note)


@routes.get("/public-key", Right.PUBLIC_PAGE_VIEW)
def public_key(ctx: Ctx) -> dict[str, str]:
    """The key that checkpoints are signed with."""
    return {"algorithm": "Ed25519", "public_key": base64.b64encode(ctx.custodian.public_key()).decode()}


@routes.post("/verification", Right.LEDGER_LEDGER_VERIFY, status_code=202)
def start_verification(ctx: Ctx, viewer: CurrentViewer) -> dict[str, str]:
    """Starts a verification of the whole archive; follow it under /jobs."""
    return {"job_id": ask_verification(ctx, viewer)}


def _line_body(line: queries.EntryLine) -> dict[str, Any]:
    return {
        "entry_id": str(line.id),
        "at": line.at.isoformat(),
        "event": line.event,
        "actor_kind": line.actor_kind,
        "actor_id": str(line.actor_id) if line.actor_id else None,
        "subject_type": line.subject_type,
        "subject_id": str(line.subject_id),
        "context_id": str(line.context_id) if line.context_id else None,
        "leaf_index": line.leaf_index,
    }
