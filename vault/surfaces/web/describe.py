"""Correcting a record's description with its pages beside the form."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Annotated
from uuid import UUID

from fastapi import Form as Field
from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import Response

from retention_rules.identifiers import mask
from vault.access.rights import Right
from vault.catalogue import corrections, reading
from vault.catalogue.errors import ReasonNeeded, RecordChanged
from vault.catalogue.model import Correction, FieldKind, NewDescription
from vault.foundation.errors import VaultError
from vault.retention import description as retention
from vault.surfaces.field_words import DESCRIPTION_FIELDS
from vault.surfaces.routing import Ctx, CurrentViewer, Routes
from vault.surfaces.web.pages import form_with, go, page
from vault.surfaces.web.record_around import Around, around_record, back_to
from vault.surfaces.web.record_view import label_of, record_view
from vault.surfaces.web.views.parts import Form
from vault.surfaces.web.views.record import CorrectedValue, DescribeForm

routes = Routes("", "pages", in_schema=False)
_EMPTY_ATTRIBUTES = (("", ""),) * 2


@routes.get("/records/{record_id}/describe", Right.RECORDS_RECORD_DESCRIBE, response_class=Response)
def describe_page(request: Request, ctx: Ctx, viewer: CurrentViewer, record_id: UUID) -> Response:
    """The form, beside the record's pages. Opening it shows the pages, which is noted in the ledger."""
    around = around_record(request, ctx, viewer, record_id)
    reading.witness_viewing(ctx, viewer, record_id)
    return _show(request, around, Form(_values(around)))


class Typed(BaseModel):
    """What the form sends."""

    revision: int
    title: str = ""
    customer_name: str = ""
    business_type: str = ""
    business_number: str = ""
    handler: str = ""
    occurred_date: str = ""
    id_number: str = ""
    card_number: str = ""
    phone: str = ""
    remove: list[str] = []
    attribute_name: list[str] = []
    attribute_value: list[str] = []
    reason: str = ""

    @property
    def new(self) -> NewDescription:
        """What shall be said from now on. A number left empty stays: what is masked is not typed again by heart."""
        pairs = zip(self.attribute_name, self.attribute_value, strict=False)
        numbers: dict[FieldKind, str] = {kind: "" for kind in FieldKind if kind.value in self.remove}
        numbers |= {kind: number for kind in FieldKind if (number := getattr(self, kind.value).strip())}
        return NewDescription(
            values={name: getattr(self, name) for name in corrections.FIELDS},
            attributes={name.strip(): value for name, value in pairs if name.strip()},
            personal=numbers,
        )


@routes.post("/records/{record_id}/describe", Right.RECORDS_RECORD_DESCRIBE, response_class=Response)
def describe(
    request: Request, ctx: Ctx, viewer: CurrentViewer, record_id: UUID, typed: Annotated[Typed, Field()]
) -> Response:
    """Keeps the correction, or shows the form again with what is wrong beside the field."""
    try:
        retention.describe(ctx, viewer, record_id, typed.new, revision=typed.revision, reason=typed.reason)
    except RecordChanged as error:
        around = around_record(request, ctx, viewer, record_id)
        since = [c for c in around.corrections if c.revision > typed.revision]
        before = {change.field: change.old or "" for correction in since for change in correction.changes}
        form = form_with(request, _kept(around, typed, before), error, "")
        kept = {
            name: around.record.attributes.get(name, "") if before.get(f"attributes/{name}") == value else value
            for name, value in typed.new.attributes.items()
        }
        return _show(request, around, form, kept, now=tuple(_changes(since)), status=error.status)
    except VaultError as error:
        around = around_record(request, ctx, viewer, record_id)
        told = {name: str(value) for name, value in typed.model_dump(exclude={"remove"}).items()}
        form = form_with(request, told, error, "reason" if isinstance(error, ReasonNeeded) else "")
        return _show(request, around, form, typed.new.attributes, revision=typed.revision, status=error.status)
    return go(back_to(request, ctx, record_id, done="described"))


def _show(
    request: Request,
    around: Around,
    form: Form,
    attributes: Mapping[str, str] | None = None,
    *,
    revision: int | None = None,
    now: tuple[CorrectedValue, ...] = (),
    status: int = 200,
) -> Response:
    held = {kind: value for kind, ordinal, value in around.personal if ordinal == 0}
    types = {"occurred_date": "date"}
    view = DescribeForm(
        href=around.at("/describe"),
        form=form,
        revision=revision or around.record.revision,
        fields=tuple((name, DESCRIPTION_FIELDS[name], types.get(name, "text")) for name in corrections.FIELDS),
        attributes=(*sorted({**around.record.attributes, **(attributes or {})}.items()), *_EMPTY_ATTRIBUTES),
        personal=tuple((kind.value, mask(kind.value, held[kind]) if kind in held else "") for kind in FieldKind),
        now=now,
    )
    wanted = request.query_params.get("page", "")
    shown = record_view(around, current=int(wanted) if wanted.isdigit() else 1, describe=view)
    return page(request, "record.html", shown, current="records", status=status)


def _values(around: Around) -> dict[str, str]:
    record = around.record
    day = record.occurred_date.isoformat() if record.occurred_date else ""
    return {name: getattr(record, name) or "" for name in corrections.TEXTS} | {"occurred_date": day}


def _kept(around: Around, typed: Typed, before: Mapping[str, str]) -> dict[str, str]:
    """What was typed; where only the other person changed a field, what that person made of it."""
    present = _values(around)
    told = {name: getattr(typed, name) for name in corrections.FIELDS}
    untouched = {name for name, value in told.items() if name in before and value.strip() == before[name]}
    return {name: present[name] if name in untouched else value for name, value in told.items()} | {
        "reason": typed.reason
    }


def _changes(since: Iterable[Correction]) -> Iterator[CorrectedValue]:
    for correction in since:
        for change in correction.changes:
            yield CorrectedValue(label_of(change.field), change.old, change.new)
