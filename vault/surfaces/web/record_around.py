"""Everything that the page of a record needs, looked up in one read transaction."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from sqlalchemy import Connection
from starlette.requests import Request

from vault.access.model import Viewer
from vault.access.queries import actor_kind, actor_names, all_units, organisation
from vault.catalogue import corrections, reading
from vault.catalogue.model import Correction, FieldKind
from vault.catalogue.queries import RecordView, get_record, same_business
from vault.foundation.db.keyset import EVERYTHING, Span
from vault.holds.model import RecordHold
from vault.holds.queries import holds_of_record
from vault.intake.queries import get_batch, is_rendering, item_of_record
from vault.oversight.model import RecordVerification
from vault.oversight.queries import newest_verification
from vault.retention.model import Filing
from vault.retention.queries import classes_in_effect, filing_of
from vault.retention.why import Explanation, explain_record
from vault.surfaces.i18n import Language, Translator
from vault.surfaces.lists.listing import zone_of
from vault.surfaces.routing import Ctx
from vault.surfaces.web.listing import told_by
from vault.surfaces.web.pages import language_for, speaker
from vault.surfaces.web.records import LIST
from vault.surfaces.web.story import story
from vault.surfaces.web.views.parts import Link, TimelineEntry


@dataclass(frozen=True)
class Beside:
    """The record's neighbours in the list from which it was opened, and the way back to its place there."""

    told: Mapping[str, str]
    previous_href: str | None
    next_href: str | None
    list_href: str


@dataclass(frozen=True)
class Around:
    """Everything that a record's page needs to know."""

    record: RecordView
    viewer: Viewer
    unit: str
    class_name: str
    period_code: str
    fonds_name: str
    received_date: date
    why: Explanation
    personal: tuple[tuple[FieldKind, int, str], ...]
    corrections: tuple[Correction, ...]
    verified: RecordVerification | None
    filing: Filing | None
    holds: tuple[RecordHold, ...]
    names: Mapping[UUID, str]
    story: tuple[TimelineEntry, ...]
    rendering: str | None
    batch: Link | None
    sender: tuple[str, UUID] | None
    file_name: str
    same_business: tuple[tuple[UUID, str], ...]
    beside: Beside
    speaker: Translator

    @property
    def href(self) -> str:
        """The address of the record's page."""
        return f"/records/{self.record.id}"

    def at(self, act: str = "", **more: str) -> str:
        """The address of the page, or of an act on the record, that keeps its place in the list."""
        return address_at(self.record.id, {**self.beside.told, **more}, act)


def address_at(record_id: UUID, told: Mapping[str, str], act: str = "") -> str:
    """The address of a record's page, or of an act on it, opened from the list that `told` describes."""
    query = urlencode(told)
    return f"/records/{record_id}{act}?{query}" if query else f"/records/{record_id}{act}"


def back_to(request: Request, ctx: Ctx, record_id: UUID, **more: str) -> str:
    """The address of the page after an act on the record, at the same place of the list."""
    return address_at(record_id, {**told_by(ctx, LIST, request.query_params).address, **more})


def around_record(request: Request, ctx: Ctx, viewer: Viewer, record_id: UUID) -> Around:
    """Everything that the page of a record needs.

    Raises:
        NotFoundOrNotYours: no such record for this viewer.
    """
    english = language_for(request) is Language.EN
    with ctx.database.read() as connection:
        record = get_record(connection, viewer, record_id)
        now = ctx.clock.now()
        told_why = explain_record(ctx, connection, viewer, record)
        held_class = next((k for k in classes_in_effect(connection, now) if k.code == record.class_code), None)
        home = organisation(connection)
        unit = next(unit for unit in all_units(connection) if unit.id == record.unit_id)
        batch = get_batch(connection, viewer, record.batch_id) if record.batch_id else None
        item = item_of_record(connection, record_id)
        beside = _beside(request, ctx, connection, viewer, record_id)
        told = story(request, connection, viewer, record_id, aside=_reason_teller(ctx, connection, viewer, record_id))
        verified = newest_verification(connection, record)
        filed = filing_of(connection, record_id)
        held = tuple(hold for hold in holds_of_record(connection, record_id) if hold.is_in_force)
        corrected = corrections.corrections_of(ctx, connection, viewer, record)
        people = [c.actor_id for c in corrected] + [item.sender_id if item else None, verified and verified.actor_id]
        people += [said.person_id for said in told_why.approved_by]
        names = actor_names(connection, [one for one in people if one])
        sender = (actor_kind(connection, item.sender_id), item.sender_id) if item else None
        related = same_business(connection, viewer, record)
        rendering = is_rendering(connection, record_id)
    return Around(
        record=record,
        viewer=viewer,
        unit=unit.name_en if english else unit.name_zh,
        fonds_name=home.name or record.fonds_code,
        class_name=(held_class.name_en if english else held_class.name_zh) if held_class else record.class_code,
        period_code=record.archival_number.split("-")[2],
        received_date=told_why.decision.facts.received_date,
        why=told_why,
        personal=reading.personal_values(ctx, viewer, record),
        corrections=corrected,
        verified=verified,
        filing=filed,
        holds=held,
        names=names,
        story=told,
        rendering=rendering,
        batch=Link(batch.name, f"/batches/{batch.id}") if batch else None,
        sender=sender,
        file_name=(item.file_name or "") if item else "",
        same_business=related,
        beside=beside,
        speaker=speaker(request),
    )


def _reason_teller(ctx: Ctx, connection: Connection, viewer: Viewer, record_id: UUID) -> Any:
    """Tells why somebody saw a number in full: the ledger holds the reason sealed, and who reads the record may know."""

    def tell(event: str, details: Mapping[str, Any]) -> str:
        sealed = details.get("reason_sealed") if event == "catalogue:field:unmask" else None
        return reading.unmask_reason(ctx, connection, viewer, record_id, sealed) if sealed else ""

    return tell


def _beside(request: Request, ctx: Ctx, connection: Connection, viewer: Viewer, record_id: UUID) -> Beside:
    """The neighbours in the list that the address names, else in the list of all records."""
    told = told_by(ctx, LIST, request.query_params)
    filters = LIST.parse(told.values, connection, zone_of(connection))
    question = LIST.listing.ask(ctx, connection, viewer, filters, EVERYTHING)
    newer = question.page(Span(before=record_id, size=1)).lines
    older = question.page(Span(after=record_id, size=1)).lines
    here = urlencode({**told.address, "after": str(newer[0].id)} if newer else told.address)
    return Beside(
        told=told.address,
        previous_href=address_at(newer[0].id, told.address) if newer else None,
        next_href=address_at(older[0].id, told.address) if older else None,
        list_href=f"{LIST.path}?{here}" if here else LIST.path,
    )
