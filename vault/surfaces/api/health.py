"""Whether the service lives, whether it is ready, and its figures for monitoring."""

from __future__ import annotations

from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.responses import JSONResponse, Response

from vault.access.rights import Right
from vault.foundation.errors import VaultError
from vault.intake.arrivals import require_trusted_store
from vault.surfaces.figures import registry
from vault.surfaces.routing import Ctx, Routes

routes = Routes("", "health", in_schema=True)


@routes.get("/healthz", Right.PUBLIC_PAGE_VIEW)
def healthz() -> dict[str, str]:
    """The process answers."""
    return {"status": "alive"}


@routes.get("/readyz", Right.PUBLIC_PAGE_VIEW, response_class=Response)
def readyz(ctx: Ctx) -> Response:
    """The database answers and the store may be trusted; says which of them does not."""
    checks = {"database": ctx.database.is_ready(), "store": False}
    if checks["database"]:
        try:
            with ctx.database.read() as connection:
                require_trusted_store(connection, ctx.store.name)
            checks["store"] = True
        except VaultError as error:
            return JSONResponse({"ready": False, "checks": checks, "code": error.code}, 503)
    ready = all(checks.values())
    return JSONResponse({"ready": ready, "checks": checks}, 200 if ready else 503)


@routes.get("/metrics", Right.PUBLIC_PAGE_VIEW, response_class=Response)
def metrics(ctx: Ctx) -> Response:
    """Figures in the Prometheus text format; counts and durations only."""
    return Response(generate_latest(registry(ctx)), media_type=CONTENT_TYPE_LATEST)
