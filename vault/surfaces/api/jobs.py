"""Background work: where it is, and ending it."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from vault.access.rights import Right
from vault.foundation.jobs import runs
from vault.surfaces.routing import Ctx, CurrentViewer, Routes

routes = Routes("/jobs", "jobs")


@routes.get("", Right.JOBS_JOB_READ)
def list_jobs(ctx: Ctx, state: str | None = None, after: UUID | None = None) -> dict[str, Any]:
    """Runs of long work, newest first."""
    with ctx.database.read() as connection:
        found = runs.list_runs(connection, state=state, after=after)
    return {"jobs": [_body(run) for run in found]}


@routes.get("/{run_id}", Right.JOBS_JOB_READ)
def show_job(ctx: Ctx, run_id: UUID) -> dict[str, Any]:
    """One run with its progress and result."""
    with ctx.database.read() as connection:
        return _body(runs.get_run(connection, run_id))


@routes.post("/{run_id}/cancel", Right.JOBS_JOB_CANCEL)
def cancel_job(ctx: Ctx, viewer: CurrentViewer, run_id: UUID) -> dict[str, Any]:
    """Asks a run to end at its next step."""
    with ctx.database.transaction(viewer.actor) as tx:
        runs.request_cancel(tx, run_id)
        tx.commit()
    return show_job(ctx, run_id)


def _body(run: runs.Run) -> dict[str, Any]:
    return {
        "id": str(run.id),
        "task": run.task,
        "state": run.state,
        "done": run.done,
        "total": run.total,
        "result": run.result,
        "problem": run.problem,
        "cancel_requested": run.cancel_requested,
        "created_at": run.created_at.isoformat(),
        "started_at": run.started_at.isoformat() if run.started_at else None,
        "finished_at": run.finished_at.isoformat() if run.finished_at else None,
    }
