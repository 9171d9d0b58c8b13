"""Verification as background work."""

from __future__ import annotations

from vault.access.model import Viewer
from vault.access.rights import Right
from vault.foundation.context import Context
from vault.foundation.jobs import runs
from vault.foundation.jobs.queue import defer
from vault.foundation.ledger.entry import SYSTEM
from vault.oversight.verification import verify

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

    with ctx.database.transaction(SYSTEM) as tx:
        tx.witness(
            EVENT_VERIFIED,
            "job",
            progress.run_id,
            records=verdict.records,
            components=verdict.components,
            entries=verdict.ledger_entries,
            findings=len(verdict.findings),
        )
        tx.commit()
    progress.finish(
        records=verdict.records,
        components=verdict.components,
        entries=verdict.ledger_entries,
        findings=[
            {"code": f.code.value, "subject_type": f.subject_type, "subject_id": f.subject_id, "facts": f.facts}
            for f in verdict.findings[:_FINDINGS_KEPT]
        ],
        findings_count=len(verdict.findings),
        notes_count=len(verdict.notes),
    )
