"""A dump while the service runs, put into an empty database: the archive is the same, and nothing is overwritten."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import select

from tests.support.archive import Archive, jpeg
from tests.support.postgres import administer
from vault.catalogue.reading import open_original
from vault.foundation.clock import FixedClock
from vault.foundation.db.copies import DatabaseNotEmpty, dump, restore
from vault.foundation.db.engine import Database
from vault.foundation.db.errors import RestorationUnfinished, ServerProgramFailed
from vault.foundation.db.launcher import EmbeddedPostgres
from vault.foundation.db.migrate import upgrade
from vault.foundation.ledger.entry import Actor
from vault.foundation.ledger.tables import ledger_entries
from vault.oversight.verification import verify

OPERATOR = Actor("operator")


@pytest.fixture
def empty_url(postgres_server: EmbeddedPostgres) -> Iterator[str]:
    """A database with nothing in it."""
    name = f"test_{uuid4().hex}"
    administer(postgres_server, f"CREATE DATABASE {name} TEMPLATE template0")
    yield postgres_server.url.replace("/slipvault?", f"/{name}?")
    administer(postgres_server, f"DROP DATABASE {name} WITH (FORCE)")


def test_what_was_dumped_is_restored_whole(
    archive: Archive, database_url: str, empty_url: str, clock: FixedClock, tmp_path: Path
) -> None:
    receipt = archive.send(jpeg(1), customer_name="张三")
    archive.sequence()
    file, secret = tmp_path / "slipvault.dump", archive.ctx.custodian.witness_secret()
    assert dump(database_url, file, clock, OPERATOR, secret) == file.stat().st_size > 0
    assert file.stat().st_mode & 0o777 == 0o600
    assert list(tmp_path.glob("**/*.part")) == []

    restore(empty_url, file, clock, OPERATOR, archive.ctx.custodian.witness_secret())

    archive_before = archive.ctx.database
    restored = Database(empty_url, clock, pool_size=6)
    ctx = replace(archive.ctx, database=restored)
    assert receipt.record_id is not None
    _, _, content = open_original(ctx, archive.operator, receipt.record_id)
    with content:
        assert content.read() == jpeg(1)
    archive.ctx = ctx
    archive.sequence()
    assert verify(ctx).findings == ()
    with restored.read() as connection:
        events = connection.execute(select(ledger_entries.c.event)).scalars().all()
    assert {"database:copy:dump", "database:copy:restore"} & set(events) == {"database:copy:restore"}
    with archive_before.read() as connection:
        events = connection.execute(select(ledger_entries.c.event)).scalars().all()
    assert "database:copy:dump" in events
    assert archive.send(jpeg(2)).status == "accepted", "and it goes on"
    restored.dispose()


@pytest.mark.invariant("L1")
def test_a_restoration_killed_before_its_entry_starts_nothing_and_is_finished(
    archive: Archive, database_url: str, empty_url: str, clock: FixedClock, tmp_path: Path
) -> None:
    archive.send(jpeg(1), customer_name="张三")
    file, other = tmp_path / "slipvault.dump", tmp_path / "other.dump"
    secret = archive.ctx.custodian.witness_secret()
    dump(database_url, file, clock, OPERATOR, secret)
    dump(database_url, other, clock, OPERATOR, secret)
    killed = subprocess.run([sys.executable, "-m", "tests.foundation.db.restorer", empty_url, file, secret.hex()])
    assert killed.returncode == -signal.SIGKILL
    with pytest.raises(RestorationUnfinished):
        upgrade(empty_url)
    with pytest.raises(DatabaseNotEmpty):
        restore(empty_url, other, clock, OPERATOR, secret)
    restore(empty_url, file, clock, OPERATOR, secret)
    upgrade(empty_url)
    restored = Database(empty_url, clock, pool_size=2)
    archive.ctx = replace(archive.ctx, database=restored)
    archive.sequence()
    assert verify(archive.ctx).findings == ()
    with restored.read() as connection:
        events = connection.execute(select(ledger_entries.c.event)).scalars().all()
    assert events.count("database:copy:restore") == 1
    dump(empty_url, tmp_path / "again.dump", clock, OPERATOR, secret)
    with pytest.raises(DatabaseNotEmpty):
        restore(empty_url, file, clock, OPERATOR, secret)
    restored.dispose()


def test_an_archive_is_never_overwritten(
    archive: Archive, database_url: str, clock: FixedClock, tmp_path: Path
) -> None:
    file = tmp_path / "slipvault.dump"
    dump(database_url, file, clock, OPERATOR, b"")
    with pytest.raises(DatabaseNotEmpty):
        restore(database_url, file, clock, OPERATOR, b"")
    with pytest.raises(FileExistsError):
        dump(database_url, file, clock, OPERATOR, b"")


def test_what_is_no_dump_leaves_the_database_empty(empty_url: str, clock: FixedClock, tmp_path: Path) -> None:
    file = tmp_path / "slipvault.dump"
    file.write_bytes(b"PGDMP but not really")
    with pytest.raises(ServerProgramFailed) as caught:
        restore(empty_url, file, clock, OPERATOR, b"")
    assert caught.value.facts["program"] == "pg_restore"
    with pytest.raises(ServerProgramFailed):  # it is still empty, so this is not refused
        restore(empty_url, file, clock, OPERATOR, b"")


def test_a_dump_that_fails_leaves_no_file(clock: FixedClock, tmp_path: Path) -> None:
    file = tmp_path / "slipvault.dump"
    with pytest.raises(ServerProgramFailed) as caught:
        dump("postgresql+psycopg://nobody:secret-word@127.0.0.1:9/none", file, clock, OPERATOR, b"")
    assert "secret-word" not in str(caught.value)
    assert list(tmp_path.iterdir()) == []
