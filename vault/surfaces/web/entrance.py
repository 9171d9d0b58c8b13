"""Signing in and out, the first run, the language."""

from __future__ import annotations

from typing import Annotated

from fastapi import Form as Field
from starlette.requests import Request
from starlette.responses import Response

from vault.access import service, sessions
from vault.access.errors import SignInFailed, TooManyGuesses
from vault.access.queries import organisation
from vault.access.rights import Right
from vault.foundation.errors import N_, InvalidInput, VaultError
from vault.retention.organisation import set_up as set_up_organisation
from vault.surfaces.auth import SESSION_COOKIE
from vault.surfaces.routing import Ctx, CurrentViewer, Routes
from vault.surfaces.web.pages import (
    LANGUAGE_COOKIE,
    form_with,
    go,
    local_address,
    page,
    require_door_token,
    set_door_cookie,
)
from vault.surfaces.web.views.entrance import SetupView, SignInView
from vault.surfaces.web.views.parts import BLANK, Form, Option

routes = Routes("", "pages", in_schema=False)
Text = Annotated[str, Field()]
ZONES = (
    *("Asia/Shanghai", "Asia/Urumqi", "Asia/Hong_Kong", "Asia/Macau", "Asia/Taipei", "Asia/Singapore", "Asia/Tokyo"),
    *("Europe/London", "Europe/Berlin", "Europe/Paris", "America/New_York", "America/Los_Angeles", "UTC"),
)


@routes.get("/sign-in", Right.PUBLIC_PAGE_VIEW, response_class=Response)
def sign_in_page(request: Request, next: str = "/") -> Response:  # noqa: A002 - the name in the address
    """The sign-in page."""
    return set_door_cookie(request, page(request, "sign_in.html", SignInView(next_href=local_address(next))))


@routes.post("/sign-in", Right.PUBLIC_PAGE_VIEW, response_class=Response)
def sign_in(
    request: Request,
    ctx: Ctx,
    csrf_token: Text = "",
    sign_in_name: Text = "",
    password: Text = "",
    next: Text = "/",  # noqa: A002 - the field's name
) -> Response:
    """Opens a session."""
    require_door_token(request, csrf_token)
    try:
        secret = sessions.sign_in(ctx, sign_in_name.strip(), password, request.client.host if request.client else "")
    except (SignInFailed, TooManyGuesses) as error:
        form = form_with(request, {"sign_in_name": sign_in_name}, error, "password")
        return page(request, "sign_in.html", SignInView(form, local_address(next)), status=error.status)
    return _with_session(request, go(local_address(next)), secret)


@routes.post("/sign-out", Right.SELF_SESSION_USE, response_class=Response)
def sign_out(request: Request, ctx: Ctx, viewer: CurrentViewer) -> Response:
    """Ends the session."""
    sessions.sign_out(ctx, viewer, request.cookies.get(SESSION_COOKIE, ""))
    response = go("/sign-in")
    response.delete_cookie(SESSION_COOKIE)
    return response


@routes.post("/language", Right.PUBLIC_PAGE_VIEW, response_class=Response)
def choose_language(
    language: Text = "zh",
    next: Text = "/",  # noqa: A002 - the field's name
) -> Response:
    """Keeps the language in a cookie; it changes nothing but the words."""
    response = go(local_address(next))
    if language in {"zh", "en"}:
        response.set_cookie(LANGUAGE_COOKIE, language, max_age=400 * 86400, samesite="lax")
    return response


@routes.get("/setup", Right.SELF_SESSION_USE, response_class=Response)
def setup_page(request: Request) -> Response:
    """A password of one's own and, on the first run, the organisation's name."""
    return page(request, "setup.html", _setup_view(request, BLANK))


@routes.post("/setup", Right.SELF_SESSION_USE, response_class=Response)
def set_up(
    request: Request,
    ctx: Ctx,
    viewer: CurrentViewer,
    password_now: Text = "",
    password: Text = "",
    password_again: Text = "",
    organisation_name: Annotated[str, Field(alias="organisation")] = "",
    fonds_code: Text = "0001",
    zone: Text = "Asia/Shanghai",
) -> Response:
    """Changes the one-time password, on the first run names the organisation, and signs in with the new password."""
    values = {"organisation": organisation_name, "fonds_code": fonds_code, "zone": zone}
    try:
        if password != password_again:
            raise InvalidInput(field="password_again", problem=N_("the two passwords differ"))
        login = _own_login(ctx, viewer)
        service.change_password(ctx, viewer, password_now, password)
        secret = sessions.sign_in(ctx, login, password, request.client.host if request.client else "")
        session = sessions.find(ctx, secret)
        may_name = session is not None and session.viewer.may(Right.SETTINGS_ORGANISATION_MANAGE)
        if session is not None and may_name and organisation_name and _is_first_run(ctx):
            set_up_organisation(ctx, session.viewer, organisation_name, fonds_code, zone)
    except VaultError as error:
        return page(
            request, "setup.html", _setup_view(request, form_with(request, values, error, "password")), status=422
        )
    return _with_session(request, go("/"), secret)


def _own_login(ctx: Ctx, viewer: CurrentViewer) -> str:
    from vault.access.queries import get_person

    with ctx.database.read() as connection:
        return get_person(connection, viewer.id).login


def _setup_view(request: Request, form: Form) -> SetupView:
    ctx: Ctx = request.app.state.context
    with ctx.database.read() as connection:
        home = organisation(connection)
    if not form.values:
        form = Form({"organisation": home.name, "fonds_code": home.fonds_code, "zone": home.time_zone})
    return SetupView(_own_login(ctx, request.state.viewer), zone_options(), not home.name, form)


def _is_first_run(ctx: Ctx) -> bool:
    """Whether nobody has named the organisation yet; afterwards it is named in the settings."""
    with ctx.database.read() as connection:
        return not organisation(connection).name


def zone_options() -> tuple[Option, ...]:
    """Time zones to choose from: China's first, then where archives of ours might stand."""
    return tuple(Option(zone, zone) for zone in ZONES)


def _with_session(request: Request, response: Response, secret: str) -> Response:
    response.set_cookie(
        SESSION_COOKIE, secret, httponly=True, samesite="lax", secure=request.url.scheme == "https", path="/"
    )
    return response
