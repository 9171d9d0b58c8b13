"""Background work: where it is, and ending it."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any
from uuid import UUID

from fastapi import Query, Request
from sqlalchemy import Connection
from starlette.responses import Response

from vault.access.rights import Right
from vault.foundation.db.keyset import EVERYTHING
from vault.foundation.jobs import runs
from vault.surfaces.api.lists import PageAsked, page_body
from vault.surfaces.lists.csv_file import export
from vault.surfaces.lists.jobs import JOBS
from vault.surfaces.lists.listing import day_begins, day_ends, zone_of
from vault.surfaces.problems import language_of
from vault.surfaces.routing import Ctx, CurrentViewer, Routes

routes = Routes("/jobs", "jobs")


class JobsAsked(PageAsked):
    """Which runs: those for which all that is given holds. Days are the organisation's."""

    state: str | None = None
    task: str | None = None
    created_from: date | None = None
    created_until: date | None = None


@routes.get("", Right.JOBS_JOB_READ)
def list_jobs(ctx: Ctx, viewer: CurrentViewer, wanted: Annotated[JobsAsked, Query()]) -> dict[str, Any]:
    """Runs of long work, newest first."""
    with ctx.database.read() as connection:
        question = JOBS.ask(ctx, connection, viewer, _filters(connection, wanted), EVERYTHING)
        return page_body("jobs", question, wanted, _body)


@routes.post("/export", Right.ACCESS_LIST_EXPORT, response_class=Response)
def export_jobs(request: Request, ctx: Ctx, viewer: CurrentViewer, wanted: JobsAsked) -> Response:
    """The whole list as CSV. The ledger notes it with the count."""
    with ctx.database.read() as connection:
        filters = _filters(connection, wanted)
    return export(ctx, viewer, JOBS, filters, EVERYTHING, language_of(request))


def _filters(connection: Connection, wanted: JobsAsked) -> runs.RunFilters:
    zone = zone_of(connection)
    return runs.RunFilters(
        state=wanted.state,
        task=wanted.task,
        created_from=day_begins(wanted.created_from, zone),
        created_before=day_ends(wanted.created_until, zone),
    )


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
