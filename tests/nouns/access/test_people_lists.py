"""People and stations' tokens found by name, unit, role and state; a token tells when it was last used."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from vault.access import queries, service, tokens
from vault.access.model import PersonState, TokenState, Viewer
from vault.access.queries import PeopleFilters, TokenFilters
from vault.access.rights import Role
from vault.foundation.clock import FixedClock
from vault.foundation.context import Context


def people(ctx: Context, filters: PeopleFilters) -> set[str]:
    with ctx.database.read() as connection:
        page = queries.find_people(connection, filters)
        assert queries.count_people(connection, filters) == len(page.lines)
        if filters.state is not None:
            assert {person.sign_in_state for person in page.lines} <= {filters.state}
    return {person.login for person in page.lines}


def test_people_by_each_filter(ctx: Context, operator: Viewer, make_person: Callable[..., Viewer]) -> None:
    other = service.create_unit(ctx, operator, "GT02", "二号窗口", "Window 2")
    make_person("li_a", Role.CLERK)
    make_person("lixa", Role.ARCHIVIST, unit_id=other)
    service.create_person(ctx, operator, "new", "新人", operator.unit_id)  # type: ignore[arg-type]
    gone = make_person("gone", Role.CLERK)
    service.set_person_state(ctx, operator, gone.id, active=False)
    assert people(ctx, PeopleFilters(text="i_a")) == {"li_a"}, "an underscore is an underscore"
    assert people(ctx, PeopleFilters(text="LI")) == {"li_a", "lixa"}
    assert people(ctx, PeopleFilters(unit_id=other)) == {"lixa"}
    assert people(ctx, PeopleFilters(role=Role.CLERK)) == {"li_a", "gone"}
    assert people(ctx, PeopleFilters(state=PersonState.ACTIVE)) == {"li_a", "lixa"}
    assert people(ctx, PeopleFilters(state=PersonState.INVITED)) == {"admin", "new"}
    assert people(ctx, PeopleFilters(state=PersonState.DISABLED)) == {"gone"}


@pytest.mark.clause("V4")
def test_tokens_by_state_and_when_each_was_last_used(ctx: Context, operator: Viewer, clock: FixedClock) -> None:
    unit_id = operator.unit_id
    assert unit_id is not None
    hall = tokens.create_station(ctx, operator, "一楼大厅", unit_id)
    attic = tokens.create_station(ctx, operator, "阁楼", unit_id)
    secrets = {
        "expired": tokens.issue(ctx, operator, hall, 1),
        "expiring": tokens.issue(ctx, operator, hall, 10),
        "active": tokens.issue(ctx, operator, hall, 100),
        "revoked": tokens.issue(ctx, operator, attic, 100),
    }

    def found(**more: object) -> dict[str, object]:
        with ctx.database.read() as connection:
            page = queries.find_tokens(connection, TokenFilters(**more), clock.now())  # type: ignore[arg-type]
            assert queries.count_tokens(connection, TokenFilters(**more), clock.now()) == len(page.lines)  # type: ignore[arg-type]
        return {line.state.value: line.used_at for line in page.lines}

    with ctx.database.read() as connection:
        newest = queries.find_tokens(connection, TokenFilters(text="阁"), clock.now()).lines[0]
    tokens.revoke(ctx, operator, newest.id)
    clock.advance(timedelta(days=2))
    assert set(found()) == set(secrets)
    for state in TokenState:
        assert set(found(state=state)) == {state.value}
    assert set(found(text="大厅")) == {"expired", "expiring", "active"}

    used_at = clock.now()
    assert tokens.find(ctx, secrets["active"]) is not None
    assert found(state=TokenState.ACTIVE) == {"active": used_at}
    clock.advance(timedelta(seconds=30))
    tokens.find(ctx, secrets["active"])
    assert found(state=TokenState.ACTIVE) == {"active": used_at}, "noted once a minute at most"
    clock.advance(timedelta(seconds=31))
    tokens.find(ctx, secrets["active"])
    assert found(state=TokenState.ACTIVE) == {"active": clock.now()}
    assert tokens.find(ctx, secrets["expired"]) is None
    assert found(state=TokenState.EXPIRED) == {"expired": None}
