"""The legal hold in the stores follows what the rows say: set on every copy of a held record, else taken off.

One record at a time, and one worker at a record: the worker has the row of its task until it commits, and whoever holds
or releases the record meanwhile does not wait for that. The order, for one record; after a crash at any line the row of
the task is free, and the next worker begins anew, which does no harm:

1. whether the record is held, and which copies it has, is read;
2. the legal hold of each copy is set or taken off in its store, and read back;
3. under the record's row lock it is read again. Where it is the same, what stands is noted with a ledger entry, and the
   task is done, in one transaction; else the row lock is given back, and all begins anew: nobody who changes the record
   ever waits for a store.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from functools import partial
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Row, select, text
from sqlalchemy.dialects.postgresql import insert

from vault.catalogue import service as catalogue
from vault.catalogue.queries import ComponentView, components_of
from vault.catalogue.witnessing import digests
from vault.foundation.context import Context
from vault.foundation.db.transaction import Transaction
from vault.foundation.errors import VaultError
from vault.foundation.jobs.queue import defer
from vault.foundation.ledger.entry import SYSTEM
from vault.foundation.storage.errors import StoreLied
from vault.foundation.storage.interface import Store
from vault.holds.model import Event
from vault.holds.queries import on_hold
from vault.holds.tables import RECORD_TABLES, held_records, hold_tasks

TASK_TELL_STORES = "holds:tell"
_THREADS = 4
_PAUSE_MAX = timedelta(hours=1)
_Copies = frozenset[tuple[UUID, str]]


def ask_for(tx: Transaction, record_ids: Iterable[UUID]) -> None:
    """Queues records so that the stores are told of their holds; the caller has their row locks, and witnesses why."""
    now = tx.clock.now()
    rows = [{"record_id": one, "asked_at": now, "not_before": now} for one in sorted(record_ids)]
    if rows:
        # A row that is there stays as it is: the worker that may be at it looks once more before it ends.
        tx.connection.execute(insert(hold_tasks).values(rows).on_conflict_do_nothing())
        defer(tx, TASK_TELL_STORES, once=TASK_TELL_STORES)


def follow(tx: Transaction, record_id: UUID) -> None:
    """The same for a record that got further copies, if it is held."""
    ask_for(tx, on_hold(tx.connection, [record_id]))


def look_again(tx: Transaction, record_ids: Iterable[UUID]) -> None:
    """The same for records whose legal hold was set again, if they were released meanwhile: then that is to be taken off.

    All row locks are taken at once, in the order in which everybody takes them.
    """
    ids = set(record_ids)
    catalogue.hold_still(tx, ids)
    ask_for(tx, ids - on_hold(tx.connection, ids))


def tell_waiting(ctx: Context) -> Iterator[UUID]:
    """Tells the stores of records whose turn has come until none is left; yields each when it is done with.

    Leaves `holds:stores:hold` or `holds:stores:free`. What fails now, for whatever reason, is tried again later.
    """
    while (record_id := _tell_next(ctx)) is not None:
        yield record_id


def are_stores_behind(connection: Connection, now: datetime) -> bool:
    """Whether a store is to be told of a record whose turn has come."""
    due = select(hold_tasks.c.record_id).where(hold_tasks.c.not_before <= now)
    is_due: bool = connection.execute(select(due.exists())).scalar_one()
    return is_due


def _tell_next(ctx: Context) -> UUID | None:
    task: Row[Any] | None = None
    try:
        with ctx.database.transaction(SYSTEM) as tx:
            task = _next_task(tx)
            if task is None:
                return None
            # A server that ends transactions in which nothing is asked would end this one while a store is slow.
            tx.connection.execute(text("SET LOCAL idle_in_transaction_session_timeout = 0"))
            _tell(tx, ctx.store, task.record_id)
            tx.commit()
    except Exception as error:  # of whatever kind: one record never keeps the others waiting
        if task is None:
            raise
        _try_later(ctx, task, error)
    record_id: UUID = task.record_id
    return record_id


def _next_task(tx: Transaction) -> Row[Any] | None:
    return tx.connection.execute(
        select(hold_tasks)
        .where(hold_tasks.c.not_before <= tx.clock.now())
        .order_by(hold_tasks.c.not_before, hold_tasks.c.record_id)
        .limit(1)
        .with_for_update(skip_locked=True)
    ).one_or_none()


def _try_later(ctx: Context, task: Row[Any], error: Exception) -> None:
    """In a transaction of its own, because the one that failed may be of no more use; a task that was taken up is left."""
    code = error.code if isinstance(error, VaultError) else VaultError.code
    pause = min(timedelta(seconds=2 ** min(task.attempts + 1, 12)), _PAUSE_MAX)
    is_same = (hold_tasks.c.record_id == task.record_id) & (hold_tasks.c.attempts == task.attempts)
    with ctx.database.transaction(SYSTEM) as tx:
        tx.connection.execute(
            hold_tasks.update()
            .where(is_same, hold_tasks.c.asked_at == task.asked_at)
            .values(attempts=task.attempts + 1, problem=code, not_before=tx.clock.now() + pause)
        )
        tx.commit()


def _tell(tx: Transaction, store: Store, record_id: UUID) -> None:
    is_told = False
    while not is_told:
        is_held, copies = _wanted(tx, record_id)
        with ThreadPoolExecutor(_THREADS) as pool:
            list(pool.map(partial(_set, store, on=is_held), copies))
        # Going back to the savepoint gives the row lock back: the store is never asked under it.
        still = tx.connection.begin_nested()
        catalogue.hold_still(tx, [record_id])
        is_held_now, copies_now = _wanted(tx, record_id)
        is_told = (is_held, _places(copies)) == (is_held_now, _places(copies_now))
        if is_told:
            _note(tx, record_id, is_held=is_held, copies=len(copies))
            still.commit()
        else:
            still.rollback()


def _wanted(tx: Transaction, record_id: UUID) -> tuple[bool, tuple[ComponentView, ...]]:
    return bool(on_hold(tx.connection, [record_id])), components_of(tx.connection, record_id)


def _places(copies: Iterable[ComponentView]) -> _Copies:
    return frozenset((copy.id, copy.store) for copy in copies)


def _set(store: Store, copy: ComponentView, *, on: bool) -> None:
    if store.head(copy.object_key, copy.version_id).legal_hold == on:
        return
    store.set_hold(copy.object_key, copy.version_id, on=on)
    found = store.head(copy.object_key, copy.version_id).legal_hold
    if found != on:
        raise StoreLied(store=store.name, key=copy.object_key, what="legal hold", expected=on, found=found)


def _note(tx: Transaction, record_id: UUID, *, is_held: bool, copies: int) -> None:
    tx.connection.execute(hold_tasks.delete().where(hold_tasks.c.record_id == record_id))
    if not is_held:
        tx.witness(Event.STORES_FREED, "record", record_id, copies=copies)
        return
    changing = catalogue.begin_changes(tx, [record_id])
    tx.connection.execute(
        held_records.update()
        .where(
            held_records.c.record_id == record_id,
            held_records.c.released_at.is_(None),
            held_records.c.stands_at.is_(None),
        )
        .values(stands_at=tx.clock.now())
    )
    tx.witness(
        Event.STORES_HOLD,
        "record",
        record_id,
        revision=changing[record_id].revision,
        copies=copies,
        digests=digests(tx.connection, changing, RECORD_TABLES)[record_id],
    )
