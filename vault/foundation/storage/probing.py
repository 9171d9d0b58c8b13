"""What the probe tries and nobody else may: acts that a store must refuse.

They are no part of `Store`, and they touch nothing but objects under `PROBE_PREFIX`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Protocol

from vault.foundation.storage.errors import AlreadyExists, LockRefused, StoreLied
from vault.foundation.storage.interface import NO_LOCK, Content, Lock, ObjectInfo, Store
from vault.foundation.storage.memory import MemoryStore
from vault.foundation.storage.retrying import RetryingStore
from vault.foundation.storage.worm_dir import WormDirectory

PROBE_PREFIX = "probe/"


class Attempts(Protocol):
    """One try each; True when the store let it happen. All raise StoreUnavailable when nothing can be learned."""

    def is_bucket_locked(self) -> bool:
        """Whether the store says that versioning and Object Lock are on."""
        ...

    def delete(self, key: str, version_id: str, *, bypass: bool) -> bool:
        """Deletes one version."""
        ...

    def delete_among_many(self, key: str, version_id: str) -> bool:
        """Deletes one version by the request for many."""
        ...

    def hide(self, key: str) -> None:
        """Deletes the key without naming a version, which may leave a marker and no more."""
        ...

    def overwrite(self, key: str, data: bytes) -> bool:
        """Writes other bytes under a key that is taken."""
        ...

    def set_lock(self, key: str, version_id: str, lock: Lock) -> bool:
        """Asks for any retention, lawful or not; `NO_LOCK` asks to clear it."""
        ...

    def put_in_parts(self, key: str, content: Content, lock: Lock) -> ObjectInfo:
        """Writes as the store writes large content, and reads back. Raises StoreLied."""
        ...

    def put_damaged(self, key: str, data: bytes) -> bool:
        """Sends bytes that are not those of the digest sent with them."""
        ...

    def versions(self, prefix: str) -> Iterator[tuple[str, str]]:
        """Key and version of everything under `prefix`, markers included."""
        ...


def attempts_on(store: Store) -> Attempts:
    """The attempts for a store, whatever patience is wrapped around it.

    Raises:
        TypeError: a store of an unknown kind.
    """
    bare = store.inner if isinstance(store, RetryingStore) else store
    if isinstance(bare, MemoryStore | WormDirectory):
        return _OwnRules(bare)
    from vault.foundation.storage.s3 import S3Store
    from vault.foundation.storage.s3_probing import S3Attempts

    if isinstance(bare, S3Store):
        return S3Attempts(bare)
    raise TypeError(f"no attempts are known for {type(bare).__name__}")


def only_probes(key: str) -> str:
    """The key, if it is a probe's. The power to destroy ends here.

    Raises:
        ValueError: it is something else's.
    """
    if not key.startswith(PROBE_PREFIX):
        raise ValueError(f"{key} is not a probe's object")
    return key


class _OwnRules:
    """Attempts on the stores that keep the rules themselves."""

    def __init__(self, store: MemoryStore | WormDirectory) -> None:
        self._store = store

    def is_bucket_locked(self) -> bool:
        """See `Attempts.is_bucket_locked`."""
        return True

    def delete(self, key: str, version_id: str, *, bypass: bool) -> bool:
        """See `Attempts.delete`."""
        return self._store.remove_if_unlocked(only_probes(key), version_id, bypass=bypass)

    def delete_among_many(self, key: str, version_id: str) -> bool:
        """See `Attempts.delete_among_many`."""
        return self.delete(key, version_id, bypass=False)

    def hide(self, key: str) -> None:
        """See `Attempts.hide`."""
        self.delete(key, self._store.head(key).version_id, bypass=False)

    def overwrite(self, key: str, data: bytes) -> bool:
        """See `Attempts.overwrite`."""
        try:
            self._store.put_new(only_probes(key), Content.from_bytes(data, hashlib.sha256(data).digest()), NO_LOCK)
        except AlreadyExists:
            return False
        return True

    def set_lock(self, key: str, version_id: str, lock: Lock) -> bool:
        """See `Attempts.set_lock`."""
        try:
            self._store.set_retention(only_probes(key), version_id, lock)
        except LockRefused:
            return False
        return True

    def put_in_parts(self, key: str, content: Content, lock: Lock) -> ObjectInfo:
        """See `Attempts.put_in_parts`."""
        return self._store.put_new(only_probes(key), content, lock)

    def put_damaged(self, key: str, data: bytes) -> bool:
        """See `Attempts.put_damaged`."""
        try:
            self._store.put_new(
                only_probes(key), Content.from_bytes(data, hashlib.sha256(b"other").digest()), NO_LOCK
            )
        except StoreLied:
            return False
        return True

    def versions(self, prefix: str) -> Iterator[tuple[str, str]]:
        """See `Attempts.versions`."""
        for info in self._store.list_versions(only_probes(prefix)):
            yield info.key, info.version_id
