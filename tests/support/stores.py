"""Stores that fail as real ones do, around a real one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from tests.support.archive import Archive
from vault.foundation.storage.errors import StoreUnavailable
from vault.foundation.storage.interface import Content, Lock, ObjectInfo


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


@contextmanager
def cut_off(archive: Archive, *, is_written: bool) -> Iterator[None]:
    """While this lasts every upload ends between its two transactions."""
    whole = archive.ctx
    archive.ctx = replace(whole, store=CutOffStore(whole.store, is_written=is_written))
    try:
        yield
    finally:
        archive.ctx = whole
