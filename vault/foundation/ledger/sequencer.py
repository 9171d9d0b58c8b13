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
from vault.foundation.ledger.checkpoint import BadCheckpoint, Checkpoint, Sign, open_note, origin_of, signed_note
from vault.foundation.ledger.entry import SYSTEM, is_own, leaf_hash
from vault.foundation.ledger.errors import LedgerDamaged
from vault.foundation.ledger.growing import GrowingTree
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
    """What one round did: how many entries it numbered, the tree's size after it, and how many were not our own."""

    entries: int
    size: int
    forged: int = 0


def sequence(database: Database, public_key: bytes, sign: Sign) -> Sequenced | None:
    """One round; None when another sequencer is at work. Call again while it numbers `BATCH_MAX` entries.

    Raises:
        LedgerDamaged: what is in the tables does not continue what was signed; nothing more is signed until it does.
    """
    secret = database.witness_secret
    with database.transaction(SYSTEM) as tx:
        connection = tx.connection
        if not connection.execute(text("SELECT pg_try_advisory_xact_lock(:k)"), {"k": _SEQUENCER_LOCK}).scalar_one():
            return None
        size = tree_size(connection)
        rows, forged = _own_pending(connection, secret)
        if not rows:
            return Sequenced(0, size, forged)
        leaves = [leaf_hash(body) for _, body in rows]
        connection.execute(
            ledger_leaves.insert(),
            [
                {"leaf_index": size + place, "entry_id": entry_id, "leaf_hash": leaf}
                for place, ((entry_id, _), leaf) in enumerate(zip(rows, leaves, strict=True))
            ],
        )
        edge = _read_edge(connection, size)
        _require_continuation(connection, edge, public_key)
        for leaf in leaves:
            edge.append(leaf)
        _write_tiles(connection, edge)
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
        return Sequenced(len(rows), edge.size, forged)


def tree_size(connection: Connection) -> int:
    """How many entries have an index."""
    last = connection.execute(
        select(ledger_leaves.c.leaf_index).order_by(ledger_leaves.c.leaf_index.desc()).limit(1)
    ).scalar_one_or_none()
    return 0 if last is None else last + 1


def _own_pending(connection: Connection, secret: bytes) -> tuple[list[tuple[UUID, bytes]], int]:
    """What waits for an index, at most `BATCH_MAX`, and how many were passed over because they are not our own.

    What somebody else put there gets no number and no signature, and holds up nobody: it stays for verification to name.
    """
    query = (
        select(ledger_entries.c.id, ledger_entries.c.body, ledger_entries.c.mark)
        .join(ledger_pending, ledger_pending.c.entry_id == ledger_entries.c.id)
        .order_by(ledger_entries.c.id)
        .limit(BATCH_MAX)
    )
    own: list[tuple[UUID, bytes]] = []
    forged = 0
    page = connection.execute(query).all()
    while page:
        for row in page:
            if is_own(secret, row.body, row.mark):
                own.append((row.id, bytes(row.body)))
            else:
                forged += 1
        if len(own) >= BATCH_MAX or len(page) < BATCH_MAX:
            break
        page = connection.execute(query.where(ledger_entries.c.id > page[-1].id)).all()
    return own[:BATCH_MAX], forged


def _read_edge(connection: Connection, size: int) -> GrowingTree:
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
            ).scalar_one_or_none()
            if row is None:
                raise LedgerDamaged(size=size, problem=f"tile {len(levels)}/{index} is missing")
            hashes = split(bytes(row))[:width]
        levels.append(hashes)
        count = index
    return GrowingTree(size, levels)


def _require_continuation(connection: Connection, edge: GrowingTree, public_key: bytes) -> None:
    """Nothing is signed that does not continue what was signed before: the edge makes the newest checkpoint's root."""
    note = connection.execute(
        select(ledger_checkpoints.c.note).order_by(ledger_checkpoints.c.size.desc()).limit(1)
    ).scalar_one_or_none()
    if note is None and edge.size == 0:
        return
    try:
        checkpoint = open_note(note or "", public_key)
    except BadCheckpoint as error:
        raise LedgerDamaged(size=edge.size, problem=str(error)) from error
    if (checkpoint.size, checkpoint.root) != (edge.size, edge.root()):
        raise LedgerDamaged(size=edge.size, problem="its tiles do not make the root that was signed")


def _write_tiles(connection: Connection, tree: GrowingTree) -> None:
    rows = [
        {"level": level, "tile_index": index, "width": len(hashes), "hashes": b"".join(hashes)}
        for (level, index), hashes in tree.changed.items()
    ]
    statement = insert(ledger_tiles)
    connection.execute(
        statement.on_conflict_do_update(
            constraint=ledger_tiles.primary_key,
            set_={"width": statement.excluded.width, "hashes": statement.excluded.hashes},
        ),
        rows,
    )
