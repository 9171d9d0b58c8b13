"""The sender's key: the same thing sent twice is done once, and another thing under it is refused, not taken for done."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date
from threading import Barrier
from uuid import UUID

import pytest
from sqlalchemy import func, select

from tests.nouns.holds.conftest import COURT, Lawyers
from tests.support.archive import Archive
from vault.holds.errors import HoldKeyReused, MatterClosed
from vault.holds.model import Matter, Placed
from vault.holds.queries import on_hold
from vault.holds.service import close_matter, open_matter, place_hold
from vault.holds.tables import holds, matters

pytestmark = [pytest.mark.clause("V5"), pytest.mark.invariant("H1")]
KEY = "one-and-the-same"


def test_what_is_sent_twice_is_held_once_also_when_its_matter_is_closed_by_now(
    archive: Archive, lawyers: Lawyers, send: Callable[..., UUID]
) -> None:
    one, two, matter = send(), send(), lawyers.matter()

    def place(*lines: str) -> Placed:
        return place_hold(archive.ctx, lawyers.legal, matter, lines, "法院要求保全", date(2027, 1, 1), KEY)

    first = place(str(one), str(two))
    again = place("", f" {two} ", str(one))
    assert (again.hold, again.added, again.already) == (first.hold, 0, 2)
    lawyers.release(first.hold.id)
    close_matter(archive.ctx, lawyers.legal, matter)
    late = place(str(one), str(two))
    assert (late.hold.id, late.hold.is_in_force, late.added, late.already) == (first.hold.id, False, 0, 0)
    with pytest.raises(MatterClosed):
        place_hold(archive.ctx, lawyers.legal, matter, [str(one)], "法院要求保全", None, "another-key")


def test_another_hold_under_the_same_key_is_refused(
    archive: Archive, lawyers: Lawyers, send: Callable[..., UUID]
) -> None:
    one, two, matter, other = send(), send(), lawyers.matter(), lawyers.matter()
    day = date(2027, 1, 1)
    place_hold(archive.ctx, lawyers.legal, matter, [str(one)], "法院要求保全", day, KEY)
    for where, names, reason, review in (
        (matter, [str(two)], "法院要求保全", day),
        (matter, [str(one), str(two)], "法院要求保全", day),
        (other, [str(one)], "法院要求保全", day),
        (matter, [str(one)], "检察院要求保全", day),
        (matter, [str(one)], "法院要求保全", None),
    ):
        with pytest.raises(HoldKeyReused):
            place_hold(archive.ctx, lawyers.legal, where, names, reason, review, KEY)
    with archive.ctx.database.read() as connection:
        assert on_hold(connection, [one, two]) == {one}
    placed = place_hold(archive.ctx, lawyers.other, matter, [str(two)], "法院要求保全", day, KEY)
    assert placed.added == 1, "somebody else's key is another one"


def test_another_matter_under_the_same_key_is_refused(archive: Archive, lawyers: Lawyers) -> None:
    first = open_matter(archive.ctx, lawyers.legal, COURT, KEY)
    assert open_matter(archive.ctx, lawyers.legal, COURT, KEY) == first
    with pytest.raises(HoldKeyReused):
        open_matter(archive.ctx, lawyers.legal, replace(COURT, title="王五诉赵六"), KEY)
    assert open_matter(archive.ctx, lawyers.legal, COURT, "another-key").number == "M-2026-0002"


def test_of_two_at_once_under_one_key_both_are_told_of_the_one(
    archive: Archive, lawyers: Lawyers, send: Callable[..., UUID]
) -> None:
    record_id, matters_there, together = send(), (lawyers.matter(), lawyers.matter()), Barrier(2)

    def place(_: int) -> UUID:
        together.wait()
        return place_hold(
            archive.ctx, lawyers.legal, matters_there[0], [str(record_id)], "法院要求保全", None, KEY
        ).hold.id

    def open_one(_: int) -> Matter:
        together.wait()
        return open_matter(archive.ctx, lawyers.legal, COURT, KEY)

    def place_elsewhere(matter: UUID) -> str:
        together.wait()
        try:
            place_hold(
                archive.ctx, lawyers.legal, matter, [str(record_id)], "法院要求保全", None, "under-two-matters"
            )
        except HoldKeyReused as refused:
            return refused.code
        return "placed"

    with ThreadPoolExecutor(2) as pool:
        assert len(set(pool.map(place, range(2)))) == 1
        assert len(set(pool.map(open_one, range(2)))) == 1
        # Rows of different matters: nothing but the key makes the second wait.
        assert sorted(pool.map(place_elsewhere, matters_there)) == ["hold-key-reused", "placed"]
    with archive.ctx.database.read() as connection:
        assert connection.execute(select(func.count()).select_from(holds)).scalar_one() == 2
        assert connection.execute(select(func.count()).select_from(matters)).scalar_one() == 3
