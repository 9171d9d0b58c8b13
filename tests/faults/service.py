"""The whole service as a user starts it, senders as users run them, and kill -9 for each of its processes."""

from __future__ import annotations

import io
import itertools
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import psutil

from tests.support.archive import jpeg
from vault.surfaces.client import Answer, Client
from vault.surfaces.local_file import LocalFile

ROOT = Path(__file__).resolve().parents[2]
COMMAND = [sys.executable, "-m", "vault.surfaces.cli.main"]
READY_WITHIN_S, DEAD_WITHIN_S = 120, 30
# What tells a process of the service from the others, in its command line.
MARKS = {"web": "surfaces.web_process", "worker": "surfaces.worker", "database": "bin/postgres -D"}


class Service:
    """One installation in `home`; it keeps its address over restarts."""

    def __init__(self, home: Path, environment: dict[str, str]) -> None:
        self.home = home
        self.log = home.with_suffix(".log")
        self._environment = {**os.environ, "SLIPVAULT_PORT": "0", "SLIPVAULT_WEB_PROCESSES": "2", **environment}
        self._environment["SLIPVAULT_HOME"] = str(home)
        self._process: subprocess.Popen[bytes] | None = None
        self._senders: list[subprocess.Popen[str]] = []

    def start(self) -> None:
        """Starts the supervisor and waits until the service is ready."""
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "vault.surfaces.supervisor"], env=self._environment, stdout=log, stderr=log
            )
        self.await_ready()
        self._environment["SLIPVAULT_PORT"] = self.url.rpartition(":")[2]

    def await_ready(self) -> None:
        def is_ready() -> bool:
            assert self._process is not None
            assert self._process.poll() is None, self.log.read_text(encoding="utf-8")[-2000:]
            try:
                return httpx.get(f"{self.url}/readyz", timeout=5, trust_env=False).status_code == 200
            except (OSError, httpx.HTTPError):
                return False

        wait_for(is_ready, READY_WITHIN_S)

    def stop(self) -> None:
        assert self._process is not None
        self._process.terminate()
        assert self._process.wait(60) == 0, self.log.read_text(encoding="utf-8")[-2000:]

    @property
    def url(self) -> str:
        return (self.home / "run" / "server.url").read_text(encoding="utf-8")

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def processes(self, kind: str) -> list[psutil.Process]:
        """What lives of one kind: children of the supervisor, or a session of a client that the database serves."""
        if kind == "session":
            servers = self.processes("database")
            return [session for server in servers for session in server.children() if "[local]" in _line(session)][:1]
        return [child for child in psutil.Process(self.pid).children() if MARKS[kind] in _line(child)]

    def kill(self, kind: str) -> None:
        """kill -9 of all processes of a kind, one session's server of the database, or the supervisor itself."""
        if kind == "supervisor":
            assert self._process is not None
            self._process.kill()
            self._process.wait()
            return
        wait_for(lambda: bool(self.processes(kind)), READY_WITHIN_S)  # it may be starting after the last kill
        victims = self.processes(kind)
        for victim in victims:
            os.kill(victim.pid, signal.SIGKILL)

    def kill_what_is_left(self) -> None:
        """Ends senders and supervisor of a test that failed; the rest ends with the supervisor."""
        for process in (*self._senders, self._process):
            if process is not None and process.poll() is None:
                process.kill()
                process.wait()
            if process is not None and process.stdout is not None:
                process.stdout.close()

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """A command of `slipvault` on this host."""
        return subprocess.run(
            [*COMMAND, *arguments], env=self._environment, capture_output=True, text=True, timeout=120
        )

    def sender(self, pile: Path) -> Sender:
        """`slipvault intake send` at work on a directory."""
        arguments = [
            "intake",
            "send",
            str(pile),
            "--class",
            "GENERAL",
            "--clients",
            "4",
            "--patience",
            "90",
            "--json",
        ]
        with self.log.open("ab") as log:
            process = subprocess.Popen(
                [*COMMAND, *arguments], env=self._environment, stdout=subprocess.PIPE, stderr=log, text=True
            )
        self._senders.append(process)
        return Sender(process)

    def verified(self) -> dict[str, Any]:
        """What `slipvault verify` says, which must be that all agrees."""
        done = self.run("verify", "--json")
        verdict: dict[str, Any] = json.loads(done.stdout)
        assert (done.returncode, verdict["findings"]) == (0, [])
        return verdict

    def send(self, data: bytes, key: str) -> Answer:
        """One attempt to send a file; raises as the client does."""
        with tempfile.NamedTemporaryFile() as file, self.client() as client:
            file.write(data)
            file.flush()
            return client.send(LocalFile.read(Path(file.name)), key, {"class_code": "GENERAL"})

    def client(self) -> Client:
        """The real client, as the operator of the host."""
        return Client(self.url, (self.home / "run" / "operator.token").read_text(encoding="ascii"))

    def originals(self, record_ids: list[str]) -> Iterator[bytes]:
        """The bytes that the archive gives back."""
        with self.client() as client:
            for record_id in record_ids:
                found = io.BytesIO()
                client.fetch(record_id, found)
                yield found.getvalue()


@dataclass
class Sender:
    """A running sender; its answers come line by line."""

    process: subprocess.Popen[str]
    answers: dict[str, dict[str, Any]] = field(default_factory=dict)

    def read(self) -> bool:
        """Takes the next answer; false at the end."""
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if line:
            answer = json.loads(line)
            self.answers[answer["file"]] = answer
        return bool(line)

    def finish(self) -> dict[str, dict[str, Any]]:
        """All answers, each file accepted."""
        while self.read():
            pass
        assert self.process.wait(10) == 0, self.answers
        assert {answer["status"] for answer in self.answers.values()} == {"accepted"}
        return self.answers


def _line(process: psutil.Process) -> str:
    try:
        return " ".join(process.cmdline())
    except psutil.NoSuchProcess:  # or a zombie
        return ""


@contextmanager
def running_service(base: Path, environment: dict[str, str]) -> Iterator[Service]:
    """A service that stops as it should when the tests are done with it."""
    base.mkdir(exist_ok=True)
    service = Service(base / "home", environment)
    service.start()
    try:
        yield service
        service.stop()
    finally:
        service.kill_what_is_left()


FILES_PER_SENDER = 16
_first = itertools.count(1000, 2 * FILES_PER_SENDER)


def lose_and_double_nothing(service: Service, directory: Path, strike: Callable[[], None]) -> None:
    """Two senders at work, each with four files at a time, while `strike` falls twice; then everything is counted."""
    first = next(_first)
    piles = [
        pile_of(directory / "a", first, FILES_PER_SENDER),
        pile_of(directory / "b", first + FILES_PER_SENDER, FILES_PER_SENDER),
    ]
    records_before = service.verified()["records"]
    senders = [service.sender(pile) for pile in piles]
    for _ in range(2):  # each time with answers given, files under way, and files to come
        for sender in senders:
            assert sender.read()
            assert sender.read()
        strike()
    answers = senders[0].finish() | senders[1].finish()
    service.await_ready()
    again = service.sender(piles[0]).finish() | service.sender(piles[1]).finish()
    record_ids = {file: answer["record_id"] for file, answer in answers.items()}
    assert {file: answer["record_id"] for file, answer in again.items()} == record_ids
    assert all(answer["repeated"] for answer in again.values())
    sent = [Path(file).read_bytes() for file in record_ids]
    assert list(service.originals(list(record_ids.values()))) == sent
    verdict = service.verified()
    assert verdict["records"] == records_before + 2 * FILES_PER_SENDER
    assert {note["code"] for note in verdict["notes"]} <= {"object-unknown"}


def pile_of(directory: Path, first: int, count: int) -> Path:
    """A directory of so many different scans."""
    directory.mkdir()
    for number in range(first, first + count):
        (directory / f"scan-{number:04}.jpg").write_bytes(jpeg(number))
    return directory


def wait_for(what: Callable[[], bool], seconds: float) -> None:
    deadline_s = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < deadline_s, "it did not happen in time"
        time.sleep(0.05)
