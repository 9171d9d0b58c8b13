"""From what was looked up about a record to the view-model of its page. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from retention_rules.decision import Decision
from retention_rules.identifiers import mask
from vault.access.model import Viewer
from vault.access.rights import Right
from vault.catalogue.model import ComponentKind, FieldKind
from vault.catalogue.queries import ComponentView, RecordView
from vault.foundation.errors import N_
from vault.surfaces.i18n import Translator
from vault.surfaces.law_words import reason_in_words
from vault.surfaces.web.views import labels
from vault.surfaces.web.views import records as views
from vault.surfaces.web.views.parts import BLANK, Action, Form, Link, TimelineEntry

_PAGE_PIXELS = (1240, 1754)
_RENDERED = frozenset({"image/tiff", "image/jpeg", "image/png", "image/jp2", "application/pdf"})


@dataclass(frozen=True)
class Around:
    """Everything that a record's page needs to know."""

    record: RecordView
    viewer: Viewer
    unit: str
    class_name: str
    period_code: str
    received_date: date
    decision: Decision
    personal: tuple[tuple[FieldKind, int, str], ...]
    story: tuple[TimelineEntry, ...]
    rendering: str | None
    batch: Link | None
    previous_id: UUID | None
    next_id: UUID | None
    speaker: Translator


def record_view(
    around: Around,
    *,
    current: int = 1,
    clear: Mapping[tuple[FieldKind, int], str] | None = None,
    unmask_form: Form = BLANK,
) -> views.RecordView:
    """The view-model; `clear` holds the personal fields that this answer alone shows in full."""
    record, viewer = around.record, around.viewer
    href = f"/records/{record.id}"
    may_unmask = bool(record.personal) and viewer.may(Right.RECORDS_FIELD_UNMASK)
    actions = (Action(labels.FETCH_ORIGINAL, f"{href}/original"),) if viewer.may(Right.RECORDS_ORIGINAL_FETCH) else ()
    return views.RecordView(
        id=str(record.id),
        href=href,
        archival_number=record.archival_number,
        title=record.title or record.business_type or record.archival_number,
        state=record.status.value,
        fonds=record.fonds_code,
        category=record.category_code,
        year=record.year,
        period=around.period_code,
        item_number=int(record.archival_number.rsplit("-", 1)[1]),
        business_number=record.business_number or "",
        business_type=record.business_type or "",
        unit=around.unit,
        handler=record.handler or "",
        customer_name=record.customer_name or "",
        occurred_date=record.occurred_date,
        received_at=record.received_at,
        page_count=record.page_count,
        keeping=_keeping(around),
        strip=_strip(around, current),
        verification=views.Verification("never"),
        attributes=tuple(sorted(record.attributes.items())),
        personal=tuple(
            views.PersonalField(kind.value, mask(kind.value, value), (clear or {}).get((kind, ordinal)))
            for kind, ordinal, value in around.personal
        ),
        components=tuple(_component(component) for component in record.components),
        timeline=around.story,
        actions=actions,
        unmask_href=f"{href}/unmask" if may_unmask else None,
        unmask_form=unmask_form,
        batch=around.batch,
        previous_href=f"/records/{around.previous_id}" if around.previous_id else None,
        next_href=f"/records/{around.next_id}" if around.next_id else None,
        ledger_href=f"/ledger?subject={record.id}" if viewer.may(Right.LEDGER_ENTRY_READ) else None,
    )


def _keeping(around: Around) -> views.Keeping:
    record, say = around.record, around.speaker.gettext
    original = record.component(ComponentKind.ORIGINAL)
    reasons = tuple(
        views.Reason(
            rule_code=reason.rule,
            text=reason_in_words(around.speaker, reason),
            citation=reason.citation,
            is_winner=place == 0,
            is_verified=reason.is_verified,
        )
        for place, reason in enumerate(around.decision.reasons)
    )
    return views.Keeping(
        received_date=around.received_date,
        class_code=record.class_code,
        class_name=around.class_name,
        trigger=say(N_("The day of the business")),
        trigger_state=record.trigger_state.value,
        trigger_date=record.trigger_date,
        retain_until=record.retain_until,
        lock_mode=(original.lock_mode if original else "NONE").lower(),
        lock_until=record.lock_until,
        reasons=reasons,
    )


def _strip(around: Around, current: int) -> views.PageStrip:
    record, href = around.record, f"/records/{around.record.id}"
    pages = sorted(c.ordinal for c in record.components if c.kind is ComponentKind.PAGE)
    if pages:
        width, height = _PAGE_PIXELS
        images = tuple(
            views.PageImage(n, f"{href}/pages/{n}.jpg", f"{href}/thumbs/{n}.jpg", width, height) for n in pages
        )
        return views.PageStrip("ready", images, min(max(1, current), len(images)))
    original = record.component(ComponentKind.ORIGINAL)
    if original is None or original.media_type not in _RENDERED:
        return views.PageStrip("none")
    if around.rendering == "failed":
        return views.PageStrip("failed")
    return views.PageStrip("making", progress_href=f"{href}/progress")


def _component(component: ComponentView) -> views.ComponentRow:
    return views.ComponentRow(
        id=str(component.id),
        kind=component.kind.value,
        ordinal=component.ordinal,
        media_type=component.media_type,
        size_bytes=component.size_bytes,
        sha256_hex=component.sha256.hex(),
        store=component.store,
        version_id=component.version_id,
        lock_mode=component.lock_mode.lower(),
        lock_until=component.lock_until,
        state="unverified",
    )
