"""What was published of the ledger held against the tables: whoever rolls the database back cannot roll back the store."""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Iterator
from datetime import datetime, timedelta

from sqlalchemy import func, select

from vault.foundation.db.engine import Database
from vault.foundation.errors import VaultError
from vault.foundation.ledger.checkpoint import BadCheckpoint, open_note
from vault.foundation.ledger.database_check import TableFinding
from vault.foundation.ledger.publisher import PREFIX, checkpoint_name, names_of
from vault.foundation.ledger.queries import published_size
from vault.foundation.ledger.tables import ledger_checkpoints
from vault.foundation.ledger.verify import Read, verify_files
from vault.foundation.storage.interface import ObjectInfo, Store

LOCK_LEFT_MIN = timedelta(days=7)  # renewal keeps at least twice as much
BEHIND_AFTER = timedelta(hours=1)
_PAGE = 500
_CHECKPOINTS = f"{PREFIX}checkpoints/"


def check_published(database: Database, store: Store, public_key: bytes) -> list[TableFinding]:
    """Every published checkpoint against the table; what the newest rests on by itself, as an export; and its locks.

    Tiles and bundles that a later publication replaced by wider ones are of no further use and not looked at.
    """
    now = database.clock.now()
    with database.read() as connection:
        size = published_size(connection, store.name)
        waiting = connection.execute(
            select(ledger_checkpoints.c.size, ledger_checkpoints.c.at)
            .where(ledger_checkpoints.c.size > size)
            .order_by(ledger_checkpoints.c.size)
            .limit(1)
        ).one_or_none()
    findings = list(_checkpoints(database, store, public_key))
    if size:
        verdict = verify_files(_reader(store, size), public_key)
        findings += [
            TableFinding(f"published-{found.code}", found.subject, f"in the store: {found.sentence}")
            for found in verdict.findings
        ]
        findings += _locks(store, size, now)
    if waiting is not None and now - waiting.at > BEHIND_AFTER:
        where = str(waiting.size)
        findings.append(TableFinding("publication-behind", where, f"checkpoint {where} was never published"))
    return findings


def _reader(store: Store, size: int) -> Read:
    def read(name: str) -> bytes:
        key = PREFIX + (checkpoint_name(size) if name == "checkpoint" else name)
        try:
            with store.open(key) as stream:
                return stream.read()
        except VaultError as error:
            raise OSError(error.code) from error

    return read


def _locks(store: Store, size: int, now: datetime) -> Iterator[TableFinding]:
    for name in names_of(size):
        try:
            until = store.head(PREFIX + name).lock.until
        except VaultError:  # named as missing already
            continue
        if until is None or until - now < LOCK_LEFT_MIN:
            yield TableFinding(
                "published-lock-short", name, f"the lock of {name} in the store ends soon or has ended"
            )


def _checkpoints(database: Database, store: Store, public_key: bytes) -> Iterator[TableFinding]:
    """Each published note against the table: a larger one, or another of the same size, tells of a rolled-back database.

    The table is read after the store was listed: the service goes on signing and publishing meanwhile.
    """
    published = store.list_versions(_CHECKPOINTS)
    while page := list(itertools.islice(published, _PAGE)):
        sizes = {info.key: int(info.key.removeprefix(_CHECKPOINTS)) for info in page if _has_size(info.key)}
        with database.read() as connection:
            rows = connection.execute(
                select(ledger_checkpoints.c.size, ledger_checkpoints.c.note).where(
                    ledger_checkpoints.c.size.in_(sizes.values())
                )
            )
            digests = {row.size: hashlib.sha256(row.note.encode()).digest() for row in rows}
            newest = connection.execute(select(func.coalesce(func.max(ledger_checkpoints.c.size), 0))).scalar_one()
        for info in page:
            if info.key not in sizes or info.sha256 != digests.get(sizes[info.key]):
                yield _unlike(store, info, public_key, newest)


def _unlike(store: Store, info: ObjectInfo, public_key: bytes, newest: int) -> TableFinding:
    """What a published note tells that the table does not have."""
    try:
        with store.open(info.key, info.version_id) as stream:
            size = open_note(stream.read(4096).decode(errors="replace"), public_key).size
    except (BadCheckpoint, VaultError):
        return TableFinding("published-altered", info.key, f"{info.key} is no checkpoint that was signed")
    if size > newest:
        sentence = f"a checkpoint over {size} entries was published, {newest} are signed here"
        return TableFinding("rolled-back", str(size), sentence)
    return TableFinding("forked", str(size), f"the checkpoint that was published over {size} entries is another")


def _has_size(key: str) -> bool:
    return key.removeprefix(_CHECKPOINTS).isdigit()
