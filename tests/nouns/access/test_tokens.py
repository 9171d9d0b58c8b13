"""Scanning stations and their tokens."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import IntegrityError

from vault.access import queries, service, tokens
from vault.access.errors import LoginTaken
from vault.access.model import Viewer
from vault.access.rights import STATION_SCOPES, STATION_SCOPES_USUAL, Right, Role
from vault.access.tables import api_tokens
from vault.foundation.clock import FixedClock
from vault.foundation.context import Context
from vault.foundation.errors import InvalidInput, NotAllowed, NotFoundOrNotYours
from vault.foundation.ledger.entry import SYSTEM

pytestmark = [pytest.mark.clause("C4.4"), pytest.mark.clause("V4")]
MakePerson = Callable[..., Viewer]


@pytest.fixture
def station_id(ctx: Context, operator: Viewer) -> UUID:
    assert operator.unit_id is not None
    return tokens.create_station(ctx, operator, "一号窗口扫描仪", operator.unit_id)


def test_a_station_sends_for_its_own_unit_and_does_nothing_else(
    ctx: Context, operator: Viewer, station_id: UUID
) -> None:
    other_unit = service.create_unit(ctx, operator, "YY01", "营业部", "")

    viewer = tokens.find(ctx, tokens.issue(ctx, operator, station_id, 90))

    assert viewer is not None
    assert (viewer.id, viewer.kind, viewer.name, viewer.actor.kind) == (
        station_id,
        "station",
        "一号窗口扫描仪",
        "station",
    )
    assert operator.unit_id is not None
    assert viewer.may_see_unit(operator.unit_id)
    assert not viewer.may_see_unit(other_unit)
    viewer.require(Right.INTAKE_ITEM_SEND)
    for right in set(Right) - STATION_SCOPES_USUAL - {Right.CATALOGUE_CLASS_READ}:
        with pytest.raises(NotAllowed):
            viewer.require(right)


def test_a_token_is_shown_once_and_kept_as_a_digest(ctx: Context, operator: Viewer, station_id: UUID) -> None:
    secret = tokens.issue(ctx, operator, station_id, 90)

    with ctx.database.read() as connection:
        row = connection.execute(select(api_tokens)).one()
        (_, (listed,)), *_ = queries.list_stations(connection)
    assert bytes(row.digest) == hashlib.sha256(secret.encode()).digest()
    assert not any(secret in str(value) for value in row)
    assert (listed.hint, set(listed.scopes)) == (secret[-4:], {scope.value for scope in STATION_SCOPES_USUAL})


def test_a_token_runs_out(ctx: Context, operator: Viewer, station_id: UUID, clock: FixedClock) -> None:
    secret = tokens.issue(ctx, operator, station_id, 1)
    clock.advance(timedelta(days=1) - timedelta(seconds=1))
    assert tokens.find(ctx, secret) is not None

    clock.advance(timedelta(seconds=1))

    assert tokens.find(ctx, secret) is None


def test_a_revoked_token_opens_nothing_and_the_others_go_on(ctx: Context, operator: Viewer, station_id: UUID) -> None:
    one, other = (tokens.issue(ctx, operator, station_id, 90) for _ in range(2))
    with ctx.database.read() as connection:
        digest = hashlib.sha256(one.encode()).digest()
        token_id = connection.execute(select(api_tokens.c.id).where(api_tokens.c.digest == digest)).scalar_one()

    tokens.revoke(ctx, operator, token_id)
    tokens.revoke(ctx, operator, token_id)

    assert tokens.find(ctx, one) is None
    assert tokens.find(ctx, other) is not None


@pytest.mark.parametrize("secret", ["", "slv_", "slv_" + "0" * 43, "Bearer x", "slv_令牌"])
def test_what_was_never_issued_opens_nothing(ctx: Context, secret: str) -> None:
    assert tokens.find(ctx, secret) is None


@pytest.mark.parametrize(
    ("days", "scopes"),
    [
        (0, None),
        (401, None),
        (90, frozenset[Right]()),
        (90, frozenset({Right.INTAKE_ITEM_SEND, Right.RECORDS_FIELD_UNMASK})),
        (90, frozenset({Right.ACCESS_ROLE_GRANT})),
    ],
)
def test_what_no_station_may_have_is_not_issued(
    ctx: Context, operator: Viewer, station_id: UUID, days: int, scopes: frozenset[Right] | None
) -> None:
    with pytest.raises(InvalidInput):
        tokens.issue(ctx, operator, station_id, days, scopes)


def test_the_database_too_refuses_scopes_that_stations_do_not_have(
    ctx: Context, operator: Viewer, station_id: UUID
) -> None:
    tokens.issue(ctx, operator, station_id, 90, STATION_SCOPES)

    for scopes in ("ARRAY['access:role:grant']", "'{}'::text[]"):
        with ctx.database.transaction(SYSTEM) as tx, pytest.raises(IntegrityError, match="scopes_known"):
            tx.connection.execute(text(f"UPDATE api_tokens SET scopes = {scopes}"))


def test_only_whoever_may_makes_stations_and_tokens(
    ctx: Context, operator: Viewer, station_id: UUID, make_person: MakePerson
) -> None:
    clerk = make_person("clerk1", Role.CLERK)
    assert operator.unit_id is not None
    with pytest.raises(NotAllowed):
        tokens.create_station(ctx, clerk, "二号", operator.unit_id)
    with pytest.raises(NotAllowed):
        tokens.issue(ctx, clerk, station_id, 90)
    with pytest.raises(NotAllowed):
        tokens.revoke(ctx, clerk, uuid4())


def test_a_station_needs_a_name_a_unit_and_to_exist(ctx: Context, operator: Viewer, station_id: UUID) -> None:
    assert operator.unit_id is not None
    with pytest.raises(LoginTaken):
        tokens.create_station(ctx, operator, "一号窗口扫描仪", operator.unit_id)
    with pytest.raises(InvalidInput):
        tokens.create_station(ctx, operator, " ", operator.unit_id)
    with pytest.raises(NotFoundOrNotYours):
        tokens.create_station(ctx, operator, "二号", uuid4())
    with pytest.raises(NotFoundOrNotYours):
        tokens.issue(ctx, operator, uuid4(), 90)
