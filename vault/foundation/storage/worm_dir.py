"""The write-once directory, `docs/formats/worm-dir.md`: the embedded default store."""

from __future__ import annotations

import errno
import fcntl
import hashlib
import io
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import BinaryIO, cast

from vault.foundation.clock import Clock
from vault.foundation.ids import new_id
from vault.foundation.storage import rules
from vault.foundation.storage.errors import (
    AlreadyExists,
    BadStoreAddress,
    ObjectNotFound,
    StoreDenied,
    StoreLied,
    StoreUnavailable,
)
from vault.foundation.storage.interface import NO_LOCK, Content, Listed, Lock, LockMode, ObjectInfo, check_read_back

_FORMAT = "slipvault worm directory 1\n"
_ONLY_VERSION = "1"
_HEADER_BYTES_MAX = 8192
_COPY_BYTES = 1 << 20
_LITTER_AGE = timedelta(days=1)
_PERMANENT_ERRNOS = frozenset({errno.EACCES, errno.EPERM, errno.EROFS, errno.ENAMETOOLONG})


class WormDirectory:
    """Create-once files with locks of our own keeping. Safe for many threads and processes."""

    def __init__(self, directory: Path, clock: Clock) -> None:
        self.name = f"worm://{directory}"
        self._directory = directory
        self._clock = clock
        self._prepare()

    def put_new(self, key: str, content: Content, lock: Lock, *, is_fresh: bool = False) -> ObjectInfo:
        """See `Store.put_new`. Two fsyncs: the file's and its directory's."""
        del is_fresh  # whether the name is taken is seen without a question of its own
        path = self._object_path(key)
        with self._failures():
            if path.exists():
                return self._present(key, content, lock)
            now = self._clock.now()
            rules.settable(key, lock, now)
            temporary = self._directory / "tmp" / str(new_id())
            try:
                found = _write_whole(temporary, _encode_header(key, content, lock, now), content)
                if found != content.sha256:
                    raise StoreLied(
                        store=self.name, key=key, what="digest", expected=content.sha256.hex(), found=found.hex()
                    )
                try:
                    os.link(temporary, path)
                except FileExistsError:
                    return self._present(key, content, lock)
                _sync_directory(path.parent)
            finally:
                temporary.unlink(missing_ok=True)
        return check_read_back(self.name, self.head(key), content, lock)

    def open(self, key: str, version_id: str | None = None, offset: int = 0, length: int | None = None) -> BinaryIO:
        """See `Store.open`."""
        file = self._open_object(key, version_id)
        try:
            _, start = self._read_header(file, key)
        except StoreLied:
            file.close()
            raise
        return cast("BinaryIO", _Window(self, file, start + offset, length))

    def head(self, key: str, version_id: str | None = None) -> ObjectInfo:
        """See `Store.head`. The size is that of the file, not what its header says.

        The key is the one that the header tells: of two files swapped by hand each answers to the other's key.
        """
        with self._open_object(key, version_id) as file:
            info, start = self._read_header(file, key)
            size = os.fstat(file.fileno()).st_size - start
        return self._with_present_lock(key, replace(info, size_bytes=size))

    def list_versions(self, prefix: str, after: str | None = None) -> Iterator[ObjectInfo]:
        """See `Store.list_versions`. Reads every object's header: the names are digests.

        A file whose header cannot be read has no key and is not listed; asking for its key names the damage.
        """
        for named in self.list_names(prefix, after):
            with suppress(ObjectNotFound):  # a file that somebody moved answers to its key, but is not found under it
                try:
                    info = self.head(named.key)
                except StoreLied:
                    info = named.damaged()
                yield info

    def list_names(self, prefix: str, after: str | None = None) -> Iterator[Listed]:
        """See `Store.list_names`. There are no markers; all names are held in memory, because they must be sorted."""
        found = {}
        with self._failures():
            for fan in sorted(path for path in (self._directory / "objects").iterdir() if path.is_dir()):
                for path in fan.iterdir():
                    try:
                        with path.open("rb", buffering=0) as file:
                            info = self._read_header(cast("BinaryIO", file), path.name)[0]
                    except (StoreLied, FileNotFoundError, IsADirectoryError):
                        continue
                    if info.key.startswith(prefix) and (after is None or info.key > after):
                        found[info.key] = info.stored_at
        for key in sorted(found):
            yield Listed(key, _ONLY_VERSION, found[key])

    def set_retention(self, key: str, version_id: str, lock: Lock) -> ObjectInfo:
        """See `Store.set_retention`."""
        with self._failures(), self._changing_lock(key):
            info = self.head(key, version_id)
            wanted = rules.extended(key, info.lock, lock, self._clock.now())
            self._write_lock(key, wanted, legal_hold=info.legal_hold)
        return self.head(key, version_id)

    def set_hold(self, key: str, version_id: str, *, on: bool) -> ObjectInfo:
        """See `Store.set_hold`."""
        with self._failures(), self._changing_lock(key):
            info = self.head(key, version_id)
            self._write_lock(key, info.lock, legal_hold=on)
        return self.head(key, version_id)

    def remove_if_unlocked(self, key: str, version_id: str, *, bypass: bool) -> bool:
        """For `probing`: removes a version where the rules of its lock allow it; says whether they did."""
        with self._failures(), self._changing_lock(key):
            info = self.head(key, version_id)
            if not rules.may_delete(info.lock, legal_hold=info.legal_hold, bypass=bypass, now=self._clock.now()):
                return False
            self._object_path(key).unlink()
            _sync_directory(self._object_path(key).parent)
            self._lock_path(key).unlink(missing_ok=True)
        return True

    def _prepare(self) -> None:
        """Makes the directory or recognises it; made in a hurry by two processes it comes out the same."""
        marker = self._directory / "format"
        with self._failures():
            if marker.exists():
                if marker.read_text(encoding="ascii") != _FORMAT:
                    raise BadStoreAddress(address=self.name, problem="the directory has another format")
                self._clear_litter()
                return
            self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            _sync_directory(self._directory.parent)
            for kind in ("objects", "locks"):
                for fan in range(256):
                    (self._directory / kind / f"{fan:02x}").mkdir(mode=0o700, parents=True, exist_ok=True)
                _sync_directory(self._directory / kind)
            (self._directory / "tmp").mkdir(mode=0o700, exist_ok=True)
            temporary = self._directory / "tmp" / str(new_id())
            _write_file(temporary, _FORMAT.encode(), 0o400)
            temporary.replace(marker)
            _sync_directory(self._directory)

    def _clear_litter(self) -> None:
        """Removes what writers left that died: files under `tmp/` that nobody has touched for a day."""
        before = (self._clock.now() - _LITTER_AGE).timestamp()
        for path in (self._directory / "tmp").iterdir():
            with suppress(FileNotFoundError):
                if path.stat().st_mtime < before:
                    path.unlink()

    @contextmanager
    def _failures(self) -> Iterator[None]:
        """A full or failing disk may pass; a directory that may not be written to needs the operator."""
        try:
            yield
        except OSError as error:
            problem = error.strerror or "input/output error"
            kind = StoreDenied if error.errno in _PERMANENT_ERRNOS else StoreUnavailable
            raise kind(store=self.name, problem=problem) from error

    def _present(self, key: str, content: Content, lock: Lock) -> ObjectInfo:
        info = self.head(key)
        if (info.key, info.size_bytes, info.sha256) != (key, content.size_bytes, content.sha256):
            raise AlreadyExists(store=self.name, key=key)
        with self.open(key) as stream:
            if _digest_of(stream) != content.sha256:
                raise AlreadyExists(store=self.name, key=key)  # damaged since: nobody may take it for stored
        _sync_directory(self._object_path(key).parent)  # a racing writer may not have got there yet
        return info if info.lock.covers(lock) else self.set_retention(key, _ONLY_VERSION, info.lock.joined(lock))

    def _open_object(self, key: str, version_id: str | None) -> BinaryIO:
        if version_id not in (None, _ONLY_VERSION):
            raise ObjectNotFound(store=self.name, key=key)
        with self._failures():
            try:
                return cast("BinaryIO", self._object_path(key).open("rb", buffering=0))
            except FileNotFoundError:
                raise ObjectNotFound(store=self.name, key=key) from None
            except IsADirectoryError:
                raise StoreLied(
                    store=self.name, key=key, what="object", expected="a file", found="a directory"
                ) from None

    def _read_header(self, file: BinaryIO, key: str) -> tuple[ObjectInfo, int]:
        with self._failures():
            start = file.read(_HEADER_BYTES_MAX)
        try:
            line, digest = _two_lines(start)
            told = json.loads(line)
            info = ObjectInfo(
                key=_readable(told["key"]),
                version_id=_ONLY_VERSION,
                size_bytes=told["size_bytes"],
                sha256=bytes.fromhex(told["sha256"]),
                lock=_decode_lock(told["lock"]),
                legal_hold=False,
                stored_at=datetime.fromisoformat(told["stored_at"]).astimezone(UTC),
            )
        except (ValueError, KeyError, TypeError, OverflowError, RecursionError):
            raise StoreLied(
                store=self.name, key=key, what="header", expected="a header and its digest", found="other bytes"
            ) from None
        return info, len(line) + len(digest) + 2

    def _with_present_lock(self, key: str, info: ObjectInfo) -> ObjectInfo:
        """The stronger and later of the first lock and the lock file: removing the latter leaves the former."""
        with self._failures():
            try:
                data = self._lock_path(key).read_bytes()
            except FileNotFoundError:
                return info
            except IsADirectoryError:
                data = b""
        try:
            line = data.partition(b"\n")[0]
            told = json.loads(line if data == _with_digest(line) else b"")  # a line and its digest, and nothing else
            lock, legal_hold = _decode_lock(told), bool(told["legal_hold"])
        except (ValueError, KeyError, TypeError, OverflowError, RecursionError):
            raise StoreLied(
                store=self.name, key=key, what="lock file", expected="a lock and its digest", found="other bytes"
            ) from None
        return replace(info, lock=info.lock.joined(lock), legal_hold=legal_hold)

    def _write_lock(self, key: str, lock: Lock, *, legal_hold: bool) -> None:
        line = _canonical({"format": 1, "legal_hold": legal_hold, **_encode_lock(lock)})
        path = self._lock_path(key)
        temporary = self._directory / "tmp" / str(new_id())
        try:
            _write_file(temporary, _with_digest(line), 0o600)
            temporary.replace(path)
            _sync_directory(path.parent)
        finally:
            temporary.unlink(missing_ok=True)

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

    def __init__(self, store: WormDirectory, file: BinaryIO, start: int, length: int | None) -> None:
        self._store = store
        self._file = file
        self._left = length
        file.seek(start)

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        """Raises StoreUnavailable when the disk does not give them."""
        wanted = -1 if size is None or size < 0 else size
        if self._left is not None:
            wanted = self._left if wanted < 0 else min(wanted, self._left)
        try:
            data = self._file.read(wanted)
        except OSError as error:
            raise StoreUnavailable(store=self._store.name, problem=error.strerror or "read error") from error
        if self._left is not None:
            self._left -= len(data)
        return data

    def close(self) -> None:
        self._file.close()
        super().close()


def _encode_header(key: str, content: Content, lock: Lock, now: datetime) -> bytes:
    return _with_digest(
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
    )


def _with_digest(line: bytes) -> bytes:
    return line + b"\n" + hashlib.sha256(line).hexdigest().encode() + b"\n"


def _two_lines(data: bytes) -> tuple[bytes, bytes]:
    """A line and the digest in the line behind it; ValueError when they do not belong together."""
    line, _, rest = data.partition(b"\n")
    digest, newline, _ = rest.partition(b"\n")
    if not newline or hashlib.sha256(line).hexdigest().encode() != digest:
        raise ValueError("the digest is not that of the line")
    return line, digest


def _readable(key: object) -> str:
    """A key as this service can have written it; ValueError for what is no text, or none that a database takes."""
    if not isinstance(key, str) or "\0" in key:
        raise ValueError("the key is no text")
    key.encode()
    return key


def _canonical(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=True, sort_keys=True, separators=(",", ":")).encode()


def _encode_lock(lock: Lock) -> dict[str, str | None]:
    until = lock.until.astimezone(UTC).isoformat(timespec="seconds") if lock.until else None
    return {"mode": lock.mode.value, "until": until}


def _decode_lock(told: dict[str, str | None]) -> Lock:
    if told["until"] is None or told["mode"] is None:
        return NO_LOCK
    return Lock(LockMode(told["mode"]), datetime.fromisoformat(told["until"]))


def _write_whole(path: Path, header: bytes, content: Content) -> bytes:
    """Writes header and bytes, durable when this returns; gives the digest of the bytes as they were written."""
    digest = hashlib.sha256()
    with path.open("xb", buffering=0) as file, content.open() as reader:
        os.fchmod(file.fileno(), 0o400)
        _write_all(file, header)
        while chunk := reader.read(_COPY_BYTES):
            digest.update(chunk)
            _write_all(file, chunk)
        os.fsync(file.fileno())
    return digest.digest()


def _write_all(file: io.FileIO, data: bytes) -> None:
    left = memoryview(data)
    while left:
        left = left[file.write(left) :]


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


def _digest_of(stream: BinaryIO) -> bytes:
    digest = hashlib.sha256()
    while chunk := stream.read(_COPY_BYTES):
        digest.update(chunk)
    return digest.digest()
