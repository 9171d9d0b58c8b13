"""The page of reconciliation: the last runs, and what in the stores was not as the catalogue says."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response

from vault.access.model import Viewer
from vault.access.rights import Right
from vault.foundation.db.keyset import Span
from vault.foundation.errors import N_
from vault.foundation.jobs import runs
from vault.foundation.storage.interface import LockMode
from vault.oversight import drifts
from vault.oversight.drift import (
    ADVICE,
    ALARMS,
    DAMAGED,
    DRIFT_WORDS,
    HOLD_OFF,
    HOLD_ON,
    MARKER,
    MISSING,
    DriftKind,
)
from vault.oversight.drifts import DriftEnd, DriftFilters, KeptDrift
from vault.oversight.jobs import TASK_RECONCILE
from vault.surfaces.lists.drifts import DRIFTS
from vault.surfaces.lists.listing import day_begins, day_ends
from vault.surfaces.routing import Ctx, CurrentViewer, Routes
from vault.surfaces.web.jobs import is_open, run_row
from vault.surfaces.web.listing import WebList, day_of, open_list, uuid_of
from vault.surfaces.web.pages import page
from vault.surfaces.web.views import labels
from vault.surfaces.web.views.lists import Empty
from vault.surfaces.web.views.parts import Action, Choices, Link, Option
from vault.surfaces.web.views.reconciliation import DriftFilter, DriftRow, ReconciliationView, Standing

routes = Routes("", "pages", in_schema=False)
_RUNS_SHOWN = 5
_STANDING = {
    LockMode.NONE.value: N_("none"),
    HOLD_ON: N_("legal hold"),
    HOLD_OFF: N_("no legal hold"),
    MISSING: N_("missing"),
    DAMAGED: N_("damaged"),
    MARKER: N_("delete marker"),
}
# As they stand in the address; without a word it is what is open.
_STATES = {"": "open", "repaired": DriftEnd.REPAIRED.value, "in-order": DriftEnd.IN_ORDER.value}


def _parse(told: Mapping[str, str], _connection: Connection, zone: ZoneInfo) -> DriftFilters:
    return DriftFilters(
        state=_STATES.get(told["state"]),
        kind=DriftKind(told["kind"]) if told["kind"] in set(DriftKind) else None,
        record_id=uuid_of(told["record"]),
        found_from=day_begins(day_of(told["from_date"]), zone),
        found_before=day_ends(day_of(told["to_date"]), zone),
    )


LIST: WebList[DriftFilters, KeptDrift] = WebList(
    listing=DRIFTS,
    title=N_("Reconciliation"),
    open=("state", "kind", "record", "from_date", "to_date"),
    personal=(),
    parse=_parse,
    anything=DriftFilters(),
)


@routes.get("/reconciliation", Right.STORES_HEALTH_READ, response_class=Response)
def reconciliation_page(request: Request, ctx: Ctx, viewer: CurrentViewer) -> Response:
    """What is not as it must be, unless something else is asked for, and the last runs."""
    with open_list(request, ctx, viewer, LIST) as asked:
        speech = asked.speech
        last = runs.find_runs(asked.connection, runs.RunFilters(task=TASK_RECONCILE), Span(size=_RUNS_SHOWN)).lines
        known = drifts.summary(asked.connection, ctx.store.name, ctx.clock.now())
        running = next((run for run in last if is_open(run)), None)
        view = ReconciliationView(
            list=asked.frame(_empty(is_narrowed=asked.is_narrowed, has_run=bool(last))),
            filter=DriftFilter(**asked.told.values),
            choices=Choices({"kind": tuple(Option(one.value, speech.say(DRIFT_WORDS[one])) for one in DriftKind)}),
            rows=tuple(_row(viewer, drift) for drift in asked.page.lines),
            runs=tuple(run_row(request, viewer, run) for run in last),
            open_count=known.open,
            alarms_count=known.alarms,
            actions=_actions(viewer),
            progress_href=f"/jobs/{running.id}/progress" if running and viewer.may(Right.JOBS_JOB_READ) else None,
        )
    return page(request, "reconciliation.html", view, current="health")


def standing(told: str) -> Standing:
    """What the store's words mean to people: the names of modes stay, an instant is shown in the organisation's zone."""
    mode, _, until = told.partition(" ")
    if mode in set(LockMode) and until:
        return Standing(mode, datetime.fromisoformat(until))
    return Standing(_STANDING.get(told, told))


def _actions(viewer: Viewer) -> tuple[Action, ...]:
    if not viewer.may(Right.STORES_STORE_RECONCILE):
        return ()
    return (Action(labels.RECONCILE, "/health/reconcile", "post", "primary"),)


def _empty(*, is_narrowed: bool, has_run: bool) -> Empty:
    if is_narrowed:
        return Empty(N_("Nothing that was found fits these filters."))
    if not has_run:
        return Empty(N_("The stores have not been compared with the catalogue yet."))
    return Empty(N_("Every lock and hold that was compared stands as the catalogue says."))


def _row(viewer: Viewer, drift: KeptDrift) -> DriftRow:
    record = None
    if drift.archival_number and viewer.may(Right.RECORDS_RECORD_READ):
        record = Link(drift.archival_number, f"/records/{drift.record_id}")
    return DriftRow(
        id=str(drift.id),
        kind=DRIFT_WORDS[drift.kind],
        state=drift.state,
        is_alarm=drift.kind in ALARMS and drift.state == "open",
        record=record,
        record_id=str(drift.record_id),
        store=drift.store,
        object_key=drift.object_key,
        found=standing(drift.found),
        expected=standing(drift.expected),
        repair=standing(drift.repair) if drift.repair and drift.state == "repaired" else None,
        problem=drift.problem or "",
        advice=ADVICE[drift.kind],
        found_at=drift.found_at,
        settled_at=drift.resolved_at,
    )
