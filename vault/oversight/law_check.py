"""The law against the ledger: versions of the schedule, rule packs, confirmations of rules, and years of holidays.

Each act that writes one of these rows witnesses it whole. A row that is otherwise now was altered behind the service's back,
and so was the law; what follows from it cannot be judged by it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Table, select

from vault.foundation.ledger.entry import is_own, leaf_hash
from vault.foundation.ledger.tables import ledger_entries, ledger_leaves
from vault.oversight.model import Finding, FindingCode
from vault.retention.tables import calendar_years, rule_confirmations, rule_packs, schedule_versions
from vault.retention.witnessing import LAW_TABLES, class_digests, law_digest, pack_id

_ALTERED = {
    schedule_versions: FindingCode.SCHEDULE_ALTERED,
    rule_packs: FindingCode.PACK_ALTERED,
    rule_confirmations: FindingCode.CONFIRMATION_ALTERED,
    calendar_years: FindingCode.CALENDAR_ALTERED,
}
_SUBJECTS = {
    schedule_versions: "schedule",
    rule_packs: "pack",
    rule_confirmations: "rule",
    calendar_years: "calendar",
}
# What people call a row: a column of it, and the same in the entries about it.
_NAMES = {
    schedule_versions: ("number", "number"),
    rule_packs: ("version", "version"),
    rule_confirmations: ("rule_code", "rule"),
    calendar_years: ("year", "year"),
}


@dataclass
class _Told:
    """What the ledger holds of one row: the newest of its entries that the service wrote."""

    revision: int = -1
    details: Mapping[str, Any] = field(default_factory=dict)
    is_damaged: bool = False  # an entry that the service wrote was altered: what it held is not known


def check_law(connection: Connection, witness_secret: bytes, *, has_gaps: bool = False) -> list[Finding]:
    """Each row that no act wrote so, that an act wrote and nobody finds, and each class that was altered in a version.

    `has_gaps`: entries were removed from the ledger, maybe the one that a row is right by.
    """
    checked = (_check_table(connection, witness_secret, table, has_gaps=has_gaps) for table in LAW_TABLES)
    return [found for findings in checked for found in findings]


def _check_table(connection: Connection, witness_secret: bytes, table: Table, *, has_gaps: bool) -> Iterator[Finding]:
    told = _told_of(connection, witness_secret, table)
    for row in connection.execute(select(table)).mappings():
        known = told.pop(_key(table, row), None)
        named = _naming(table, row, known)
        if known is None:
            yield Finding(FindingCode.LAW_UNWITNESSED, *named)
        elif _digest(table, row) == known.details.get("row", {}).get("digest"):
            continue
        elif known.is_damaged or has_gaps:
            yield Finding(FindingCode.LAW_UNPROVEN, *named)
        else:
            yield Finding(_ALTERED[table], *named)
            yield from _altered_classes(table, row, known, named)
    for known in told.values():
        yield Finding(FindingCode.LAW_REMOVED, *_naming(table, {}, known))


def _told_of(connection: Connection, witness_secret: bytes, table: Table) -> dict[UUID, _Told]:
    told: dict[UUID, _Told] = {}
    for row in connection.execute(
        select(ledger_entries.c.subject_id, ledger_entries.c.body, ledger_entries.c.mark, ledger_leaves.c.leaf_hash)
        .join(ledger_leaves, ledger_leaves.c.entry_id == ledger_entries.c.id, isouter=True)
        .where(ledger_entries.c.event.in_([event.value for event in LAW_TABLES[table]]))
    ):
        if not is_own(witness_secret, row.body, row.mark):
            if row.leaf_hash is not None and row.leaf_hash != leaf_hash(row.body or b""):
                told.setdefault(row.subject_id, _Told()).is_damaged = True
            continue
        known = told.setdefault(row.subject_id, _Told())
        try:
            details = json.loads(row.body)["details"]
            revision = int(details["row"]["revision"])
        except (ValueError, KeyError, TypeError, RecursionError):
            known.is_damaged = True
            continue
        if revision > known.revision:
            known.revision, known.details = revision, details
    return told


def _key(table: Table, row: Mapping[Any, Any]) -> UUID:
    """What entries about the row have as their subject."""
    return pack_id(row["version"]) if table is rule_packs else row["id"]


def _naming(table: Table, row: Mapping[Any, Any], known: _Told | None) -> tuple[str, str, dict[str, str]]:
    """Subject and facts of a finding: by what the ledger calls it, or else by what the row calls itself."""
    column, detail = _NAMES[table]
    name = str(known.details[detail] if known and detail in known.details else row.get(column, "?"))[:80]
    return _SUBJECTS[table], name, {"table": table.name, "name": name}


def _digest(table: Table, row: Mapping[Any, Any]) -> str | None:
    """None of a row that the service cannot have written."""
    try:
        return law_digest(table, row)
    except (ValueError, TypeError):
        return None


def _altered_classes(
    table: Table, row: Mapping[Any, Any], known: _Told, named: tuple[str, str, dict[str, str]]
) -> Iterator[Finding]:
    """Each class of a version that is another than was witnessed, is not there any more, or was added."""
    if table is not schedule_versions:
        return
    if "classes" not in known.details["row"]:
        return  # a schedule of so many classes that its entry does not hold them one by one
    witnessed = {told["class_code"]: told["digest"] for told in known.details["row"]["classes"]}
    try:
        found = class_digests(row["content"])
    except (ValueError, TypeError, KeyError, RecursionError):
        return  # it lays down nothing that can be read; the version itself is named
    subject, name, facts = named
    for code in sorted(witnessed.keys() | found.keys(), key=str):
        if witnessed.get(code) != found.get(code):
            yield Finding(FindingCode.CLASS_ALTERED, subject, name, {**facts, "class_code": str(code)[:80]})
