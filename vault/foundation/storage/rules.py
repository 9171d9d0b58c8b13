"""The rules of Object Lock as pure functions, for the stores that keep them themselves (AWS S3 Object Lock)."""

from __future__ import annotations

from datetime import datetime

from vault.foundation.storage.errors import LockRefused
from vault.foundation.storage.interface import Lock, LockMode, words


def settable(key: str, asked: Lock, now: datetime) -> None:
    """Checks the first lock of a new version: none at all, or one that still runs.

    Raises:
        LockRefused: its date has passed.
    """
    if asked.until is not None and asked.until <= now:
        raise LockRefused(key=key, present=words(Lock()), asked=words(asked))


def extended(key: str, present: Lock, asked: Lock, now: datetime) -> Lock:
    """The lock after `asked` is set on a version locked by `present`.

    Raises:
        LockRefused: it would be shorter or weaker than a lock that still runs, or its date has passed.
    """
    if asked.until is None or asked.until <= now:
        raise LockRefused(key=key, present=words(present), asked=words(asked))
    if runs(present, now) and not asked.covers(present):
        raise LockRefused(key=key, present=words(present), asked=words(asked))
    return asked


def runs(lock: Lock, now: datetime) -> bool:
    """Whether the lock still binds at `now`."""
    return lock.until is not None and lock.until > now


def may_delete(lock: Lock, *, legal_hold: bool, bypass: bool, now: datetime) -> bool:
    """Whether a version may be deleted: never under a hold or a running COMPLIANCE lock."""
    if legal_hold:
        return False
    if not runs(lock, now):
        return True
    return lock.mode is LockMode.GOVERNANCE and bypass
