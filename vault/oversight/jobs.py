"""Verification and reconciliation as background work."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import Any
from uuid import UUID

from sqlalchemy.exc import ProgrammingError

from vault.access.model import Viewer
from vault.access.rights import Right
from vault.foundation.context import Context
from vault.foundation.db.transaction import Transaction
from vault.foundation.errors import N_, InvalidInput, VaultError
from vault.foundation.ids import is_id
from vault.foundation.jobs import runs
from vault.foundation.jobs.errors import JobCancelled
from vault.foundation.jobs.queue import defer
from vault.foundation.ledger.entry import SYSTEM, Actor
from vault.intake.abandonment import ABANDONED_AFTER
from vault.oversight.comparison import PER_SECOND
from vault.oversight.errors import ReconciliationUnderWay
from vault.oversight.model import Finding, Reconciliation, RecordVerification, Verification
from vault.oversight.reconciliation import reconcile
from vault.oversight.record_check import finding_json, keep
from vault.oversight.verification import Progress, verify

TASK_VERIFY = "oversight:verify"
TASK_RECONCILE = "oversight:reconcile"
EVENT_VERIFICATION_ASKED = "oversight:verification:start"
EVENT_VERIFIED = "oversight:verification:finish"
EVENT_RECONCILIATION_ASKED = "oversight:reconciliation:start"
EVENT_RECONCILED = "oversight:reconciliation:finish"
RECONCILE_EVERY = timedelta(hours=24)
_FINDINGS_KEPT = 200
_OLDER_THAN_MAX_H = 24 * 365


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

    Where the tables to keep it in are gone it is only returned, and they are among the findings.

    Leaves `oversight:verification:finish`.
    """
    try:
        with ctx.database.transaction(actor) as tx:
            run_id = runs.create(tx, TASK_VERIFY)
            tx.commit()
    except ProgrammingError:
        return verify(ctx, progress)
    run = runs.Progress(ctx.database, ctx.clock, run_id)
    run.start()
    try:
        verdict = verify(ctx, progress)
    except BaseException as error:
        run.fail(error.code if isinstance(error, VaultError) else VaultError.code)
        raise
    try:
        keep_verdict(ctx, actor, run_id, verdict)
    except ProgrammingError as error:
        run.fail(type(error).__name__)
        if verdict.is_clean:
            raise
    else:
        run.finish(**_result(verdict))
    return verdict


def keep_verdict(ctx: Context, actor: Actor, run_id: UUID, verdict: Verification) -> None:
    """Keeps with each record what was found of it. Leaves `oversight:verification:finish`."""
    by_record: dict[UUID, list[Finding]] = {}
    for finding in verdict.findings:
        named = finding.subject_id if finding.subject_type == "record" else finding.facts.get("record_id")
        if named is not None and is_id(named):
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


def ask_reconciliation(ctx: Context, viewer: Viewer, older_than_h: int | None = None) -> str:
    """Enqueues a reconciliation of the store; returns the run's id. Leaves `oversight:reconciliation:start`.

    `older_than_h`: what is younger, in hours, is left alone; usually `ABANDONED_AFTER`.

    Raises:
        NotAllowed: the viewer lacks `stores:store:reconcile`.
        InvalidInput: the age is less than an hour or more than a year.
    """
    viewer.require(Right.STORES_STORE_RECONCILE)
    older_than = age(older_than_h)
    with ctx.database.transaction(viewer.actor) as tx:
        run_id = _enqueue_reconciliation(tx, older_than)
        tx.witness(EVENT_RECONCILIATION_ASKED, "job", run_id)
        tx.commit()
    return str(run_id)


def ask_reconciliation_if_due(ctx: Context) -> bool:
    """Enqueues the daily reconciliation when none was begun for a day. The clock calls this now and then."""
    with ctx.database.transaction(SYSTEM) as tx:
        now = tx.clock.now()
        newest = runs.newest(tx.connection, TASK_RECONCILE, before=now + RECONCILE_EVERY)
        if newest is not None and now - newest.created_at < RECONCILE_EVERY:
            return False
        _enqueue_reconciliation(tx, ABANDONED_AFTER)
        tx.commit()
    return True


def run_reconciliation(ctx: Context, progress: runs.Progress, older_than_s: int) -> None:
    """Reconciles, and keeps the counts with the run. Leaves `oversight:reconciliation:finish`."""
    try:
        outcome = reconcile(
            ctx, SYSTEM, older_than=timedelta(seconds=older_than_s), progress=partial(_tell_run, progress)
        )
    except ReconciliationUnderWay as error:
        progress.fail(error.code)  # nothing is wrong: what was wanted is being done by another run
        return
    _keep_reconciliation(ctx, SYSTEM, progress, outcome)


def reconcile_and_keep(
    ctx: Context,
    actor: Actor,
    older_than_h: int | None = None,
    progress: Progress | None = None,
    per_second: float | None = PER_SECOND,
) -> Reconciliation:
    """Reconciles at once, for the command line, and keeps the outcome as that of a run.

    Leaves `oversight:reconciliation:finish`.

    Raises:
        InvalidInput: the age is less than an hour or more than a year.
        JobCancelled: somebody asked for the end of the run.
        ReconciliationUnderWay: another process is at it.
        StoreUnavailable, StoreDenied: the store cannot be asked.
    """
    older_than = age(older_than_h)
    with ctx.database.transaction(actor) as tx:
        run_id = runs.create(tx, TASK_RECONCILE)
        tx.commit()
    run = runs.Progress(ctx.database, ctx.clock, run_id)
    run.start()

    def tell(stage: str, done: int, total: int | None) -> None:
        if progress is not None:
            progress(stage, done, total)
        _tell_run(run, stage, done, total)

    try:
        outcome = reconcile(ctx, actor, older_than=older_than, per_second=per_second, progress=tell)
    except JobCancelled:
        run.cancelled()
        raise
    except BaseException as error:
        run.fail(error.code if isinstance(error, VaultError) else "interrupted")
        raise
    _keep_reconciliation(ctx, actor, run, outcome)
    return outcome


def _tell_run(run: runs.Progress, stage: str, done: int, total: int | None) -> None:
    """Cancelling is heard in every stage; the bar is that of the one that takes long."""
    run.tell(*((done, total) if stage == "versions" else (0, None)))


def age(older_than_h: int | None) -> timedelta:
    """The age from which something counts as left over. Raises InvalidInput."""
    if older_than_h is None:
        return ABANDONED_AFTER
    if not 1 <= older_than_h <= _OLDER_THAN_MAX_H:
        raise InvalidInput(field="older_than_hours", problem=N_("1 to 8,760 hours are possible"))
    return timedelta(hours=older_than_h)


def _enqueue_reconciliation(tx: Transaction, older_than: timedelta) -> UUID:
    run_id = runs.create(tx, TASK_RECONCILE)
    defer(tx, TASK_RECONCILE, run_id=str(run_id), older_than_s=int(older_than.total_seconds()))
    return run_id


def _keep_reconciliation(ctx: Context, actor: Actor, run: runs.Progress, outcome: Reconciliation) -> None:
    with ctx.database.transaction(actor) as tx:
        counts = outcome.counts
        tx.witness(
            EVENT_RECONCILED,
            "job",
            run.run_id,
            abandoned=counts["abandoned"],
            noted=counts["noted"],
            resolved=counts["resolved"],
            versions=counts["versions"],
            leftovers=counts["leftovers"],
            drifts=counts["drifts"],
            alarms=counts["alarms"],
            repaired=counts["repaired"],
        )
        tx.commit()
    run.finish(**counts, settled=[finding_json(finding) for finding in outcome.settled[:_FINDINGS_KEPT]])
