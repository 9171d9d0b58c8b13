"""Who sees which matters and holds, what is counted for them, and what a store refused."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import Connection, event

from tests.nouns.holds.conftest import COURT, Lawyers
from tests.support.archive import Archive
from vault.access import service as access
from vault.access.model import Viewer
from vault.access.rights import Right, Role
from vault.foundation.errors import NotFoundOrNotYours
from vault.holds import queries, releasing, service
from vault.holds.matter_lists import MatterFilters, count_matters, find_matters, open_matters

pytestmark = [pytest.mark.clause("V5"), pytest.mark.clause("C4.4")]
ALL = MatterFilters()


@pytest.fixture
def other_unit(archive: Archive) -> UUID:
    """A second unit."""
    return access.create_unit(archive.ctx, archive.operator, "GT02", "二号窗口", "Window 2")


@pytest.fixture
def stranger(make_person: Callable[..., Viewer], other_unit: UUID) -> Viewer:
    """The head of the second unit."""
    return replace(make_person("head9", Role.APPROVER), units=frozenset({other_unit}))


@contextmanager
def statements(connection: Connection) -> Iterator[list[str]]:
    """What is asked of the database inside."""
    told: list[str] = []

    def note(*args: Any) -> None:
        told.append(args[2])

    event.listen(connection, "before_cursor_execute", note)
    try:
        yield told
    finally:
        event.remove(connection, "before_cursor_execute", note)


@pytest.mark.invariant("A1")
def test_a_head_of_another_unit_neither_sees_the_hold_nor_decides_of_it(
    archive: Archive, lawyers: Lawyers, send: Callable[..., UUID], stranger: Viewer
) -> None:
    matter = lawyers.matter()
    hold_id = lawyers.place(matter, send()).hold.id
    releasing.propose_release(archive.ctx, lawyers.legal, hold_id, "案件已结")
    with archive.ctx.database.read() as connection:
        assert find_matters(connection, stranger, ALL).lines == ()
        assert count_matters(connection, stranger, ALL) == 0
        assert queries.holds_of_matter(connection, stranger, matter) == ()
        assert queries.releases_proposed(connection, stranger) == ()
        with pytest.raises(NotFoundOrNotYours):
            queries.get_matter(connection, stranger, matter)
        with pytest.raises(NotFoundOrNotYours):
            queries.see_hold(connection, stranger, hold_id)
        assert [line.records for line in find_matters(connection, lawyers.heads[0], ALL).lines] == [1]
        assert queries.see_hold(connection, lawyers.heads[0], hold_id).records == 1
    with pytest.raises(NotFoundOrNotYours):
        releasing.approve_release(archive.ctx, stranger, hold_id, lawyers.proposal(hold_id))
    with pytest.raises(NotFoundOrNotYours):
        releasing.refuse_release(archive.ctx, stranger, hold_id, lawyers.proposal(hold_id), "不同意解除")
    assert releasing.approve_release(
        archive.ctx, lawyers.heads[0], hold_id, lawyers.proposal(hold_id)
    ).is_release_proposed


def test_of_a_hold_over_units_each_head_counts_the_own_records(
    archive: Archive, lawyers: Lawyers, send: Callable[..., UUID], stranger: Viewer, other_unit: UUID
) -> None:
    matter, one, two = lawyers.matter(), send(), send()
    hold_id = lawyers.place(matter, one, two, send(unit_id=other_unit)).hold.id
    lawyers.place(matter, one, two)
    with archive.ctx.database.read() as connection:
        told = {
            viewer.name: [(line.holds, line.records, line.waiting) for line in found.lines]
            for viewer in (lawyers.legal, lawyers.heads[0], stranger)
            for found in [find_matters(connection, viewer, ALL)]
        }
        assert list(told.values()) == [[(2, 3, 3)], [(2, 2, 2)], [(1, 1, 1)]], "a record counts once"
        assert queries.see_hold(connection, stranger, hold_id).records == 3, "its release frees all of them"
        assert queries.count_held(connection, stranger, hold_id) == 1
        assert [hold.id for hold in queries.holds_of_matter(connection, stranger, matter)] == [hold_id]


def test_a_matter_without_holds_is_for_those_of_all_units_and_for_whoever_opened_it(
    archive: Archive, lawyers: Lawyers
) -> None:
    matter = lawyers.matter()
    opener = replace(lawyers.heads[0], rights=lawyers.heads[0].rights | {Right.HOLDS_MATTER_OPEN})
    own = service.open_matter(archive.ctx, opener, COURT).id
    with archive.ctx.database.read() as connection:
        assert {line.id for line in find_matters(connection, lawyers.legal, ALL).lines} == {matter, own}
        assert [line.id for line in find_matters(connection, opener, ALL).lines] == [own]
        assert find_matters(connection, lawyers.heads[1], ALL).lines == ()


def test_names_and_reviews_count_no_records(archive: Archive, lawyers: Lawyers, send: Callable[..., UUID]) -> None:
    first, second, third = lawyers.matter(), lawyers.matter(), lawyers.matter()
    day = (archive.clock.now() + timedelta(days=30)).date()
    hold = service.place_hold(archive.ctx, lawyers.legal, third, [str(send())], "法院要求保全", day).hold
    service.close_matter(archive.ctx, lawyers.legal, second)
    with archive.ctx.database.read() as connection, statements(connection) as told:
        choices, is_cut = open_matters(connection, lawyers.legal, 1)
        assert ([one.id for one in choices], is_cut) == ([third], True)
        choices, is_cut = open_matters(connection, lawyers.legal, 1, first)
        assert ([one.id for one in choices], is_cut) == ([third, first], True)
        choices, is_cut = open_matters(connection, lawyers.legal, 2, second)
        assert ([one.id for one in choices], is_cut) == ([third, first], False), "a closed one is not chosen"
        (due,) = queries.reviews_due(connection, lawyers.legal, day)
        assert (due.hold_id, due.name, due.review_date) == (hold.id, hold.name, day)
        assert queries.reviews_due(connection, lawyers.legal, date(2020, 1, 1)) == ()
        assert queries.name_of(connection, hold.id) == ("hold", hold.name)
    assert told
    assert not [one for one in told if "held_records" in one]
    releasing.propose_release(archive.ctx, lawyers.legal, hold.id, "案件已结")
    with archive.ctx.database.read() as connection:
        assert queries.reviews_due(connection, lawyers.legal, day) == ()


def test_what_a_store_refuses_is_told_by_hold(
    archive: Archive, lawyers: Lawyers, send: Callable[..., UUID], stranger: Viewer
) -> None:
    matter, one = lawyers.matter(), send()
    hold = lawyers.place(matter, one).hold
    with archive.ctx.database.read() as connection:
        assert queries.stores_to_tell(connection) == (1, 0)
        assert queries.refused_by_stores(connection, lawyers.legal) == ()
    store: Any = archive.ctx.store
    store._objects.clear()  # the store lost everything
    lawyers.tell_stores()
    with archive.ctx.database.read() as connection:
        assert queries.stores_to_tell(connection) == (1, 1)
        (refused,) = queries.refused_by_stores(connection, lawyers.legal, hold.id)
        assert (refused.name, refused.problems, refused.records) == (hold.name, {"object-not-found": 1}, 1)
        assert queries.refused_by_stores(connection, stranger) == ()
