"""Recomputing every due date after the law changed, beside a bare UPDATE of the same rows; and trying such a change
before, beside a bare aggregate scan of them.

The bare statement changes one date of every row and knows nothing of any law. Ours holds the rows still, computes what
the law says of them, writes it, notes which locks must be longer, moves its mark and leaves a ledger entry, batch by
batch. Both on one connection, on rows that all change.

The bare scan joins records, states and events and sums up by class, unit and year the columns on which dates depend. The
simulation asks two laws about each row, and keeps each that would be treated otherwise as a row of its list: once with
one class of twelve changed, once with all. Keeping the list is writing: beside it stands a bare INSERT of the same rows.
"""

from __future__ import annotations

import resource
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

from sqlalchemy import create_engine, text

from bench.catalogue import FILL_RECORDS, GIVEN, SURNAMES, TYPES
from bench.simulation import measure_simulation
from vault.access import service as access
from vault.catalogue.classes import ensure_fonds
from vault.foundation.clock import SystemClock
from vault.foundation.context import Context
from vault.foundation.db.engine import Database
from vault.foundation.db.launcher import EmbeddedPostgres
from vault.foundation.db.migrate import upgrade
from vault.foundation.ids import new_id
from vault.foundation.keys.custodian import open_custodian
from vault.foundation.keys.keyring import Keyring
from vault.foundation.ledger.entry import SYSTEM
from vault.foundation.storage import bare_store
from vault.retention import service as schedule
from vault.retention.due_dates import SWEEP_WAITS
from vault.retention.queries import classes_in_effect
from vault.retention.sweep import sweep
from vault.retention.tables import law_changes

SIZES = (100_000, 1_000_000, 5_000_000)
_STATES = """
INSERT INTO record_states (record_id, revision, status, lock_until, what, is_hard, schedule_number)
SELECT id, 1, 'received', now() + interval '30 days', 'keep', false, 2 FROM records
    WHERE item_number BETWEEN :first AND :last
"""
_BARE = "UPDATE record_states SET retain_until = retain_until + 1, next_date = next_date + 1, schedule_number = 3"


def run(quick: bool = False, rows: int | None = None) -> dict[str, Any]:
    """Figures for `rows` records, or how they grow over three sizes."""
    sizes = (20_000,) if quick else (rows,) if rows else SIZES
    return {f"{size}_rows": _measure(size) for size in sizes}


@dataclass(frozen=True)
class _Place:
    url: str
    ctx: Context


def _measure(rows: int) -> dict[str, Any]:
    with tempfile.TemporaryDirectory(prefix="slipvault-bench-") as directory:
        Path(directory).chmod(0o755)  # as root the server runs as another user and must pass through
        with EmbeddedPostgres(Path(directory) / "database") as server:
            upgrade(server.url)
            place = _initialised(server.url, Path(directory))
            _fill(place, rows)
            simulated = measure_simulation(place.ctx, place.url)
            before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
            ours_s = _timed_sweep(place, rows)
            grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
            _vacuum(place.url)
            bare_s = _timed_bare(place.url)
            place.ctx.database.dispose()
    return {
        "ours_s": round(ours_s, 2),
        "bare_update_s": round(bare_s, 2),
        "ratio_to_bare": round(ours_s / bare_s, 2),
        "rows_per_second": round(rows / ours_s),
        "memory_grew_mb": round(grown / 1024, 1),
        "simulation": simulated,
    }


def _initialised(url: str, directory: Path) -> _Place:
    clock = SystemClock()
    database = Database(url, clock)
    custodian = open_custodian(f"file://{directory / 'custodian'}")
    store = bare_store(f"memory://{uuid4().hex}", clock)
    ctx = Context(clock, database, store, custodian, Keyring(custodian), directory / "spool")
    with database.transaction(SYSTEM) as tx:
        access.initialise(tx)
        ensure_fonds(tx, "0001", "0001")
        schedule.begin(tx)
        tx.commit()
    return _Place(url, ctx)


def _fill(place: _Place, rows: int) -> None:
    """Records of the shipped classes that columns can decide; one in a thousand has had an event reported."""
    with place.ctx.database.read() as connection:
        codes = [definition.code for definition in classes_in_effect(connection, place.ctx.clock.now())]
    engine = create_engine(place.url)
    with engine.begin() as connection:
        connection.execute(text("SET session_replication_role = replica"))
        told = {"surnames": SURNAMES, "given": GIVEN, "types": list(TYPES), "codes": codes}
        for first in range(1, rows + 1, 100_000):
            span = {"first": first, "last": min(rows, first + 99_999)}
            connection.execute(text(FILL_RECORDS), {**span, **told})
            connection.execute(text(_STATES), span)
    engine.dispose()
    _vacuum(place.url)


def _timed_sweep(place: _Place, rows: int) -> float:
    with place.ctx.database.transaction(SYSTEM) as tx:
        now = tx.clock.now()
        change = {"id": new_id(), "kind": "calendar", "from_date": now.date(), "at": now - SWEEP_WAITS}
        tx.connection.execute(law_changes.insert(), change)
        tx.witness("retention:calendar:enter", "law_change", change["id"])
        tx.commit()
    started = time.perf_counter()
    swept = sweep(place.ctx)
    seconds = time.perf_counter() - started
    assert swept.records >= rows
    assert swept.changed >= rows * 9 // 10, swept
    return seconds


def _timed_bare(url: str) -> float:
    engine = create_engine(url)
    with engine.begin() as connection:
        connection.execute(text("SET session_replication_role = replica"))
        started = time.perf_counter()
        connection.execute(text(_BARE))
    engine.dispose()
    return time.perf_counter() - started


def _vacuum(url: str) -> None:
    engine = create_engine(url)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        for table in ("records", "record_states"):
            connection.execute(text(f"VACUUM ANALYZE {table}"))
    engine.dispose()
