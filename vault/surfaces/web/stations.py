"""Scanning stations and their tokens."""

from __future__ import annotations

from datetime import date
from typing import Annotated
from uuid import UUID

from fastapi import Form as Field
from starlette.requests import Request
from starlette.responses import Response

from vault.access import tokens
from vault.access.model import Station, Token, Viewer
from vault.access.queries import all_units, list_stations
from vault.access.rights import Right
from vault.foundation.errors import InvalidInput, VaultError
from vault.surfaces.i18n import Language
from vault.surfaces.routing import Ctx, CurrentViewer, Routes
from vault.surfaces.web.pages import form_with, go, language_for, page
from vault.surfaces.web.views import labels
from vault.surfaces.web.views.parts import BLANK, Action, Choices, Form, Option
from vault.surfaces.web.views.people import NewToken, StationsView, TokenRow

routes = Routes("", "pages", in_schema=False)
Text = Annotated[str, Field()]
_EXPIRES_SOON_DAYS = 14


@routes.get("/stations", Right.ACCESS_STATION_READ, response_class=Response)
def stations_page(request: Request, ctx: Ctx, viewer: CurrentViewer) -> Response:
    """Stations with their tokens."""
    return page(request, "stations.html", _view(request, ctx, viewer, BLANK, None), current="stations")


@routes.post("/stations", Right.ACCESS_TOKEN_ISSUE, response_class=Response)
def add_station(
    request: Request, ctx: Ctx, viewer: CurrentViewer, station: Text = "", unit_id: Text = "", expires_date: Text = ""
) -> Response:
    """Registers a station when it is new, and issues a token that is shown once."""
    values = {"station": station, "unit_id": unit_id, "expires_date": expires_date}
    try:
        days, until = _days(expires_date, ctx.clock.now().date())
        with ctx.database.read() as connection:
            known = {found.name: found.id for found, _ in list_stations(connection)}
        if station.strip() not in known and not unit_id:
            raise InvalidInput(field="unit_id", problem="choose one")
        station_id = known.get(station.strip()) or tokens.create_station(ctx, viewer, station, UUID(unit_id))
        secret = tokens.issue(ctx, viewer, station_id, days)
    except VaultError as error:
        view = _view(request, ctx, viewer, form_with(request, values, error, "station"), None)
        return page(request, "stations.html", view, current="stations", status=422)
    new = NewToken(station.strip(), secret, until)
    return page(request, "stations.html", _view(request, ctx, viewer, BLANK, new), current="stations")


@routes.post("/stations/{token_id}/revoke", Right.ACCESS_TOKEN_ISSUE, response_class=Response)
def revoke(ctx: Ctx, viewer: CurrentViewer, token_id: UUID) -> Response:
    """Ends a token at once."""
    tokens.revoke(ctx, viewer, token_id)
    return go("/stations")


def _view(request: Request, ctx: Ctx, viewer: Viewer, form: Form, new: NewToken | None) -> StationsView:
    english = language_for(request) is Language.EN
    with ctx.database.read() as connection:
        units = {unit.id: unit.name_en if english else unit.name_zh for unit in all_units(connection)}
        found = list_stations(connection)
    may_add = viewer.may(Right.ACCESS_TOKEN_ISSUE)
    today = ctx.clock.now().date()
    return StationsView(
        rows=tuple(
            _row(station, token, units.get(station.unit_id, ""), today, may_revoke=may_add)
            for station, held in found
            for token in held
        ),
        choices=Choices({"unit": tuple(Option(str(key), name) for key, name in units.items())}),
        new_token=new,
        may_add=may_add,
        form=form,
    )


def _row(station: Station, token: Token, unit: str, today: date, *, may_revoke: bool) -> TokenRow:
    left = (token.expires_at.date() - today).days
    state = (
        "revoked"
        if token.revoked_at
        else "expired"
        if left < 0
        else "expiring"
        if left < _EXPIRES_SOON_DAYS
        else "active"
    )
    is_open = state in {"active", "expiring"}
    return TokenRow(
        id=str(token.id),
        station=station.name,
        href=f"/stations/{station.id}",
        unit=unit,
        scopes=token.scopes,
        hint=token.hint,
        state=state,
        created_at=token.created_at,
        expires_date=token.expires_at.date(),
        used_at=None,
        sent_today_count=0,
        actions=(Action(labels.REVOKE, f"/stations/{token.id}/revoke", "post", "danger"),)
        if may_revoke and is_open
        else (),
    )


def _days(text: str, today: date) -> tuple[int, date]:
    try:
        until = date.fromisoformat(text)
    except ValueError:
        raise InvalidInput(field="expires_date", problem="a day is needed") from None
    days = (until - today).days
    if not 1 <= days <= tokens.LASTS_DAYS_MAX:
        raise InvalidInput(field="expires_date", problem=f"1 to {tokens.LASTS_DAYS_MAX} days from today are possible")
    return days, until
