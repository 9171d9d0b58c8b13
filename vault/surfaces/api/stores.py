"""Stores, keys and classes: whether they keep their word, and what there is."""

from __future__ import annotations

from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import Body, Query, Request
from starlette.responses import Response

from vault.access.rights import Right
from vault.foundation.db.keyset import EVERYTHING
from vault.intake.stores import newest_probe, probe_and_note
from vault.oversight import leftovers
from vault.oversight.drift import DriftKind
from vault.oversight.drifts import DriftFilters
from vault.oversight.jobs import ask_reconciliation
from vault.oversight.model import Leftover
from vault.retention.queries import classes_in_effect
from vault.surfaces.api.lists import PageAsked, page_body
from vault.surfaces.i18n import translator
from vault.surfaces.lists.csv_file import export
from vault.surfaces.lists.drifts import DRIFTS, drift_body
from vault.surfaces.problems import language_of
from vault.surfaces.routing import Ctx, CurrentViewer, Routes

routes = Routes("", "stores")


@routes.get("/store", Right.STORES_HEALTH_READ)
def show_store(ctx: Ctx) -> dict[str, Any]:
    """The store and what its last probe found."""
    with ctx.database.read() as connection:
        newest = newest_probe(connection, ctx.store.name)
    return {
        "store": ctx.store.name,
        "probed_at": newest.at.isoformat() if newest else None,
        "lies": list(newest.lies) if newest else None,
        "checks": [{"name": name, "ok": ok} for name, ok, _ in newest.checks] if newest else [],
    }


@routes.post("/store/probe", Right.STORES_STORE_PROBE)
def probe_store(ctx: Ctx, viewer: CurrentViewer) -> dict[str, Any]:
    """Probes the store now; takes about ten seconds."""
    report = probe_and_note(ctx, viewer.actor)
    return {"store": report.store, "at": report.at.isoformat(), "lies": list(report.lies)}


@routes.post("/store/reconciliation", Right.STORES_STORE_RECONCILE, status_code=202)
def start_reconciliation(
    ctx: Ctx, viewer: CurrentViewer, older_than_hours: Annotated[int | None, Body(embed=True)] = None
) -> dict[str, str]:
    """Has what is left over found and settled, and locks and holds held against the catalogue; follow it under /jobs."""
    return {"job_id": ask_reconciliation(ctx, viewer, older_than_hours)}


@routes.get("/store/leftovers", Right.STORES_HEALTH_READ)
def list_leftovers(
    ctx: Ctx, after: UUID | None = None, size: Annotated[int, Query(ge=1, le=leftovers.PAGE_SIZE_MAX)] = 50
) -> dict[str, Any]:
    """Versions in the store that no catalogue row names, oldest first, with the date from which each may be removed."""
    with ctx.database.read() as connection:
        found = leftovers.list_open(connection, ctx.store.name, after=after, size=size)
        known = leftovers.summary(connection, ctx.store.name, ctx.clock.now())
    return {
        "objects": known.objects,
        "size_bytes": known.size_bytes,
        "removable": known.removable,
        "leftovers": [leftover_body(leftover) for leftover in found],
        "after": str(found[-1].id) if len(found) == size else None,
    }


def leftover_body(leftover: Leftover) -> dict[str, Any]:
    """A leftover for programs."""
    return {
        "id": str(leftover.id),
        "object_key": leftover.object_key,
        "version_id": leftover.version_id,
        "size_bytes": leftover.size_bytes,
        "cause": leftover.cause.value,
        "record_id": str(leftover.record_id) if leftover.record_id else None,
        "stored_at": leftover.stored_at.isoformat(),
        "removable_from": leftover.removable_from.isoformat() if leftover.removable_from else None,
        "found_at": leftover.found_at.isoformat(),
    }


class DriftsAsked(PageAsked):
    """Which differences: those for which all that is given holds. `state` is `open`, `repaired` or `in-order`."""

    state: Literal["open", "repaired", "in-order"] | None = None
    kind: DriftKind | None = None
    record_id: UUID | None = None

    @property
    def filters(self) -> DriftFilters:
        """As the list is asked."""
        return DriftFilters(state=self.state, kind=self.kind, record_id=self.record_id)


@routes.get("/store/drifts", Right.STORES_HEALTH_READ)
def list_drifts(
    request: Request, ctx: Ctx, viewer: CurrentViewer, wanted: Annotated[DriftsAsked, Query()]
) -> dict[str, Any]:
    """Where locks, holds or objects in the store were not as the catalogue says, those found last first."""
    say = translator(language_of(request)).gettext
    with ctx.database.read() as connection:
        question = DRIFTS.ask(ctx, connection, viewer, wanted.filters, EVERYTHING)
        return page_body("drifts", question, wanted, lambda drift: drift_body(drift, say))


@routes.post("/store/drifts/export", Right.ACCESS_LIST_EXPORT, response_class=Response)
def export_drifts(request: Request, ctx: Ctx, viewer: CurrentViewer, wanted: DriftsAsked) -> Response:
    """The whole list as CSV. The ledger notes it with the count."""
    return export(ctx, viewer, DRIFTS, wanted.filters, EVERYTHING, language_of(request))


@routes.get("/classes", Right.CATALOGUE_CLASS_READ)
def list_classes(ctx: Ctx) -> dict[str, Any]:
    """The retention classes."""
    with ctx.database.read() as connection:
        found = classes_in_effect(connection, ctx.clock.now())
    return {
        "classes": [
            {
                "code": item.code,
                "name_zh": item.name_zh,
                "name_en": item.name_en,
                "category_code": item.category_code,
                "period_code": item.period_code,
                "sensitivity": str(item.sensitivity),
                "keep_unopened": item.keep_unopened,
            }
            for item in found
        ]
    }
