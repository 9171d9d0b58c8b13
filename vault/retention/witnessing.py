"""What the law is made from is witnessed: by a digest of each row, whole, and of each class in a version of the schedule.

So whoever alters the law behind the service's back is named with the class that he altered.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import Table, select

from vault.catalogue.fingerprint import rows_digest
from vault.foundation.db.transaction import Detail, Transaction
from vault.foundation.ids import derived_id
from vault.foundation.ledger.entry import canonical_json
from vault.retention.model import Event
from vault.retention.tables import (
    calendar_years,
    rule_confirmations,
    rule_packs,
    schedule_versions,
)

# The tables that the law is made from, and the acts that write a row of each.
LAW_TABLES: Mapping[Table, tuple[Event, ...]] = {
    schedule_versions: (
        Event.SCHEDULE_BEGUN,
        Event.SCHEDULE_DRAFTED,
        Event.SCHEDULE_CHANGED,
        Event.SCHEDULE_PROPOSED,
        Event.SCHEDULE_APPROVED,
        Event.SCHEDULE_REFUSED,
        Event.SCHEDULE_WITHDRAWN,
    ),
    rule_packs: (Event.PACK_ENTERED,),
    rule_confirmations: (Event.CONFIRMATION_PROPOSED, Event.RULE_CONFIRMED),
    calendar_years: (Event.CALENDAR_ENTERED,),
}
_PACKS = UUID("6ba7b812-9dad-11d1-80b4-00c04fd430c8")  # RFC 9562 section 6.6: OID names


def pack_id(version: str) -> UUID:
    """What the ledger calls a rule pack of the organisation's own."""
    return derived_id(_PACKS, f"pack/{version}")


# With the longest codes that there may be, no more fit into an entry: of a larger schedule the version alone is named.
CLASSES_NAMED_MAX = 500


def law_digest(table: Table, row: Mapping[str, Any]) -> str:
    """The digest of a row of the law, over every column. Raises ValueError, TypeError: no act writes such a value."""
    (key,) = table.primary_key.columns
    return rows_digest(table.name, str(row[key.name]).encode(), [row])


def class_digests(content: Mapping[str, Any]) -> dict[str, str]:
    """By its code the digest of each class in what a version lays down; shortened, as it only tells which class it was."""
    return {plain["code"]: hashlib.sha256(canonical_json(plain)).hexdigest()[:32] for plain in content["classes"]}


def law_row(tx: Transaction, table: Table, key: object, revision: int = 1) -> dict[str, Detail]:
    """What the entry of an act holds of the row that it wrote, with the classes of a version of the schedule."""
    (column,) = table.primary_key.columns
    row = dict(tx.connection.execute(select(table).where(column == key)).mappings().one())
    told: dict[str, Detail] = {"revision": row.get("revision", revision), "digest": law_digest(table, row)}
    if table is schedule_versions:
        classes = class_digests(row["content"])
        if len(classes) <= CLASSES_NAMED_MAX:
            told["classes"] = [{"class_code": code, "digest": digest} for code, digest in classes.items()]
    return told
