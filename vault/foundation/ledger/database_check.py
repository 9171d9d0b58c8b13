"""The ledger's tables held against themselves and against the newest signed checkpoint."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, select

from vault.foundation.ledger.checkpoint import BadCheckpoint, open_note
from vault.foundation.ledger.merkle import fold, join, perfect_parts
from vault.foundation.ledger.tables import (
    ledger_checkpoints,
    ledger_entries,
    ledger_leaves,
    ledger_pending,
    ledger_tiles,
)
from vault.foundation.ledger.tiles import WIDTH

_BATCH = 5000


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


def check_ledger(connection: Connection, public_key: bytes) -> TableVerdict:
    """Every leaf against its entry, every tile against the leaves, the root against the signed checkpoint."""
    findings: list[TableFinding] = []
    leaves: list[bytes] = []
    for row in _leaves(connection):
        if row.leaf_index != len(leaves):
            findings.append(
                TableFinding("leaf-removed", str(len(leaves)), f"index {len(leaves)} is missing from the ledger")
            )
            leaves.extend([b""] * (row.leaf_index - len(leaves)))
        leaves.append(bytes(row.leaf_hash))
        findings += _check_entry(row)
    findings += _check_tiles(connection, leaves)
    findings += _check_checkpoints(connection, public_key, leaves)
    findings += _unnumbered(connection)
    return TableVerdict(len(leaves), tuple(findings))


def _leaves(connection: Connection) -> Iterator[Any]:
    first = 0
    while True:
        rows = connection.execute(
            select(ledger_leaves.c.leaf_index, ledger_leaves.c.leaf_hash, ledger_leaves.c.entry_id, ledger_entries)
            .join(ledger_entries, ledger_entries.c.id == ledger_leaves.c.entry_id, isouter=True)
            .where(ledger_leaves.c.leaf_index >= first)
            .order_by(ledger_leaves.c.leaf_index)
            .limit(_BATCH)
        ).all()
        if not rows:
            return
        yield from rows
        first = rows[-1].leaf_index + 1


def _check_entry(row: Any) -> list[TableFinding]:
    entry_id = str(row.entry_id)
    if row.body is None:
        return [TableFinding("entry-removed", entry_id, f"the entry at index {row.leaf_index} was removed")]
    body = bytes(row.body)
    if hashlib.sha256(b"\0" + body).digest() != bytes(row.leaf_hash):
        return [TableFinding("entry-altered", entry_id, f"the entry at index {row.leaf_index} was altered")]
    told = json.loads(body)
    columns = (
        told["id"] == entry_id,
        told["event"] == row.event,
        told["actor"] == {"kind": row.actor_kind, "id": str(row.actor_id) if row.actor_id else None},
        told["subject"] == {"type": row.subject_type, "id": str(row.subject_id)},
        told["context"] == (str(row.context_id) if row.context_id else None),
        told["at"] == row.at.isoformat(timespec="microseconds").replace("+00:00", "Z"),
    )
    if not all(columns):
        return [
            TableFinding("entry-altered", entry_id, f"a column of the entry at index {row.leaf_index} was altered")
        ]
    return []


def _check_tiles(connection: Connection, leaves: list[bytes]) -> list[TableFinding]:
    stored = {(row.level, row.tile_index): bytes(row.hashes) for row in connection.execute(select(ledger_tiles))}
    findings, level, hashes = [], 0, leaves
    while hashes:
        for start in range(0, len(hashes), WIDTH):
            part = hashes[start : start + WIDTH]
            if stored.pop((level, start // WIDTH), None) != b"".join(part):
                name = f"{level}/{start // WIDTH}"
                findings.append(TableFinding("tile-altered", name, f"tile {name} is not what lies below it"))
        full = len(hashes) // WIDTH
        hashes = [fold(hashes[i * WIDTH : (i + 1) * WIDTH]) for i in range(full)]
        level += 1
    findings += [
        TableFinding("tile-altered", f"{level}/{index}", f"tile {level}/{index} belongs to no entry")
        for level, index in stored
    ]
    return findings


def _check_checkpoints(connection: Connection, public_key: bytes, leaves: list[bytes]) -> list[TableFinding]:
    newest = connection.execute(
        select(ledger_checkpoints).order_by(ledger_checkpoints.c.size.desc()).limit(1)
    ).one_or_none()
    if newest is None:
        return []
    where = str(newest.size)
    try:
        checkpoint = open_note(newest.note, public_key)
    except BadCheckpoint as error:
        return [TableFinding("signature-wrong", where, f"checkpoint {where}: {error}")]
    if checkpoint.size > len(leaves):
        return [TableFinding("rolled-back", where, f"{where} entries were signed, {len(leaves)} are left")]
    parts = [fold(leaves[start : start + length]) for start, length in perfect_parts(checkpoint.size)]
    if join(parts) != checkpoint.root:
        return [TableFinding("root-differs", where, f"the entries do not make the root of checkpoint {where}")]
    return []


def _unnumbered(connection: Connection) -> list[TableFinding]:
    """Entries that have no index and do not wait for one: somebody took them out of the line."""
    rows = connection.execute(
        select(ledger_entries.c.id).where(
            ~select(ledger_leaves.c.entry_id).where(ledger_leaves.c.entry_id == ledger_entries.c.id).exists(),
            ~select(ledger_pending.c.entry_id).where(ledger_pending.c.entry_id == ledger_entries.c.id).exists(),
        )
    )
    return [
        TableFinding("entry-unnumbered", str(row.id), "the entry waits for no index and has none") for row in rows
    ]
