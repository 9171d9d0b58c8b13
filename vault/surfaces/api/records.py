"""Finding records, reading one, fetching its bytes."""

from __future__ import annotations

from datetime import date
from typing import Any
from uuid import UUID

from fastapi import Request
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import Connection
from starlette.responses import Response

from retention_rules.identifiers import mask, normalised_identifier
from retention_rules.model import What
from vault.access.model import Viewer
from vault.access.queries import unit_codes, unit_id_by_code
from vault.access.rights import Right
from vault.catalogue import corrections, reading, search
from vault.catalogue.model import ComponentKind, Correction, FieldKind, NewDescription
from vault.catalogue.queries import ComponentView, RecordView, get_record
from vault.foundation.context import Context
from vault.foundation.db.keyset import EVERYTHING
from vault.foundation.errors import N_
from vault.foundation.ledger.queries import entries_of_subject
from vault.oversight.model import RecordVerification
from vault.oversight.queries import newest_verification
from vault.oversight.record_check import verify_record
from vault.retention.description import describe
from vault.surfaces.api.lists import PageAsked, page_body
from vault.surfaces.bytes_out import stream_bytes
from vault.surfaces.i18n import Language, translator
from vault.surfaces.lists.csv_file import export
from vault.surfaces.lists.records import RECORDS
from vault.surfaces.problems import BadRequest, language_of
from vault.surfaces.routing import Ctx, CurrentViewer, Routes

routes = Routes("/records", "records")


class Search(PageAsked):
    """What to look for. In the body, because names and numbers of people must not stand in addresses."""

    number: str | None = None
    name: str | None = None
    business_type: str | None = None
    class_code: str | None = None
    unit_code: str | None = None
    status: str | None = None
    occurred_from: date | None = None
    occurred_until: date | None = None
    batch_id: UUID | None = None
    due_from: date | None = None
    due_until: date | None = None
    decision: What | None = None
    id_number: str | None = None
    card_number: str | None = None
    phone: str | None = None


@routes.post("/search", Right.RECORDS_RECORD_READ)
def search_records(ctx: Ctx, viewer: CurrentViewer, wanted: Search) -> dict[str, Any]:
    """One page of the records that match, newest first, and how many match in all."""
    _witness_search(ctx, viewer, wanted)
    with ctx.database.read() as connection:
        question = RECORDS.ask(ctx, connection, viewer, _filters(connection, wanted), EVERYTHING)
        codes = unit_codes(connection)
        return page_body("records", question, wanted, lambda line: _line_body(line, codes))


@routes.post("/export", Right.ACCESS_LIST_EXPORT, response_class=Response)
def export_records(request: Request, ctx: Ctx, viewer: CurrentViewer, wanted: Search) -> Response:
    """All records that match as CSV, names masked. The ledger notes it with the count."""
    _witness_search(ctx, viewer, wanted)
    with ctx.database.read() as connection:
        filters = _filters(connection, wanted)
    return export(ctx, viewer, RECORDS, filters, EVERYTHING, language_of(request))


def _witness_search(ctx: Context, viewer: Viewer, wanted: Search) -> None:
    for kind, _ in _personal(wanted):
        reading.witness_personal_search(ctx, viewer, kind)


def _personal(wanted: Search) -> list[tuple[FieldKind, str]]:
    given = [(kind, value) for kind in FieldKind if (value := getattr(wanted, kind.value))]
    if len(given) > 1:
        raise BadRequest(problem=N_("only one of id_number, card_number and phone can be looked for at once"))
    return given


def _filters(connection: Connection, wanted: Search) -> search.Filters:
    given = _personal(wanted)
    return search.Filters(
        number=wanted.number,
        name=wanted.name,
        business_type=wanted.business_type,
        class_code=wanted.class_code,
        unit_id=unit_id_by_code(connection, wanted.unit_code) if wanted.unit_code else None,
        status=wanted.status,
        occurred_from=wanted.occurred_from,
        occurred_until=wanted.occurred_until,
        batch_id=wanted.batch_id,
        due_from=wanted.due_from,
        due_until=wanted.due_until,
        what=wanted.decision.value if wanted.decision else None,
        personal=(given[0][0], normalised_identifier(given[0][0].value, given[0][1])) if given else None,
    )


@routes.get("/{record_id}", Right.RECORDS_RECORD_READ)
def show_record(request: Request, ctx: Ctx, viewer: CurrentViewer, record_id: UUID) -> dict[str, Any]:
    """One record: description and its corrections, masked personal fields, components with locks, ledger entries.

    Looking is in the ledger, once in five minutes.
    """
    with ctx.database.read() as connection:
        record = get_record(connection, viewer, record_id)
        entries = entries_of_subject(connection, record_id)
        codes = unit_codes(connection)
        verified = newest_verification(connection, record)
        corrected = corrections.corrections_of(ctx, connection, viewer, record)
    reading.witness_looking(ctx, viewer, record_id)
    return {
        **_description_body(record, codes),
        "personal": masked_fields(ctx, viewer, record),
        "corrections": [_correction_body(found) for found in corrected],
        "verified": verification_body(verified, language_of(request)) if verified else None,
        "components": [_component_body(component) for component in record.components],
        "ledger": [
            {
                "entry_id": str(entry.id),
                "at": entry.at.isoformat(),
                "event": entry.event,
                "actor_kind": entry.actor_kind,
                "actor_id": str(entry.actor_id) if entry.actor_id else None,
                "leaf_index": entry.leaf_index,
            }
            for entry in entries
        ],
    }


def masked_fields(ctx: Context, viewer: CurrentViewer, record: RecordView) -> list[dict[str, Any]]:
    """The personal fields as anybody who may see the record sees them."""
    return [
        {"kind": kind.value, "ordinal": ordinal, "masked": mask(kind.value, value)}
        for kind, ordinal, value in reading.personal_values(ctx, viewer, record)
    ]


class NewWords(BaseModel):
    """What shall be said of a record. What is left out stays; an empty text takes a value away."""

    model_config = ConfigDict(extra="forbid")

    revision: int = Field(
        ge=1, description="The revision that was read; a correction since then is a conflict (409)."
    )
    reason: str = Field(default="", description="Needed where a value that was there is changed or taken away.")
    title: str | None = None
    customer_name: str | None = None
    business_type: str | None = None
    business_number: str | None = None
    handler: str | None = None
    occurred_date: str | None = Field(default=None, description="YYYY-MM-DD")
    attributes: dict[str, str] = Field(default_factory=dict)
    id_number: str | None = None
    card_number: str | None = None
    phone: str | None = None


@routes.post("/{record_id}/description", Right.RECORDS_RECORD_DESCRIBE)
def describe_record(ctx: Ctx, viewer: CurrentViewer, record_id: UUID, words: NewWords) -> dict[str, Any]:
    """Corrects the description; the old values stay readable, the ledger keeps that it was done."""
    told = words.model_dump(exclude_none=True, exclude={"revision", "reason", "attributes"})
    new = NewDescription(
        values={name: value for name, value in told.items() if name in corrections.FIELDS},
        attributes=words.attributes,
        personal={FieldKind(name): value for name, value in told.items() if name in set(FieldKind)},
    )
    revision = describe(ctx, viewer, record_id, new, revision=words.revision, reason=words.reason)
    return {"id": str(record_id), "revision": revision}


@routes.post("/{record_id}/verify", Right.RECORDS_RECORD_VERIFY)
def verify_one(request: Request, ctx: Ctx, viewer: CurrentViewer, record_id: UUID) -> dict[str, Any]:
    """Verifies one record now: objects, locks, catalogue rows, entries in the signed ledger."""
    return verification_body(verify_record(ctx, viewer, record_id), language_of(request))


def verification_body(verdict: RecordVerification, language: Language) -> dict[str, Any]:
    """A verification with each of its checks, and its findings in words."""
    say = translator(language).gettext
    return {
        "at": verdict.at.isoformat(),
        "clean": verdict.is_clean,
        "revision": verdict.revision,
        "checks": [
            {"code": check.code.value, "ok": check.is_ok, "count": check.count, "pending": check.pending}
            for check in verdict.checks
        ],
        "findings": [
            {
                "code": finding.code.value,
                "subject_type": finding.subject_type,
                "subject_id": finding.subject_id,
                "message": say(finding.message).format(**finding.facts),
            }
            for finding in verdict.findings
        ],
    }


class UnmaskRequest(BaseModel):
    """Why a field must be seen in full."""

    reason: str


@routes.post("/{record_id}/personal-fields/{kind}/{ordinal}/unmask", Right.RECORDS_FIELD_UNMASK)
def unmask_field(
    ctx: Ctx, viewer: CurrentViewer, record_id: UUID, kind: FieldKind, ordinal: int, asked: UnmaskRequest
) -> dict[str, str]:
    """One personal field in full; the act and its reason are in the ledger."""
    return {"value": reading.unmask(ctx, viewer, record_id, kind, ordinal, asked.reason)}


@routes.get("/{record_id}/original", Right.RECORDS_ORIGINAL_FETCH, response_class=Response)
def fetch_original(request: Request, ctx: Ctx, viewer: CurrentViewer, record_id: UUID) -> Response:
    """The original bytes as they came in."""
    record, original, content = reading.open_original(ctx, viewer, record_id)
    return stream_bytes(content, original, f"{record.id}", request.headers.get("range"))


@routes.get("/{record_id}/access-copy", Right.RECORDS_ORIGINAL_FETCH, response_class=Response)
def fetch_access_copy(ctx: Ctx, viewer: CurrentViewer, record_id: UUID) -> Response:
    """The PDF access copy. It carries no mark, so it needs what an original needs; fetching it is in the ledger."""
    component, data = reading.read_rendition(ctx, viewer, record_id, ComponentKind.ACCESS_COPY, 0)
    return Response(data, media_type=component.media_type, headers={"Cache-Control": "no-store"})


def _line_body(line: search.RecordLine, codes: dict[UUID, str]) -> dict[str, Any]:
    return {
        "id": str(line.id),
        "archival_number": line.archival_number,
        "business_number": line.business_number,
        "business_type": line.business_type,
        "title": line.title,
        "customer_name": line.customer_name,
        "handler": line.handler,
        "unit_code": codes.get(line.unit_id),
        "class_code": line.class_code,
        "occurred_date": line.occurred_date.isoformat() if line.occurred_date else None,
        "received_at": line.received_at.isoformat(),
        "page_count": line.page_count,
        "status": line.status,
        "retain_until": line.retain_until.isoformat() if line.retain_until else None,
        "lock_until": line.lock_until.isoformat(),
    }


def _description_body(record: RecordView, codes: dict[UUID, str]) -> dict[str, Any]:
    return {
        "id": str(record.id),
        "archival_number": record.archival_number,
        "fonds_code": record.fonds_code,
        "category_code": record.category_code,
        "year": record.year,
        "class_code": record.class_code,
        "unit_code": codes.get(record.unit_id),
        "business_number": record.business_number,
        "business_type": record.business_type,
        "title": record.title,
        "handler": record.handler,
        "customer_name": record.customer_name,
        "occurred_date": record.occurred_date.isoformat() if record.occurred_date else None,
        "received_at": record.received_at.isoformat(),
        "page_count": record.page_count,
        "attributes": record.attributes,
        "batch_id": str(record.batch_id) if record.batch_id else None,
        "revision": record.revision,
        "status": record.status.value,
        "decision": record.what.value,
        "retain_until": record.retain_until.isoformat() if record.retain_until else None,
        "delete_by": record.delete_by.isoformat() if record.delete_by else None,
        "schedule_version": record.schedule_number,
        "lock_until": record.lock_until.isoformat(),
    }


def _correction_body(correction: Correction) -> dict[str, Any]:
    return {
        "revision": correction.revision,
        "at": correction.at.isoformat(),
        "actor_kind": correction.actor_kind,
        "actor_id": str(correction.actor_id) if correction.actor_id else None,
        "reason": correction.reason,
        "changes": [{"field": c.field, "old": c.old, "new": c.new} for c in correction.changes],
    }


def _component_body(component: ComponentView) -> dict[str, Any]:
    return {
        "id": str(component.id),
        "kind": component.kind.value,
        "ordinal": component.ordinal,
        "media_type": component.media_type,
        "size_bytes": component.size_bytes,
        "sha256": component.sha256.hex(),
        "sealed_size_bytes": component.sealed_size_bytes,
        "sealed_sha256": component.sealed_sha256.hex(),
        "copies": [
            {
                "store": component.store,
                "object_key": component.object_key,
                "version_id": component.version_id,
                "lock_mode": component.lock_mode,
                "lock_until": component.lock_until.isoformat(),
            }
        ],
    }
