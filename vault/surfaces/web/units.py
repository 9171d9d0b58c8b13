"""Units: the departments and windows of the organisation."""

from __future__ import annotations

from typing import Annotated

from fastapi import Form as Field
from starlette.requests import Request
from starlette.responses import Response

from vault.access import service
from vault.access.queries import all_units
from vault.access.rights import Right
from vault.foundation.context import Context
from vault.foundation.errors import N_, VaultError
from vault.surfaces.routing import Ctx, CurrentViewer, Routes
from vault.surfaces.web.pages import form_with, go, page, speaker
from vault.surfaces.web.views.parts import BLANK, Form, Notice
from vault.surfaces.web.views.people import UnitRow, UnitsView

routes = Routes("", "pages", in_schema=False)
Text = Annotated[str, Field()]


@routes.get("/units", Right.SETTINGS_ORGANISATION_MANAGE, response_class=Response)
def units_page(request: Request, ctx: Ctx, done: str = "") -> Response:
    """Every unit, and the form to add one."""
    said = speaker(request).gettext(N_("Added. People, stations and batches can belong to it now."))
    return _show(request, ctx, BLANK, (Notice(said),) if done == "added" else ())


@routes.post("/units", Right.SETTINGS_ORGANISATION_MANAGE, response_class=Response)
def add_unit(
    request: Request, ctx: Ctx, viewer: CurrentViewer, code: Text = "", name_zh: Text = "", name_en: Text = ""
) -> Response:
    """Adds a unit."""
    try:
        service.create_unit(ctx, viewer, code.strip().upper(), name_zh, name_en)
    except VaultError as error:
        values = {"code": code, "name_zh": name_zh, "name_en": name_en}
        return _show(request, ctx, form_with(request, values, error, "code"))
    return go("/units?done=added")


def _show(request: Request, ctx: Context, form: Form, notices: tuple[Notice, ...] = ()) -> Response:
    with ctx.database.read() as connection:
        rows = tuple(UnitRow(unit.code, unit.name_zh, unit.name_en) for unit in all_units(connection))
    status = 422 if form.errors else 200
    return page(request, "units.html", UnitsView(rows, form), current="units", status=status, notices=notices)
