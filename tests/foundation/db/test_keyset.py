"""Pages by key: forth and back over the same lines, picked lines, counts that stop, walks that hold one page at a time."""

from __future__ import annotations

from uuid import UUID

import pytest
from sqlalchemy import Column, Connection, Integer, MetaData, Table, Uuid, select

from vault.foundation.db import keyset
from vault.foundation.db.engine import Database
from vault.foundation.db.keyset import Page, Picked, Span

TABLE = Table(
    "numbered", MetaData(), Column("id", Uuid, primary_key=True), Column("n", Integer), prefixes=["TEMPORARY"]
)


def key(n: int) -> UUID:
    return UUID(int=n)


@pytest.fixture
def connection(database: Database):
    with database.autocommit() as opened:
        TABLE.create(opened)
        opened.execute(TABLE.insert(), [{"id": key(n), "n": n} for n in range(1, 8)])
        yield opened
        TABLE.drop(opened)


def page(connection: Connection, span: Span = keyset.FIRST, picked: Picked = keyset.EVERYTHING) -> Page[int]:
    query = select(TABLE).where(*picked.conditions(TABLE.c.id))
    return keyset.cut(connection, query, TABLE.c.id, span, lambda rows: [row.n for row in rows])


def test_pages_lead_on_to_the_end_and_back_to_the_beginning(connection: Connection) -> None:
    first = page(connection, Span(size=3))
    second = page(connection, Span(after=first.after, size=3))
    third = page(connection, Span(after=second.after, size=3))
    assert [p.lines for p in (first, second, third)] == [(7, 6, 5), (4, 3, 2), (1,)]
    assert (first.before, third.after) == (None, None)
    assert third.before == key(1)
    back = page(connection, Span(before=second.before, size=3))
    assert back.lines == first.lines
    assert back.before is None, "above the first page there is nothing"
    assert page(connection, Span(before=key(1), size=3)).lines == (4, 3, 2)


@pytest.mark.parametrize(
    ("picked", "expected"),
    [
        (Picked(), (7, 6, 5, 4, 3, 2, 1)),
        (Picked(ids=(key(2), key(9), key(6), key(2))), (6, 2)),
        (Picked(ids=()), ()),
        (Picked(newest=key(3)), (3, 2, 1)),
        (Picked(ids=(key(2), key(6)), newest=key(5)), (2,)),
    ],
)
def test_picked_lines_are_those_named_or_all_that_were_seen(connection, picked: Picked, expected) -> None:
    assert page(connection, picked=picked).lines == expected


def test_a_count_stops_where_it_may_and_is_exact_where_it_must(connection: Connection) -> None:
    query = select(TABLE.c.id)
    assert keyset.count(connection, query, 3) == 4, "one more than at most means more"
    assert keyset.count(connection, query, 7) == 7
    assert keyset.count(connection, query, None) == 7


def test_a_walk_takes_every_line_once_and_asks_for_a_page_only_when_it_gets_there(connection: Connection) -> None:
    asked = []

    def page_of(span: Span) -> Page[int]:
        asked.append(span)
        return page(connection, Span(span.after, span.before, 2))

    walked = keyset.walk(page_of)
    assert [next(walked), next(walked)] == [7, 6]
    assert len(asked) == 1
    assert list(walked) == [5, 4, 3, 2, 1]
    assert len(asked) == 4
