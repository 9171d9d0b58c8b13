"""Filing 归档: somebody confirms quality and class of a record, and from then on it has the lock of its class.

The confirmation is one transaction; the locks are set by `locking`, which goes on after any crash. Until they stand the
record is still to be filed: its class can be changed at no cost, and filing can be stopped. Scans that a trusted station
sent without any finding are filed by rule, after some days in which a person may still look.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, select
from sqlalchemy.dialects.postgresql import insert

from vault.access.model import Viewer
from vault.access.rights import Right
from vault.catalogue import service as catalogue
from vault.catalogue.model import RecordStatus
from vault.catalogue.tables import record_states, records
from vault.catalogue.witnessing import digests
from vault.foundation.context import Context
from vault.foundation.db.transaction import Transaction
from vault.foundation.errors import N_, InvalidInput, NotFoundOrNotYours
from vault.foundation.jobs.queue import defer
from vault.retention.due_dates import ask_for_locks
from vault.retention.errors import BeingLocked, NotBeingFiled
from vault.retention.locking import TASK_LOCK
from vault.retention.model import Event, Filed, FilingOutcome
from vault.retention.tables import filings, lock_tasks

RECORDS_MAX = 10_000
_AT_ONCE = 500


def file(ctx: Context, viewer: Viewer, record_ids: Sequence[UUID]) -> tuple[Filed, ...]:
    """Files records, in the order given; tells of each whether it will be, is already, or is not there.

    Leaves `retention:record:file` for each that will be.

    Raises:
        NotAllowed: the viewer lacks `retention:record:file`.
        InvalidInput: there are none, or too many at once.
    """
    viewer.require(Right.RETENTION_RECORD_FILE)
    wanted = list(dict.fromkeys(record_ids))
    if not 1 <= len(wanted) <= RECORDS_MAX:
        raise InvalidInput(field="records", problem=N_("1 to 10,000 records can be filed at once"))
    outcome: dict[UUID, FilingOutcome] = {}
    for first in range(0, len(wanted), _AT_ONCE):
        with ctx.database.transaction(viewer.actor) as tx:
            outcome |= _ask(tx, viewer, wanted[first : first + _AT_ONCE])
            defer(tx, TASK_LOCK, once=TASK_LOCK)
            tx.commit()
    return tuple(Filed(record_id, outcome[record_id]) for record_id in wanted)


def file_batch(ctx: Context, viewer: Viewer, batch_id: UUID) -> tuple[Filed, ...]:
    """Files every record of a batch that is to be filed. Leaves `retention:record:file` for each.

    Raises:
        NotAllowed: the viewer lacks `retention:record:file`.
        NotFoundOrNotYours: the batch has no record that the viewer may see.
    """
    viewer.require(Right.RETENTION_RECORD_FILE)
    query = select(records.c.id).where(records.c.batch_id == batch_id).order_by(records.c.id)
    if viewer.units is not None:
        query = query.where(records.c.unit_id.in_(sorted(viewer.units)))
    with ctx.database.read() as connection:
        found = connection.execute(query).scalars().all()
    if not found:
        raise NotFoundOrNotYours
    told: list[Filed] = []
    for first in range(0, len(found), RECORDS_MAX):
        told += file(ctx, viewer, found[first : first + RECORDS_MAX])
    return tuple(told)


def stop_filing(ctx: Context, viewer: Viewer, record_id: UUID) -> None:
    """Takes a filing back whose locks are not being set yet. Leaves `retention:record:stop_filing`.

    Raises:
        NotAllowed: the viewer lacks `retention:record:file`.
        NotFoundOrNotYours, NotBeingFiled.
        BeingLocked: the locks are being set, and nobody takes them back.
    """
    viewer.require(Right.RETENTION_RECORD_FILE)
    with ctx.database.transaction(viewer.actor) as tx:
        if record_id not in _visible(tx.connection, viewer, [record_id]):
            raise NotFoundOrNotYours
        changing = catalogue.begin_changes(tx, [record_id])
        waiting = tx.connection.execute(
            select(filings.c.record_id).where(filings.c.record_id == record_id, filings.c.filed_at.is_(None))
        ).one_or_none()
        if waiting is None:
            raise NotBeingFiled
        require_not_being_locked(tx, record_id)
        tx.connection.execute(lock_tasks.delete().where(lock_tasks.c.record_id == record_id))
        tx.connection.execute(filings.delete().where(filings.c.record_id == record_id))
        tx.witness(
            Event.FILING_STOPPED,
            "record",
            record_id,
            revision=changing[record_id].revision,
            digests=digests(tx.connection, changing, [filings])[record_id],
        )
        tx.commit()


def file_by_rule(tx: Transaction, record_id: UUID, waits_days: int) -> None:
    """Files a scan of a trusted station when its days have passed. Leaves `retention:record:file`."""
    _enter(tx, [record_id], is_by_rule=True)
    ask_for_locks(tx, [record_id], not_before=tx.clock.now() + timedelta(days=waits_days))


def require_not_being_locked(tx: Transaction, record_id: UUID) -> None:
    """Refuses what would contradict locks that are being set; the record is held still. Raises BeingLocked."""
    intended = tx.connection.execute(
        select(lock_tasks.c.intended_date).where(lock_tasks.c.record_id == record_id)
    ).scalar_one_or_none()
    if intended is not None:
        raise BeingLocked


def _ask(tx: Transaction, viewer: Viewer, record_ids: Sequence[UUID]) -> dict[UUID, FilingOutcome]:
    visible = _visible(tx.connection, viewer, record_ids)
    catalogue.hold_still(tx, visible)
    states = {
        row.record_id: row
        for row in tx.connection.execute(
            select(record_states.c.record_id, record_states.c.status, filings.c.asked_at, filings.c.is_by_rule)
            .outerjoin(filings, filings.c.record_id == record_states.c.record_id)
            .where(record_states.c.record_id.in_(sorted(visible)))
        )
    }
    outcome = {record_id: _outcome(states.get(record_id)) for record_id in record_ids}
    fresh = [record_id for record_id, found in outcome.items() if found is FilingOutcome.ASKED]
    # A person who files what a rule would file later does so at once.
    hastened = [r for r, row in states.items() if row.is_by_rule and row.status == RecordStatus.RECEIVED]
    _enter(tx, fresh, is_by_rule=False)
    for record_id in hastened:
        tx.witness(Event.FILING_HASTENED, "record", record_id)
    ask_for_locks(tx, [*fresh, *hastened])
    return outcome


def _outcome(state: Any) -> FilingOutcome:
    if state is None:
        return FilingOutcome.NOT_FOUND
    if state.status == RecordStatus.FILED:
        return FilingOutcome.FILED
    return FilingOutcome.ASKED if state.asked_at is None else FilingOutcome.WAITING


def _enter(tx: Transaction, record_ids: Sequence[UUID], *, is_by_rule: bool) -> None:
    if not record_ids:
        return
    changing = catalogue.begin_changes(tx, record_ids)
    now = tx.clock.now()
    tx.connection.execute(
        insert(filings),
        [
            {
                "record_id": record_id,
                "confirmed_by_kind": tx.actor.kind,
                "confirmed_by": tx.actor.id,
                "is_by_rule": is_by_rule,
                "asked_at": now,
            }
            for record_id in changing
        ],
    )
    told = digests(tx.connection, changing, [filings])
    for record_id, change in changing.items():
        tx.witness(
            Event.FILING_ASKED,
            "record",
            record_id,
            revision=change.revision,
            by_rule=is_by_rule,
            digests=told[record_id],
        )


def _visible(connection: Connection, viewer: Viewer, record_ids: Iterable[UUID]) -> set[UUID]:
    query = select(records.c.id).where(records.c.id.in_(sorted(set(record_ids))))
    if viewer.units is not None:
        query = query.where(records.c.unit_id.in_(sorted(viewer.units)))
    return set(connection.execute(query).scalars())
