"""A ledger entry: its canonical bytes and its leaf hash (`docs/formats/ledger.md`)."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from typing import Any
from uuid import UUID

ENTRY_FORMAT = 1
ENTRY_BYTES_MAX = 65_535
INTEGER_MAX = 2**53 - 1


@dataclass(frozen=True)
class Actor:
    """Who acted: a person, a station, the operator on the host, or the system itself (no id)."""

    kind: str
    id: UUID | None = None


SYSTEM = Actor("system")


def canonical_json(value: object) -> bytes:
    """RFC 8785 restricted to texts, integers within 2^53, booleans, null, lists, and objects with ASCII keys.

    Raises:
        ValueError, TypeError: the value holds anything else.
    """
    _require_canonical(value)
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False).encode()


def _require_canonical(value: object) -> None:
    if value is None or isinstance(value, bool | str):
        return
    if isinstance(value, int):
        if not -INTEGER_MAX <= value <= INTEGER_MAX:
            raise ValueError("an integer beyond 2^53 has no canonical form")
    elif isinstance(value, list | tuple):
        for item in value:
            _require_canonical(item)
    elif isinstance(value, Mapping):
        for key, item in value.items():
            if not isinstance(key, str) or not key.isascii():
                raise ValueError("keys of canonical objects are ASCII texts")
            _require_canonical(item)
    else:
        raise TypeError(f"{type(value).__name__} has no canonical form")


def leaf_hash(body: bytes) -> bytes:
    """The RFC 9162 leaf hash of an entry's bytes."""
    return hashlib.sha256(b"\x00" + body).digest()


def mark_of(witness_secret: bytes, body: bytes) -> bytes:
    """The mark of an entry that the service wrote itself: nobody makes one who has only the database."""
    return hmac.digest(witness_secret, b"slipvault/1/entry" + body, "sha256")


def is_own(witness_secret: bytes, body: bytes | None, mark: bytes | None) -> bool:
    """Whether the service wrote these bytes itself; rows that another wrote may also lack either."""
    return body is not None and mark is not None and hmac.compare_digest(mark, mark_of(witness_secret, body))


@dataclass(frozen=True)
class Entry:
    """One act. `details` hold ids, salted digests and counts, never personal data (invariant L3)."""

    id: UUID
    at: datetime
    event: str
    actor: Actor
    subject_type: str
    subject_id: UUID
    context_id: UUID | None = None
    details: Mapping[str, Any] = field(default_factory=dict)

    def to_bytes(self) -> bytes:
        """The canonical bytes that are hashed, kept and exported.

        Raises:
            ValueError: the details are not canonical or the entry is longer than 65,535 bytes.
        """
        return self._body

    @cached_property
    def _body(self) -> bytes:
        body = canonical_json(
            {
                "format": ENTRY_FORMAT,
                "id": str(self.id),
                "at": self.at.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z"),
                "event": self.event,
                "actor": {"kind": self.actor.kind, "id": str(self.actor.id) if self.actor.id else None},
                "subject": {"type": self.subject_type, "id": str(self.subject_id)},
                "context": str(self.context_id) if self.context_id else None,
                "details": dict(self.details),
            }
        )
        if len(body) > ENTRY_BYTES_MAX:
            raise ValueError(f"an entry of {len(body)} bytes is longer than {ENTRY_BYTES_MAX}")
        return body

    @cached_property
    def leaf_hash(self) -> bytes:
        """The RFC 9162 leaf hash: the receipt of the act."""
        return leaf_hash(self._body)
