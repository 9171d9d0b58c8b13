"""A process that puts objects one after another and says so, until it is killed: `writer.py URL SEED`."""

from __future__ import annotations

import hashlib
import itertools
import random
import sys
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[3]))

from vault.foundation.clock import SystemClock
from vault.foundation.storage import open_store
from vault.foundation.storage.errors import LockRefused
from vault.foundation.storage.interface import Content, Lock, LockMode


def main() -> None:
    url, seed = sys.argv[1:]
    clock = SystemClock()
    store = open_store(url, clock)
    source = random.Random(seed)
    for number in itertools.count():
        data = source.randbytes(source.randrange(1, 400_000))
        digest = hashlib.sha256(data).digest()
        key = f"records/{seed}/{number}/{digest.hex()}"
        lock = Lock(LockMode.GOVERNANCE, clock.now() + timedelta(hours=1))
        info = store.put_new(key, Content.from_bytes(data, digest), lock)
        print("put", key, flush=True)
        with suppress(LockRefused):  # another process with the same seed set a later date
            store.set_retention(key, info.version_id, Lock(LockMode.GOVERNANCE, clock.now() + timedelta(hours=2)))
        store.set_hold(key, info.version_id, on=True)
        print("held", key, flush=True)


if __name__ == "__main__":
    main()
