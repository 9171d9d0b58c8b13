"""What a store really refuses, found out by trying.

The probe writes tiny objects with locks of a few seconds, tries everything that must not work, waits for the
locks to run out, and removes what it made. What cannot be removed yet is listed with the date from which it can
be. It changes nothing of the bucket's own settings: only objects under its prefix.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from vault.foundation.clock import Clock
from vault.foundation.errors import N_
from vault.foundation.ids import new_id
from vault.foundation.storage.errors import LockRefused, ObjectNotFound, StoreDenied, StoreLied, StoreUnavailable
from vault.foundation.storage.interface import NO_LOCK, Content, Lock, LockMode, ObjectInfo, Store, words
from vault.foundation.storage.probing import PROBE_PREFIX, attempts_on

LOCKS_LAST_S = (4, 15, 60)  # a store too slow for the first is tried again with the next
CLOCK_DIFFERENCE_MAX = timedelta(seconds=60)
_ROUNDING = timedelta(seconds=1)
_MARGIN = timedelta(seconds=1)


@dataclass(frozen=True)
class Check:
    """One thing tried. `message` is a msgid that says what must happen, `found` what happened instead."""

    name: str
    ok: bool
    message: str
    found: str = ""


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
    "clocks-agree": N_("The clocks of the store and of this machine agree to a minute."),
    "governance-lock-set": N_("What is written with a GOVERNANCE lock is read back the same, with its lock."),
    "compliance-lock-set": N_("What is written with a COMPLIANCE lock is read back the same, with its lock."),
    "parts-lock-set": N_("What is written in parts is under lock once its lock is set."),
    "range-reads": N_("A range of bytes can be read alone."),
    "damaged-bytes-refused": N_("Bytes that were damaged on their way are refused."),
    "governance-delete-refused": N_("A version under a GOVERNANCE lock cannot be deleted without bypass."),
    "compliance-delete-refused": N_("A version under a COMPLIANCE lock cannot be deleted."),
    "compliance-batch-delete-refused": N_("A version under a COMPLIANCE lock cannot be deleted among many."),
    "compliance-bypass-refused": N_("A version under a COMPLIANCE lock cannot be deleted even with bypass."),
    "parts-delete-refused": N_("A version written in parts cannot be deleted under its lock."),
    "compliance-shorten-refused": N_("A COMPLIANCE lock cannot be shortened."),
    "compliance-downgrade-refused": N_("A COMPLIANCE lock cannot become a GOVERNANCE lock."),
    "compliance-clear-refused": N_("A COMPLIANCE lock cannot be cleared."),
    "governance-shorten-refused": N_("A GOVERNANCE lock cannot be shortened without bypass."),
    "governance-clear-refused": N_("A GOVERNANCE lock cannot be cleared without bypass."),
    "past-date-refused": N_("A lock cannot be given a date in the past."),
    "overwrite-keeps-version": N_("Writing over a locked version leaves it as it was."),
    "marker-keeps-version": N_("Deleting a key leaves its locked version as it was."),
    "extend-allowed": N_("A lock can be extended."),
    "strengthen-allowed": N_("A GOVERNANCE lock can become a COMPLIANCE lock."),
    "hold-refuses-delete": N_("A legal hold refuses deletion, also with bypass."),
    "hold-cleared-allows-delete": N_("Once hold and lock are gone, deletion works."),
}


class _TooSlow(Exception):
    """A lock ran out while it was being tried: what was seen means nothing."""


def probe(store: Store, clock: Clock, *, pause: Callable[[float], None] = time.sleep) -> ProbeReport:
    """Tries what the store must refuse and what it must allow; takes about eight seconds.

    Raises:
        StoreUnavailable: the store does not answer, or too slowly to be judged.
        StoreDenied: the store refuses our credentials or does not know the bucket.
    """
    for lasts_s in LOCKS_LAST_S:
        try:
            return _Probe(store, clock, pause, timedelta(seconds=lasts_s)).run()
        except _TooSlow:
            continue
    raise StoreUnavailable(store=store.name, problem="it is too slow to be probed")


class _Probe:
    def __init__(self, store: Store, clock: Clock, pause: Callable[[float], None], lasts: timedelta) -> None:
        self._store = store
        self._attempts = attempts_on(store)
        self._clock = clock
        self._pause = pause
        self._lasts = lasts
        self._prefix = f"{PROBE_PREFIX}{new_id()}/"
        self._checks: list[Check] = []
        self._ahead = timedelta(0)
        self._last_lock_until = clock.now()

    def run(self) -> ProbeReport:
        """One round of all checks; what it made is removed whatever happens."""
        at = self._clock.now()
        try:
            self._check("bucket-locked", lambda: "" if self._attempts.is_bucket_locked() else "they are not")
            self._first_contact()
            governed = self._put("governance-lock-set", LockMode.GOVERNANCE)
            complied = self._put("compliance-lock-set", LockMode.COMPLIANCE)
            in_parts = self._put("parts-lock-set", LockMode.GOVERNANCE, in_parts=True)
            self._deletions(governed, complied, in_parts)
            self._lock_changes(governed, complied)
            self._hiding(governed)
            self._strengthening(governed)
            self._hold()
        finally:
            litter = self._clean_up()
        return ProbeReport(self._store.name, at, tuple(self._checks), litter)

    def _first_contact(self) -> None:
        data = b"slipvault probe bytes"
        before = self._clock.now()
        info = self._store.put_new(self._prefix + "bytes", _content(data), NO_LOCK)
        self._ahead = info.stored_at - before
        if abs(self._ahead) <= 2 * _ROUNDING:  # stores tell whole seconds
            self._ahead = timedelta(0)
        difference = f"they differ by {self._ahead.total_seconds():.0f} s"
        self._check("clocks-agree", lambda: difference if abs(self._ahead) > CLOCK_DIFFERENCE_MAX else "")
        self._check("range-reads", lambda: self._range(info))
        damaged = self._prefix + "damaged"
        self._check("damaged-bytes-refused", lambda: "accepted" if self._attempts.put_damaged(damaged, data) else "")

    def _deletions(self, governed: ObjectInfo | None, complied: ObjectInfo | None, parts: ObjectInfo | None) -> None:
        delete = self._attempts.delete

        def among_many(key: str, version_id: str) -> bool:
            return self._attempts.delete_among_many(key, version_id)

        def plain(key: str, version_id: str) -> bool:
            return delete(key, version_id, bypass=False)

        def bypass(key: str, version_id: str) -> bool:
            return delete(key, version_id, bypass=True)

        self._refuses("governance-delete-refused", governed, plain)
        self._refuses("compliance-delete-refused", complied, plain)
        self._refuses("compliance-batch-delete-refused", complied, among_many)
        self._refuses("compliance-bypass-refused", complied, bypass)
        self._refuses("parts-delete-refused", parts, plain)

    def _lock_changes(self, governed: ObjectInfo | None, complied: ObjectInfo | None) -> None:
        now = self._store_now()
        soon, past = now + _ROUNDING, now - timedelta(days=1)
        later = now + self._lasts + 2 * _ROUNDING
        tries = (
            ("compliance-shorten-refused", complied, Lock(LockMode.COMPLIANCE, soon)),
            ("compliance-downgrade-refused", complied, Lock(LockMode.GOVERNANCE, later)),
            ("compliance-clear-refused", complied, NO_LOCK),
            ("past-date-refused", governed, Lock(LockMode.GOVERNANCE, past)),
            ("governance-shorten-refused", governed, Lock(LockMode.GOVERNANCE, soon)),
            ("governance-clear-refused", governed, NO_LOCK),
        )
        self._last_lock_until = max(self._last_lock_until, later + _ROUNDING)
        for name, info, lock in tries:
            self._keeps_lock(name, info, lock)
        self._on(complied, "extend-allowed", lambda info: self._extends(info, Lock(LockMode.COMPLIANCE, later)))

    def _hiding(self, governed: ObjectInfo | None) -> None:
        def _after(act: Callable[[str], object]) -> Callable[[ObjectInfo], str]:
            def check(info: ObjectInfo) -> str:
                act(info.key)
                return "" if self._reads_back(info) else "the locked version cannot be read any more"

            return check

        other = b"slipvault probe, other bytes"
        self._on(governed, "overwrite-keeps-version", _after(lambda key: self._attempts.overwrite(key, other)))
        self._on(governed, "marker-keeps-version", _after(self._attempts.hide))

    def _strengthening(self, governed: ObjectInfo | None) -> None:
        stronger = Lock(LockMode.COMPLIANCE, self._last_lock_until)
        self._on(governed, "strengthen-allowed", lambda info: self._extends(info, stronger))

    def _hold(self) -> None:
        # Without a lock of its own, so that nothing but the hold can be what refuses.
        held = self._store.put_new(self._prefix + "hold", _content(b"slipvault probe hold"), NO_LOCK)

        def _refuses(info: ObjectInfo) -> str:
            self._store.set_hold(info.key, info.version_id, on=True)
            self._attempts.delete(info.key, info.version_id, bypass=True)
            if not self._is_there(info):
                return "it was deleted"
            self._store.set_hold(info.key, info.version_id, on=False)
            return ""

        def _is_gone(info: ObjectInfo) -> str:
            self._attempts.delete(info.key, info.version_id, bypass=False)
            if not self._is_there(info):
                return ""
            present = self._store.head(info.key, info.version_id)
            is_only_held_by_default = present.lock == info.lock != NO_LOCK and not present.legal_hold
            return "" if is_only_held_by_default else "it is still there"

        self._on(held, "hold-refuses-delete", _refuses)
        self._on(held, "hold-cleared-allows-delete", _is_gone)

    def _put(self, name: str, mode: LockMode, *, in_parts: bool = False) -> ObjectInfo | None:
        lock = Lock(mode, self._store_now() + self._lasts)
        assert lock.until is not None
        self._last_lock_until = max(self._last_lock_until, lock.until)
        content = _content(f"slipvault probe {name}".encode())
        put = self._attempts.put_in_parts if in_parts else self._store.put_new
        made: list[ObjectInfo] = []

        def _check() -> str:
            made.append(put(self._prefix + name, content, lock))
            return "" if self._reads_back(made[0]) else "other bytes"

        self._check(name, _check)
        return made[0] if made else None

    def _refuses(self, name: str, info: ObjectInfo | None, act: Callable[[str, str], bool]) -> None:
        def _check(info: ObjectInfo) -> str:
            was_accepted = act(info.key, info.version_id)
            if not self._is_there(info):
                return "it was deleted"
            return "the store said that it was deleted" if was_accepted else ""

        self._on(info, name, _check)

    def _keeps_lock(self, name: str, info: ObjectInfo | None, lock: Lock) -> None:
        def _check(info: ObjectInfo) -> str:
            before = self._store.head(info.key, info.version_id).lock
            if not before.covers(info.lock):  # an earlier attempt got through: the lock is set again
                self._attempts.set_lock(info.key, info.version_id, info.lock)
                before = self._store.head(info.key, info.version_id).lock
            was_accepted = self._attempts.set_lock(info.key, info.version_id, lock)
            found = self._store.head(info.key, info.version_id).lock
            if not found.covers(before):
                return f"{words(before)} became {words(found)}"
            return "the store said yes and did nothing" if was_accepted else ""

        self._on(info, name, _check)

    def _extends(self, info: ObjectInfo, lock: Lock) -> str:
        present = self._store.head(info.key, info.version_id).lock
        found = self._store.set_retention(info.key, info.version_id, present.joined(lock)).lock
        return "" if found.covers(lock) else words(found)

    def _on(self, info: ObjectInfo | None, name: str, act: Callable[[ObjectInfo], str]) -> None:
        """A check that means something only while the object's lock runs by the store's clock."""
        if info is None:
            self._checks.append(Check(name, False, MESSAGES[name], "the object could not be written"))
            return
        ok = self._check(name, lambda: act(info))
        if not ok and info.lock.until is not None and self._store_now() + _MARGIN >= info.lock.until:
            raise _TooSlow

    def _check(self, name: str, act: Callable[[], str]) -> bool:
        try:
            found = act()
        except (StoreLied, StoreDenied, LockRefused, ObjectNotFound) as error:
            found = str(error)
        self._checks.append(Check(name, not found, MESSAGES[name], found))
        return not found

    def _reads_back(self, info: ObjectInfo) -> bool:
        with self._store.open(info.key, info.version_id) as stream:
            return hashlib.sha256(stream.read()).digest() == info.sha256

    def _range(self, info: ObjectInfo) -> str:
        with self._store.open(info.key, info.version_id, 10, 5) as stream:
            data = stream.read()
        return "" if data == b"probe" else f"{len(data)} other bytes"

    def _is_there(self, info: ObjectInfo) -> bool:
        try:
            self._store.head(info.key, info.version_id)
        except ObjectNotFound:
            return False
        return True

    def _store_now(self) -> datetime:
        return self._clock.now() + self._ahead

    def _clean_up(self) -> tuple[str, ...]:
        left_s = (self._last_lock_until + _MARGIN - self._store_now()).total_seconds()
        if left_s > 0:
            self._pause(left_s)
        litter = []
        for key, version_id in list(self._attempts.versions(self._prefix)):
            if not self._attempts.delete(key, version_id, bypass=True):
                info = self._store.head(key, version_id)
                litter.append(f"{key} {version_id}: {words(info.lock)}{', held' if info.legal_hold else ''}")
        return tuple(litter)


def _content(data: bytes) -> Content:
    return Content.from_bytes(data, hashlib.sha256(data).digest())
