"""Lists of matters: with what is held under each, and by name alone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, Row, func, or_, select

from vault.access.model import Viewer
from vault.foundation.db import keyset
from vault.foundation.db.keyset import COUNT_MAX, EVERYTHING, FIRST, Page, Picked, Span
from vault.holds.model import Matter
from vault.holds.queries import being_released, matter_of
from vault.holds.sight import holds_seen, matters_seen, records_seen
from vault.holds.tables import held_records, hold_tasks, holds, matters


@dataclass(frozen=True)
class MatterFilters:
    """Which matters; all given conditions must be true. `text` is part of their number, document, authority or title."""

    is_open: bool | None = None
    text: str | None = None


@dataclass(frozen=True)
class MatterLine:
    """A matter as a line of a list: how many holds are in force under it, and how many records they keep.

    Each record counts once, under however many holds; of holds and records only those count that the viewer may see.
    """

    matter: Matter
    holds: int
    records: int
    waiting: int
    is_release_proposed: bool

    @property
    def id(self) -> UUID:
        """The matter's."""
        return self.matter.id


def find_matters(
    connection: Connection, viewer: Viewer, filters: MatterFilters, span: Span = FIRST, picked: Picked = EVERYTHING
) -> Page[MatterLine]:
    """One page of the matters that the viewer may see, newest first."""
    query = select(matters).where(*_conditions(viewer, filters), *picked.conditions(matters.c.id))
    return keyset.cut(connection, query, matters.c.id, span, lambda rows: _lines(connection, viewer, rows))


def count_matters(
    connection: Connection,
    viewer: Viewer,
    filters: MatterFilters,
    picked: Picked = EVERYTHING,
    at_most: int | None = COUNT_MAX,
) -> int:
    """How many there are, at most `at_most` + 1."""
    query = select(matters.c.id).where(*_conditions(viewer, filters), *picked.conditions(matters.c.id))
    return keyset.count(connection, query, at_most)


def is_opened(connection: Connection, viewer: Viewer, client_key: str) -> bool:
    """Whether the viewer opened a matter under this key before."""
    query = select(matters.c.id).where(matters.c.opened_by == viewer.id, matters.c.client_key == client_key)
    return connection.execute(query).first() is not None


@dataclass(frozen=True)
class MatterName:
    """A matter as one chooses it."""

    id: UUID
    number: str
    title: str


def open_matters(
    connection: Connection, viewer: Viewer, size: int, asked: UUID | None = None
) -> tuple[tuple[MatterName, ...], bool]:
    """The newest `size` open matters that the viewer may see and the one asked for; and whether there are more."""
    query = select(matters).where(*_conditions(viewer, MatterFilters(is_open=True)))
    rows = list(connection.execute(query.order_by(matters.c.id.desc()).limit(size + 1)))
    is_cut, rows = len(rows) > size, rows[:size]
    if asked is not None and asked not in {row.id for row in rows}:
        rows += connection.execute(query.where(matters.c.id == asked))
    return tuple(MatterName(row.id, row.number, row.title) for row in rows), is_cut


def _conditions(viewer: Viewer, filters: MatterFilters) -> list[ColumnElement[bool]]:
    wanted = matters_seen(viewer)
    if filters.is_open is not None:
        wanted.append(matters.c.closed_at.is_(None) if filters.is_open else matters.c.closed_at.is_not(None))
    if filters.text:
        texts = (matters.c.number, matters.c.document_number, matters.c.authority_name, matters.c.title)
        wanted.append(or_(*(column.icontains(filters.text, autoescape=True) for column in texts)))
    return wanted


def _lines(connection: Connection, viewer: Viewer, rows: Sequence[Row[Any]]) -> list[MatterLine]:
    """Rows of matters as lines of a list."""
    in_force = connection.execute(
        select(holds).where(
            holds.c.matter_id.in_([row.id for row in rows]), holds.c.released_at.is_(None), *holds_seen(viewer)
        )
    ).all()
    counts = Counter(hold.matter_id for hold in in_force)
    proposed = being_released(connection, in_force)
    held = _count_records(connection, viewer, [row.id for row in rows], is_waiting=False)
    waiting = _count_records(connection, viewer, [row.id for row in rows], is_waiting=True)
    return [
        MatterLine(
            matter=matter_of(row),
            holds=counts[row.id],
            records=held.get(row.id, 0),
            waiting=waiting.get(row.id, 0),
            is_release_proposed=any(hold.matter_id == row.id and hold.id in proposed for hold in in_force),
        )
        for row in rows
    ]


def _count_records(
    connection: Connection, viewer: Viewer, matter_ids: list[UUID], *, is_waiting: bool
) -> dict[UUID, int]:
    """By matter, each record once: those held now, or those whose stores are to be told, of holds released too."""
    query = (
        select(holds.c.matter_id, func.count(held_records.c.record_id.distinct()))
        .join(held_records, held_records.c.hold_id == holds.c.id)
        .where(holds.c.matter_id.in_(matter_ids), *records_seen(viewer))
        .group_by(holds.c.matter_id)
    )
    if is_waiting:
        query = query.join(hold_tasks, hold_tasks.c.record_id == held_records.c.record_id)
    else:
        query = query.where(holds.c.released_at.is_(None))
    return {row[0]: row[1] for row in connection.execute(query)}
