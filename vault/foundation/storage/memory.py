"""A store in memory, with all the rules: for services' tests, where nothing needs to survive."""

from __future__ import annotations

import hashlib
import io
import threading
from collections.abc import Iterator
from dataclasses import replace
from typing import BinaryIO

from vault.foundation.clock import Clock
from vault.foundation.storage import rules
from vault.foundation.storage.errors import AlreadyExists, ObjectNotFound
from vault.foundation.storage.interface import Content, Listed, Lock, ObjectInfo, check_read_back

_ONLY_VERSION = "1"


class MemoryStore:
    """Keeps one version of each key in a dictionary under one mutex."""

    def __init__(self, name: str, clock: Clock) -> None:
        self.name = f"memory://{name}"
        self._clock = clock
        self._objects: dict[str, tuple[ObjectInfo, bytes]] = {}
        self._guard = threading.RLock()

    def put_new(self, key: str, content: Content, lock: Lock, *, is_fresh: bool = False) -> ObjectInfo:
        """See `Store.put_new`."""
        del is_fresh  # whether the name is taken is seen without a question of its own
        with self._guard:
            if key in self._objects:
                present = self._objects[key][0]
                if (present.sha256, present.size_bytes) != (content.sha256, content.size_bytes):
                    raise AlreadyExists(store=self.name, key=key)
                if present.lock.covers(lock):
                    return present
                return self.set_retention(key, _ONLY_VERSION, present.lock.joined(lock))
            now = self._clock.now()
            rules.settable(key, lock, now)
            with content.open() as reader:
                data = reader.read()
            info = ObjectInfo(key, _ONLY_VERSION, len(data), hashlib.sha256(data).digest(), lock, False, now)
            check_read_back(self.name, info, content, lock)
            self._objects[key] = (info, data)
            return info

    def open(self, key: str, version_id: str | None = None, offset: int = 0, length: int | None = None) -> BinaryIO:
        """See `Store.open`."""
        data = self._find(key, version_id)[1]
        return io.BytesIO(data[offset:] if length is None else data[offset : offset + length])

    def head(self, key: str, version_id: str | None = None) -> ObjectInfo:
        """See `Store.head`."""
        return self._find(key, version_id)[0]

    def list_versions(self, prefix: str, after: str | None = None) -> Iterator[ObjectInfo]:
        """See `Store.list_versions`."""
        with self._guard:
            found = [self._objects[key][0] for key in sorted(self._objects) if key.startswith(prefix)]
        yield from (info for info in found if after is None or info.key > after)

    def list_names(self, prefix: str, after: str | None = None) -> Iterator[Listed]:
        """See `Store.list_names`. Nothing can put a marker here."""
        for info in self.list_versions(prefix, after):
            yield Listed(info.key, info.version_id, info.stored_at)

    def set_retention(self, key: str, version_id: str, lock: Lock) -> ObjectInfo:
        """See `Store.set_retention`."""
        with self._guard:
            info, data = self._find(key, version_id)
            info = replace(info, lock=rules.extended(key, info.lock, lock, self._clock.now()))
            self._objects[key] = (info, data)
            return info

    def set_hold(self, key: str, version_id: str, *, on: bool) -> ObjectInfo:
        """See `Store.set_hold`."""
        with self._guard:
            info, data = self._find(key, version_id)
            info = replace(info, legal_hold=on)
            self._objects[key] = (info, data)
            return info

    def remove_if_unlocked(self, key: str, version_id: str, *, bypass: bool) -> bool:
        """For `probing`: removes a version where the rules of its lock allow it; says whether they did."""
        with self._guard:
            info, _ = self._find(key, version_id)
            if not rules.may_delete(info.lock, legal_hold=info.legal_hold, bypass=bypass, now=self._clock.now()):
                return False
            del self._objects[key]
            return True

    def _find(self, key: str, version_id: str | None) -> tuple[ObjectInfo, bytes]:
        with self._guard:
            held = self._objects.get(key)
        if held is None or version_id not in {None, _ONLY_VERSION}:
            raise ObjectNotFound(store=self.name, key=key)
        return held
