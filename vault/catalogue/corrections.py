"""Corrections 更正: what is said of a record is changed in the open, and the old value stays readable (C2.4).

Values before and after and the reason are kept sealed under the record's key, so they die with the record; the
ledger holds the names of the fields and salted digests. Whoever corrects says which revision they had read: of two
people at once the second is refused. Locks are not touched: a promise once locked is never shortened (R1).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, func, select
from sqlalchemy.dialects.postgresql import insert

from retention_rules.identifiers import mask
from retention_rules.schedules import day_of
from vault.access.model import Viewer
from vault.access.queries import organisation
from vault.access.rights import Right
from vault.catalogue.describe import checked_description, require_done
from vault.catalogue.errors import BadFieldValue, NothingToChange, ReasonNeeded, RecordChanged
from vault.catalogue.model import Change, Correction, Description, Event, FieldKind, NewDescription
from vault.catalogue.queries import RecordView, get_record
from vault.catalogue.reading import REASON_LENGTH_MIN
from vault.catalogue.search import normalise
from vault.catalogue.service import begin_change, table_digest
from vault.catalogue.tables import corrections, personal_fields, record_states, records
from vault.foundation.context import Context
from vault.foundation.db.transaction import Detail, Transaction
from vault.foundation.errors import N_
from vault.foundation.keys.keyring import Keyring, RecordKey

TEXTS = ("title", "customer_name", "business_type", "business_number", "handler")
FIELDS = (*TEXTS, "occurred_date")
_ATTRIBUTE = "attributes/"


@dataclass(frozen=True)
class Corrected:
    """What a correction did: the record's new revision, and whether the day of its business is another now."""

    revision: int
    day_moved: bool


def correct(
    tx: Transaction,
    keyring: Keyring,
    viewer: Viewer,
    record_id: UUID,
    new: NewDescription,
    *,
    revision: int,
    reason: str = "",
) -> Corrected:
    """Corrects what is said of a record, within a flow that looks after its due dates. Leaves `catalogue:record:describe`.

    A reason is needed where a value that was there is changed or taken away, not where one is added.

    Raises:
        NotAllowed: the viewer lacks `records:record:describe`.
        NotFoundOrNotYours: no such record for this viewer.
        RecordChanged: it was corrected after `revision`.
        BadFieldValue, ReasonNeeded, NothingToChange: what shall be said cannot be said.
    """
    viewer.require(Right.RECORDS_RECORD_DESCRIBE)
    get_record(tx.connection, viewer, record_id)  # before its row is locked, so that strangers wait for nothing
    now, salt = begin_change(tx.connection, record_id)
    record = get_record(tx.connection, viewer, record_id)
    _require_unchanged_since(tx, record, revision)
    record_key = keyring.record_key(tx.connection, record_id)
    about = _checked(record, new)
    if about.occurred_date != record.occurred_date:
        require_done(about.occurred_date, day_of(tx.clock.now(), organisation(tx.connection).time_zone))
    changes = tuple(_changes(record, _numbers(record_key, record), about, new))
    if not changes:
        raise NothingToChange
    reason = " ".join(reason.split())[:500]
    if any(change.old for change in changes) and len(reason) < REASON_LENGTH_MIN:
        raise ReasonNeeded(length_min=REASON_LENGTH_MIN)
    values: dict[str, Any] = {name: getattr(about, name) for name in FIELDS}
    tx.connection.execute(
        records.update().where(records.c.id == record.id).values(**values, attributes=about.attributes)
    )
    _write_numbers(tx, keyring, record_key, changes)
    _keep_old_values(tx, viewer, record_key, now, reason, changes)
    fields: list[Detail] = [*sorted({change.field.partition("/")[0] for change in changes})]
    tables = (records, record_states, corrections, personal_fields)
    digests: dict[str, Detail] = {t.name: table_digest(tx.connection, t, record_id, salt) for t in tables}
    tx.witness(Event.RECORD_DESCRIBED, "record", record_id, revision=now, fields=fields, digests=digests)
    return Corrected(now, "occurred_date" in fields)


def _keep_old_values(
    tx: Transaction, viewer: Viewer, record_key: RecordKey, revision: int, reason: str, changes: tuple[Change, ...]
) -> None:
    told = {"reason": reason, "changes": [[change.field, change.old, change.new] for change in changes]}
    tx.connection.execute(
        corrections.insert(),
        {
            "record_id": record_key.record_id,
            "revision": revision,
            "at": tx.clock.now(),
            "actor_kind": viewer.kind,
            "actor_id": viewer.id,
            "sealed": record_key.seal_field(_name(revision), json.dumps(told).encode()),
        },
    )


def corrections_of(
    ctx: Context, connection: Connection, viewer: Viewer, record: RecordView
) -> tuple[Correction, ...]:
    """The corrections of a record, newest first; personal numbers in them are masked.

    Raises:
        NotAllowed: the viewer lacks `records:record:read`.
    """
    viewer.require(Right.RECORDS_RECORD_READ)
    rows = connection.execute(
        select(corrections).where(corrections.c.record_id == record.id).order_by(corrections.c.revision.desc())
    ).all()
    if not rows:
        return ()
    record_key = ctx.keyring.record_key(connection, record.id)
    found = []
    for row in rows:
        told = json.loads(record_key.open_field(_name(row.revision), bytes(row.sealed)))
        changes = tuple(_masked(*change) for change in told["changes"])
        found.append(Correction(row.revision, row.at, row.actor_kind, row.actor_id, told["reason"], changes))
    return tuple(found)


def _require_unchanged_since(tx: Transaction, record: RecordView, seen: int) -> None:
    """Only corrections count: access copies made in the background are no reason to refuse."""
    newest = tx.connection.execute(
        select(func.max(corrections.c.revision)).where(corrections.c.record_id == record.id)
    ).scalar_one()
    current = record.revision - 1  # this transaction has raised it
    if seen > current or (newest is not None and newest > seen):
        raise RecordChanged(seen=seen, now=current)


def _checked(record: RecordView, new: NewDescription) -> Description:
    """What will be said of the record, in normal form; the personal numbers are only the new ones."""
    texts = {name: new.values.get(name, getattr(record, name)) or None for name in TEXTS}
    unknown = set(new.values) - set(FIELDS)
    if unknown:
        raise BadFieldValue(field=min(unknown)[:40], problem=N_("there is no such field"))
    told = {normalise(name): value for name, value in new.attributes.items()}
    attributes = {name: value for name, value in {**record.attributes, **told}.items() if value.strip()}
    personal = tuple((kind, value) for kind, value in new.personal.items() if value.strip())
    return checked_description(
        Description(**texts, occurred_date=_day(record, new), attributes=attributes, personal=personal)
    )


def _day(record: RecordView, new: NewDescription) -> date | None:
    if "occurred_date" not in new.values:
        return record.occurred_date
    text = new.values["occurred_date"].strip()
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        raise BadFieldValue(field="occurred_date", problem=N_("it is no day of the form YYYY-MM-DD")) from None


def _numbers(record_key: RecordKey, record: RecordView) -> dict[str, str]:
    return {field.name: record_key.open_field(field.name, field.sealed).decode() for field in record.personal}


def _changes(
    record: RecordView, numbers: Mapping[str, str], about: Description, new: NewDescription
) -> Iterator[Change]:
    """Each value that differs, before and after."""
    for name in TEXTS:
        yield from _change(name, getattr(record, name), getattr(about, name))
    days = (record.occurred_date, about.occurred_date)
    yield from _change("occurred_date", *(day.isoformat() if day else None for day in days))
    for name in sorted({*record.attributes, *about.attributes}):
        yield from _change(_ATTRIBUTE + name, record.attributes.get(name), about.attributes.get(name))
    plain = dict(about.personal)
    for kind in new.personal:
        place = f"{kind.value}/0"
        yield from _change(place, numbers.get(place), plain.get(kind))


def _change(field: str, old: str | None, new: str | None) -> Iterator[Change]:
    if old != new:
        yield Change(field, old, new)


def _write_numbers(tx: Transaction, keyring: Keyring, record_key: RecordKey, changes: tuple[Change, ...]) -> None:
    for change in changes:
        kind, _, ordinal = change.field.partition("/")
        if kind not in set(FieldKind):
            continue
        place = {"record_id": record_key.record_id, "kind": kind, "ordinal": int(ordinal)}
        if change.new is None:
            conditions = [personal_fields.c[name] == value for name, value in place.items()]
            tx.connection.execute(personal_fields.delete().where(*conditions))
            continue
        sealed = {
            "sealed": record_key.seal_field(change.field, change.new.encode()),
            "blind": keyring.blind_token(record_key, kind, change.new),
        }
        tx.connection.execute(
            insert(personal_fields)
            .values(**place, **sealed)
            .on_conflict_do_update(constraint=personal_fields.primary_key, set_=sealed)
        )


def _masked(field: str, old: str | None, new: str | None) -> Change:
    kind = field.partition("/")[0]
    if kind not in set(FieldKind):
        return Change(field, old, new)
    return Change(field, *(mask(kind, value) if value else None for value in (old, new)))


def _name(revision: int) -> str:
    """The name that a correction's seal is bound to."""
    return f"correction/{revision}"
