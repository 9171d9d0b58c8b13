"""Opening what a record keeps: its bytes, its pages, its personal fields. Each look that needs it is witnessed."""

from __future__ import annotations

from typing import BinaryIO, cast
from uuid import UUID

from sqlalchemy import Connection

from vault.access.model import Viewer
from vault.access.rights import Right
from vault.catalogue.errors import ReasonNeeded
from vault.catalogue.model import ComponentKind, Event, FieldKind
from vault.catalogue.queries import ComponentView, RecordView, get_record
from vault.foundation.context import Context
from vault.foundation.errors import NotFoundOrNotYours
from vault.foundation.keys.keyring import RecordKey
from vault.foundation.keys.sealed_object import open_bytes
from vault.foundation.keys.sealed_reader import SealedReader

REASON_LENGTH_MIN = 4
_SMALL_BYTES_MAX = 32 << 20
LOOKED_S = 300.0
_LOOKED_MAX = 10_000
_looked: dict[tuple[UUID, UUID], float] = {}


def open_original(ctx: Context, viewer: Viewer, record_id: UUID) -> tuple[RecordView, ComponentView, BinaryIO]:
    """The original bytes as a seekable stream. Leaves `catalogue:original:fetch`.

    Raises:
        NotAllowed: the viewer lacks `records:original:fetch`.
        NotFoundOrNotYours: no such record for this viewer.
    """
    viewer.require(Right.RECORDS_ORIGINAL_FETCH)
    with ctx.database.read() as connection:
        record = get_record(connection, viewer, record_id)
        record_key = ctx.keyring.record_key(connection, record_id)
    original = record.component(ComponentKind.ORIGINAL)
    if original is None:
        raise NotFoundOrNotYours
    with ctx.database.transaction(viewer.actor) as tx:
        tx.witness(Event.ORIGINAL_FETCHED, "record", record_id, component_id=str(original.id))
        tx.commit()
    return record, original, open_component(ctx, record_key, original)


def open_component(ctx: Context, record_key: RecordKey, component: ComponentView) -> BinaryIO:
    """The plain bytes of a component as a seekable stream that reads only the segments it needs."""
    key, version = component.object_key, component.version_id

    def open_range(offset: int, length: int) -> BinaryIO:
        return ctx.store.open(key, version, offset, length)

    reader = SealedReader(open_range, component.sealed_size_bytes, record_key, component.id)
    return cast("BinaryIO", reader)


def read_rendition(
    ctx: Context, viewer: Viewer, record_id: UUID, kind: ComponentKind, ordinal: int
) -> tuple[ComponentView, bytes]:
    """A page image, thumbnail or access copy, whole.

    An access copy carries no mark of who looked, so it needs the right of an original and leaves
    `catalogue:copy:fetch`; images leave `catalogue:pages:view` as `witness_looking` says.

    Raises:
        NotAllowed: the viewer lacks `records:record:read`, or for an access copy `records:original:fetch`.
        NotFoundOrNotYours: no such record, or the rendition is not made yet.
    """
    is_copy = kind is ComponentKind.ACCESS_COPY
    viewer.require(Right.RECORDS_ORIGINAL_FETCH if is_copy else Right.RECORDS_RECORD_READ)
    with ctx.database.read() as connection:
        record = get_record(connection, viewer, record_id)
        record_key = ctx.keyring.record_key(connection, record_id)
    component = record.component(kind, ordinal)
    if component is None or kind is ComponentKind.ORIGINAL or component.size_bytes > _SMALL_BYTES_MAX:
        raise NotFoundOrNotYours
    if is_copy:
        with ctx.database.transaction(viewer.actor) as tx:
            tx.witness(Event.COPY_FETCHED, "record", record_id, component_id=str(component.id))
            tx.commit()
    else:
        witness_looking(ctx, viewer, record_id)
    with ctx.store.open(component.object_key, component.version_id) as sealed:
        return component, open_bytes(record_key, component.id, sealed.read())


def witness_viewing(ctx: Context, viewer: Viewer, record_id: UUID) -> None:
    """Notes that the viewer opened the record's pages. Leaves `catalogue:pages:view`."""
    with ctx.database.transaction(viewer.actor) as tx:
        tx.witness(Event.PAGES_VIEWED, "record", record_id)
        tx.commit()
    if len(_looked) >= _LOOKED_MAX:
        _looked.clear()
    _looked[viewer.id, record_id] = ctx.clock.monotonic()


def witness_looking(ctx: Context, viewer: Viewer, record_id: UUID) -> None:
    """Notes that the viewer looks at a record, unless this process noted it within `LOOKED_S`.

    A page and its thumbnails are many requests and one look. Leaves `catalogue:pages:view`.
    """
    noted_s = _looked.get((viewer.id, record_id))
    if noted_s is None or ctx.clock.monotonic() - noted_s >= LOOKED_S:
        witness_viewing(ctx, viewer, record_id)


def witness_personal_search(ctx: Context, viewer: Viewer, kind: FieldKind) -> None:
    """Notes that the viewer looked for a person by a whole number, never which. Leaves `catalogue:person:seek`."""
    with ctx.database.transaction(viewer.actor) as tx:
        tx.witness(Event.PERSON_SOUGHT, viewer.kind, viewer.id, kind=kind.value)
        tx.commit()


def personal_values(ctx: Context, viewer: Viewer, record: RecordView) -> tuple[tuple[FieldKind, int, str], ...]:
    """The personal fields in the clear, for masking by the caller: they go nowhere unmasked.

    Raises:
        NotAllowed: the viewer lacks `records:record:read`.
    """
    viewer.require(Right.RECORDS_RECORD_READ)
    if not record.personal:
        return ()
    with ctx.database.read() as connection:
        record_key = ctx.keyring.record_key(connection, record.id)
    return tuple(
        (field.kind, field.ordinal, record_key.open_field(field.name, field.sealed).decode())
        for field in record.personal
    )


def unmask(ctx: Context, viewer: Viewer, record_id: UUID, kind: FieldKind, ordinal: int, reason: str) -> str:
    """One personal field in full, for a stated reason (C2.5). Leaves `catalogue:field:unmask`.

    The reason is kept sealed with the record's key: it may itself name people, and the ledger may not (L3). The
    ledger holds its sealed form, so whoever may open the record can read why.

    Raises:
        NotAllowed: the viewer lacks `records:field:unmask`.
        ReasonNeeded: the reason is too short.
        NotFoundOrNotYours: no such record or field for this viewer.
    """
    viewer.require(Right.RECORDS_FIELD_UNMASK)
    reason = " ".join(reason.split())[:500]
    if len(reason) < REASON_LENGTH_MIN:
        raise ReasonNeeded(length_min=REASON_LENGTH_MIN)
    with ctx.database.transaction(viewer.actor) as tx:
        record = get_record(tx.connection, viewer, record_id)
        record_key = ctx.keyring.record_key(tx.connection, record_id)
        field = next((f for f in record.personal if f.kind is kind and f.ordinal == ordinal), None)
        if field is None:
            raise NotFoundOrNotYours
        tx.witness(
            Event.FIELD_UNMASKED,
            "record",
            record_id,
            field=kind.value,
            reason_sealed=record_key.seal_field("unmask-reason", reason.encode()).hex(),
        )
        tx.commit()
    return record_key.open_field(field.name, field.sealed).decode()


def unmask_reason(ctx: Context, connection: Connection, viewer: Viewer, record_id: UUID, sealed: str) -> str:
    """Why somebody looked at a personal field in full, from the sealed form that the ledger holds (hexadecimal).

    Raises:
        NotAllowed: the viewer lacks `records:record:read`.
        Damaged: it is no reason of this record.
    """
    viewer.require(Right.RECORDS_RECORD_READ)
    record_key = ctx.keyring.record_key(connection, record_id)
    return record_key.open_field("unmask-reason", bytes.fromhex(sealed)).decode()
