"""Instants and days that Python has not: `infinity`, years before the first and behind the last.

The service writes none. Whoever has the database may, and then a page or a verification must tell of the row instead of
ending at it: such a value is read as one near the least or the greatest that there is, which still has a day in every zone.
"""

from __future__ import annotations

from datetime import UTC, date, datetime

import psycopg
from psycopg.abc import AdaptContext, Buffer
from psycopg.adapt import Loader
from psycopg.pq import Format


class _Bounded(Loader):
    least: date
    greatest: date

    def __init__(self, oid: int, context: AdaptContext | None = None) -> None:
        super().__init__(oid, context)
        usual = psycopg.adapters.get_loader(oid, Format.TEXT)
        assert usual is not None
        self._usual = usual(oid, context)

    def load(self, data: Buffer) -> object:
        """The value, or the bound that it lies beyond."""
        try:
            return self._usual.load(data)
        except psycopg.DataError:
            text = bytes(data)
            return self.least if text.startswith(b"-") or text.endswith(b"BC") else self.greatest


class _Instant(_Bounded):
    least = datetime(1, 1, 2, tzinfo=UTC)
    greatest = datetime(9999, 12, 30, tzinfo=UTC)


class _Day(_Bounded):
    least = date.min
    greatest = date.max


def bound_instants(connection: psycopg.Connection[object]) -> None:
    """Has the connection read every instant and every day."""
    connection.adapters.register_loader("timestamptz", _Instant)
    connection.adapters.register_loader("date", _Day)
