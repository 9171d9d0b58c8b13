"""The decoder process: bounds itself first, then answers requests until its pipe closes.

Requests: {"what": "examine", "path", "size_bytes", "policy", "name"} or {"what": "render", "path", "media_type"}.
Answers: {"kind": "ready"} once; then for each request any number of {"kind": "value", …} and {"kind": "end"},
or {"kind": "refused", "problem"}.
"""

from __future__ import annotations

import ctypes
import os
import resource
import sys
from typing import IO, Any, BinaryIO

from vault.intake.decoding import wire

# Address space, of which the libraries take 140 MB before the first file; resident memory stays below it.
MEMORY_BYTES_MAX = 1 << 30
CPU_SECONDS_MAX = {"examine": 30, "render": 240}
OPEN_FILES_MAX = 16
_PR_SET_NO_NEW_PRIVS = 38


def main() -> None:
    """Reads requests from standard input and writes answers to standard output."""
    requests, answers = sys.stdin.buffer, os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # a library that prints must not write into the answers
    _bound()
    # Before the first file, so that no file's time is spent on it.
    import vault.intake.checks.pdfs
    import vault.intake.renditions.making  # noqa: F401 - loaded to be there

    def read(size: int) -> bytes:
        data = requests.read(size)
        if len(data) < size:
            sys.exit(0)  # the parent closed the pipe or is gone
        return data

    _send(answers, {"kind": "ready"})
    while True:
        told, _ = wire.read_frame(read)
        used_s = int(sum(resource.getrusage(resource.RUSAGE_SELF)[:2]))
        resource.setrlimit(resource.RLIMIT_CPU, (used_s + CPU_SECONDS_MAX[told["what"]], resource.RLIM_INFINITY))
        with open(told["path"], "rb") as source:  # noqa: PTH123 - a path under /proc/PID/fd/, not of a named file
            _answer(told, source, answers)


def _bound() -> None:
    """Gives up what no decoder needs: memory without end, writing files, core dumps, new privileges."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES_MAX, MEMORY_BYTES_MAX))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_NOFILE, (OPEN_FILES_MAX, OPEN_FILES_MAX))
    own = ctypes.CDLL(None, use_errno=True)
    own.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)


def _answer(told: dict[str, Any], source: BinaryIO, answers: IO[bytes]) -> None:
    try:
        if told["what"] == "examine":
            from vault.intake.checks.examination import examine_here
            from vault.intake.checks.model import CheckPolicy

            examination = examine_here(source, told["size_bytes"], CheckPolicy(**told["policy"]), told["name"])
            if any(finding.code == "breaks-decoder" for finding in examination.findings):
                os._exit(3)  # memory ran out: see below
            _send(answers, {"kind": "value", **wire.examination_told(examination)})
        else:
            from vault.intake.renditions.making import render_here

            for rendition in render_here(source, told["media_type"]):
                _send(answers, {"kind": "value", "rendition": wire.rendition_told(rendition)}, rendition.data)
    except (MemoryError, RecursionError):
        os._exit(3)  # whatever was half-built is in an unknown state: a new process starts clean
    except Exception as error:  # noqa: BLE001 - every decoder-error means the same: not decodable
        _send(answers, {"kind": "refused", "problem": type(error).__name__})
        return
    _send(answers, {"kind": "end"})


def _send(answers: IO[bytes], told: dict[str, Any], data: bytes = b"") -> None:
    answers.write(wire.frame(told, data))
    answers.flush()


if __name__ == "__main__":
    main()
