"""The web application: API and pages on one set of parts. `create` is what the server processes load."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from sqlalchemy.exc import DataError
from starlette.exceptions import HTTPException
from starlette.responses import Response

from vault import __version__
from vault.app import make_context
from vault.foundation.context import Context
from vault.foundation.errors import NotFoundOrNotYours, VaultError
from vault.settings import Settings
from vault.surfaces import observing
from vault.surfaces.api import (
    batches,
    events,
    filing,
    health,
    holds,
    intake,
    jobs,
    ledger,
    quarantine,
    records,
    rules,
    schedule,
    session,
    simulations,
    stores,
    units,
)
from vault.surfaces.bodies import BoundedBodies
from vault.surfaces.problems import BadRequest, UnusableText, language_of, problem

API_PREFIX = "/api/v1"
DATABASE_URL_VARIABLE = "SLIPVAULT_DATABASE_URL"


def create() -> FastAPI:
    """The application of a server process; the supervisor has put the running database's address in place.

    Raises:
        VaultError: a setting, store or custodian cannot be used.
    """
    settings = Settings.from_environment()
    if settings.database_url is None:
        raise RuntimeError(f"a server process needs {DATABASE_URL_VARIABLE}; start it with scripts/run")
    return make_application(make_context(settings, settings.database_url), settings)


def make_application(context: Context, settings: Settings) -> FastAPI:
    """The application on given parts."""

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        yield
        context.database.dispose()

    app = FastAPI(
        title="slipvault",
        version=__version__,
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
    )
    app.state.context = context
    app.state.settings = settings
    app.state.upload_bytes_max = settings.upload_bytes_max
    app.state.operator_token_file = settings.home / "run" / "operator.token"
    app.add_middleware(BoundedBodies, upload_bytes_max=settings.upload_bytes_max, on_refused=_answer)
    app.add_middleware(observing.ObservingMiddleware, on_defect=lambda request: _answer(request, VaultError()))
    for routes in (
        intake.routes,
        batches.routes,
        quarantine.routes,
        records.routes,
        ledger.routes,
        stores.routes,
        schedule.routes,
        simulations.routes,
        rules.routes,
        rules.calendar_routes,
        events.routes,
        filing.routes,
        holds.routes,
        session.routes,
        jobs.routes,
        units.routes,
    ):
        app.include_router(routes.router, prefix=API_PREFIX)
    app.include_router(health.routes.router)
    _add_pages(app)
    _add_error_handlers(app)
    return app


def _add_pages(app: FastAPI) -> None:
    from vault.surfaces.web import application as web

    web.mount(app)


def _answer(request: Request, error: VaultError) -> Response:
    """An error as a problem document for programs, as a page for people."""
    if request.url.path.startswith(("/api/", "/healthz", "/readyz", "/metrics")):
        return problem(error, language_of(request))
    from vault.surfaces.web import application as web

    return web.problem_page(request, error)


def _add_error_handlers(app: FastAPI) -> None:
    def on_vault_error(request: Request, error: Any) -> Response:
        observing.log_problem(request, error)
        return _answer(request, error)

    def on_http_error(request: Request, error: Any) -> Response:
        if error.status_code == 404:
            return _answer(request, NotFoundOrNotYours())
        return _answer(request, BadRequest(problem=str(error.detail)))

    def on_validation_error(request: Request, error: Any) -> Response:
        # Only where and what kind: the values may be personal data.
        first = error.errors()[0]
        # The last part of an unknown member's place is what the sender called it.
        known = first["loc"][:-1] if first["type"] == "extra_forbidden" else first["loc"]
        place = ".".join(str(part) for part in known)
        return _answer(request, BadRequest(problem=f"{place}: {first['type']}"))

    def on_unusable_text(request: Request, _error: Any) -> Response:
        return on_vault_error(request, UnusableText())

    app.add_exception_handler(DataError, on_unusable_text)
    app.add_exception_handler(UnicodeEncodeError, on_unusable_text)
    app.add_exception_handler(VaultError, on_vault_error)
    app.add_exception_handler(HTTPException, on_http_error)
    app.add_exception_handler(RequestValidationError, on_validation_error)
