"""Salted digests of a record's rows, which the ledger keeps so that an altered row is found and named.

For each table the digest is HMAC-SHA-256(salt, table name, 0x00, canonical JSON of the rows in key order). The
salt is random for each record and dies with it, so a digest tells nothing about the values (invariant L3).
Both sides use this module: the service when it changes rows, the verifier when it reads them back.
"""

from __future__ import annotations

import hmac
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime
from types import MappingProxyType
from uuid import UUID

from vault.foundation.ledger.entry import canonical_json

# What follows from other rows is verified by deriving it again: a sweep over millions of records need not witness each.
DERIVED: Mapping[str, frozenset[str]] = MappingProxyType(
    {"record_states": frozenset({"what", "retain_until", "delete_by", "next_date", "is_hard", "schedule_number"})}
)
RECORD_TABLES = ("records", "record_states", "components", "component_copies", "personal_fields", "corrections")


def rows_digest(table: str, salt: bytes, rows: Iterable[Mapping[str, object]]) -> str:
    """The digest in hexadecimal of `rows` of `table`, which must come in the order of their primary key."""
    derived = DERIVED.get(table, frozenset())
    body = canonical_json(
        [{name: _plain(value) for name, value in row.items() if name not in derived} for row in rows]
    )
    return hmac.digest(salt, table.encode() + b"\0" + body, "sha256").hex()


def _plain(value: object) -> object:
    if value is None or isinstance(value, str | int | bool):
        return value
    if isinstance(value, UUID):
        return str(value)
    if isinstance(value, bytes | memoryview):
        return bytes(value).hex()
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="microseconds")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Mapping):
        # An attribute's name may be Chinese; canonical keys are ASCII, so a mapping becomes a sorted list.
        return [[str(key), _plain(item)] for key, item in sorted(value.items())]
    if isinstance(value, list):
        return [_plain(item) for item in value]
    raise TypeError(f"no canonical form for {type(value).__name__}")
