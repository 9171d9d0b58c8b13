"""What somebody with the database, the store or both in their hands may do, and how verification names it."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from tests.support.archive import Archive, jpeg, make_archive
from vault.catalogue.tables import component_copies, components, personal_fields, record_states, records
from vault.foundation.clock import FixedClock
from vault.foundation.db.engine import Database
from vault.foundation.ids import new_id
from vault.foundation.keys.tables import key_groups, record_keys
from vault.foundation.ledger.entry import SYSTEM
from vault.foundation.ledger.tables import ledger_checkpoints, ledger_entries, ledger_leaves, ledger_tiles
from vault.intake.jobs import render_waiting
from vault.intake.tables import store_probes
from vault.oversight.verification import verify

TABLES = (
    records,
    record_states,
    components,
    component_copies,
    personal_fields,
    record_keys,
    key_groups,
    ledger_entries,
    ledger_leaves,
    ledger_tiles,
    ledger_checkpoints,
)


@pytest.fixture
def kept(database: Database, clock: FixedClock, tmp_path: Path) -> Archive:
    archive = make_archive(database, clock, tmp_path, f"worm://{tmp_path / 'store'}")
    with database.transaction(SYSTEM) as tx:
        tx.connection.execute(
            store_probes.insert(),
            {"id": new_id(), "store": archive.ctx.store.name, "at": clock.now(), "lies": [], "checks": []},
        )
        tx.witness("intake:store:probe", "store", new_id())
        tx.commit()
    from vault.catalogue.model import FieldKind

    for seed in range(2):
        archive.send(
            jpeg(seed), customer_name="张三", personal=((FieldKind.PHONE, "13800138000"),), attributes={"a": "b"}
        )
    assert len(list(render_waiting(archive.ctx))) == 2
    archive.sequence()
    return archive


def test_explore(kept: Archive, database_url: str) -> None:
    assert verify(kept.ctx).is_clean
    engine = create_engine(database_url)
    silent = []
    for table in TABLES:
        pk = [c.name for c in table.primary_key.columns]
        for column in table.columns:
            with engine.begin() as connection:
                connection.execute(text("SET session_replication_role = replica"))
                checks = list(
                    connection.execute(
                        text("SELECT conname FROM pg_constraint WHERE contype='c' AND conrelid = :t ::regclass"),
                        {"t": table.name},
                    ).scalars()
                )
                for check in checks:
                    connection.execute(text(f"ALTER TABLE {table.name} DROP CONSTRAINT {check}"))
                connection.execute(text(f"CREATE TABLE kept_rows AS SELECT * FROM {table.name}"))
                kind = connection.execute(
                    text(
                        "SELECT format_type(atttypid, NULL) FROM pg_attribute WHERE attrelid = :t ::regclass AND attname = :c"
                    ),
                    {"t": table.name, "c": column.name},
                ).scalar_one()
                new = {
                    "uuid": "gen_random_uuid()",
                    "text": f"COALESCE({column.name}, '') || 'x'",
                    "integer": f"COALESCE({column.name},0)+1",
                    "bigint": f"COALESCE({column.name},0)+1000",
                    "smallint": f"COALESCE({column.name},0)+1",
                    "bytea": f"COALESCE({column.name}, '') || '\\x00'::bytea",
                    "date": f"COALESCE({column.name}, current_date) + 1",
                    "timestamp with time zone": f"COALESCE({column.name}, now()) - interval '1 day'",
                    "jsonb": '\'{"x":"y"}\'::jsonb',
                    "boolean": f"NOT COALESCE({column.name}, false)",
                    "xid8": "'5'::xid8",
                }[kind]
                row = connection.execute(
                    text(f"SELECT ctid::text FROM {table.name} ORDER BY {', '.join(pk)} LIMIT 1")
                ).scalar_one()
                connection.execute(text(f"UPDATE {table.name} SET {column.name} = {new} WHERE ctid = '{row}'"))
            kept.ctx.keyring.forget()
            try:
                found = verify(kept.ctx).findings
                said = sorted({(f.code.value, f.facts.get("table") or f.facts.get("code") or "") for f in found})
            except Exception as error:
                said = [("CRASH", repr(error)[:100])]
            print(table.name, column.name, said)
            if not said:
                silent.append((table.name, column.name))
            with engine.begin() as connection:
                connection.execute(text("SET session_replication_role = replica"))
                connection.execute(text(f"DELETE FROM {table.name}"))
                connection.execute(text(f"INSERT INTO {table.name} SELECT * FROM kept_rows"))
                connection.execute(text("DROP TABLE kept_rows"))
            kept.ctx.keyring.forget()
    assert verify(kept.ctx).is_clean
    print("SILENT", silent)
    assert 0
