"""Sealing what came in, small things in memory and large ones through a nameless file."""

from __future__ import annotations

import errno
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, BinaryIO
from uuid import UUID

from vault.foundation.errors import N_
from vault.foundation.keys.keyring import RecordKey
from vault.foundation.keys.plain_tag import PlainTag, Tagging
from vault.foundation.keys.sealed_object import seal_bytes, seal_stream
from vault.foundation.storage.interface import Content
from vault.intake.errors import NoRoom, SpoolUnavailable

IN_MEMORY_BYTES_MAX = 16 << 20


@contextmanager
def sealed_content(
    record_key: RecordKey,
    component_id: UUID,
    content: BinaryIO,
    size_bytes: int,
    sha256: bytes,
    spool_directory: Path,
    tag: PlainTag | None = None,
) -> Iterator[Content]:
    """The sealed bytes of `content`, ready for a store to take as often as it must.

    `sha256` is the digest of the plain bytes, taken when they arrived; sealing binds it. `tag` was taken with it where the
    bytes have rested on a disk since. Large content is sealed into a nameless file, which holds ciphertext only and
    vanishes with its handle.

    Raises:
        BytesChanged: the bytes are not those that arrived.
        NoRoom, SpoolUnavailable: the disk of the nameless file is full or fails.
    """
    content.seek(0)
    if size_bytes <= IN_MEMORY_BYTES_MAX:
        plain = content.read()
        if tag is not None:
            again = Tagging(tag)
            again.update(plain)
            tag.require(again)
        sealed = seal_bytes(record_key, component_id, plain, sha256)
        yield Content.from_bytes(sealed.data, sealed.sha256)
        return
    with spool_failures(), nameless_file(spool_directory) as file:
        receipt = seal_stream(record_key, component_id, content, size_bytes, sha256, file, tag=tag)
        file.flush()
        yield Content.from_file(file, receipt.sealed_size_bytes, receipt.sha256)


@contextmanager
def spool_failures() -> Iterator[None]:
    """Gives a full or failing disk under the spool directory its name. Raises NoRoom, SpoolUnavailable."""
    try:
        yield
    except OSError as error:
        if error.errno in {errno.ENOSPC, errno.EDQUOT}:
            raise NoRoom(retry_after_s=60) from error
        raise SpoolUnavailable(problem=error.strerror or N_("input/output error")) from error


def nameless_file(spool_directory: Path) -> IO[bytes]:
    """A file that no name leads to: a crash leaves nothing of it behind."""
    spool_directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    return tempfile.TemporaryFile(dir=os.fspath(spool_directory))
