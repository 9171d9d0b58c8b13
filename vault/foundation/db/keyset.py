"""Lists cut into pages by their key, an id that rises with time: a page costs the same anywhere in the list.

Newest first, always. A count stops at `COUNT_MAX` unless it must be exact: counting millions to say "many" helps nobody.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, Row, Select, Uuid, any_, cast, func, select
from sqlalchemy.dialects.postgresql import ARRAY

COUNT_MAX = 10_000
PAGE_SIZE_MAX = 200
WALK_SIZE = 1_000

Line = TypeVar("Line")


@dataclass(frozen=True)
class Page(Generic[Line]):
    """One page of a list, newest first, with the keys of its neighbours when there are any."""

    lines: tuple[Line, ...]
    before: UUID | None
    after: UUID | None


@dataclass(frozen=True)
class Span:
    """Which page: below the key `after`, or above the key `before`, or the first; `size` lines at most."""

    after: UUID | None = None
    before: UUID | None = None
    size: int = 50


FIRST = Span()


@dataclass(frozen=True)
class Picked:
    """Which lines of a list somebody means: those named, or all that there were when the newest was `newest`.

    What came in later is not meant: nobody has seen it.
    """

    ids: tuple[UUID, ...] | None = None
    newest: UUID | None = None

    def conditions(self, key: ColumnElement[UUID]) -> list[ColumnElement[bool]]:
        """The WHERE conditions on the list's key."""
        wanted: list[ColumnElement[bool]] = []
        if self.ids is not None:
            wanted.append(key == any_(cast(sorted(set(self.ids)), ARRAY(Uuid))))
        if self.newest is not None:
            wanted.append(key <= self.newest)
        return wanted


EVERYTHING = Picked()


def cut(
    connection: Connection,
    query: Select[Any],
    key: ColumnElement[UUID],
    span: Span,
    make: Callable[[Sequence[Row[Any]]], Iterable[Line]],
) -> Page[Line]:
    """One page of `query`, whose columns include `key`; `make` turns its rows into lines, one for each."""
    name = str(key.key)
    size = max(1, span.size)
    if span.before is not None:
        rows = connection.execute(query.where(key > span.before).order_by(key).limit(size + 1)).all()
        more, rows = len(rows) > size, rows[:size][::-1]
        first, last = _ends(rows, name)
        return Page(tuple(make(rows)), first if more else None, last)
    if span.after is not None:
        query = query.where(key < span.after)
    found = connection.execute(query.order_by(key.desc()).limit(size + 1)).all()
    rows = found[:size]
    first, last = _ends(rows, name)
    return Page(tuple(make(rows)), first if span.after is not None else None, last if len(found) > size else None)


def count(connection: Connection, query: Select[Any], at_most: int | None = COUNT_MAX) -> int:
    """How many rows `query` has, at most `at_most` + 1 (which means "more"); with None exactly."""
    counted = query if at_most is None else query.limit(at_most + 1)
    return connection.execute(select(func.count()).select_from(counted.subquery())).scalar_one()


def walk(page_of: Callable[[Span], Page[Line]]) -> Iterator[Line]:
    """Every line of a list, page by page: inside one read transaction all of one snapshot, and never all in memory."""
    span = Span(size=WALK_SIZE)
    while True:
        page = page_of(span)
        yield from page.lines
        if page.after is None:
            return
        span = Span(after=page.after, size=WALK_SIZE)


def _ends(rows: Sequence[Row[Any]], name: str) -> tuple[UUID | None, UUID | None]:
    return (rows[0]._mapping[name], rows[-1]._mapping[name]) if rows else (None, None)
