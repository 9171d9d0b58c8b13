"""One record verified now: its objects, their locks, its catalogue rows, and its entries in the signed ledger.

The same checks as for everything, for whoever stands before one record and wants to know. The outcome is kept.
"""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, select
from sqlalchemy.dialects.postgresql import insert

from vault.access.model import Viewer
from vault.access.rights import Right
from vault.catalogue.queries import get_record
from vault.catalogue.tables import records
from vault.foundation.context import Context
from vault.foundation.db.transaction import Transaction
from vault.foundation.ledger.checkpoint import open_note
from vault.foundation.ledger.entry import leaf_hash
from vault.foundation.ledger.errors import LedgerDamaged
from vault.foundation.ledger.merkle import root_of_inclusion
from vault.foundation.ledger.queries import ProvenEntry, proven_entry
from vault.foundation.ledger.tables import ledger_entries
from vault.oversight.due_dates import compare_due_dates
from vault.oversight.law_check import check_law
from vault.oversight.model import NOTED, Check, CheckCode, Finding, FindingCode, RecordVerification
from vault.oversight.objects import check_object
from vault.oversight.tables import record_verifications
from vault.oversight.verification import THREADS, WITNESSING, Rows, compare_rows, components_of, rows_of

EVENT_RECORD_VERIFIED = "oversight:record:verify"
_ROWS = {
    FindingCode.ROW_ALTERED,
    FindingCode.DUE_DATE_ALTERED,
    FindingCode.DUE_DATES_UNPROVEN,
    FindingCode.ROW_REMOVED,
    FindingCode.ROW_UNWITNESSED,
    FindingCode.ROW_UNPROVEN,
}
_LOCKS = {FindingCode.LOCK_SHORTENED, FindingCode.LOCK_DAMAGED, FindingCode.HOLD_GONE}


def proven(ctx: Context, record_ids: Iterable[UUID]) -> frozenset[UUID]:
    """The records among these whose rows are what the ledger witnessed."""
    with ctx.database.read() as connection:
        page = list(connection.execute(select(records).where(records.c.id.in_(list(record_ids)))).mappings())
        findings = compare_rows(connection, ctx.custodian.witness_secret(), page, rows_of(connection, page))
    wrong = {finding.subject_id for finding in findings}
    return frozenset(row["id"] for row in page if str(row["id"]) not in wrong)


def verify_record(ctx: Context, viewer: Viewer, record_id: UUID) -> RecordVerification:
    """Verifies one record, whole; reads every byte of it. Leaves `oversight:record:verify`.

    Raises:
        NotAllowed: the viewer lacks `records:record:verify`.
        NotFoundOrNotYours: no such record for this viewer.
    """
    viewer.require(Right.RECORDS_RECORD_VERIFY)
    with ctx.database.read() as connection:
        revision = get_record(connection, viewer, record_id).revision
        page = list(connection.execute(select(records).where(records.c.id == record_id)).mappings())
        rows = rows_of(connection, page)
        findings = compare_rows(connection, ctx.custodian.witness_secret(), page, rows)
        if check_law(connection, ctx.custodian.witness_secret()):
            findings.append(Finding(FindingCode.DUE_DATES_UNPROVEN, "record", str(record_id)))
        else:
            findings += compare_due_dates(connection, rows["record_states"], ctx.clock.now())
        proofs, unproven = _proofs(ctx, connection, record_id)
        parts, unopened = components_of(ctx, connection, rows)
    findings += unopened + unproven
    with ThreadPoolExecutor(THREADS) as pool:
        for found in pool.map(lambda part: check_object(ctx, part), parts):
            findings += [one for one in found if one.code not in NOTED]  # reconciliation shows those
    findings += [wrong for proof in proofs if (wrong := _against_checkpoint(ctx, proof))]
    pending = sum(1 for proof in proofs if proof.line.leaf_index is None)
    objects = len(rows["components"].get(record_id, []))
    verdict = RecordVerification(
        at=ctx.clock.now(),
        is_clean=not findings,
        actor_kind=viewer.kind,
        actor_id=viewer.id,
        run_id=None,
        revision=revision,
        checks=_checks(findings, objects=objects, rows=_count(rows, record_id), entries=len(proofs), pending=pending),
        findings=tuple(findings),
    )
    with ctx.database.transaction(viewer.actor) as tx:
        keep(tx, record_id, verdict)
        tx.witness(
            EVENT_RECORD_VERIFIED,
            "record",
            record_id,
            revision=revision,
            components=objects,
            entries=len(proofs),
            findings=len(findings),
        )
        tx.commit()
    return verdict


def keep(tx: Transaction, record_id: UUID, verdict: RecordVerification) -> None:
    """Keeps the newest outcome for a record; the caller witnesses it."""
    values = {
        "at": verdict.at,
        "actor_kind": verdict.actor_kind,
        "actor_id": verdict.actor_id,
        "run_id": verdict.run_id,
        "revision": verdict.revision,
        "is_clean": verdict.is_clean,
        "checks": [
            {"code": c.code.value, "is_ok": c.is_ok, "count": c.count, "pending": c.pending} for c in verdict.checks
        ],
        "findings": [finding_json(finding) for finding in verdict.findings],
    }
    tx.connection.execute(
        insert(record_verifications)
        .values(record_id=record_id, **values)
        .on_conflict_do_update(constraint=record_verifications.primary_key, set_=values)
    )


def finding_json(finding: Finding) -> dict[str, Any]:
    """A finding as it is kept."""
    return {
        "code": finding.code.value,
        "subject_type": finding.subject_type,
        "subject_id": finding.subject_id,
        "facts": finding.facts,
    }


def _proofs(ctx: Context, connection: Connection, record_id: UUID) -> tuple[list[ProvenEntry], list[Finding]]:
    """The entries that witness the record's rows, each with its path to the newest checkpoint, or why it has none."""
    ids = connection.execute(
        select(ledger_entries.c.id)
        .where(ledger_entries.c.subject_id == record_id, ledger_entries.c.event.in_(WITNESSING))
        .order_by(ledger_entries.c.id)
    ).scalars()
    proofs, findings = [], []
    for entry_id in ids.all():
        try:
            proof = proven_entry(connection, entry_id, ctx.custodian.public_key())
        except LedgerDamaged as error:
            findings.append(_ledger_finding(entry_id, error.code, str(error.facts["problem"])))
        else:
            proofs += [proof] if proof is not None else []
    return proofs, findings


def _against_checkpoint(ctx: Context, proof: ProvenEntry) -> Finding | None:
    """Whether the bytes of an entry lead to the root that the custodian signed; nothing when they do, or not yet."""
    if proof.line.leaf_index is None:
        return None
    if proof.checkpoint_note is None:  # it was numbered and signed in one transaction
        return _ledger_finding(proof.line.id, "signature-wrong", "no signed checkpoint covers the entry")
    checkpoint = open_note(proof.checkpoint_note, ctx.custodian.public_key())
    root = root_of_inclusion(leaf_hash(proof.body), proof.line.leaf_index, checkpoint.size, proof.proof)
    if root != checkpoint.root:
        return _ledger_finding(
            proof.line.id, "not-included", "the entry does not lead to the root of the signed checkpoint"
        )
    return None


def _ledger_finding(entry_id: UUID, code: str, sentence: str) -> Finding:
    return Finding(FindingCode.LEDGER, "entry", str(entry_id), {"code": code, "sentence": sentence})


def _count(rows: Rows, record_id: UUID) -> int:
    return sum(len(held.get(record_id, [])) for held in rows.values())


def _checks(findings: Iterable[Finding], *, objects: int, rows: int, entries: int, pending: int) -> tuple[Check, ...]:
    codes = {finding.code for finding in findings}
    is_unchecked = FindingCode.OBJECT_MISSING in codes or FindingCode.STORE_FAILED in codes
    others = codes - _ROWS - _LOCKS - {FindingCode.LEDGER}
    return (
        Check(CheckCode.BYTES, not others, objects),
        Check(CheckCode.LOCKS, not is_unchecked and not codes & _LOCKS, objects),
        Check(CheckCode.ROWS, not codes & _ROWS, rows),
        Check(CheckCode.LEDGER, FindingCode.LEDGER not in codes, entries, pending),
    )
