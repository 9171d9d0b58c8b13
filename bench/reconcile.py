"""Versions a second that reconciliation holds against the catalogue, beside the store's bare `list` and `head`.

Bare: the same names from the store's listing, and a head of each by as many threads, nothing else. Ours does that too, reads the
catalogue beside it, judges every lock and hold, and keeps its place. Without a limit of requests, in turns on the same store;
the middle one of the rounds counts.
"""

from __future__ import annotations

import hashlib
import resource
import statistics
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import create_engine, text

from bench.intake import store_of_kind
from vault.catalogue.tables import component_copies, components
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
from vault.foundation.storage.interface import Content, Lock, LockMode, ObjectInfo, Store
from vault.intake.service import object_key
from vault.oversight.comparison import THREADS
from vault.oversight.leftovers import OBJECTS_PREFIX
from vault.oversight.reconciliation import reconcile

_BYTES = 1_000
_ROUNDS = 3


def run(quick: bool = False, store: str = "worm", rows: int | None = None) -> dict[str, Any]:
    """Rates of both, for `rows` versions in one store."""
    rows = rows or (400 if quick else 10_000)
    with tempfile.TemporaryDirectory(prefix="slipvault-bench-") as directory, store_of_kind(store) as url:
        home = Path(directory)
        home.chmod(0o755)  # as root the server runs as another user and must pass through
        with EmbeddedPostgres(home / "database") as server:
            upgrade(server.url)
            clock = SystemClock()
            custodian = open_custodian(f"file://{home / 'custodian'}")
            kept = bare_store(url or f"worm://{home / 'store'}", clock)
            ctx = Context(clock, Database(server.url, clock), kept, custodian, Keyring(custodian), home / "spool")
            try:
                _fill(ctx, server.url, rows)
                return {"store": store, "versions": rows, "threads": THREADS, **_measure(ctx, rows)}
            finally:
                ctx.database.dispose()


def _fill(ctx: Context, url: str, rows: int) -> None:
    """Objects under a lock, and the rows that name them, as the database's owner: a bench's rows have no ledger."""
    lock = Lock(LockMode.GOVERNANCE, ctx.clock.now() + timedelta(days=1))
    with ThreadPoolExecutor(THREADS) as pool:
        stored = list(pool.map(lambda number: _put(ctx.store, number, lock), range(rows)))
    engine = create_engine(url)
    with engine.begin() as connection:
        connection.execute(text("SET session_replication_role = replica"))
        for first in range(0, rows, 5_000):
            some = stored[first : first + 5_000]
            connection.execute(components.insert(), [_component(ctx, *one) for one in some])
            connection.execute(component_copies.insert(), [_copy(ctx.store, *one) for one in some])
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("VACUUM ANALYZE component_copies"))
        connection.execute(text("VACUUM ANALYZE components"))
    engine.dispose()


def _put(store: Store, number: int, lock: Lock) -> tuple[UUID, UUID, ObjectInfo]:
    data = number.to_bytes(8, "big") * (_BYTES // 8)
    record_id, component_id, digest = new_id(), new_id(), hashlib.sha256(data).digest()
    key = object_key(record_id, component_id, digest)
    return record_id, component_id, store.put_new(key, Content.from_bytes(data, digest), lock, is_fresh=True)


def _component(ctx: Context, record_id: UUID, component_id: UUID, info: ObjectInfo) -> dict[str, Any]:
    return {
        "id": component_id,
        "record_id": record_id,
        "kind": "original",
        "ordinal": 0,
        "media_type": "image/jpeg",
        "size_bytes": info.size_bytes,
        "sha256": info.sha256,
        "sealed_size_bytes": info.size_bytes,
        "sealed_sha256": info.sha256,
        "created_at": ctx.clock.now(),
    }


def _copy(store: Store, _record_id: UUID, component_id: UUID, info: ObjectInfo) -> dict[str, Any]:
    return {
        "component_id": component_id,
        "store": store.name,
        "object_key": info.key,
        "version_id": info.version_id,
        "lock_mode": info.lock.mode.value,
        "lock_until": info.lock.until,
    }


def _measure(ctx: Context, rows: int) -> dict[str, Any]:
    bare_s, ours_s = [], []
    _bare(ctx.store, rows)  # warm
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for _ in range(_ROUNDS):
        bare_s.append(_bare(ctx.store, rows))
        ours_s.append(_ours(ctx, rows))
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    bare, ours = statistics.median(bare_s), statistics.median(ours_s)
    return {
        "ours_per_second": round(rows / ours),
        "bare_list_and_head_per_second": round(rows / bare),
        "ratio_to_bare": round(bare / ours, 3),
        "rounds_ours_s": [round(one, 2) for one in ours_s],
        "rounds_bare_s": [round(one, 2) for one in bare_s],
        "memory_grew_mb": round(grown / 1024, 1),
    }


def _bare(store: Store, rows: int) -> float:
    started = time.perf_counter()
    with ThreadPoolExecutor(THREADS) as pool:
        names = store.list_names(OBJECTS_PREFIX)
        seen = sum(1 for _ in pool.map(lambda one: store.head(one.key, one.version_id), names))
    assert seen == rows, seen
    return time.perf_counter() - started


def _ours(ctx: Context, rows: int) -> float:
    started = time.perf_counter()
    outcome = reconcile(ctx, SYSTEM, per_second=None)
    seconds = time.perf_counter() - started
    assert (outcome.versions, outcome.is_clean) == (rows, True), outcome.counts
    return seconds
