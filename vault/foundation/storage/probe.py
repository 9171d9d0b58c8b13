"""What a store really refuses, found out by trying.

The probe writes tiny objects with locks of a few seconds, tries everything that must not work, waits for the
locks to run out, and removes what it made. What cannot be removed is listed with the date from which it can be.
The attempts at destruction live on the bare stores (`attempt_delete`), not on the interface that services see.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from vault.foundation.clock import Clock
from vault.foundation.errors import N_, VaultError
from vault.foundation.ids import new_id
from vault.foundation.storage.interface import Content, Lock, LockMode, ObjectInfo, Store

LOCK_LASTS_S = 6
_COMPLIANCE_ROUNDING_S = 1


class Probed(Store, Protocol):
    """A bare store: the interface and the attempts that only the probe makes."""

    def attempt_delete(self, key: str, version_id: str, *, bypass: bool) -> bool:
        """Whether the store let a version be deleted."""
        ...


@dataclass(frozen=True)
class Check:
    """One thing tried. `message` is a msgid that says what must happen."""

    name: str
    ok: bool
    message: str


@dataclass(frozen=True)
class ProbeReport:
    """What the probe found. A store with lies must not be trusted with records."""

    store: str
    at: datetime
    checks: tuple[Check, ...]
    litter: tuple[str, ...]

    @property
    def lies(self) -> tuple[str, ...]:
        """The names of the checks that failed."""
        return tuple(check.name for check in self.checks if not check.ok)


MESSAGES = {
    "bucket-locked": N_("The bucket says that versioning and Object Lock are on."),
    "put-reads-back": N_("What is written is read back the same, with its lock."),
    "range-reads": N_("A range of bytes can be read alone."),
    "governance-delete-refused": N_("A version under a GOVERNANCE lock cannot be deleted without bypass."),
    "compliance-delete-refused": N_("A version under a COMPLIANCE lock cannot be deleted."),
    "compliance-bypass-refused": N_("A version under a COMPLIANCE lock cannot be deleted even with bypass."),
    "compliance-shorten-refused": N_("A COMPLIANCE lock cannot be shortened."),
    "compliance-downgrade-refused": N_("A COMPLIANCE lock cannot become a GOVERNANCE lock."),
    "governance-shorten-refused": N_("A GOVERNANCE lock cannot be shortened without bypass."),
    "past-date-refused": N_("A lock cannot be given a date in the past."),
    "extend-allowed": N_("A lock can be extended."),
    "hold-refuses-delete": N_("A legal hold refuses deletion, also with bypass."),
    "hold-cleared-allows-delete": N_("Once hold and lock are gone, deletion works."),
}


def probe(store: Probed, clock: Clock, *, pause: Callable[[float], None] = time.sleep) -> ProbeReport:
    """Tries what the store must refuse and what it must allow.

    Raises:
        StoreUnavailable, StoreDenied: the store cannot be probed at all.
    """
    return _Probe(store, clock, pause).run()


class _Probe:
    def __init__(self, store: Probed, clock: Clock, pause: Callable[[float], None]) -> None:
        self._store = store
        self._clock = clock
        self._pause = pause
        self._prefix = f"probe/{new_id()}"
        self._checks: list[Check] = []
        self._made: list[ObjectInfo] = []
        self._last_lock_until = clock.now()

    def run(self) -> ProbeReport:
        at = self._clock.now()
        is_locked = getattr(self._store, "is_versioned_and_locked", None)
        if is_locked is not None:
            self._check("bucket-locked", is_locked)
        governed = self._put("governance", LockMode.GOVERNANCE)
        complied = self._put("compliance", LockMode.COMPLIANCE)
        self._check("put-reads-back", lambda: self._reads_back(governed) and self._reads_back(complied))
        self._check("range-reads", lambda: self._range(governed))
        self._refusals(governed, complied)
        self._hold()
        return ProbeReport(self._store.name, at, tuple(self._checks), self._clean_up())

    def _refusals(self, governed: ObjectInfo, complied: ObjectInfo) -> None:
        def refused(info: ObjectInfo, *, bypass: bool) -> bool:
            return not self._store.attempt_delete(info.key, info.version_id, bypass=bypass) and self._there(info)

        self._check("governance-delete-refused", lambda: refused(governed, bypass=False))
        self._check("compliance-delete-refused", lambda: refused(complied, bypass=False))
        self._check("compliance-bypass-refused", lambda: refused(complied, bypass=True))
        soon = self._clock.now() + timedelta(seconds=1)
        self._check("compliance-shorten-refused", lambda: self._keeps(complied, Lock(LockMode.COMPLIANCE, soon)))
        assert complied.lock.until is not None
        weaker = Lock(LockMode.GOVERNANCE, complied.lock.until + timedelta(seconds=2))
        self._check("compliance-downgrade-refused", lambda: self._keeps(complied, weaker))
        self._check("governance-shorten-refused", lambda: self._keeps(governed, Lock(LockMode.GOVERNANCE, soon)))
        past = Lock(LockMode.GOVERNANCE, self._clock.now() - timedelta(days=1))
        self._check("past-date-refused", lambda: self._keeps(governed, past))
        longer = Lock(LockMode.COMPLIANCE, complied.lock.until + timedelta(seconds=2))
        self._check("extend-allowed", lambda: self._extends(complied, longer))

    def _hold(self) -> None:
        held = self._put("hold", LockMode.GOVERNANCE)
        self._store.set_hold(held.key, held.version_id, on=True)

        def refuses() -> bool:
            return not self._store.attempt_delete(held.key, held.version_id, bypass=True) and self._there(held)

        self._check("hold-refuses-delete", refuses)
        if self._there(held):
            self._store.set_hold(held.key, held.version_id, on=False)
        self._wait()

        def gone() -> bool:
            return not self._there(held) or self._store.attempt_delete(held.key, held.version_id, bypass=False)

        self._check("hold-cleared-allows-delete", gone)

    def _put(self, name: str, mode: LockMode) -> ObjectInfo:
        data = f"slipvault probe {name}".encode()
        until = self._clock.now() + timedelta(seconds=LOCK_LASTS_S)
        lock = Lock(mode, until)
        info = self._store.put_new(
            f"{self._prefix}/{name}", Content.from_bytes(data, hashlib.sha256(data).digest()), lock
        )
        self._made.append(info)
        assert lock.until is not None
        self._last_lock_until = max(self._last_lock_until, lock.until)
        return info

    def _check(self, name: str, holds: Callable[[], bool]) -> None:
        self._checks.append(Check(name, holds(), MESSAGES[name]))

    def _reads_back(self, info: ObjectInfo) -> bool:
        with self._store.open(info.key, info.version_id) as stream:
            data = stream.read()
        found = self._store.head(info.key, info.version_id)
        return hashlib.sha256(data).digest() == info.sha256 and found.lock.covers(info.lock)

    def _range(self, info: ObjectInfo) -> bool:
        with self._store.open(info.key, info.version_id, 10, 5) as stream:
            return stream.read() == b"probe"

    def _there(self, info: ObjectInfo) -> bool:
        try:
            self._store.head(info.key, info.version_id)
        except VaultError:
            return False
        return True

    def _keeps(self, info: ObjectInfo, lock: Lock) -> bool:
        """Whether the lock is at least what it was after the store was asked for `lock`."""
        attempt = getattr(self._store, "attempt_retention", None)
        if attempt is not None:
            attempt(info.key, info.version_id, lock)
        else:
            try:
                self._store.set_retention(info.key, info.version_id, lock)
            except VaultError:
                return True
        return self._store.head(info.key, info.version_id).lock.covers(info.lock)

    def _extends(self, info: ObjectInfo, lock: Lock) -> bool:
        assert lock.until is not None
        self._last_lock_until = max(self._last_lock_until, lock.until)
        try:
            return self._store.set_retention(info.key, info.version_id, lock).lock.covers(lock)
        except VaultError:
            return False

    def _wait(self) -> None:
        left_s = (self._last_lock_until - self._clock.now()).total_seconds() + _COMPLIANCE_ROUNDING_S
        if left_s > 0:
            self._pause(left_s)

    def _clean_up(self) -> tuple[str, ...]:
        return tuple(
            info.key
            for info in self._made
            if self._there(info) and not self._store.attempt_delete(info.key, info.version_id, bypass=True)
        )
