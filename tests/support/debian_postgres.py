"""An ordinary PostgreSQL of Debian's, as an administrator runs one: TCP, passwords, a user that is nobody special."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import sql

BINARIES = Path("/usr/lib/postgresql/15/bin")
SUPERUSER, PASSWORD = "postgres", "only-for-a-server-of-tests"
UP_TIMEOUT_S = "60"


@dataclass(frozen=True)
class DebianPostgres:
    """A running server on loopback."""

    port: int

    def as_administrator(self, database: str, *statements: str) -> None:
        """What the server's administrator does, one statement after the other."""
        with self.connect(SUPERUSER, database) as connection:
            for statement in statements:
                connection.execute(statement.encode())

    def new_database(self, *, login: str = "archive", owner: str | None = None, locale: str = "C.UTF-8") -> str:
        """A database and an ordinary login, as docs/operate/database.md asks for them; returns the database's name."""
        name = f"slips_{os.urandom(4).hex()}"
        with self.connect(SUPERUSER, "postgres") as connection:
            if connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [login]).fetchone() is None:
                connection.execute(
                    sql.SQL("CREATE ROLE {} LOGIN PASSWORD {}").format(sql.Identifier(login), sql.Literal(PASSWORD))
                )
            connection.execute(
                sql.SQL(
                    "CREATE DATABASE {} OWNER {} ENCODING 'UTF8' LC_COLLATE {} LC_CTYPE {} TEMPLATE template0"
                ).format(
                    sql.Identifier(name), sql.Identifier(owner or login), sql.Literal(locale), sql.Literal(locale)
                )
            )
        return name

    def url(self, database: str, login: str = "archive") -> str:
        """The address for `SLIPVAULT_DATABASE_URL`."""
        return f"postgresql://{login}:{PASSWORD}@127.0.0.1:{self.port}/{database}"

    def connect(self, login: str, database: str) -> psycopg.Connection[Any]:
        """A connection in autocommit."""
        return psycopg.connect(
            host="127.0.0.1", port=self.port, user=login, password=PASSWORD, dbname=database, autocommit=True
        )


@pytest.fixture(scope="session")
def debian_postgres() -> Iterator[DebianPostgres]:
    """One server for a test process; no password, no entrance."""
    with running_server() as server:
        yield server


@contextmanager
def running_server() -> Iterator[DebianPostgres]:
    """A cluster in a temporary directory; as root it runs as nobody, because PostgreSQL refuses root."""
    directory = Path(tempfile.mkdtemp(prefix="slipvault-debian-pg-", dir="/var/tmp"))
    as_user: dict[str, Any] = {"user": "nobody", "group": "nogroup", "extra_groups": []} if os.geteuid() == 0 else {}
    data = directory / "data"
    try:
        password_file = directory / "password"
        password_file.write_text(PASSWORD, encoding="ascii")
        if as_user:
            directory.chmod(0o755)
            data.mkdir()
            shutil.chown(data, "nobody", "nogroup")
        initdb = [
            "-D",
            data,
            "-U",
            SUPERUSER,
            "--auth=scram-sha-256",
            f"--pwfile={password_file}",
            "--locale=C.UTF-8",
        ]
        _run("initdb", *initdb, "--encoding=UTF8", "--no-sync", **as_user)
        port = _free_port()
        options = f"-c listen_addresses=127.0.0.1 -c port={port} -c unix_socket_directories={data} -c fsync=off"
        start = ["-D", data, "-l", data / "log", "-o", options, "-w", "-t", UP_TIMEOUT_S, "start"]
        _run("pg_ctl", *start, **as_user)
        try:
            yield DebianPostgres(port)
        finally:
            _run("pg_ctl", "-D", data, "-m", "immediate", "-w", "stop", **as_user)
    finally:
        shutil.rmtree(directory)


def _run(program: str, *arguments: object, **as_user: Any) -> None:
    # Not captured: the server inherits what it writes to, and a pipe would never end.
    done = subprocess.run(
        [str(BINARIES / program), *map(str, arguments)], stdout=subprocess.DEVNULL, cwd="/", timeout=120, **as_user
    )
    if done.returncode:
        pytest.fail(f"{program} of PostgreSQL 15 failed; scripts/test installs postgresql-15 as root", pytrace=False)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
