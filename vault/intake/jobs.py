"""Work that follows intake: access copies, page images and thumbnails.

Rows of `rendition_tasks` are claimed with SKIP LOCKED by any number of workers. A claim runs out, so a dead
worker's records are taken over; making renditions twice is harmless, because the same bytes seal to the same
objects and a place that is taken stays as it is.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterator
from datetime import timedelta
from uuid import UUID

from sqlalchemy import select

from vault.access.model import Viewer
from vault.access.rights import Right
from vault.catalogue import service as catalogue
from vault.catalogue.model import ComponentKind, StoredComponent
from vault.catalogue.queries import ComponentView, components_of, get_record
from vault.catalogue.reading import open_component
from vault.foundation.context import Context
from vault.foundation.errors import NotFoundOrNotYours, VaultError
from vault.foundation.ids import derived_id
from vault.foundation.jobs.claims import is_free
from vault.foundation.keys.keyring import RecordKey
from vault.foundation.ledger.entry import SYSTEM
from vault.foundation.storage.interface import Lock, LockMode
from vault.holds.jobs import follow
from vault.intake.decoding.isolated import render
from vault.intake.model import Event
from vault.intake.renditions.rendition import Rendition
from vault.intake.sealing import sealed_content
from vault.intake.service import object_key
from vault.intake.tables import rendition_tasks

CLAIM_LASTS = timedelta(minutes=5)
ATTEMPTS_MAX = 3
_CLAIMED_AT_ONCE = 4


def render_waiting(ctx: Context) -> Iterator[UUID]:
    """Makes the renditions of waiting records until none is left; yields each record when it is done with.

    Leaves `catalogue:renditions:add`, or `intake:renditions:fail` after the last attempt.
    """
    while claimed := _claim(ctx):
        for record_id, attempts in claimed:
            try:
                _render_record(ctx, record_id)
            except VaultError as error:
                _note_failure(ctx, record_id, attempts, error)
            yield record_id


def render_again(ctx: Context, viewer: Viewer, record_id: UUID) -> None:
    """Queues a record whose renditions could not be made once more. Leaves `intake:renditions:retry`.

    Raises:
        NotAllowed: the viewer lacks `intake:item:send`.
        NotFoundOrNotYours: no such record for this viewer, or nothing failed.
    """
    viewer.require(Right.INTAKE_ITEM_SEND)
    with ctx.database.transaction(viewer.actor) as tx:
        get_record(tx.connection, viewer, record_id)
        found = tx.connection.execute(
            rendition_tasks.update()
            .where(rendition_tasks.c.record_id == record_id, rendition_tasks.c.state == "failed")
            .values(state="waiting", attempts=0, claimed_at=None, problem=None)
            .returning(rendition_tasks.c.record_id)
        ).one_or_none()
        if found is None:
            raise NotFoundOrNotYours
        tx.witness(Event.RENDITIONS_RETRIED, "record", record_id)
        tx.commit()


def _claim(ctx: Context) -> list[tuple[UUID, int]]:
    now = ctx.clock.now()
    free = (
        select(rendition_tasks.c.record_id)
        .where(
            rendition_tasks.c.state == "waiting",
            is_free(rendition_tasks.c.claimed_at, CLAIM_LASTS, now),
        )
        .order_by(rendition_tasks.c.record_id)
        .limit(_CLAIMED_AT_ONCE)
        .with_for_update(skip_locked=True)
    )
    with ctx.database.transaction(SYSTEM) as tx:
        rows = tx.connection.execute(
            rendition_tasks.update()
            .where(rendition_tasks.c.record_id.in_(free.scalar_subquery()))
            .values(claimed_at=now, attempts=rendition_tasks.c.attempts + 1)
            .returning(rendition_tasks.c.record_id, rendition_tasks.c.attempts)
        ).all()
        tx.commit()
    return [(row.record_id, row.attempts) for row in rows]


def _render_record(ctx: Context, record_id: UUID) -> None:
    with ctx.database.read() as connection:
        kept = components_of(connection, record_id)
        record_key = ctx.keyring.record_key(connection, record_id)
    original = next(item for item in kept if item.kind is ComponentKind.ORIGINAL)
    with open_component(ctx, record_key, original) as content:
        stored = [
            _store(ctx, record_id, record_key, original, rendition)
            for rendition in render(content, original.size_bytes, original.media_type)
        ]
    with ctx.database.transaction(SYSTEM) as tx:
        catalogue.add_renditions(tx, record_id, stored)
        follow(tx, record_id)
        tx.connection.execute(rendition_tasks.delete().where(rendition_tasks.c.record_id == record_id))
        tx.commit()


def _store(
    ctx: Context, record_id: UUID, record_key: RecordKey, original: ComponentView, rendition: Rendition
) -> StoredComponent:
    """Seals one rendition under the record's key and stores it for as long as the original is locked."""
    kind = ComponentKind(rendition.kind)
    component_id = derived_id(record_id, f"{kind.value}/{rendition.ordinal}")
    sha256 = hashlib.sha256(rendition.data).digest()
    lock = Lock(LockMode(original.lock_mode), original.lock_until)
    with sealed_content(
        record_key, component_id, io.BytesIO(rendition.data), len(rendition.data), sha256, ctx.spool_directory
    ) as content:
        key = object_key(record_id, component_id, content.sha256)
        info = ctx.store.put_new(key, content, lock)
    return StoredComponent(
        id=component_id,
        kind=kind,
        ordinal=rendition.ordinal,
        media_type=rendition.media_type,
        size_bytes=len(rendition.data),
        sha256=sha256,
        sealed_size_bytes=content.size_bytes,
        sealed_sha256=content.sha256,
        store=ctx.store.name,
        object_key=info.key,
        version_id=info.version_id,
        lock_mode=info.lock.mode,
        lock_until=info.lock.until or original.lock_until,
    )


def _note_failure(ctx: Context, record_id: UUID, attempts: int, error: VaultError) -> None:
    """The claim runs out and it is tried again; the last attempt ends the trying, until somebody asks for more.

    Also a file that defeated the decoders is tried again: on a busy machine a whole one can take too long.
    """
    is_final = attempts >= ATTEMPTS_MAX
    with ctx.database.transaction(SYSTEM) as tx:
        tx.connection.execute(
            rendition_tasks.update()
            .where(rendition_tasks.c.record_id == record_id)
            .values(state="failed" if is_final else "waiting", problem=error.code)
        )
        if is_final:
            tx.witness(Event.RENDITIONS_FAILED, "record", record_id, problem=error.code, attempts=attempts)
        tx.commit()
