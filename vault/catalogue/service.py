"""The verbs of the catalogue. Each changes rows and witnesses them in the same transaction."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

import psycopg
from sqlalchemy import Connection, Subquery, Table, and_, func, or_, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import IntegrityError

from vault.catalogue.errors import RenditionsUnderlocked, SameContentExists
from vault.catalogue.fingerprint import rows_digest
from vault.catalogue.model import DueDates, Event, NewRecord, RecordStatus, StoredComponent, archival_number
from vault.catalogue.tables import (
    component_copies,
    components,
    item_counters,
    personal_fields,
    record_states,
    records,
)
from vault.foundation.db.together import Rows
from vault.foundation.db.transaction import Transaction
from vault.foundation.keys.keyring import Keyring, RecordKey
from vault.foundation.ledger.entry import Entry
from vault.foundation.storage.interface import Lock, LockMode

_SAME_CONTENT_CONSTRAINT = "records_same_bytes_once_per_unit_key"


@dataclass(frozen=True)
class Registered:
    """A record that the catalogue now knows, and the ledger entry that proves it."""

    record_id: UUID
    archival_number: str
    entry: Entry


def register(
    tx: Transaction, keyring: Keyring, record_key: RecordKey, new: NewRecord, along_with: Rows | None = None
) -> Registered:
    """Enters a record whose original is stored, verified and locked (invariant U1).

    `along_with` are rows of the caller's own tables, inserted by the same statement.
    Leaves `catalogue:record:register` with the component's sealed digest and one salted digest a table.

    Raises:
        SameContentExists: the unit keeps these bytes already; the transaction can only be rolled back.
    """
    salt = secrets.token_bytes(16)
    definition = new.retention_class
    place = (new.fonds_code, definition.category_code, new.year, definition.period_code, new.unit_code)
    item_number = next_number(tx.connection, *place)
    number = archival_number(*place, item_number)
    rows: dict[Table, list[dict[str, Any]]] = {
        records: [_record_row(new, salt, item_number, number)],
        record_states: [_state_row(new)],
        personal_fields: _personal_rows(keyring, record_key, new),
        **_component_rows(new.id, [new.original], new.received_at),
    }
    try:
        entry = tx.witness(
            Event.RECORD_REGISTERED,
            "record",
            new.id,
            context_id=new.batch_id,
            along_with={**rows, **(along_with or {})},
            revision=1,
            class_code=new.retention_class.code,
            unit_id=str(new.unit_id),
            components=_witnessed_components([new.original]),
            digests={table.name: rows_digest(table.name, salt, values) for table, values in rows.items()},
        )
    except IntegrityError as error:
        if isinstance(error.orig, psycopg.Error) and error.orig.diag.constraint_name == _SAME_CONTENT_CONSTRAINT:
            raise SameContentExists from error
        raise
    return Registered(new.id, number, entry)


def add_renditions(tx: Transaction, record_id: UUID, renditions: Sequence[StoredComponent]) -> Entry:
    """Adds the access copy, page images and thumbnails made from the original; they die with the record.

    Idempotent: a component whose place is taken stays as it is. Leaves `catalogue:renditions:add`.

    Raises:
        RenditionsUnderlocked: the record is filed, and they are not locked as long as it is.
    """
    revision, salt = begin_change(tx.connection, record_id)
    _require_lock_of_filed(tx.connection, record_id, renditions)
    taken = {
        (row.kind, row.ordinal)
        for row in tx.connection.execute(
            select(components.c.kind, components.c.ordinal).where(components.c.record_id == record_id)
        )
    }
    fresh = [item for item in renditions if (item.kind, item.ordinal) not in taken]
    for table, values in _component_rows(record_id, fresh, tx.clock.now()).items():
        if values:
            tx.connection.execute(table.insert(), values)
    changed = (record_states, components, component_copies)
    return tx.witness(
        Event.RENDITIONS_ADDED,
        "record",
        record_id,
        revision=revision,
        # A thousand pages would not fit into an entry: the digests below bind each of them.
        components_count=len(fresh),
        digests={table.name: table_digest(tx.connection, table, record_id, salt) for table in changed},
    )


def _require_lock_of_filed(connection: Connection, record_id: UUID, renditions: Sequence[StoredComponent]) -> None:
    state = connection.execute(
        select(record_states.c.status, record_states.c.lock_until).where(record_states.c.record_id == record_id)
    ).one()
    wanted = Lock(LockMode.COMPLIANCE, state.lock_until)
    if state.status == RecordStatus.FILED and not all(
        Lock(item.lock_mode, item.lock_until).covers(wanted) for item in renditions
    ):
        raise RenditionsUnderlocked


def hold_still(tx: Transaction, record_ids: Iterable[UUID]) -> None:
    """Takes the row locks of records to the end of the transaction, so that what follows is decided from settled facts."""
    tx.connection.execute(
        select(record_states.c.record_id)
        .where(record_states.c.record_id.in_(sorted(set(record_ids))))
        .order_by(record_states.c.record_id)
        .with_for_update()
    )


def hold_span_still(tx: Transaction, after: UUID | None, last: UUID) -> int:
    """The same for all records after one to another, in the order of their ids; returns how many there are."""
    locked = select(record_states.c.record_id).where(record_states.c.record_id <= last)
    if after is not None:
        locked = locked.where(record_states.c.record_id > after)
    locked = locked.order_by(record_states.c.record_id).with_for_update()
    return tx.connection.execute(select(func.count()).select_from(locked.cte())).scalar_one()


_SET_DUE = text(
    "UPDATE record_states SET what = d.what, retain_until = d.retain_until, delete_by = d.delete_by,"
    " next_date = d.next_date, is_hard = d.is_hard, schedule_number = d.schedule_number"
    " FROM json_populate_recordset(NULL::record_states, CAST(:rows AS json)) AS d"
    " WHERE record_states.record_id = d.record_id"
)


def set_due_dates(tx: Transaction, due: Mapping[UUID, DueDates]) -> None:
    """Writes what the law says of some records; whoever had it computed witnesses why.

    It is derived, so neither revision nor digests change: see `fingerprint.DERIVED`.
    """
    rows = [{"record_id": str(record_id), **_due_row(dates)} for record_id, dates in due.items()]
    if rows:
        tx.connection.execute(_SET_DUE, {"rows": json.dumps(rows, default=date.isoformat)})


_DUE_COLUMNS = ("what", "retain_until", "delete_by", "next_date", "is_hard", "schedule_number")


@dataclass(frozen=True)
class DueDatesSet:
    """What setting many due dates at once came to: how many rows said something else, and whom to look at singly."""

    changed: int
    hard: tuple[UUID, ...]
    outlasting: tuple[UUID, ...]  # filed, and now to be kept beyond the last day that their lock covers


def set_due_dates_from(tx: Transaction, computed: Subquery) -> DueDatesSet:
    """The same for many records in one statement, from a query with `record_id` and the derived columns.

    Besides it has `status` and `locked_until`. Records that it calls `is_hard` are left alone and named.
    """
    due = select(computed).cte("due").prefix_with("MATERIALIZED", dialect="postgresql")
    differs = [record_states.c[name].is_distinct_from(due.c[name]) for name in _DUE_COLUMNS]
    changed = (
        record_states.update()
        .where(record_states.c.record_id == due.c.record_id, ~due.c.is_hard, or_(*differs))
        .values({name: due.c[name] for name in _DUE_COLUMNS})
        .returning(record_states.c.record_id)
        .cte("changed")
    )
    outlasts = and_(due.c.status == RecordStatus.FILED.value, due.c.retain_until > due.c.locked_until)
    row = tx.connection.execute(
        select(
            select(func.count()).select_from(changed).scalar_subquery(),
            select(func.array_agg(due.c.record_id)).where(due.c.is_hard).scalar_subquery(),
            select(func.array_agg(due.c.record_id)).where(outlasts).scalar_subquery(),
        )
    ).one()
    return DueDatesSet(row[0], tuple(row[1] or ()), tuple(row[2] or ()))


def table_digest(connection: Connection, table: Table, record_id: UUID, salt: bytes) -> str:
    """The digest of one record's rows in one of its tables, as the database holds them now."""
    if table is component_copies:
        query = (
            select(component_copies)
            .join(components, components.c.id == component_copies.c.component_id)
            .where(components.c.record_id == record_id)
        )
    else:
        owner = table.c.id if table is records else table.c.record_id
        query = select(table).where(owner == record_id)
    query = query.order_by(*table.primary_key.columns)
    return rows_digest(table.name, salt, [dict(row) for row in connection.execute(query).mappings()])


@dataclass(frozen=True)
class Changing:
    """A record that is being changed: its new revision, and the salt of its digests."""

    revision: int
    salt: bytes


def begin_changes(tx: Transaction, record_ids: Iterable[UUID]) -> dict[UUID, Changing]:
    """Holds several records still and raises their revisions; those that are not there are left out."""
    ids = sorted(set(record_ids))
    hold_still(tx, ids)
    raised = tx.connection.execute(
        record_states.update()
        .where(record_states.c.record_id.in_(ids), records.c.id == record_states.c.record_id)
        .values(revision=record_states.c.revision + 1)
        .returning(record_states.c.record_id, record_states.c.revision, records.c.salt)
    )
    return {row.record_id: Changing(row.revision, bytes(row.salt)) for row in raised}


def begin_change(connection: Connection, record_id: UUID) -> tuple[int, bytes]:
    """Takes the record's row lock and raises its revision; two changes of one record never cross.

    Returns the new revision and the salt of the record's digests.
    """
    revision = connection.execute(
        record_states.update()
        .where(record_states.c.record_id == record_id)
        .values(revision=record_states.c.revision + 1)
        .returning(record_states.c.revision)
    ).scalar_one()
    salt = connection.execute(select(records.c.salt).where(records.c.id == record_id)).scalar_one()
    return revision, bytes(salt)


_NEXT_NUMBER = (
    insert(item_counters)
    .values(last_number=1)
    .on_conflict_do_update(
        constraint=item_counters.primary_key, set_={"last_number": item_counters.c.last_number + 1}
    )
    .returning(item_counters.c.last_number)
)


def next_number(
    connection: Connection, fonds_code: str, category_code: str, year: int, period_code: str, unit_code: str
) -> int:
    """The next 件号 within one 全宗, 门类, 年度, 保管期限 and 机构."""
    number: int = connection.execute(
        _NEXT_NUMBER,
        {
            "fonds_code": fonds_code,
            "category_code": category_code,
            "year": year,
            "period_code": period_code,
            "unit_code": unit_code,
        },
    ).scalar_one()
    return number


def _record_row(new: NewRecord, salt: bytes, item_number: int, number: str) -> dict[str, Any]:
    about = new.description
    return {
        "id": new.id,
        "fonds_code": new.fonds_code,
        "category_code": new.retention_class.category_code,
        "year": new.year,
        "class_code": new.retention_class.code,
        "unit_id": new.unit_id,
        "item_number": item_number,
        "archival_number": number,
        "business_number": about.business_number,
        "business_type": about.business_type,
        "title": about.title,
        "handler": about.handler,
        "customer_name": about.customer_name,
        "occurred_date": about.occurred_date,
        "received_at": new.received_at,
        "page_count": new.page_count,
        "attributes": about.attributes,
        "content_sha256": new.original.sha256,
        "salt": salt,
        "batch_id": new.batch_id,
    }


def _state_row(new: NewRecord) -> dict[str, Any]:
    return {
        "record_id": new.id,
        "revision": 1,
        "status": RecordStatus.RECEIVED.value,
        "lock_until": new.lock_until,
        **_due_row(new.due),
    }


def _due_row(due: DueDates) -> dict[str, Any]:
    return {
        "what": due.what.value,
        "retain_until": due.retain_until,
        "delete_by": due.delete_by,
        "next_date": due.next_date,
        "is_hard": due.is_hard,
        "schedule_number": due.schedule_number,
    }


def _component_rows(
    record_id: UUID, items: Sequence[StoredComponent], created_at: Any
) -> dict[Table, list[dict[str, Any]]]:
    ordered = sorted(items, key=lambda item: item.id)
    return {
        components: [
            {
                "id": item.id,
                "record_id": record_id,
                "kind": item.kind.value,
                "ordinal": item.ordinal,
                "media_type": item.media_type,
                "size_bytes": item.size_bytes,
                "sha256": item.sha256,
                "sealed_size_bytes": item.sealed_size_bytes,
                "sealed_sha256": item.sealed_sha256,
                "created_at": created_at,
            }
            for item in ordered
        ],
        component_copies: [
            {
                "component_id": item.id,
                "store": item.store,
                "object_key": item.object_key,
                "version_id": item.version_id,
                "lock_mode": item.lock_mode.value,
                "lock_until": item.lock_until,
            }
            for item in ordered
        ],
    }


def _personal_rows(keyring: Keyring, record_key: RecordKey, new: NewRecord) -> list[dict[str, Any]]:
    rows = [
        {
            "record_id": new.id,
            "kind": kind.value,
            "ordinal": ordinal,
            "sealed": record_key.seal_field(f"{kind.value}/{ordinal}", value.encode()),
            "blind": keyring.blind_token(record_key, kind.value, value),
        }
        for ordinal, (kind, value) in enumerate(new.description.personal)
    ]
    return sorted(rows, key=lambda row: (row["kind"], row["ordinal"]))


def _witnessed_components(items: Sequence[StoredComponent]) -> list[Any]:
    return [
        {
            "id": str(item.id),
            "kind": item.kind.value,
            "sealed_sha256": item.sealed_sha256.hex(),
            "sealed_size_bytes": item.sealed_size_bytes,
            "store": item.store,
            "lock_until": item.lock_until.isoformat(timespec="seconds"),
        }
        for item in items
    ]
