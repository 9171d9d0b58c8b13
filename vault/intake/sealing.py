"""Sealing what came in, small things in memory and large ones through a nameless file."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, BinaryIO
from uuid import UUID

from vault.foundation.keys.keyring import RecordKey
from vault.foundation.keys.sealed_object import seal_bytes, seal_stream
from vault.foundation.storage.interface import Content

IN_MEMORY_BYTES_MAX = 16 << 20


@contextmanager
def sealed_content(
    record_key: RecordKey,
    component_id: UUID,
    content: BinaryIO,
    size_bytes: int,
    sha256: bytes,
    spool_directory: Path,
) -> Iterator[Content]:
    """The sealed bytes of `content`, ready for a store to take as often as it must.

    `sha256` is the digest of the plain bytes, taken when they arrived; sealing binds it. Large content is sealed
    into a nameless file, which holds ciphertext only and vanishes with its handle.
    """
    content.seek(0)
    if size_bytes <= IN_MEMORY_BYTES_MAX:
        sealed = seal_bytes(record_key, component_id, content.read(), sha256)
        yield Content.from_bytes(sealed.data, sealed.sha256)
        return
    with nameless_file(spool_directory) as file:
        receipt = seal_stream(record_key, component_id, content, size_bytes, sha256, file)
        yield Content.from_file(file, receipt.sealed_size_bytes, receipt.sha256)


def nameless_file(spool_directory: Path) -> IO[bytes]:
    """A file that no name leads to: a crash leaves nothing of it behind."""
    spool_directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    return tempfile.TemporaryFile(dir=os.fspath(spool_directory))
