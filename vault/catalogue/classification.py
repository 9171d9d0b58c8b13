"""Retention classes in the catalogue, and what the law says of a record of a class."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, Row, select
from sqlalchemy.dialects.postgresql import insert

from retention_rules import shipped
from retention_rules.decision import Decision, decide
from retention_rules.law import Law, law_of
from retention_rules.locks import intake_lock_until
from retention_rules.model import Facts
from retention_rules.packs import class_from, plain_law
from vault.catalogue.errors import UnknownClass
from vault.catalogue.model import Description, Event, Retention, RetentionClass, TriggerState
from vault.catalogue.tables import fonds, retention_classes
from vault.foundation.db.transaction import Transaction
from vault.foundation.ids import new_id

# A slip comes in when its business is done: that day is the event for the periods that count from it.
_EVENTS_AT_INTAKE = ("slip_closed", "record_created", "document_created")


def load_shipped_classes(tx: Transaction) -> int:
    """Enters the shipped classes that are not there yet; returns how many. Leaves `catalogue:classes:load` when any."""
    count = 0
    for definition in shipped.classes():
        done = tx.connection.execute(
            insert(retention_classes)
            .values(
                code=definition.code,
                name_zh=definition.name_zh,
                name_en=definition.name_en,
                category_code=definition.category_code,
                period_code=definition.period_code,
                sensitivity=definition.sensitivity,
                keep_unopened="other_types" if definition.keep_unopened else "no",
                definition=plain_law(definition),
                created_at=tx.clock.now(),
            )
            .on_conflict_do_nothing()
        )
        count += done.rowcount
    if count:
        tx.witness(Event.CLASSES_LOADED, "schedule", new_id(), classes=count)
    return count


def ensure_fonds(tx: Transaction, code: str, name: str) -> None:
    """Enters the fonds when it is new. Leaves `catalogue:fonds:create`."""
    done = tx.connection.execute(
        insert(fonds).values(code=code, name=name, created_at=tx.clock.now()).on_conflict_do_nothing()
    )
    if done.rowcount:
        tx.witness(Event.FONDS_CREATED, "fonds", new_id(), code=code)


def get_class(connection: Connection, code: str) -> RetentionClass:
    """One class. Raises UnknownClass."""
    row = connection.execute(select(retention_classes).where(retention_classes.c.code == code)).one_or_none()
    if row is None:
        raise UnknownClass(class_code=code[:40])
    return _class(row)


def all_classes(connection: Connection) -> tuple[RetentionClass, ...]:
    """Every class by code."""
    rows = connection.execute(select(retention_classes).order_by(retention_classes.c.code))
    return tuple(_class(row) for row in rows)


def decision_for(
    retention_class: RetentionClass, received_date: date, events: Mapping[str, date], on: date
) -> Decision:
    """What the law says of a record of the class on a day."""
    return decide(Facts(retention_class.code, received_date, dict(events)), _law(retention_class), on)


def events_of(occurred_date: date | None) -> dict[str, date]:
    """The events known of a record from the day of its business."""
    return dict.fromkeys(_EVENTS_AT_INTAKE, occurred_date) if occurred_date else {}


def retention_at_intake(
    retention_class: RetentionClass, description: Description, received_at: datetime, time_zone: str
) -> Retention:
    """Trigger state, retention date if it can be told, and the intake lock."""
    trigger_date, retain_until = trigger_and_end(retention_class, description.occurred_date, received_at, time_zone)
    return Retention(
        trigger_state=TriggerState.OPEN if trigger_date is None else TriggerState.SET,
        trigger_date=trigger_date,
        retain_until=retain_until,
        lock_until=intake_lock_until(received_at),
    )


def trigger_and_end(
    retention_class: RetentionClass, occurred_date: date | None, received_at: datetime, time_zone: str
) -> tuple[date | None, date | None]:
    """The day from which the period counts and the day it ends; neither while an event is still to come."""
    received_date = received_at.astimezone(ZoneInfo(time_zone)).date()
    occurred = occurred_date or received_date
    decision = decision_for(retention_class, received_date, events_of(occurred), received_date)
    return (None, None) if decision.retain_until is None else (occurred, decision.retain_until)


def with_slip_number(description: Description, slip_number: str | None) -> Description:
    """The description with the number read from the slip's barcode, where nobody entered one."""
    if slip_number is None or description.business_number:
        return description
    return replace(description, business_number=slip_number)


def _law(retention_class: RetentionClass) -> Law:
    definition = class_from(
        {
            "code": retention_class.code,
            "name_zh": retention_class.name_zh,
            "name_en": retention_class.name_en,
            "category_code": retention_class.category_code,
            "period_code": retention_class.period_code,
            "sensitivity": retention_class.sensitivity,
            **retention_class.definition,
        }
    )
    return law_of([definition], shipped.rules())


def _class(row: Row[Any]) -> RetentionClass:
    return RetentionClass(
        code=row.code,
        name_zh=row.name_zh,
        name_en=row.name_en,
        category_code=row.category_code,
        period_code=row.period_code,
        sensitivity=row.sensitivity,
        keep_unopened=row.keep_unopened != "no",
        definition=dict(row.definition),
    )
