"""The home directory of an installation: made, taken by one service at a time, and what a running one notes there."""

from __future__ import annotations

import errno
import fcntl
import json
import os
import shutil
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from vault.foundation.errors import N_, Fault, VaultError
from vault.foundation.ids import new_token
from vault.foundation.processes import started_at

STOP_TIMEOUT_S = 90.0
# Read by the library for figures: with it the processes keep them in files there, and each tells the sum of all.
FIGURES_VARIABLE = "PROMETHEUS_MULTIPROC_DIR"
_WORDS = {
    errno.EACCES: N_("this user may not write there"),
    errno.EPERM: N_("this user may not write there"),
    errno.EROFS: N_("it is on a file system that is read-only"),
    errno.ENOSPC: N_("the disk is full"),
    errno.EDQUOT: N_("the quota of this user is used up"),
    errno.ENOTDIR: N_("a part of the path is a file"),
    errno.EEXIST: N_("there is a file of that name"),
}


class HomeUnusable(VaultError):
    """Nothing can be kept in the home directory."""

    code = "home-unusable"
    exit_code = 78
    fault = Fault.CALLER
    message = N_("The home directory {home} cannot be used: {problem}.")
    hint = N_("Choose another with --home, or make room and give this user the right to write there.")


class AlreadyRunning(VaultError):
    """Another service has this home."""

    code = "already-running"
    status = 409
    exit_code = 75
    fault = Fault.CALLER
    message = N_("slipvault is running in {home} already: {address}")
    hint = N_("Use that one, or stop it first: scripts/run --stop --home {home}")


class NotStopped(VaultError):
    """The service was told to end and did not."""

    code = "not-stopped"
    status = 409
    exit_code = 75
    fault = Fault.OURS
    message = N_("Process {pid} has not ended within {seconds} seconds.")
    hint = N_("It may be finishing long work. Look at it again, or end it by force: kill -9 {pid}")


@dataclass(frozen=True)
class Home:
    """The directory and the files in it that a running service keeps for the command line."""

    directory: Path

    @property
    def log_file(self) -> Path:
        """What a service in the background says."""
        return self.directory / "log" / "slipvault.log"

    @property
    def figures_directory(self) -> Path:
        """Where the web processes of one run keep what they count."""
        return self.directory / "run" / "figures"

    @property
    def _run(self) -> Path:
        return self.directory / "run"

    @contextmanager
    def taken(self) -> Iterator[bool]:
        """Makes the home and holds it for this process; says whether the service that had it before was killed.

        Raises:
            HomeUnusable: it cannot be made or written to.
            AlreadyRunning: another service has it.
        """
        with self.problems_told():
            self.directory.mkdir(mode=0o711 if os.geteuid() == 0 else 0o700, parents=True, exist_ok=True)
            for name in ("run", "spool", "log"):
                (self.directory / name).mkdir(mode=0o700, exist_ok=True)
            handle = os.open(self._run / "supervisor.lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise AlreadyRunning(home=self.directory, address=self.address() or "?") from None
            was_killed = (self._run / "supervisor.json").exists()
            self._forget()
            with self.problems_told():
                self.figures_directory.mkdir(mode=0o700)
                noted = {"pid": os.getpid(), "started": started_at(os.getpid())}
                _write_private(self._run / "supervisor.json", json.dumps(noted))
            yield was_killed
        finally:
            # A waiting process may have taken the home by then: only its holder clears it up.
            self._forget_if_own()
            os.close(handle)

    @property
    def is_password_told(self) -> bool:
        """Whether the first administrator's one-time password has reached a terminal, if one was made from here."""
        return not (self._run / "password-not-told").exists()

    def note_password(self, *, is_told: bool) -> None:
        """Notes that a one-time password is about to be made, or that it has reached a terminal."""
        note = self._run / "password-not-told"
        with self.problems_told():
            if is_told:
                note.unlink(missing_ok=True)
            else:
                note.touch(mode=0o600)

    def open_to_operator(self, address: str) -> None:
        """Lets the command line of this user find the service and act as the operator."""
        with self.problems_told():
            _write_private(self._run / "operator.token", new_token())
            _write_private(self._run / "server.url", address)

    def address(self) -> str | None:
        """Where the service of this home answers, as far as it has noted."""
        try:
            return (self._run / "server.url").read_text(encoding="utf-8")
        except OSError:
            return None

    def stop(self) -> bool:
        """Stops the service of this home and waits for its end; false when none was running.

        The noted number is believed only when the process began at the noted time.

        Raises:
            NotStopped: it has not ended in a minute and a half.
        """
        try:
            noted = json.loads((self._run / "supervisor.json").read_text(encoding="ascii"))
            pid, began = int(noted["pid"]), noted["started"]
        except (OSError, ValueError, KeyError, TypeError):
            return False
        if began is None or started_at(pid) != began:
            return False
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGTERM)
        deadline_s = time.monotonic() + STOP_TIMEOUT_S
        while started_at(pid) == began:
            if time.monotonic() > deadline_s:
                raise NotStopped(pid=pid, seconds=int(STOP_TIMEOUT_S))
            time.sleep(0.05)
        return True

    @contextmanager
    def problems_told(self) -> Iterator[None]:
        """Turns what the system says of the directory into `HomeUnusable`."""
        try:
            yield
        except OSError as error:
            number = error.errno or 0
            raise HomeUnusable(home=self.directory, problem=_WORDS.get(number, os.strerror(number))) from error

    def _forget(self) -> None:
        """Removes what a service that was killed has left."""
        for name in ("server.url", "operator.token", "supervisor.json"):
            (self._run / name).unlink(missing_ok=True)
        shutil.rmtree(self.figures_directory, ignore_errors=True)

    def _forget_if_own(self) -> None:
        with suppress(OSError, ValueError, KeyError):
            noted = json.loads((self._run / "supervisor.json").read_text(encoding="ascii"))
            if noted["pid"] == os.getpid():
                self._forget()


def _write_private(path: Path, text: str) -> None:
    temporary = path.with_suffix(".new")
    temporary.unlink(missing_ok=True)
    handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(text)
    temporary.replace(path)
