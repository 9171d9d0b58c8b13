"""The journal of a watched folder: what was about to be sent, what was answered, where it went.

One SQLite file with full synchronisation: a line is on the disk before the act it speaks of. It holds no
description of the scans, only paths, digests, keys and answers.
"""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from vault.foundation.clock import Clock
from vault.surfaces.client import Answer

_SCHEMA = """
CREATE TABLE IF NOT EXISTS files (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  path TEXT NOT NULL,
  size_bytes INTEGER NOT NULL,
  modified_ns INTEGER NOT NULL,
  sha256 TEXT NOT NULL,
  pile TEXT NOT NULL,
  ordinal INTEGER NOT NULL,
  client_key TEXT NOT NULL UNIQUE,
  batch_row INTEGER REFERENCES batches (id),
  state TEXT NOT NULL CHECK (state IN ('intent', 'answered', 'moved', 'gone')),
  answer TEXT,
  target TEXT,
  noted_at TEXT NOT NULL,
  answered_at TEXT,
  UNIQUE (pile, sha256, ordinal)
);
CREATE INDEX IF NOT EXISTS files_by_path ON files (path, state);
CREATE INDEX IF NOT EXISTS files_by_batch ON files (batch_row, state);
CREATE TABLE IF NOT EXISTS batches (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  folder TEXT NOT NULL,
  server_id TEXT NOT NULL,
  sheets_announced INTEGER,
  state TEXT NOT NULL CHECK (state IN ('open', 'closing', 'closed')),
  balance TEXT,
  opened_at TEXT NOT NULL
);
CREATE UNIQUE INDEX IF NOT EXISTS batches_one_open ON batches (folder) WHERE state <> 'closed';
"""


class State(StrEnum):
    """How far a file has come."""

    INTENT = "intent"
    ANSWERED = "answered"
    MOVED = "moved"
    GONE = "gone"


@dataclass(frozen=True)
class Line:
    """A file in the journal. Paths are relative to the watched folder."""

    id: int
    path: str
    size_bytes: int
    modified_ns: int
    sha256: str
    client_key: str
    batch_row: int | None
    state: State
    answer: Answer | None
    target: str | None


@dataclass(frozen=True)
class BatchLine:
    """A batch of the server for a sub-folder."""

    id: int
    folder: str
    server_id: str
    sheets_announced: int | None
    state: str
    balance: dict[str, Any] | None


class Journal:
    """The journal of one folder; safe to use from several threads."""

    def __init__(self, path: Path, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.RLock()
        self._db = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=30)
        self._db.row_factory = sqlite3.Row
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.execute("PRAGMA synchronous = FULL")
        self._db.executescript(_SCHEMA)

    def close(self) -> None:
        """Folds the journal into one file and lets go of it."""
        with self._lock:
            self._db.close()

    def unfinished(self, state: State) -> list[Line]:
        """Files in `state`, oldest first."""
        with self._lock:
            found = self._db.execute("SELECT * FROM files WHERE state = ? ORDER BY id", (state.value,)).fetchall()
        return [_line(row) for row in found]

    def find(self, path: str, state: State) -> Line | None:
        """The newest file at `path` that is in `state`."""
        with self._lock:
            row = self._db.execute(
                "SELECT * FROM files WHERE path = ? AND state = ? ORDER BY id DESC LIMIT 1", (path, state.value)
            ).fetchone()
        return _line(row) if row else None

    def unanswered_like(self, pile: str, sha256: str) -> list[Line]:
        """Files with these bytes in this pile whose answer is not known, also those that went away; oldest first."""
        with self._lock:
            found = self._db.execute(
                "SELECT * FROM files WHERE pile = ? AND sha256 = ? AND state IN ('intent', 'gone') ORDER BY id",
                (pile, sha256),
            ).fetchall()
        return [_line(row) for row in found]

    def note_intent(self, line: Line, pile: str, key_for: Callable[[int], str]) -> Line:
        """Writes that the file is about to be sent; on the disk when this returns.

        `key_for` makes the client key from the file's number among the equal files that this pile ever had.
        """
        with self._transaction() as db:
            (ordinal,) = db.execute(
                "SELECT coalesce(max(ordinal) + 1, 0) FROM files WHERE pile = ? AND sha256 = ?", (pile, line.sha256)
            ).fetchone()
            cursor = db.execute(
                "INSERT INTO files (path, size_bytes, modified_ns, sha256, pile, ordinal, client_key, batch_row,"
                " state, noted_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, 'intent', ?)",
                (
                    line.path,
                    line.size_bytes,
                    line.modified_ns,
                    line.sha256,
                    pile,
                    ordinal,
                    key_for(ordinal),
                    line.batch_row,
                    self._now(),
                ),
            )
            row = db.execute("SELECT * FROM files WHERE id = ?", (cursor.lastrowid,)).fetchone()
        return _line(row)

    def adopt(self, line_id: int, line: Line) -> Line:
        """The unanswered file goes on under another name, time or batch, with the key it has."""
        with self._transaction() as db:
            db.execute(
                "UPDATE files SET state = 'intent', path = ?, modified_ns = ?, batch_row = ? WHERE id = ?",
                (line.path, line.modified_ns, line.batch_row, line_id),
            )
            row = db.execute("SELECT * FROM files WHERE id = ?", (line_id,)).fetchone()
        return _line(row)

    def note_gone(self, line_id: int) -> None:
        """The file went away, or other bytes took its place, before its answer was known."""
        with self._transaction() as db:
            db.execute("UPDATE files SET state = 'gone' WHERE id = ?", (line_id,))

    def note_answer(self, line_id: int, answer: Answer, target: str) -> None:
        """Writes the server's answer and where the file will be moved."""
        told = {
            "status": answer.status,
            "item_id": answer.item_id,
            "record_id": answer.record_id,
            "archival_number": answer.archival_number,
            "findings": [dict(finding) for finding in answer.findings],
            "message": answer.message,
        }
        with self._transaction() as db:
            db.execute(
                "UPDATE files SET state = 'answered', answer = ?, target = ?, answered_at = ? WHERE id = ?",
                (json.dumps(told, ensure_ascii=False), target, self._now(), line_id),
            )

    def note_moved(self, line_id: int) -> None:
        """The file lies where the answer sent it."""
        with self._transaction() as db:
            db.execute("UPDATE files SET state = 'moved' WHERE id = ?", (line_id,))

    def open_batch(self, folder: str) -> BatchLine | None:
        """The batch that takes what comes into `folder`, or is being closed."""
        with self._lock:
            row = self._db.execute(
                "SELECT * FROM batches WHERE folder = ? AND state <> 'closed'", (folder,)
            ).fetchone()
        return _batch(row) if row else None

    def open_batches(self) -> list[BatchLine]:
        """All batches that are not closed."""
        with self._lock:
            found = self._db.execute("SELECT * FROM batches WHERE state <> 'closed' ORDER BY id").fetchall()
        return [_batch(row) for row in found]

    def note_batch(self, folder: str, server_id: str, sheets_announced: int | None) -> BatchLine:
        """Writes which batch of the server belongs to `folder`, also in place of one that is closed there."""
        with self._transaction() as db:
            db.execute("UPDATE batches SET state = 'closed' WHERE folder = ? AND state <> 'closed'", (folder,))
            cursor = db.execute(
                "INSERT INTO batches (folder, server_id, sheets_announced, state, opened_at)"
                " VALUES (?, ?, ?, 'open', ?)",
                (folder, server_id, sheets_announced, self._now()),
            )
            row = db.execute("SELECT * FROM batches WHERE id = ?", (cursor.lastrowid,)).fetchone()
        return _batch(row)

    def note_batch_state(self, batch_row: int, state: str, balance: dict[str, Any] | None = None) -> None:
        """Writes that the batch is being closed, or was, with its balance."""
        with self._transaction() as db:
            db.execute(
                "UPDATE batches SET state = ?, balance = coalesce(?, balance) WHERE id = ?",
                (state, json.dumps(balance) if balance is not None else None, batch_row),
            )

    def counts(self) -> dict[str, int]:
        """How many files are in each state."""
        with self._lock:
            found = self._db.execute("SELECT state, count(*) FROM files GROUP BY state").fetchall()
        return {str(row[0]): int(row[1]) for row in found}

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with self._lock:
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield self._db
                self._db.execute("COMMIT")
            except BaseException:
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")
                raise

    def _now(self) -> str:
        return self._clock.now().isoformat(timespec="milliseconds")


def _line(row: sqlite3.Row) -> Line:
    told = json.loads(row["answer"]) if row["answer"] else None
    answer = None
    if told is not None:
        answer = Answer(**{**told, "findings": tuple(told["findings"])})
    return Line(
        id=row["id"],
        path=row["path"],
        size_bytes=row["size_bytes"],
        modified_ns=row["modified_ns"],
        sha256=row["sha256"],
        client_key=row["client_key"],
        batch_row=row["batch_row"],
        state=State(row["state"]),
        answer=answer,
        target=row["target"],
    )


def _batch(row: sqlite3.Row) -> BatchLine:
    return BatchLine(
        id=row["id"],
        folder=row["folder"],
        server_id=row["server_id"],
        sheets_announced=row["sheets_announced"],
        state=row["state"],
        balance=json.loads(row["balance"]) if row["balance"] else None,
    )
