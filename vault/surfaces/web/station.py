"""One scanning station: what it may do, what it sent, what happened with it."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from starlette.requests import Request
from starlette.responses import Response

from vault.access.model import Token, Viewer
from vault.access.queries import all_units, organisation, station_with_tokens
from vault.access.rights import RIGHT_WORDS, Right
from vault.intake.queries import sent_by
from vault.surfaces.i18n import Language
from vault.surfaces.routing import Ctx, CurrentViewer, Routes
from vault.surfaces.web.pages import language_for, page
from vault.surfaces.web.story import story
from vault.surfaces.web.views import labels
from vault.surfaces.web.views.parts import Action
from vault.surfaces.web.views.station import HeldToken, StationView

routes = Routes("", "pages", in_schema=False)
_EXPIRES_SOON = timedelta(days=14)


@routes.get("/stations/{station_id}", Right.ACCESS_STATION_READ, response_class=Response)
def station_page(request: Request, ctx: Ctx, viewer: CurrentViewer, station_id: UUID) -> Response:
    """One station."""
    english = language_for(request) is Language.EN
    now = ctx.clock.now()
    with ctx.database.read() as connection:
        station, tokens = station_with_tokens(connection, station_id)
        zone = ZoneInfo(organisation(connection).time_zone)
        midnight = now.astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0)
        today = sent_by(connection, station_id, midnight)
        week = sent_by(connection, station_id, midnight - timedelta(days=6))
        units = {unit.id: unit.name_en if english else unit.name_zh for unit in all_units(connection)}
        told = story(request, connection, viewer, station_id, context=True)
    held = tuple(_token(viewer, token, now) for token in tokens)
    view = StationView(
        name=station.name,
        unit=units.get(station.unit_id, ""),
        state=next((token.state for token in held if token.is_open), "expired" if held else "none"),
        created_at=station.created_at,
        last_sent_at=week.last_at,
        today_accepted=today.accepted,
        today_refused=today.refused,
        week_accepted=week.accepted,
        week_refused=week.refused,
        tokens=held,
        timeline=told,
        records_href=f"/batches?sender={station_id}" if viewer.may(Right.INTAKE_BATCH_CREATE) else None,
    )
    return page(request, "station.html", view, current="stations")


def _token(viewer: Viewer, token: Token, now: datetime) -> HeldToken:
    if token.revoked_at is not None:
        state = "revoked"
    elif token.expires_at <= now:
        state = "expired"
    else:
        state = "expiring" if token.expires_at - now < _EXPIRES_SOON else "active"
    is_open = state in {"active", "expiring"}
    may_revoke = is_open and viewer.may(Right.ACCESS_TOKEN_ISSUE)
    return HeldToken(
        hint=token.hint,
        state=state,
        is_open=is_open,
        may=tuple(RIGHT_WORDS[Right(scope)] for scope in token.scopes if scope in set(Right)),
        created_at=token.created_at,
        expires_at=token.expires_at,
        revoked_at=token.revoked_at,
        actions=(Action(labels.REVOKE, f"/stations/{token.id}/revoke", "post", "danger"),) if may_revoke else (),
    )
