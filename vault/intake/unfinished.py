"""An upload that comes in pieces: what has arrived is kept between requests, so that a cut costs one piece.

The bytes lie in the spool in segments of 1 MiB, each sealed under a key of the upload that only the custodian unwraps: a
copy of the home carries nothing away that opens without it, or after a shredding has destroyed the epoch (K1). A segment
that a loss of power damaged does not open either. Only whole segments count as received.
"""

from __future__ import annotations

import fcntl
import hashlib
import io
import os
import shutil
import struct
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from pathlib import Path
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from vault.foundation.clock import Clock
from vault.foundation.context import Context
from vault.foundation.keys.errors import EpochGone, UnwrapFailed
from vault.foundation.keys.record_key import KEY_BYTES
from vault.foundation.ledger.entry import SYSTEM
from vault.intake.errors import NoRoom, PieceOutOfPlace, ReceivedDamaged, UploadBusy
from vault.intake.sealing import spool_failures

SEGMENT_BYTES = 1 << 20
KEPT_FOR = timedelta(hours=48)
ROOM_LEFT_BYTES = 256 << 20
_TAG_BYTES = 16
_HEADER = struct.Struct(">I60s")  # the epoch, and the upload's key as the custodian wraps it
_STEP = SEGMENT_BYTES + _TAG_BYTES


class UnfinishedUpload:
    """What has arrived of one file of `size_bytes` that `sender_id` sends under `client_key`; close it when done."""

    def __init__(self, ctx: Context, sender_id: UUID, client_key: str, size_bytes: int) -> None:
        identity = b"\0".join((sender_id.bytes, str(size_bytes).encode(), client_key.encode()))
        name = hashlib.sha256(identity)
        directory = ctx.spool_directory / "unfinished"
        self.size_bytes = size_bytes
        self._path = directory / name.hexdigest()
        with spool_failures():
            directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._handle = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
            try:
                self._cipher = AESGCM(self._key(ctx, b"slipvault/1/spool" + name.digest()))
            except BaseException:
                self.close()
                raise

    def _key(self, ctx: Context, place: bytes) -> bytes:
        """The upload's key, made with the file. One whose epoch is gone leads to nothing: the upload begins anew."""
        with self._alone():
            header = os.pread(self._handle, _HEADER.size, 0)
            if len(header) == _HEADER.size:
                epoch, wrapped = _HEADER.unpack(header)
                with suppress(EpochGone, UnwrapFailed):
                    return ctx.custodian.unwrap(epoch, wrapped, place)
                os.ftruncate(self._handle, 0)
            key, epoch = os.urandom(KEY_BYTES), _newest_epoch(ctx)
            os.pwrite(self._handle, _HEADER.pack(epoch, ctx.custodian.wrap(epoch, key, place)), 0)
            return key

    def close(self) -> None:
        """Lets go of the file, which stays."""
        os.close(self._handle)

    @property
    def received_bytes(self) -> int:
        """How many bytes from the first on have arrived: whole segments, and the last one when all is there."""
        kept = os.fstat(self._handle).st_size - _HEADER.size
        segments = -(-self.size_bytes // SEGMENT_BYTES)
        if kept == self.size_bytes + segments * _TAG_BYTES:
            return self.size_bytes
        return kept // _STEP * SEGMENT_BYTES

    @property
    def is_complete(self) -> bool:
        """Whether every byte has arrived."""
        return self.received_bytes == self.size_bytes

    def append(self, at: int, data: bytes | memoryview) -> None:
        """Keeps the segment that begins at byte `at`.

        Raises:
            PieceOutOfPlace: another request has brought these bytes, or bytes before them are missing.
            NoRoom: the disk is full.
            UploadBusy: another request is writing at this moment.
        """
        index = at // SEGMENT_BYTES
        sealed = self._cipher.encrypt(_nonce(index), data, None)
        with self._alone():
            if self.received_bytes != at:
                raise PieceOutOfPlace(received_bytes=self.received_bytes)
            with spool_failures():
                os.pwrite(self._handle, sealed, _HEADER.size + index * _STEP)

    @contextmanager
    def opened(self) -> Iterator[io.BufferedReader]:
        """The whole as a seekable file, while no other request may settle the same upload.

        Raises:
            UploadBusy: another request is settling it.
            ReceivedDamaged: on reading: a segment is not what was written. It can only be sent again.
        """
        with self._alone():
            yield io.BufferedReader(_Reader(self), SEGMENT_BYTES)

    def forget(self) -> None:
        """Removes what is kept: it is settled, or of no use."""
        self._path.unlink(missing_ok=True)

    def segment(self, index: int) -> bytes:
        """The plain bytes of one segment."""
        length = min(SEGMENT_BYTES, self.size_bytes - index * SEGMENT_BYTES)
        sealed = os.pread(self._handle, length + _TAG_BYTES, _HEADER.size + index * _STEP)
        try:
            return self._cipher.decrypt(_nonce(index), sealed, None)
        except (InvalidTag, ValueError):
            raise ReceivedDamaged from None

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Not waiting: whoever sends can wait, a thread of the server should not."""
        try:
            fcntl.flock(self._handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise UploadBusy(retry_after_s=2) from None
        try:
            yield
        finally:
            fcntl.flock(self._handle, fcntl.LOCK_UN)


class _Reader(io.RawIOBase):
    def __init__(self, upload: UnfinishedUpload) -> None:
        self._upload = upload
        self._position = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._position

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._upload.size_bytes}[whence]
        self._position = max(0, base + offset)
        return self._position

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]  # io passes only these two
        if self._position >= self._upload.size_bytes:
            return 0
        index, offset = divmod(self._position, SEGMENT_BYTES)
        part = self._upload.segment(index)[offset : offset + len(buffer)]
        buffer[: len(part)] = part
        self._position += len(part)
        return len(part)


def clear_stale(spool_directory: Path, clock: Clock) -> int:
    """Removes what was not gone on with for two days; says how many."""
    before = (clock.now() - KEPT_FOR).timestamp()
    removed = 0
    for path in (spool_directory / "unfinished").glob("*"):
        with suppress(FileNotFoundError):
            if path.stat().st_mtime < before:
                path.unlink()
                removed += 1
    return removed


def require_room(spool_directory: Path, coming_bytes: int, size_bytes: int) -> None:
    """Checks that the spool has room for the bytes that are still coming and for the sealed file that is made of all.

    Raises:
        NoRoom: it has not.
    """
    spool_directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    free = shutil.disk_usage(spool_directory).free
    if coming_bytes + size_bytes + ROOM_LEFT_BYTES > free:
        raise NoRoom(retry_after_s=60)


def _newest_epoch(ctx: Context) -> int:
    epochs = ctx.custodian.epochs()
    if epochs:
        return epochs[-1]
    with ctx.database.transaction(SYSTEM) as tx:
        epoch = ctx.keyring.ensure_epoch(tx)
        tx.commit()
    return epoch


def _nonce(index: int) -> bytes:
    return index.to_bytes(12)
