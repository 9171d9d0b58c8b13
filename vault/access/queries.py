"""What access looks up."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, Row, func, or_, select

from vault.access.model import (
    Organisation,
    Person,
    PersonState,
    Station,
    Token,
    TokenLine,
    TokenState,
    Unit,
    Viewer,
)
from vault.access.rights import RIGHTS_BEFORE_PASSWORD, SEES_ALL_UNITS, Right, Role, rights_of
from vault.access.tables import api_tokens, people, person_roles, sessions, stations, token_uses, units
from vault.access.tables import organisation as organisation_table
from vault.foundation.db import keyset
from vault.foundation.db.keyset import COUNT_MAX, EVERYTHING, FIRST, Page, Picked, Span
from vault.foundation.errors import NotFoundOrNotYours

EXPIRES_SOON = timedelta(days=14)


def normal_login(login: str) -> str:
    """The form in which sign-in names are compared: full-width letters and capitals make no other name."""
    return unicodedata.normalize("NFKC", login).strip().lower()


def organisation(connection: Connection) -> Organisation:
    """The organisation; placeholders' names before the set-up.

    Raises:
        NotFoundOrNotYours: the installation was never initialised.
    """
    row = connection.execute(select(organisation_table)).one_or_none()
    if row is None:
        raise NotFoundOrNotYours
    return Organisation(row.name, row.fonds_code, row.time_zone)


def all_units(connection: Connection) -> tuple[Unit, ...]:
    """Every unit by code."""
    return tuple(_unit(row) for row in connection.execute(select(units).order_by(units.c.code)))


def unit_by_id(connection: Connection, unit_id: UUID) -> Unit:
    """One unit. Raises NotFoundOrNotYours."""
    row = connection.execute(select(units).where(units.c.id == unit_id)).one_or_none()
    if row is None:
        raise NotFoundOrNotYours
    return _unit(row)


def unit_id_by_code(connection: Connection, code: str) -> UUID:
    """The id of the unit with that code. Raises NotFoundOrNotYours."""
    found: UUID | None = connection.execute(select(units.c.id).where(units.c.code == code)).scalar_one_or_none()
    if found is None:
        raise NotFoundOrNotYours
    return found


def unit_codes(connection: Connection) -> dict[UUID, str]:
    """The code of every unit."""
    return {row.id: row.code for row in connection.execute(select(units.c.id, units.c.code))}


def viewer_of_person(connection: Connection, person_id: UUID) -> Viewer | None:
    """The person as a viewer; None when there is none or the account is disabled.

    Before the one-time password is replaced the viewer has no rights but to replace it.
    """
    row = connection.execute(
        select(
            people,
            select(func.coalesce(func.array_agg(person_roles.c.role), []))
            .where(person_roles.c.person_id == people.c.id)
            .scalar_subquery()
            .label("roles"),
        ).where(people.c.id == person_id, people.c.state == "active")
    ).one_or_none()
    if row is None:
        return None
    roles = frozenset(Role(role) for role in row.roles or ())
    return Viewer(
        id=row.id,
        kind="person",
        name=row.name,
        rights=RIGHTS_BEFORE_PASSWORD if row.must_change_password else rights_of(roles) | {Right.SELF_SESSION_USE},
        unit_id=row.unit_id,
        units=None if roles & SEES_ALL_UNITS else frozenset({row.unit_id}),
        language=row.language,
        must_change_password=row.must_change_password,
    )


@dataclass(frozen=True)
class PeopleFilters:
    """Which people; all given conditions must hold. `text` is part of a name or login."""

    text: str | None = None
    unit_id: UUID | None = None
    role: Role | None = None
    state: PersonState | None = None


def find_people(
    connection: Connection, filters: PeopleFilters, span: Span = FIRST, *, picked: Picked = EVERYTHING
) -> Page[Person]:
    """One page of the people, newest first."""
    query = select(people).where(*_conditions(filters), *picked.conditions(people.c.id))
    return keyset.cut(connection, query, people.c.id, span, lambda rows: _people(connection, rows))


def count_people(
    connection: Connection,
    filters: PeopleFilters,
    *,
    picked: Picked = EVERYTHING,
    at_most: int | None = COUNT_MAX,
) -> int:
    """How many people there are, at most `at_most` + 1 (which means "more")."""
    query = select(people.c.id).where(*_conditions(filters), *picked.conditions(people.c.id))
    return keyset.count(connection, query, at_most)


def _conditions(filters: PeopleFilters) -> list[ColumnElement[bool]]:
    wanted: list[ColumnElement[bool]] = []
    if filters.text:
        is_named = people.c.name.icontains(filters.text, autoescape=True)
        wanted.append(or_(is_named, people.c.login.icontains(filters.text, autoescape=True)))
    if filters.unit_id is not None:
        wanted.append(people.c.unit_id == filters.unit_id)
    if filters.role is not None:
        holders = select(person_roles.c.person_id).where(person_roles.c.role == filters.role.value)
        wanted.append(people.c.id.in_(holders))
    if filters.state is PersonState.DISABLED:
        wanted.append(people.c.state == "disabled")
    elif filters.state is not None:
        is_invited = people.c.must_change_password
        wanted += [people.c.state == "active", is_invited if filters.state is PersonState.INVITED else ~is_invited]
    return wanted


def get_person(connection: Connection, person_id: UUID) -> Person:
    """One person. Raises NotFoundOrNotYours."""
    rows = connection.execute(select(people).where(people.c.id == person_id)).all()
    if not rows:
        raise NotFoundOrNotYours
    return _people(connection, rows)[0]


def unused_accounts(connection: Connection, size: int = 5) -> tuple[tuple[UUID, str, datetime], ...]:
    """Who has not replaced the one-time password yet, and when it runs out: id, name, instant; the next first."""
    query = (
        select(people.c.id, people.c.name, people.c.password_expires_at)
        .where(people.c.must_change_password, people.c.state == "active")
        .order_by(people.c.password_expires_at)
        .limit(size)
    )
    return tuple((row.id, row.name, row.password_expires_at) for row in connection.execute(query))


def expiring_tokens(connection: Connection, before: datetime) -> tuple[tuple[UUID, str, datetime], ...]:
    """Stations whose last valid token ends before then: id, name, instant; the next first."""
    ends = func.max(api_tokens.c.expires_at)
    query = (
        select(stations.c.id, stations.c.name, ends.label("ends"))
        .join(api_tokens, api_tokens.c.station_id == stations.c.id)
        .where(api_tokens.c.revoked_at.is_(None))
        .group_by(stations.c.id, stations.c.name)
        .having(ends < before)
        .order_by(ends)
    )
    return tuple((row.id, row.name, row.ends) for row in connection.execute(query))


def roles_of(connection: Connection, person_id: UUID) -> frozenset[Role]:
    """The roles that a person has now."""
    query = select(person_roles.c.role).where(person_roles.c.person_id == person_id)
    return frozenset(Role(role) for role in connection.execute(query).scalars())


def people_by_role(connection: Connection) -> dict[Role, int]:
    """How many people have each role."""
    rows = connection.execute(select(person_roles.c.role, func.count().label("people")).group_by(person_roles.c.role))
    return {Role(row.role): row.people for row in rows}


def actor_names(connection: Connection, ids: Iterable[UUID]) -> dict[UUID, str]:
    """The names of people and stations among `ids`."""
    wanted = sorted(set(ids))
    names: dict[UUID, str] = {}
    for table in (people, stations):
        for row in connection.execute(select(table.c.id, table.c.name).where(table.c.id.in_(wanted))):
            names[row.id] = row.name
    return names


def actor_kind(connection: Connection, actor_id: UUID) -> str:
    """Whether somebody is a person or a station; neither is the operator of the host."""
    for kind, table in (("person", people), ("station", stations)):
        if connection.execute(select(table.c.id).where(table.c.id == actor_id)).one_or_none() is not None:
            return kind
    return "operator"


def station_of_token(connection: Connection, token_id: UUID) -> UUID | None:
    """The station that a token is for."""
    return connection.execute(select(api_tokens.c.station_id).where(api_tokens.c.id == token_id)).scalar_one_or_none()


def actors_named(connection: Connection, text: str) -> tuple[UUID, ...]:
    """People and stations whose name has `text` in it, the newest thousand of each."""
    found: list[UUID] = []
    for table in (people, stations):
        query = select(table.c.id).where(table.c.name.icontains(text, autoescape=True))
        found += connection.execute(query.order_by(table.c.id.desc()).limit(1_000)).scalars()
    return tuple(found)


def list_stations(connection: Connection) -> tuple[tuple[Station, tuple[Token, ...]], ...]:
    """Every station with its tokens, newest token first."""
    tokens: dict[UUID, list[Token]] = {}
    for row in connection.execute(select(api_tokens).order_by(api_tokens.c.id.desc())):
        tokens.setdefault(row.station_id, []).append(
            Token(row.id, row.station_id, row.hint, tuple(row.scopes), row.created_at, row.expires_at, row.revoked_at)
        )
    found = connection.execute(select(stations).order_by(stations.c.name))
    return tuple(
        (Station(row.id, row.name, row.unit_id, row.created_at), tuple(tokens.get(row.id, ()))) for row in found
    )


def station_with_tokens(connection: Connection, station_id: UUID) -> tuple[Station, tuple[Token, ...]]:
    """One station and its tokens, newest first. Raises NotFoundOrNotYours."""
    row = connection.execute(select(stations).where(stations.c.id == station_id)).one_or_none()
    if row is None:
        raise NotFoundOrNotYours
    held = connection.execute(
        select(api_tokens).where(api_tokens.c.station_id == station_id).order_by(api_tokens.c.id.desc())
    )
    tokens = (
        Token(t.id, t.station_id, t.hint, tuple(t.scopes), t.created_at, t.expires_at, t.revoked_at) for t in held
    )
    return Station(row.id, row.name, row.unit_id, row.created_at), tuple(tokens)


@dataclass(frozen=True)
class TokenFilters:
    """Which tokens; all given conditions must hold. `text` is part of the station's name."""

    text: str | None = None
    unit_id: UUID | None = None
    state: TokenState | None = None


def find_tokens(
    connection: Connection, filters: TokenFilters, now: datetime, span: Span = FIRST, *, picked: Picked = EVERYTHING
) -> Page[TokenLine]:
    """One page of the tokens of all stations, newest first, as they are at `now`."""
    query = select(api_tokens, stations.c.name.label("station_name"), stations.c.unit_id, token_uses.c.used_at)
    query = query.join(stations, stations.c.id == api_tokens.c.station_id)
    query = query.outerjoin(token_uses, token_uses.c.token_id == api_tokens.c.id)
    query = query.where(*_token_conditions(filters, now), *picked.conditions(api_tokens.c.id))
    return keyset.cut(connection, query, api_tokens.c.id, span, lambda rows: [_token_line(row, now) for row in rows])


def count_tokens(
    connection: Connection,
    filters: TokenFilters,
    now: datetime,
    *,
    picked: Picked = EVERYTHING,
    at_most: int | None = COUNT_MAX,
) -> int:
    """How many tokens there are, at most `at_most` + 1 (which means "more")."""
    query = select(api_tokens.c.id).join(stations, stations.c.id == api_tokens.c.station_id)
    query = query.where(*_token_conditions(filters, now), *picked.conditions(api_tokens.c.id))
    return keyset.count(connection, query, at_most)


def _token_conditions(filters: TokenFilters, now: datetime) -> list[ColumnElement[bool]]:
    wanted: list[ColumnElement[bool]] = []
    if filters.text:
        wanted.append(stations.c.name.icontains(filters.text, autoescape=True))
    if filters.unit_id is not None:
        wanted.append(stations.c.unit_id == filters.unit_id)
    is_revoked, expires_at, soon = api_tokens.c.revoked_at.isnot(None), api_tokens.c.expires_at, now + EXPIRES_SOON
    match filters.state:
        case TokenState.REVOKED:
            wanted.append(is_revoked)
        case TokenState.EXPIRED:
            wanted += [~is_revoked, expires_at <= now]
        case TokenState.EXPIRING:
            wanted += [~is_revoked, expires_at > now, expires_at < soon]
        case TokenState.ACTIVE:
            wanted += [~is_revoked, expires_at >= soon]
    return wanted


def _token_line(row: Row[Any], now: datetime) -> TokenLine:
    state = TokenState.ACTIVE
    if row.revoked_at is not None:
        state = TokenState.REVOKED
    elif row.expires_at <= now:
        state = TokenState.EXPIRED
    elif row.expires_at < now + EXPIRES_SOON:
        state = TokenState.EXPIRING
    return TokenLine(
        id=row.id,
        station_id=row.station_id,
        station_name=row.station_name,
        unit_id=row.unit_id,
        hint=row.hint,
        scopes=tuple(row.scopes),
        state=state,
        created_at=row.created_at,
        expires_at=row.expires_at,
        used_at=row.used_at,
    )


def _people(connection: Connection, rows: Iterable[Row[Any]]) -> tuple[Person, ...]:
    rows = list(rows)
    ids = sorted(row.id for row in rows)
    roles: dict[UUID, set[Role]] = {}
    for row in connection.execute(select(person_roles).where(person_roles.c.person_id.in_(ids))):
        roles.setdefault(row.person_id, set()).add(Role(row.role))
    seen = {
        row.person_id: row.seen_at
        for row in connection.execute(
            select(sessions.c.person_id, func.max(sessions.c.seen_at).label("seen_at"))
            .where(sessions.c.person_id.in_(ids))
            .group_by(sessions.c.person_id)
        )
    }
    return tuple(
        Person(
            id=row.id,
            login=row.login,
            name=row.name,
            unit_id=row.unit_id,
            state=row.state,
            roles=frozenset(roles.get(row.id, ())),
            must_change_password=row.must_change_password,
            created_at=row.created_at,
            seen_at=seen.get(row.id),
        )
        for row in rows
    )


def _unit(row: Row[Any]) -> Unit:
    return Unit(row.id, row.code, row.name_zh, row.name_en)
