"""What is looked up when a file arrives: where it belongs, and whether it came before."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection, and_, bindparam, literal, select

from vault.access.model import Viewer
from vault.access.queries import organisation, unit_by_id
from vault.catalogue.tables import records
from vault.foundation.errors import NotFoundOrNotYours
from vault.intake.errors import StoreNotTrusted
from vault.intake.model import ItemStatus
from vault.intake.tables import IS_UNFINISHED, intake_items, store_probes

NEVER_PROBED = "never-probed"


@dataclass(frozen=True)
class Place:
    """Where a new record will belong."""

    unit_id: UUID
    unit_code: str
    fonds_code: str
    time_zone: str


def require_trusted_store(connection: Connection, store: str) -> None:
    """Refuses intake into a store whose last probe found lies, or that was never probed.

    Raises:
        StoreNotTrusted: with the list of lies.
    """
    row = connection.execute(
        select(store_probes.c.lies)
        .where(store_probes.c.store == store)
        .order_by(store_probes.c.number.desc())
        .limit(1)
    ).one_or_none()
    lies = [NEVER_PROBED] if row is None else row.lies
    if lies:
        raise StoreNotTrusted(lies=", ".join(lies))


def place_of(connection: Connection, viewer: Viewer, unit_id: UUID | None) -> Place:
    """The unit, fonds and time zone of what `viewer` sends for `unit_id` (None: the viewer's own unit).

    Raises:
        NotFoundOrNotYours: there is no such unit, or the viewer may not act for it.
    """
    wanted = unit_id or viewer.unit_id
    if wanted is None or not viewer.may_see_unit(wanted):
        raise NotFoundOrNotYours
    unit = unit_by_id(connection, wanted)
    home = organisation(connection)
    return Place(unit.id, unit.code, home.fonds_code, home.time_zone)


_KNOWN = (
    select(
        intake_items.c.id,
        intake_items.c.sha256,
        intake_items.c.status,
        intake_items.c.record_id,
        intake_items.c.abandoned_at,
        intake_items.c.class_code,
        intake_items.c.unit_id,
        intake_items.c.batch_id,
        intake_items.c.received_at,
        select(records.c.id)
        .where(records.c.unit_id == bindparam("unit_id"), records.c.content_sha256 == bindparam("sha256"))
        .scalar_subquery()
        .label("duplicate_of"),
    )
    .select_from(select(literal(1).label("always")).subquery())
    .outerjoin(
        intake_items,
        and_(
            intake_items.c.sender_id == bindparam("sender_id"), intake_items.c.client_key == bindparam("client_key")
        ),
    )
)


@dataclass(frozen=True)
class EarlierItem:
    """What the sender sent before under the same key."""

    id: UUID
    sha256: bytes
    status: ItemStatus
    record_id: UUID  # planned with the intent
    is_unfinished: bool  # begun and never settled, or settled only because the sender seemed never to come back
    belongs_to: tuple[str, UUID, UUID | None]  # class, unit and batch that it was begun for
    received_at: datetime


def known_before(
    connection: Connection, sender_id: UUID, client_key: str, unit_id: UUID, sha256: bytes
) -> tuple[EarlierItem | None, UUID | None]:
    """The item that the sender sent before under this key, and the unit's record whose original has these bytes."""
    row = connection.execute(
        _KNOWN, {"sender_id": sender_id, "client_key": client_key, "unit_id": unit_id, "sha256": sha256}
    ).one()
    if row.id is None:
        return None, row.duplicate_of
    status = ItemStatus(row.status)
    is_unfinished = status is ItemStatus.INTENT or row.abandoned_at is not None
    belongs_to = (row.class_code, row.unit_id, row.batch_id)
    earlier = EarlierItem(
        row.id, bytes(row.sha256), status, row.record_id, is_unfinished, belongs_to, row.received_at
    )
    return earlier, row.duplicate_of


def settled_item(connection: Connection, sender_id: UUID, client_key: str) -> tuple[UUID, bytes, int] | None:
    """The item that the sender's key belongs to, with digest and size of its bytes, when it is settled."""
    row = connection.execute(
        select(intake_items.c.id, intake_items.c.sha256, intake_items.c.size_bytes).where(
            intake_items.c.sender_id == sender_id,
            intake_items.c.client_key == client_key,
            ~IS_UNFINISHED,
        )
    ).one_or_none()
    return (row.id, bytes(row.sha256), row.size_bytes) if row is not None else None


def record_with_content(connection: Connection, unit_id: UUID, sha256: bytes) -> UUID | None:
    """The record of the unit whose original has exactly these bytes."""
    return connection.execute(
        select(records.c.id).where(records.c.unit_id == unit_id, records.c.content_sha256 == sha256)
    ).scalar_one_or_none()
