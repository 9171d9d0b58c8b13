"""What surrounds every page: the rail by what one does, the search, the language, and who is signed in."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from vault.foundation.errors import N_
from vault.surfaces.i18n import DEFAULT_ZONE, Language
from vault.surfaces.web.views.parts import Notice


@dataclass(frozen=True, slots=True)
class RailItem:
    """An entry of the left rail; `label` and `group` are message ids, `count` what waits behind it."""

    key: str
    label: str
    href: str
    icon: str
    count: int | None = None
    group: str = ""


@dataclass(frozen=True, slots=True)
class Place:
    """An entry that the rail can have, and the rights of which any one opens it (none: everybody)."""

    item: RailItem
    rights: tuple[str, ...]


RETENTION = N_("Retention")
PLACES: tuple[Place, ...] = (
    Place(RailItem("desk", N_("My desk"), "/", "desk"), ()),
    Place(RailItem("intake", N_("Intake"), "/intake", "intake"), ("intake:item:send",)),
    Place(RailItem("batches", N_("Batches"), "/batches", "batch"), ("intake:batch:create",)),
    Place(RailItem("quarantine", N_("Quarantine"), "/quarantine", "quarantine"), ("intake:quarantine:read",)),
    Place(RailItem("records", N_("Records"), "/records", "records"), ("records:record:read",)),
    Place(
        RailItem("schedules", N_("Schedule"), "/schedules", "schedule", group=RETENTION), ("retention:schedule:read",)
    ),
    Place(RailItem("rules", N_("Rules"), "/rules", "rules", group=RETENTION), ("retention:schedule:read",)),
    Place(RailItem("events", N_("Events"), "/events", "events", group=RETENTION), ("retention:event:read",)),
    Place(
        RailItem("holidays", N_("Holidays"), "/holidays", "calendar", group=RETENTION), ("retention:schedule:read",)
    ),
    Place(RailItem("due", N_("Due calendar"), "/due", "calendar", group=RETENTION), ("retention:event:read",)),
    Place(RailItem("matters", N_("Holds"), "/matters", "hold"), ("holds:matter:read",)),
    Place(RailItem("ledger", N_("Ledger"), "/ledger", "ledger"), ("ledger:entry:read",)),
    Place(RailItem("health", N_("Stores and keys"), "/health", "health"), ("stores:health:read",)),
    Place(RailItem("jobs", N_("Jobs"), "/jobs", "jobs"), ("jobs:job:read",)),
    Place(RailItem("people", N_("People"), "/people", "people"), ("access:person:read",)),
    Place(RailItem("units", N_("Units"), "/units", "units"), ("settings:organisation:manage",)),
    Place(RailItem("stations", N_("Stations"), "/stations", "stations"), ("access:station:read",)),
    Place(RailItem("settings", N_("Settings"), "/settings", "settings"), ()),
)


def rail(may: Callable[[str], bool]) -> tuple[RailItem, ...]:
    """The entries for somebody of whom `may` tells whether they have a right."""
    return tuple(place.item for place in PLACES if not place.rights or any(map(may, place.rights)))


@dataclass(frozen=True, slots=True)
class Shell:
    """The frame of one page for one person; `person_name` is nothing before signing in."""

    language: Language
    now: datetime
    organisation: str = ""
    zone_key: str = DEFAULT_ZONE
    person_name: str | None = None
    person_href: str = "/settings"
    csrf_token: str = ""
    current: str = ""
    address: str = "/"
    search: str = ""
    rail: tuple[RailItem, ...] = ()
    notices: tuple[Notice, ...] = ()
