"""What oversight knows."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection, func, select

from vault.catalogue.queries import RecordView
from vault.catalogue.tables import corrections
from vault.foundation.jobs import runs
from vault.foundation.jobs.tables import job_runs
from vault.oversight.jobs import TASK_VERIFY
from vault.oversight.model import Check, CheckCode, Finding, FindingCode, RecordVerification
from vault.oversight.tables import record_verifications


def newest_verification(connection: Connection, record: RecordView) -> RecordVerification | None:
    """The newest that is known of a record: by itself, or in a verification of everything that began after it had
    its present state. A record that such a run did not name was clean in it.
    """
    own = _own(connection, record.id)
    corrected_at = connection.execute(
        select(func.max(corrections.c.at)).where(corrections.c.record_id == record.id)
    ).scalar_one()
    changes = [record.received_at, *(component.created_at for component in record.components)]
    run = _run_after(connection, max([*changes, corrected_at] if corrected_at else changes))
    if run is None or run.finished_at is None or (own is not None and own.at > run.finished_at):
        return own
    if own is not None and own.run_id == run.id:
        return own
    return RecordVerification(run.finished_at, True, "system", None, run.id, None, (), ())


def _own(connection: Connection, record_id: UUID) -> RecordVerification | None:
    row = connection.execute(
        select(record_verifications).where(record_verifications.c.record_id == record_id)
    ).one_or_none()
    if row is None:
        return None
    return RecordVerification(
        at=row.at,
        is_clean=row.is_clean,
        actor_kind=row.actor_kind,
        actor_id=row.actor_id,
        run_id=row.run_id,
        revision=row.revision,
        checks=tuple(Check(CheckCode(c["code"]), c["is_ok"], c["count"], c["pending"]) for c in row.checks),
        findings=tuple(
            Finding(FindingCode(f["code"]), f["subject_type"], f["subject_id"], f["facts"]) for f in row.findings
        ),
    )


def _run_after(connection: Connection, since: datetime) -> runs.Run | None:
    """The newest finished verification of everything, when it began after `since`."""
    run_id = connection.execute(
        select(job_runs.c.id)
        .where(job_runs.c.task == TASK_VERIFY, job_runs.c.state == "done")
        .order_by(job_runs.c.id.desc())
        .limit(1)
    ).scalar_one_or_none()
    run = runs.get_run(connection, run_id) if run_id else None
    return run if run is not None and run.started_at is not None and run.started_at > since else None
