"""Running the whole service on one host: database, web processes, worker; one command, one process to stop.

The supervisor owns the embedded database, prepares the schema, makes the first administrator, starts the web
processes on one listening socket and a worker, and restarts what dies, the database included. Everything ends with it,
however it ends.
"""

from __future__ import annotations

import errno
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import FrameType

from vault.access import service as access
from vault.app import make_context
from vault.catalogue.classes import ensure_fonds
from vault.foundation.db.launcher import EmbeddedPostgres, ended_with_parent
from vault.foundation.db.migrate import upgrade
from vault.foundation.errors import N_, Fault, VaultError
from vault.foundation.ids import new_token
from vault.foundation.ledger.entry import SYSTEM
from vault.foundation.ledger.sequencer import sequence
from vault.intake.stores import newest_probe, probe_and_note
from vault.retention import service as schedule
from vault.settings import Settings, spoken_language
from vault.surfaces.i18n import choose_language, translator

_RESTART_PAUSE_MAX_S = 10.0
_READY_TIMEOUT_S = 60.0
_WATCH_EVERY_S = 0.2
_PORT_FREE_WITHIN_S = 15.0


@dataclass
class _Child:
    name: str
    start: Callable[[], subprocess.Popen[bytes]]
    process: subprocess.Popen[bytes] | None = None
    failures: int = 0
    started_s: float = 0.0
    not_before_s: float = 0.0

    def watch(self) -> None:
        """Starts it when it does not run; when it died, after a pause that grows while it keeps dying."""
        now_s = time.monotonic()
        if self.process is not None and self.process.poll() is not None:
            self._failed(now_s, f"ended ({self.process.returncode})")
        if self.process is None and now_s >= self.not_before_s:
            try:
                self.started_s, self.process = now_s, self.start()
            except OSError as error:  # no memory, no process to be had, a full disk
                self._failed(now_s, f"cannot be started ({error.strerror})")

    def _failed(self, now_s: float, how: str) -> None:
        self.failures = 0 if now_s - self.started_s > 60 else self.failures + 1
        self.not_before_s = now_s + min(_RESTART_PAUSE_MAX_S, 0.2 * 2**self.failures)
        self.process = None
        _say(f"{self.name} {how}; restarting")


class Supervisor:
    """One running installation."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._database: list[_Child] = []  # none when the server is somebody else's
        self._children: list[_Child] = []
        self._is_ending = False

    def run(self) -> None:
        """Starts everything and returns when it has been told to end."""
        settings = self._settings
        _make_home(settings.home)
        for name in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(name, self._end)
        with ExitStack() as stack:
            url = settings.database_url
            if url is None:
                server = stack.enter_context(EmbeddedPostgres(settings.database_directory, progress=_say))
                self._database = [_Child("database", server.revive, server.process, started_s=time.monotonic())]
                url = server.url
            listener = stack.enter_context(_listen(settings))
            port = listener.getsockname()[1]
            address = f"http://{settings.web_host}:{port}"
            password = _prepare(settings, url)
            run_directory = settings.home / "run"
            _write_private(run_directory / "operator.token", new_token())
            _write_private(run_directory / "server.url", address)
            _write_private(run_directory / "supervisor.json", json.dumps(_own_identity()))
            stack.callback(lambda: (run_directory / "supervisor.json").unlink(missing_ok=True))
            environment = {**os.environ, "SLIPVAULT_DATABASE_URL": url, "SLIPVAULT_HOME": str(settings.home)}
            stack.callback(self._stop_children)
            self._children = self._serving(listener, environment)
            self._watch()
            _await_ready(address)
            _announce(address, password)
            if slips := os.environ.get("SLIPVAULT_DEMO"):
                subprocess.run([sys.executable, "-m", "vault.demo.filling", slips], env=environment, check=False)
            _tell_ready()
            while not self._is_ending:
                self._watch()
                time.sleep(_WATCH_EVERY_S)

    def _serving(self, listener: socket.socket, environment: dict[str, str]) -> list[_Child]:
        def start(*arguments: str) -> subprocess.Popen[bytes]:
            return subprocess.Popen(
                [sys.executable, "-m", *arguments],
                env=environment,
                stdin=subprocess.DEVNULL,
                pass_fds=(listener.fileno(),),
                preexec_fn=ended_with_parent(signal.SIGTERM),  # noqa: PLW1509 - the supervisor has no threads
            )

        web = partial(start, "vault.surfaces.web_process", str(listener.fileno()))
        names = [f"web-{number}" for number in range(1, self._settings.web_processes + 1)]
        return [*(_Child(name, web) for name in names), _Child("worker", partial(start, "vault.surfaces.worker"))]

    def _watch(self) -> None:
        for child in (*self._database, *self._children):
            child.watch()

    def _stop_children(self) -> None:
        for child in self._children:
            if child.process is not None:
                with suppress(ProcessLookupError):
                    child.process.terminate()
        deadline_s = time.monotonic() + 20
        for child in self._children:
            if child.process is None:
                continue
            try:
                child.process.wait(max(0.1, deadline_s - time.monotonic()))
            except subprocess.TimeoutExpired:
                child.process.kill()
                child.process.wait()

    def _end(self, _number: int, _frame: FrameType | None) -> None:
        self._is_ending = True


def stop(settings: Settings) -> bool:
    """Stops the installation of this home; says whether one was running.

    The pid is believed only when the process began at the noted time: a pid may belong to somebody else by now.
    """
    file = settings.home / "run" / "supervisor.json"
    try:
        noted = json.loads(file.read_text(encoding="ascii"))
    except (OSError, ValueError):
        return False
    pid = int(noted["pid"])
    if _started_at(pid) != noted["started"]:
        return False
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGTERM)
    deadline_s = time.monotonic() + 90
    while _started_at(pid) == noted["started"] and time.monotonic() < deadline_s:
        time.sleep(0.05)
    return True


def _prepare(settings: Settings, url: str) -> str | None:
    """Schema, first administrator, classes and a first probe; returns the one-time password when it is new."""
    upgrade(url)
    ctx = make_context(settings, url, pool_size=2)
    try:
        ctx.database.check_suitable()
        with ctx.database.transaction(SYSTEM) as tx:
            account = access.initialise(tx)
            schedule.begin(tx)
            if account is not None:
                ensure_fonds(tx, "0001", "0001")
            tx.commit()
        with ctx.database.read() as connection:
            is_new = newest_probe(connection, ctx.store.name) is None
        if is_new:  # a known store is probed by the worker, beside the service
            _say("probing the store: some seconds")
            report = probe_and_note(ctx, SYSTEM)
            if report.lies:
                _say(f"the store is not trusted, intake is stopped: {', '.join(report.lies)}")
        sequence(ctx.database, ctx.custodian.public_key(), ctx.custodian.sign)
        return account.one_time_password if account else None
    finally:
        ctx.database.dispose()


def _make_home(home: Path) -> None:
    home.mkdir(mode=0o711 if os.geteuid() == 0 else 0o700, parents=True, exist_ok=True)
    for name in ("run", "spool"):
        (home / name).mkdir(mode=0o700, exist_ok=True)


class AddressTaken(VaultError):
    """Another program listens where the service is to be reached."""

    code = "address-taken"
    exit_code = 69
    fault = Fault.OURS
    message = N_("Another program listens at {host}:{port}.")
    hint = N_("Stop it, or choose another port: scripts/run --port N.")


def _listen(settings: Settings) -> socket.socket:
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    deadline_s = time.monotonic() + _PORT_FREE_WITHIN_S
    while True:  # the web processes of a supervisor that was killed end what they are at
        try:
            listener.bind((settings.web_host, settings.web_port))
            listener.listen(512)
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise
            if time.monotonic() > deadline_s:
                raise AddressTaken(host=settings.web_host, port=settings.web_port) from None
            time.sleep(0.1)
        else:
            listener.set_inheritable(True)
            return listener


def _await_ready(address: str) -> None:
    import httpx

    deadline_s = time.monotonic() + _READY_TIMEOUT_S
    while time.monotonic() < deadline_s:
        with suppress(httpx.HTTPError):
            if httpx.get(f"{address}/healthz", timeout=2, trust_env=False).status_code == 200:
                return
        time.sleep(0.05)
    _say("the web processes do not answer; see what they say above")


def _announce(address: str, password: str | None) -> None:
    _say(f"slipvault is ready: {address}")
    if password is not None:
        _say(f"sign in as {access.FIRST_LOGIN} with the one-time password {password}")


def _tell_ready() -> None:
    """Tells whoever started us in the background that we are ready, by the descriptor that they left open."""
    descriptor = os.environ.pop("SLIPVAULT_READY_DESCRIPTOR", None)
    if descriptor is not None:
        with suppress(OSError):
            os.write(int(descriptor), b"1")
            os.close(int(descriptor))


def _say(text: str) -> None:
    print(f"slipvault: {text}", flush=True)  # noqa: T201 - the supervisor speaks to the terminal


def _write_private(path: Path, text: str) -> None:
    temporary = path.with_suffix(".new")
    temporary.unlink(missing_ok=True)
    handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(text)
    temporary.replace(path)


def _own_identity() -> dict[str, str | int | None]:
    return {"pid": os.getpid(), "started": _started_at(os.getpid())}


def _started_at(pid: int) -> str | None:
    """When the process began, in the kernel's ticks; nothing for one that is gone or a zombie."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    except OSError:
        return None
    return None if fields[0] == "Z" else fields[19]


def main() -> None:
    """Runs the service of this home, or stops it with `--stop`."""
    settings = Settings.from_environment()
    if "--stop" in sys.argv[1:]:
        _say("stopped" if stop(settings) else "nothing was running here")
        return
    try:
        Supervisor(settings).run()
    except VaultError as error:
        said = translator(choose_language(None, spoken_language())).explain(error)
        _say(f"{said.what_happened} [{error.code}]\n{said.what_to_do}")
        sys.exit(error.exit_code)


if __name__ == "__main__":
    main()
