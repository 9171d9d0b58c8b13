"""Sending files."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from fastapi import Request
from fastapi.concurrency import run_in_threadpool
from starlette.responses import JSONResponse, Response

from vault.access.model import Viewer
from vault.access.queries import unit_id_by_code
from vault.access.rights import Right
from vault.foundation.context import Context
from vault.foundation.errors import N_, Fault, VaultError
from vault.intake import service
from vault.intake.checks import explain_finding
from vault.intake.model import ItemStatus, Receipt, Refusal, Upload
from vault.intake.surroundings import surroundings
from vault.intake.unfinished import UnfinishedUpload
from vault.surfaces.i18n import Language, translator
from vault.surfaces.pieces import Piece, piece_of, receive_piece, settled_before, whole
from vault.surfaces.problems import BadRequest, language_of, problem
from vault.surfaces.routing import Ctx, CurrentViewer, Routes
from vault.surfaces.uploads import Metadata, Spooled, metadata_from_header, spool

routes = Routes("/intake", "intake")


class ItemRefused(VaultError):
    """The file was examined and refused; its reasons are on the quarantine list."""

    code = "item-refused"
    status = 422
    exit_code = 1
    fault = Fault.INPUT
    message = N_("The file was refused: {reasons}")
    hint = N_("Each reason says what to do. The file was not kept; nothing else was changed.")


@routes.post("/items", Right.INTAKE_ITEM_SEND, status_code=201, response_class=Response)
async def send_item(request: Request, ctx: Ctx, viewer: CurrentViewer) -> Response:
    """Takes in one file: the raw body, described by the headers `Idempotency-Key` and `Slipvault-Metadata`.

    With `Content-Range` it comes in pieces: docs/reference/uploads.md.
    """
    key = request.headers.get("idempotency-key", "")
    if not 8 <= len(key) <= 200:
        raise BadRequest(problem=N_("the header Idempotency-Key must have 8 to 200 characters"))
    metadata = metadata_from_header(request)
    piece = piece_of(request)
    if piece is not None:
        return await _send_piece(request, ctx, viewer, key, metadata, piece)
    spooled = await spool(
        request.stream(),
        ctx.spool_directory,
        request.app.state.upload_bytes_max,
        request.headers.get("x-content-sha256"),
    )
    return await run_in_threadpool(_receive, ctx, viewer, key, metadata, spooled, language_of(request))


async def _send_piece(
    request: Request, ctx: Context, viewer: Viewer, key: str, metadata: Metadata, piece: Piece
) -> Response:
    announced, language = request.headers.get("x-content-sha256"), language_of(request)
    earlier = await run_in_threadpool(settled_before, ctx, viewer, key, piece.size_bytes, announced)
    if earlier is not None:
        return _receipt_answer(earlier, language)
    await run_in_threadpool(_require_acceptable, ctx, viewer, metadata)
    upload = await run_in_threadpool(UnfinishedUpload, ctx, viewer.id, key, piece.size_bytes)
    try:
        if piece.start is not None:
            await receive_piece(request, ctx, upload, piece)
        if upload.is_complete:
            return await run_in_threadpool(_settle, ctx, viewer, key, metadata, upload, announced, language)
        told = {"status": "receiving", "received_bytes": upload.received_bytes, "size_bytes": piece.size_bytes}
        return JSONResponse(told, 202)
    finally:
        upload.close()


def _require_acceptable(ctx: Context, viewer: Viewer, metadata: Metadata) -> None:
    """Before gigabytes travel: class, unit and store are ones that intake would take."""
    unit_id = _unit_id(ctx, metadata)
    surroundings(ctx, viewer, metadata.class_code, unit_id)


def _settle(
    ctx: Context,
    viewer: Viewer,
    key: str,
    metadata: Metadata,
    upload: UnfinishedUpload,
    announced: str | None,
    language: Language,
) -> Response:
    with whole(ctx, upload, announced) as spooled:
        return _receive(ctx, viewer, key, metadata, spooled, language)


def _receive(
    ctx: Context, viewer: Viewer, key: str, metadata: Metadata, spooled: Spooled, language: Language
) -> Response:
    return _receipt_answer(receive_spooled(ctx, viewer, key, metadata, spooled), language)


def _receipt_answer(receipt: Receipt, language: Language) -> Response:
    findings = [finding_body(finding, language) for finding in receipt.findings]
    if receipt.status is ItemStatus.REFUSED:
        reasons = "; ".join(str(f["message"]) for f in findings if f["severity"] == "refuse")
        return problem(
            ItemRefused(reasons=reasons),
            language,
            item_id=str(receipt.item_id),
            findings=findings,
            repeated=receipt.is_repeated,
        )
    is_new = receipt.status is ItemStatus.ACCEPTED and not receipt.is_repeated
    return JSONResponse(receipt_body(receipt, findings), 201 if is_new else 200)


def receive_spooled(ctx: Context, viewer: Viewer, key: str, metadata: Metadata, spooled: Spooled) -> Receipt:
    """Hands a spooled body to intake and lets go of it afterwards."""
    with spooled.content:
        upload = Upload(
            content=spooled.content,
            size_bytes=spooled.size_bytes,
            sha256=spooled.sha256,
            client_key=key,
            class_code=metadata.class_code,
            file_name=metadata.file_name,
            description=metadata.description,
            batch_id=metadata.batch_id,
            unit_id=_unit_id(ctx, metadata),
            tag=spooled.tag,
        )
        return service.receive(ctx, viewer, upload)


def _unit_id(ctx: Context, metadata: Metadata) -> UUID | None:
    if not metadata.unit_code:
        return None
    with ctx.database.read() as connection:
        return unit_id_by_code(connection, metadata.unit_code)


def receipt_body(receipt: Receipt, findings: list[dict[str, object]]) -> dict[str, Any]:
    """A receipt as JSON."""
    return {
        "item_id": str(receipt.item_id),
        "status": receipt.status.value,
        "record_id": str(receipt.record_id) if receipt.record_id else None,
        "archival_number": receipt.archival_number,
        "findings": findings,
        "ledger": {
            "entry_id": str(receipt.ledger_entry_id) if receipt.ledger_entry_id else None,
            "leaf_hash": receipt.ledger_leaf_hash,
        },
        "repeated": receipt.is_repeated,
    }


def finding_body(finding: Refusal, language: Language) -> dict[str, object]:
    """A finding with its words in `language`."""
    explanation = explain_finding(finding.code)
    speaker = translator(language)
    # Facts are numbers, names and some words of ours: those are said in the reader's language, too.
    words = {name: speaker.gettext(value) if value else value for name, value in finding.facts.items()}
    return {
        "code": finding.code,
        "severity": finding.severity,
        "page": finding.page,
        "message": speaker.gettext(explanation.message).format(**words),
        "hint": speaker.gettext(explanation.hint).format(**words),
        "facts": finding.facts,
    }
