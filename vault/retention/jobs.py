"""The sweep as background work, seen like any other run."""

from __future__ import annotations

from datetime import timedelta

from vault.foundation.context import Context
from vault.foundation.jobs import runs
from vault.foundation.jobs.queue import defer
from vault.foundation.ledger.entry import SYSTEM
from vault.retention.sweep import is_due, sweep

TASK_SWEEP = "retention:sweep"
# Locks that run only so far ahead are renewed by a sweep, so there is one a day, whatever happened.
EVERY = timedelta(hours=24)


def enqueue_sweep(ctx: Context) -> bool:
    """Enqueues a sweep when there is anything to sweep, or a day after the last; says whether it did."""
    with ctx.database.read() as connection:
        now = ctx.clock.now()
        last = runs.newest(connection, TASK_SWEEP, before=now + EVERY)
        if last is not None and last.finished_at is None:
            return False
        if last is not None and last.created_at > now - EVERY and not is_due(connection, now):
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
