"""Retries around any store: passing failures are tried again with growing pauses, permanent ones are not.

Every operation of the interface may be repeated: `put_new` recognises its own earlier bytes, the locks only
grow. A stream that breaks in the middle is opened again where it broke.
"""

from __future__ import annotations

import io
import itertools
import random
import time
from collections.abc import Callable, Iterator
from typing import BinaryIO, TypeVar, cast

from vault.foundation.clock import Clock
from vault.foundation.storage.errors import StoreUnavailable
from vault.foundation.storage.interface import Content, Listed, Lock, ObjectInfo, Store

ATTEMPTS_MAX = 5
DEADLINE_S = 60.0
_PAUSE_FIRST_S = 0.1
_PAUSE_MAX_S = 5.0
_PIECE_BYTES = 1 << 20

Result = TypeVar("Result")
Line = TypeVar("Line", Listed, ObjectInfo)


class RetryingStore:
    """The same interface with patience."""

    def __init__(self, inner: Store, clock: Clock, *, pause: Callable[[float], None] = time.sleep) -> None:
        self.inner = inner
        self.name = inner.name
        self._clock = clock
        self._pause = pause

    def put_new(self, key: str, content: Content, lock: Lock, *, is_fresh: bool = False) -> ObjectInfo:
        """See `Store.put_new`."""
        tries = itertools.count()
        # After a failure nobody knows what was stored: the second try asks first.
        return self._patiently(lambda: self.inner.put_new(key, content, lock, is_fresh=is_fresh and next(tries) == 0))

    def open(self, key: str, version_id: str | None = None, offset: int = 0, length: int | None = None) -> BinaryIO:
        """See `Store.open`; the stream itself is patient too."""
        first = self._patiently(lambda: self.inner.open(key, version_id, offset, length))

        def reopen(done: int) -> BinaryIO:
            rest = None if length is None else length - done
            return self.inner.open(key, version_id, offset + done, rest)

        return cast("BinaryIO", _PatientStream(first, reopen, self._patiently))

    def head(self, key: str, version_id: str | None = None) -> ObjectInfo:
        """See `Store.head`."""
        return self._patiently(lambda: self.inner.head(key, version_id))

    def list_versions(self, prefix: str, after: str | None = None) -> Iterator[ObjectInfo]:
        """See `Store.list_versions`; goes on behind the last key when a page fails."""
        return self._listed_patiently(lambda: self.inner.list_versions(prefix, after), after)

    def list_names(self, prefix: str, after: str | None = None) -> Iterator[Listed]:
        """See `Store.list_names`; goes on as `list_versions` does."""
        return self._listed_patiently(lambda: self.inner.list_names(prefix, after), after)

    def _listed_patiently(self, listing: Callable[[], Iterator[Line]], after: str | None) -> Iterator[Line]:
        last, given_of_last = after, 0
        attempt = 0
        while True:
            try:
                seen_of_key: dict[str, int] = {}
                for line in listing():
                    seen_of_key = {line.key: seen_of_key.get(line.key, 0) + 1}
                    if last is not None and line.key < last:
                        continue
                    if line.key == last and seen_of_key[line.key] <= given_of_last:
                        continue
                    given_of_last = seen_of_key[line.key]
                    last = line.key
                    attempt = 0
                    yield line
                return
            except StoreUnavailable:
                attempt += 1
                if attempt >= ATTEMPTS_MAX:
                    raise
                self._pause(_pause_s(attempt))

    def set_retention(self, key: str, version_id: str, lock: Lock) -> ObjectInfo:
        """See `Store.set_retention`."""
        return self._patiently(lambda: self.inner.set_retention(key, version_id, lock))

    def set_hold(self, key: str, version_id: str, *, on: bool) -> ObjectInfo:
        """See `Store.set_hold`."""
        return self._patiently(lambda: self.inner.set_hold(key, version_id, on=on))

    def _patiently(self, act: Callable[[], Result]) -> Result:
        started_s = self._clock.monotonic()
        attempt = 0
        while True:
            try:
                return act()
            except StoreUnavailable:
                attempt += 1
                pause_s = _pause_s(attempt)
                is_late = self._clock.monotonic() + pause_s - started_s > DEADLINE_S
                if attempt >= ATTEMPTS_MAX or is_late:
                    raise
                self._pause(pause_s)


class _PatientStream(io.RawIOBase):
    """Reads on from where a passing failure cut the stream."""

    def __init__(
        self,
        stream: BinaryIO,
        reopen: Callable[[int], BinaryIO],
        patiently: Callable[[Callable[[], bytes]], bytes],
    ) -> None:
        self._stream = stream
        self._reopen = reopen
        self._patiently = patiently
        self._done_bytes = 0
        self._is_broken = False

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        if size is None or size < 0:  # in pieces: a line that is cut every minute still brings all of it
            return b"".join(iter(lambda: self._read_some(_PIECE_BYTES), b""))
        return self._read_some(size)

    def _read_some(self, size: int) -> bytes:
        def _once() -> bytes:
            if self._is_broken:
                self._stream = self._reopen(self._done_bytes)
                self._is_broken = False
            try:
                return self._stream.read(size)
            except StoreUnavailable:
                self._is_broken = True
                self._stream.close()
                raise

        data = self._patiently(_once)
        self._done_bytes += len(data)
        return data

    def close(self) -> None:
        self._stream.close()
        super().close()


def _pause_s(attempt: int) -> float:
    """Doubling pauses with a random share, so that many clients do not come back together."""
    longest_s = min(_PAUSE_MAX_S, _PAUSE_FIRST_S * float(2 ** (attempt - 1)))
    return longest_s * (0.5 + random.random() / 2)  # noqa: S311 - scattering needs no unpredictability
