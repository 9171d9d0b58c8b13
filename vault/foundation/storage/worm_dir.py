"""The write-once directory, `docs/formats/worm-dir.md`: the embedded default store."""

from __future__ import annotations

import fcntl
import hashlib
import io
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO, cast

from vault.foundation.clock import Clock
from vault.foundation.ids import new_id
from vault.foundation.storage import rules
from vault.foundation.storage.errors import (
    AlreadyExists,
    BadStoreAddress,
    ObjectNotFound,
    StoreLied,
    StoreUnavailable,
)
from vault.foundation.storage.interface import NO_LOCK, Content, Lock, LockMode, ObjectInfo, check_read_back

_FORMAT = "slipvault worm directory 1\n"
_ONLY_VERSION = "1"
_HEADER_BYTES_MAX = 8192
_COPY_BYTES = 1 << 20


class WormDirectory:
    """Create-once files with locks of our own keeping. Safe for many threads and processes."""

    def __init__(self, directory: Path, clock: Clock) -> None:
        self.name = f"worm://{directory}"
        self._directory = directory
        self._clock = clock
        self._prepare()

    def put_new(self, key: str, content: Content, lock: Lock) -> ObjectInfo:
        """See `Store.put_new`. Two fsyncs: the file's and its directory's."""
        path = self._object_path(key)
        header = _encode_header(key, content, lock, self._clock.now())
        temporary = self._directory / "tmp" / str(new_id())
        try:
            _write_whole(temporary, header, content)
            try:
                os.link(temporary, path)
            except FileExistsError:
                return self._present(key, content, lock)
            _sync_directory(path.parent)
        except OSError as error:
            raise StoreUnavailable(store=self.name, problem=error.strerror or "input/output error") from error
        finally:
            temporary.unlink(missing_ok=True)
        return check_read_back(self.name, self.head(key), content, lock)

    def open(self, key: str, version_id: str | None = None, offset: int = 0, length: int | None = None) -> BinaryIO:
        """See `Store.open`."""
        file = self._open_object(key, version_id)
        _, start = self._read_header(file, key)
        return cast("BinaryIO", _Window(file, start + offset, length))

    def head(self, key: str, version_id: str | None = None) -> ObjectInfo:
        """See `Store.head`. The size is that of the file, not what its first line says."""
        with self._open_object(key, version_id) as file:
            info, start = self._read_header(file, key)
            size = os.fstat(file.fileno()).st_size - start
        return self._with_present_lock(replace(info, size_bytes=size))

    def list_versions(self, prefix: str, after: str | None = None) -> Iterator[ObjectInfo]:
        """See `Store.list_versions`. Reads every object's first line: the names are digests."""
        found = []
        for fan in sorted((self._directory / "objects").iterdir()):
            for path in fan.iterdir():
                with path.open("rb") as file:
                    key = self._read_header(file, path.name)[0].key
                if key.startswith(prefix) and (after is None or key > after):
                    found.append(key)
        for key in sorted(found):
            yield self.head(key)

    def set_retention(self, key: str, version_id: str, lock: Lock) -> ObjectInfo:
        """See `Store.set_retention`."""
        with self._changing_lock(key):
            info = self.head(key, version_id)
            wanted = rules.extended(key, info.lock, lock, self._clock.now())
            self._write_lock(key, wanted, legal_hold=info.legal_hold)
        return self.head(key, version_id)

    def set_hold(self, key: str, version_id: str, *, on: bool) -> ObjectInfo:
        """See `Store.set_hold`."""
        with self._changing_lock(key):
            info = self.head(key, version_id)
            self._write_lock(key, info.lock, legal_hold=on)
        return self.head(key, version_id)

    def attempt_delete(self, key: str, version_id: str, *, bypass: bool) -> bool:
        """For the probe: tries to delete a version; says whether the store let it happen."""
        with self._changing_lock(key):
            info = self.head(key, version_id)
            now = self._clock.now()
            if not rules.may_delete(info.lock, legal_hold=info.legal_hold, bypass=bypass, now=now):
                return False
            self._object_path(key).unlink()
            self._lock_path(key).unlink(missing_ok=True)
        _sync_directory(self._object_path(key).parent)
        return True

    def _prepare(self) -> None:
        """Makes the directory or recognises it; made in a hurry by two processes it comes out the same."""
        marker = self._directory / "format"
        try:
            if marker.exists():
                if marker.read_text(encoding="ascii") != _FORMAT:
                    raise BadStoreAddress(address=self.name, problem="the directory has another format")
                return
            self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            for kind in ("objects", "locks"):
                for fan in range(256):
                    (self._directory / kind / f"{fan:02x}").mkdir(mode=0o700, parents=True, exist_ok=True)
                _sync_directory(self._directory / kind)
            (self._directory / "tmp").mkdir(mode=0o700, exist_ok=True)
            temporary = self._directory / "tmp" / str(new_id())
            _write_file(temporary, _FORMAT.encode(), 0o400)
            temporary.replace(marker)
            _sync_directory(self._directory)
        except OSError as error:
            raise StoreUnavailable(store=self.name, problem=error.strerror or "input/output error") from error

    def _present(self, key: str, content: Content, lock: Lock) -> ObjectInfo:
        info = self.head(key)
        if (info.sha256, info.size_bytes) != (content.sha256, content.size_bytes):
            raise AlreadyExists(store=self.name, key=key)
        _sync_directory(self._object_path(key).parent)  # a racing writer may not have got there yet
        return info if info.lock.covers(lock) else self.set_retention(key, _ONLY_VERSION, lock)

    def _open_object(self, key: str, version_id: str | None) -> BinaryIO:
        if version_id not in (None, _ONLY_VERSION):
            raise ObjectNotFound(store=self.name, key=key)
        try:
            return cast("BinaryIO", self._object_path(key).open("rb", buffering=0))
        except FileNotFoundError:
            raise ObjectNotFound(store=self.name, key=key) from None
        except OSError as error:
            raise StoreUnavailable(store=self.name, problem=error.strerror or "input/output error") from error

    def _read_header(self, file: BinaryIO, key: str) -> tuple[ObjectInfo, int]:
        line, newline, _ = file.read(_HEADER_BYTES_MAX).partition(b"\n")
        try:
            if not newline:
                raise ValueError("no header line")
            told = json.loads(line)
            info = ObjectInfo(
                key=told["key"],
                version_id=_ONLY_VERSION,
                size_bytes=told["size_bytes"],
                sha256=bytes.fromhex(told["sha256"]),
                lock=_decode_lock(told["lock"]),
                legal_hold=False,
                stored_at=datetime.fromisoformat(told["stored_at"]),
            )
        except (ValueError, KeyError, TypeError):
            raise StoreLied(
                store=self.name, key=key, what="header", expected="a header line", found="other bytes"
            ) from None
        return info, len(line) + 1

    def _with_present_lock(self, info: ObjectInfo) -> ObjectInfo:
        try:
            text = self._lock_path(info.key).read_bytes()
        except FileNotFoundError:
            return info
        line, _, digest = text.rstrip(b"\n").partition(b"\n")
        if hashlib.sha256(line).hexdigest().encode() != digest:
            raise StoreLied(
                store=self.name, key=info.key, what="lock file", expected="its digest", found="other bytes"
            )
        told = json.loads(line)
        return replace(info, lock=_decode_lock(told), legal_hold=told["legal_hold"])

    def _write_lock(self, key: str, lock: Lock, *, legal_hold: bool) -> None:
        line = _canonical({"format": 1, "legal_hold": legal_hold, **_encode_lock(lock)})
        path = self._lock_path(key)
        temporary = self._directory / "tmp" / str(new_id())
        _write_file(temporary, line + b"\n" + hashlib.sha256(line).hexdigest().encode() + b"\n", 0o600)
        temporary.replace(path)
        _sync_directory(path.parent)

    @contextmanager
    def _changing_lock(self, key: str) -> Iterator[None]:
        handle = os.open(self._lock_path(key).parent, os.O_RDONLY | os.O_DIRECTORY)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield
        finally:
            os.close(handle)

    def _object_path(self, key: str) -> Path:
        name = hashlib.sha256(key.encode()).hexdigest()
        return self._directory / "objects" / name[:2] / name

    def _lock_path(self, key: str) -> Path:
        name = hashlib.sha256(key.encode()).hexdigest()
        return self._directory / "locks" / name[:2] / name


class _Window(io.RawIOBase):
    """A part of an open file; closes the file with itself."""

    def __init__(self, file: BinaryIO, start: int, length: int | None) -> None:
        self._file = file
        self._left = length
        file.seek(start)

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        wanted = -1 if size is None or size < 0 else size
        if self._left is not None:
            wanted = self._left if wanted < 0 else min(wanted, self._left)
        data = self._file.read() if wanted < 0 else self._file.read(wanted)
        if self._left is not None:
            self._left -= len(data)
        return data

    def close(self) -> None:
        self._file.close()
        super().close()


def _encode_header(key: str, content: Content, lock: Lock, now: datetime) -> bytes:
    return (
        _canonical(
            {
                "format": 1,
                "key": key,
                "lock": _encode_lock(lock),
                "sha256": content.sha256.hex(),
                "size_bytes": content.size_bytes,
                "stored_at": now.astimezone(UTC).isoformat(timespec="microseconds"),
            }
        )
        + b"\n"
    )


def _canonical(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=True, sort_keys=True, separators=(",", ":")).encode()


def _encode_lock(lock: Lock) -> dict[str, str | None]:
    until = lock.until.astimezone(UTC).isoformat(timespec="seconds") if lock.until else None
    return {"mode": lock.mode.value, "until": until}


def _decode_lock(told: dict[str, str | None]) -> Lock:
    if told["until"] is None or told["mode"] is None:
        return NO_LOCK
    return Lock(LockMode(told["mode"]), datetime.fromisoformat(told["until"]))


def _write_whole(path: Path, header: bytes, content: Content) -> None:
    with path.open("xb") as file:
        os.fchmod(file.fileno(), 0o400)
        file.write(header)
        with content.open() as reader:
            shutil.copyfileobj(reader, file, _COPY_BYTES)
        file.flush()
        os.fsync(file.fileno())


def _write_file(path: Path, data: bytes, mode: int) -> None:
    with path.open("xb") as file:
        os.fchmod(file.fileno(), mode)
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _sync_directory(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
