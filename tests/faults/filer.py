"""Filing one record in a process of its own that dies, or is refused something, where the test says.

    python -m tests.faults.filer URL STORE_URL CUSTODIAN_DIR SPOOL_DIR NOW RECORD PLACE NUMBER HOW

Nothing of the application is replaced. At PLACE `before-commit` or `after-commit` the database's connections are
watched (1 the wish, 2 the claim, 3 the intent, 4 the catalogue); at `before-lock` or `after-lock` the machine is: Python
announces each call for a file (audit events, PEP 578), and the lock of a copy stands once its file was renamed into its
place. HOW is `kill` (SIGKILL to oneself) or `error`.
"""

from __future__ import annotations

import errno
import os
import signal
import sys
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import event
from sqlalchemy.exc import OperationalError

from vault.access.service import operator_viewer
from vault.foundation.clock import FixedClock
from vault.foundation.context import Context
from vault.foundation.db.engine import Database
from vault.foundation.keys.custodian import open_custodian
from vault.foundation.keys.keyring import Keyring
from vault.foundation.storage import bare_store
from vault.retention.filing import file
from vault.retention.locking import lock_waiting

COMMITS, COPIES = 4, 4  # original, access copy, page, thumbnail


class Fate:
    """Counts what passes at each place, and ends the process at the one that was named."""

    def __init__(self, place: str, number: int, how: str) -> None:
        self._place, self._left, self._how = place, number, how

    def pass_by(self, place: str, failure: BaseException) -> None:
        if place != self._place or self._left == 0:
            return
        self._left -= 1
        if self._left:
            return
        if self._how == "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        raise failure


def watch_commits(database: Database, fate: Fate) -> None:
    refused = OperationalError("COMMIT", {}, ConnectionError("the server went away"))
    committed = False

    @event.listens_for(database.engine, "commit")
    def about_to_commit(_connection: Any) -> None:
        nonlocal committed
        fate.pass_by("before-commit", refused)
        committed = True

    @event.listens_for(database.engine, "checkin")
    def came_back(*_connection: Any) -> None:
        nonlocal committed
        if committed:
            committed = False
            fate.pass_by("after-commit", refused)


def watch_locks(fate: Fate) -> None:
    failure = OSError(errno.EIO, os.strerror(errno.EIO))

    def look(called: str, arguments: tuple[Any, ...]) -> None:
        if called == "os.rename" and "/store/locks/" in str(arguments[1]):
            fate.pass_by("before-lock", failure)
        if called == "os.remove" and "/store/tmp/" in str(arguments[0]):
            fate.pass_by("after-lock", failure)

    sys.addaudithook(look)


def main() -> None:
    url, store_url, custodian_directory, spool, now, record, place, number, how = sys.argv[1:10]
    clock, fate = FixedClock(datetime.fromisoformat(now)), Fate(place, int(number), how)
    database = Database(url, clock, pool_size=6)
    custodian = open_custodian(f"file://{custodian_directory}")
    ctx = Context(clock, database, bare_store(store_url, clock), custodian, Keyring(custodian), Path(spool))
    operator = operator_viewer(ctx)
    watch_commits(database, fate)
    watch_locks(fate)
    file(ctx, operator, [UUID(record)])
    list(lock_waiting(ctx))


if __name__ == "__main__":
    main()
