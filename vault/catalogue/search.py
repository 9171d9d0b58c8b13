"""Searching the catalogue: filters, keyset pages, and only what the viewer may see, counts included.

A page is cut by the record id, which rises with the time of intake (UUID version 7), so a page costs the same
anywhere in the list. A count stops at `COUNT_MAX`: an exact count of millions helps nobody and scans them all.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from datetime import date, datetime
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
    or_,
    select,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY

from vault.catalogue.model import FieldKind
from vault.catalogue.tables import personal_fields, record_states, records

COUNT_MAX = 10_000
PAGE_SIZE_MAX = 200


@dataclass(frozen=True)
class Filters:
    """What to look for; all given conditions must hold. `number` is a prefix of 档号 or business number."""

    number: str | None = None
    name: str | None = None
    business_type: str | None = None
    class_code: str | None = None
    unit_id: UUID | None = None
    status: str | None = None
    occurred_from: date | None = None
    occurred_until: date | None = None
    batch_id: UUID | None = None
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


@dataclass(frozen=True)
class Page:
    """One page of a list, newest first, with the keys of its neighbours when there are any."""

    lines: tuple[RecordLine, ...]
    before: UUID | None
    after: UUID | None


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
    *,
    units: frozenset[UUID] | None,
    blind_tokens: tuple[bytes, ...] = (),
    after: UUID | None = None,
    before: UUID | None = None,
    size: int = 50,
) -> Page:
    """One page of the records that `filters` name within `units` (None: all units).

    `after` continues below that record, `before` goes back above it. `blind_tokens` must be the tokens of
    `filters.personal` (see `Keyring.blind_tokens`). Newest first.
    """
    size = max(1, min(size, PAGE_SIZE_MAX))
    query = select(*_COLUMNS).join(record_states, record_states.c.record_id == records.c.id)
    query = query.where(*conditions(filters, units, blind_tokens))
    if before is not None:
        rows = connection.execute(query.where(records.c.id > before).order_by(records.c.id).limit(size + 1)).all()
        more, rows = len(rows) > size, rows[:size][::-1]
        lines = tuple(RecordLine(**row._mapping) for row in rows)
        return Page(lines, lines[0].id if more and lines else None, lines[-1].id if lines else None)
    if after is not None:
        query = query.where(records.c.id < after)
    rows = connection.execute(query.order_by(records.c.id.desc()).limit(size + 1)).all()
    lines = tuple(RecordLine(**row._mapping) for row in rows[:size])
    has_newer = after is not None and bool(lines)
    return Page(lines, lines[0].id if has_newer else None, lines[-1].id if len(rows) > size else None)


def count(
    connection: Connection,
    filters: Filters,
    *,
    units: frozenset[UUID] | None,
    blind_tokens: tuple[bytes, ...] = (),
    page: Page | None = None,
) -> int:
    """How many records the filters name within `units`, at most `COUNT_MAX` + 1 (which means "more").

    `page` is one that the same filters found: when nothing lies before or after it, it is counted without asking.
    """
    if page is not None and page.lines and page.before is None and page.after is None:
        return len(page.lines)
    wanted: Select[tuple[int]] = select(text("1")).select_from(records)
    if filters.status is not None:
        wanted = wanted.join(record_states, record_states.c.record_id == records.c.id)
    wanted = wanted.where(*conditions(filters, units, blind_tokens)).limit(COUNT_MAX + 1)
    return connection.execute(select(func.count()).select_from(wanted.subquery())).scalar_one()


def conditions(
    filters: Filters, units: frozenset[UUID] | None, blind_tokens: tuple[bytes, ...]
) -> list[ColumnElement[bool]]:
    """The WHERE conditions of `filters`, the viewer's units among them."""
    wanted: list[ColumnElement[bool]] = []
    if units is not None:
        wanted.append(records.c.unit_id == any_(cast(sorted(units), ARRAY(Uuid))))
    if filters.number:
        prefix = _like_literal(normalise(filters.number)) + "%"
        wanted.append(or_(records.c.archival_number.like(prefix), records.c.business_number.like(prefix)))
    if filters.name:
        wanted.append(_name_contains(normalise(filters.name)))
    for column, value in (
        (records.c.business_type, filters.business_type),
        (records.c.class_code, filters.class_code),
        (records.c.unit_id, filters.unit_id),
        (record_states.c.status, filters.status),
        (records.c.batch_id, filters.batch_id),
    ):
        if value:
            wanted.append(column == value)
    if filters.occurred_from:
        wanted.append(records.c.occurred_date >= filters.occurred_from)
    if filters.occurred_until:
        wanted.append(records.c.occurred_date <= filters.occurred_until)
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


def _name_contains(name: str) -> ColumnElement[bool]:
    if len(name) == 2:  # one character alone is so common that walking the newest records finds a page soonest
        return func.slipvault_grams(records.c.customer_name, type_=ARRAY(Text)).contains(cast([name], ARRAY(Text)))
    return records.c.customer_name.like(f"%{_like_literal(name)}%")


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
