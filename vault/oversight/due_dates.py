"""The due dates in the catalogue against what the law says: they are derived, so they are verified by deriving them.

While a change of the law waits to be swept the rows may say what was right before; then nothing is found wrong.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, exists, select

from vault.catalogue.model import DueDates
from vault.oversight.model import Finding, FindingCode
from vault.retention.book import read_book
from vault.retention.due_dates import expected
from vault.retention.tables import law_changes


def compare_due_dates(connection: Connection, states: Mapping[UUID, list[Any]], now: datetime) -> list[Finding]:
    """Each record's state that says something else than the law does."""
    today = read_book(connection).day_of(now)
    waiting = exists().where(law_changes.c.swept_at.is_(None), law_changes.c.from_date <= today)
    if not states or connection.execute(select(waiting)).scalar_one():
        return []
    findings = []
    for record_id, due in _expected(connection, states, now).items():
        (row,) = states[record_id]
        said = _said(row)
        right = _right(due) if due is not None else {"what": "-"}
        if row["next_date"] is not None and row["next_date"] <= today:
            del said["what"], right["what"]  # tonight's sweep has not been there yet
        differing = sorted(name for name in right if said[name] != right[name])
        findings += [
            Finding(
                FindingCode.DUE_DATE_ALTERED,
                "record",
                str(record_id),
                {"field": name, "found": said[name], "expected": right[name]},
            )
            for name in differing
        ]
    return findings


def _expected(connection: Connection, states: Mapping[UUID, list[Any]], now: datetime) -> dict[UUID, DueDates | None]:
    """What the law says of each; none where a day in its rows lies so far off that nothing can be added to it."""
    try:
        return dict(expected(connection, states, now))
    except OverflowError:
        if len(states) == 1:
            return dict.fromkeys(states)
        return {
            record_id: due
            for one, rows in states.items()
            for record_id, due in _expected(connection, {one: rows}, now).items()
        }


def _said(row: Mapping[str, Any]) -> dict[str, str]:
    return {
        "what": row["what"],
        "retain_until": str(row["retain_until"]),
        "delete_by": str(row["delete_by"]),
        "is_hard": str(row["is_hard"]),
    }


def _right(due: DueDates) -> dict[str, str]:
    return {
        "what": due.what.value,
        "retain_until": str(due.retain_until),
        "delete_by": str(due.delete_by),
        "is_hard": str(due.is_hard),
    }
