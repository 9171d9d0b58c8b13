"""The tables themselves: whoever owns the database can also drop a table, a column, a key, or the rule that none be empty.

Each such change is named. What cannot be read any more is left out, and what is read holds values that the program never
writes: a part of the verification that fails at one is named as well, and the others go on.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Column, Connection, Table, text
from sqlalchemy.dialects import postgresql
from sqlalchemy.exc import DataError, InternalError, ProgrammingError

from vault.foundation.db.metadata import metadata
from vault.foundation.errors import NotFoundOrNotYours, VaultError
from vault.foundation.ledger.errors import LedgerDamaged
from vault.oversight.model import Finding, FindingCode
from vault.retention.errors import NoSchedule, PackAltered

# What rows of another form lead to. An outage is none of these: it ends the verification.
UNREADABLE = (
    ProgrammingError,
    DataError,
    InternalError,
    LedgerDamaged,
    NoSchedule,
    NotFoundOrNotYours,
    PackAltered,
    TypeError,
    ValueError,
    LookupError,
    AttributeError,
    ArithmeticError,
)
_COLUMNS = text(
    """SELECT c.relname, a.attname, format_type(a.atttypid, a.atttypmod) AS form, a.attnotnull FROM pg_attribute AS a
    JOIN pg_class AS c ON c.oid = a.attrelid AND c.relkind IN ('r', 'p') AND c.relnamespace = 'public'::regnamespace
    WHERE a.attnum > 0 AND NOT a.attisdropped"""
)
_KEYS = text(
    """SELECT c.relname, array_agg(a.attname::text) AS names FROM pg_index AS i JOIN pg_class AS c ON c.oid = i.indrelid
    JOIN pg_attribute AS a ON a.attrelid = i.indrelid AND a.attnum = ANY (i.indkey)
    WHERE i.indisprimary AND c.relnamespace = 'public'::regnamespace GROUP BY c.relname"""
)
_DIALECT = postgresql.dialect()  # type: ignore[no-untyped-call]  # SQLAlchemy's own


@dataclass(frozen=True)
class Structure:
    """What differs in the tables, and which of them cannot be read."""

    findings: tuple[Finding, ...]
    broken: frozenset[str]

    def can_read(self, *tables: Table) -> bool:
        """Whether all of them are there with their columns."""
        return not self.broken & {table.name for table in tables}


def check_structure(connection: Connection) -> Structure:
    """Every table of the program against what the database has."""
    there: dict[str, dict[str, Any]] = {}
    for row in connection.execute(_COLUMNS):
        there.setdefault(row.relname, {})[row.attname] = row
    keys = {row.relname: set(row.names) for row in connection.execute(_KEYS)}
    findings, broken = [], set()
    for table in metadata.sorted_tables:
        if table.name not in there:
            findings.append(_finding(FindingCode.TABLE_MISSING, table))
            broken.add(table.name)
            continue
        for column in table.columns:
            held = there[table.name].get(column.name)
            if held is None or held.form != _form(column):
                findings.append(_finding(FindingCode.COLUMN_ALTERED, table, column=column.name))
                broken.add(table.name)
            elif not column.nullable and not held.attnotnull:
                findings.append(_finding(FindingCode.COLUMN_LOOSENED, table, column=column.name))
        if table.primary_key.columns and keys.get(table.name) != set(table.primary_key.columns.keys()):
            findings.append(_finding(FindingCode.TABLE_KEY_MISSING, table))
    return Structure(tuple(findings), frozenset(broken))


def guarded(
    part: str, found: list[Finding], check: Callable[[], list[Finding]], connection: Connection | None = None
) -> None:
    """Adds to `found` what a part of the verification finds, or that the part fails at what the database holds.

    `connection`: the one that the part reads by; it can be used afterwards, whatever happened.
    """
    try:
        with connection.begin_nested() if connection is not None else nullcontext():
            found += check()
    except UNREADABLE as error:
        found.append(Finding(FindingCode.PART_FAILED, "part", part, {"problem": problem_of(error)}))


def problem_of(error: Exception) -> str:
    """What a failure is called, without the values that led to it."""
    return error.code if isinstance(error, VaultError) else type(error).__name__


def _finding(code: FindingCode, table: Table, **facts: str) -> Finding:
    return Finding(code, "table", table.name, {"table": table.name, **facts})


def _form(column: Column[Any]) -> str:
    """The type of a column as PostgreSQL writes it, without the order in which it sorts."""
    written: str = column.type.compile(_DIALECT)
    return written.lower().partition(" collate ")[0]
