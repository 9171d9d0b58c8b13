"""Leftovers: versions in the store that no catalogue row names (invariant U3).

A crash between the store's answer and the second transaction of an upload leaves one; so do two writers of the same
bytes, and whoever puts objects of their own into the bucket. They are sealed, locked and unreferenced, hence harmless,
and nothing here removes them. A leftover is written down once, with why it is there and from when it may be removed;
from then on it is known, and verification speaks only of new ones. What is catalogued later is taken up; what has
been removed is gone.
"""

from __future__ import annotations

import hashlib
import itertools
import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Row, func, select
from sqlalchemy.dialects.postgresql import insert

from vault.catalogue.tables import component_copies, records
from vault.foundation.db.transaction import Transaction
from vault.foundation.ids import new_id
from vault.foundation.keys.tables import record_keys
from vault.foundation.storage.interface import ObjectInfo, Store
from vault.oversight.model import Leftover, LeftoverCause, LeftoverSummary, Resolution
from vault.oversight.tables import leftovers

OBJECTS_PREFIX = "records/"
EVENT_NOTED = "oversight:leftover:note"
EVENT_RESOLVED = "oversight:leftover:resolve"
PAGE_SIZE_MAX = 200
_VERSIONS_AT_ONCE = 500
_UUID = "[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
_OWNERS_OF_KEY = re.compile(rf"records/({_UUID})/({_UUID})/")


def cause_of(*, is_planned: bool, is_catalogued: bool) -> LeftoverCause:
    """Why a version is there that no row names, from what is known of the record whose name it bears."""
    if is_catalogued:
        return LeftoverCause.SUPERSEDED
    return LeftoverCause.ABANDONED_UPLOAD if is_planned else LeftoverCause.FOREIGN


def removable_from(info: ObjectInfo) -> datetime | None:
    """The instant from which the store lets the version be removed; none while a hold without a date is on it."""
    return None if info.legal_hold else info.lock.until or info.stored_at


def record_of(object_key: str) -> UUID | None:
    """The record whose name the object bears, if it bears one."""
    found = _OWNERS_OF_KEY.match(object_key)
    return UUID(found[1]) if found else None


def versions_by_page(store: Store) -> Iterator[list[ObjectInfo]]:
    """Every version of the store's records, in pages small enough to ask the catalogue about at once."""
    versions = store.list_versions(OBJECTS_PREFIX)
    while page := list(itertools.islice(versions, _VERSIONS_AT_ONCE)):
        yield page


def unnamed(connection: Connection, store: str, versions: Sequence[ObjectInfo]) -> list[ObjectInfo]:
    """Those of the versions that neither the catalogue nor an open leftover names."""
    keys = {info.key for info in versions}
    named = _catalogued(connection, keys)
    for row in connection.execute(
        select(leftovers.c.object_key, leftovers.c.version_id).where(
            leftovers.c.store == store, leftovers.c.object_key.in_(keys), leftovers.c.resolved_at.is_(None)
        )
    ):
        named.add((row.object_key, row.version_id))
    return [info for info in versions if (info.key, info.version_id) not in named]


def _catalogued(connection: Connection, object_keys: Iterable[str]) -> set[tuple[str, str]]:
    """Keys and versions that copies of the components have whose names the objects bear.

    In whichever store: one that was moved and has another address now is not full of leftovers.
    """
    owners = [UUID(found[2]) for key in object_keys if (found := _OWNERS_OF_KEY.match(key))]
    rows = connection.execute(
        select(component_copies.c.object_key, component_copies.c.version_id).where(
            component_copies.c.component_id.in_(owners)
        )
    )
    return {(row.object_key, row.version_id) for row in rows}


def note(tx: Transaction, store: str, info: ObjectInfo) -> UUID | None:
    """Writes a version down as a leftover; nothing when it is catalogued or known by now. The caller commits.

    Leaves `oversight:leftover:note`.
    """
    if not unnamed(tx.connection, store, [info]):
        return None
    record_id, until = record_of(info.key), removable_from(info)
    cause = _cause(tx.connection, record_id)
    leftover_id: UUID | None = tx.connection.execute(
        insert(leftovers)
        .values(
            id=new_id(),
            store=store,
            object_key=info.key,
            version_id=info.version_id,
            size_bytes=info.size_bytes,
            cause=cause.value,
            record_id=record_id,
            stored_at=info.stored_at,
            removable_from=until,
            found_at=tx.clock.now(),
        )
        .on_conflict_do_update(  # it was resolved once and is there again
            index_elements=[leftovers.c.store, leftovers.c.object_key, leftovers.c.version_id],
            set_={"resolved_at": None, "resolution": None, "removable_from": until, "cause": cause.value},
            where=leftovers.c.resolved_at.is_not(None),
        )
        .returning(leftovers.c.id)
    ).scalar_one_or_none()
    if leftover_id is None:  # another reconciliation has noted it this moment
        return None
    tx.witness(
        EVENT_NOTED,
        "leftover",
        leftover_id,
        object_key_sha256=_digest(info.key),
        cause=cause.value,
        removable_from=_told(until),
    )
    return leftover_id


def move_date(tx: Transaction, leftover: Leftover, until: datetime | None) -> None:
    """Keeps that the store's lock or hold on a leftover is another by now. Leaves `oversight:leftover:note`."""
    tx.connection.execute(leftovers.update().where(leftovers.c.id == leftover.id).values(removable_from=until))
    tx.witness(
        EVENT_NOTED,
        "leftover",
        leftover.id,
        object_key_sha256=_digest(leftover.object_key),
        cause=leftover.cause.value,
        removable_from=_told(until),
    )


def resolve(tx: Transaction, leftover: Leftover, resolution: Resolution) -> bool:
    """Ends a leftover that is catalogued by now, or no longer in the store; false when that was noted already.

    Leaves `oversight:leftover:resolve`.
    """
    ended = tx.connection.execute(
        leftovers.update()
        .where(leftovers.c.id == leftover.id, leftovers.c.resolved_at.is_(None))
        .values(resolved_at=tx.clock.now(), resolution=resolution.value)
    ).rowcount
    if ended:
        tx.witness(
            EVENT_RESOLVED,
            "leftover",
            leftover.id,
            object_key_sha256=_digest(leftover.object_key),
            resolution=resolution.value,
        )
    return bool(ended)


def is_catalogued(connection: Connection, leftover: Leftover) -> bool:
    """Whether a catalogue row names the version by now."""
    return (leftover.object_key, leftover.version_id) in _catalogued(connection, [leftover.object_key])


def list_open(
    connection: Connection, store: str, *, after: UUID | None = None, size: int = PAGE_SIZE_MAX
) -> tuple[Leftover, ...]:
    """Open leftovers of a store, oldest first, above the keyset `after`."""
    query = (
        select(leftovers)
        .where(leftovers.c.store == store, leftovers.c.resolved_at.is_(None))
        .order_by(leftovers.c.id)
        .limit(max(1, min(size, PAGE_SIZE_MAX)))
    )
    if after is not None:
        query = query.where(leftovers.c.id > after)
    return tuple(_leftover(row) for row in connection.execute(query))


def summary(connection: Connection, store: str, now: datetime) -> LeftoverSummary:
    """Open leftovers of a store: how many, how large together, how many of them could be removed now."""
    row = connection.execute(
        select(
            func.count().label("objects"),
            func.coalesce(func.sum(leftovers.c.size_bytes), 0).label("size_bytes"),
            func.count().filter(leftovers.c.removable_from <= now).label("removable"),
        ).where(leftovers.c.store == store, leftovers.c.resolved_at.is_(None))
    ).one()
    return LeftoverSummary(row.objects, int(row.size_bytes), row.removable)


def versions_expected(connection: Connection, store: str) -> int:
    """How many versions the store must hold by what is known: catalogued ones and leftovers."""
    copies = select(func.count()).select_from(component_copies).where(component_copies.c.store == store)
    known = (
        select(func.count())
        .select_from(leftovers)
        .where(leftovers.c.store == store, leftovers.c.resolved_at.is_(None))
    )
    return int(connection.execute(select(copies.scalar_subquery() + known.scalar_subquery())).scalar_one())


def _cause(connection: Connection, record_id: UUID | None) -> LeftoverCause:
    if record_id is None:
        return LeftoverCause.FOREIGN
    row = connection.execute(
        select(
            select(records.c.id).where(records.c.id == record_id).exists().label("is_catalogued"),
            select(record_keys.c.record_id).where(record_keys.c.record_id == record_id).exists().label("is_planned"),
        )
    ).one()
    return cause_of(is_planned=row.is_planned, is_catalogued=row.is_catalogued)


def _digest(object_key: str) -> str:
    """A foreign object's name may hold anything, also about people: the ledger gets its digest (invariant L3)."""
    return hashlib.sha256(object_key.encode()).hexdigest()


def _told(at: datetime | None) -> str | None:
    return at.isoformat(timespec="seconds") if at is not None else None


def _leftover(row: Row[Any]) -> Leftover:
    return Leftover(
        id=row.id,
        store=row.store,
        object_key=row.object_key,
        version_id=row.version_id,
        size_bytes=row.size_bytes,
        cause=LeftoverCause(row.cause),
        record_id=row.record_id,
        stored_at=row.stored_at,
        removable_from=row.removable_from,
        found_at=row.found_at,
    )
