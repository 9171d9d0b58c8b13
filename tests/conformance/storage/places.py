"""The kinds of store that the suite runs on, and what is known of them."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import uuid4

from vault.foundation.storage.interface import Content, Lock, LockMode, Store

KINDS = ("memory", "worm", "moto", "rgw")

# What the store accepts although it must not (docs/reference/stores.md). The tests assert each of these, so that a
# store that mends its ways, or a probe that no longer sees, is noticed.
KNOWN_LIES: dict[str, frozenset[str]] = {
    "memory": frozenset(),
    "worm": frozenset(),
    "rgw": frozenset(),
    "moto": frozenset(
        {
            "damaged-bytes-refused",
            "compliance-shorten-refused",
            "compliance-downgrade-refused",
            "compliance-clear-refused",
            "governance-shorten-refused",
            "governance-clear-refused",
            "past-date-refused",
        }
    ),
}


@dataclass(frozen=True)
class Place:
    """A store under test: bare, as the probe sees it."""

    kind: str
    store: Store
    url: str

    def lies_about(self, check: str) -> bool:
        return check in KNOWN_LIES[self.kind]


def content_of(data: bytes) -> Content:
    return Content.from_bytes(data, hashlib.sha256(data).digest())


def fresh_key(name: str = "object") -> str:
    return f"records/{uuid4()}/{name}"


def lock_for(mode: LockMode = LockMode.GOVERNANCE, **lasts: float) -> Lock:
    return Lock(mode, (datetime.now(UTC) + timedelta(**(lasts or {"hours": 1}))).replace(microsecond=0))
