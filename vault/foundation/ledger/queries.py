"""Reading the ledger: timelines, lists, and proofs that others can check."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, Select, func, select

from vault.foundation.db import keyset
from vault.foundation.db.keyset import COUNT_MAX, EVERYTHING, FIRST, Page, Picked, Span
from vault.foundation.ids import first_id_at
from vault.foundation.ledger.checkpoint import PROOF_KIND
from vault.foundation.ledger.errors import LedgerDamaged
from vault.foundation.ledger.merkle import inclusion_proof
from vault.foundation.ledger.signed import newest_signed
from vault.foundation.ledger.tables import (
    ledger_entries,
    ledger_leaves,
    ledger_pending,
    ledger_publications,
    ledger_tiles,
    ledger_timestamps,
)
from vault.foundation.ledger.tiles import WIDTH, subtree_reader

PAGE_SIZE_MAX = 500
# An id and its entry's instant are taken in one transaction of one process.
_APART_MAX = timedelta(days=1)


@dataclass(frozen=True)
class EntryLine:
    """An entry as lists show it; no index until the sequencer has taken it."""

    id: UUID
    at: datetime
    event: str
    actor_kind: str
    actor_id: UUID | None
    subject_type: str
    subject_id: UUID
    context_id: UUID | None
    leaf_index: int | None


@dataclass(frozen=True)
class ProvenEntry:
    """An entry with its bytes and, when a checkpoint covers it, the path to that checkpoint's root."""

    line: EntryLine
    body: bytes
    leaf_hash: bytes | None
    checkpoint_size: int | None
    checkpoint_note: str | None
    proof: tuple[bytes, ...]

    def to_tlog_proof(self) -> str | None:
        """The proof in C2SP tlog-proof form; None before a checkpoint covers the entry."""
        if self.checkpoint_note is None:
            return None
        path = "".join(base64.b64encode(step).decode() + "\n" for step in self.proof)
        return f"{PROOF_KIND}\nindex {self.line.leaf_index}\n{path}\n{self.checkpoint_note}"


@dataclass(frozen=True)
class LatestCheckpoint:
    """The newest checkpoint, with where and when it was published and time-stamped."""

    size: int
    root: bytes
    note: str
    at: datetime
    publications: tuple[tuple[str, datetime], ...]
    timestamps: tuple[tuple[int, str, datetime], ...]


_COLUMNS = (
    ledger_entries.c.id,
    ledger_entries.c.at,
    ledger_entries.c.event,
    ledger_entries.c.actor_kind,
    ledger_entries.c.actor_id,
    ledger_entries.c.subject_type,
    ledger_entries.c.subject_id,
    ledger_entries.c.context_id,
    ledger_leaves.c.leaf_index,
)


def entries_of_subject(connection: Connection, subject_id: UUID, size: int = 200) -> tuple[EntryLine, ...]:
    """The newest entries about one object, oldest first."""
    query = _lines().where(ledger_entries.c.subject_id == subject_id).order_by(ledger_entries.c.id.desc())
    return tuple(EntryLine(**row._mapping) for row in connection.execute(query.limit(size)))[::-1]


@dataclass(frozen=True)
class EntryFilters:
    """Which entries; all given conditions must hold. `at_before` excludes its instant; `actor_ids` are alternatives."""

    event: str | None = None
    actor_kind: str | None = None
    actor_ids: tuple[UUID, ...] | None = None
    subject_type: str | None = None
    subject_id: UUID | None = None
    at_from: datetime | None = None
    at_before: datetime | None = None


def find_entries(
    connection: Connection, filters: EntryFilters, span: Span = FIRST, *, picked: Picked = EVERYTHING
) -> Page[EntryLine]:
    """One page of the entries, newest first."""
    query = _lines().where(*_conditions(filters), *picked.conditions(ledger_entries.c.id))
    return keyset.cut(
        connection, query, ledger_entries.c.id, span, lambda rows: [EntryLine(**row._mapping) for row in rows]
    )


def count_entries(
    connection: Connection,
    filters: EntryFilters,
    *,
    picked: Picked = EVERYTHING,
    at_most: int | None = COUNT_MAX,
) -> int:
    """How many entries there are, at most `at_most` + 1 (which means "more")."""
    query = select(ledger_entries.c.id).where(*_conditions(filters), *picked.conditions(ledger_entries.c.id))
    return keyset.count(connection, query, at_most)


def _conditions(filters: EntryFilters) -> list[ColumnElement[bool]]:
    wanted: list[ColumnElement[bool]] = []
    for column, value in (
        (ledger_entries.c.event, filters.event),
        (ledger_entries.c.actor_kind, filters.actor_kind),
        (ledger_entries.c.subject_type, filters.subject_type),
        (ledger_entries.c.subject_id, filters.subject_id),
    ):
        if value is not None:
            wanted.append(column == value)
    if filters.actor_ids is not None:
        wanted.append(ledger_entries.c.actor_id.in_(filters.actor_ids))
    # The ids rise with time: bounds on the key keep the walk along it short, the instants decide.
    key, at = ledger_entries.c.id, ledger_entries.c.at
    if filters.at_from is not None:
        wanted += [at >= filters.at_from, key >= first_id_at(filters.at_from - _APART_MAX)]
    if filters.at_before is not None:
        wanted += [at < filters.at_before, key < first_id_at(filters.at_before + _APART_MAX)]
    return wanted


def proven_entry(connection: Connection, entry_id: UUID, public_key: bytes) -> ProvenEntry | None:
    """One entry with its inclusion proof under the newest checkpoint that the key signed.

    Raises:
        LedgerDamaged: the tiles do not hold the path that a checkpoint of this size has.
    """
    row = connection.execute(
        select(*_COLUMNS, ledger_entries.c.body, ledger_leaves.c.leaf_hash)
        .join(ledger_leaves, ledger_leaves.c.entry_id == ledger_entries.c.id, isouter=True)
        .where(ledger_entries.c.id == entry_id)
    ).one_or_none()
    if row is None:
        return None
    line = EntryLine(**{column.name: row._mapping[column] for column in _COLUMNS})
    newest = newest_signed(connection, public_key)
    if line.leaf_index is None or newest is None or newest.size <= line.leaf_index:
        return ProvenEntry(line, bytes(row.body), None, None, None, ())
    try:
        proof = inclusion_proof(line.leaf_index, newest.size, subtree_reader(tile_reader(connection)))
    except ValueError as error:
        raise LedgerDamaged(size=newest.size, problem=str(error)) from error
    return ProvenEntry(line, bytes(row.body), bytes(row.leaf_hash), newest.size, newest.note, tuple(proof))


def latest_checkpoint(connection: Connection, public_key: bytes) -> LatestCheckpoint | None:
    """The newest checkpoint that the key signed; what rows say of larger ones counts for nothing."""
    row = newest_signed(connection, public_key)
    if row is None:
        return None
    publications = connection.execute(
        select(ledger_publications.c.store, func.max(ledger_publications.c.at).label("at"))
        .where(ledger_publications.c.size <= row.size)
        .group_by(ledger_publications.c.store)
    )
    timestamps = connection.execute(
        select(ledger_timestamps.c.size, ledger_timestamps.c.authority, ledger_timestamps.c.at)
        .where(ledger_timestamps.c.size <= row.size)
        .order_by(ledger_timestamps.c.size.desc())
        .limit(1)
    )
    return LatestCheckpoint(
        row.size,
        bytes(row.root),
        row.note,
        row.at,
        tuple((p.store, p.at) for p in publications),
        tuple((t.size, t.authority, t.at) for t in timestamps),
    )


@dataclass(frozen=True)
class ToldEntry:
    """An entry with its details, for an object's story."""

    line: EntryLine
    details: dict[str, Any]


def story_of(connection: Connection, subject_id: UUID, size: int = 50) -> tuple[ToldEntry, ...]:
    """The newest entries about one object with their details, newest first."""
    query = (
        select(*_COLUMNS, ledger_entries.c.body)
        .join(ledger_leaves, ledger_leaves.c.entry_id == ledger_entries.c.id, isouter=True)
        .where(ledger_entries.c.subject_id == subject_id)
        .order_by(ledger_entries.c.id.desc())
        .limit(size)
    )
    return tuple(
        ToldEntry(
            EntryLine(**{column.name: row._mapping[column] for column in _COLUMNS}),
            json.loads(bytes(row.body))["details"],
        )
        for row in connection.execute(query)
    )


@dataclass(frozen=True)
class CountedEvent:
    """How often one actor did the same within a context, first and last."""

    event: str
    actor_kind: str
    actor_id: UUID | None
    count: int
    first_at: datetime
    last_at: datetime


def events_within(connection: Connection, context_id: UUID) -> tuple[CountedEvent, ...]:
    """What happened within a context (a batch, a station), counted by event and actor, the newest first."""
    last_at = func.max(ledger_entries.c.at).label("last_at")
    query = (
        select(
            ledger_entries.c.event,
            ledger_entries.c.actor_kind,
            ledger_entries.c.actor_id,
            func.count().label("count"),
            func.min(ledger_entries.c.at).label("first_at"),
            last_at,
        )
        .where(ledger_entries.c.context_id == context_id)
        .group_by(ledger_entries.c.event, ledger_entries.c.actor_kind, ledger_entries.c.actor_id)
        .order_by(last_at.desc())
    )
    return tuple(CountedEvent(**row._mapping) for row in connection.execute(query))


def count_since(connection: Connection, event: str, since: datetime) -> int:
    """How often an event happened since then."""
    query = select(func.count()).where(ledger_entries.c.event == event, ledger_entries.c.at >= since)
    return connection.execute(query.select_from(ledger_entries)).scalar_one()


def pending_count(connection: Connection) -> int:
    """How many entries wait for the sequencer."""
    return connection.execute(select(func.count()).select_from(ledger_pending)).scalar_one()


def tile_reader(connection: Connection) -> Any:
    """Reads tiles from the database, each once. Raises LedgerDamaged where one is missing."""
    held: dict[tuple[int, int], bytes] = {}

    def read(level: int, index: int) -> bytes:
        if (level, index) not in held:
            row = connection.execute(
                select(ledger_tiles.c.hashes).where(ledger_tiles.c.level == level, ledger_tiles.c.tile_index == index)
            ).scalar_one_or_none()
            if row is None:
                raise LedgerDamaged(size=index * WIDTH ** (level + 1), problem=f"tile {level}/{index} is missing")
            held[level, index] = bytes(row)
        return held[level, index]

    return read


def _lines() -> Select[Any]:
    return select(*_COLUMNS).join(ledger_leaves, ledger_leaves.c.entry_id == ledger_entries.c.id, isouter=True)
