"""Scanning stations and their tokens."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Annotated
from uuid import UUID
from zoneinfo import ZoneInfo

from fastapi import Form as Field
from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response

from vault.access import tokens
from vault.access.model import TokenLine, TokenState, Viewer
from vault.access.queries import TokenFilters, list_stations
from vault.access.rights import Right
from vault.foundation.errors import N_, InvalidInput, VaultError
from vault.intake.queries import sent_since
from vault.surfaces.lists.people import STATIONS
from vault.surfaces.routing import Ctx, CurrentViewer, Routes
from vault.surfaces.web.listing import WebList, open_list, state_options, uuid_of
from vault.surfaces.web.pages import form_with, go, page
from vault.surfaces.web.views import labels
from vault.surfaces.web.views.lists import Empty
from vault.surfaces.web.views.parts import BLANK, Action, Choices, Form, Option
from vault.surfaces.web.views.people import NewToken, StationsView, TokenFilter, TokenRow

routes = Routes("", "pages", in_schema=False)
Text = Annotated[str, Field()]


def _parse(told: Mapping[str, str], _connection: Connection, _zone: ZoneInfo) -> TokenFilters:
    return TokenFilters(
        text=told["q"] or None,
        unit_id=uuid_of(told["unit"]),
        state=TokenState(told["state"]) if told["state"] in set(TokenState) else None,
    )


LIST: WebList[TokenFilters, TokenLine] = WebList(
    listing=STATIONS,
    title=N_("Stations"),
    open=("unit", "state"),
    personal=("q",),
    parse=_parse,
    anything=TokenFilters(),
)


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
            raise InvalidInput(field="unit_id", problem=N_("choose one"))
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
    may_add = viewer.may(Right.ACCESS_TOKEN_ISSUE)
    with open_list(request, ctx, viewer, LIST) as asked:
        lines, units, now = asked.page.lines, asked.speech.units, asked.speech.formats.local(ctx.clock.now())
        midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
        sent = sent_since(asked.connection, [token.station_id for token in lines], midnight)
        return StationsView(
            list=asked.frame(_empty(is_narrowed=asked.is_narrowed, may_add=may_add)),
            filter=TokenFilter(**asked.told.values),
            rows=tuple(
                _row(token, units.get(token.unit_id, ""), sent.get(token.station_id, 0), may_revoke=may_add)
                for token in lines
            ),
            choices=Choices(
                {
                    "unit": tuple(Option(str(key), name) for key, name in units.items()),
                    "state": state_options(asked.speech, "token", tuple(TokenState)),
                }
            ),
            new_token=new,
            may_add=may_add,
            form=form,
        )


def _empty(*, is_narrowed: bool, may_add: bool) -> Empty:
    if is_narrowed:
        return Empty(N_("No station fits these filters."), N_("Part of the name is enough."))
    if may_add:
        return Empty(
            N_("No station is set up yet."),
            N_("Make a token, then start the station with: slipvault station watch DIR"),
        )
    return Empty(N_("No station is set up yet."), N_("Archive administrators and security officers set them up."))


def _row(token: TokenLine, unit: str, sent_today: int, *, may_revoke: bool) -> TokenRow:
    is_open = token.state in {TokenState.ACTIVE, TokenState.EXPIRING}
    return TokenRow(
        id=str(token.id),
        station=token.station_name,
        href=f"/stations/{token.station_id}",
        unit=unit,
        scopes=token.scopes,
        hint=token.hint,
        state=token.state.value,
        created_at=token.created_at,
        expires_date=token.expires_at.date(),
        used_at=token.used_at,
        sent_today_count=sent_today,
        actions=(Action(labels.REVOKE, f"/stations/{token.id}/revoke", "post", "danger"),)
        if may_revoke and is_open
        else (),
    )


def _days(text: str, today: date) -> tuple[int, date]:
    try:
        until = date.fromisoformat(text)
    except ValueError:
        raise InvalidInput(field="expires_date", problem=N_("a day is needed")) from None
    days = (until - today).days
    if not 1 <= days <= tokens.LASTS_DAYS_MAX:
        raise InvalidInput(field="expires_date", problem=N_("1 to 400 days from today are possible"))
    return days, until
