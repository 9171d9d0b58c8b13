"""A real PostgreSQL for tests: one server a test run and worker, one fresh database a test, from a migrated template."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest

from vault.foundation.clock import FixedClock, SystemClock
from vault.foundation.db.engine import Database
from vault.foundation.db.launcher import OWNER_ROLE, EmbeddedPostgres
from vault.foundation.db.migrate import upgrade

# Nothing in these databases must survive: the tests that kill the server start one with its real settings.
FAST = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "max_connections": "200"}


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[EmbeddedPostgres]:
    """The server with a migrated template database."""
    base = "/dev/shm" if Path("/dev/shm").is_dir() else None
    with tempfile.TemporaryDirectory(prefix="slipvault-test-", dir=base) as directory:
        Path(directory).chmod(0o755)  # as root the server runs as another user and must pass through
        with EmbeddedPostgres(Path(directory) / "database", settings=FAST) as server:
            upgrade(server.url)
            yield server


@contextmanager
def fresh_database(server: EmbeddedPostgres) -> Iterator[str]:
    """The address of a fresh database, dropped afterwards."""
    name = f"test_{uuid4().hex}"
    administer(server, f"CREATE DATABASE {name} TEMPLATE slipvault")
    yield server.url.replace("/slipvault?", f"/{name}?")
    administer(server, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def database_url(postgres_server: EmbeddedPostgres) -> Iterator[str]:
    """The address of a fresh database."""
    with fresh_database(postgres_server) as url:
        yield url


@pytest.fixture
def clock() -> FixedClock:
    """A clock that stands still at the real time of the test's start (ids carry real time)."""
    return FixedClock(SystemClock().now())


@pytest.fixture
def database(database_url: str, clock: FixedClock) -> Iterator[Database]:
    """A fresh database as the application sees it."""
    opened = Database(database_url, clock, pool_size=10)
    yield opened
    opened.dispose()


def administer(server: EmbeddedPostgres, statement: str) -> None:
    """Runs a statement outside any test's database."""
    host = server.url.partition("host=")[2].replace("%2F", "/")
    with psycopg.connect(host=host, user=OWNER_ROLE, dbname="postgres", autocommit=True) as connection:
        connection.execute(statement)
