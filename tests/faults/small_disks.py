"""Small disks for tests: tmpfs mounts that bear the name of the process that made them.

A run that was killed leaves its mounts behind; whoever comes next takes away those of processes that live no more, and
no others. `small_disks.py DIRECTORY` mounts one and waits to be killed.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from pathlib import Path

_NAME = re.compile(r"slipvault-small-(\d+)-(\d+)")


def mount(directory: Path, size_bytes: int, *, is_there: bool = False) -> None:
    """Mounts a disk of that size, or changes the size of the one that `is_there`."""
    directory.mkdir(parents=True, exist_ok=True)
    options = f"size={size_bytes},mode=711" + ",remount" * is_there
    name = f"slipvault-small-{os.getpid()}-{_started(os.getpid())}"
    subprocess.run(["mount", "-t", "tmpfs", "-o", options, name, str(directory)], check=True)


def unmount(directory: Path) -> None:
    """Takes a disk away, also while something of it is open."""
    subprocess.run(["umount", "--lazy", str(directory)], check=True)


def mounted() -> dict[Path, bool]:
    """Every disk of this kind, and whether the process that made it still lives."""
    found = {}
    for line in Path("/proc/self/mountinfo").read_text().splitlines():
        about, _, kind = line.partition(" - ")
        form, source = kind.split()[:2]
        if form == "tmpfs" and (maker := _NAME.fullmatch(source)):
            place = about.split()[4].encode().decode("unicode_escape")  # a blank stands there as \040
            found[Path(place)] = _started(int(maker[1])) == int(maker[2])
    return found


def clear() -> None:
    """Takes away those of processes that live no more."""
    for directory, is_alive in reversed(mounted().items()):
        if not is_alive:
            unmount(directory)


def _started(pid: int) -> int | None:
    """When a process began, in ticks since the host did: a number may be given again, but not with the same beginning."""
    try:
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19])
    except (FileNotFoundError, ProcessLookupError):
        return None


if __name__ == "__main__":
    mount(Path(sys.argv[1]), 1 << 20)
    sys.stdout.write("mounted\n")
    sys.stdout.flush()
    time.sleep(600)
