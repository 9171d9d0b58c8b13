"""An archive with something in it, and somebody who owns its database."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.engine import Engine

from tests.nouns.retention.conftest import make_person, people
from tests.support.archive import Archive, jpeg, make_archive
from vault.catalogue.model import FieldKind
from vault.foundation.clock import FixedClock
from vault.foundation.db.engine import Database
from vault.foundation.ids import new_id
from vault.foundation.ledger.entry import SYSTEM
from vault.foundation.ledger.publisher import publish
from vault.intake.tables import store_probes
from vault.oversight.verification import verify

__all__ = ["attacker", "kept", "make_person", "people"]


@pytest.fixture
def kept(database: Database, clock: FixedClock, tmp_path: Path) -> Archive:
    """Two records in a write-once directory; the ledger numbered in two rounds and published."""
    archive = make_archive(database, clock, tmp_path, f"worm://{tmp_path / 'store'}")
    with database.transaction(SYSTEM) as tx:
        tx.connection.execute(
            store_probes.insert(),
            {"id": new_id(), "store": archive.ctx.store.name, "at": clock.now(), "lies": [], "checks": []},
        )
        tx.witness("intake:store:probe", "store", new_id())
        tx.commit()
    archive.sequence()
    for seed in range(2):
        phone = ((FieldKind.PHONE, "13800138000"),)
        archive.send(jpeg(seed), customer_name="张三", personal=phone, attributes={"窗口": "3"})
    archive.sequence()
    publish(database, archive.ctx.store, archive.ctx.custodian.public_key())
    assert verify(archive.ctx).is_clean
    return archive


@pytest.fixture
def attacker(database_url: str) -> Iterator[Engine]:
    engine = create_engine(database_url)
    try:
        with engine.begin() as connection:
            checks = text("""SELECT conname, conrelid::regclass::text FROM pg_constraint
                WHERE contype = 'c' AND conrelid <> 0 AND connamespace = 'public'::regnamespace""")
            for name, table in connection.execute(checks).all():
                connection.execute(text(f"ALTER TABLE {table} DROP CONSTRAINT {name}"))
        yield engine
    finally:
        engine.dispose()
