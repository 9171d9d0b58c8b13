"""Searching the catalogue: filters, keyset pages, and only what the viewer may see, counts included."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    Text,
    Uuid,
    and_,
    any_,
    cast,
    exists,
    func,
    literal,
    or_,
    select,
)
from sqlalchemy.dialects.postgresql import ARRAY

from vault.catalogue.model import FieldKind
from vault.catalogue.tables import personal_fields, record_states, records
from vault.foundation.db import keyset
from vault.foundation.db.keyset import COUNT_MAX, EVERYTHING, FIRST, Page, Picked, Span

RARE_MAX = 2_000


@dataclass(frozen=True)
class Filters:
    """What to look for; all given conditions must hold. `number` is a prefix of 档号 or business number.

    `due_from` and `due_until` are about the last day on which a record must be kept, `what` about what the law says now.
    """

    number: str | None = None
    name: str | None = None
    business_type: str | None = None
    class_code: str | None = None
    unit_id: UUID | None = None
    status: str | None = None
    occurred_from: date | None = None
    occurred_until: date | None = None
    batch_id: UUID | None = None
    due_from: date | None = None
    due_until: date | None = None
    what: str | None = None
    personal: tuple[FieldKind, str] | None = None

    @property
    def is_empty(self) -> bool:
        """Whether nothing narrows the list."""
        return self == Filters()


@dataclass(frozen=True)
class RecordLine:
    """A record as one line of a list; it holds no personal field."""

    id: UUID
    archival_number: str
    business_number: str | None
    business_type: str | None
    title: str | None
    customer_name: str | None
    handler: str | None
    unit_id: UUID
    class_code: str
    occurred_date: date | None
    received_at: datetime
    page_count: int
    status: str
    retain_until: date | None
    lock_until: datetime


_COLUMNS = (
    records.c.id,
    records.c.archival_number,
    records.c.business_number,
    records.c.business_type,
    records.c.title,
    records.c.customer_name,
    records.c.handler,
    records.c.unit_id,
    records.c.class_code,
    records.c.occurred_date,
    records.c.received_at,
    records.c.page_count,
    record_states.c.status,
    record_states.c.retain_until,
    record_states.c.lock_until,
)


def find(
    connection: Connection,
    filters: Filters,
    span: Span = FIRST,
    *,
    units: frozenset[UUID] | None,
    blind_tokens: tuple[bytes, ...] = (),
    picked: Picked = EVERYTHING,
) -> Page[RecordLine]:
    """One page of the records that `filters` name within `units` (None: all units), newest first.

    `blind_tokens` must be the tokens of `filters.personal` (see `Keyring.blind_tokens`).
    """
    query = select(*_COLUMNS).join(record_states, record_states.c.record_id == records.c.id)
    wanted = conditions(filters, units, blind_tokens, is_rare=_is_rare(connection, filters.name))
    query = query.where(*wanted, *picked.conditions(records.c.id))
    return keyset.cut(
        connection, query, records.c.id, span, lambda rows: [RecordLine(**row._mapping) for row in rows]
    )


def with_number(connection: Connection, number: str, *, units: frozenset[UUID] | None) -> tuple[RecordLine, ...]:
    """The records within `units` whose archival or business number is exactly this, the newest few; capitals optional."""
    told = normalise(number)
    either = {told, told.upper()}
    is_it = or_(records.c.archival_number.in_(either), records.c.business_number.in_(either))
    query = select(*_COLUMNS).join(record_states, record_states.c.record_id == records.c.id)
    query = query.where(is_it, *conditions(Filters(), units, ())).order_by(records.c.id.desc()).limit(10)
    return tuple(RecordLine(**row._mapping) for row in connection.execute(query))


def count(
    connection: Connection,
    filters: Filters,
    *,
    units: frozenset[UUID] | None,
    blind_tokens: tuple[bytes, ...] = (),
    picked: Picked = EVERYTHING,
    at_most: int | None = COUNT_MAX,
) -> int:
    """How many records the filters name within `units`, at most `at_most` + 1 (which means "more")."""
    wanted: Select[Any] = select(literal(1).label("one")).select_from(records)
    if any(one is not None for one in (filters.status, filters.due_from, filters.due_until, filters.what)):
        wanted = wanted.join(record_states, record_states.c.record_id == records.c.id)
    told = conditions(filters, units, blind_tokens, is_rare=_is_rare(connection, filters.name))
    wanted = wanted.where(*told, *picked.conditions(records.c.id))
    return keyset.count(connection, wanted, at_most)


def conditions(
    filters: Filters, units: frozenset[UUID] | None, blind_tokens: tuple[bytes, ...], *, is_rare: bool = False
) -> list[ColumnElement[bool]]:
    """The WHERE conditions of `filters`, the viewer's units among them; `is_rare` as `_is_rare` says of the name."""
    wanted: list[ColumnElement[bool]] = []
    if units is not None:
        wanted.append(records.c.unit_id == any_(cast(sorted(units), ARRAY(Uuid))))
    if filters.number:
        prefix = _like_literal(normalise(filters.number)) + "%"
        wanted.append(or_(records.c.archival_number.like(prefix), records.c.business_number.like(prefix)))
    if filters.name:
        wanted.append(_name_contains(normalise(filters.name), is_rare=is_rare))
    for column, value in (
        (records.c.business_type, filters.business_type),
        (records.c.class_code, filters.class_code),
        (records.c.unit_id, filters.unit_id),
        (record_states.c.status, filters.status),
        (records.c.batch_id, filters.batch_id),
        (record_states.c.what, filters.what),
    ):
        if value:
            wanted.append(column == value)
    if filters.occurred_from:
        wanted.append(records.c.occurred_date >= filters.occurred_from)
    if filters.occurred_until:
        wanted.append(records.c.occurred_date <= filters.occurred_until)
    if filters.due_from:
        wanted.append(record_states.c.retain_until >= filters.due_from)
    if filters.due_until:
        wanted.append(record_states.c.retain_until <= filters.due_until)
    if filters.personal is not None:
        wanted.append(
            exists().where(
                and_(
                    personal_fields.c.record_id == records.c.id,
                    personal_fields.c.kind == filters.personal[0].value,
                    personal_fields.c.blind.in_(blind_tokens),
                )
            )
        )
    return wanted


def normalise(value: str) -> str:
    """Full-width letters and digits become plain ones, outer and doubled blanks go (NFKC)."""
    return " ".join(unicodedata.normalize("NFKC", value).split())


def _name_contains(name: str, *, is_rare: bool) -> ColumnElement[bool]:
    """The index answers for two characters and a rare one; among the newest records a frequent one is found sooner."""
    if is_rare:  # as an array: the planner, who takes it for frequent, would walk and cut each name into its parts
        return records.c.id == any_(func.array(select(records.c.id).where(_has_gram(name)).scalar_subquery()))
    if len(name) == 2:
        return _has_gram(name)
    return records.c.customer_name.like(f"%{_like_literal(name)}%")


def _has_gram(name: str) -> ColumnElement[bool]:
    return func.slipvault_grams(records.c.customer_name, type_=ARRAY(Text)).contains(cast([name], ARRAY(Text)))


def _is_rare(connection: Connection, name: str | None) -> bool:
    """Whether a name part of one character stands in so few names that all of them are fetched sooner than walked to."""
    if name is None or len(normalise(name)) != 1:
        return False
    some = select(literal(1)).select_from(records).where(_has_gram(normalise(name))).limit(RARE_MAX + 1).subquery()
    return connection.execute(select(func.count()).select_from(some)).scalar_one() <= RARE_MAX


def _like_literal(value: str) -> str:
    return value.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


def business_types(connection: Connection, limit: int = 200) -> tuple[str, ...]:
    """The business types there are, by a walk from one to the next along the index."""
    found: list[str] = []
    last: str | None = None
    while len(found) < limit:
        query = select(records.c.business_type).where(records.c.business_type.isnot(None))
        if last is not None:
            query = query.where(records.c.business_type > last)
        last = connection.execute(query.order_by(records.c.business_type).limit(1)).scalar_one_or_none()
        if last is None:
            break
        found.append(last)
    return tuple(found)
