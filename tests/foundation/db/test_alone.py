"""One at a time by an advisory lock: given back at once, lost with its connection, and its loss is told as it was."""

from __future__ import annotations

import pytest
from sqlalchemy import create_engine, text

from vault.foundation.db.engine import Database
from vault.foundation.db.errors import DatabaseUnavailable

KEY = 41


def test_the_second_is_told_that_somebody_else_has_it_and_the_next_gets_it(database: Database) -> None:
    for _ in range(20):
        with database.alone(KEY) as first, database.alone(KEY) as second:
            assert (first is not None, second) == (True, None)


def test_whose_connection_is_gone_learns_that_the_database_is(database: Database, database_url: str) -> None:
    owner = create_engine(database_url)

    def lose_it() -> None:
        with database.alone(KEY) as guard:
            assert guard is not None
            pid = guard.execute(text("SELECT pg_backend_pid()")).scalar_one()
            with owner.begin() as connection:
                connection.execute(text("SELECT pg_terminate_backend(:pid, 5000)"), {"pid": pid})
            guard.execute(text("SELECT 1"))

    with pytest.raises(DatabaseUnavailable):
        lose_it()
    owner.dispose()
    with database.alone(KEY) as guard:
        assert guard is not None
