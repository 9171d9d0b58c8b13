"""An export of the ledger: files that anybody can check without our database (`docs/formats/ledger.md`)."""

from __future__ import annotations

import base64
from collections.abc import Callable
from pathlib import Path

from sqlalchemy import Connection, select

from vault.foundation.errors import N_, Conflict
from vault.foundation.ledger.publisher import bodies
from vault.foundation.ledger.queries import tile_reader
from vault.foundation.ledger.tables import ledger_checkpoints, ledger_timestamps
from vault.foundation.ledger.tiles import HASH_BYTES, bundles_of, encode_bundle, tile_name, tiles_of

Progress = Callable[[int, int], None]


def export(connection: Connection, public_key: bytes, directory: Path, progress: Progress | None = None) -> int:
    """Writes the ledger up to its newest checkpoint into an empty or new directory; returns the number of entries.

    Raises:
        Conflict: the directory is not empty, or there is no checkpoint yet.
    """
    if directory.exists() and any(directory.iterdir()):
        raise Conflict(state=N_("the directory is not empty"))
    checkpoint = connection.execute(
        select(ledger_checkpoints).order_by(ledger_checkpoints.c.size.desc()).limit(1)
    ).one_or_none()
    if checkpoint is None:
        raise Conflict(state=N_("the ledger has no checkpoint yet"))
    for index, width in bundles_of(checkpoint.size):
        _write(directory / tile_name("entries", index, width), encode_bundle(bodies(connection, index, width)))
        if progress is not None:
            progress(index * 256 + width, checkpoint.size)
    read = tile_reader(connection)
    for level, index, width in tiles_of(checkpoint.size):
        _write(directory / tile_name(level, index, width), read(level, index)[: width * HASH_BYTES])
    for row in connection.execute(
        select(ledger_timestamps.c.size, ledger_timestamps.c.token, ledger_checkpoints.c.note)
        .join(ledger_checkpoints, ledger_checkpoints.c.size == ledger_timestamps.c.size)
        .where(ledger_timestamps.c.size <= checkpoint.size)
    ):
        _write(directory / "timestamps" / f"{row.size}.tsr", bytes(row.token))
        _write(directory / "checkpoints" / str(row.size), row.note.encode())
    _write(directory / "public-key", base64.b64encode(public_key) + b"\n")
    _write(directory / "checkpoint", checkpoint.note.encode())
    return int(checkpoint.size)


def _write(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
