"""What the catalogue says of the versions in a store, read in the order in which the store lists them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Row, Select, select

from vault.catalogue.tables import component_copies, components
from vault.foundation.context import Context
from vault.foundation.storage.interface import Lock, LockMode
from vault.holds.queries import being_told, on_hold
from vault.oversight.drift import Said
from vault.retention.tables import lock_tasks

_ROWS_AT_ONCE = 1_000


def said_by_key(ctx: Context, after: str, last: str | None) -> Iterator[tuple[list[Said], str | None]]:
    """What is said of keys behind `after`, to `last` or to the end, a thousand at a time; each with the key it reaches to.

    However much of the store is gone, no more is in memory than that.
    """
    while True:
        with ctx.database.read() as connection:
            query = _rows().where(component_copies.c.object_key > after)
            if last is not None:
                query = query.where(component_copies.c.object_key <= last)
            rows = connection.execute(query.order_by(component_copies.c.object_key).limit(_ROWS_AT_ONCE)).all()
            is_end = len(rows) < _ROWS_AT_ONCE
            if not is_end:  # there may be more of the last key
                rows = [row for row in rows if row.object_key != rows[-1].object_key]
            said = _said(connection, ctx.store.name, rows)
        yield said, last if is_end else rows[-1].object_key
        if is_end:
            return
        after = rows[-1].object_key


def said_of(connection: Connection, store: str, component_ids: Iterable[UUID]) -> dict[UUID, Said]:
    """What is said of some components now."""
    rows = connection.execute(_rows().where(component_copies.c.component_id.in_(list(component_ids)))).all()
    return {one.component_id: one for one in _said(connection, store, rows)}


def said_of_copies(
    connection: Connection, record_ids: Iterable[UUID], copies: Iterable[tuple[UUID, Mapping[str, Any]]]
) -> dict[UUID, Said]:
    """What is said of copies of the components of some records, as rows of `component_copies` with their record's id.

    A row whose lock is none that the service writes says nothing.
    """
    ids = sorted(set(record_ids))
    held, telling = on_hold(connection, ids), being_told(connection, ids)
    query = select(lock_tasks.c.record_id).where(lock_tasks.c.record_id.in_(ids))
    moving = frozenset(connection.execute(query).scalars())
    said = {}
    for record_id, copy in copies:
        with suppress(ValueError):
            said[copy["component_id"]] = Said(
                record_id=record_id,
                component_id=copy["component_id"],
                object_key=copy["object_key"],
                version_id=copy["version_id"],
                lock=Lock(LockMode(copy["lock_mode"]), copy["lock_until"]),
                is_held=record_id in held,
                is_moving=record_id in moving,
                is_hold_moving=record_id in telling,
            )
    return said


def _rows() -> Select[Any]:
    return (
        select(component_copies, components.c.record_id, lock_tasks.c.record_id.is_not(None).label("is_moving"))
        .join(components, components.c.id == component_copies.c.component_id)
        .outerjoin(lock_tasks, lock_tasks.c.record_id == components.c.record_id)
    )


def _said(connection: Connection, store: str, rows: Sequence[Row[Any]]) -> list[Said]:
    """One for each component: of its copy in this store, or of the one noted for the store when it had another address."""
    here = {row.component_id for row in rows if row.store == store}
    record_ids = {row.record_id for row in rows}
    held, moving = on_hold(connection, record_ids), being_told(connection, record_ids, also_refused=False)
    return [
        Said(
            record_id=row.record_id,
            component_id=row.component_id,
            object_key=row.object_key,
            version_id=row.version_id,
            lock=Lock(LockMode(row.lock_mode), row.lock_until),
            is_held=row.record_id in held,
            is_moving=row.is_moving,
            is_hold_moving=row.record_id in moving,
        )
        for row in rows
        if row.store == store or row.component_id not in here
    ]
