"""The sweep as background work, seen like any other run."""

from __future__ import annotations

from sqlalchemy import Connection

from vault.foundation.context import Context
from vault.foundation.jobs import runs
from vault.foundation.jobs.queue import defer
from vault.foundation.ledger.entry import SYSTEM
from vault.retention.sweep import is_due, sweep

TASK_SWEEP = "retention:sweep"


def enqueue_sweep(ctx: Context) -> bool:
    """Enqueues a sweep when there is anything to sweep and none waits or runs; says whether it did."""
    with ctx.database.read() as connection:
        if not is_due(connection, ctx.clock.now()) or _is_open(connection):
            return False
    with ctx.database.transaction(SYSTEM) as tx:
        run_id = runs.create(tx, TASK_SWEEP)
        defer(tx, TASK_SWEEP, run_id=str(run_id))
        tx.commit()
    return True


def run_sweep(ctx: Context, progress: runs.Progress) -> None:
    """Sweeps, telling how far it is."""
    swept = sweep(ctx, progress.tell)
    progress.finish(records=swept.records, changed=swept.changed, locks=swept.locks)


def _is_open(connection: Connection) -> bool:
    return any(runs.list_runs(connection, task=TASK_SWEEP, state=state, size=1) for state in ("waiting", "running"))
