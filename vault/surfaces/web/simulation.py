"""What a version of the schedule would do to the records at hand: simulated, followed, given up, read."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Form as Field
from starlette.requests import Request
from starlette.responses import Response

from vault.access.model import Viewer
from vault.access.rights import Right
from vault.foundation.context import Context
from vault.foundation.errors import N_, InvalidInput, NotFoundOrNotYours, VaultError
from vault.foundation.jobs import runs
from vault.retention.simulation_jobs import ask_simulation, cancel_simulation
from vault.retention.simulations import newest_simulation
from vault.surfaces.lists.listing import Speech
from vault.surfaces.routing import Ctx, CurrentViewer, Routes
from vault.surfaces.web.listing import day_of
from vault.surfaces.web.pages import form_with, go, language_for, page, speaker
from vault.surfaces.web.simulation_view import OPEN, run_state, simulation_view
from vault.surfaces.web.views.parts import BLANK, Form

routes = Routes("", "pages", in_schema=False)


@routes.get("/schedules/{number}/simulation", Right.RETENTION_SCHEDULE_READ, response_class=Response)
def simulation_page(request: Request, ctx: Ctx, viewer: CurrentViewer, number: int) -> Response:
    """What the version would do, how far the simulation is, or how to begin one."""
    return _page(request, ctx, viewer, number, BLANK)


@routes.post("/schedules/{number}/simulation", Right.RETENTION_SCHEDULE_SIMULATE, response_class=Response)
def simulate(
    request: Request, ctx: Ctx, viewer: CurrentViewer, number: int, on_date: Annotated[str, Field()] = ""
) -> Response:
    """Has the version tried on all records as it would be on a day."""
    try:
        if on_date and day_of(on_date) is None:
            raise InvalidInput(field="on_date", problem=N_("it is no day"))
        ask_simulation(ctx, viewer, number, day_of(on_date))
    except NotFoundOrNotYours:
        raise
    except VaultError as error:
        return _page(request, ctx, viewer, number, form_with(request, {"on_date": on_date}, error, "on_date"))
    return go(f"/schedules/{number}/simulation")


@routes.post("/schedules/{number}/simulation/cancel", Right.RETENTION_SCHEDULE_SIMULATE, response_class=Response)
def cancel(ctx: Ctx, viewer: CurrentViewer, number: int) -> Response:
    """Asks the simulation to end at its next step; one that has ended meanwhile stays as it is."""
    with ctx.database.read() as connection:
        newest = newest_simulation(connection, number)
        is_open = newest is not None and runs.get_run(connection, newest.run_id).state in OPEN
    if newest is None:
        raise NotFoundOrNotYours
    if is_open:
        cancel_simulation(ctx, viewer, newest.id)
    return go(f"/schedules/{number}/simulation")


@routes.get("/schedules/{number}/simulation/progress", Right.RETENTION_SCHEDULE_READ)
def progress(request: Request, ctx: Ctx, number: int) -> dict[str, Any]:
    """How far the simulation is."""
    with ctx.database.read() as connection:
        newest = newest_simulation(connection, number)
        if newest is None:
            raise NotFoundOrNotYours
        run = runs.get_run(connection, newest.run_id)
    return {
        "state": run_state(run),
        "done": run.done,
        "total": run.total,
        "text": speaker(request).gettext(N_("Simulation of a schedule version")),
        "is_ended": run.state not in OPEN,
    }


def _page(request: Request, ctx: Context, viewer: Viewer, number: int, form: Form) -> Response:
    with ctx.database.read() as connection:
        speech = Speech(connection, language_for(request), ctx.clock.now())
        view = simulation_view(request, speech, viewer, number, form)
    return page(request, "simulation.html", view, current="schedules", status=422 if form.errors else 200)
