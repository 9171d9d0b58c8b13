"""Setting the COMPLIANCE locks of records that are filed, or whose lock must become longer.

The order of writes, for one record; after a crash at any line the next worker goes on (invariant R1):

1. the lock that the law gives it today is worked out, and noted as intended, with a ledger entry;
2. every copy is locked in its store, to that day or as far as it was locked already, and
3. read back;
4. in one transaction the catalogue takes over what stands in the stores, the record is filed, and its due dates follow.

Whoever takes over goes at least as far as was intended before: what a store was told may have been done.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, and_, select
from sqlalchemy.dialects.postgresql import insert

from retention_rules.decision import decide
from retention_rules.schedules import end_of_day
from vault.catalogue import service as catalogue
from vault.catalogue.locks import set_locks
from vault.catalogue.model import RecordStatus
from vault.catalogue.queries import ComponentView, components_of
from vault.catalogue.tables import record_states
from vault.catalogue.witnessing import digests
from vault.foundation.context import Context
from vault.foundation.db.transaction import Transaction
from vault.foundation.errors import VaultError
from vault.foundation.jobs.claims import is_free
from vault.foundation.ledger.entry import SYSTEM
from vault.foundation.storage.errors import StoreLied
from vault.foundation.storage.interface import Lock, LockMode, Store, words
from vault.retention.book import read_book
from vault.retention.dossier import facts_now
from vault.retention.due_dates import settle
from vault.retention.model import Event
from vault.retention.tables import filings, lock_promises, lock_tasks

TASK_LOCK = "retention:lock"
CLAIM_LASTS = timedelta(minutes=5)
_CLAIMED_AT_ONCE = 8
_THREADS = 4
_PAUSE_MAX = timedelta(hours=1)
_Locks = Mapping[tuple[UUID, str], Lock]


def lock_waiting(ctx: Context) -> Iterator[UUID]:
    """Locks records whose turn has come until none is left; yields each when it is done with.

    Leaves `retention:lock:intend` and `catalogue:locks:set`. What a store refuses now is tried again later.
    """
    while claimed := _claim(ctx):
        for record_id in claimed:
            try:
                lock_record(ctx, record_id)
            except VaultError as error:
                _try_later(ctx, record_id, error)
            yield record_id


def lock_record(ctx: Context, record_id: UUID) -> None:
    """Sets the lock that the law gives a record today, and files it when that was asked.

    Raises:
        StoreUnavailable, StoreDenied, StoreLied, ObjectNotFound: the next attempt goes on where this ended.
    """
    intent = _intend(ctx, record_id)
    locks: _Locks = {}
    while intent is not None and not _take_over(ctx, record_id, intent.until_date, locks):
        # Access copies may have been added since the last look: then there is more to lock.
        with ctx.database.read() as connection:
            copies = components_of(connection, record_id)
            zone = read_book(connection).time_zone
        until = end_of_day(intent.until_date, zone) if intent.until_date else None
        locks = _lock_copies(ctx.store, copies, until)


def are_locks_due(connection: Connection, now: datetime) -> bool:
    """Whether a record waits for its lock whose turn has come and whom nobody works on."""
    is_due: bool = connection.execute(
        select(select(lock_tasks.c.record_id).where(_is_due(now)).exists())
    ).scalar_one()
    return is_due


def _is_due(now: datetime) -> ColumnElement[bool]:
    return and_(lock_tasks.c.not_before <= now, is_free(lock_tasks.c.claimed_at, CLAIM_LASTS, now))


def _claim(ctx: Context) -> list[UUID]:
    now = ctx.clock.now()
    free = (
        select(lock_tasks.c.record_id)
        .where(_is_due(now))
        .order_by(lock_tasks.c.not_before, lock_tasks.c.record_id)
        .limit(_CLAIMED_AT_ONCE)
        .with_for_update(skip_locked=True)
    )
    with ctx.database.transaction(SYSTEM) as tx:
        rows = tx.connection.execute(
            lock_tasks.update()
            .where(lock_tasks.c.record_id.in_(free.scalar_subquery()))
            .values(claimed_at=now)
            .returning(lock_tasks.c.record_id)
        ).scalars()
        claimed = sorted(rows)
        tx.commit()
    return claimed


@dataclass(frozen=True)
class _Intent:
    """The last day that the lock shall cover; none: nothing keeps the record any more, so it is filed as it is."""

    until_date: date | None


def _intend(ctx: Context, record_id: UUID) -> _Intent | None:
    """Step 1; none when the record is no longer to be locked."""
    with ctx.database.transaction(SYSTEM) as tx:
        catalogue.hold_still(tx, [record_id])
        task = tx.connection.execute(select(lock_tasks).where(lock_tasks.c.record_id == record_id)).one_or_none()
        if task is None or not _is_to_be_locked(tx, record_id):
            return None
        lawbook = read_book(tx.connection)
        now = tx.clock.now()
        today = lawbook.day_of(now)
        facts = facts_now(tx.connection, [record_id], lawbook.time_zone)[record_id]
        lawful = decide(facts, lawbook.law(today, now), today).lock_until
        until = max((day for day in (lawful, task.intended_date) if day is not None), default=None)
        if until is not None and until != task.intended_date:
            tx.connection.execute(
                lock_tasks.update().where(lock_tasks.c.record_id == record_id).values(intended_date=until)
            )
            tx.witness(Event.LOCK_INTENDED, "record", record_id, until_date=until.isoformat())
            tx.commit()
    return _Intent(until)


def _lock_copies(
    store: Store, copies: tuple[ComponentView, ...], until: datetime | None
) -> dict[tuple[UUID, str], Lock]:
    """Steps 2 and 3: the lock of each copy as its store tells it afterwards."""
    with ThreadPoolExecutor(_THREADS) as pool:
        held = list(pool.map(lambda copy: _lock_copy(store, copy, until), copies))
    return {(copy.id, copy.store): lock for copy, lock in zip(copies, held, strict=True)}


def _lock_copy(store: Store, copy: ComponentView, until: datetime | None) -> Lock:
    present = store.head(copy.object_key, copy.version_id).lock
    wanted = present if until is None else present.joined(Lock(LockMode.COMPLIANCE, until))
    if not present.covers(wanted):
        store.set_retention(copy.object_key, copy.version_id, wanted)
        present = store.head(copy.object_key, copy.version_id).lock
    if not present.covers(wanted):
        raise StoreLied(
            store=store.name, key=copy.object_key, what="lock", expected=words(wanted), found=words(present)
        )
    return present


def _take_over(ctx: Context, record_id: UUID, until_date: date | None, locks: _Locks) -> bool:
    """Step 4; false when the record has copies that were not locked."""
    with ctx.database.transaction(SYSTEM) as tx:
        changing = catalogue.begin_changes(tx, [record_id])
        copies = {(copy.id, copy.store) for copy in components_of(tx.connection, record_id)}
        if not copies <= set(locks):
            return False
        if not _is_to_be_locked(tx, record_id):
            return True  # filing was stopped before anything was intended
        now = tx.clock.now()
        tx.connection.execute(lock_tasks.delete().where(lock_tasks.c.record_id == record_id))
        tx.connection.execute(
            filings.update()
            .where(filings.c.record_id == record_id, filings.c.filed_at.is_(None))
            .values(filed_at=now)
        )
        if until_date is not None:
            promise = {"record_id": record_id, "known_at": now, "until_date": until_date}
            tx.connection.execute(insert(lock_promises).values(promise).on_conflict_do_nothing())
        told = digests(tx.connection, changing, [filings, lock_promises])[record_id]
        set_locks(tx, record_id, changing[record_id], {place: locks[place] for place in copies}, told)
        settle(tx, [record_id])
        tx.commit()
    return True


def _is_to_be_locked(tx: Transaction, record_id: UUID) -> bool:
    row: Any = tx.connection.execute(
        select(record_states.c.status, filings.c.record_id.label("filing"))
        .outerjoin(filings, filings.c.record_id == record_states.c.record_id)
        .where(record_states.c.record_id == record_id)
    ).one()
    return row.status == RecordStatus.FILED or row.filing is not None


def _try_later(ctx: Context, record_id: UUID, error: VaultError) -> None:
    """Frees the claim for later: twice as late after each failure, an hour at most."""
    with ctx.database.transaction(SYSTEM) as tx:
        attempts = tx.connection.execute(
            lock_tasks.update()
            .where(lock_tasks.c.record_id == record_id)
            .values(attempts=lock_tasks.c.attempts + 1, problem=error.code, claimed_at=None)
            .returning(lock_tasks.c.attempts)
        ).scalar_one_or_none()
        if attempts is not None:
            pause = min(timedelta(seconds=2 ** min(attempts, 12)), _PAUSE_MAX)
            tx.connection.execute(
                lock_tasks.update()
                .where(lock_tasks.c.record_id == record_id)
                .values(not_before=tx.clock.now() + pause)
            )
        tx.commit()
