"""A few decoder processes for this process: started on demand, used over and over, replaced when they fail.

A file is handed over as a descriptor that the decoder opens through /proc; nothing is written to disk under a name.
Requests and answers are pickles with their length before them, on pipes that only we and our child hold.
"""

from __future__ import annotations

import contextlib
import functools
import os
import pickle
import select
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from typing import IO, Any, BinaryIO, cast

from vault.intake.checks.model import CheckPolicy, Examination

EXAMINE_SECONDS_MAX = 8.0
RENDER_SECONDS_MAX = 60.0
PROCESSES_MAX = 2
USES_MAX = 2_000
_ANSWER_BYTES_MAX = 256 << 20


class DecoderFailed(Exception):
    """The decoder process died: it crashed, or went over its memory or processor limit."""


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
    """Hands work to whichever decoder is free."""

    def __init__(self, processes_max: int = PROCESSES_MAX) -> None:
        self._free: list[_Decoder] = []
        self._slots = threading.BoundedSemaphore(processes_max)
        self._guard = threading.Lock()

    def examine(
        self, source: BinaryIO, size_bytes: int, policy: CheckPolicy, declared_name: str | None
    ) -> Examination:
        """`examine_here` in a decoder.

        Raises:
            DecoderFailed, DecoderTooSlow.
        """
        with self._one() as decoder, _descriptor(source, size_bytes) as handle:
            answers = decoder.ask(
                "examine", handle, (size_bytes, policy, declared_name), time.monotonic() + EXAMINE_SECONDS_MAX
            )
            (examination,) = list(answers)  # to the end: the next request must not meet the rest
            assert isinstance(examination, Examination)
            return examination

    def render(self, source: BinaryIO, size_bytes: int, media_type: str) -> Iterator[Any]:
        """The renditions of an original, one after the other.

        Raises:
            DecoderFailed, DecoderTooSlow, DecoderRefused.
        """
        with self._one() as decoder, _descriptor(source, size_bytes) as handle:
            yield from decoder.ask("render", handle, (media_type,), time.monotonic() + RENDER_SECONDS_MAX)

    @contextlib.contextmanager
    def _one(self) -> Iterator[_Decoder]:
        with self._slots:
            with self._guard:
                decoder = self._free.pop() if self._free else None
            if decoder is None or not decoder.is_usable:
                decoder = _Decoder()
            try:
                yield decoder
            except BaseException:
                # Whatever went wrong, half an answer may be in the pipe: this one is not used again.
                decoder.stop()
                raise
            if decoder.is_usable:
                with self._guard:
                    self._free.append(decoder)
            else:
                decoder.stop()


class _Decoder:
    def __init__(self) -> None:
        self._uses = 0
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-m", "vault.intake.decoding.decoder"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd="/",
        )
        self._requests = cast("IO[bytes]", self._process.stdin)
        self._answers = cast("IO[bytes]", self._process.stdout)

    @property
    def is_usable(self) -> bool:
        return self._uses < USES_MAX and self._process.poll() is None

    def ask(self, what: str, handle: int, arguments: tuple[Any, ...], deadline_s: float) -> Iterator[Any]:
        self._uses += 1
        request = pickle.dumps((what, f"/proc/{os.getpid()}/fd/{handle}", arguments))
        started_s = time.monotonic()
        try:
            self._requests.write(len(request).to_bytes(8) + request)
            self._requests.flush()
            while True:
                size = int.from_bytes(self._read(8, deadline_s))
                if size > _ANSWER_BYTES_MAX:
                    raise DecoderFailed
                # Our own decoder's answer: plain values that it made, never the file's bytes as a pickle.
                kind, value = pickle.loads(self._read(size, deadline_s))  # noqa: S301 - see the line above
                if kind == "end":
                    return
                if kind == "refused":
                    raise DecoderRefused(value)
                yield value
        except (BrokenPipeError, EOFError):
            raise DecoderFailed from None
        except TimeoutError:
            raise DecoderTooSlow(time.monotonic() - started_s) from None

    def stop(self) -> None:
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
def _descriptor(source: BinaryIO, size_bytes: int) -> Iterator[int]:
    """A descriptor of the bytes: the file's own, or one of a file in memory that they are copied to."""
    try:
        yield source.fileno()
        return
    except OSError:
        pass
    handle = os.memfd_create("slipvault-examined")
    try:
        with os.fdopen(os.dup(handle), "wb") as copy:
            source.seek(0)
            left = size_bytes
            while left > 0 and (part := source.read(min(1 << 20, left))):
                copy.write(part)
                left -= len(part)
        yield handle
    finally:
        os.close(handle)
