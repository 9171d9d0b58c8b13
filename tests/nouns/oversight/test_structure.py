"""Somebody who owns the database drops tables and columns, or lets rows be empty: findings, and the rest is verified."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import Column, Table, text
from sqlalchemy.engine import Engine

from tests.nouns.oversight.test_attacks import COLUMNS, lawless, named, undone
from tests.support.archive import Archive
from vault.access.tables import approvals, organisation, proposals
from vault.catalogue.tables import component_copies, components, corrections, records
from vault.foundation.jobs.tables import job_runs
from vault.foundation.keys.tables import key_epochs, key_groups, record_keys
from vault.foundation.ledger.entry import SYSTEM
from vault.foundation.ledger.tables import (
    ledger_entries,
    ledger_leaves,
    ledger_pending,
    ledger_publications,
    ledger_timestamps,
)
from vault.oversight.jobs import verify_and_keep
from vault.oversight.model import SENTENCES
from vault.oversight.tables import leftovers, record_verifications
from vault.oversight.verification import verify
from vault.retention.tables import RECORD_TABLES, law_changes
from vault.retention.witnessing import LAW_TABLES
from vault.surfaces.i18n import Language, translator

pytestmark = [pytest.mark.clause("V7"), pytest.mark.slow]
TABLES = sorted(
    {
        *(table for table, _ in COLUMNS),
        *LAW_TABLES,
        *RECORD_TABLES,
        *(approvals, corrections, law_changes, leftovers, organisation, proposals),
        *(ledger_pending, ledger_publications, ledger_timestamps),
    },
    key=lambda table: table.name,
)
_ROWS = {records, ledger_entries, ledger_leaves}
_OBJECTS = {records, components, component_copies, record_keys, key_groups, key_epochs}


@contextmanager
def gone(engine: Engine, table: Table) -> Iterator[None]:
    """As dropped, but that it comes back."""
    with lawless(engine) as connection:
        connection.execute(text(f"ALTER TABLE {table.name} RENAME TO gone"))
    yield
    with lawless(engine) as connection:
        connection.execute(text(f"ALTER TABLE gone RENAME TO {table.name}"))


@pytest.fixture
def attacked(kept: Archive, attacker: Engine, tmp_path: Path) -> Archive:
    """What must be named whatever else was done: a record's row and an object, both of the last record."""
    with lawless(attacker) as connection:
        last = connection.execute(text("SELECT id FROM records ORDER BY id DESC LIMIT 1")).scalar_one()
        connection.execute(text("UPDATE records SET handler = 'x' WHERE id = :id"), {"id": last})
        query = "SELECT object_key FROM component_copies JOIN components ON id = component_id WHERE record_id = :id"
        key = connection.execute(text(query), {"id": last}).scalars().first()
    assert key is not None
    path = next((tmp_path / "store" / "objects").rglob(hashlib.sha256(key.encode()).hexdigest()))
    path.chmod(0o600)
    data = path.read_bytes()
    path.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
    assert named(kept) == {("row-altered", "records"), ("object-altered", "")}
    return kept


@pytest.mark.timeout(600)
def test_a_table_that_is_gone_is_named_and_hides_nothing_else(attacked: Archive, attacker: Engine) -> None:
    for table in TABLES:
        with gone(attacker, table):
            found = named(attacked)
        assert ("table-missing", table.name) in found
        assert table in _ROWS or ("row-altered", "records") in found, table.name
        assert table in _OBJECTS or ("object-altered", "") in found, table.name
        assert "row-unreadable" not in {code for code, _ in found}, "it was named once"


@pytest.mark.timeout(600)
def test_a_column_that_may_be_empty_and_is_does_not_end_it(attacked: Archive, attacker: Engine) -> None:
    places = [(table, column) for table in TABLES for column in table.columns]
    for table, column in places:
        if column.nullable or column.computed is not None:
            continue
        with _emptied(attacker, table, column):
            found = named(attacked)
        assert ("column-loosened", table.name) in found
        hidden = {("row-altered", "records"), ("object-altered", "")} - found
        assert not hidden or table in _ROWS | _OBJECTS, (table.name, column.name, hidden)
        assert len(found) > 3 or hidden or not _has_rows(attacker, table), (table.name, column.name, found)
    assert named(attacked) == {("row-altered", "records"), ("object-altered", "")}


def test_a_column_that_is_gone_or_another_is_named(kept: Archive, attacker: Engine) -> None:
    with lawless(attacker) as connection:
        connection.execute(text("ALTER TABLE records DROP COLUMN handler"))
        connection.execute(text("ALTER TABLE approvals ALTER COLUMN comment TYPE varchar(400)"))
    told = {(f.code.value, f.subject_id, f.facts.get("column")) for f in verify(kept.ctx).findings}
    assert {("column-altered", "records", "handler"), ("column-altered", "approvals", "comment")} <= told


def test_a_primary_key_that_is_gone_is_named(kept: Archive, attacker: Engine) -> None:
    with lawless(attacker) as connection:
        connection.execute(text("ALTER TABLE record_states DROP CONSTRAINT record_states_pkey CASCADE"))
        connection.execute(text("INSERT INTO record_states SELECT * FROM record_states"))
    found = named(kept)
    assert {("table-key-missing", "record_states"), ("row-altered", "record_states")} <= found


@pytest.mark.parametrize("table", [job_runs, record_verifications], ids=lambda table: table.name)
def test_the_outcome_is_told_where_it_cannot_be_kept(attacked: Archive, attacker: Engine, table: Table) -> None:
    with gone(attacker, table):
        found = verify_and_keep(attacked.ctx, SYSTEM).findings
    assert {"table-missing", "row-altered", "object-altered"} <= {f.code.value for f in found}
    for finding in found:
        told = translator(Language.ZH).gettext(SENTENCES[finding.code]).format(**finding.facts)
        assert told != finding.message.format(**finding.facts)


@contextmanager
def _emptied(engine: Engine, table: Table, column: Column[object]) -> Iterator[None]:
    """The first row without a value, which the table no longer forbids."""
    key = ", ".join(part.name for part in table.primary_key.columns)
    with undone(engine, table):
        with lawless(engine) as connection:
            if column.primary_key:
                connection.execute(text(f"ALTER TABLE {table.name} DROP CONSTRAINT {table.name}_pkey CASCADE"))
            connection.execute(text(f"ALTER TABLE {table.name} ALTER COLUMN {column.name} DROP NOT NULL"))
            first = f"(SELECT ctid FROM {table.name} ORDER BY {key} LIMIT 1)"
            connection.execute(text(f"UPDATE {table.name} SET {column.name} = NULL WHERE ctid = {first}"))
        yield
    with lawless(engine) as connection:
        connection.execute(text(f"ALTER TABLE {table.name} ALTER COLUMN {column.name} SET NOT NULL"))
        if column.primary_key:
            connection.execute(text(f"ALTER TABLE {table.name} ADD CONSTRAINT {table.name}_pkey PRIMARY KEY ({key})"))


def _has_rows(engine: Engine, table: Table) -> bool:
    with engine.connect() as connection:
        return bool(connection.execute(text(f"SELECT EXISTS (SELECT FROM {table.name})")).scalar_one())
