"""Simulations of schedule versions: asked for, followed, given up; what they found, and for which records."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any
from uuid import UUID

from fastapi import Query, Request
from sqlalchemy import Connection
from starlette.responses import Response

from vault.access.rights import Right
from vault.foundation.context import Context
from vault.foundation.db.keyset import EVERYTHING
from vault.foundation.errors import NotFoundOrNotYours
from vault.foundation.jobs import runs
from vault.retention.effects import Effect
from vault.retention.queries import get_version
from vault.retention.simulation_jobs import ask_simulation, cancel_simulation
from vault.retention.simulations import (
    AffectedRecord,
    EffectFilters,
    Group,
    Simulation,
    get_simulation,
    is_fresh,
    newest_simulation,
)
from vault.surfaces.api.lists import PageAsked, page_body
from vault.surfaces.api.schedule import Model
from vault.surfaces.lists.csv_file import export
from vault.surfaces.lists.simulated import SIMULATED
from vault.surfaces.problems import language_of
from vault.surfaces.routing import Ctx, CurrentViewer, Routes

routes = Routes("/schedule", "schedule")


class OnDay(Model):
    """As it would be on which day; by default that of the proposal, or today."""

    on: date | None = None


class AffectedAsked(PageAsked):
    """Which of the records that would be treated otherwise: those for which all that is given holds."""

    effect: Effect | None = None
    class_code: str | None = None
    unit_id: UUID | None = None


@routes.post("/versions/{number}/simulations", Right.RETENTION_SCHEDULE_SIMULATE)
def simulate(ctx: Ctx, viewer: CurrentViewer, number: int, wanted: OnDay) -> dict[str, Any]:
    """Has a draft or proposed version tried on all records in the background; nothing else is changed by it."""
    return _body(ctx, ask_simulation(ctx, viewer, number, wanted.on))


@routes.get("/versions/{number}/simulation", Right.RETENTION_SCHEDULE_READ)
def show_newest(ctx: Ctx, number: int) -> dict[str, Any]:
    """The simulation of a version that was asked for last: how far it is, and what it found."""
    with ctx.database.read() as connection:
        found = newest_simulation(connection, number)
    if found is None:
        raise NotFoundOrNotYours
    return _body(ctx, found)


@routes.get("/simulations/{simulation_id}", Right.RETENTION_SCHEDULE_READ)
def show_simulation(ctx: Ctx, simulation_id: UUID) -> dict[str, Any]:
    """One simulation: how far it is, and what it found."""
    with ctx.database.read() as connection:
        found = get_simulation(connection, simulation_id)
    return _body(ctx, found)


@routes.post("/simulations/{simulation_id}/cancel", Right.RETENTION_SCHEDULE_SIMULATE)
def cancel(ctx: Ctx, viewer: CurrentViewer, simulation_id: UUID) -> dict[str, Any]:
    """Asks a simulation to end at its next step; nothing of it is kept."""
    cancel_simulation(ctx, viewer, simulation_id)
    return show_simulation(ctx, simulation_id)


@routes.get("/simulations/{simulation_id}/records", Right.RECORDS_RECORD_READ)
def list_affected(
    ctx: Ctx, viewer: CurrentViewer, simulation_id: UUID, wanted: Annotated[AffectedAsked, Query()]
) -> dict[str, Any]:
    """Records that would be treated otherwise, those that came in last first."""
    with ctx.database.read() as connection:
        filters = _filters(connection, simulation_id, wanted)
        question = SIMULATED.ask(ctx, connection, viewer, filters, EVERYTHING)
        return page_body("records", question, wanted, _record_body)


@routes.post("/simulations/{simulation_id}/records/export", Right.ACCESS_LIST_EXPORT, response_class=Response)
def export_affected(
    request: Request, ctx: Ctx, viewer: CurrentViewer, simulation_id: UUID, wanted: AffectedAsked
) -> Response:
    """The whole list as CSV. The ledger notes it with the count."""
    with ctx.database.read() as connection:
        filters = _filters(connection, simulation_id, wanted)
    return export(ctx, viewer, SIMULATED, filters, EVERYTHING, language_of(request))


def _filters(connection: Connection, simulation_id: UUID, wanted: AffectedAsked) -> EffectFilters:
    get_simulation(connection, simulation_id)
    return EffectFilters(simulation_id, wanted.effect, wanted.class_code, wanted.unit_id)


def _body(ctx: Context, simulation: Simulation) -> dict[str, Any]:
    with ctx.database.read() as connection:
        now = ctx.clock.now()
        run = runs.get_run(connection, simulation.run_id)
        fresh = is_fresh(connection, simulation, get_version(connection, simulation.number, now), now)
    found = simulation.found
    return {
        "id": str(simulation.id),
        "number": simulation.number,
        "draft_digest": simulation.draft_digest.hex(),
        "on": simulation.on_date.isoformat(),
        "state": "done" if found else run.state,
        "problem": run.problem,
        "done": run.done,
        "total": run.total,
        "run_id": str(run.id),
        "is_fresh": fresh,
        "against": simulation.against_number,
        "snapshot_at": simulation.snapshot_at.isoformat() if simulation.snapshot_at else None,
        "finished_at": simulation.finished_at.isoformat() if simulation.finished_at else None,
        "records": found.records if found else None,
        "affected": found.affected if found else None,
        "effects": {effect.value: found.total(effect) for effect in Effect} if found else None,
        "classes": [_group_body(group) for group in found.by_class()] if found else None,
        "groups": [_group_body(group) for group in found.groups] if found else None,
    }


def _group_body(group: Group) -> dict[str, Any]:
    return {
        "class_code": group.class_code,
        "unit_id": str(group.unit_id) if group.unit_id else None,
        "records": group.records,
        "affected": group.affected,
        "effects": {effect.value: count for effect, count in group.effects.items()},
        "years": {str(gained): count for gained, count in sorted(group.years.items())},
        "locked_until": group.locked_until.isoformat() if group.locked_until else None,
    }


def _record_body(line: AffectedRecord) -> dict[str, Any]:
    return {
        "id": str(line.id),
        "archival_number": line.archival_number,
        "class_code": line.class_code,
        "unit_id": str(line.unit_id),
        "effects": [effect.value for effect in Effect if effect in line.effects],
        "before": {
            "what": line.what_before.value,
            "retain_until": _iso(line.until_before),
            "at_least_until": _iso(line.at_least_before),
            "delete_by": _iso(line.delete_by_before),
            "lock_until": _iso(line.lock_before),
        },
        "after": {
            "what": line.what_after.value,
            "retain_until": _iso(line.until_after),
            "at_least_until": _iso(line.at_least_after),
            "delete_by": _iso(line.delete_by_after),
            "lock_until": _iso(line.lock_after),
        },
        "locked_until": _iso(line.locked_until),
    }


def _iso(day: date | None) -> str | None:
    return None if day is None else day.isoformat()
