"""Stores, keys and the ledger's state on one page."""

from __future__ import annotations

from sqlalchemy import Connection, func, select
from starlette.requests import Request
from starlette.responses import Response

from vault.access.rights import Right
from vault.catalogue.queries import stored_in
from vault.foundation.errors import N_
from vault.foundation.keys.queries import list_epochs, list_groups
from vault.foundation.ledger.queries import pending_count
from vault.intake.queries import renditions_waiting
from vault.intake.stores import newest_probe, probe_and_note
from vault.surfaces.routing import Ctx, CurrentViewer, Routes
from vault.surfaces.web.pages import go, page, speaker
from vault.surfaces.web.views import labels
from vault.surfaces.web.views.health import CheckRow, EpochRow, GroupRow, HealthView, ServiceRow, StoreRow
from vault.surfaces.web.views.parts import Action

routes = Routes("", "pages", in_schema=False)


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
            groups=tuple(
                GroupRow(g.class_code, g.period, g.generation, g.state, g.epoch, g.records)
                for g in list_groups(connection)
            ),
            services=_services(request, connection),
            actions=(Action(labels.PROBE_STORES, "/health/probe", "post", "primary"),)
            if viewer.may(Right.STORES_STORE_PROBE)
            else (),
        )
    return page(request, "health.html", view, current="health")


@routes.post("/health/probe", Right.STORES_STORE_PROBE, response_class=Response)
def probe(ctx: Ctx, viewer: CurrentViewer) -> Response:
    """Probes the store now."""
    probe_and_note(ctx, viewer.actor)
    return go("/health")


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
    )
