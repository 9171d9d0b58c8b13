"""Background work: the list, one run, cancelling."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response

from vault.access.model import Viewer
from vault.access.rights import Right
from vault.foundation.errors import N_
from vault.foundation.jobs import runs
from vault.foundation.jobs.runs import RunFilters
from vault.surfaces.lists.jobs import JOBS, TASK_WORDS
from vault.surfaces.lists.listing import day_begins, day_ends
from vault.surfaces.routing import Ctx, CurrentViewer, Routes
from vault.surfaces.web.listing import WebList, day_of, open_list
from vault.surfaces.web.pages import go, page, speaker
from vault.surfaces.web.views import labels
from vault.surfaces.web.views.health import JobFilter, JobListView, JobRow, JobView
from vault.surfaces.web.views.lists import Empty
from vault.surfaces.web.views.parts import Action, Choices, Option, Progress

routes = Routes("", "pages", in_schema=False)


def _parse(told: Mapping[str, str], _connection: Connection, zone: ZoneInfo) -> RunFilters:
    return RunFilters(
        state=told["state"] or None,
        task=told["task"] or None,
        created_from=day_begins(day_of(told["from_date"]), zone),
        created_before=day_ends(day_of(told["to_date"]), zone),
    )


LIST: WebList[RunFilters, runs.Run] = WebList(
    listing=JOBS,
    title=N_("Jobs"),
    open=("state", "task", "from_date", "to_date"),
    personal=(),
    parse=_parse,
    anything=RunFilters(),
)


@routes.get("/jobs", Right.JOBS_JOB_READ, response_class=Response)
def jobs_page(request: Request, ctx: Ctx, viewer: CurrentViewer) -> Response:
    """Runs of long work."""
    with open_list(request, ctx, viewer, LIST) as asked:
        counts = runs.count_by_state(asked.connection)
        tasks = runs.known_tasks(asked.connection)
        view = JobListView(
            list=asked.frame(_empty(is_narrowed=asked.is_narrowed)),
            filter=JobFilter(**asked.told.values),
            choices=Choices(
                {"task": tuple(Option(task, asked.speech.say(TASK_WORDS.get(task, task))) for task in tasks)}
            ),
            counts=tuple(sorted(counts.items())),
            rows=tuple(run_row(request, viewer, run) for run in asked.page.lines),
        )
    return page(request, "jobs.html", view, current="jobs")


def _empty(*, is_narrowed: bool) -> Empty:
    if is_narrowed:
        return Empty(N_("No job fits these filters."))
    return Empty(
        N_("No long work was ever asked for."), N_("Verification and other long work shows here how far it is.")
    )


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
        progress_href=f"/jobs/{run.id}/progress" if is_open(run) else None,
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
        "is_ended": not is_open(run),
    }


@routes.post("/jobs/{run_id}/cancel", Right.JOBS_JOB_CANCEL, response_class=Response)
def cancel(ctx: Ctx, viewer: CurrentViewer, run_id: UUID) -> Response:
    """Asks a run to end at its next step."""
    with ctx.database.transaction(viewer.actor) as tx:
        runs.request_cancel(tx, run_id)
        tx.commit()
    return go(f"/jobs/{run_id}")


def run_row(request: Request, viewer: Viewer, run: runs.Run) -> JobRow:
    """A run as a line of a list."""
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
    return speaker(request).gettext(TASK_WORDS.get(run.task, run.task))


def _state(run: runs.Run) -> str:
    return "cancelling" if run.cancel_requested and is_open(run) else run.state


def is_open(run: runs.Run) -> bool:
    """Whether a run waits or is at work."""
    return run.state in {"waiting", "running"}


def _progress(run: runs.Run) -> Progress | None:
    return Progress(run.done, run.total) if run.total else None


def _actions(viewer: Viewer, run: runs.Run) -> tuple[Action, ...]:
    if is_open(run) and viewer.may(Right.JOBS_JOB_CANCEL):
        return (Action(labels.CANCEL, f"/jobs/{run.id}/cancel", "post"),)
    return ()
