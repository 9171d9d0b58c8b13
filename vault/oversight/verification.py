"""Every object, lock, catalogue row and ledger entry held against each other.

The ledger is checked first, because the rows are judged by the digests it holds. Then the catalogue is read in
pages: each table's rows of a record against the newest digest witnessed for them, and each component's object
against its row: present, locked as said, the same bytes, opening with the record's key. At the end the store is
listed for objects that no row names; those are harmless and only noted, until reconciliation knows them.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, func, select

from vault.catalogue.fingerprint import rows_digest
from vault.catalogue.model import Event as CatalogueEvent
from vault.catalogue.tables import component_copies, components, corrections, personal_fields, record_states, records
from vault.foundation.context import Context
from vault.foundation.ledger.database_check import check_ledger
from vault.foundation.ledger.tables import ledger_entries
from vault.oversight.due_dates import compare_due_dates
from vault.oversight.leftovers import unnamed, versions_by_page
from vault.oversight.model import Finding, FindingCode, Verification
from vault.oversight.objects import CheckedComponent, check_object
from vault.retention.model import Event as RetentionEvent
from vault.retention.witnessing import RECORD_TABLES as RETENTION_TABLES

_PAGE = 200
THREADS = 4
WITNESSING = (
    CatalogueEvent.RECORD_REGISTERED.value,
    CatalogueEvent.RENDITIONS_ADDED.value,
    CatalogueEvent.RECORD_DESCRIBED.value,
    CatalogueEvent.CLASS_CHANGED.value,
    CatalogueEvent.LOCKS_SET.value,
    RetentionEvent.EVENT_REPORTED.value,
    RetentionEvent.EVENT_UNDONE.value,
    RetentionEvent.FILING_ASKED.value,
    RetentionEvent.FILING_STOPPED.value,
    RetentionEvent.RECLASSIFICATION_PROPOSED.value,
)

Progress = Callable[[str, int, int | None], None]


def verify(ctx: Context, progress: Progress | None = None) -> Verification:
    """Verifies the whole archive; changes nothing. `progress` gets a stage, how many are done, and of how many."""
    say = progress or (lambda _stage, _done, _all: None)
    findings: list[Finding] = []
    with ctx.database.read() as connection:
        say("ledger", 0, None)
        ledger = check_ledger(connection, ctx.custodian.public_key(), ctx.custodian.witness_secret())
        findings += [
            Finding(FindingCode.LEDGER, "entry", found.subject, {"code": found.code, "sentence": found.sentence})
            for found in ledger.findings
        ]
        checked = _verify_records(ctx, connection, say)
        findings += checked.findings
        findings += _removed_records(connection)
    notes = tuple(_unknown_objects(ctx, say))
    return Verification(tuple(findings), notes, checked.records, checked.components, ledger.entries)


@dataclass
class _Checked:
    findings: list[Finding]
    records: int = 0
    components: int = 0


def _verify_records(ctx: Context, connection: Connection, say: Progress) -> _Checked:
    done = _Checked([])
    total = connection.execute(select(func.count()).select_from(records)).scalar_one()
    with ThreadPoolExecutor(THREADS) as pool:
        for page in _record_pages(connection):
            rows = rows_of(connection, page)
            done.findings += compare_rows(connection, page, rows)
            done.findings += compare_due_dates(connection, rows["record_states"], ctx.clock.now())
            parts = components_of(ctx, connection, rows)
            for found in pool.map(lambda part: check_object(ctx.store, part), parts):
                done.findings += found
            done.records += len(page)
            done.components += len(parts)
            say("records", done.records, total)
    return done


def _record_pages(connection: Connection) -> Iterator[list[Any]]:
    last: UUID | None = None
    while True:
        query = select(records).order_by(records.c.id).limit(_PAGE)
        page = list(connection.execute(query if last is None else query.where(records.c.id > last)).mappings())
        if not page:
            return
        last = page[-1]["id"]
        yield page


Rows = dict[str, dict[UUID, list[Any]]]


def rows_of(connection: Connection, page: list[Any]) -> Rows:
    """The rows of each table that belong to the records of a page."""
    ids = [row["id"] for row in page]
    rows: Rows = {"records": {row["id"]: [row] for row in page}}
    for table in (record_states, components, personal_fields, corrections, *RETENTION_TABLES):
        rows[table.name] = _grouped(
            connection.execute(
                select(table).where(table.c.record_id.in_(ids)).order_by(*table.primary_key.columns)
            ).mappings(),
            "record_id",
        )
    owners = {row["id"]: row["record_id"] for held in rows["components"].values() for row in held}
    by_owner: dict[UUID, list[Any]] = {}
    for row in connection.execute(
        select(component_copies)
        .where(component_copies.c.component_id.in_(sorted(owners)))
        .order_by(*component_copies.primary_key.columns)
    ).mappings():
        by_owner.setdefault(owners[row["component_id"]], []).append(row)
    rows["component_copies"] = by_owner
    return rows


def _grouped(found: Iterable[Any], key: str) -> dict[UUID, list[Any]]:
    grouped: dict[UUID, list[Any]] = {}
    for row in found:
        grouped.setdefault(row[key], []).append(row)
    return grouped


def compare_rows(connection: Connection, page: list[Any], rows: Rows) -> list[Finding]:
    """Each table's rows of a record against the newest digest that the ledger holds of them."""
    witnessed = _witnessed_digests(connection, [row["id"] for row in page])
    findings = []
    for record in page:
        digests = witnessed.get(record["id"])
        if digests is None:
            findings.append(Finding(FindingCode.ROW_UNWITNESSED, "record", str(record["id"])))
            continue
        salt = bytes(record["salt"])
        for table, expected in sorted(digests.items()):
            found = rows_digest(table, salt, rows[table].get(record["id"], []))
            if found != expected:
                findings.append(Finding(FindingCode.ROW_ALTERED, "record", str(record["id"]), {"table": table}))
    return findings


def _witnessed_digests(connection: Connection, ids: list[UUID]) -> dict[UUID, dict[str, str]]:
    """For each record and table the digest of the highest revision that the ledger holds."""
    newest: dict[UUID, dict[str, tuple[int, str]]] = {}
    for row in connection.execute(
        select(ledger_entries.c.subject_id, ledger_entries.c.body).where(
            ledger_entries.c.subject_id.in_(ids), ledger_entries.c.event.in_(WITNESSING)
        )
    ):
        details = json.loads(row.body)["details"]
        held = newest.setdefault(row.subject_id, {})
        for table, digest in details["digests"].items():
            if table not in held or held[table][0] < details["revision"]:
                held[table] = (details["revision"], digest)
    return {record_id: {t: digest for t, (_, digest) in held.items()} for record_id, held in newest.items()}


def components_of(ctx: Context, connection: Connection, rows: Rows) -> list[CheckedComponent]:
    """The components among the rows, with their copies and keys. Raises as `Keyring.record_key`."""
    copies = {row["component_id"]: row for held in rows["component_copies"].values() for row in held}
    parts = []
    for record_id, held in rows["components"].items():
        record_key = ctx.keyring.record_key(connection, record_id)
        parts += [
            CheckedComponent(record_key, dict(row), dict(copies[row["id"]])) for row in held if row["id"] in copies
        ]
    return parts


def _removed_records(connection: Connection) -> list[Finding]:
    gone = connection.execute(
        select(ledger_entries.c.subject_id).where(
            ledger_entries.c.event == CatalogueEvent.RECORD_REGISTERED.value,
            ~select(records.c.id).where(records.c.id == ledger_entries.c.subject_id).exists(),
        )
    )
    return [Finding(FindingCode.ROW_REMOVED, "record", str(row.subject_id)) for row in gone]


def _unknown_objects(ctx: Context, say: Progress) -> Iterator[Finding]:
    """Versions that neither the catalogue nor a known leftover names, by what is committed when they are met."""
    done = 0
    for page in versions_by_page(ctx.store):
        with ctx.database.read() as connection:
            unknown = unnamed(connection, ctx.store.name, page)
        for info in unknown:
            yield Finding(FindingCode.OBJECT_UNKNOWN, "object", info.key, {"version_id": info.version_id})
        done += len(page)
        say("objects", done, None)
