"""The ledger's tables held against themselves, against every signed checkpoint, and against the service's own mark.

Each hash of the lowest level is there three times: made from the entry, kept with its index, kept in its tile. Of three
that differ, the one that stands alone is the one that was altered, so that a finding names what somebody touched. The
tree is then made once, leaf by leaf, and each checkpoint must be signed over what it was at that size.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, func, select

from vault.foundation.ledger.checkpoint import BadCheckpoint
from vault.foundation.ledger.entry import is_own, leaf_hash
from vault.foundation.ledger.growing import GrowingTree
from vault.foundation.ledger.signed import NotAsSigned, newest_signed, signed_checkpoint
from vault.foundation.ledger.tables import (
    ledger_checkpoints,
    ledger_entries,
    ledger_leaves,
    ledger_pending,
    ledger_tiles,
    ledger_timestamps,
)
from vault.foundation.ledger.tiles import HASH_BYTES, WIDTH, split, tiles_of
from vault.foundation.ledger.timestamp import stamps

_BATCH_TILES = 20
_PAGE = 500


@dataclass(frozen=True)
class TableFinding:
    """One difference: a stable code, the entry's id or index, and a sentence."""

    code: str
    subject: str
    sentence: str


@dataclass(frozen=True)
class TableVerdict:
    """What the check found, over how many entries."""

    entries: int
    findings: tuple[TableFinding, ...]


def check_ledger(connection: Connection, public_key: bytes, witness_secret: bytes) -> TableVerdict:
    """Checks all of it; the codes are those of `docs/formats/ledger.md`."""
    return _Check(connection, public_key, witness_secret).run()


class _Check:
    def __init__(self, connection: Connection, public_key: bytes, witness_secret: bytes) -> None:
        self._connection = connection
        self._public_key = public_key
        self._secret = witness_secret
        self._findings: list[TableFinding] = []
        self._tree = GrowingTree()
        self._lowest: dict[tuple[int, int], list[bytes]] = {}
        self._upper: dict[tuple[int, int], list[bytes]] = {}

    def run(self) -> TableVerdict:
        checkpoints = self._checkpoints()
        waiting = next(checkpoints, None)
        size = self._signed_size()
        self._check_tile_shapes(size)
        self._upper = self._stored_tiles(ledger_tiles.c.level > 0)
        for first in range(0, size, WIDTH * _BATCH_TILES):
            stop = min(size, first + WIDTH * _BATCH_TILES)
            rows = self._rows(first, stop)
            self._lowest = self._stored_tiles(
                and_(
                    ledger_tiles.c.level == 0,
                    ledger_tiles.c.tile_index >= first // WIDTH,
                    ledger_tiles.c.tile_index < -(-stop // WIDTH),
                )
            )
            for index in range(first, stop):
                self._tree.append(self._leaf(index, rows.get(index)))
                while waiting is not None and waiting.size <= self._tree.size:
                    self._check_note(waiting)
                    waiting = next(checkpoints, None)
            self._check_upper_tiles(is_last=False)
        self._check_upper_tiles(is_last=True)
        for row in (waiting, *checkpoints) if waiting is not None else ():
            self._check_note(row)
        self._beyond(size)
        self._unnumbered()
        self._timestamps()
        return TableVerdict(size, tuple(self._findings))

    def _signed_size(self) -> int:
        """The size of the newest checkpoint that is what was signed, as far as there are entries for it."""
        numbered: int = self._connection.execute(
            select(func.coalesce(func.max(ledger_leaves.c.leaf_index), -1) + 1)
        ).scalar_one()
        newest = newest_signed(self._connection, self._public_key)
        signed = 0 if newest is None else int(newest.size)
        if signed > numbered:
            self._found("rolled-back", str(signed), f"{signed} entries were signed, {numbered} are left")
        return min(signed, numbered)

    def _checkpoints(self) -> Iterator[Any]:
        last = -1
        while True:
            query = select(ledger_checkpoints).where(ledger_checkpoints.c.size > last)
            rows = self._connection.execute(query.order_by(ledger_checkpoints.c.size).limit(5000)).all()
            if not rows:
                return
            yield from rows
            last = rows[-1].size

    def _check_tile_shapes(self, size: int) -> None:
        """Names tiles that a tree of this size does not have, has not, or has in another width."""
        wanted = {(level, index): width for level, index, width in tiles_of(size)}
        shape = select(
            ledger_tiles.c.level,
            ledger_tiles.c.tile_index,
            ledger_tiles.c.width,
            func.octet_length(ledger_tiles.c.hashes).label("size_bytes"),
        )
        for row in self._connection.execute(shape):
            place = (row.level, row.tile_index)
            width = wanted.pop(place, None)
            if width is None:
                self._found("tile-altered", _name(place), f"tile {_name(place)} belongs to no entry")
            elif (row.width, row.size_bytes) != (width, width * HASH_BYTES):
                self._found("tile-altered", _name(place), f"tile {_name(place)} should hold {width} hashes")
        for place in sorted(wanted):
            self._found("tile-altered", _name(place), f"tile {_name(place)} was removed")

    def _stored_tiles(self, condition: ColumnElement[bool]) -> dict[tuple[int, int], list[bytes]]:
        rows = self._connection.execute(select(ledger_tiles).where(condition))
        return {(row.level, row.tile_index): split(bytes(row.hashes or b"")) for row in rows}

    def _rows(self, first: int, stop: int) -> dict[int, Any]:
        found = self._connection.execute(
            select(ledger_leaves.c.leaf_index, ledger_leaves.c.leaf_hash, ledger_leaves.c.entry_id, ledger_entries)
            .join(ledger_entries, ledger_entries.c.id == ledger_leaves.c.entry_id, isouter=True)
            .where(ledger_leaves.c.leaf_index >= first, ledger_leaves.c.leaf_index < stop)
        )
        return {row.leaf_index: row for row in found}

    def _leaf(self, index: int, row: Any) -> bytes:
        """The hash of one leaf by the voice of two of its three places; whichever disagrees is named."""
        tile = self._lowest.get((0, index // WIDTH), [])
        in_tile = tile[index % WIDTH] if len(tile) > index % WIDTH else None
        kept = bytes(row.leaf_hash) if row is not None and row.leaf_hash is not None else None
        made = leaf_hash(bytes(row.body)) if row is not None and row.body is not None else None
        agreed = next((one for one in (kept, in_tile, made) if one and (kept, in_tile, made).count(one) > 1), None)
        if row is None:
            self._found("leaf-removed", str(index), f"index {index} is missing from the ledger")
        elif made is None:
            self._found("entry-removed", str(row.entry_id), f"the entry at index {index} was removed")
        elif made != (agreed or kept):
            self._found("entry-altered", str(row.entry_id), f"the entry at index {index} was altered")
        else:
            self._columns(index, row)
        if kept is not None and kept != (agreed or kept):
            self._found("leaf-altered", str(index), f"the hash kept for index {index} was altered")
        if in_tile is not None and in_tile != (agreed or in_tile):
            place = (0, index // WIDTH)
            self._found("tile-altered", _name(place), f"tile {_name(place)} does not hold the entry at index {index}")
        return agreed or kept or in_tile or b""

    def _columns(self, index: int, row: Any) -> None:
        body = bytes(row.body)
        if not is_own(self._secret, body, row.mark):
            self._found(
                "entry-forged", str(row.entry_id), f"the entry at index {index} was not written by this service"
            )
            return
        if not _says_the_same(row, body):
            self._found("entry-altered", str(row.entry_id), f"a column of the entry at index {index} was altered")

    def _check_note(self, row: Any) -> None:
        where = str(row.size)
        try:
            checkpoint = signed_checkpoint(row, self._public_key)
        except NotAsSigned as error:
            self._found("checkpoint-altered", where, f"checkpoint {where}: {error}")
        except BadCheckpoint as error:
            self._found("signature-wrong", where, f"checkpoint {where}: {error}")
        else:
            if checkpoint.size == self._tree.size and checkpoint.root != self._tree.root():
                self._found("root-differs", where, f"the entries do not make the root of checkpoint {where}")

    def _check_upper_tiles(self, *, is_last: bool) -> None:
        """Compares the tiles above the leaves that are full by now, at the end all of them."""
        for place, hashes in sorted(self._tree.changed.items()):
            if place[0] and (is_last or len(hashes) == WIDTH) and self._upper.get(place, hashes) != hashes:
                self._found("tile-altered", _name(place), f"tile {_name(place)} is not what lies below it")
            if is_last or len(hashes) == WIDTH:
                del self._tree.changed[place]

    def _beyond(self, size: int) -> None:
        rows = self._connection.execute(
            select(ledger_leaves.c.leaf_index).where(ledger_leaves.c.leaf_index >= size).limit(1000)
        )
        for index in rows.scalars():
            self._found("leaf-inserted", str(index), f"index {index} lies beyond every checkpoint")

    def _unnumbered(self) -> None:
        """Entries without an index: those that wait are few and must be our own; others were taken out of the line."""
        pending = select(ledger_pending.c.entry_id).where(ledger_pending.c.entry_id == ledger_entries.c.id).exists()
        query = (
            select(ledger_entries.c.id, ledger_entries.c.body, ledger_entries.c.mark, pending.label("waits"))
            .where(~select(ledger_leaves.c.entry_id).where(ledger_leaves.c.entry_id == ledger_entries.c.id).exists())
            .order_by(ledger_entries.c.id)
            .limit(_PAGE)
        )
        rows = self._connection.execute(query).all()
        while rows:
            for row in rows:
                if not is_own(self._secret, row.body, row.mark):
                    self._found("entry-forged", str(row.id), "an entry without index was not written by this service")
                elif not row.waits:
                    self._found("entry-unnumbered", str(row.id), "the entry waits for no index and has none")
            last = rows[-1].id  # rows without an id come last
            rows = self._connection.execute(query.where(ledger_entries.c.id > last)).all() if last else ()

    def _timestamps(self) -> None:
        rows = self._connection.execute(
            select(ledger_timestamps, ledger_checkpoints.c.note).join(
                ledger_checkpoints, ledger_checkpoints.c.size == ledger_timestamps.c.size, isouter=True
            )
        )
        for row in rows:
            if row.note is None or not stamps(bytes(row.token), row.note.encode()):
                self._found(
                    "timestamp-wrong",
                    str(row.size),
                    f"the time stamp of size {row.size} is not one of its checkpoint",
                )

    def _found(self, code: str, subject: str, sentence: str) -> None:
        finding = TableFinding(code, subject, sentence)
        if (code, subject) not in {(known.code, known.subject) for known in self._findings[-WIDTH:]}:
            self._findings.append(finding)


def _says_the_same(row: Any, body: bytes) -> bool:
    """Whether the columns of an entry are what its bytes say."""
    try:
        told = json.loads(body)
        columns = (
            told["id"] == str(row.entry_id),
            told["event"] == row.event,
            told["actor"] == {"kind": row.actor_kind, "id": str(row.actor_id) if row.actor_id else None},
            told["subject"] == {"type": row.subject_type, "id": str(row.subject_id)},
            told["context"] == (str(row.context_id) if row.context_id else None),
            told["at"] == row.at.isoformat(timespec="microseconds").replace("+00:00", "Z"),
        )
    except (ValueError, KeyError, TypeError, RecursionError):
        return False
    return all(columns)


def _name(place: tuple[int, int]) -> str:
    return f"{place[0]}/{place[1]}"
