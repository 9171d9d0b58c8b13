"""Stores, keys and classes: whether they keep their word, and what there is."""

from __future__ import annotations

from typing import Any

from vault.access.rights import Right
from vault.intake.stores import newest_probe, probe_and_note
from vault.retention.queries import classes_in_effect
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
