"""Reading the ledger and its proofs; asking for a verification."""

from __future__ import annotations

import base64
from typing import Annotated, Any
from uuid import UUID

from fastapi import Query
from starlette.responses import PlainTextResponse, Response

from vault.access.rights import Right
from vault.foundation.errors import NotFoundOrNotYours
from vault.foundation.ledger import queries
from vault.oversight.jobs import ask_verification
from vault.surfaces.routing import Ctx, CurrentViewer, Routes

routes = Routes("/ledger", "ledger")


@routes.get("/entries", Right.LEDGER_ENTRY_READ)
def list_entries(
    ctx: Ctx,
    event: str | None = None,
    subject_id: UUID | None = None,
    after: UUID | None = None,
    size: Annotated[int, Query(ge=1, le=queries.PAGE_SIZE_MAX)] = 50,
) -> dict[str, Any]:
    """Entries, newest first."""
    with ctx.database.read() as connection:
        lines = queries.recent_entries(connection, event=event, subject_id=subject_id, after=after, size=size)
    return {
        "entries": [_line_body(line) for line in lines],
        "after": str(lines[-1].id) if len(lines) == size else None,
    }


@routes.get("/entries/{entry_id}", Right.LEDGER_ENTRY_READ)
def show_entry(ctx: Ctx, entry_id: UUID) -> dict[str, Any]:
    """One entry: its canonical bytes, leaf hash, and inclusion proof under the newest checkpoint."""
    with ctx.database.read() as connection:
        found = queries.proven_entry(connection, entry_id)
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
        found = queries.proven_entry(connection, entry_id)
    proof = found.to_tlog_proof() if found is not None else None
    if proof is None:
        raise NotFoundOrNotYours
    return PlainTextResponse(proof)


@routes.get("/checkpoint", Right.LEDGER_ENTRY_READ, response_class=Response)
def checkpoint(ctx: Ctx) -> Response:
    """The newest checkpoint as a signed note."""
    with ctx.database.read() as connection:
        newest = queries.latest_checkpoint(connection)
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
