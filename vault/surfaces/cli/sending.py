"""Sending a pile of files at once: several senders, one answer for each file, a clean end at Ctrl-C."""

from __future__ import annotations

import queue
import signal
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Any

from vault.foundation.errors import N_, Fault, VaultError
from vault.surfaces.client import (
    Answer,
    Client,
    Interrupted,
    ServerRefused,
    Unavailable,
)
from vault.surfaces.local_file import FileChanged, LocalFile, client_key
from vault.surfaces.patience import OnWait, Patience, persist
from vault.surfaces.station.errors import BadControlFile
from vault.surfaces.station.folder import is_scan_name, read_description, words_of

_WHOLE_RUN_STATUS = frozenset({401, 403})


class FileUnreadable(VaultError):
    """A file that was to be sent cannot be read."""

    code = "file-unreadable"
    status = 400
    exit_code = 66
    fault = Fault.CALLER
    message = N_("{file} cannot be read: {problem}.")
    hint = N_("Check the path and its permissions.")


@dataclass(frozen=True)
class Pile:
    """What all files of one run share."""

    class_code: str
    unit_code: str | None = None
    batch_id: str | None = None
    description: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Outcome:
    """What became of one file: an answer of the server, or an error that left it unsent."""

    file: Path
    answer: Answer | None
    error: VaultError | None = None

    @property
    def status(self) -> str:
        """accepted, duplicate, refused, or unsent."""
        return self.answer.status if self.answer is not None else "unsent"

    @property
    def is_kept(self) -> bool:
        """Whether the archive has the file."""
        return self.status in {"accepted", "duplicate"}


def files_in(paths: Sequence[Path]) -> list[Path]:
    """The files to send: those named, and in directories all but hidden ones, unfinished ones and descriptions.

    Raises:
        FileUnreadable: a path does not exist.
    """
    found: list[Path] = []
    for path in paths:
        if path.is_dir():
            inside = [p for p in sorted(path.rglob("*")) if p.is_file() and not p.is_symlink()]
            found += [p for p in inside if is_scan_name(p.name) and not _is_hidden(p.relative_to(path))]
        elif path.is_file():
            found.append(path)
        else:
            raise FileUnreadable(file=str(path), problem=N_("it is no file and no directory"))
    return found


class Sending:
    """One run. The client key of each file comes from its bytes, class, unit and batch: a repeated run meets it."""

    def __init__(
        self,
        client: Client,
        pile: Pile,
        patience: Patience,
        on_wait: OnWait,
        on_sent: Callable[[Path, int], None] = lambda _file, _bytes: None,
    ) -> None:
        self._client = client
        self._pile = pile
        self._patience = patience
        self._on_wait = on_wait
        self._on_sent = on_sent
        self._stop = threading.Event()
        self._equal: dict[str, int] = {}
        self._lock = threading.Lock()
        self._fatal: VaultError | None = None

    def run(self, files: Sequence[Path], senders: int, on_outcome: Callable[[Outcome], None]) -> bool:
        """Sends all; `on_outcome` is called in this thread. Returns whether it was not interrupted.

        Raises:
            ServerRefused: the token or the rights are wrong, so every file would fail.
        """
        waiting: queue.SimpleQueue[Path] = queue.SimpleQueue()
        outcomes: queue.SimpleQueue[Outcome | BaseException | None] = queue.SimpleQueue()
        for file in files:
            waiting.put(file)
        threads = [
            threading.Thread(target=self._send_all, args=(waiting, outcomes), name=f"sender-{number}", daemon=True)
            for number in range(max(1, min(senders, len(files))))
        ]
        with self._stopped_by_signals():
            for thread in threads:
                thread.start()
            ended = 0
            while ended < len(threads):
                outcome = _next(outcomes)
                if isinstance(outcome, BaseException):
                    raise outcome
                if outcome is None:
                    ended += 1
                else:
                    on_outcome(outcome)
        if self._fatal is not None:
            raise self._fatal
        return not self._stop.is_set()

    def _send_all(
        self, waiting: queue.SimpleQueue[Path], outcomes: queue.SimpleQueue[Outcome | BaseException | None]
    ) -> None:
        try:
            while not self._stop.is_set():
                try:
                    file = waiting.get_nowait()
                except queue.Empty:
                    break
                outcomes.put(self._send(file))
        except BaseException as defect:  # noqa: BLE001 - raised again by `Sending.run`, which waits for it
            outcomes.put(defect)
        finally:
            outcomes.put(None)

    def _send(self, path: Path) -> Outcome:
        try:
            file = LocalFile.read(path)
            metadata = self._metadata(path)
            key = self._key(file, str(metadata["class_code"]), metadata.get("unit_code"))

            def attempt() -> Answer:
                return self._client.send(
                    file, key, metadata, on_sent=lambda sent: self._on_sent(path, sent), stop=self._stop
                )

            return Outcome(path, persist(attempt, self._patience, self._stop, self._on_wait))
        except ServerRefused as refusal:
            if refusal.http_status in _WHOLE_RUN_STATUS:
                self._fatal = refusal
                self._stop.set()
                return Outcome(path, None, refusal)
            return Outcome(path, Answer("refused", None, None, None, (_as_finding(refusal),), message=str(refusal)))
        except (Unavailable, FileChanged, BadControlFile, Interrupted) as error:
            return Outcome(path, None, error)
        except OSError as error:
            return Outcome(path, None, FileUnreadable(file=str(path), problem=words_of(error)))

    def _metadata(self, path: Path) -> dict[str, Any]:
        told: dict[str, Any] = {"class_code": self._pile.class_code, "unit_code": self._pile.unit_code}
        told.update(self._pile.description)
        for sidecar in (path.with_name(path.name + ".json"), path.with_suffix(".json")):
            if sidecar != path and sidecar.is_file():
                told.update(read_description(sidecar))
                break
        name = path.name.encode("utf-8", "replace").decode()
        return {**told, "batch_id": self._pile.batch_id, "file_name": name}

    def _key(self, file: LocalFile, class_code: str, unit_code: str | None) -> str:
        """Equal files of one run are items of their own; which of them has which number does not matter."""
        parts = (class_code, unit_code, self._pile.batch_id)
        base = client_key(file.sha256, *parts)
        with self._lock:
            ordinal = self._equal.get(base, 0)
            self._equal[base] = ordinal + 1
        return client_key(file.sha256, *parts, ordinal=ordinal)

    @contextmanager
    def _stopped_by_signals(self) -> Iterator[None]:
        """The first signal lets what is under way end, of a large file the piece; the second one ends at once."""

        def on_signal(number: int, frame: FrameType | None) -> None:
            del number, frame
            if self._stop.is_set():
                raise KeyboardInterrupt
            self._stop.set()

        before = {name: signal.signal(name, on_signal) for name in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for name, handler in before.items():
                signal.signal(name, handler)


def _next(outcomes: queue.SimpleQueue[Outcome | BaseException | None]) -> Outcome | BaseException | None:
    """Waits in short turns, so that signals are noticed."""
    while True:
        try:
            return outcomes.get(timeout=0.2)
        except queue.Empty:
            continue


def _as_finding(refusal: ServerRefused) -> dict[str, Any]:
    problem = refusal.problem
    return {
        "code": refusal.problem_code,
        "severity": "refuse",
        "page": None,
        "message": problem.get("title"),
        "hint": problem.get("hint"),
    }


def _is_hidden(path: Path) -> bool:
    return any(part.startswith(".") for part in path.parts)
