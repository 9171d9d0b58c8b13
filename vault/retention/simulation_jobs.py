"""Asking for a simulation, following it, giving it up: the background work around `simulation`."""

from __future__ import annotations

from datetime import date
from uuid import UUID

from sqlalchemy import select

from vault.access.model import Viewer
from vault.access.rights import Right
from vault.foundation.context import Context
from vault.foundation.db.transaction import Transaction
from vault.foundation.ids import new_id
from vault.foundation.jobs import runs
from vault.foundation.jobs.queue import defer
from vault.retention.book import read_book
from vault.retention.errors import (
    EffectiveInPast,
    NotSimulated,
    ScheduleChanged,
    ScheduleNotOpen,
    SimulatedForOtherDay,
)
from vault.retention.model import Event, ScheduleVersion, VersionState
from vault.retention.queries import get_version
from vault.retention.simulation import simulate
from vault.retention.simulations import Simulation, get_simulation, is_fresh, newest_finished, newest_simulation
from vault.retention.tables import schedule_versions, simulations

TASK_SIMULATE = "retention:simulate"
_OPEN = frozenset({"waiting", "running"})


def ask_simulation(ctx: Context, viewer: Viewer, number: int, on: date | None = None) -> Simulation:
    """Has a draft or a proposed version tried on all records, as it would be on a day; of a proposal by default on its own.

    One that is under way for the same draft and day is given instead. Leaves `retention:simulation:ask`.

    Raises:
        NotAllowed: the viewer lacks `retention:schedule:simulate`.
        NotFoundOrNotYours, ScheduleNotOpen.
        EffectiveInPast: the day has passed; a version never applies to what was.
    """
    viewer.require(Right.RETENTION_SCHEDULE_SIMULATE)
    with ctx.database.transaction(viewer.actor) as tx:
        version = _open_version(tx, number)
        today = read_book(tx.connection).day_of(tx.clock.now())
        day = on or max(today, version.effective_date or today)
        if day < today:
            raise EffectiveInPast(day=day.isoformat(), today=today.isoformat())
        running = newest_simulation(tx.connection, number)
        if running is not None and _is_same(tx, running, version, day):
            return running
        simulation_id, run_id = new_id(), runs.create(tx, TASK_SIMULATE)
        row = {
            "id": simulation_id,
            "version_id": version.id,
            "draft_digest": version.draft_digest,
            "run_id": run_id,
            "on_date": day,
            "asked_by_kind": viewer.kind,
            "asked_by": viewer.id,
            "asked_at": tx.clock.now(),
        }
        tx.connection.execute(simulations.insert(), row)
        tx.witness(
            Event.SIMULATION_ASKED,
            "schedule",
            version.id,
            simulation_id=str(simulation_id),
            number=number,
            draft_digest=version.draft_digest.hex(),
            on_date=day.isoformat(),
        )
        defer(tx, TASK_SIMULATE, run_id=str(run_id), simulation_id=str(simulation_id))
        tx.commit()
    with ctx.database.read() as connection:
        return get_simulation(connection, simulation_id)


def cancel_simulation(ctx: Context, viewer: Viewer, simulation_id: UUID) -> None:
    """Asks a simulation to end at its next step; nothing of it is kept. Leaves `jobs:job:cancel`.

    Raises:
        NotAllowed: the viewer lacks `retention:schedule:simulate`.
        NotFoundOrNotYours: there is none under way.
    """
    viewer.require(Right.RETENTION_SCHEDULE_SIMULATE)
    with ctx.database.transaction(viewer.actor) as tx:
        runs.request_cancel(tx, get_simulation(tx.connection, simulation_id).run_id)
        tx.commit()


def run_simulation(ctx: Context, progress: runs.Progress, simulation_id: str) -> None:
    """Simulates, telling how far it is; a draft that was changed meanwhile ends the run.

    Raises:
        JobPutOff: the worker is ending, or another is still at it.
    """
    try:
        done = simulate(ctx, UUID(simulation_id), progress.tell)
    except ScheduleChanged as error:
        progress.fail(error.code)  # as often as it were tried again, the draft would stay another
        return
    assert done.found is not None
    progress.finish(records=done.found.records, affected=done.found.affected)


def require_simulated(tx: Transaction, version: ScheduleVersion, effective_date: date) -> Simulation:
    """The simulation by which a version may be proposed or approved to take effect on a day.

    Raises:
        NotSimulated: there is none, or it no longer counts.
        SimulatedForOtherDay: there is one, but as it would be on another day.
    """
    newest = newest_finished(tx.connection, version.number)
    if newest is None or not is_fresh(tx.connection, newest, version, tx.clock.now()):
        raise NotSimulated(number=version.number)
    if newest.on_date != effective_date:
        raise SimulatedForOtherDay(
            number=version.number, simulated=newest.on_date.isoformat(), day=effective_date.isoformat()
        )
    return newest


def _open_version(tx: Transaction, number: int) -> ScheduleVersion:
    """Held to the end of the transaction, so that of two who ask at once the second finds the first one's."""
    tx.connection.execute(
        select(schedule_versions.c.id).where(schedule_versions.c.number == number).with_for_update()
    )
    version = get_version(tx.connection, number, tx.clock.now())
    if version.state not in {VersionState.DRAFT, VersionState.PROPOSED}:
        raise ScheduleNotOpen(number=number, state=version.state.value)
    return version


def _is_same(tx: Transaction, running: Simulation, version: ScheduleVersion, day: date) -> bool:
    is_of_draft = running.draft_digest == version.draft_digest and running.on_date == day
    run = runs.get_run(tx.connection, running.run_id)
    return is_of_draft and running.finished_at is None and run.state in _OPEN and not run.cancel_requested
