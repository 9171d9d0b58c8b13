"""Web processes of the real application on a machine that fails, or ends them, where a test says.

    python -m tests.faults.web DESCRIPTOR TRAP_FILE

A line on standard input asks for a process; its pid is answered, and later how it ended. It is forked from one that has
loaded everything and served nobody, so that the next after a kill costs no second.

Nothing of the application is replaced. Python announces each call by which it is about to ask the operating system for
a file (audit events, PEP 578); the trap in TRAP_FILE answers one of them with an input/output error or with SIGKILL.
Only the patience with a store that does not answer is shorter than outside, so that a test need not wait for it.
"""

from __future__ import annotations

import errno
import json
import os
import signal
import socket
import sys
import threading
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from fastapi import FastAPI

from vault.app import make_context
from vault.foundation.storage.retrying import RetryingStore
from vault.foundation.storage.s3 import S3Store
from vault.settings import Settings
from vault.surfaces.application import make_application
from vault.surfaces.web_process import serve

READ_TIMEOUT_S = 1.5
EVENTS = frozenset({"open", "os.link", "os.remove", "subprocess.Popen"})


@dataclass(frozen=True)
class Trap:
    """The `nth` time that the operating system is asked for `event` on a path that holds `path`, and so many times."""

    event: str
    path: str
    nth: int = 1
    times: int = 1
    how: str = "error"  # or "kill"

    def set(self, file: Path) -> None:
        """Sets the trap for the process that watches `file`; met, the file is gone."""
        temporary = file.with_suffix(".new")
        temporary.write_text(json.dumps(asdict(self)), encoding="utf-8")
        temporary.replace(file)


class Machine:
    """The audit hook."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._looking = threading.local()

    def __call__(self, event: str, arguments: tuple[Any, ...]) -> None:
        if event not in EVENTS or getattr(self._looking, "now", False) or not self._file.exists():
            return
        self._looking.now = True
        try:
            self._look(event, str(arguments[0]))
        finally:
            self._looking.now = False

    def _look(self, event: str, path: str) -> None:
        trap = Trap(**json.loads(self._file.read_text(encoding="utf-8")))
        if event != trap.event or trap.path not in path:
            return
        if trap.nth > 1:
            replace(trap, nth=trap.nth - 1).set(self._file)
            return
        if trap.times > 1:
            replace(trap, times=trap.times - 1).set(self._file)
        else:
            self._file.unlink()
        if trap.how == "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        raise OSError(errno.EIO, os.strerror(errno.EIO))


def main() -> None:
    application = compose()
    listener = socket.socket(fileno=int(sys.argv[1]))
    for _ in sys.stdin:
        pid = os.fork()
        if pid == 0:
            sys.addaudithook(Machine(Path(sys.argv[2])))
            serve(application, listener)
            return
        print(pid, flush=True)
        print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), flush=True)


def compose() -> FastAPI:
    settings = Settings.from_environment()
    assert settings.database_url is not None
    context = make_context(settings, settings.database_url, pool_size=4)
    place = urlsplit(settings.store_url)
    if place.scheme == "s3+http":
        store = S3Store(place.netloc, place.path.strip("/"), is_secure=False, read_timeout_s=READ_TIMEOUT_S)
        context = replace(context, store=RetryingStore(store, context.clock))
    return make_application(context, settings)


if __name__ == "__main__":
    main()
