"""A process that owns the embedded database of a directory, or joins it, until it is told to end or killed.

python -m tests.support.database_owner DIR own     starts the server, says "ready PID", and waits for its input to end
python -m tests.support.database_owner DIR join    joins or starts it, adds a row, says "done", and ends
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import psycopg

from vault.foundation.db.launcher import OWNER_ROLE, EmbeddedPostgres, attached_or_started


def connect(url: str) -> psycopg.Connection[tuple[object, ...]]:
    """A connection as the owner to the service's database."""
    host = url.partition("host=")[2].replace("%2F", "/")
    return psycopg.connect(host=host, user=OWNER_ROLE, dbname="slipvault", autocommit=True)


def main() -> None:
    directory, act = Path(sys.argv[1]), sys.argv[2]
    if act == "own":
        with EmbeddedPostgres(directory, progress=tell) as server:
            print(f"ready {server.pid}", flush=True)
            sys.stdin.read()
        return
    with attached_or_started(directory, tell) as url, connect(url) as connection:
        connection.execute("SELECT pg_advisory_lock(1)")  # two who make the same table at once clash
        connection.execute("CREATE TABLE IF NOT EXISTS visits (pid integer)")
        connection.execute("INSERT INTO visits VALUES (%s)", (os.getpid(),))
        connection.execute("SELECT pg_advisory_unlock(1)")
        time.sleep(0.5)  # so that those who start together are here together
        connection.execute("SELECT 1")
    print("done", flush=True)


def tell(text: str) -> None:
    print(text, flush=True)


if __name__ == "__main__":
    main()
