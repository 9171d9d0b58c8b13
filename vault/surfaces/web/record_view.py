"""From what was looked up about a record to the view-model of its page. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from itertools import groupby
from urllib.parse import urlencode

from retention_rules.identifiers import mask
from vault.access.rights import Right
from vault.catalogue.describe import title_of
from vault.catalogue.model import ComponentKind, Correction, FieldKind, RecordStatus
from vault.catalogue.queries import ComponentView
from vault.foundation.errors import N_
from vault.surfaces.field_words import DESCRIPTION_FIELDS
from vault.surfaces.law_words import (
    category_in_words,
    lock_in_words,
    period_code_in_words,
)
from vault.surfaces.web.record_around import Around
from vault.surfaces.web.record_keeping import keeping_of
from vault.surfaces.web.story import actor_of
from vault.surfaces.web.views import labels
from vault.surfaces.web.views import record as views
from vault.surfaces.web.views.parts import BLANK, Action, Finding, Form, Link

_PAGE_PIXELS = (1240, 1754)
_RENDERED = frozenset({"image/tiff", "image/jpeg", "image/png", "image/jp2", "application/pdf"})
_KIND_ORDER = tuple(ComponentKind)
_LOCK_ORDER = ("none", "governance", "compliance")


def record_view(
    around: Around,
    *,
    current: int = 1,
    clear: Mapping[tuple[FieldKind, int], str] | None = None,
    unmask_form: Form = BLANK,
    describe: views.DescribeForm | None = None,
    is_filing: bool = False,
) -> views.RecordView:
    """The view-model; `clear` holds the personal fields that this answer alone shows in full."""
    record, viewer = around.record, around.viewer
    may_describe = viewer.may(Right.RECORDS_RECORD_DESCRIBE)
    may_unmask = bool(record.personal) and viewer.may(Right.RECORDS_FIELD_UNMASK)
    verification = _verification(around)
    return views.RecordView(
        id=str(record.id),
        href=around.at(),
        archival_number=record.archival_number,
        title=title_of(
            record.title, record.business_type, around.class_name, record.occurred_date or around.received_date
        ),
        state=_state(around),
        described=_described(around),
        place=_place(around),
        received_at=record.received_at,
        page_count=record.page_count or None,
        related=_related(around),
        keeping=keeping_of(around),
        strip=_strip(around, current, "/describe" if describe else "/file" if is_filing else ""),
        verification=verification,
        personal=tuple(_personal(around, clear or {})),
        objects=tuple(_objects(record.components, is_held=any(hold.stands_at for hold in around.holds))),
        holds=tuple(_holds(around)),
        corrections=tuple(_correction(around, correction) for correction in around.corrections),
        timeline=around.story,
        same_business=tuple(Link(number, f"/records/{record_id}") for record_id, number in around.same_business),
        actions=() if describe or is_filing else _actions(around, verification),
        progress_href=f"{around.href}/progress" if _state(around) == "being_filed" else None,
        file_plan=_file_plan(around) if is_filing else None,
        describe=describe,
        describe_href=around.at("/describe") if may_describe and not describe else None,
        unmask_href=around.at("/unmask") if may_unmask else None,
        unmask_form=unmask_form,
        previous_href=around.beside.previous_href,
        next_href=around.beside.next_href,
        list_href=around.beside.list_href,
        ledger_href=f"/ledger?subject={record.id}" if viewer.may(Right.LEDGER_ENTRY_READ) else None,
    )


def _state(around: Around) -> str:
    if around.record.status is RecordStatus.RECEIVED and around.filing is not None:
        return "being_filed"
    return around.record.status.value


def _actions(around: Around, verification: views.Verification) -> tuple[Action, ...]:
    """The one next act first, as the only primary one: see to what is wrong, describe what is bare, file, verify."""
    record, viewer = around.record, around.viewer
    is_bare = not any((record.title, record.business_type, record.customer_name, record.business_number))
    state = _state(around)
    verify = Action(labels.VERIFY_NOW, around.at("/verify"), "post", icon="check")
    describe = Action(labels.DESCRIBE if is_bare else labels.CORRECT, around.at("/describe"), icon="pen")
    offered = [
        (Right.RECORDS_RECORD_VERIFY, verification.state in {"findings", "stale"}, verify),
        (Right.RECORDS_RECORD_DESCRIBE, is_bare, describe),
        (Right.RETENTION_RECORD_FILE, state == "received", Action(labels.FILE, around.at("/file"), icon="lock")),
        (Right.RECORDS_RECORD_VERIFY, verification.state == "new", verify),
    ]
    allowed = [(is_next, action) for right, is_next, action in offered if viewer.may(right)]
    first = next((action for is_next, action in allowed if is_next), None)
    others = [action for is_next, action in allowed if action != first and (is_next or action.label != labels.FILE)]
    if viewer.may(Right.RECORDS_ORIGINAL_FETCH):
        others.append(Action(labels.FETCH_ORIGINAL, f"{around.href}/original", icon="download"))
    if viewer.may(Right.RECORDS_RECORD_CLASSIFY):
        others.append(Action(labels.ANOTHER_CLASS, f"{around.href}/class", icon="schedule"))
    if viewer.may(Right.RETENTION_EVENT_REPORT):
        address = f"/events/new?{urlencode({'record': record.archival_number})}"
        others.append(Action(labels.REPORT_EVENT, address, icon="events"))
    if viewer.may(Right.HOLDS_HOLD_PLACE):
        address = f"/holds/new?{urlencode({'record': record.archival_number})}"
        others.append(Action(labels.HOLD, address, icon="hold"))
    if state == "being_filed" and viewer.may(Right.RETENTION_RECORD_FILE) and _may_stop(around):
        others.append(Action(labels.STOP_FILING, around.at("/file/stop"), "post"))
    return ((replace(first, tone="primary"),) if first else ()) + tuple(dict.fromkeys(others))


def _may_stop(around: Around) -> bool:
    return around.filing is not None and around.filing.intended_date is None


def _file_plan(around: Around) -> views.FilePlan:
    """What filing does, in plain sentences: which lock, in which stores, and that nobody can take it back."""
    say, lock = around.speaker, around.why.decision.lock
    stores = ", ".join(sorted({component.store for component in around.record.components}))
    sentences = [
        say.gettext(N_("You confirm that the scan is good and that {class_name} is its class.")).format(
            class_name=around.class_name
        )
    ]
    if lock is not None:
        sentences.append(f"{lock_in_words(say, lock)} ({stores})")
        sentences.append(say.gettext(N_("This cannot be undone: nobody can shorten or lift the lock.")))
    else:
        sentences.append(say.gettext(N_("Nothing keeps it any more, so no lock is set.")))
    sentences.append(say.gettext(N_("Until the lock stands, filing can still be stopped and the class changed.")))
    return views.FilePlan(around.at("/file"), tuple(sentences))


def _described(around: Around) -> tuple[views.Described, ...]:
    record = around.record
    before = _values_before(around.corrections)
    day = record.occurred_date.isoformat() if record.occurred_date else ""
    told = [
        ("title", record.title or "", "whole"),
        ("customer_name", record.customer_name or "", "strong"),
        ("business_type", record.business_type or "", ""),
        ("business_number", record.business_number or "", "archnum"),
        ("occurred_date", day, "day"),
        ("handler", record.handler or "", ""),
    ]
    rows = [
        views.Described(DESCRIPTION_FIELDS[name], value, cls, before.get(name, ()))
        for name, value, cls in told
        if name != "title" or value or before.get(name)
    ]
    attributes = dict(record.attributes)
    gone = {name.partition("/")[2] for name in before if name.startswith("attributes/")} - set(attributes)
    rows += [
        views.Described(name, attributes.get(name, ""), "", before.get(f"attributes/{name}", ()))
        for name in sorted({*attributes, *gone})
    ]
    return tuple(rows)


def _values_before(corrections: Iterable[Correction]) -> dict[str, tuple[str, ...]]:
    """For each field what stood there before, the newest first."""
    found: dict[str, tuple[str, ...]] = {}
    for correction in corrections:
        for change in correction.changes:
            if change.old:
                found[change.field] = (*found.get(change.field, ()), change.old)
    return found


def _personal(around: Around, clear: Mapping[tuple[FieldKind, int], str]) -> Iterable[views.PersonalField]:
    before = _values_before(around.corrections)
    for kind, ordinal, value in around.personal:
        place = f"{kind.value}/{ordinal}"
        yield views.PersonalField(
            kind.value, mask(kind.value, value), clear.get((kind, ordinal)), before.get(place, ())
        )


def _place(around: Around) -> tuple[tuple[str, str], ...]:
    record = around.record
    fonds = (
        f"{record.fonds_code} {around.fonds_name}" if around.fonds_name != record.fonds_code else record.fonds_code
    )
    return (
        (N_("Fonds"), fonds),
        (N_("Category"), category_in_words(around.speaker, record.category_code)),
        (N_("Year"), str(record.year)),
        (N_("Retention period"), period_code_in_words(around.speaker, around.period_code)),
        (N_("Item number"), str(int(record.archival_number.rsplit("-", 1)[1]))),
    )


def _related(around: Around) -> tuple[tuple[str, Link | None, str], ...]:
    """What belongs to the record, by name, with a link where the viewer may follow it."""
    record, viewer = around.record, around.viewer
    rows: list[tuple[str, Link | None, str]] = [
        (
            N_("Retention class"),
            Link(around.class_name, f"/records?class_code={record.class_code}"),
            record.class_code,
        ),
        (N_("Unit"), Link(around.unit, f"/records?unit={record.unit_id}"), ""),
    ]
    if around.batch:
        may_open = viewer.may(Right.INTAKE_BATCH_CREATE)
        rows.append((N_("Batch"), around.batch if may_open else None, "" if may_open else around.batch.label))
    if around.sender:
        kind, sender_id = around.sender
        who = actor_of(around.speaker, viewer, kind, sender_id, around.names)
        rows.append((N_("Sent by"), Link(who.name, who.href) if who.href else None, "" if who.href else who.name))
    if around.file_name:
        rows.append((N_("File name at intake"), None, around.file_name))
    return tuple(rows)


def _strip(around: Around, current: int, act: str) -> views.PageStrip:
    record, href = around.record, around.href
    pages = sorted(c.ordinal for c in record.components if c.kind is ComponentKind.PAGE)
    if pages:
        width, height = _PAGE_PIXELS
        images = tuple(
            views.PageImage(n, f"{href}/pages/{n}.jpg", f"{href}/thumbs/{n}.jpg", width, height) for n in pages
        )
        return views.PageStrip("ready", images, min(max(1, current), len(images)), around.at(act, page=""))
    original = record.component(ComponentKind.ORIGINAL)
    if original is None or original.media_type not in _RENDERED:
        return views.PageStrip("none")
    if around.rendering == "failed":
        may = around.viewer.may(Right.INTAKE_ITEM_SEND)
        return views.PageStrip(
            "failed", retry=Action(labels.TRY_AGAIN, around.at("/render"), "post") if may else None
        )
    return views.PageStrip("making", progress_href=f"{href}/progress")


def _holds(around: Around) -> Iterable[views.HeldUnder]:
    may_open = around.viewer.may(Right.HOLDS_MATTER_READ)
    for hold in around.holds:
        href = f"/holds/{hold.hold_id}" if may_open else None
        yield views.HeldUnder(hold.name, href, hold.held_at, hold.stands_at)


def _objects(components: Iterable[ComponentView], *, is_held: bool) -> Iterable[views.StoredObjects]:
    """By kind and store, the original first; a thousand pages are one line."""

    def place(component: ComponentView) -> tuple[int, str]:
        return _KIND_ORDER.index(component.kind), component.store

    for (_, store), group in groupby(sorted(components, key=place), key=place):
        held = list(group)
        yield views.StoredObjects(
            kind=held[0].kind.value,
            count=len(held),
            media_types=tuple(sorted({c.media_type for c in held})),
            size_bytes=sum(c.size_bytes for c in held),
            store=store,
            lock_mode=min((c.lock_mode.lower() for c in held), key=_LOCK_ORDER.index),
            lock_until=min(c.lock_until for c in held),
            sha256_hex=held[0].sha256.hex() if len(held) == 1 else "",
            is_held=is_held,
        )


def _verification(around: Around) -> views.Verification:
    found, viewer = around.verified, around.viewer
    may = viewer.may(Right.RECORDS_RECORD_VERIFY)
    action = Action(labels.VERIFY_NOW, around.at("/verify"), "post", icon="check") if may else None
    if found is None:
        return views.Verification("new", action=action)
    is_stale = found.revision is not None and found.revision < around.record.revision
    state = "findings" if not found.is_clean else "stale" if is_stale else "clean"
    return views.Verification(
        state=state,
        at=found.at,
        by=actor_of(around.speaker, viewer, found.actor_kind, found.actor_id, around.names),
        checks=tuple(views.CheckRow(c.code.value, c.is_ok, c.count, c.pending) for c in found.checks),
        findings=tuple(_finding(around, f.message, f.facts, f.subject_id) for f in found.findings),
        action=action,
    )


def _finding(around: Around, message: str, facts: Mapping[str, str], subject_id: str) -> Finding:
    component = next((c for c in around.record.components if str(c.id) == subject_id), None)
    where = f"{component.kind.value}/{component.ordinal}" if component else ""
    return Finding(around.speaker.gettext(message).format(**facts), where)


def _correction(around: Around, correction: Correction) -> views.CorrectionRow:
    return views.CorrectionRow(
        at=correction.at,
        actor=actor_of(around.speaker, around.viewer, correction.actor_kind, correction.actor_id, around.names),
        reason=correction.reason,
        values=tuple(views.CorrectedValue(label_of(c.field), c.old, c.new) for c in correction.changes),
    )


def label_of(field: str) -> str:
    """What a described field is called: a message id, or the attribute's own name."""
    name, _, rest = field.partition("/")
    return rest if name == "attributes" else DESCRIPTION_FIELDS.get(name, name)
