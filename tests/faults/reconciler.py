"""One reconciliation in a process of its own that dies at a commit that the test names.

    python -m tests.faults.reconciler URL STORE_URL CUSTODIAN_DIR SPOOL_DIR NOW NUMBER before|after

The database's connections are watched, not our code: the process kills itself when the commit of that number is about
to be sent, or when its connection has come back from it. Exit 0 when it ended before that.
"""

from __future__ import annotations

import os
import signal
import sys
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import event

from vault.foundation.clock import FixedClock
from vault.foundation.context import Context
from vault.foundation.db.engine import Database
from vault.foundation.keys.custodian import open_custodian
from vault.foundation.keys.keyring import Keyring
from vault.foundation.ledger.entry import SYSTEM
from vault.foundation.storage import bare_store
from vault.oversight.jobs import reconcile_and_keep


def main() -> None:
    url, store_url, custodian_directory, spool, now, number, side = sys.argv[1:8]
    clock = FixedClock(datetime.fromisoformat(now))
    database = Database(url, clock, pool_size=2)
    commits = 0

    @event.listens_for(database.engine, "commit")
    def about_to_commit(_connection: Any) -> None:
        nonlocal commits
        commits += 1
        if commits == int(number) and side == "before":
            os.kill(os.getpid(), signal.SIGKILL)

    @event.listens_for(database.engine, "checkin")
    def came_back(*_connection: Any) -> None:
        if commits == int(number) and side == "after":
            os.kill(os.getpid(), signal.SIGKILL)

    custodian = open_custodian(f"file://{custodian_directory}")
    store = bare_store(store_url, clock)
    reconcile_and_keep(Context(clock, database, store, custodian, Keyring(custodian), Path(spool)), SYSTEM)


if __name__ == "__main__":
    main()
