"""Trusted stations: their scans of some classes are filed by rule when no check found anything."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection, select
from sqlalchemy.dialects.postgresql import insert

from vault.access.model import Viewer
from vault.access.queries import list_stations
from vault.access.rights import Right
from vault.foundation.context import Context
from vault.foundation.errors import N_, InvalidInput, NotFoundOrNotYours
from vault.retention.book import read_book
from vault.retention.model import Event
from vault.retention.tables import trusted_stations

WAITS_DAYS_MAX = 90


@dataclass(frozen=True)
class Trust:
    """A station, a class, and how many days a person may still look before its scans are filed."""

    station_id: UUID
    class_code: str
    waits_days: int
    trusted_by: UUID
    trusted_at: datetime


def trust(ctx: Context, viewer: Viewer, station_id: UUID, class_code: str, waits_days: int = 1) -> Trust:
    """Lets clean scans of a class from a station be filed by rule, from now on. Leaves `retention:station:trust`.

    Raises:
        NotAllowed: the viewer lacks `retention:station:trust`.
        NotFoundOrNotYours, UnknownClass, InvalidInput.
    """
    viewer.require(Right.RETENTION_STATION_TRUST)
    if not 0 <= waits_days <= WAITS_DAYS_MAX:
        raise InvalidInput(field="waits_days", problem=N_("0 to 90 days are possible"))
    with ctx.database.transaction(viewer.actor) as tx:
        now = tx.clock.now()
        lawbook = read_book(tx.connection)
        lawbook.class_in_effect(class_code, lawbook.day_of(now), now)
        if station_id not in {station.id for station, _ in list_stations(tx.connection)}:
            raise NotFoundOrNotYours
        given = {"waits_days": waits_days, "trusted_by": viewer.id, "trusted_at": now}
        tx.connection.execute(
            insert(trusted_stations)
            .values(station_id=station_id, class_code=class_code, **given)
            .on_conflict_do_update(constraint=trusted_stations.primary_key, set_=given)
        )
        tx.witness(Event.STATION_TRUSTED, "station", station_id, class_code=class_code, waits_days=waits_days)
        tx.commit()
    return Trust(station_id, class_code, waits_days, viewer.id, now)


def distrust(ctx: Context, viewer: Viewer, station_id: UUID, class_code: str) -> None:
    """Ends it; what waits to be filed by rule already still will be. Leaves `retention:station:distrust`.

    Raises:
        NotAllowed: the viewer lacks `retention:station:trust`.
        NotFoundOrNotYours: the station was not trusted with the class.
    """
    viewer.require(Right.RETENTION_STATION_TRUST)
    place = (trusted_stations.c.station_id == station_id, trusted_stations.c.class_code == class_code)
    with ctx.database.transaction(viewer.actor) as tx:
        if not tx.connection.execute(trusted_stations.delete().where(*place)).rowcount:
            raise NotFoundOrNotYours
        tx.witness(Event.STATION_DISTRUSTED, "station", station_id, class_code=class_code)
        tx.commit()


def waits_days(connection: Connection, station_id: UUID, class_code: str) -> int | None:
    """After how many days a clean scan of the class from the station is filed; none when it is not trusted."""
    found: int | None = connection.execute(
        select(trusted_stations.c.waits_days).where(
            trusted_stations.c.station_id == station_id, trusted_stations.c.class_code == class_code
        )
    ).scalar_one_or_none()
    return found


def list_trust(connection: Connection) -> tuple[Trust, ...]:
    """Every station and class that are trusted."""
    query = select(trusted_stations).order_by(trusted_stations.c.station_id, trusted_stations.c.class_code)
    return tuple(Trust(**row) for row in connection.execute(query).mappings())
