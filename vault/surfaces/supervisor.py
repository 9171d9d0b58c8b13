"""Running the whole service on one host: database, web processes, worker; one command, one process to stop.

The supervisor owns the embedded database, prepares the schema, makes the first administrator, starts the web
processes on one listening socket and a worker, and restarts what dies. Everything ends with it, also when it is killed.
"""

from __future__ import annotations

import errno
import http.client
import logging
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from types import FrameType

from vault.access import service as access
from vault.app import make_context
from vault.catalogue.classes import ensure_fonds
from vault.foundation.db.launcher import EmbeddedPostgres
from vault.foundation.db.migrate import upgrade
from vault.foundation.errors import N_, Fault, VaultError
from vault.foundation.ledger.entry import SYSTEM
from vault.foundation.ledger.sequencer import sequence
from vault.foundation.processes import age_s, following_parent, signals_deferred
from vault.intake.stores import newest_probe, probe_and_note
from vault.retention import service as schedule
from vault.settings import Settings, spoken_language
from vault.surfaces.home import FIGURES_VARIABLE, Home
from vault.surfaces.terminal import Terminal

STOPPED_EARLY = 130
_RESTART_PAUSE_MAX_S = 10.0
_READY_TIMEOUT_S = 60.0
_END_TIMEOUT_S = 20.0
_LOOK_EVERY_S = 0.2
_PORT_FREE_WITHIN_S = 15.0  # the web processes of a service that was killed end what they are at


class AddressTaken(VaultError):
    """The service cannot listen where it is told to."""

    code = "address-taken"
    exit_code = 69
    fault = Fault.CALLER
    message = N_("The service cannot listen at {host}:{port}: {problem}.")
    hint = N_("Choose another port with --port, or stop the program that has it; ss -ltnp shows which that is.")


class NotReady(VaultError):
    """A process of the service ended, or did not answer, before the service was ready."""

    code = "not-ready"
    exit_code = 70
    fault = Fault.OURS
    message = N_("The process {name} was not ready: {problem}.")
    hint = N_("What it said stands above, or in {log} when it was started in the background.")


class _StoppedEarly(BaseException):
    """Somebody wants the end while the service is still starting."""


class _Process:
    """A program that the supervisor keeps running."""

    def __init__(
        self,
        arguments: list[str],
        environment: dict[str, str],
        descriptors: tuple[int, ...] = (),
        *,
        output: int | None = None,
    ) -> None:
        self._arguments = arguments
        self._environment = environment
        self._descriptors = descriptors
        self._output = output
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with signals_deferred():
            self._process = subprocess.Popen(
                self._arguments,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=self._output,
                pass_fds=self._descriptors,
                preexec_fn=following_parent(signal.SIGTERM),  # noqa: PLW1509 - from the main thread, which has no others
            )

    @property
    def exit_code(self) -> int | None:
        return self._process.poll() if self._process is not None else None

    def ask_to_end(self) -> None:
        if self._process is not None:
            with suppress(ProcessLookupError):
                self._process.terminate()

    def await_end(self, timeout_s: float) -> None:
        if self._process is None:
            return
        try:
            self._process.wait(max(0.1, timeout_s))
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


class _Demo:
    """The program that brings the demo's slips in. Each line that it prints says how many came in, and of how many."""

    def __init__(self, slips: str, environment: dict[str, str]) -> None:
        reader, writer = os.pipe()
        os.set_blocking(reader, False)
        self._said = os.fdopen(reader, "rb", buffering=0)
        self.process = _Process([sys.executable, "-m", "vault.demo.filling", slips], environment, output=writer)
        self.process.start()
        os.close(writer)

    def said(self) -> list[tuple[str, str]]:
        """What it has printed since it was last asked."""
        lines = (self._said.read(1 << 16) or b"").decode("ascii", "replace").splitlines()
        return [(sent, count) for sent, _, count in (line.partition(" ") for line in lines)]

    def close(self) -> None:
        self._said.close()


@dataclass
class _Watched:
    """A part of the service; begun anew when it has ended, after a pause that grows while it keeps ending."""

    name: str
    part: _Process | EmbeddedPostgres
    begin: Callable[[], None]
    started_s: float
    failures: int = 0
    begin_at_s: float | None = None


class Supervisor:
    """One running installation."""

    def __init__(self, settings: Settings, terminal: Terminal) -> None:
        self._settings = settings
        self._terminal = terminal
        self._home = Home(settings.home)
        self._watched: list[_Watched] = []
        self._demo: _Demo | None = None
        self._phases: dict[str, float] = {}
        self._is_starting = True
        self._is_ending = False

    def _passed(self, phase: str) -> None:
        """Notes how long a phase of the start took, the first one since the process began.

        Raises:
            _StoppedEarly: it was told to end meanwhile; Python loses what a signal raises while a child is being forked.
        """
        now_s = age_s()
        self._phases[phase] = round((now_s - sum(self._phases.values())), 2)
        if self._is_ending:
            raise _StoppedEarly

    def run(self) -> int:
        """Starts everything and returns the exit code when it has been told to end.

        Raises:
            VaultError: it cannot start; the error says why and what to do. Nothing is left running.
        """
        for name in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(name, self._end)
        try:
            with ExitStack() as stack:
                self._start(stack)
                self._is_starting = False
                if self._demo is None:
                    self._terminal.tell_ready()
                self._watch()
        except _StoppedEarly:
            self._terminal.say(N_("stopped before it was ready; nothing is left running"))
            return STOPPED_EARLY
        return 0

    def _start(self, stack: ExitStack) -> None:
        settings = self._settings
        self._passed("programs")
        was_killed = stack.enter_context(self._home.taken())
        with self._home.problems_told():
            self._terminal.go_to_background(self._home.log_file)
        listener = stack.enter_context(_listen(settings, _PORT_FREE_WITHIN_S if was_killed else 0))
        address = f"http://{settings.web_host}:{listener.getsockname()[1]}"
        url = settings.database_url
        if url is None:
            database = EmbeddedPostgres(settings.database_directory, progress=self._terminal.say)
            url = stack.enter_context(database).url
            self._watched.append(_Watched("database", database, database.restart, time.monotonic()))
        self._passed("database")
        password = self._prepare(url)
        self._passed("preparation")
        self._home.open_to_operator(address)
        environment = {
            **os.environ,
            "SLIPVAULT_DATABASE_URL": url,
            "SLIPVAULT_HOME": str(settings.home),
            FIGURES_VARIABLE: str(self._home.figures_directory),
        }
        stack.callback(self._stop_processes)
        for number in range(settings.web_processes):
            arguments = [sys.executable, "-m", "vault.surfaces.web_process", str(listener.fileno())]
            self._keep(f"web-{number + 1}", _Process(arguments, environment, (listener.fileno(),)))
        self._keep("worker", _Process([sys.executable, "-m", "vault.surfaces.worker"], environment))
        self._await_ready(listener)
        self._passed("web")
        self._terminal.note("service ready", seconds=round(age_s(), 2), phases=self._phases)
        self._announce(address, password)
        if slips := os.environ.get("SLIPVAULT_DEMO"):
            self._demo = _Demo(slips, environment)

    def _keep(self, name: str, process: _Process) -> None:
        process.start()
        self._watched.append(_Watched(name, process, process.start, time.monotonic()))

    def _prepare(self, url: str) -> str | None:
        """Schema, first administrator, classes and a first probe; returns the one-time password when it is new."""
        upgrade(url)
        ctx = make_context(self._settings, url, pool_size=2)
        try:
            ctx.database.check_suitable()
            with ctx.database.transaction(SYSTEM) as tx:
                account = access.initialise(tx)
                schedule.begin(tx)
                if account is not None:
                    ensure_fonds(tx, "0001", "0001")
                    self._home.note_password(is_told=False)
                tx.commit()
            if account is None:
                account = access.renew_first_password(ctx, was_told=self._home.is_password_told)
            with ctx.database.read() as connection:
                is_new = newest_probe(connection, ctx.store.name) is None
            if is_new:  # a known store is probed by the worker, beside the service
                self._terminal.say(N_("probing the store: some seconds"))
                report = probe_and_note(ctx, SYSTEM)
                if report.lies:
                    lies = ", ".join(report.lies)
                    self._terminal.say(N_("the store is not trusted, intake is stopped: {lies}"), lies=lies)
            sequence(ctx.database, ctx.custodian.public_key(), ctx.custodian.sign)
            return account.one_time_password if account else None
        finally:
            ctx.database.dispose()

    def _await_ready(self, listener: socket.socket) -> None:
        """Until a web process answers; all others are started, so that what dies now is told and not restarted."""
        host, port = listener.getsockname()[:2]
        host = {"0.0.0.0": "127.0.0.1"}.get(host, host)  # noqa: S104 - compared, not bound
        deadline_s = time.monotonic() + _READY_TIMEOUT_S
        while not _is_alive(host, port):
            for watched in self._watched:
                if watched.part.exit_code is not None:
                    raise NotReady(
                        name=watched.name, problem=f"exit code {watched.part.exit_code}", log=self._home.log_file
                    )
            if time.monotonic() > deadline_s:
                raise NotReady(name="web-1", problem=N_("it does not answer"), log=self._home.log_file)
            time.sleep(0.02)

    def _announce(self, address: str, password: str | None) -> None:
        self._terminal.say(N_("slipvault is ready: {address}"), address=address)
        if password is not None:
            self._terminal.say(
                N_("sign in as {login} with the one-time password {password}"),
                is_secret=True,
                login=access.FIRST_LOGIN,
                password=password,
            )
            self._home.note_password(is_told=True)

    def _watch(self) -> None:
        while not self._is_ending:
            for watched in self._watched:
                self._look_at(watched)
            if self._demo is not None:
                self._look_at_demo(self._demo)
            time.sleep(_LOOK_EVERY_S)

    def _look_at_demo(self, demo: _Demo) -> None:
        code = demo.process.exit_code
        for sent, count in demo.said():
            self._terminal.say(N_("{sent} of {count} demo slips"), sent=sent, count=count)
        if code is None:
            return
        if code:
            self._terminal.say(N_("the demo slips did not all come in; start again with --demo to go on"))
        demo.close()
        self._demo = None
        self._terminal.tell_ready()

    def _look_at(self, watched: _Watched) -> None:
        now_s = time.monotonic()
        if watched.begin_at_s is not None:
            if now_s >= watched.begin_at_s:
                self._begin(watched)
            return
        code = watched.part.exit_code
        if code is None or self._is_ending:
            return
        watched.failures = 0 if now_s - watched.started_s > 60 else watched.failures + 1
        watched.begin_at_s = now_s + min(_RESTART_PAUSE_MAX_S, 0.1 * 2**watched.failures)
        self._terminal.say(N_("{name} ended ({code}); starting it again"), name=watched.name, code=code)

    def _begin(self, watched: _Watched) -> None:
        watched.begin_at_s, watched.started_s = None, time.monotonic()
        try:
            watched.begin()
        except OSError as error:  # no memory, no room for its log: that may pass, and what runs goes on
            problem = error.strerror or type(error).__name__
            self._terminal.say(N_("{name} cannot be started now: {problem}"), name=watched.name, problem=problem)
            watched.begin_at_s = time.monotonic() + _RESTART_PAUSE_MAX_S

    def _stop_processes(self) -> None:
        processes = [watched.part for watched in self._watched if isinstance(watched.part, _Process)]
        if self._demo is not None:
            processes.append(self._demo.process)
        for process in processes:
            process.ask_to_end()
        deadline_s = time.monotonic() + _END_TIMEOUT_S
        for process in processes:
            process.await_end(deadline_s - time.monotonic())

    def _end(self, _number: int, _frame: FrameType | None) -> None:
        was_ending, self._is_ending = self._is_ending, True
        if self._is_starting and not was_ending:
            logging.disable()  # libraries that were interrupted would only say that
            raise _StoppedEarly


def _listen(settings: Settings, patience_s: float) -> socket.socket:
    """Raises AddressTaken."""
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    deadline_s = time.monotonic() + patience_s
    while True:
        try:
            listener.bind((settings.web_host, settings.web_port))
            listener.listen(512)
        except OSError as error:
            if error.errno == errno.EADDRINUSE and time.monotonic() < deadline_s:
                time.sleep(0.1)
                continue
            listener.close()
            problem = _ADDRESS_WORDS.get(error.errno or 0, error.strerror or type(error).__name__)
            raise AddressTaken(host=settings.web_host, port=settings.web_port, problem=problem) from error
        listener.set_inheritable(True)
        return listener


_ADDRESS_WORDS = {
    errno.EADDRINUSE: N_("another program listens there"),
    errno.EADDRNOTAVAIL: N_("this machine has no such address"),
    errno.EACCES: N_("this user may not use a port below 1024"),
}


def _is_alive(host: str, port: int) -> bool:
    connection = http.client.HTTPConnection(host, port, timeout=2)
    try:
        connection.request("GET", "/healthz")
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def main() -> int:
    """Runs the service of this home, or stops it with `--stop`; returns the exit code."""
    descriptor = os.environ.pop("SLIPVAULT_READY_DESCRIPTOR", None)
    terminal = Terminal(spoken_language(), int(descriptor) if descriptor else None)
    try:
        settings = Settings.from_environment()
        if "--stop" in sys.argv[1:]:
            terminal.say(N_("stopped") if Home(settings.home).stop() else N_("nothing was running here"))
            return 0
        return Supervisor(settings, terminal).run()
    except VaultError as error:
        terminal.tell_error(error)
        return error.exit_code


if __name__ == "__main__":
    sys.exit(main())
