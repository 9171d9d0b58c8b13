"""Restores a dump and dies by SIGKILL when the entry about it is about to be written: `restorer.py URL DUMP SECRET_HEX`."""

from __future__ import annotations

import os
import signal
import sys
from datetime import datetime
from pathlib import Path

from vault.foundation.clock import SystemClock
from vault.foundation.db.copies import restore
from vault.foundation.ledger.entry import Actor


class DeadlyClock(SystemClock):
    """Asked for the time, it ends its process: an entry asks first of all."""

    def now(self) -> datetime:
        os.kill(os.getpid(), signal.SIGKILL)
        return super().now()


if __name__ == "__main__":
    url, dump, secret = sys.argv[1:]
    restore(url, Path(dump), DeadlyClock(), Actor("operator"), bytes.fromhex(secret))
