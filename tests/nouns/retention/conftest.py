"""An archive with the people whom two-person acts need."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

import pytest

from tests.nouns.retention.filling import copy_records
from tests.support.archive import Archive, jpeg
from vault.access import service as access
from vault.access.model import Viewer
from vault.access.queries import viewer_of_person
from vault.access.rights import Role, rights_of
from vault.catalogue.queries import RecordView, get_record
from vault.retention.queries import classes_in_effect


@dataclass(frozen=True)
class People:
    """Who acts in these tests. `keeper` and `other_keeper` are archivists, `heads` three department heads."""

    administrator: Viewer
    keeper: Viewer
    other_keeper: Viewer
    heads: tuple[Viewer, Viewer, Viewer]


@pytest.fixture
def make_person(archive: Archive) -> Callable[..., Viewer]:
    """Somebody with roles, as one who has chosen a password and signed in."""

    def make(login: str, *roles: Role) -> Viewer:
        account = access.create_person(
            archive.ctx, archive.operator, login, f"{login} 的姓名", archive.operator.unit_id, frozenset(roles)
        )
        with archive.ctx.database.read() as connection:
            viewer = viewer_of_person(connection, account.person_id)
        assert viewer is not None
        from dataclasses import replace

        return replace(viewer, rights=rights_of(frozenset(roles)), must_change_password=False)

    return make


@pytest.fixture
def people(make_person: Callable[..., Viewer]) -> People:
    """Everybody who is needed."""
    return People(
        administrator=make_person("chief", Role.ARCHIVE_ADMINISTRATOR),
        keeper=make_person("keeper", Role.ARCHIVIST),
        other_keeper=make_person("keeper2", Role.ARCHIVIST),
        heads=(
            make_person("head1", Role.APPROVER),
            make_person("head2", Role.APPROVER, Role.ARCHIVE_ADMINISTRATOR),
            make_person("head3", Role.APPROVER),
        ),
    )


@pytest.fixture
def send(archive: Archive) -> Callable[..., UUID]:
    """Sends a slip of its own bytes and gives the record's id."""
    count = 0

    def one(class_code: str = "GENERAL", occurred: date | None = date(2026, 3, 1), **more: Any) -> UUID:
        nonlocal count
        count += 1
        receipt = archive.send(jpeg(1000 + count), class_code=class_code, occurred_date=occurred, **more)
        assert receipt.record_id is not None
        return receipt.record_id

    return one


@pytest.fixture
def look(archive: Archive) -> Callable[[UUID], RecordView]:
    """Looks at a record."""

    def at(record_id: UUID) -> RecordView:
        with archive.ctx.database.read() as connection:
            return get_record(connection, archive.operator, record_id)

    return at


@pytest.fixture
def fill(archive: Archive, database_url: str, send: Callable[..., UUID]) -> Callable[[int], None]:
    """So many records of every class with random days, events and locks, entered behind the service's back."""

    def filled(count: int, seed: int = 20260101) -> None:
        send()  # the rows of a real record are the pattern of the others
        with archive.ctx.database.read() as connection:
            codes = [definition.code for definition in classes_in_effect(connection, archive.clock.now())]
        copy_records(database_url, codes, count, seed)

    return filled
