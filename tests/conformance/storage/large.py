"""Puts and reads a large object in a process of its own and tells its greatest memory: `large.py URL SIZE_BYTES`."""

from __future__ import annotations

import hashlib
import json
import sys
import tempfile
import time
from datetime import timedelta
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[3]))

from vault.foundation.clock import SystemClock
from vault.foundation.storage import open_store
from vault.foundation.storage.interface import Content, Lock, LockMode

PIECE = b"\x5a\xa5" * (1 << 19)


def main() -> None:
    url, size_bytes = sys.argv[1], int(sys.argv[2])
    clock = SystemClock()
    store = open_store(url, clock)
    with tempfile.TemporaryFile() as file:
        digest = hashlib.sha256()
        for start in range(0, size_bytes, len(PIECE)):
            piece = PIECE[: size_bytes - start]
            file.write(piece)
            digest.update(piece)
        content = Content.from_file(file, size_bytes, digest.digest())
        lock = Lock(LockMode.GOVERNANCE, clock.now() + timedelta(hours=1))
        started = time.perf_counter()
        info = store.put_new(f"records/large/{digest.hexdigest()}", content, lock)
        put_s = time.perf_counter() - started
    found = hashlib.sha256()
    with store.open(info.key, info.version_id) as stream:
        while piece := stream.read(1 << 20):
            found.update(piece)
    print(
        json.dumps(
            {
                "is_same": found.digest() == digest.digest(),
                "is_locked": info.lock == lock,
                "put_s": round(put_s, 1),
                "rss_bytes_max": rss_bytes_max(),
            }
        )
    )


def rss_bytes_max() -> int:
    """Of this program alone: getrusage would count what its parent had when it started us."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM:"))


if __name__ == "__main__":
    main()
