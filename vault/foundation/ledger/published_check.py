"""What was published of the ledger held against the tables: whoever rolls the database back cannot roll back the store."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from datetime import datetime, timedelta

from sqlalchemy import func, select

from vault.foundation.db.engine import Database
from vault.foundation.errors import VaultError
from vault.foundation.ledger.checkpoint import BadCheckpoint, open_note
from vault.foundation.ledger.database_check import TableFinding
from vault.foundation.ledger.publisher import PREFIX, checkpoint_name, names_of
from vault.foundation.ledger.signed import published_size
from vault.foundation.ledger.tables import ledger_checkpoints, ledger_publications
from vault.foundation.ledger.verify import Read, verify_files
from vault.foundation.storage.errors import ObjectNotFound
from vault.foundation.storage.interface import Listed, Store

LOCK_LEFT_MIN = timedelta(days=7)  # renewal keeps at least twice as much
BEHIND_AFTER = timedelta(hours=1)
_PAGE = 500
_SIZE_MAX = 2**63 - 1
_NOTE_BYTES_MAX = 4096
_CHECKPOINTS = f"{PREFIX}checkpoints/"


def check_published(database: Database, store: Store, public_key: bytes) -> list[TableFinding]:
    """Every published checkpoint against the table; what the newest rests on by itself, as an export; and its locks.

    Tiles and bundles that a later publication replaced by wider ones are of no further use and not looked at.
    """
    now = database.clock.now()
    with database.read() as connection:
        size = published_size(connection, store.name, public_key)
        unsigned = connection.execute(
            select(ledger_publications.c.size)
            .where(ledger_publications.c.store == store.name, ledger_publications.c.size > size)
            .order_by(ledger_publications.c.size)
            .limit(_PAGE)
        ).scalars()
        findings = [
            TableFinding("publication-altered", str(one), f"no checkpoint over {one} entries was signed or published")
            for one in unsigned
        ]
        waiting = connection.execute(
            select(ledger_checkpoints.c.size, ledger_checkpoints.c.at)
            .where(ledger_checkpoints.c.size > size)
            .order_by(ledger_checkpoints.c.size)
            .limit(1)
        ).one_or_none()
    findings += list(_checkpoints(database, store, public_key))
    if size:
        verdict = verify_files(_reader(store, size), public_key)
        findings += [
            TableFinding(f"published-{found.code}", found.subject, f"in the store: {found.sentence}")
            for found in verdict.findings
        ]
        findings += _locks(store, size, now)
    if waiting is not None and (waiting.at is None or now - waiting.at > BEHIND_AFTER):
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
        except ObjectNotFound:  # named as missing already
            continue
        except VaultError:
            until = None
        if until is None or until - now < LOCK_LEFT_MIN:
            yield TableFinding(
                "published-lock-short", name, f"the lock of {name} in the store ends soon or has ended"
            )


def _checkpoints(database: Database, store: Store, public_key: bytes) -> Iterator[TableFinding]:
    """Each published note against the table: a larger one, or another of the same size, tells of a rolled-back database.

    The table is read after the store was listed: the service goes on signing and publishing meanwhile.
    """
    published = (named for named in store.list_names(_CHECKPOINTS) if not named.is_marker)
    while page := list(itertools.islice(published, _PAGE)):
        # What the store says of an object's digest is its writer's word: the notes themselves are read.
        notes = [_note(store, named) for named in page]
        sizes = [_size(named.key) for named in page]
        with database.read() as connection:
            rows = connection.execute(
                select(ledger_checkpoints.c.size, ledger_checkpoints.c.note).where(
                    ledger_checkpoints.c.size.in_({size for size in sizes if size is not None})
                )
            )
            kept = {row.size: row.note.encode() for row in rows if row.note is not None}
            newest = connection.execute(select(func.coalesce(func.max(ledger_checkpoints.c.size), 0))).scalar_one()
        for named, size, note in zip(page, sizes, notes, strict=True):
            if note is None or size is None or note != kept.get(size):
                yield _unlike(named.key, size, note, public_key, newest)


def _note(store: Store, named: Listed) -> bytes | None:
    try:
        with store.open(named.key, named.version_id) as stream:
            return stream.read(_NOTE_BYTES_MAX)
    except VaultError:
        return None


def _unlike(key: str, size: int | None, note: bytes | None, public_key: bytes, newest: int) -> TableFinding:
    """What a published note tells that the table does not have."""
    try:
        signed = open_note((note or b"").decode(errors="replace"), public_key).size
    except BadCheckpoint:
        return TableFinding("published-altered", key, f"{key} is no checkpoint that was signed")
    if signed != size:
        return TableFinding("published-altered", key, f"{key} does not bear the name of its checkpoint")
    if signed > newest:
        sentence = f"a checkpoint over {signed} entries was published, {newest} are signed here"
        return TableFinding("rolled-back", str(signed), sentence)
    return TableFinding("forked", str(signed), f"the checkpoint that was published over {signed} entries is another")


def _size(key: str) -> int | None:
    """The size that an object's name tells; none where it has another form or no ledger has that size."""
    digits = re.fullmatch(r"[0-9]{20}", key.removeprefix(_CHECKPOINTS))
    size = int(digits[0]) if digits else _SIZE_MAX + 1
    return size if size <= _SIZE_MAX else None
