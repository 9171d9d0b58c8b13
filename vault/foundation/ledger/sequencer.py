"""The sequencer gives committed entries consecutive indexes and signs what they make.

Writers never wait for each other: they insert entries without a number. One sequencer at a time, by advisory lock,
takes what has been committed, numbers it, integrates it into the tiles and signs a checkpoint, all in one
transaction: a crash at any line leaves either the old checkpoint or the new one.
"""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import Connection, select, text
from sqlalchemy.dialects.postgresql import insert

from vault.foundation.db.engine import Database
from vault.foundation.ledger.checkpoint import Checkpoint, Sign, origin_of, signed_note
from vault.foundation.ledger.entry import SYSTEM, leaf_hash
from vault.foundation.ledger.merkle import fold, join, perfect_parts
from vault.foundation.ledger.tables import (
    ledger_checkpoints,
    ledger_entries,
    ledger_leaves,
    ledger_pending,
    ledger_tiles,
)
from vault.foundation.ledger.tiles import WIDTH, split

BATCH_MAX = 4096
_SEQUENCER_LOCK = 0x736C6970_73657175


@dataclass(frozen=True)
class Sequenced:
    """What one round did: how many entries it numbered, and the tree's size after it."""

    entries: int
    size: int


def sequence(database: Database, public_key: bytes, sign: Sign) -> Sequenced | None:
    """One round; None when another sequencer is at work. Call again while it numbers `BATCH_MAX` entries."""
    with database.transaction(SYSTEM) as tx:
        connection = tx.connection
        if not connection.execute(text("SELECT pg_try_advisory_xact_lock(:k)"), {"k": _SEQUENCER_LOCK}).scalar_one():
            return None
        size = tree_size(connection)
        rows = _pending(connection)
        if not rows:
            return Sequenced(0, size)
        leaves = [leaf_hash(body) for _, body in rows]
        connection.execute(
            ledger_leaves.insert(),
            [
                {"leaf_index": size + place, "entry_id": entry_id, "leaf_hash": leaf}
                for place, ((entry_id, _), leaf) in enumerate(zip(rows, leaves, strict=True))
            ],
        )
        edge = _Edge.read(connection, size)
        edge.append(leaves)
        edge.write(connection)
        checkpoint = Checkpoint(origin_of(public_key), edge.size, edge.root())
        connection.execute(
            ledger_checkpoints.insert(),
            {
                "size": checkpoint.size,
                "root": checkpoint.root,
                "note": signed_note(checkpoint, public_key, sign),
                "at": tx.clock.now(),
            },
        )
        connection.execute(ledger_pending.delete().where(ledger_pending.c.entry_id.in_([i for i, _ in rows])))
        tx.commit()
        return Sequenced(len(rows), edge.size)


def tree_size(connection: Connection) -> int:
    """How many entries have an index."""
    last = connection.execute(
        select(ledger_leaves.c.leaf_index).order_by(ledger_leaves.c.leaf_index.desc()).limit(1)
    ).scalar_one_or_none()
    return 0 if last is None else last + 1


def _pending(connection: Connection) -> list[tuple[UUID, bytes]]:
    rows = connection.execute(
        select(ledger_entries.c.id, ledger_entries.c.body)
        .join(ledger_pending, ledger_pending.c.entry_id == ledger_entries.c.id)
        .order_by(ledger_entries.c.id)
        .limit(BATCH_MAX)
    )
    return [(row.id, bytes(row.body)) for row in rows]


class _Edge:
    """The right edge of the tree: at each level the tile that is not full yet."""

    def __init__(self, size: int, levels: list[list[bytes]]) -> None:
        self.size = size
        self._levels = levels
        self._changed: dict[tuple[int, int], list[bytes]] = {}

    @staticmethod
    def read(connection: Connection, size: int) -> _Edge:
        levels: list[list[bytes]] = []
        count = size
        while count:
            index, width = divmod(count, WIDTH)
            hashes: list[bytes] = []
            if width:
                row = connection.execute(
                    select(ledger_tiles.c.hashes).where(
                        ledger_tiles.c.level == len(levels), ledger_tiles.c.tile_index == index
                    )
                ).scalar_one()
                hashes = split(bytes(row))[:width]
            levels.append(hashes)
            count = index
        return _Edge(size, levels)

    def append(self, leaves: list[bytes]) -> None:
        for leaf in leaves:
            self._append(0, leaf)
            self.size += 1

    def _append(self, level: int, entry: bytes) -> None:
        if level == len(self._levels):
            self._levels.append([])
        hashes = self._levels[level]
        index = self.size >> 8 * (level + 1)
        hashes.append(entry)
        self._changed[level, index] = hashes
        if len(hashes) == WIDTH:
            self._levels[level] = []
            self._append(level + 1, fold(hashes))

    def write(self, connection: Connection) -> None:
        rows = [
            {"level": level, "tile_index": index, "width": len(hashes), "hashes": b"".join(hashes)}
            for (level, index), hashes in self._changed.items()
        ]
        statement = insert(ledger_tiles)
        connection.execute(
            statement.on_conflict_do_update(
                constraint=ledger_tiles.primary_key,
                set_={"width": statement.excluded.width, "hashes": statement.excluded.hashes},
            ),
            rows,
        )

    def root(self) -> bytes:
        parts: list[bytes] = []
        for hashes in reversed(self._levels):
            parts += [fold(hashes[start : start + length]) for start, length in perfect_parts(len(hashes))]
        return join(parts)
