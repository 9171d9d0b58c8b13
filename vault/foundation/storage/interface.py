"""The store as the service sees it. There is no delete here: the power to destroy is another import.

A store keeps versions of objects under Object Lock. GOVERNANCE may be lifted by an administrator of the store,
COMPLIANCE by nobody before its date; a legal hold has no date. Locks are only ever extended (invariant R1).
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import IO, BinaryIO, Protocol, cast


class LockMode(StrEnum):
    """The mode of a lock; each is stronger than the one before."""

    NONE = "NONE"
    GOVERNANCE = "GOVERNANCE"
    COMPLIANCE = "COMPLIANCE"

    @property
    def strength(self) -> int:
        """0 for none, then rising."""
        return list(LockMode).index(self)


@dataclass(frozen=True)
class Lock:
    """A lock until an instant (aware UTC, whole seconds)."""

    mode: LockMode = LockMode.NONE
    until: datetime | None = None

    def __post_init__(self) -> None:
        if (self.mode is LockMode.NONE) != (self.until is None):
            raise ValueError("a lock has both a mode and a date, or neither")
        if self.until is not None:
            if self.until.tzinfo is None:
                raise ValueError("an instant must be aware")
            # Stores keep whole seconds: a lock must never end before the instant that was asked for.
            if self.until.microsecond:
                object.__setattr__(self, "until", _next_second(self.until))

    def covers(self, other: Lock) -> bool:
        """Whether this lock is at least as strong and lasts at least as long as `other`."""
        if self.mode.strength < other.mode.strength:
            return False
        return other.until is None or (self.until is not None and self.until >= other.until)

    def joined(self, other: Lock) -> Lock:
        """The least lock that covers both: the stronger mode until the later date."""
        if other.until is None:
            return self
        if self.until is None:
            return other
        return Lock(max(self.mode, other.mode, key=lambda mode: mode.strength), max(self.until, other.until))


NO_LOCK = Lock()


def _next_second(at: datetime) -> datetime:
    return at.replace(microsecond=0) + timedelta(seconds=1)


@dataclass(frozen=True)
class ObjectInfo:
    """One version of one object. `sha256` is what the store keeps of the digest given when it was written.

    `is_damaged`: the version is there, but what the store keeps about it cannot be read; only listings give such.
    """

    key: str
    version_id: str
    size_bytes: int
    sha256: bytes | None
    lock: Lock
    legal_hold: bool
    stored_at: datetime
    is_damaged: bool = False


@dataclass(frozen=True)
class Listed:
    """What a listing names: a version, or a marker that hides the versions of its key without removing them."""

    key: str
    version_id: str
    stored_at: datetime
    is_marker: bool = False

    def damaged(self) -> ObjectInfo:
        """The version when the store can say no more of it than its name."""
        return ObjectInfo(self.key, self.version_id, 0, None, NO_LOCK, False, self.stored_at, is_damaged=True)


class Content:
    """Bytes that can be read as often as a retry needs, with their size and SHA-256."""

    def __init__(self, file: IO[bytes] | None, data: bytes | None, size_bytes: int, sha256: bytes) -> None:
        self._file = file
        self._data = data
        self.size_bytes = size_bytes
        self.sha256 = sha256

    @staticmethod
    def from_bytes(data: bytes, sha256: bytes) -> Content:
        """Content held in memory."""
        return Content(None, data, len(data), sha256)

    @staticmethod
    def from_file(file: IO[bytes], size_bytes: int, sha256: bytes) -> Content:
        """Content of a seekable file, which stays the caller's."""
        return Content(file, None, size_bytes, sha256)

    def open(self) -> BinaryIO:
        """A reader at the first byte. Of a file there is one reader at a time."""
        if self._data is not None:
            return io.BytesIO(self._data)
        assert self._file is not None
        self._file.seek(0)
        return cast("BinaryIO", _Unclosed(self._file))


class _Unclosed(io.RawIOBase):
    """Reads a file that somebody else closes."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = 0) -> int:
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        return self._file.tell()

    def read(self, size: int = -1) -> bytes:
        return self._file.read(size)


class Store(Protocol):
    """A place for sealed objects. Every method may raise `StoreUnavailable` or `StoreDenied`."""

    @property
    def name(self) -> str:
        """Scheme and place without secrets: the identity by which the catalogue knows the store."""
        ...

    def put_new(self, key: str, content: Content, lock: Lock, *, is_fresh: bool = False) -> ObjectInfo:
        """Stores bytes that are durable, locked and read back when this returns.

        The same bytes under the same key give the version that is there, its lock extended when shorter.
        `is_fresh` is the caller's word that nobody can have used the key yet, because it was drawn a moment ago:
        a store that would have to ask first saves the question.

        Raises:
            AlreadyExists: the key is taken by other bytes.
            StoreLied: what was read back is not what was written.
        """
        ...

    def open(self, key: str, version_id: str | None = None, offset: int = 0, length: int | None = None) -> BinaryIO:
        """The bytes from `offset`, at most `length`; close it. Raises ObjectNotFound."""
        ...

    def head(self, key: str, version_id: str | None = None) -> ObjectInfo:
        """What the store says of a version, the newest when none is named.

        Raises:
            ObjectNotFound: there is none.
            StoreLied: what the store keeps about it cannot be read.
        """
        ...

    def list_versions(self, prefix: str, after: str | None = None) -> Iterator[ObjectInfo]:
        """Every version under `prefix` in key order, beginning behind the key `after`.

        One about which nothing can be read is given as damaged: it hides none of the others.
        """
        ...

    def list_names(self, prefix: str, after: str | None = None) -> Iterator[Listed]:
        """The same by name alone, delete markers too: as fast as the store can list, for who asks heads by himself."""
        ...

    def set_retention(self, key: str, version_id: str, lock: Lock) -> ObjectInfo:
        """Extends or strengthens a lock. Raises LockRefused when it would become shorter or weaker."""
        ...

    def set_hold(self, key: str, version_id: str, *, on: bool) -> ObjectInfo:
        """Sets or clears the legal hold of a version."""
        ...


def check_read_back(store: str, info: ObjectInfo, content: Content, lock: Lock) -> ObjectInfo:
    """Compares what was read back after a write with what was meant.

    Raises:
        StoreLied: size, digest, lock mode or lock date differ.
    """
    from vault.foundation.storage.errors import StoreLied

    facts = (
        ("size", content.size_bytes, info.size_bytes),
        ("digest", content.sha256.hex(), info.sha256.hex() if info.sha256 else None),
    )
    for what, expected, found in facts:
        if expected != found:
            raise StoreLied(store=store, key=info.key, what=what, expected=expected, found=found)
    if not info.lock.covers(lock):
        raise StoreLied(store=store, key=info.key, what="lock", expected=words(lock), found=words(info.lock))
    return info


def words(lock: Lock) -> str:
    """A lock in words, for errors and findings."""
    return f"{lock.mode.value} {lock.until:%Y-%m-%dT%H:%M:%SZ}" if lock.until else lock.mode.value
