"""Scanning stations and their tokens: shown once, kept as a digest, scoped, and running out."""

from __future__ import annotations

import hashlib
from datetime import timedelta
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import IntegrityError

from vault.access.errors import LoginTaken
from vault.access.model import Event, Viewer
from vault.access.queries import unit_by_id
from vault.access.rights import STATION_SCOPES, STATION_SCOPES_USUAL, Right
from vault.access.tables import api_tokens, stations, token_uses
from vault.foundation.context import Context
from vault.foundation.errors import N_, InvalidInput, NotFoundOrNotYours
from vault.foundation.ids import new_id, new_token

LASTS_DAYS_MAX = 400
_PREFIX = "slv_"
_USE_NOTED_EVERY = timedelta(minutes=1)


def create_station(ctx: Context, viewer: Viewer, name: str, unit_id: UUID) -> UUID:
    """Registers a station of a unit. Leaves `access:station:create`.

    Raises:
        NotAllowed, InvalidInput, LoginTaken, NotFoundOrNotYours.
    """
    viewer.require(Right.ACCESS_STATION_MANAGE)
    name = name.strip()
    if not 1 <= len(name) <= 60:
        raise InvalidInput(field="name", problem=N_("1 to 60 characters are needed"))
    station_id = new_id()
    try:
        with ctx.database.transaction(viewer.actor) as tx:
            unit_by_id(tx.connection, unit_id)
            tx.connection.execute(
                stations.insert(),
                {"id": station_id, "name": name, "unit_id": unit_id, "created_at": tx.clock.now()},
            )
            tx.witness(Event.STATION_CREATED, "station", station_id, unit_id=str(unit_id))
            tx.commit()
    except IntegrityError as error:
        raise LoginTaken from error
    return station_id


def issue(
    ctx: Context, viewer: Viewer, station_id: UUID, lasts_days: int, scopes: frozenset[Right] | None = None
) -> str:
    """A new token for a station: the only time its secret is seen. Leaves `access:token:issue`.

    Raises:
        NotAllowed, InvalidInput, NotFoundOrNotYours.
    """
    viewer.require(Right.ACCESS_TOKEN_ISSUE)
    wanted = STATION_SCOPES_USUAL if scopes is None else scopes
    if not 1 <= lasts_days <= LASTS_DAYS_MAX:
        raise InvalidInput(field="lasts_days", problem=N_("1 to 400 days are possible"))
    if not wanted or not wanted <= STATION_SCOPES:
        raise InvalidInput(field="scopes", problem=N_("a station may only send, open batches and read"))
    secret = _PREFIX + new_token()
    with ctx.database.transaction(viewer.actor) as tx:
        if tx.connection.execute(select(stations.c.id).where(stations.c.id == station_id)).one_or_none() is None:
            raise NotFoundOrNotYours
        now, token_id = tx.clock.now(), new_id()
        tx.connection.execute(
            api_tokens.insert(),
            {
                "id": token_id,
                "station_id": station_id,
                "digest": _digest(secret),
                "hint": secret[-4:],
                "scopes": sorted(scope.value for scope in wanted),
                "created_at": now,
                "expires_at": now + timedelta(days=lasts_days),
            },
        )
        tx.witness(Event.TOKEN_ISSUED, "token", token_id, context_id=station_id, lasts_days=lasts_days)
        tx.commit()
    return secret


def revoke(ctx: Context, viewer: Viewer, token_id: UUID) -> None:
    """Ends a token at once. Leaves `access:token:revoke`; a token that ended before stays as it is.

    Raises:
        NotAllowed: the viewer lacks `access:token:issue`.
    """
    viewer.require(Right.ACCESS_TOKEN_ISSUE)
    with ctx.database.transaction(viewer.actor) as tx:
        done = tx.connection.execute(
            api_tokens.update()
            .where(api_tokens.c.id == token_id, api_tokens.c.revoked_at.is_(None))
            .values(revoked_at=tx.clock.now())
        )
        if done.rowcount:
            tx.witness(Event.TOKEN_REVOKED, "token", token_id)
            tx.commit()


def find(ctx: Context, secret: str) -> Viewer | None:
    """The station of a token as a viewer of its own unit; None when the token is unknown, ran out or was revoked."""
    if not secret.startswith(_PREFIX):
        return None
    with ctx.database.read() as connection:
        row = connection.execute(
            select(
                stations.c.id,
                stations.c.name,
                stations.c.unit_id,
                api_tokens.c.id.label("token_id"),
                api_tokens.c.scopes,
                token_uses.c.used_at,
            )
            .join(stations, stations.c.id == api_tokens.c.station_id)
            .outerjoin(token_uses, token_uses.c.token_id == api_tokens.c.id)
            .where(
                api_tokens.c.digest == _digest(secret),
                api_tokens.c.expires_at > ctx.clock.now(),
                api_tokens.c.revoked_at.is_(None),
            )
        ).one_or_none()
    if row is None:
        return None
    if row.used_at is None or ctx.clock.now() - row.used_at >= _USE_NOTED_EVERY:
        _note_use(ctx, row.token_id)
    return Viewer(
        id=row.id,
        kind="station",
        name=row.name,
        rights=frozenset(Right(scope) for scope in row.scopes) | {Right.CATALOGUE_CLASS_READ},
        unit_id=row.unit_id,
        units=frozenset({row.unit_id}),
    )


def _note_use(ctx: Context, token_id: UUID) -> None:
    now = ctx.clock.now()
    use = insert(token_uses).values(token_id=token_id, used_at=now)
    with ctx.database.autocommit() as connection:
        connection.execute(use.on_conflict_do_update(index_elements=["token_id"], set_={"used_at": now}))


def _digest(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()
