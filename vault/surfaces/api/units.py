"""Units: the departments and windows of the organisation."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from vault.access import service
from vault.access.queries import all_units
from vault.access.rights import Right
from vault.surfaces.routing import Ctx, CurrentViewer, Routes

routes = Routes("/units", "units")


class NewUnit(BaseModel):
    """A unit to add; without an English name the Chinese one stands for it."""

    model_config = ConfigDict(extra="forbid")

    code: str = Field(max_length=12, description="digits or capitals; stands in archival numbers and stays for ever")
    name_zh: str = Field(max_length=100)
    name_en: str = Field(default="", max_length=100)


@routes.get("", Right.SETTINGS_ORGANISATION_MANAGE)
def list_all(ctx: Ctx) -> dict[str, Any]:
    """Every unit, by code."""
    with ctx.database.read() as connection:
        found = all_units(connection)
    return {
        "units": [
            {"id": str(unit.id), "code": unit.code, "name_zh": unit.name_zh, "name_en": unit.name_en}
            for unit in found
        ]
    }


@routes.post("", Right.SETTINGS_ORGANISATION_MANAGE, status_code=201)
def add(ctx: Ctx, viewer: CurrentViewer, new: NewUnit) -> dict[str, Any]:
    """Adds a unit. Leaves `access:unit:create`."""
    return {"id": str(service.create_unit(ctx, viewer, new.code, new.name_zh, new.name_en)), "code": new.code}
