"""Publishing the ledger outside the database: tiles, bundles and checkpoints in a store, locked, and time stamps.

Every object is written once: a partial tile carries its width in its name and a checkpoint its size, so the store's
lock fits. What is published can be neither altered nor removed without a proof of it (invariant L2).
"""

from __future__ import annotations

import hashlib
from datetime import timedelta

from sqlalchemy import Connection, select

from vault.foundation.db.engine import Database
from vault.foundation.ledger.entry import SYSTEM
from vault.foundation.ledger.queries import published_size, tile_reader
from vault.foundation.ledger.tables import (
    ledger_checkpoints,
    ledger_entries,
    ledger_leaves,
    ledger_publications,
    ledger_timestamps,
)
from vault.foundation.ledger.tiles import HASH_BYTES, WIDTH, bundles_of, encode_bundle, tile_name, tiles_of
from vault.foundation.ledger.timestamp import TimestampAuthority
from vault.foundation.storage.interface import Content, Lock, LockMode, Store

PREFIX = "ledger/"
LOCK_LASTS = timedelta(days=30)


def publish(database: Database, store: Store, *, lock_mode: LockMode = LockMode.GOVERNANCE) -> int | None:
    """Puts everything up to the newest checkpoint into the store; None when it is there already.

    Returns the size published. Full tiles that an earlier publication stored are not written again.
    """
    with database.read() as connection:
        checkpoint = connection.execute(
            select(ledger_checkpoints).order_by(ledger_checkpoints.c.size.desc()).limit(1)
        ).one_or_none()
        done = published_size(connection, store.name)
        if checkpoint is None or checkpoint.size <= done:
            return None
        now = database.clock.now()
        lock = Lock(lock_mode, now + LOCK_LASTS)

        def put(name: str, data: bytes) -> None:
            store.put_new(PREFIX + name, Content.from_bytes(data, hashlib.sha256(data).digest()), lock)

        read = tile_reader(connection)
        for level, index, width in tiles_of(checkpoint.size):
            if width < WIDTH or index >= (done >> 8 * (level + 1)):
                put(tile_name(level, index, width), read(level, index)[: width * HASH_BYTES])
        for index, width in bundles_of(checkpoint.size):
            if width < WIDTH or index >= done // WIDTH:
                put(tile_name("entries", index, width), encode_bundle(bodies(connection, index, width)))
        put(f"checkpoints/{checkpoint.size:020d}", checkpoint.note.encode())
    with database.transaction(SYSTEM) as tx:
        tx.connection.execute(ledger_publications.insert(), {"size": checkpoint.size, "store": store.name, "at": now})
        tx.commit()
    return int(checkpoint.size)


def stamp(database: Database, authority: TimestampAuthority) -> int | None:
    """Has the newest checkpoint time-stamped; None when it has a stamp. Returns its size.

    Raises:
        TimestampFailed: the authority did not answer, or its token is not one of this checkpoint.
    """
    with database.read() as connection:
        checkpoint = connection.execute(
            select(ledger_checkpoints).order_by(ledger_checkpoints.c.size.desc()).limit(1)
        ).one_or_none()
        if checkpoint is None:
            return None
        known = connection.execute(
            select(ledger_timestamps.c.size).where(
                ledger_timestamps.c.size == checkpoint.size, ledger_timestamps.c.authority == authority.name
            )
        ).one_or_none()
        if known is not None:
            return None
    token = authority.stamp(checkpoint.note.encode())
    with database.transaction(SYSTEM) as tx:
        tx.connection.execute(
            ledger_timestamps.insert(),
            {"size": checkpoint.size, "authority": authority.name, "token": token, "at": tx.clock.now()},
        )
        tx.commit()
    return int(checkpoint.size)


def bodies(connection: Connection, bundle: int, width: int = WIDTH) -> list[bytes]:
    """The entries of one bundle, in order."""
    first = bundle * WIDTH
    rows = connection.execute(
        select(ledger_entries.c.body)
        .join(ledger_leaves, ledger_leaves.c.entry_id == ledger_entries.c.id)
        .where(ledger_leaves.c.leaf_index >= first, ledger_leaves.c.leaf_index < first + width)
        .order_by(ledger_leaves.c.leaf_index)
    )
    return [bytes(row.body) for row in rows]
