"""Stores, keys and the ledger's state on one page."""

from __future__ import annotations

from sqlalchemy import Connection, func, select
from starlette.requests import Request
from starlette.responses import Response

from vault.access.model import Viewer
from vault.access.rights import Right
from vault.catalogue.queries import stored_in
from vault.foundation.errors import N_
from vault.foundation.jobs import runs
from vault.foundation.keys.queries import list_epochs, list_groups
from vault.foundation.ledger.queries import pending_count
from vault.holds.queries import stores_to_tell
from vault.intake.queries import renditions_waiting
from vault.intake.stores import newest_probe, probe_and_note
from vault.oversight import drifts, leftovers
from vault.oversight.jobs import TASK_RECONCILE, ask_reconciliation
from vault.oversight.model import CAUSES
from vault.surfaces.lists.listing import Speech
from vault.surfaces.routing import Ctx, CurrentViewer, Routes
from vault.surfaces.web.pages import go, language_for, page, speaker
from vault.surfaces.web.views import labels
from vault.surfaces.web.views.health import (
    CheckRow,
    EpochRow,
    GroupRow,
    HealthView,
    LeftoverRow,
    LeftoverSection,
    ServiceRow,
    StoreRow,
)
from vault.surfaces.web.views.parts import Action

routes = Routes("", "pages", in_schema=False)
_LEFTOVERS_SHOWN = 20


@routes.get("/health", Right.STORES_HEALTH_READ, response_class=Response)
def health_page(request: Request, ctx: Ctx, viewer: CurrentViewer) -> Response:
    """Whether stores, keys and services keep their promises."""
    with ctx.database.read() as connection:
        view = HealthView(
            stores=(_store(connection, ctx),),
            custodian=ctx.custodian.name,
            epochs=tuple(
                EpochRow(e.number, e.state, e.created_at, e.destroyed_at, e.groups) for e in list_epochs(connection)
            ),
            groups=_groups(connection, Speech(connection, language_for(request), ctx.clock.now())),
            services=_services(request, connection),
            actions=_actions(viewer),
            leftovers=_leftovers(connection, ctx, viewer),
            drifts_count=drifts.summary(connection, ctx.store.name, ctx.clock.now()).open,
        )
    return page(request, "health.html", view, current="health")


@routes.post("/health/probe", Right.STORES_STORE_PROBE, response_class=Response)
def probe(ctx: Ctx, viewer: CurrentViewer) -> Response:
    """Probes the store now."""
    probe_and_note(ctx, viewer.actor)
    return go("/health")


@routes.post("/health/reconcile", Right.STORES_STORE_RECONCILE, response_class=Response)
def reconcile(ctx: Ctx, viewer: CurrentViewer) -> Response:
    """Has what is left over found and settled; goes to the job where the viewer may see it."""
    run_id = ask_reconciliation(ctx, viewer)
    return go(f"/jobs/{run_id}" if viewer.may(Right.JOBS_JOB_READ) else "/health")


def _actions(viewer: Viewer) -> tuple[Action, ...]:
    offered = (
        (Right.STORES_STORE_PROBE, Action(labels.PROBE_STORES, "/health/probe", "post", "primary")),
        (Right.STORES_STORE_RECONCILE, Action(labels.RECONCILE, "/health/reconcile", "post")),
    )
    return tuple(action for right, action in offered if viewer.may(right))


def _leftovers(connection: Connection, ctx: Ctx, viewer: Viewer) -> LeftoverSection:
    known = leftovers.summary(connection, ctx.store.name, ctx.clock.now())
    shown = leftovers.list_open(connection, ctx.store.name, size=_LEFTOVERS_SHOWN)
    newest = runs.newest(connection, TASK_RECONCILE)
    return LeftoverSection(
        objects_count=known.objects,
        size_bytes=known.size_bytes,
        removable_count=known.removable,
        rows=tuple(
            LeftoverRow(item.object_key, CAUSES[item.cause], item.size_bytes, item.stored_at, item.removable_from)
            for item in shown
        ),
        reconciled_at=newest.finished_at if newest else None,
        job_href=f"/jobs/{newest.id}" if newest and viewer.may(Right.JOBS_JOB_READ) else None,
        is_running=newest is not None and newest.state in {"waiting", "running"},
    )


def _groups(connection: Connection, speech: Speech) -> tuple[GroupRow, ...]:
    return tuple(
        GroupRow(
            class_code=group.class_code,
            class_name=speech.classes.get(group.class_code, group.class_code),
            period=group.period,
            generation=group.generation,
            state=group.state,
            epoch=group.epoch,
            records_count=group.records,
        )
        for group in list_groups(connection)
    )


def _store(connection: Connection, ctx: Ctx) -> StoreRow:
    newest = newest_probe(connection, ctx.store.name)
    objects, size_bytes = stored_in(connection, ctx.store.name)
    state = "unknown" if newest is None else "lies" if newest.lies else "honest"
    return StoreRow(
        name=ctx.store.name,
        state=state,
        probed_at=newest.at if newest else None,
        checks=tuple(CheckRow(name, ok, message) for name, ok, message in newest.checks) if newest else (),
        objects_count=objects,
        size_bytes=size_bytes,
    )


def _services(request: Request, connection: Connection) -> tuple[ServiceRow, ...]:
    say = speaker(request).gettext
    version = connection.execute(select(func.version())).scalar_one().split(" on ")[0]
    waiting, failed = renditions_waiting(connection)
    pending = pending_count(connection)
    to_tell, refused = stores_to_tell(connection)
    return (
        ServiceRow(say(N_("Catalogue database")), "up", version),
        ServiceRow(
            say(N_("Ledger")),
            "slow" if pending > 5000 else "up",
            say(N_("{n} entries wait for their number")).format(n=pending),
        ),
        ServiceRow(
            say(N_("Page images")),
            "slow" if waiting > 1000 else "up",
            say(N_("{n} records wait, {m} could not be made")).format(n=waiting, m=failed),
        ),
        ServiceRow(
            say(N_("Legal holds in the store")),
            "slow" if refused else "up",
            say(N_("{n} records wait, the store refused {m} of them")).format(n=to_tell, m=refused),
        ),
    )
