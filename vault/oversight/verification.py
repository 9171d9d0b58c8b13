"""Every object, lock, catalogue row and ledger entry held against each other.

The ledger is checked first, because the rows are judged by the digests it holds. Then the catalogue is read in
pages: each table's rows of a record against the newest digest witnessed for them, and each component's object
against its row: present, locked as said, the same bytes, opening with the record's key. At the end the store is
listed for objects that no row names; those are harmless and only noted, until reconciliation knows them.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, func, select

from vault.access.tables import approvals, proposals
from vault.catalogue.fingerprint import rows_digest
from vault.catalogue.model import Event as CatalogueEvent
from vault.catalogue.tables import component_copies, components, corrections, personal_fields, record_states, records
from vault.foundation.context import Context
from vault.foundation.errors import VaultError
from vault.foundation.keys.tables import key_epochs, key_groups, record_keys
from vault.foundation.ledger.database_check import TableFinding, check_ledger
from vault.foundation.ledger.entry import is_own, leaf_hash
from vault.foundation.ledger.published_check import check_published
from vault.foundation.ledger.tables import ledger_entries, ledger_leaves
from vault.holds.model import Event as HoldsEvent
from vault.holds.tables import RECORD_TABLES as HOLDS_TABLES
from vault.holds.tables import held_records, hold_tasks, holds, matters
from vault.oversight.decision_check import check_decisions
from vault.oversight.due_dates import compare_due_dates
from vault.oversight.expectations import said_of_copies
from vault.oversight.keyring_check import check_keyring
from vault.oversight.law_check import check_law
from vault.oversight.leftovers import unnamed, versions_by_page
from vault.oversight.model import NOTED, Finding, FindingCode, Verification
from vault.oversight.objects import CheckedComponent, check_object
from vault.oversight.structure_check import UNREADABLE, Structure, check_structure, guarded, problem_of
from vault.oversight.tables import leftovers
from vault.retention.model import Event as RetentionEvent
from vault.retention.tables import RECORD_TABLES as RETENTION_TABLES
from vault.retention.tables import lock_tasks

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
    HoldsEvent.RECORD_HELD.value,
    HoldsEvent.RECORD_RELEASED.value,
    HoldsEvent.STORES_HOLD.value,
)

Progress = Callable[[str, int, int | None], None]


def verify(ctx: Context, progress: Progress | None = None) -> Verification:
    """Verifies the whole archive; changes nothing. `progress` gets a stage, how many are done, and of how many."""
    return _Whole(ctx, progress or (lambda _stage, _done, _all: None)).run()


def _of_ledger(found: TableFinding) -> Finding:
    return Finding(FindingCode.LEDGER, "entry", found.subject, {"code": found.code, "sentence": found.sentence})


class _Whole:
    """One verification of everything: each part by itself, so that what spoils one hides nothing of the others."""

    def __init__(self, ctx: Context, say: Progress) -> None:
        self._ctx, self._say = ctx, say
        self._secret, self._key = ctx.custodian.witness_secret(), ctx.custodian.public_key()
        self._findings: list[Finding] = []
        self._structure = Structure((), frozenset())
        self._entries = self._records = self._components = 0
        self._has_gaps = self._is_law_right = False
        self._elsewhere: Counter[str] = Counter()

    def run(self) -> Verification:
        """Every part in its order; the ledger first, because the others are judged by it."""
        self._ctx.keyring.forget()  # what the process remembers is not what is in the database
        with self._ctx.database.read() as connection:
            self._structure = check_structure(connection)
            self._findings += self._structure.findings
            self._say("ledger", 0, None)
            self._part("ledger", self._check_ledger, connection)
            before = len(self._findings)
            self._part("law", self._check_law, connection)
            self._is_law_right = len(self._findings) == before and not self._structure.findings
            if not self._is_law_right:
                self._findings.append(Finding(FindingCode.DUE_DATES_UNPROVEN, "table", "record_states"))
            self._part("decisions", self._check_decisions, connection)
            self._part("records", self._check_records, connection)
            self._part("removed", _removed_records, connection)
            self._part("keyring", partial(check_keyring, self._ctx), connection)
        guarded("published", self._findings, self._check_published)
        notes = [
            Finding(FindingCode.COPIES_ELSEWHERE, "store", store, {"count": str(count)})
            for store, count in sorted(self._elsewhere.items())
        ]
        notes += [found for found in self._findings if found.code in NOTED]
        findings = tuple(found for found in self._findings if found.code not in NOTED)
        if self._structure.can_read(component_copies, leftovers):
            notes += _unknown_objects(self._ctx, self._say)
        return Verification(findings, tuple(notes), self._records, self._components, self._entries)

    def _part(self, name: str, check: Callable[[Connection], list[Finding]], connection: Connection) -> None:
        guarded(name, self._findings, partial(check, connection), connection)

    def _check_ledger(self, connection: Connection) -> list[Finding]:
        verdict = check_ledger(connection, self._key, self._secret)
        self._entries = verdict.entries
        self._has_gaps = any(found.code in {"entry-removed", "leaf-removed"} for found in verdict.findings)
        return [_of_ledger(found) for found in verdict.findings]

    def _check_law(self, connection: Connection) -> list[Finding]:
        return check_law(connection, self._secret, has_gaps=self._has_gaps)

    def _check_decisions(self, connection: Connection) -> list[Finding]:
        if not self._structure.can_read(matters, holds, proposals, approvals, ledger_entries, ledger_leaves):
            return []  # which of them, is named already
        return check_decisions(connection, self._secret, has_gaps=self._has_gaps)

    def _check_published(self) -> list[Finding]:
        return [_of_ledger(found) for found in check_published(self._ctx.database, self._ctx.store, self._key)]

    def _check_records(self, connection: Connection) -> list[Finding]:
        findings: list[Finding] = []
        total = connection.execute(select(func.count()).select_from(records)).scalar_one()
        with ThreadPoolExecutor(THREADS) as pool:
            for page in _record_pages(connection):
                findings += self._check_page(connection, pool, page)
                self._records += len(page)
                self._say("records", self._records, total)
        return findings

    def _check_page(self, connection: Connection, pool: ThreadPoolExecutor, page: list[Any]) -> list[Finding]:
        """The records of a page; one by one where a row of theirs cannot be read."""
        try:
            with connection.begin_nested():
                return self._check_rows(connection, pool, page)
        except UNREADABLE as error:
            if len(page) > 1:
                return [found for row in page for found in self._check_page(connection, pool, [row])]
            facts = {"problem": problem_of(error)}
            return [Finding(FindingCode.ROW_UNREADABLE, "record", str(page[0]["id"]), facts)]

    def _check_rows(self, connection: Connection, pool: ThreadPoolExecutor, page: list[Any]) -> list[Finding]:
        findings: list[Finding] = []
        rows = rows_of(connection, page, without=self._structure.broken)
        if self._structure.can_read(ledger_entries, ledger_leaves):
            findings += compare_rows(connection, self._secret, page, rows, has_gaps=self._has_gaps)
        if self._is_law_right:
            findings += compare_due_dates(connection, rows["record_states"], self._ctx.clock.now())
        if self._structure.can_read(components, component_copies, record_keys, key_groups, key_epochs):
            is_said = self._structure.can_read(held_records, hold_tasks, lock_tasks)
            parts, unopened = components_of(self._ctx, connection, rows, is_said=is_said)
            findings += unopened
            for found in pool.map(lambda part: check_object(self._ctx, part), parts):
                findings += found
            self._elsewhere += copies_by_place(rows, self._ctx.store.name)[1]
        self._components += sum(len(held) for held in rows.get("components", {}).values())
        return findings


def _record_pages(connection: Connection) -> Iterator[list[Any]]:
    last: UUID | None = None
    while True:
        query = select(records).order_by(records.c.id).limit(_PAGE)
        page = list(connection.execute(query if last is None else query.where(records.c.id > last)).mappings())
        if not page:
            return
        last = page[-1]["id"]
        yield page
        if last is None:  # rows without an id come last, and nothing comes after them
            return


Rows = dict[str, dict[UUID, list[Any]]]


def rows_of(connection: Connection, page: list[Any], *, without: frozenset[str] = frozenset()) -> Rows:
    """The rows of each table that belong to the records of a page, `without` the tables that cannot be read."""
    ids = [row["id"] for row in page]
    rows: Rows = {"records": {row["id"]: [row] for row in page}}
    for table in (record_states, components, personal_fields, corrections, *RETENTION_TABLES, *HOLDS_TABLES):
        if table.name in without:
            continue
        rows[table.name] = _grouped(
            connection.execute(
                select(table).where(table.c.record_id.in_(ids)).order_by(*table.primary_key.columns)
            ).mappings(),
            "record_id",
        )
    if {components.name, component_copies.name} & without:
        return rows
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


def compare_rows(
    connection: Connection, witness_secret: bytes, page: list[Any], rows: Rows, *, has_gaps: bool = False
) -> list[Finding]:
    """Each table's rows of a record against the newest digest that the service's own ledger entries hold of them.

    `has_gaps`: entries were removed from the ledger, so a record that is ahead of its entries may have lost one.
    """
    witnessed = _witnessed_digests(connection, witness_secret, [row["id"] for row in page])
    findings = []
    for record in page:
        subject, proof = ("record", str(record["id"])), witnessed.get(record["id"])
        if proof is None:
            findings.append(Finding(FindingCode.ROW_UNWITNESSED, *subject))
            continue
        if has_gaps and any(row["revision"] > proof.revision for row in rows["record_states"].get(record["id"], [])):
            proof.is_damaged = True
        salt, differing = bytes(record["salt"]), []
        for table, held in sorted(rows.items()):
            found = held.get(record["id"], [])
            expected = proof.digest_of(table)  # none: no act has put a row there
            is_right = _digest(table, salt, found) == expected if expected is not None else not found
            if not is_right:
                differing.append(table)
        if differing and proof.is_damaged:
            findings.append(Finding(FindingCode.ROW_UNPROVEN, *subject))
        else:
            findings += [Finding(FindingCode.ROW_ALTERED, *subject, {"table": table}) for table in differing]
    return findings


def _digest(table: str, salt: bytes, rows: list[Any]) -> str | None:
    """None of rows that the service cannot have written: a value in them has no canonical form."""
    try:
        return rows_digest(table, salt, rows)
    except (ValueError, TypeError):
        return None


@dataclass
class _Proof:
    """What the ledger holds of one record's rows: by table the newest revision and its digest."""

    newest: dict[str, tuple[int, str]] = field(default_factory=dict)
    is_damaged: bool = False  # an entry that the service wrote was altered or removed: what it held is not known

    @property
    def revision(self) -> int:
        return max((revision for revision, _ in self.newest.values()), default=0)

    def digest_of(self, table: str) -> str | None:
        return self.newest[table][1] if table in self.newest else None


def _witnessed_digests(connection: Connection, witness_secret: bytes, ids: list[UUID]) -> dict[UUID, _Proof]:
    """The proofs of some records. What somebody else wrote into the ledger counts for nothing."""
    proofs: dict[UUID, _Proof] = {}
    for row in connection.execute(
        select(ledger_entries.c.subject_id, ledger_entries.c.body, ledger_entries.c.mark, ledger_leaves.c.leaf_hash)
        .join(ledger_leaves, ledger_leaves.c.entry_id == ledger_entries.c.id, isouter=True)
        .where(ledger_entries.c.subject_id.in_(ids), ledger_entries.c.event.in_(WITNESSING))
    ):
        if not is_own(witness_secret, row.body, row.mark):
            if row.leaf_hash is not None and bytes(row.leaf_hash) != leaf_hash(row.body or b""):
                proofs.setdefault(row.subject_id, _Proof()).is_damaged = True
            continue
        details = json.loads(row.body)["details"]
        newest = proofs.setdefault(row.subject_id, _Proof()).newest
        for table, digest in details["digests"].items():
            if table not in newest or newest[table][0] < details["revision"]:
                newest[table] = (details["revision"], digest)
    return proofs


def copies_by_place(rows: Rows, store: str) -> tuple[dict[UUID, list[Any]], Counter[str]]:
    """By component the copies that `store` must hold, and by store how many others there are.

    Of a component with none under this name the first is looked for here all the same: a home that was moved or restored
    has its store under another name, and reads from it.
    """
    held: dict[UUID, list[Any]] = {}
    for row in (row for of_record in rows["component_copies"].values() for row in of_record):
        held.setdefault(row["component_id"], []).append(row)
    here = {
        component_id: [row for row in found if row["store"] == store] or found[:1]
        for component_id, found in held.items()
    }
    looked_at = {(row["component_id"], row["store"]) for found in here.values() for row in found}
    others = Counter(
        row["store"]
        for found in held.values()
        for row in found
        if (row["component_id"], row["store"]) not in looked_at
    )
    return here, others


def components_of(
    ctx: Context, connection: Connection, rows: Rows, *, is_said: bool = True
) -> tuple[list[CheckedComponent], list[Finding]]:
    """The components among the rows, with their copies and keys; where a record's key is gone or damaged, each is named.

    `is_said`: what is said of holds can be read, so that the store's are held against it.
    """
    copies, _ = copies_by_place(rows, ctx.store.name)
    every = (row for held in rows["components"].values() for row in held)
    owned = [(row["record_id"], copy) for row in every for copy in copies.get(row["id"], [])]
    said = said_of_copies(connection, rows["components"], owned) if is_said else {}
    parts, findings = [], []
    for record_id, held in rows["components"].items():
        try:
            record_key = ctx.keyring.record_key(connection, record_id)
        except VaultError as error:
            facts = {"record_id": str(record_id), "problem": error.code}
            findings += [Finding(FindingCode.OBJECT_UNREADABLE, "component", str(row["id"]), facts) for row in held]
            continue
        parts += [
            CheckedComponent(record_key, dict(row), dict(copy), said.get(row["id"]))
            for row in held
            for copy in copies.get(row["id"], [])
        ]
    return parts, findings


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
