"""The transaction: nothing is kept unless `commit()` is called, and nothing is committed unwitnessed.

The database itself checks the second: a deferred constraint trigger on every witnessed table looks at commit
for a ledger entry of the same transaction (invariant L1). This module only turns that refusal into an error
with a name.
"""

from __future__ import annotations

from typing import TypeAlias
from uuid import UUID

import psycopg
from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from vault.foundation.clock import Clock
from vault.foundation.db.errors import TransactionClosed, UnwitnessedChange
from vault.foundation.db.together import Rows, insert_together
from vault.foundation.ids import new_id
from vault.foundation.ledger.entry import Actor, Entry, mark_of
from vault.foundation.ledger.tables import ledger_entries

UNWITNESSED_SQLSTATE = "SV001"

Detail: TypeAlias = "str | int | bool | list[Detail] | dict[str, Detail] | None"


class Transaction:
    """One unit of work on behalf of `actor`. Made by `Database.transaction`."""

    def __init__(self, connection: Connection, actor: Actor, clock: Clock, witness_secret: bytes) -> None:
        self.connection = connection
        self.actor = actor
        self.clock = clock
        self._witness_secret = witness_secret
        self._open = True

    def witness(
        self,
        event: str,
        subject_type: str,
        subject_id: UUID,
        *,
        context_id: UUID | None = None,
        along_with: Rows | None = None,
        **details: Detail,
    ) -> Entry:
        """Writes the ledger entry of an act; it is committed with the act or not at all.

        `event` follows the grammar `noun:thing:action`. `details` hold ids, salted digests and counts, never
        personal data (invariant L3). `along_with` are rows of the act that the same statement inserts, where the round
        trips would count. Returns the entry, whose `leaf_hash` is the receipt.

        Raises:
            IntegrityError: a constraint refuses one of the rows; the transaction can only be rolled back.
        """
        self._require_open()
        entry = Entry(
            id=new_id(),
            at=self.clock.now(),
            event=event,
            actor=self.actor,
            subject_type=subject_type,
            subject_id=subject_id,
            context_id=context_id,
            details=details,
        )
        row = {
            "id": entry.id,
            "at": entry.at,
            "event": event,
            "actor_kind": self.actor.kind,
            "actor_id": self.actor.id,
            "subject_type": subject_type,
            "subject_id": subject_id,
            "context_id": context_id,
            "body": entry.to_bytes(),
            "mark": mark_of(self._witness_secret, entry.to_bytes()),
        }
        insert_together(self.connection, {**(along_with or {}), ledger_entries: [row]})
        return entry

    def commit(self) -> None:
        """Commits.

        Raises:
            UnwitnessedChange: something was changed and no entry was witnessed; nothing is kept.
            DatabaseUnavailable: once the transaction's block is left, when the connection was lost; whether the commit
                took place must be looked up.
        """
        self._require_open()
        self._open = False
        try:
            self.connection.commit()
        except DBAPIError as error:
            original = error.orig
            if isinstance(original, psycopg.Error) and original.sqlstate == UNWITNESSED_SQLSTATE:
                raise UnwitnessedChange from error
            raise

    def close(self) -> None:
        """Rolls back what was not committed. Safe to call more than once."""
        if self._open:
            self._open = False
            self.connection.rollback()

    def _require_open(self) -> None:
        if not self._open:
            raise TransactionClosed
