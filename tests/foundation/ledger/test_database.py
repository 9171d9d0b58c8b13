"""The ledger in PostgreSQL: witnessed or refused, insert-only, numbered once, published, stamped, exported."""

from __future__ import annotations

import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from cryptography import x509
from sqlalchemy import create_engine, func, select, text
from sqlalchemy.exc import DBAPIError

from tests.support.archive import Archive, jpeg
from vault.foundation.db.errors import UnwitnessedChange
from vault.foundation.ids import new_id
from vault.foundation.ledger.database_check import check_ledger
from vault.foundation.ledger.entry import SYSTEM
from vault.foundation.ledger.errors import LedgerDamaged
from vault.foundation.ledger.export import export
from vault.foundation.ledger.publisher import publish, stamp
from vault.foundation.ledger.queries import EntryFilters, find_entries, latest_checkpoint, pending_count, proven_entry
from vault.foundation.ledger.sequencer import sequence
from vault.foundation.ledger.tables import ledger_leaves
from vault.foundation.ledger.timestamp import TimestampAuthority, TimestampFailed, is_signed_under
from vault.foundation.ledger.verify import verify_export

ROOT = Path(__file__).resolve().parents[3]


@pytest.mark.invariant("L1")
def test_the_database_refuses_an_unwitnessed_change(archive: Archive) -> None:
    with archive.ctx.database.transaction(SYSTEM) as tx:
        tx.connection.execute(text("UPDATE units SET name_zh = 'x'"))
        with pytest.raises(UnwitnessedChange):
            tx.commit()
    with archive.ctx.database.transaction(SYSTEM) as tx:
        tx.connection.execute(text("UPDATE units SET name_zh = 'y'"))
        tx.witness("test:unit:rename", "unit", new_id())
        tx.commit()
    with archive.ctx.database.read() as connection:
        assert connection.execute(text("SELECT name_zh FROM units")).scalar_one() == "y"


@pytest.mark.invariant("L1")
def test_an_entry_dies_with_its_transaction(archive: Archive) -> None:
    with archive.ctx.database.read() as connection:
        before = pending_count(connection)
    with archive.ctx.database.transaction(SYSTEM) as tx:
        tx.witness("test:nothing:happen", "unit", new_id())
    with archive.ctx.database.read() as connection:
        assert pending_count(connection) == before


@pytest.mark.parametrize("statement", ["UPDATE {t} SET {c} = {c}", "DELETE FROM {t}", "TRUNCATE {t} CASCADE"])
@pytest.mark.parametrize(("table", "column"), [("ledger_entries", "event"), ("ledger_leaves", "leaf_hash")])
def test_nobody_changes_ledger_rows_not_even_the_owner(
    archive: Archive, database_url: str, statement: str, table: str, column: str
) -> None:
    archive.sequence()
    sql = text(statement.format(t=table, c=column))
    with archive.ctx.database.transaction(SYSTEM) as tx, pytest.raises(DBAPIError):
        tx.connection.execute(sql)
    owner = create_engine(database_url)
    with owner.connect() as connection, pytest.raises(DBAPIError, match="never changed"):
        connection.execute(sql)
    owner.dispose()


def test_racing_writers_and_sequencers_number_every_entry_once(archive: Archive) -> None:
    def write(_: int) -> None:
        with archive.ctx.database.transaction(SYSTEM) as tx:
            tx.witness("test:race:run", "unit", new_id())
            tx.commit()

    custodian = archive.ctx.custodian
    with ThreadPoolExecutor(8) as pool:
        for number in range(400):
            pool.submit(write, number)
            if number % 20 == 0:
                pool.submit(sequence, archive.ctx.database, custodian.public_key(), custodian.sign)
    archive.sequence()
    with archive.ctx.database.read() as connection:
        assert pending_count(connection) == 0
        count, highest = connection.execute(
            select(func.count(), func.max(ledger_leaves.c.leaf_index)).select_from(ledger_leaves)
        ).one()
        assert count == highest + 1
        assert check_ledger(connection, custodian.public_key(), custodian.witness_secret()).findings == ()


def test_published_exported_and_proven(archive: Archive, tmp_path: Path) -> None:
    for seed in range(3):
        archive.send(jpeg(seed))
    archive.sequence()
    size = publish(archive.ctx.database, archive.ctx.store, archive.ctx.custodian.public_key())
    assert size
    assert publish(archive.ctx.database, archive.ctx.store, archive.ctx.custodian.public_key()) is None
    notes = list(archive.ctx.store.list_versions("ledger/checkpoints/"))
    assert [note.lock.mode.value for note in notes] == ["GOVERNANCE"]
    with archive.ctx.database.read() as connection:
        entry = find_entries(connection, EntryFilters(event="catalogue:record:register")).lines[0]
        proven = proven_entry(connection, entry.id, archive.ctx.custodian.public_key())
        exported = export(connection, archive.ctx.custodian.public_key(), tmp_path / "out")
    assert proven is not None
    assert (proven.to_tlog_proof() or "").startswith("c2sp.org/tlog-proof@v1\nindex ")
    verdict = verify_export(tmp_path / "out", strict=True)
    assert verdict.is_clean, verdict.findings
    assert verdict.size == exported == size


def test_an_entry_that_is_gone_is_not_published_away(archive: Archive, database_url: str) -> None:
    """The store's earlier copy of the newest bundle stays, and with it the proof of what was removed."""
    ctx = archive.ctx
    archive.send(jpeg())
    archive.sequence()
    owner = create_engine(database_url)
    with owner.begin() as connection:
        connection.execute(text("SET session_replication_role = replica"))
        connection.execute(text("CREATE TABLE aside AS SELECT * FROM ledger_entries ORDER BY id LIMIT 1"))
        connection.execute(text("DELETE FROM ledger_entries WHERE id IN (SELECT id FROM aside)"))
    with pytest.raises(LedgerDamaged):
        publish(ctx.database, ctx.store, ctx.custodian.public_key())
    assert list(ctx.store.list_versions("ledger/")) == []
    with owner.begin() as connection:
        connection.execute(text("SET session_replication_role = replica"))
        connection.execute(text("INSERT INTO ledger_entries SELECT * FROM aside"))
        connection.execute(text("DROP TABLE aside"))
    owner.dispose()
    assert publish(ctx.database, ctx.store, ctx.custodian.public_key())


def test_a_checkpoint_is_time_stamped_and_openssl_agrees(
    archive: Archive, authority: tuple[str, Path], tmp_path: Path
) -> None:
    url, directory = authority
    archive.send(jpeg())
    archive.sequence()
    size = stamp(archive.ctx.database, TimestampAuthority(url), archive.ctx.custodian.public_key())
    assert size
    assert stamp(archive.ctx.database, TimestampAuthority(url), archive.ctx.custodian.public_key()) is None
    with archive.ctx.database.read() as connection:
        export(connection, archive.ctx.custodian.public_key(), tmp_path / "out")
    assert verify_export(tmp_path / "out").is_clean
    note, token = tmp_path / "out" / "checkpoints" / str(size), tmp_path / "out" / "timestamps" / f"{size}.tsr"
    done = subprocess.run(
        ["openssl", "ts", "-verify", "-data", str(note), "-in", str(token), "-CAfile", str(directory / "ca.pem")],
        capture_output=True,
        text=True,
    )
    assert "Verification: OK" in done.stdout + done.stderr
    root = x509.load_pem_x509_certificate((directory / "ca.pem").read_bytes())
    assert is_signed_under(token.read_bytes(), note.read_bytes(), [root])
    assert not is_signed_under(token.read_bytes(), b"something else", [root])
    token.write_bytes(token.read_bytes()[:-40])
    assert [f.code for f in verify_export(tmp_path / "out").findings] == ["timestamp-wrong"]


def test_a_forged_checkpoint_is_neither_shown_nor_stamped(
    archive: Archive, authority: tuple[str, Path], database_url: str
) -> None:
    """Whoever has the database writes larger ones than any that was signed, published and stamped, too."""
    key = archive.ctx.custodian.public_key()
    archive.send(jpeg())
    archive.sequence()
    with archive.ctx.database.read() as connection:
        signed = latest_checkpoint(connection, key)
        entry = find_entries(connection, EntryFilters(event="catalogue:record:register")).lines[0]
        proven = proven_entry(connection, entry.id, key)
    assert signed is not None
    engine = create_engine(database_url)
    with engine.begin() as connection:
        for statement in (
            "INSERT INTO ledger_checkpoints SELECT size + 5, root, replace(note, size::text, '9'), at FROM ledger_checkpoints",
            "INSERT INTO ledger_checkpoints VALUES (9000, '\\x00', 'x', now())",
            "INSERT INTO ledger_publications (size, store, at) VALUES (9000, 'elsewhere', now())",
            "INSERT INTO ledger_timestamps (size, authority, token, at) VALUES (9000, 'nobody', '\\x00', now())",
        ):
            connection.execute(text(statement))
    engine.dispose()
    with archive.ctx.database.read() as connection:
        assert latest_checkpoint(connection, key) == signed
        assert proven_entry(connection, entry.id, key) == proven
        told = check_ledger(connection, key, archive.ctx.custodian.witness_secret()).findings
    wrong = {f.subject for f in told if f.code == "signature-wrong"}
    assert {str(signed.size + 5), "9000"} <= wrong
    assert stamp(archive.ctx.database, TimestampAuthority(authority[0]), key) == signed.size


def test_an_authority_that_is_away_is_said_to_be(archive: Archive) -> None:
    archive.sequence()
    with pytest.raises(TimestampFailed, match="URLError"):
        stamp(archive.ctx.database, TimestampAuthority("http://127.0.0.1:9/"), archive.ctx.custodian.public_key())
