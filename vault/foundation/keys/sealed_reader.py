"""The plain bytes of a sealed object as a seekable file (`docs/formats/sealed-object.md`)."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import BinaryIO
from uuid import UUID

from vault.foundation.keys.errors import Damaged, SealBroken
from vault.foundation.keys.record_key import RecordKey
from vault.foundation.keys.sealed_object import HEADER_BYTES, TAG_BYTES, accept, open_segment, read_up_to, shape_of


class SealedReader(io.RawIOBase):
    """The plain bytes of a sealed object as a seekable file that fetches only the segments it needs.

    The last segment is authenticated first, because `size_bytes` and the end of the plain text follow from it.

    Raises:
        SealBroken: on opening and on reading, a subclass that names what is wrong.
    """

    def __init__(
        self,
        open_range: Callable[[int, int], BinaryIO],
        sealed_size_bytes: int,
        record_key: RecordKey,
        component_id: UUID,
    ) -> None:
        self._open_range = open_range
        self._sealed_size_bytes = sealed_size_bytes
        with open_range(0, HEADER_BYTES + TAG_BYTES) as stream:
            head = read_up_to(stream, HEADER_BYTES + TAG_BYTES)
        self._header, self._opener, self._aad = accept(record_key, component_id, head)
        self._last, self.size_bytes = shape_of(sealed_size_bytes, self._header)
        self._position = 0
        self._held: tuple[int, bytes] = (-1, b"")
        self._rest: BinaryIO | None = None  # all behind the held segment, while it is read in order
        try:
            self._segment(self._last)
        except Damaged:
            if self._last > 0:
                self._segment(self._last - 1)  # says so if the object was whole before something was added
            raise

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._position

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self.size_bytes}[whence]
        self._position = max(0, base + offset)
        return self._position

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]  # io passes only bytearray/memoryview
        data = self.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)

    def read(self, size: int | None = -1) -> bytes:
        """Up to `size` bytes, all that is left when negative. Raises SealBroken as `open_bytes`."""
        left = max(0, self.size_bytes - self._position)
        wanted = left if size is None or size < 0 else min(size, left)
        parts = []
        while wanted > 0:
            index, offset = divmod(self._position, self._header.segment_bytes)
            part = self._segment(index)[offset : offset + wanted]
            parts.append(part)
            self._position += len(part)
            wanted -= len(part)
        return b"".join(parts) if len(parts) != 1 else parts[0]

    def close(self) -> None:
        self._let_go()
        super().close()

    def _segment(self, index: int) -> bytes:
        if self._held[0] == index:
            return self._held[1]
        try:
            plain = open_segment(self._opener, index, self._fetch(index), self._aad, is_last=index == self._last)
        except SealBroken:
            self._let_go()
            raise
        self._held = (index, plain)
        return plain

    def _fetch(self, index: int) -> bytes:
        """The sealed bytes of a segment. Whoever reads a second one in order gets the rest by one request to the store."""
        step = self._header.segment_bytes + TAG_BYTES
        start = HEADER_BYTES + index * step
        left = self._sealed_size_bytes - start
        if index != self._held[0] + 1 or index == 0:
            self._let_go()
            with self._open_range(start, min(step, left)) as stream:
                return read_up_to(stream, min(step, left))
        rest = self._rest or self._open_range(start, left)
        self._rest = None  # until this has been read whole
        try:
            sealed = read_up_to(rest, min(step, left))
        except BaseException:
            rest.close()
            raise
        self._rest = rest
        return sealed

    def _let_go(self) -> None:
        if self._rest is not None:
            self._rest.close()
            self._rest = None
