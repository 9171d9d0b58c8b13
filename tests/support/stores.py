"""Stores that fail as real ones do, around a real one."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from tests.support.archive import Archive
from vault.foundation.storage.errors import StoreUnavailable
from vault.foundation.storage.interface import NO_LOCK, Content, Lock, ObjectInfo


class CutOffStore:
    """A store whose answer to a write is lost, or that is lost before the write."""

    def __init__(self, inner: Any, *, is_written: bool) -> None:
        self._inner = inner
        self._is_written = is_written

    def put_new(self, key: str, content: Content, lock: Lock, *, is_fresh: bool = False) -> ObjectInfo:
        if self._is_written:
            self._inner.put_new(key, content, lock, is_fresh=is_fresh)
        raise StoreUnavailable(store=self._inner.name, problem="connection lost")

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)


class BeforeHolding:
    """A store to which something happens just before the first legal hold is set."""

    def __init__(self, inner: Any, happens: Callable[[], None]) -> None:
        self._inner = inner
        self._happens: Callable[[], None] | None = happens

    def set_hold(self, key: str, version_id: str, *, on: bool) -> ObjectInfo:
        happens, self._happens = self._happens, None
        if happens is not None:
            happens()
        info: ObjectInfo = self._inner.set_hold(key, version_id, on=on)
        return info

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)


@contextmanager
def cut_off(archive: Archive, *, is_written: bool) -> Iterator[None]:
    """While this lasts every upload ends between its two transactions."""
    whole = archive.ctx
    archive.ctx = replace(whole, store=CutOffStore(whole.store, is_written=is_written))
    try:
        yield
    finally:
        archive.ctx = whole


def rewrite_lock(directory: Path, key: str, lock: Lock) -> None:
    """What somebody with the rights of a write-once directory's owner can do: no first lock any more, another lock file."""
    name = hashlib.sha256(key.encode()).hexdigest()
    path = directory / "objects" / name[:2] / name
    line, _, rest = path.read_bytes().partition(b"\n")
    path.chmod(0o600)
    path.write_bytes(_with_digest({**json.loads(line), "lock": _told(NO_LOCK)}) + rest.partition(b"\n")[2])
    lock_path = directory / "locks" / name[:2] / name
    lock_path.unlink(missing_ok=True)
    if lock.until is not None:
        lock_path.write_bytes(_with_digest({"format": 1, "legal_hold": False, **_told(lock)}))


def _told(lock: Lock) -> dict[str, str | None]:
    return {"mode": lock.mode.value, "until": lock.until.isoformat(timespec="seconds") if lock.until else None}


def _with_digest(told: dict[str, Any]) -> bytes:
    line = json.dumps(told, ensure_ascii=True, sort_keys=True, separators=(",", ":")).encode()
    return line + b"\n" + hashlib.sha256(line).hexdigest().encode() + b"\n"
