"""The list of long work."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sqlalchemy import Connection

from vault.access.model import Viewer
from vault.access.rights import Right
from vault.foundation.context import Context
from vault.foundation.db.keyset import Picked
from vault.foundation.errors import N_
from vault.foundation.jobs import runs
from vault.foundation.jobs.runs import Run, RunFilters
from vault.oversight.jobs import TASK_RECONCILE, TASK_VERIFY
from vault.retention.jobs import TASK_SWEEP
from vault.retention.simulation_jobs import TASK_SIMULATE
from vault.surfaces.lists.listing import Listing, Question, Speech

TASK_WORDS = {
    TASK_VERIFY: N_("Verification of the archive"),
    TASK_RECONCILE: N_("Reconciliation of store and catalogue"),
    TASK_SWEEP: N_("Due dates computed anew"),
    TASK_SIMULATE: N_("Simulation of a schedule version"),
}


def _ask(
    _ctx: Context, connection: Connection, _viewer: Viewer, filters: RunFilters, picked: Picked
) -> Question[Run]:
    return Question(
        lambda span: runs.find_runs(connection, filters, span, picked=picked),
        lambda at_most: runs.count_runs(connection, filters, picked=picked, at_most=at_most),
    )


def _rows(speech: Speech, lines: Sequence[Run]) -> Iterable[Sequence[object]]:
    names = speech.names(run.started_by for run in lines)
    for run in lines:
        yield (
            speech.say(TASK_WORDS.get(run.task, run.task)),
            speech.state("job", run.state),
            run.done,
            run.total,
            names.get(run.started_by, "") if run.started_by else "",
            run.created_at,
            run.started_at,
            run.finished_at,
            run.problem,
            run.id,
        )


JOBS: Listing[RunFilters, Run] = Listing(
    name="jobs",
    right=Right.JOBS_JOB_READ,
    ask=_ask,
    headings=(
        N_("Job"),
        N_("State"),
        N_("Done"),
        N_("Of"),
        N_("Asked for by"),
        N_("Asked for at"),
        N_("Started"),
        N_("Ended"),
        N_("Problem"),
        N_("Id"),
    ),
    rows=_rows,
)
