"""Verification as background work."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from vault.access.model import Viewer
from vault.access.rights import Right
from vault.foundation.context import Context
from vault.foundation.jobs import runs
from vault.foundation.jobs.queue import defer
from vault.foundation.ledger.entry import SYSTEM, Actor
from vault.oversight.model import Finding, RecordVerification, Verification
from vault.oversight.record_check import finding_json, keep
from vault.oversight.verification import Progress, verify

TASK_VERIFY = "oversight:verify"
EVENT_VERIFICATION_ASKED = "oversight:verification:start"
EVENT_VERIFIED = "oversight:verification:finish"
_FINDINGS_KEPT = 200


def ask_verification(ctx: Context, viewer: Viewer) -> str:
    """Enqueues a verification of the whole archive; returns the run's id. Leaves `oversight:verification:start`.

    Raises:
        NotAllowed: the viewer lacks `ledger:ledger:verify`.
    """
    viewer.require(Right.LEDGER_LEDGER_VERIFY)
    with ctx.database.transaction(viewer.actor) as tx:
        run_id = runs.create(tx, TASK_VERIFY)
        tx.witness(EVENT_VERIFICATION_ASKED, "job", run_id)
        defer(tx, TASK_VERIFY, run_id=str(run_id))
        tx.commit()
    return str(run_id)


def run_verification(ctx: Context, progress: runs.Progress) -> None:
    """Verifies, and keeps the findings with the run. Leaves `oversight:verification:finish`."""

    def tell(stage: str, done: int, total: int | None) -> None:
        if stage == "records":
            progress.tell(done, total)

    verdict = verify(ctx, tell)
    keep_verdict(ctx, SYSTEM, progress.run_id, verdict)
    progress.finish(**_result(verdict))


def verify_and_keep(ctx: Context, actor: Actor, progress: Progress | None = None) -> Verification:
    """Verifies everything at once, for the command line, and keeps the outcome as that of a run.

    Leaves `oversight:verification:finish`.
    """
    with ctx.database.transaction(actor) as tx:
        run_id = runs.create(tx, TASK_VERIFY)
        tx.commit()
    run = runs.Progress(ctx.database, ctx.clock, run_id)
    run.start()
    verdict = verify(ctx, progress)
    keep_verdict(ctx, actor, run_id, verdict)
    run.finish(**_result(verdict))
    return verdict


def keep_verdict(ctx: Context, actor: Actor, run_id: UUID, verdict: Verification) -> None:
    """Keeps with each record what was found of it. Leaves `oversight:verification:finish`."""
    by_record: dict[UUID, list[Finding]] = {}
    for finding in verdict.findings:
        named = finding.subject_id if finding.subject_type == "record" else finding.facts.get("record_id")
        if named is not None:
            by_record.setdefault(UUID(named), []).append(finding)
    with ctx.database.transaction(actor) as tx:
        for record_id, findings in by_record.items():
            told = RecordVerification(ctx.clock.now(), False, actor.kind, actor.id, run_id, None, (), tuple(findings))
            keep(tx, record_id, told)
        tx.witness(
            EVENT_VERIFIED,
            "job",
            run_id,
            records=verdict.records,
            components=verdict.components,
            entries=verdict.ledger_entries,
            findings=len(verdict.findings),
        )
        tx.commit()


def _result(verdict: Verification) -> dict[str, Any]:
    return {
        "records": verdict.records,
        "components": verdict.components,
        "entries": verdict.ledger_entries,
        "findings": [finding_json(finding) for finding in verdict.findings[:_FINDINGS_KEPT]],
        "findings_count": len(verdict.findings),
        "notes_count": len(verdict.notes),
    }
