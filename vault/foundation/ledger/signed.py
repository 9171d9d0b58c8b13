"""Rows of checkpoints as what was signed: whoever has the database can write any row, and sign none."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, select

from vault.foundation.ledger.checkpoint import BadCheckpoint, Checkpoint, open_note
from vault.foundation.ledger.tables import ledger_checkpoints, ledger_publications

_PAGE = 200
_NOTE_LINES = 5  # origin, size, root, an empty one, one signature


class NotAsSigned(BadCheckpoint):
    """The note is signed, and a column, or what stands in the note besides, is not what was signed."""


def signed_checkpoint(row: Row[Any], public_key: bytes) -> Checkpoint:
    """The checkpoint of a row of `ledger_checkpoints`.

    Raises:
        BadCheckpoint: the note is not signed by the key.
        NotAsSigned: it is, but the row says something else.
    """
    if row.note is None or row.root is None:
        raise BadCheckpoint("a column is empty")
    checkpoint = open_note(row.note, public_key)
    is_whole = row.note.startswith(checkpoint.text() + "\n") and row.note.count("\n") == _NOTE_LINES
    is_same = (checkpoint.size, checkpoint.root) == (row.size, bytes(row.root))
    if not (is_same and is_whole and row.note.endswith("\n")):
        raise NotAsSigned("a column is not what was signed")
    return checkpoint


def newest_signed(connection: Connection, public_key: bytes, *conditions: ColumnElement[bool]) -> Row[Any] | None:
    """The row of the largest checkpoint that is as it was signed, passing over those that are not."""
    return next((row for row in _downwards(connection, conditions) if _is_as_signed(row, public_key)), None)


def published_size(connection: Connection, store: str, public_key: bytes) -> int:
    """The size of the largest signed checkpoint that was published in `store`; what rows say beyond counts for nothing."""
    published = (
        select(ledger_publications.c.size)
        .where(ledger_publications.c.store == store, ledger_publications.c.size == ledger_checkpoints.c.size)
        .exists()
    )
    row = newest_signed(connection, public_key, published)
    return 0 if row is None else int(row.size)


def _downwards(connection: Connection, conditions: tuple[ColumnElement[bool], ...]) -> Iterator[Row[Any]]:
    size = ledger_checkpoints.c.size
    query = select(ledger_checkpoints).where(size.isnot(None), *conditions).order_by(size.desc()).limit(_PAGE)
    rows = connection.execute(query).all()
    while rows:
        yield from rows
        rows = connection.execute(query.where(size < rows[-1].size)).all()


def _is_as_signed(row: Row[Any], public_key: bytes) -> bool:
    try:
        signed_checkpoint(row, public_key)
    except BadCheckpoint:
        return False
    return True
