"""The only place that makes identities and random tokens."""

from __future__ import annotations

import os
import secrets
import time
from datetime import datetime
from uuid import UUID, uuid5


def new_id() -> UUID:
    """A UUID version 7 (RFC 9562 section 5.7): milliseconds first, so that new rows stay together in an index.

    The 12 bits after the version hold the fraction of the millisecond, so ids made in one process rise in
    time order down to a quarter of a microsecond.
    """
    nanoseconds = time.time_ns()
    milliseconds, rest = divmod(nanoseconds, 1_000_000)
    fraction = rest * 4096 // 1_000_000
    tail = int.from_bytes(os.urandom(8)) & 0x3FFF_FFFF_FFFF_FFFF
    return UUID(int=(milliseconds << 80) | (7 << 76) | (fraction << 64) | (2 << 62) | tail)


def first_id_at(at: datetime) -> UUID:
    """The smallest id that `new_id` can make at or after that instant: cuts a list by time along its key."""
    return UUID(int=(max(0, int(at.timestamp() * 1000)) << 80) | (7 << 76) | (2 << 62))


def derived_id(owner: UUID, name: str) -> UUID:
    """The one identity of the thing called `name` that belongs to `owner` (UUID version 5, RFC 9562 section 5.5).

    A retry that derives instead of drawing meets what its first attempt made.
    """
    return uuid5(owner, name)


def new_token(size_bytes: int = 32) -> str:
    """A secret token, URL-safe, of `size_bytes` random bytes."""
    return secrets.token_urlsafe(size_bytes)


def is_id(text: str) -> bool:
    """Whether it is the text of an identity."""
    try:
        UUID(text)
    except ValueError:
        return False
    return True
