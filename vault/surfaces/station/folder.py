"""The watched folder: which files are finished, where they go, and who else is at work on it.

A file is finished when its size and time have not changed for the settle time and no program has it open for
writing (where the system tells). It is moved by renaming within the folder's disk; nothing is overwritten.
"""

from __future__ import annotations

import errno
import fcntl
import json
import os
import sqlite3
import stat
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import date
from pathlib import Path, PurePosixPath
from typing import Any

from vault.foundation.errors import N_
from vault.surfaces.station.errors import BadControlFile, FolderTaken, FolderUnusable

OWN_DIRECTORY = ".slipvault"
DONE, REFUSED = "done", "refused"
SHEETS_FILE, BATCH_FILE, CLOSE_FILE = "sheets.txt", "batch.json", "close.txt"
CONTROL_FILES = frozenset({SHEETS_FILE, BATCH_FILE, CLOSE_FILE})
_UNFINISHED_SUFFIXES = (".part", ".partial", ".tmp", ".temp", ".crdownload", ".filepart", ".swp", "~", ".lock")
_CONTROL_BYTES_MAX = 64 << 10


@dataclass(frozen=True)
class Found:
    """A file as one look at the folder saw it; `path` is relative, with `/`."""

    path: str
    size_bytes: int
    modified_ns: int
    inode: int
    device: int

    @property
    def identity(self) -> tuple[int, int]:
        """What changes when the file is written to or replaced. Inodes are left out: network disks renumber them."""
        return self.size_bytes, self.modified_ns

    @property
    def batch_folder(self) -> str | None:
        """The first sub-folder on the way to the file."""
        parts = PurePosixPath(self.path).parts
        return parts[0] if len(parts) > 1 else None


class Folder:
    """One watched folder."""

    def __init__(self, root: Path) -> None:
        self.root = root.absolute()
        self._seen: dict[str, tuple[tuple[int, int], float]] = {}

    @contextmanager
    def taken(self) -> Iterator[None]:
        """Holds the folder for this process; the lock ends with the process, however it ends.

        Raises:
            FolderTaken: another watcher holds it.
            FolderUnusable: it is not there or cannot be written.
        """
        own = self.root / OWN_DIRECTORY
        try:
            if not self.root.is_dir():
                raise NotADirectoryError(str(self.root))
            own.mkdir(mode=0o700, exist_ok=True)
            lock = os.open(own / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise FolderUnusable(folder=str(self.root), problem=words_of(error)) from error
        try:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                pid = os.read(lock, 20).decode(errors="replace").strip() or "?"
                raise FolderTaken(folder=str(self.root), pid=pid) from None
            os.ftruncate(lock, 0)
            os.pwrite(lock, f"{os.getpid()}\n".encode(), 0)
            yield
        finally:
            os.close(lock)

    def look(self) -> list[Found]:
        """Every file that may be a scan, in the order of paths. Links, hidden files and our own are left out.

        Raises:
            OSError: the folder cannot be read.
        """
        with os.scandir(self.root) as top:  # fails loudly, where os.walk would show an empty folder
            del top
        found = []
        for directory, names, files in os.walk(self.root, onerror=_raise):
            relative = Path(directory).relative_to(self.root)
            is_top = directory == str(self.root)
            names[:] = sorted(n for n in names if not n.startswith(".") and not (is_top and n in {DONE, REFUSED}))
            for name in files:
                is_own = name in {DONE, REFUSED} if is_top else name in CONTROL_FILES
                if is_scan_name(name) and not is_own:
                    with suppress(FileNotFoundError):
                        entry = (Path(directory) / name).lstat()
                        if stat.S_ISREG(entry.st_mode):
                            path = (relative / name).as_posix()
                            found.append(Found(path, entry.st_size, entry.st_mtime_ns, entry.st_ino, entry.st_dev))
        return sorted(found, key=lambda f: f.path)

    def finished(self, found: Iterable[Found], settle_s: float) -> list[Found]:
        """Those of `found` that have rested for `settle_s` seconds and that nobody writes to."""
        now_s, rested, seen = time.monotonic(), [], {}
        for file in found:
            identity, since_s = self._seen.get(file.path, (file.identity, now_s))
            if identity != file.identity:
                since_s = now_s
            seen[file.path] = (file.identity, since_s)
            if now_s - since_s >= settle_s:
                rested.append(file)
        self._seen = seen
        writing = _open_for_writing({(file.device, file.inode) for file in rested})
        for file in rested:
            if (file.device, file.inode) in writing:
                self._seen[file.path] = (file.identity, now_s)
        return [file for file in rested if (file.device, file.inode) not in writing]

    def target_for(self, path: str, status: str, day: date) -> str:
        """Where a file with this answer goes: a place that is free, named after where it came from."""
        top = REFUSED if status == "refused" else DONE
        wanted = PurePosixPath(top, day.isoformat(), path)
        target, number = wanted, 2
        while (self.root / target).exists():
            target = wanted.with_name(f"{wanted.stem}~{number}{wanted.suffix}")
            number += 1
        return target.as_posix()

    def move(self, path: str, target: str, identity: tuple[int, int]) -> bool:
        """Moves the file, or finds it moved; says no when another file has taken its place.

        Raises:
            OSError: it cannot be moved.
        """
        source, goal = self.root / path, self.root / target
        current = _identity_at(source)
        if current != identity:
            return _identity_at(goal) == identity
        goal.parent.mkdir(parents=True, exist_ok=True)
        source.rename(goal)
        if _identity_at(goal) != identity:  # replaced between the look and the rename: the new one goes back
            if not source.exists():
                goal.rename(source)
            return False
        _sync_directory(goal.parent)
        _sync_directory(source.parent)
        return True

    def sidecar_of(self, path: str) -> Path | None:
        """The description beside a scan: `NAME.tif.json` or `NAME.json`."""
        scan = self.root / path
        for candidate in (scan.with_name(scan.name + ".json"), scan.with_suffix(".json")):
            if candidate.name not in CONTROL_FILES and candidate.is_file() and not candidate.is_symlink():
                return candidate
        return None

    def write_beside(self, target: str, suffix: str, text: str) -> None:
        """Writes a file beside a moved one, whole or not at all."""
        write_whole(self.root / (target + suffix), text)


def is_scan_name(name: str) -> bool:
    """Whether a file of this name may be a scan: not hidden, not unfinished, not a description."""
    lowered = name.lower()
    return not (name.startswith((".", "~$")) or lowered.endswith((*_UNFINISHED_SUFFIXES, ".json", ".reason.txt")))


def read_description(path: Path) -> dict[str, Any]:
    """The JSON object in a small file of UTF-8.

    Raises:
        BadControlFile: it is something else, or too large.
    """
    try:
        with path.open("rb") as file:
            data = file.read(_CONTROL_BYTES_MAX + 1)
        told = json.loads(data.decode("utf-8-sig")) if len(data) <= _CONTROL_BYTES_MAX else None
    except (OSError, ValueError, RecursionError) as error:
        raise BadControlFile(file=path.name, problem=type(error).__name__) from error
    if not isinstance(told, dict):
        raise BadControlFile(file=path.name, problem="not a JSON object of at most 64 KiB")
    return told


def write_whole(path: Path, text: str) -> None:
    """Writes through a temporary name, synchronised, so that nobody sees half of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.tmp")
    with temporary.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)
    _sync_directory(path.parent)


_TROUBLES: dict[int | None, str] = {
    errno.ENOSPC: N_("the disk is full"),
    errno.EDQUOT: N_("the space that you may use is full"),
    errno.EACCES: N_("the permissions do not allow it"),
    errno.EPERM: N_("the permissions do not allow it"),
    errno.EROFS: N_("the disk is read-only"),
    errno.ENOENT: N_("it is not there"),
    errno.ENOTDIR: N_("a file stands where a directory should be"),
    errno.EEXIST: N_("a file stands where a directory should be"),
    errno.EXDEV: N_("done and refused must be on the same disk as the folder"),
    errno.EIO: N_("the disk fails"),
    errno.ESTALE: N_("the network disk went away"),
    errno.EHOSTDOWN: N_("the network disk went away"),
}


def words_of(error: OSError | sqlite3.Error) -> str:
    """What an error of this machine means to the person at the station; a msgid where there is one."""
    if isinstance(error, sqlite3.Error):
        return _TROUBLES[errno.ENOSPC] if "disk is full" in str(error) else str(error)
    return _TROUBLES.get(error.errno) or (os.strerror(error.errno) if error.errno else str(error))


def _raise(error: OSError) -> None:
    if not isinstance(error, FileNotFoundError):  # a folder that went away during the look is no trouble
        raise error


def _identity_at(path: Path) -> tuple[int, int] | None:
    try:
        found = path.lstat()
    except FileNotFoundError:
        return None
    return found.st_size, found.st_mtime_ns


def _sync_directory(directory: Path) -> None:
    with suppress(OSError):  # gone, or a network disk that cannot synchronise directories
        handle = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def _open_for_writing(wanted: set[tuple[int, int]]) -> set[tuple[int, int]]:
    """Which files (device, inode) some process that we may look at has open for writing."""
    writing: set[tuple[int, int]] = set()
    if not wanted:
        return writing
    for process in Path("/proc").glob("[0-9]*"):
        try:
            handles = [entry.name for entry in (process / "fd").iterdir()]
        except OSError:
            continue
        for handle in handles:
            with suppress(OSError, ValueError, IndexError):
                found = (process / "fd" / handle).stat()
                if (found.st_dev, found.st_ino) in wanted and _is_writing(process / "fdinfo" / handle):
                    writing.add((found.st_dev, found.st_ino))
    return writing


def _is_writing(info: Path) -> bool:
    for line in info.read_text(encoding="ascii").splitlines():
        if line.startswith("flags:"):
            return int(line.split()[1], 8) & os.O_ACCMODE != os.O_RDONLY
    return False
