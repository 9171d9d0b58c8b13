"""A file of this machine that is to be sent: hashed once, and hashed again while its bytes go out."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from vault.foundation.errors import N_, Fault, VaultError

CHUNK_BYTES = 256 << 10


class FileChanged(VaultError):
    """The file was written to while it was being read or sent; nothing of it was kept."""

    code = "file-changed"
    status = 409
    exit_code = 75
    fault = Fault.CALLER
    message = N_("The file {file} changed while it was being sent.")
    hint = N_("Wait until the program that writes it has finished, then send it again.")


@dataclass(frozen=True)
class LocalFile:
    """A file as it was when it was hashed; sending it again checks that it still is that file."""

    path: Path
    size_bytes: int
    modified_ns: int
    sha256: str

    @staticmethod
    def read(path: Path) -> LocalFile:
        """Hashes the file with constant memory.

        Raises:
            FileChanged: it was written to meanwhile.
            OSError: it cannot be read.
        """
        digest = hashlib.sha256()
        with path.open("rb") as file:
            before = os.fstat(file.fileno())
            while chunk := file.read(CHUNK_BYTES):
                digest.update(chunk)
            after = os.fstat(file.fileno())
        if _identity(before) != _identity(after):
            raise FileChanged(file=path.name)
        return LocalFile(path, after.st_size, after.st_mtime_ns, digest.hexdigest())

    def is_still(self, found: os.stat_result) -> bool:
        """Whether `found` is this file, unchanged since it was hashed."""
        return (self.size_bytes, self.modified_ns) == _identity(found)

    def chunks(self) -> Iterator[bytes]:
        """The bytes, hashed again on the way.

        Raises:
            FileChanged: before the last byte is given out, so that a changed file never arrives whole.
        """
        digest, left = hashlib.sha256(), self.size_bytes
        with self.path.open("rb") as file:
            while left > 0:
                chunk = file.read(min(CHUNK_BYTES, left))
                left -= len(chunk)
                digest.update(chunk)
                is_last = left == 0 or not chunk
                if is_last and (digest.hexdigest() != self.sha256 or not self.is_still(os.fstat(file.fileno()))):
                    raise FileChanged(file=self.path.name)
                yield chunk

    def piece(self, start: int, stop: int) -> Iterator[bytes]:
        """The bytes from `start` to `stop`. Of a file in pieces the server compares the digest of the whole.

        Raises:
            FileChanged: it is no longer the file that was hashed.
        """
        left = stop - start
        with self.path.open("rb") as file:
            file.seek(start)
            while left > 0:
                chunk = file.read(min(CHUNK_BYTES, left))
                left -= len(chunk)
                if not chunk or not self.is_still(os.fstat(file.fileno())):
                    raise FileChanged(file=self.path.name)
                yield chunk


def client_key(sha256: str, *parts: str | None, ordinal: int = 0) -> str:
    """The idempotency key of a file: the same bytes, class, unit and batch always have the same one.

    `ordinal` tells apart equal files of one pile, each of which is an item that must be accounted for.
    """
    told = json.dumps(["slipvault-client-key/1", sha256, *[part or "" for part in parts], ordinal])
    return hashlib.sha256(told.encode()).hexdigest()


def _identity(found: os.stat_result) -> tuple[int, int]:
    return found.st_size, found.st_mtime_ns
