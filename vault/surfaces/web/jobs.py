"""Background work: the list, one run, cancelling."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from starlette.requests import Request
from starlette.responses import Response

from vault.access.model import Viewer
from vault.access.rights import Right
from vault.foundation.errors import N_
from vault.foundation.jobs import runs
from vault.oversight.jobs import TASK_RECONCILE, TASK_VERIFY
from vault.surfaces.routing import Ctx, CurrentViewer, Routes
from vault.surfaces.web.pages import go, page, paging, speaker
from vault.surfaces.web.views import labels
from vault.surfaces.web.views.health import JobListView, JobRow, JobView
from vault.surfaces.web.views.parts import Action, Progress

routes = Routes("", "pages", in_schema=False)
_SIZE = 50
_TASKS = {
    TASK_VERIFY: N_("Verification of the archive"),
    TASK_RECONCILE: N_("Reconciliation of store and catalogue"),
}


@routes.get("/jobs", Right.JOBS_JOB_READ, response_class=Response)
def jobs_page(
    request: Request, ctx: Ctx, viewer: CurrentViewer, state: str = "", after: UUID | None = None
) -> Response:
    """Runs of long work."""
    with ctx.database.read() as connection:
        found = runs.list_runs(connection, state=state or None, after=after, size=_SIZE + 1)
        counts = runs.count_by_state(connection)
    shown = found[:_SIZE]
    view = JobListView(
        state=state,
        counts=tuple(sorted(counts.items())),
        rows=tuple(_row(request, viewer, run) for run in shown),
        paging=paging(
            "/jobs",
            {"state": state},
            total=counts.get(state, 0) if state else sum(counts.values()),
            shown=len(shown),
            before=after,
            after=shown[-1].id if len(found) > _SIZE else None,
        ),
    )
    return page(request, "jobs.html", view, current="jobs")


@routes.get("/jobs/{run_id}", Right.JOBS_JOB_READ, response_class=Response)
def job_page(request: Request, ctx: Ctx, viewer: CurrentViewer, run_id: UUID) -> Response:
    """One run."""
    with ctx.database.read() as connection:
        run = runs.get_run(connection, run_id)
    result = tuple((name, str(value)) for name, value in run.result.items() if not isinstance(value, list))
    view = JobView(
        id=str(run.id),
        task=_task(request, run),
        state=_state(run),
        progress=_progress(run),
        started_at=run.started_at,
        ended_at=run.finished_at,
        attempts=1,
        problem=run.problem or "",
        result=result,
        actions=_actions(viewer, run),
        progress_href=f"/jobs/{run.id}/progress" if _is_open(run) else None,
    )
    return page(request, "job.html", view, current="jobs")


@routes.get("/jobs/{run_id}/progress", Right.JOBS_JOB_READ)
def job_progress(request: Request, ctx: Ctx, run_id: UUID) -> dict[str, Any]:
    """How far a run is."""
    with ctx.database.read() as connection:
        run = runs.get_run(connection, run_id)
    return {
        "state": _state(run),
        "done": run.done,
        "total": run.total,
        "text": _task(request, run),
        "is_ended": not _is_open(run),
    }


@routes.post("/jobs/{run_id}/cancel", Right.JOBS_JOB_CANCEL, response_class=Response)
def cancel(ctx: Ctx, viewer: CurrentViewer, run_id: UUID) -> Response:
    """Asks a run to end at its next step."""
    with ctx.database.transaction(viewer.actor) as tx:
        runs.request_cancel(tx, run_id)
        tx.commit()
    return go(f"/jobs/{run_id}")


def _row(request: Request, viewer: Viewer, run: runs.Run) -> JobRow:
    return JobRow(
        id=str(run.id),
        href=f"/jobs/{run.id}",
        task=_task(request, run),
        state=_state(run),
        progress=_progress(run),
        started_at=run.started_at,
        ended_at=run.finished_at,
        attempts=1,
        problem=run.problem or "",
        actions=_actions(viewer, run),
    )


def _task(request: Request, run: runs.Run) -> str:
    return speaker(request).gettext(_TASKS.get(run.task, run.task))


def _state(run: runs.Run) -> str:
    return "cancelling" if run.cancel_requested and _is_open(run) else run.state


def _is_open(run: runs.Run) -> bool:
    return run.state in {"waiting", "running"}


def _progress(run: runs.Run) -> Progress | None:
    return Progress(run.done, run.total) if run.total else None


def _actions(viewer: Viewer, run: runs.Run) -> tuple[Action, ...]:
    if _is_open(run) and viewer.may(Right.JOBS_JOB_CANCEL):
        return (Action(labels.CANCEL, f"/jobs/{run.id}/cancel", "post"),)
    return ()
