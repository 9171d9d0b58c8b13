"""Figures of the archive for monitoring, read from the database when they are asked for: the same from every process."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from prometheus_client import REGISTRY, CollectorRegistry
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector
from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from vault.foundation.context import Context
from vault.foundation.errors import VaultError
from vault.foundation.jobs import runs
from vault.foundation.ledger.queries import pending_count
from vault.holds.queries import stores_to_tell
from vault.intake.abandonment import count_open
from vault.intake.queries import renditions_waiting
from vault.intake.stores import newest_probe
from vault.oversight import drifts, leftovers
from vault.oversight.jobs import TASK_RECONCILE, TASK_VERIFY


def registry(ctx: Context) -> CollectorRegistry:
    """Everything that is measured: what the web processes count together, and how the archive is now."""
    told = CollectorRegistry()
    try:
        MultiProcessCollector(told)  # type: ignore[no-untyped-call]  # the library is typed but for this
    except ValueError:  # the supervisor has not set its directory: this process is the only one
        told.register(REGISTRY)
    told.register(ArchiveFigures(ctx))
    return told


class ArchiveFigures(Collector):
    """Counts and ages; what cannot be read now is left out, so that its absence tells."""

    def __init__(self, ctx: Context) -> None:
        self._ctx = ctx

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """See the library; the names stand in docs/operate/watching.md."""
        try:
            with self._ctx.database.read() as connection:
                figures = list(self._figures(connection))
        except (SQLAlchemyError, VaultError):
            yield _gauge("database_up", "Whether the database answers.", 0)
            return
        yield _gauge("database_up", "Whether the database answers.", 1)
        yield from figures

    def _figures(self, connection: Connection) -> Iterator[GaugeMetricFamily]:
        now = self._ctx.clock.now()
        probe = newest_probe(connection, self._ctx.store.name)
        if probe is not None:
            yield _gauge("store_lies", "Promises that the store broke when it was last probed.", len(probe.lies))
            yield _gauge("store_probe_age_seconds", "Time since the last probe.", _age_s(now, probe.at))
        yield _gauge("ledger_entries_pending", "Entries that wait for their number.", pending_count(connection))
        waiting, failed = renditions_waiting(connection)
        yield _gauge("renditions_waiting", "Records whose page images are still to be made.", waiting)
        yield _gauge("renditions_failed", "Records whose page images could not be made.", failed)
        to_tell, refused = stores_to_tell(connection)
        yield _gauge(
            "holds_waiting", "Records whose legal hold in the store is still to be set or taken off.", to_tell
        )
        yield _gauge("holds_refused", "Those of them whose store refused when it was last told.", refused)
        yield _gauge("uploads_unfinished", "Uploads begun and not settled.", count_open(connection, now))
        known = leftovers.summary(connection, self._ctx.store.name, now)
        yield _gauge("leftovers", "Objects in the store that no record uses.", known.objects)
        yield _gauge("leftovers_bytes", "Their bytes together.", known.size_bytes)
        drifted = drifts.summary(connection, self._ctx.store.name, now)
        yield _gauge("store_drifts", "Locks, holds and objects in the store not as the catalogue says.", drifted.open)
        yield _gauge("store_alarms", "Those of them that are objects missing or damaged.", drifted.alarms)
        states = runs.count_by_state(connection)
        for state in ("waiting", "running", "failed"):
            yield _gauge(f"jobs_{state}", f"Runs of long work that are {state}.", states.get(state, 0))
        reconciled = runs.newest_done(connection, TASK_RECONCILE)
        if reconciled is not None and reconciled.finished_at is not None:
            age_s = _age_s(now, reconciled.finished_at)
            yield _gauge("reconciliation_age_seconds", "Time since the last finished reconciliation.", age_s)
        verified = runs.newest_done(connection, TASK_VERIFY)
        if verified is not None and verified.finished_at is not None:
            found = int(verified.result.get("findings_count", 0))
            yield _gauge("verification_findings", "What the last verification of everything found.", found)
            age_s = _age_s(now, verified.finished_at)
            yield _gauge("verification_age_seconds", "Time since the last finished verification.", age_s)


def _gauge(name: str, meaning: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"slipvault_{name}", meaning, value=value)


def _age_s(now: datetime, at: datetime) -> float:
    return max(0.0, (now - at).total_seconds())
