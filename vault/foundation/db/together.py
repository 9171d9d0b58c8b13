"""Rows of several tables inserted by one statement.

A record enters the catalogue as rows of six tables and a ledger entry. Sent one by one, most of the time of an upload
would go into asking and answering; sent together they cost one round trip, and stand or fall as one.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any, TypeAlias
from uuid import UUID

from sqlalchemy import Connection, Table

Rows: TypeAlias = Mapping[Table, Sequence[Mapping[str, Any]]]


def insert_together(connection: Connection, rows: Rows) -> None:
    """Inserts the rows; those of one table must all name the same columns. References among them are checked at the end.

    Raises:
        IntegrityError: a constraint refuses one of them; none is kept.
    """
    filled = {table: values for table, values in rows.items() if values}
    if not filled:
        return
    statement = _statement(tuple((table.name, tuple(values[0])) for table, values in filled.items()))
    # The rows of a table go as one JSON text: the driver would spend longer on sixty values than the server on seven texts.
    told = tuple(json.dumps(values, default=_plain, ensure_ascii=False) for values in filled.values())
    connection.exec_driver_sql(statement, told)


@functools.lru_cache(maxsize=512)
def _statement(shape: tuple[tuple[str, tuple[str, ...]], ...]) -> str:
    """Names are those of our own tables and columns, which need no quoting."""
    inserts = [
        f"INSERT INTO {table} ({', '.join(columns)})"  # noqa: S608 - see above
        f" SELECT {', '.join(columns)} FROM json_populate_recordset(NULL::{table}, %s)"
        for table, columns in shape
    ]
    *others, last = inserts
    parts = ", ".join(f"part_{number} AS ({other})" for number, other in enumerate(others))
    return f"WITH {parts} {last}" if others else last


def _plain(value: object) -> str:
    if isinstance(value, UUID):
        return str(value)
    if isinstance(value, bytes):
        return "\\x" + value.hex()
    if isinstance(value, datetime | date):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} cannot be inserted together with others")
