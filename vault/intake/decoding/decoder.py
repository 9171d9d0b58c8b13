"""The decoder process: bounds itself first, then answers requests until its pipe closes."""

from __future__ import annotations

import os
import pickle
import resource
import sys
from typing import IO, Any

MEMORY_BYTES_MAX = 1 << 30
FILE_CPU_SECONDS_MAX = 60


def main() -> None:
    """Reads requests from standard input and writes answers to standard output."""
    requests, answers = sys.stdin.buffer, os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # a library that prints must not write into the answers
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES_MAX, MEMORY_BYTES_MAX))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    while head := requests.read(8):
        # From our own parent only: standard input is a pipe that nobody else holds.
        what, path, arguments = pickle.loads(requests.read(int.from_bytes(head)))  # noqa: S301 - see above
        used_s = int(sum(resource.getrusage(resource.RUSAGE_SELF)[:2]))
        resource.setrlimit(resource.RLIMIT_CPU, (used_s + FILE_CPU_SECONDS_MAX, resource.RLIM_INFINITY))
        with open(path, "rb") as source:  # noqa: PTH123 - a descriptor of the parent, not a file with a name
            _answer(what, source, arguments, answers)


def _answer(what: str, source: IO[bytes], arguments: tuple[Any, ...], answers: IO[bytes]) -> None:
    try:
        if what == "examine":
            from vault.intake.checks.examination import examine_here

            _send(answers, "value", examine_here(source, *arguments))  # type: ignore[arg-type]  # IO[bytes] serves
        else:
            from vault.intake.renditions.making import render_here

            for rendition in render_here(source, *arguments):  # type: ignore[arg-type]  # IO[bytes] serves
                _send(answers, "value", rendition)
    except (MemoryError, RecursionError):
        os._exit(3)  # whatever was half-built is in an unknown state: a new process starts clean
    except Exception as error:  # noqa: BLE001 - any failure of any decoder means the same: not decodable
        _send(answers, "refused", type(error).__name__)
        return
    _send(answers, "end", None)


def _send(answers: IO[bytes], kind: str, value: Any) -> None:
    data = pickle.dumps((kind, value), protocol=5)
    answers.write(len(data).to_bytes(8))
    answers.write(data)
    answers.flush()


if __name__ == "__main__":
    main()
