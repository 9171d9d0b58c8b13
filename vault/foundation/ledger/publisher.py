"""Publishing the ledger outside the database: tiles, bundles and checkpoints in a store, locked, and time stamps.

Every object is written once: a partial tile carries its width in its name and a checkpoint its size, so the store's
lock fits. What is published can be neither altered nor removed without a proof of it (invariant L2).
"""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Iterator
from datetime import timedelta
from uuid import UUID

from sqlalchemy import Connection, select

from vault.foundation.db.engine import Database
from vault.foundation.ids import derived_id
from vault.foundation.ledger.entry import SYSTEM, leaf_hash
from vault.foundation.ledger.errors import LedgerDamaged
from vault.foundation.ledger.queries import tile_reader
from vault.foundation.ledger.signed import newest_signed, published_size
from vault.foundation.ledger.tables import (
    ledger_checkpoints,
    ledger_entries,
    ledger_leaves,
    ledger_publications,
    ledger_timestamps,
)
from vault.foundation.ledger.tiles import HASH_BYTES, WIDTH, bundles_of, encode_bundle, tile_name, tiles_of
from vault.foundation.ledger.timestamp import TimestampAuthority
from vault.foundation.storage.errors import ObjectNotFound, StoreLied
from vault.foundation.storage.interface import Content, Lock, LockMode, Store

PREFIX = "ledger/"
LOCK_LASTS = timedelta(days=30)
FULL_LOCK_LASTS = timedelta(days=400)  # what is full stays as it is for ever
EVENT_RENEWED = "ledger:locks:renew"
_STORE_NAMESPACE = UUID("6ba7b811-9dad-11d1-80b4-00c04fd430c8")  # RFC 9562 section 6.6: URL names


def publish(
    database: Database, store: Store, public_key: bytes, *, lock_mode: LockMode = LockMode.GOVERNANCE
) -> int | None:
    """Puts everything up to the newest signed checkpoint into the store; None when it is there already.

    Returns the size published. Full tiles that an earlier publication stored are not written again.

    Raises:
        LedgerDamaged: an entry that would be published is gone or another; what was published before stays the evidence.
    """
    with database.read() as connection:
        checkpoint = newest_signed(connection, public_key)
        done = published_size(connection, store.name, public_key)
        if checkpoint is None or checkpoint.size <= done:
            return None
        _require_whole(connection, checkpoint.size, done)
        now = database.clock.now()
        for name, data in published_parts(connection, checkpoint.size, done):
            lock = Lock(lock_mode, now + lock_lasts(name))
            store.put_new(PREFIX + name, Content.from_bytes(data, hashlib.sha256(data).digest()), lock)
    with database.transaction(SYSTEM) as tx:
        tx.connection.execute(ledger_publications.insert(), {"size": checkpoint.size, "store": store.name, "at": now})
        tx.commit()
    return int(checkpoint.size)


def published_parts(connection: Connection, size: int, done: int = 0) -> Iterator[tuple[str, bytes]]:
    """Names and bytes of what makes a publication of `size` entries, the checkpoint last.

    Full tiles and bundles within the first `done` entries are left out.
    """
    read = tile_reader(connection)
    for level, index, width in tiles_of(size):
        if width < WIDTH or index >= (done >> 8 * (level + 1)):
            yield tile_name(level, index, width), read(level, index)[: width * HASH_BYTES]
    for index, width in bundles_of(size):
        if width < WIDTH or index >= done // WIDTH:
            yield tile_name("entries", index, width), encode_bundle(bodies(connection, index, width))
    note = connection.execute(select(ledger_checkpoints.c.note).where(ledger_checkpoints.c.size == size)).scalar_one()
    yield checkpoint_name(size), note.encode()


def names_of(size: int) -> Iterator[str]:
    """The names of what makes a publication of `size` entries."""
    yield from (tile_name(*tile) for tile in tiles_of(size))
    yield from (tile_name("entries", *bundle) for bundle in bundles_of(size))
    yield checkpoint_name(size)


def checkpoint_name(size: int) -> str:
    """The name under which the checkpoint over `size` entries is published."""
    return f"checkpoints/{size:020d}"


def lock_lasts(name: str) -> timedelta:
    """How long a part is locked at a time: partial tiles and checkpoints are soon replaced by later ones."""
    return LOCK_LASTS if ".p/" in name or name.startswith("checkpoints/") else FULL_LOCK_LASTS


def renew_locks(database: Database, store: Store, public_key: bytes) -> int:
    """Extends the locks of what the newest publication and the time stamps rest on, once half of their time is over.

    Returns how many were extended. Leaves `ledger:locks:renew` when any.
    """
    now, renewed = database.clock.now(), 0
    with database.read() as connection:
        size = published_size(connection, store.name, public_key)
        stamped = connection.execute(select(ledger_timestamps.c.size).distinct()).scalars().all()
    for name in itertools.chain(names_of(size), map(checkpoint_name, stamped)):
        try:
            info = store.head(PREFIX + name)
        except (ObjectNotFound, StoreLied):  # verification names it
            continue
        lasts = lock_lasts(name)
        if info.lock.until is None or info.lock.until - now < lasts / 2:
            wanted = Lock(LockMode.GOVERNANCE, now + lasts)
            store.set_retention(info.key, info.version_id, info.lock.joined(wanted))
            renewed += 1
    if renewed:
        with database.transaction(SYSTEM) as tx:
            tx.witness(EVENT_RENEWED, "store", derived_id(_STORE_NAMESPACE, store.name), objects=renewed)
            tx.commit()
    return renewed


def stamp(database: Database, authority: TimestampAuthority, public_key: bytes) -> int | None:
    """Has the newest checkpoint that the key signed time-stamped; None when it has a stamp. Returns its size.

    Raises:
        TimestampFailed: the authority did not answer, or its token is not one of this checkpoint.
    """
    with database.read() as connection:
        checkpoint = newest_signed(connection, public_key)
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


def _require_whole(connection: Connection, size: int, done: int) -> None:
    """Whether each entry that is not in a full bundle of an earlier publication is the one that was numbered."""
    for index, width in bundles_of(size):
        if width == WIDTH and index < done // WIDTH:
            continue
        rows = connection.execute(
            select(ledger_leaves.c.leaf_index, ledger_leaves.c.leaf_hash, ledger_entries.c.body)
            .join(ledger_entries, ledger_entries.c.id == ledger_leaves.c.entry_id, isouter=True)
            .where(ledger_leaves.c.leaf_index >= index * WIDTH, ledger_leaves.c.leaf_index < index * WIDTH + width)
        ).all()
        wrong = [row.leaf_index for row in rows if row.body is None or leaf_hash(bytes(row.body)) != row.leaf_hash]
        if wrong or len(rows) != width:
            raise LedgerDamaged(size=size, problem=f"entries are gone or altered: {sorted(wrong)[:8]}")


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
