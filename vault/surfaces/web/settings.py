"""One's own settings, and the organisation's."""

from __future__ import annotations

from typing import Annotated

from fastapi import Form as Field
from starlette.requests import Request
from starlette.responses import Response

from vault.access import service, sessions
from vault.access.queries import get_person, organisation
from vault.access.rights import ROLE_NAMES, Right
from vault.foundation.errors import N_, InvalidInput, VaultError
from vault.retention.organisation import set_up
from vault.surfaces.auth import SESSION_COOKIE
from vault.surfaces.routing import Ctx, CurrentViewer, Routes
from vault.surfaces.web.entrance import zone_options
from vault.surfaces.web.pages import LANGUAGE_COOKIE, form_with, go, page, speaker
from vault.surfaces.web.views.entrance import SettingsView
from vault.surfaces.web.views.parts import BLANK, Form

routes = Routes("", "pages", in_schema=False)
Text = Annotated[str, Field()]


@routes.get("/settings", Right.SELF_SESSION_USE, response_class=Response)
def settings_page(request: Request, ctx: Ctx, viewer: CurrentViewer) -> Response:
    """The settings."""
    return page(request, "settings.html", _view(request, ctx, viewer), current="settings")


@routes.post("/settings", Right.SELF_SESSION_USE, response_class=Response)
def set_language(ctx: Ctx, viewer: CurrentViewer, language: Text = "zh") -> Response:
    """Keeps one's own language."""
    service.change_language(ctx, viewer, language)
    response = go("/settings")
    response.set_cookie(LANGUAGE_COOKIE, language, max_age=400 * 86400, samesite="lax")
    return response


@routes.post("/settings/password", Right.SELF_SESSION_USE, response_class=Response)
def change_password(
    request: Request,
    ctx: Ctx,
    viewer: CurrentViewer,
    password_now: Text = "",
    password: Text = "",
    password_again: Text = "",
) -> Response:
    """Changes one's own password; every other session ends."""
    try:
        if password != password_again:
            raise InvalidInput(field="password_again", problem=N_("the two passwords differ"))
        with ctx.database.read() as connection:
            login = get_person(connection, viewer.id).login
        service.change_password(ctx, viewer, password_now, password)
        secret = sessions.sign_in(ctx, login, password, request.client.host if request.client else "")
    except VaultError as error:
        view = _view(request, ctx, viewer, password=form_with(request, {}, error, "password"))
        return page(request, "settings.html", view, current="settings", status=422)
    response = go("/settings")
    response.set_cookie(
        SESSION_COOKIE, secret, httponly=True, samesite="lax", secure=request.url.scheme == "https", path="/"
    )
    return response


@routes.post("/settings/organisation", Right.SETTINGS_ORGANISATION_MANAGE, response_class=Response)
def change_organisation(
    request: Request,
    ctx: Ctx,
    viewer: CurrentViewer,
    organisation_name: Annotated[str, Field(alias="organisation")] = "",
    zone: Text = "",
) -> Response:
    """Changes the organisation's name and time zone."""
    with ctx.database.read() as connection:
        fonds_code = organisation(connection).fonds_code
    try:
        set_up(ctx, viewer, organisation_name, fonds_code, zone)
    except VaultError as error:
        form = form_with(request, {"organisation": organisation_name, "zone": zone}, error, "organisation")
        return page(request, "settings.html", _view(request, ctx, viewer, home=form), current="settings", status=422)
    return go("/settings")


def _view(
    request: Request, ctx: Ctx, viewer: CurrentViewer, *, password: Form = BLANK, home: Form = BLANK
) -> SettingsView:
    with ctx.database.read() as connection:
        person = get_person(connection, viewer.id)
    say = speaker(request).gettext
    return SettingsView(
        sign_in_name=person.login,
        person_name=person.name,
        roles=tuple(say(ROLE_NAMES[role]) for role in sorted(person.roles)),
        sessions=(),
        zones=zone_options(),
        may_change_organisation=viewer.may(Right.SETTINGS_ORGANISATION_MANAGE),
        password=password,
        organisation=home,
    )
