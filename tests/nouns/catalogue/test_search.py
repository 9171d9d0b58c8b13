"""Finding records: by number, part of a Chinese name, exact personal number; within one's units, counts included."""

from __future__ import annotations

from datetime import date
from uuid import UUID

import pytest

from tests.support.archive import Archive, jpeg
from vault.access import service as access
from vault.catalogue.model import FieldKind
from vault.catalogue.reading import witness_personal_search
from vault.catalogue.search import Filters, business_types, count, find
from vault.foundation.db.keyset import Span
from vault.foundation.ledger.queries import EntryFilters, find_entries

NAMES = ("欧阳小明", "张小明", "张伟", "王小二", "李小明华")


@pytest.fixture
def kept(archive: Archive) -> Archive:
    for place, name in enumerate(NAMES):
        archive.send(
            jpeg(place),
            customer_name=name,
            business_number=f"KH-2026-{place:03d}",
            business_type="开户" if place % 2 else "汇款",
            occurred_date=date(2026, 1, 1 + place),
            personal=((FieldKind.PHONE, f"1380000000{place}"),),
        )
    return archive


def _names(archive: Archive, filters: Filters, units: frozenset[UUID] | None = None) -> list[str | None]:
    with archive.ctx.database.read() as connection:
        tokens: tuple[bytes, ...] = ()
        if filters.personal:
            kind, value = filters.personal
            tokens = tuple(archive.ctx.keyring.blind_tokens(connection, kind.value, value))
        page = find(connection, filters, units=units, blind_tokens=tokens)
        assert count(connection, filters, units=units, blind_tokens=tokens) == len(page.lines)
    return [line.customer_name for line in page.lines]


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        (Filters(name="张"), ["张伟", "张小明"]),
        (Filters(name="小明"), ["李小明华", "张小明", "欧阳小明"]),
        (Filters(name="欧阳小"), ["欧阳小明"]),
        (Filters(name="明小"), []),
        (Filters(name="%"), []),
        (Filters(name="ＫＨ"), []),
        (Filters(number="KH-2026-003"), ["王小二"]),
        (Filters(number="ＫＨ－2026－00"), ["李小明华", "王小二", "张伟", "张小明", "欧阳小明"]),
        (Filters(number="0001-YW·2026-D5-GT01-0001"), ["欧阳小明"]),
        (Filters(business_type="开户"), ["王小二", "张小明"]),
        (Filters(occurred_from=date(2026, 1, 4)), ["李小明华", "王小二"]),
        (Filters(class_code="GENERAL", status="received", name="张伟"), ["张伟"]),
        (Filters(status="filed"), []),
        (Filters(personal=(FieldKind.PHONE, "13800000002")), ["张伟"]),
        (Filters(personal=(FieldKind.PHONE, "1380000000")), []),
        (Filters(personal=(FieldKind.ID_NUMBER, "13800000002")), []),
    ],
)
def test_what_is_found(kept: Archive, filters: Filters, expected: list[str]) -> None:
    assert _names(kept, filters) == expected


@pytest.mark.clause("C4.4")
def test_other_units_records_are_neither_shown_nor_counted(kept: Archive) -> None:
    other = access.create_unit(kept.ctx, kept.operator, "GT02", "二号窗口", "Window 2")
    kept.send(jpeg(50), customer_name="张小明", unit_id=other)
    assert _names(kept, Filters(name="小明"), frozenset({other})) == ["张小明"]
    assert _names(kept, Filters(), frozenset()) == []


def test_pages_go_forth_and_back_over_the_same_lines(kept: Archive) -> None:
    with kept.ctx.database.read() as connection:
        first = find(connection, Filters(), Span(size=2), units=None)
        second = find(connection, Filters(), Span(after=first.after, size=2), units=None)
        third = find(connection, Filters(), Span(after=second.after, size=2), units=None)
        back = find(connection, Filters(), Span(before=third.before, size=2), units=None)
    assert [len(page.lines) for page in (first, second, third)] == [2, 2, 1]
    assert first.before is None
    assert third.after is None
    assert back.lines == second.lines


def test_seeking_a_person_by_number_is_witnessed_without_the_number(kept: Archive) -> None:
    witness_personal_search(kept.ctx, kept.operator, FieldKind.PHONE)
    with kept.ctx.database.read() as connection:
        entry = find_entries(connection, EntryFilters(event="catalogue:person:seek")).lines[0]
    assert entry.actor_id == kept.operator.id


def test_the_types_there_are(kept: Archive) -> None:
    with kept.ctx.database.read() as connection:
        assert sorted(business_types(connection)) == ["开户", "汇款"]
