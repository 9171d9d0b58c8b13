"""What the catalogue knows about one record."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import Connection, func, select

from retention_rules.model import What
from vault.access.model import Viewer
from vault.catalogue.model import ComponentKind, FieldKind, RecordStatus
from vault.catalogue.tables import component_copies, components, personal_fields, record_states, records
from vault.foundation.errors import NotFoundOrNotYours


@dataclass(frozen=True)
class ComponentView:
    """A component and where its copy is."""

    id: UUID
    kind: ComponentKind
    ordinal: int
    media_type: str
    size_bytes: int
    sha256: bytes
    sealed_size_bytes: int
    sealed_sha256: bytes
    store: str
    object_key: str
    version_id: str
    lock_mode: str
    lock_until: datetime
    created_at: datetime


@dataclass(frozen=True)
class SealedField:
    """A personal field as it is kept."""

    kind: FieldKind
    ordinal: int
    sealed: bytes

    @property
    def name(self) -> str:
        """The name that its seal is bound to."""
        return f"{self.kind.value}/{self.ordinal}"


@dataclass(frozen=True)
class RecordView:
    """One record with everything that its page shows but its bytes."""

    id: UUID
    archival_number: str
    fonds_code: str
    category_code: str
    year: int
    class_code: str
    unit_id: UUID
    business_number: str | None
    business_type: str | None
    title: str | None
    handler: str | None
    customer_name: str | None
    occurred_date: date | None
    received_at: datetime
    page_count: int
    attributes: dict[str, str]
    batch_id: UUID | None
    revision: int
    status: RecordStatus
    what: What
    retain_until: date | None
    delete_by: date | None
    lock_until: datetime
    schedule_number: int
    components: tuple[ComponentView, ...]
    personal: tuple[SealedField, ...]

    def component(self, kind: ComponentKind, ordinal: int = 0) -> ComponentView | None:
        """The component of that kind and place, when it is there."""
        return next((c for c in self.components if c.kind is kind and c.ordinal == ordinal), None)


_PLAIN = (
    *("id", "archival_number", "fonds_code", "category_code", "year", "class_code", "unit_id", "business_number"),
    *("business_type", "title", "handler", "customer_name", "occurred_date", "received_at", "page_count"),
    *("attributes", "batch_id", "retain_until", "delete_by", "lock_until", "revision"),
    "schedule_number",
)


def get_record(connection: Connection, viewer: Viewer, record_id: UUID) -> RecordView:
    """One record.

    Raises:
        NotFoundOrNotYours: there is none, or it belongs to a unit that the viewer may not see; the same answer.
    """
    row = (
        connection.execute(
            select(records, record_states)
            .join(record_states, record_states.c.record_id == records.c.id)
            .where(records.c.id == record_id)
        )
        .mappings()
        .one_or_none()
    )
    if row is None or not viewer.may_see_unit(row["unit_id"]):
        raise NotFoundOrNotYours
    return RecordView(
        **{name: row[name] for name in _PLAIN},
        status=RecordStatus(row["status"]),
        what=What(row["what"]),
        components=components_of(connection, record_id),
        personal=_sealed_fields(connection, record_id),
    )


@dataclass(frozen=True)
class ToFile:
    """How many records wait to be filed (at most `TO_FILE_MAX` + 1), and when the first short lock among them ends."""

    count: int
    first_lock_until: datetime


TO_FILE_MAX = 10_000


def waiting_to_be_filed(connection: Connection, units: frozenset[UUID] | None) -> ToFile | None:
    """What waits to be filed within `units` (None: all). Ids rise with time, and so do the ends of the short locks."""
    wanted = select(record_states.c.record_id, record_states.c.lock_until).where(
        record_states.c.status == RecordStatus.RECEIVED.value
    )
    if units is not None:
        wanted = wanted.join(records, records.c.id == record_states.c.record_id).where(
            records.c.unit_id.in_(sorted(units))
        )
    first = connection.execute(wanted.order_by(record_states.c.record_id).limit(1)).one_or_none()
    if first is None:
        return None
    among = wanted.limit(TO_FILE_MAX + 1).subquery()
    return ToFile(connection.execute(select(func.count()).select_from(among)).scalar_one(), first.lock_until)


def archival_number_of(connection: Connection, record_id: UUID) -> str | None:
    """The 档号 of a record; it names the record and tells nothing of what it holds."""
    return connection.execute(select(records.c.archival_number).where(records.c.id == record_id)).scalar_one_or_none()


def numbers_of(connection: Connection, viewer: Viewer, ids: Iterable[UUID]) -> dict[UUID, tuple[str, int]]:
    """Archival number and page count of those records among `ids` that the viewer may see."""
    query = select(records.c.id, records.c.archival_number, records.c.page_count).where(records.c.id.in_(sorted(ids)))
    if viewer.units is not None:
        query = query.where(records.c.unit_id.in_(sorted(viewer.units)))
    return {row.id: (row.archival_number, row.page_count) for row in connection.execute(query)}


def same_business(
    connection: Connection, viewer: Viewer, record: RecordView, limit: int = 5
) -> tuple[tuple[UUID, str], ...]:
    """Other records of the same business that the viewer may see: id and archival number, newest first."""
    if not record.business_number:
        return ()
    query = (
        select(records.c.id, records.c.archival_number)
        .where(records.c.business_number == record.business_number, records.c.id != record.id)
        .order_by(records.c.id.desc())
        .limit(limit)
    )
    if viewer.units is not None:
        query = query.where(records.c.unit_id.in_(sorted(viewer.units)))
    return tuple((row.id, row.archival_number) for row in connection.execute(query))


def components_of(connection: Connection, record_id: UUID) -> tuple[ComponentView, ...]:
    """The components of a record with their copies, by kind and place."""
    rows = connection.execute(
        select(components, component_copies)
        .join(component_copies, component_copies.c.component_id == components.c.id)
        .where(components.c.record_id == record_id)
        .order_by(components.c.kind, components.c.ordinal)
    ).mappings()
    names = ComponentView.__dataclass_fields__.keys() - {"kind"}
    return tuple(
        ComponentView(kind=ComponentKind(row["kind"]), **{name: row[name] for name in names}) for row in rows
    )


def records_by_class(connection: Connection, units: frozenset[UUID] | None) -> dict[str, int]:
    """How many records each class holds within `units` (None: all)."""
    query = select(records.c.class_code, func.count().label("records")).group_by(records.c.class_code)
    if units is not None:
        query = query.where(records.c.unit_id.in_(sorted(units)))
    return {row.class_code: row.records for row in connection.execute(query)}


def _sealed_fields(connection: Connection, record_id: UUID) -> tuple[SealedField, ...]:
    rows = connection.execute(
        select(personal_fields)
        .where(personal_fields.c.record_id == record_id)
        .order_by(personal_fields.c.kind, personal_fields.c.ordinal)
    )
    return tuple(SealedField(FieldKind(row.kind), row.ordinal, bytes(row.sealed)) for row in rows)


def stored_in(connection: Connection, store: str) -> tuple[int, int]:
    """How many objects the catalogue has in a store, and their sealed bytes together."""
    row = connection.execute(
        select(
            func.count().label("objects"), func.coalesce(func.sum(components.c.sealed_size_bytes), 0).label("bytes")
        )
        .join(component_copies, component_copies.c.component_id == components.c.id)
        .where(component_copies.c.store == store)
    ).one()
    return int(row.objects), int(row.bytes)
