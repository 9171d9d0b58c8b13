"""What ledger entries are about, by the names people know: never a bare identifier where there is a name."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import Connection

from vault.access.model import Viewer
from vault.access.queries import actor_kind, actor_names, all_units, station_of_token
from vault.access.rights import Right
from vault.catalogue.queries import archival_number_of, numbers_of
from vault.foundation.errors import N_
from vault.holds.queries import name_of
from vault.intake.queries import batch_name, item_name
from vault.surfaces.web.views.ledger_entry import Subject

KINDS = {
    "record": N_("Record"),
    "batch": N_("Batch"),
    "item": N_("File at intake"),
    "person": N_("Person"),
    "station": N_("Station"),
    "token": N_("Token of a station"),
    "unit": N_("Unit"),
    "organisation": N_("Organisation"),
    "job": N_("Job"),
    "store": N_("Store"),
    "epoch": N_("Epoch of the custodian"),
    "group": N_("Group key"),
    "schedule": N_("Retention classes"),
    "fonds": N_("Fonds"),
    "matter": N_("Matter"),
    "hold": N_("Hold"),
    "sign_in": N_("Sign-in with an unknown name"),
}


def subject_of(connection: Connection, viewer: Viewer, kind: str, subject_id: UUID) -> Subject:
    """The subject of an entry. `kind` "context" is a batch or a station, whichever has the id."""
    if kind == "context":
        kind = _kind_of(connection, subject_id)
    label = KINDS.get(kind, kind)
    teller = _TELLERS.get(kind)
    name, href = teller(connection, viewer, subject_id) if teller else ("", None)
    return Subject(label, name, href)


def _kind_of(connection: Connection, subject_id: UUID) -> str:
    if batch_name(connection, subject_id):
        return "batch"
    return name_of(connection, subject_id)[0] or "station"


def _record(connection: Connection, viewer: Viewer, record_id: UUID) -> tuple[str, str | None]:
    """Its number is no secret of the record; its page is only for those who may read it."""
    number = archival_number_of(connection, record_id) or ""
    may = viewer.may(Right.RECORDS_RECORD_READ) and record_id in numbers_of(connection, viewer, [record_id])
    return number, f"/records/{record_id}" if may else None


def _batch(connection: Connection, viewer: Viewer, batch_id: UUID) -> tuple[str, str | None]:
    may = viewer.may(Right.INTAKE_BATCH_CREATE)
    return batch_name(connection, batch_id) or "", f"/batches/{batch_id}" if may else None


def _item(connection: Connection, viewer: Viewer, item_id: UUID) -> tuple[str, str | None]:
    return (item_name(connection, item_id) or "" if viewer.may(Right.INTAKE_QUARANTINE_READ) else ""), None


def _actor(connection: Connection, viewer: Viewer, actor_id: UUID) -> tuple[str, str | None]:
    kind = actor_kind(connection, actor_id)
    right, base = {
        "person": (Right.ACCESS_PERSON_READ, "/people/"),
        "station": (Right.ACCESS_STATION_READ, "/stations/"),
    }.get(kind, (Right.PUBLIC_PAGE_VIEW, ""))
    href = f"{base}{actor_id}" if base and viewer.may(right) else None
    return actor_names(connection, [actor_id]).get(actor_id, ""), href


def _token(connection: Connection, viewer: Viewer, token_id: UUID) -> tuple[str, str | None]:
    station_id = station_of_token(connection, token_id)
    return _actor(connection, viewer, station_id) if station_id else ("", None)


def _unit(connection: Connection, _viewer: Viewer, unit_id: UUID) -> tuple[str, str | None]:
    return next((f"{u.name_zh} {u.code}" for u in all_units(connection) if u.id == unit_id), ""), None


def _held(connection: Connection, viewer: Viewer, subject_id: UUID) -> tuple[str, str | None]:
    kind, name = name_of(connection, subject_id)
    return name, f"/{kind}s/{subject_id}" if kind and viewer.may(Right.HOLDS_MATTER_READ) else None


def _job(_connection: Connection, viewer: Viewer, run_id: UUID) -> tuple[str, str | None]:
    return "", f"/jobs/{run_id}" if viewer.may(Right.JOBS_JOB_READ) else None


_TELLERS = {
    "record": _record,
    "batch": _batch,
    "item": _item,
    "person": _actor,
    "station": _actor,
    "token": _token,
    "unit": _unit,
    "job": _job,
    "matter": _held,
    "hold": _held,
}
