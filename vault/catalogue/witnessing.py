"""What other nouns keep of records is witnessed like the catalogue's own rows: a salted digest for each table."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Table, select

from vault.catalogue.fingerprint import rows_digest
from vault.catalogue.service import Changing
from vault.catalogue.tables import record_states
from vault.foundation.db.transaction import Detail


def digests(
    connection: Connection, changing: Mapping[UUID, Changing], tables: Sequence[Table]
) -> dict[UUID, dict[str, Detail]]:
    """For each record that is being changed the digest of its rows in each of the tables, and of its raised revision."""
    told: dict[UUID, dict[str, Detail]] = {record_id: {} for record_id in changing}
    for table in (record_states, *tables):
        held = rows_by_record(connection, table, changing)
        for record_id, change in changing.items():
            told[record_id][table.name] = rows_digest(table.name, change.salt, held.get(record_id, []))
    return told


def rows_by_record(connection: Connection, table: Table, record_ids: Iterable[UUID]) -> dict[UUID, list[Any]]:
    """The rows of each record in the order of their key."""
    query = select(table).where(table.c.record_id.in_(sorted(record_ids))).order_by(*table.primary_key.columns)
    found: dict[UUID, list[Any]] = {}
    for row in connection.execute(query).mappings():
        found.setdefault(row["record_id"], []).append(dict(row))
    return found
