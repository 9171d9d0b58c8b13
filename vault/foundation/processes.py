"""Processes of this machine: which one a number means, and children that do not outlive their parent."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

_PR_SET_PDEATHSIG = 1


def started_at(pid: int) -> str | None:
    """When the process began, in the kernel's ticks; nothing for one that is gone or a zombie.

    A number alone names nobody: it may belong to somebody else by now.
    """
    fields = _status(pid)
    return None if fields is None or fields[0] == "Z" else fields[19]


def age_s() -> float:
    """How long this process has been there, interpreter and imports included, to a hundredth of a second."""
    ticks = started_at(os.getpid())
    if ticks is None:
        return 0.0
    return time.clock_gettime(time.CLOCK_BOOTTIME) - int(ticks) / os.sysconf("SC_CLK_TCK")


_ENDING = frozenset({signal.SIGINT, signal.SIGTERM, signal.SIGHUP})


@contextmanager
def signals_deferred() -> Iterator[None]:
    """Puts off the signals that ask this process to end: a child that is just being started must not be lost sight of.

    The child must lift this for itself, as `following_parent` does.
    """
    before = signal.pthread_sigmask(signal.SIG_BLOCK, _ENDING)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def following_parent(number: signal.Signals) -> Callable[[], None]:
    """What a child does before it becomes its program, so that the kernel sends it `number` when its parent ends.

    For `preexec_fn`, after any change of user, which clears it. The parent is the thread that starts the child: start
    it from the main one. Only Linux can do this; elsewhere nothing happens.
    """
    parent = os.getpid()
    libc = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None

    def in_child() -> None:
        signal.pthread_sigmask(signal.SIG_SETMASK, ())
        if libc is None:
            return
        libc.prctl(_PR_SET_PDEATHSIG, number)
        if os.getppid() != parent:  # it ended before the kernel was told
            os._exit(1)

    return in_child


def _status(pid: int) -> list[str] | None:
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    except OSError:
        return None
