"""A store in memory, with all the rules: for services' tests, where nothing needs to survive."""

from __future__ import annotations

import io
import threading
from collections.abc import Iterator
from dataclasses import replace
from typing import BinaryIO

from vault.foundation.clock import Clock
from vault.foundation.storage import rules
from vault.foundation.storage.errors import AlreadyExists, ObjectNotFound
from vault.foundation.storage.interface import Content, Lock, ObjectInfo, check_read_back


class MemoryStore:
    """Keeps versions in a dictionary under one lock."""

    def __init__(self, name: str, clock: Clock) -> None:
        self.name = f"memory://{name}"
        self._clock = clock
        self._versions: dict[str, list[tuple[ObjectInfo, bytes]]] = {}
        self._guard = threading.RLock()

    def put_new(self, key: str, content: Content, lock: Lock) -> ObjectInfo:
        """See `Store.put_new`."""
        with self._guard:
            if self._versions.get(key):
                present = self._versions[key][-1][0]
                if (present.sha256, present.size_bytes) != (content.sha256, content.size_bytes):
                    raise AlreadyExists(store=self.name, key=key)
                if not present.lock.covers(lock):
                    present = self.set_retention(key, present.version_id, lock)
                return present
            with content.open() as reader:
                data = reader.read()
            info = ObjectInfo(key, "1", len(data), content.sha256, lock, False, self._clock.now())
            self._versions[key] = [(info, data)]
            return check_read_back(self.name, info, content, lock)

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
            keys = sorted(k for k in self._versions if k.startswith(prefix) and (after is None or k > after))
        for key in keys:
            for info, _ in list(self._versions[key]):
                yield info

    def set_retention(self, key: str, version_id: str, lock: Lock) -> ObjectInfo:
        """See `Store.set_retention`."""
        with self._guard:
            info, _ = self._find(key, version_id)
            return self._replace(info, replace(info, lock=rules.extended(key, info.lock, lock, self._clock.now())))

    def set_hold(self, key: str, version_id: str, *, on: bool) -> ObjectInfo:
        """See `Store.set_hold`."""
        with self._guard:
            info, _ = self._find(key, version_id)
            return self._replace(info, replace(info, legal_hold=on))

    def attempt_delete(self, key: str, version_id: str, *, bypass: bool) -> bool:
        """For the probe: tries to delete a version; says whether the store let it happen."""
        with self._guard:
            info, _ = self._find(key, version_id)
            now = self._clock.now()
            if not rules.may_delete(info.lock, legal_hold=info.legal_hold, bypass=bypass, now=now):
                return False
            self._versions[key] = [held for held in self._versions[key] if held[0].version_id != version_id]
            return True

    def _find(self, key: str, version_id: str | None) -> tuple[ObjectInfo, bytes]:
        with self._guard:
            for info, data in reversed(self._versions.get(key, [])):
                if version_id in (None, info.version_id):
                    return info, data
        raise ObjectNotFound(store=self.name, key=key)

    def _replace(self, old: ObjectInfo, new: ObjectInfo) -> ObjectInfo:
        held = self._versions[old.key]
        held[[info for info, _ in held].index(old)] = (new, self._find(old.key, old.version_id)[1])
        return new
