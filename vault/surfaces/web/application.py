"""The pages: mounted beside the API on the same parts."""

from __future__ import annotations

from urllib.parse import urlencode

from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import Response

from vault.access.errors import PasswordMustChange
from vault.access.rights import Right
from vault.foundation.errors import N_, NotFoundOrNotYours, VaultError
from vault.surfaces.auth import SignInNeeded
from vault.surfaces.routing import Routes
from vault.surfaces.web import (
    batch,
    batches,
    class_editor,
    describe,
    desk,
    due,
    entrance,
    event_report,
    events,
    health,
    holds,
    holidays,
    intake,
    jobs,
    ledger,
    ledger_entry,
    lists,
    matters,
    people,
    quarantine,
    reclassify,
    reconciliation,
    record,
    records,
    rule_packs,
    rules,
    schedule,
    schedules,
    search,
    settings,
    simulated_records,
    simulation,
    station,
    stations,
    units,
    why,
)
from vault.surfaces.web.pages import context, go, set_door_cookie, shell_for, speaker
from vault.surfaces.web.rendering import Renderer
from vault.surfaces.web.views.entrance import ProblemView
from vault.surfaces.web.views.parts import Link

static_routes = Routes("/static", "pages", in_schema=False)


@static_routes.get("/{name}", Right.PUBLIC_PAGE_VIEW, response_class=Response)
async def static(request: Request, name: str) -> Response:
    """A static file under its hashed name."""
    found: Response | None = request.app.state.renderer.static(name)
    if found is None:
        raise NotFoundOrNotYours
    return found


def mount(app: FastAPI) -> None:
    """Adds the pages to the application."""
    app.state.renderer = Renderer()
    modules = (
        entrance,
        desk,
        intake,
        batches,
        batch,
        quarantine,
        records,
        record,
        why,
        reclassify,
        matters,
        holds,
        describe,
        schedules,
        schedule,
        simulation,
        simulated_records,
        class_editor,
        rules,
        rule_packs,
        events,
        event_report,
        due,
        class_editor,
        ledger,
        ledger_entry,
        health,
        reconciliation,
        people,
        stations,
        units,
        holidays,
        station,
        jobs,
        lists,
        search,
        settings,
    )
    for routes in (static_routes, *(module.routes for module in modules)):
        app.include_router(routes.router)


def problem_page(request: Request, error: VaultError) -> Response:
    """An error as a page: what happened, whose fault, what to do now."""
    if isinstance(error, PasswordMustChange):
        return go("/setup")
    if isinstance(error, SignInNeeded) and request.method == "GET":
        wanted = request.url.path + (f"?{request.url.query}" if request.url.query else "")
        return go("/sign-in" if wanted == "/" else f"/sign-in?{urlencode({'next': wanted}, safe='/')}")
    said = speaker(request).explain(error)
    view = ProblemView(
        status=error.status,
        code=error.code,
        title=speaker(request).gettext(N_("This did not work")),
        what_happened=said.what_happened,
        whose_fault=said.whose_fault,
        what_to_do=said.what_to_do,
        request_id=error.code,
        at=context(request).clock.now(),
        way_back=Link(speaker(request).gettext(N_("To my desk")), "/"),
        is_retry_useful=error.status >= 500,
    )
    response: Response = request.app.state.renderer.page(
        "problem.html", shell_for(request), view, status=error.status
    )
    return set_door_cookie(request, response)
