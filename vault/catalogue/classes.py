"""Codes of classes, fonds, and another class for a record."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from retention_rules.model import ClassDefinition
from vault.catalogue.model import Event, archival_number
from vault.catalogue.service import Changing, next_number, table_digest
from vault.catalogue.tables import fonds, record_states, records, retention_classes
from vault.foundation.db.transaction import Detail, Transaction
from vault.foundation.ids import new_id
from vault.foundation.ledger.entry import Entry


def ensure_fonds(tx: Transaction, code: str, name: str) -> None:
    """Enters the fonds when it is new. Leaves `catalogue:fonds:create`."""
    done = tx.connection.execute(
        insert(fonds)
        .values(code=code, name=name, created_at=tx.clock.now())
        .on_conflict_do_nothing()
        .returning(fonds.c.code)  # the driver does not count the rows of ON CONFLICT
    )
    if done.one_or_none():
        tx.witness(Event.FONDS_CREATED, "fonds", new_id(), code=code)


def enter_classes(tx: Transaction, codes: Iterable[str]) -> None:
    """Enters the codes of classes that are not there yet. Leaves `catalogue:classes:enter` when there are any."""
    rows = [{"code": code, "created_at": tx.clock.now()} for code in sorted(set(codes))]
    entered = tx.connection.execute(
        insert(retention_classes).values(rows).on_conflict_do_nothing().returning(retention_classes.c.code)
    ).scalars()
    new: list[Detail] = [*sorted(entered)]
    if new:
        tx.witness(Event.CLASSES_ENTERED, "schedule", new_id(), classes=new)


def change_class(
    tx: Transaction,
    record_id: UUID,
    changing: Changing,
    definition: ClassDefinition,
    digests: Mapping[str, Detail],
    *,
    unit_code: str | None,
) -> Entry:
    """Gives a record another class. Leaves `catalogue:record:reclassify`.

    Before filing it also gets a new archival number, as the number tells category and period: then `unit_code` is that of
    its unit. A filed record keeps its number (`unit_code` none), and the database refuses another class for it that was
    not approved.
    """
    row = tx.connection.execute(select(records).where(records.c.id == record_id)).one()
    values: dict[str, Any] = {"class_code": definition.code}
    if unit_code is not None:
        place = (row.fonds_code, definition.category_code, row.year, definition.period_code, unit_code)
        number = next_number(tx.connection, *place)
        values |= {
            "category_code": definition.category_code,
            "item_number": number,
            "archival_number": archival_number(*place, number),
        }
    tx.connection.execute(records.update().where(records.c.id == record_id).values(**values))
    told: dict[str, Detail] = {
        table.name: table_digest(tx.connection, table, record_id, changing.salt) for table in (records, record_states)
    }
    return tx.witness(
        Event.CLASS_CHANGED,
        "record",
        record_id,
        revision=changing.revision,
        before=row.class_code,
        after=definition.code,
        digests={**digests, **told},
    )
