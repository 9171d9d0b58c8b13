"""The holidays by which working days are counted: what was entered, and entering a year."""

from __future__ import annotations

import re
from datetime import date, timedelta
from typing import Annotated

from fastapi import Form as Field
from starlette.requests import Request
from starlette.responses import Response

from vault.access.model import Viewer
from vault.access.queries import actor_names
from vault.access.rights import Right
from vault.foundation.context import Context
from vault.foundation.errors import N_, InvalidInput, VaultError
from vault.retention.holidays import enter_year, list_years
from vault.surfaces.routing import Ctx, CurrentViewer, Routes
from vault.surfaces.web.pages import form_with, go, page, speaker
from vault.surfaces.web.story import actor_of
from vault.surfaces.web.views.holidays import HolidaysView, YearRow
from vault.surfaces.web.views.parts import BLANK, Form, Notice

routes = Routes("", "pages", in_schema=False)
Text = Annotated[str, Field()]
_BETWEEN = re.compile(r"[\s,;，、；]+")
_YEAR = re.compile(r"[0-9]{4}")
_DAYS_MAX = 366


@routes.get("/holidays", Right.RETENTION_SCHEDULE_READ, response_class=Response)
def holidays_page(request: Request, ctx: Ctx, viewer: CurrentViewer, done: str = "") -> Response:
    """Every year that was entered, and the form to enter one."""
    said = speaker(request).gettext(N_("Entered. Due dates that count working days are computed anew."))
    return _show(request, ctx, viewer, BLANK, (Notice(said),) if done == "entered" else ())


@routes.post("/holidays", Right.RETENTION_CALENDAR_ENTER, response_class=Response)
def enter(
    request: Request,
    ctx: Ctx,
    viewer: CurrentViewer,
    year: Text = "",
    holidays: Text = "",
    workdays: Text = "",
    source: Text = "",
) -> Response:
    """Enters a year, anew if it was wrong. Leaves `retention:calendar:enter`."""
    try:
        number = int(year) if _YEAR.fullmatch(year.strip()) else 0
        enter_year(ctx, viewer, number, _days(holidays, "holidays"), _days(workdays, "workdays"), source)
    except VaultError as error:
        values = {"year": year, "holidays": holidays, "workdays": workdays, "source": source}
        return _show(request, ctx, viewer, form_with(request, values, error, "year"))
    return go("/holidays?done=entered")


def _days(text: str, field: str) -> list[date]:
    """Days as people write them: `2027-01-01`, or `2027-02-05..2027-02-11` for all from the one to the other."""
    days: set[date] = set()
    for part in filter(None, _BETWEEN.split(text)):
        try:
            first, _, last = part.partition("..")
            begins, ends = date.fromisoformat(first), date.fromisoformat(last or first)
            if not 0 <= (ends - begins).days < _DAYS_MAX:
                raise ValueError(part)
        except ValueError as error:
            raise InvalidInput(
                field=field, problem=N_("write days as 2027-01-01, several as 2027-02-05..2027-02-11")
            ) from error
        days.update(begins + timedelta(days=after) for after in range((ends - begins).days + 1))
        if len(days) > _DAYS_MAX:
            raise InvalidInput(field=field, problem=N_("these are more days than a year has"))
    return sorted(days)


def _show(request: Request, ctx: Context, viewer: Viewer, form: Form, notices: tuple[Notice, ...] = ()) -> Response:
    with ctx.database.read() as connection:
        found = list_years(connection)
        names = actor_names(connection, [one.entered_by for one in found if one.entered_by])
    newest = {one.year: one.id for one in reversed(found)}
    rows = tuple(
        YearRow(
            one.year,
            one.holidays,
            one.workdays,
            one.source,
            actor_of(speaker(request), viewer, "person" if one.entered_by else "operator", one.entered_by, names),
            one.entered_at,
            is_counting=newest[one.year] == one.id,
        )
        for one in found
    )
    view = HolidaysView(rows, viewer.may(Right.RETENTION_CALENDAR_ENTER), form)
    status = 422 if form.errors else 200
    return page(request, "holidays.html", view, current="holidays", status=status, notices=notices)
