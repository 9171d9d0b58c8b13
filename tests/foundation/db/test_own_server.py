"""An ordinary PostgreSQL server: which rights are enough, and how what is missing is told (docs/operate/database.md)."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from sqlalchemy import text

from tests.support.debian_postgres import DebianPostgres
from vault.foundation.clock import SystemClock
from vault.foundation.db.engine import APP_ROLE, Database
from vault.foundation.db.errors import DatabaseUnreachable, DatabaseUnsuitable
from vault.foundation.db.migrate import upgrade

PAGE = Path(__file__).resolve().parents[3] / "docs" / "operate" / "database.md"
pytestmark = pytest.mark.slow


def url_of(server: DebianPostgres, database: str, login: str = "archive") -> str:
    return server.url(database, login).replace("postgresql://", "postgresql+psycopg://")


def is_served(server: DebianPostgres, database: str, login: str) -> bool:
    opened = Database(url_of(server, database, login), SystemClock(), pool_size=1)
    try:
        opened.check_suitable()
        with opened.read() as connection:
            return bool(connection.execute(text("SELECT current_user = :role"), {"role": APP_ROLE}).scalar_one())
    finally:
        opened.dispose()


def test_an_owner_who_may_make_roles_needs_nothing_else(debian_postgres: DebianPostgres) -> None:
    database = debian_postgres.new_database(login="maker")
    debian_postgres.as_administrator("postgres", "ALTER ROLE maker CREATEROLE")
    upgrade(url_of(debian_postgres, database, "maker"))
    upgrade(url_of(debian_postgres, database, "maker"))
    assert is_served(debian_postgres, database, "maker")


def test_without_rights_the_refusal_names_the_statements_that_help(debian_postgres: DebianPostgres) -> None:
    database = debian_postgres.new_database(login="guest", owner="postgres")
    with pytest.raises(DatabaseUnsuitable) as refused:
        upgrade(url_of(debian_postgres, database, "guest"))
    problem, advice = str(refused.value.facts["problem"]), str(refused.value.facts["advice"])
    for what in ("may not make extensions", "may not make tables", f"no member of the role {APP_ROLE}"):
        assert what in problem
    with debian_postgres.connect("postgres", database) as connection:
        tables = connection.execute("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'").fetchone()
    assert tables == (0,), "nothing was changed"
    debian_postgres.as_administrator(database, *re.findall(r"[A-Z]{4,} [^;]*(?=;)", advice))
    upgrade(url_of(debian_postgres, database, "guest"))
    assert is_served(debian_postgres, database, "guest")


def test_the_statements_of_the_page_are_enough(debian_postgres: DebianPostgres) -> None:
    (block,) = re.findall(r"```sql\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    with debian_postgres.connect("postgres", "postgres") as connection:
        known = connection.execute(f"SELECT 1 FROM pg_roles WHERE rolname = '{APP_ROLE}'").fetchone()
    for statement in re.findall(r"[^;]+", block):
        if statement.strip() and not (known and f"CREATE ROLE {APP_ROLE}" in statement):
            debian_postgres.as_administrator("postgres", statement.replace("'...'", "'only-for-a-server-of-tests'"))
    upgrade(url_of(debian_postgres, "slipvault", "slips"))
    assert is_served(debian_postgres, "slipvault", "slips")


@pytest.mark.parametrize("locale", ["C", "POSIX"])
def test_a_locale_that_finds_no_chinese_is_refused(debian_postgres: DebianPostgres, locale: str) -> None:
    database = debian_postgres.new_database(locale=locale)
    debian_postgres.as_administrator("postgres", "ALTER ROLE archive CREATEROLE")
    upgrade(url_of(debian_postgres, database))
    with pytest.raises(DatabaseUnsuitable, match="trigrams"):
        is_served(debian_postgres, database, "archive")


def test_a_server_that_lets_nobody_in_is_told_as_it_says_it(debian_postgres: DebianPostgres) -> None:
    database = debian_postgres.new_database()
    with pytest.raises(DatabaseUnreachable, match="password authentication failed"):
        upgrade(url_of(debian_postgres, database).replace("only-for", "never-for"))
    with pytest.raises(DatabaseUnreachable, match="refused"):
        upgrade("postgresql+psycopg://a:b@127.0.0.1:1/c")
