"""Whether the store may be trusted: probing it, and keeping what the probe found."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, select

from vault.foundation.clock import is_over
from vault.foundation.context import Context
from vault.foundation.ids import derived_id, new_id
from vault.foundation.ledger.entry import Actor
from vault.foundation.storage.probe import ProbeReport, probe
from vault.intake.model import Event
from vault.intake.tables import store_probes

PROBE_EVERY = timedelta(hours=24)
_STORE_NAMESPACE = UUID("6ba7b811-9dad-11d1-80b4-00c04fd430c8")  # RFC 9562 section 6.6: URL names


@dataclass(frozen=True)
class NotedProbe:
    """The newest probe of a store. Each check is (name, whether it held, msgid of what must happen)."""

    store: str
    at: datetime
    lies: tuple[str, ...]
    checks: tuple[tuple[str, bool, str], ...]


def probe_and_note(ctx: Context, actor: Actor) -> ProbeReport:
    """Probes the store and keeps the result, by which intake judges it. Leaves `intake:store:probe`.

    Raises:
        StoreUnavailable, StoreDenied: the store cannot be probed at all; the earlier result stands.
    """
    report = probe(ctx.store, ctx.clock)
    checks: list[dict[str, Any]] = [
        {"name": check.name, "ok": check.ok, "message": check.message} for check in report.checks
    ]
    with ctx.database.transaction(actor) as tx:
        tx.connection.execute(
            store_probes.insert(),
            {"id": new_id(), "store": report.store, "at": report.at, "lies": list(report.lies), "checks": checks},
        )
        tx.witness(
            Event.STORE_PROBED,
            "store",
            derived_id(_STORE_NAMESPACE, report.store),
            checks=len(checks),
            lies=list(report.lies),
        )
        tx.commit()
    return report


def newest_probe(connection: Connection, store: str) -> NotedProbe | None:
    """What the last probe of the store found."""
    row = connection.execute(
        select(store_probes).where(store_probes.c.store == store).order_by(store_probes.c.number.desc()).limit(1)
    ).one_or_none()
    if row is None:
        return None
    checks = tuple((check["name"], check["ok"], check["message"]) for check in row.checks)
    return NotedProbe(row.store, row.at, tuple(row.lies), checks)


def is_probe_due(ctx: Context) -> bool:
    """Whether the store was never probed, or not for a day."""
    with ctx.database.read() as connection:
        newest = newest_probe(connection, ctx.store.name)
    return newest is None or is_over(newest.at, PROBE_EVERY, ctx.clock.now())
