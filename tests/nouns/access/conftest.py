"""Access on real PostgreSQL: an installation just made, and people with whatever roles a test needs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from uuid import UUID

import pytest

from tests.support.archive import Archive, make_archive
from vault.access import service, sessions
from vault.access.model import Viewer
from vault.access.rights import Role
from vault.foundation.clock import FixedClock
from vault.foundation.context import Context
from vault.foundation.db.engine import Database

PASSWORD = "夕阳照在旧书架上"
ADDRESS = "192.0.2.7"


@pytest.fixture
def house(database: Database, clock: FixedClock, tmp_path: Path) -> Archive:
    """An installation on its first day."""
    return make_archive(database, clock, tmp_path)


@pytest.fixture
def ctx(house: Archive) -> Context:
    """Its parts."""
    return house.ctx


@pytest.fixture
def operator(house: Archive) -> Viewer:
    """The operator of its host."""
    return house.operator


@pytest.fixture
def make_person(ctx: Context, operator: Viewer) -> Callable[..., Viewer]:
    """Makes somebody with roles, who has chosen an own password and signed in."""

    def make(login: str, *roles: Role, unit_id: UUID | None = None) -> Viewer:
        account = service.create_person(
            ctx, operator, login, f"{login} 的姓名", unit_id or operator.unit_id, frozenset(roles)
        )
        first = sessions.find(ctx, sessions.sign_in(ctx, login, account.one_time_password, ADDRESS))
        assert first is not None
        service.change_password(ctx, first.viewer, account.one_time_password, PASSWORD)
        session = sessions.find(ctx, sessions.sign_in(ctx, login, PASSWORD, ADDRESS))
        assert session is not None
        return session.viewer

    return make
