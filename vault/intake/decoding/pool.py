"""A few decoder processes for this process: started on demand, used over and over, replaced when they fail.

A file is handed over as a descriptor that the decoder opens through /proc; nothing is written to disk under a name.
Decoders that nobody needs for a while end, so that an idle installation stays small; a pool that was told to
stand ready keeps one, so that the first file of a morning does not wait for libraries.
"""

from __future__ import annotations

import contextlib
import functools
import os
import select
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from typing import IO, Any, BinaryIO, cast

from vault.foundation.errors import N_
from vault.intake.checks.model import CheckPolicy, Examination
from vault.intake.decoding import wire
from vault.intake.errors import ExaminationUnavailable
from vault.intake.renditions.rendition import Rendition

EXAMINE_SECONDS_MAX = 8.0
RENDER_SECONDS_MAX = 240.0
START_SECONDS_MAX = 10.0
PROCESSES_MAX = 2
USES_MAX = 2_000
IDLE_SECONDS_MAX = 60.0
# A long file from a scanner may take longer than any hostile one is allowed to.
_BYTES_FREE_OF_CHARGE, _BYTES_PER_SECOND = 32 << 20, 8 << 20


class DecoderFailed(Exception):
    """The decoder process died or talked nonsense: it crashed, or went over its memory or processor limit."""


class DecoderTooSlow(Exception):
    """The decoder was stopped because it took too long."""

    def __init__(self, seconds: float) -> None:
        super().__init__(seconds)
        self.seconds = seconds


class DecoderRefused(Exception):
    """The decoder lives, and says that these bytes cannot be decoded."""


@functools.cache
def decoders() -> Decoders:
    """The decoders of this process."""
    return Decoders()


class Decoders:
    """Hands work to whichever decoder is free; threads wait for one when all are busy."""

    def __init__(self, processes_max: int = PROCESSES_MAX, idle_seconds_max: float = IDLE_SECONDS_MAX) -> None:
        self._free: list[_Decoder] = []
        self._slots = threading.BoundedSemaphore(processes_max)
        self._guard = threading.Lock()
        self._idle_seconds_max = idle_seconds_max
        self._standing = 0
        self._reaper: threading.Timer | None = None

    @property
    def process_ids(self) -> tuple[int, ...]:
        """The decoders that are running and free."""
        with self._guard:
            return tuple(decoder.process_id for decoder in self._free)

    def stand_ready(self) -> None:
        """Starts a decoder without waiting for it, and keeps the last one however idle it is."""
        self._standing = 1
        self._give_back(_Decoder())

    def examine(
        self,
        source: BinaryIO,
        size_bytes: int,
        policy: CheckPolicy,
        declared_name: str | None,
        seconds_max: float = EXAMINE_SECONDS_MAX,
    ) -> Examination:
        """`examine_here` in a decoder.

        Raises:
            DecoderFailed, DecoderTooSlow, DecoderRefused.
            ExaminationUnavailable: no decoder could be started, so that nobody looked at the file.
        """
        seconds_max += max(0, size_bytes - _BYTES_FREE_OF_CHARGE) / _BYTES_PER_SECOND
        request = {"what": "examine", "size_bytes": size_bytes, "name": declared_name}
        asked = self._ask({**request, "policy": wire.policy_told(policy)}, source, size_bytes, seconds_max)
        try:
            (examination,) = [wire.examination_from(told, policy.pages_max) for told, _ in asked]
        except (wire.Malformed, ValueError):
            raise DecoderFailed from None
        return examination

    def render(self, source: BinaryIO, size_bytes: int, media_type: str) -> Iterator[Rendition]:
        """The renditions of an original, one after the other.

        Raises:
            DecoderFailed, DecoderTooSlow, DecoderRefused, ExaminationUnavailable.
        """
        request = {"what": "render", "media_type": media_type}
        for told, data in self._ask(request, source, size_bytes, RENDER_SECONDS_MAX):
            try:
                rendition = wire.rendition_from(told.get("rendition") or {}, data)
            except wire.Malformed:
                raise DecoderFailed from None
            yield rendition

    def _ask(
        self, request: dict[str, Any], source: BinaryIO, size_bytes: int, seconds_max: float
    ) -> Iterator[tuple[dict[str, Any], bytes]]:
        """The answers of a decoder. One that died at once, and was not new, may have died of an earlier file or of the
        system's want of memory: a new one is asked before this file is blamed.
        """
        for is_last in (False, True):
            is_answered = was_new = False
            try:
                with self._one() as decoder, _descriptor(source, size_bytes) as path:
                    was_new = decoder.is_new
                    for answer in decoder.ask({**request, "path": path}, seconds_max):
                        is_answered = True
                        yield answer
                return
            except DecoderFailed:
                if is_last or is_answered or was_new:
                    raise

    def stop(self) -> None:
        """Ends the decoders that are free."""
        with self._guard:
            free, self._free = self._free, []
        for decoder in free:
            decoder.stop()

    @contextlib.contextmanager
    def _one(self) -> Iterator[_Decoder]:
        with self._slots:
            decoder = self._take() or _Decoder()
            try:
                yield decoder
            except DecoderRefused:
                self._give_back(decoder)  # a whole answer: it is ready for the next
                raise
            except BaseException:
                # Whatever went wrong, half an answer may be in the pipe: this one is not used again.
                decoder.stop()
                raise
            self._give_back(decoder)

    def _take(self) -> _Decoder | None:
        with self._guard:
            while self._free:
                decoder = self._free.pop()
                if decoder.is_usable:
                    return decoder
                decoder.stop()
        return None

    def _give_back(self, decoder: _Decoder) -> None:
        if not decoder.is_usable:
            decoder.stop()
            return
        with self._guard:
            decoder.idle_since_s = time.monotonic()
            self._free.append(decoder)
            if self._reaper is None:
                self._await_idleness()

    def _await_idleness(self) -> None:
        self._reaper = threading.Timer(self._idle_seconds_max, self._reap)
        self._reaper.daemon = True
        self._reaper.start()

    def _reap(self) -> None:
        with self._guard:
            idle_before_s = time.monotonic() - self._idle_seconds_max
            old = [decoder for decoder in self._free if decoder.idle_since_s <= idle_before_s]
            # The last ones are used first and stay warm.
            old = old[: max(0, len(self._free) - self._standing)]
            self._free = [decoder for decoder in self._free if decoder not in old]
            self._reaper = None
            if len(self._free) > self._standing:
                self._await_idleness()
        for decoder in old:
            decoder.stop()


class _Decoder:
    def __init__(self) -> None:
        self._uses = 0
        self.idle_since_s = 0.0
        try:
            self._process = self._started()
        except OSError as error:  # no memory, no process to be had
            raise ExaminationUnavailable(problem=error.strerror or N_("the system starts no decoder")) from error
        self._requests = cast("IO[bytes]", self._process.stdin)
        self._answers = cast("IO[bytes]", self._process.stdout)

    def _started(self) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [sys.executable, "-I", "-m", "vault.intake.decoding.decoder"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd="/",
            # No credentials of ours, and no threads that would each reserve address space.
            env={"LANG": "C.UTF-8", "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "MALLOC_ARENA_MAX": "2"},
        )

    @property
    def is_usable(self) -> bool:
        return self._uses < USES_MAX and self._process.poll() is None

    @property
    def is_new(self) -> bool:
        return self._uses == 0

    @property
    def process_id(self) -> int:
        return self._process.pid

    def ask(self, request: dict[str, Any], seconds_max: float) -> Iterator[tuple[dict[str, Any], bytes]]:
        """The answers to a request. A new process is waited for first; its time counts from when it is ready."""
        if self._uses == 0:
            self._await_readiness()
        started_s = time.monotonic()
        try:
            self._uses += 1
            deadline_s = time.monotonic() + seconds_max
            self._requests.write(wire.frame(request))
            self._requests.flush()
            while True:
                told, data = wire.read_frame(lambda size: self._read(size, deadline_s))
                kind = told.get("kind")
                if kind == "end":
                    return
                if kind == "refused":
                    raise DecoderRefused(str(told.get("problem"))[:100])
                yield told, data
        except (BrokenPipeError, EOFError, wire.Malformed):
            raise DecoderFailed from None
        except TimeoutError:
            raise DecoderTooSlow(time.monotonic() - started_s) from None

    def _await_readiness(self) -> None:
        """A busy machine starts it slowly, or not at all: that says nothing about the file."""
        deadline_s = time.monotonic() + START_SECONDS_MAX
        try:
            wire.read_frame(lambda size: self._read(size, deadline_s))
        except (TimeoutError, EOFError, wire.Malformed):
            raise ExaminationUnavailable(problem=N_("the decoder did not become ready")) from None

    def stop(self) -> None:
        """Kills the process and waits for its end."""
        self._process.kill()
        self._process.wait()
        with contextlib.suppress(OSError):
            self._requests.close()
        self._answers.close()

    def _read(self, size: int, deadline_s: float) -> bytes:
        data = bytearray()
        handle = self._answers.fileno()
        while len(data) < size:
            left_s = deadline_s - time.monotonic()
            if left_s <= 0 or not select.select([handle], [], [], left_s)[0]:
                raise TimeoutError
            part = os.read(handle, min(1 << 20, size - len(data)))
            if not part:
                raise EOFError
            data += part
        return bytes(data)


@contextlib.contextmanager
def _descriptor(source: BinaryIO, size_bytes: int) -> Iterator[str]:
    """A path to the bytes: the file's own descriptor, or one of a file in memory that they are copied to."""
    try:
        handle = source.fileno()
    except OSError:
        handle = -1
    if handle >= 0:
        source.flush()  # what was spooled may still be in a buffer of ours
        yield f"/proc/{os.getpid()}/fd/{handle}"
        return
    handle = os.memfd_create("slipvault-examined")
    try:
        with os.fdopen(os.dup(handle), "wb") as copy:
            source.seek(0)
            left = size_bytes
            while left > 0 and (part := source.read(min(1 << 20, left))):
                copy.write(part)
                left -= len(part)
        yield f"/proc/{os.getpid()}/fd/{handle}"
    finally:
        os.close(handle)
