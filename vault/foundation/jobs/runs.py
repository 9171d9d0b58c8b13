"""Runs: where long work is, how fast it goes, and the wish to end it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, Row, case, func, select

from vault.foundation.clock import Clock
from vault.foundation.db import keyset
from vault.foundation.db.engine import Database
from vault.foundation.db.keyset import COUNT_MAX, EVERYTHING, FIRST, Page, Picked, Span
from vault.foundation.db.transaction import Transaction
from vault.foundation.errors import NotFoundOrNotYours
from vault.foundation.ids import new_id
from vault.foundation.jobs.errors import JobCancelled, JobPutOff
from vault.foundation.jobs.queue import defer
from vault.foundation.jobs.tables import job_runs
from vault.foundation.ledger.entry import SYSTEM

_TELL_EVERY_S = 0.5
EVENT_CANCEL_ASKED = "jobs:job:cancel"


@dataclass(frozen=True)
class Run:
    """One run as people see it."""

    id: UUID
    task: str
    state: str
    done: int
    total: int | None
    result: dict[str, Any]
    problem: str | None
    started_by: UUID | None
    cancel_requested: bool
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None


def create(tx: Transaction, task: str) -> UUID:
    """Notes a run that waits; enqueue its job in the same transaction."""
    run_id = new_id()
    tx.connection.execute(
        job_runs.insert(),
        {
            "id": run_id,
            "task": task,
            "state": "waiting",
            "started_by": tx.actor.id,
            "created_at": tx.clock.now(),
        },
    )
    return run_id


def request_cancel(tx: Transaction, run_id: UUID) -> None:
    """Asks a run to end at its next step; one that still waits ends at once. Leaves `jobs:job:cancel`.

    Raises:
        NotFoundOrNotYours: no such open run.
    """
    is_waiting = job_runs.c.state == "waiting"
    state = tx.connection.execute(
        job_runs.update()
        .where(job_runs.c.id == run_id, job_runs.c.state.in_(["waiting", "running"]))
        .values(
            cancel_requested=True,
            state=case((is_waiting, "cancelled"), else_=job_runs.c.state),
            finished_at=case((is_waiting, tx.clock.now()), else_=None),
        )
        .returning(job_runs.c.state)
    ).scalar_one_or_none()
    if state is None:
        raise NotFoundOrNotYours
    tx.witness(EVENT_CANCEL_ASKED, "job", run_id)


def get_run(connection: Connection, run_id: UUID) -> Run:
    """One run. Raises NotFoundOrNotYours."""
    row = connection.execute(select(job_runs).where(job_runs.c.id == run_id)).one_or_none()
    if row is None:
        raise NotFoundOrNotYours
    return _run(row)


@dataclass(frozen=True)
class RunFilters:
    """Which runs; all given conditions must hold. `created_before` excludes its instant."""

    state: str | None = None
    task: str | None = None
    created_from: datetime | None = None
    created_before: datetime | None = None


def find_runs(
    connection: Connection, filters: RunFilters, span: Span = FIRST, *, picked: Picked = EVERYTHING
) -> Page[Run]:
    """One page of the runs, newest first."""
    query = select(job_runs).where(*_conditions(filters), *picked.conditions(job_runs.c.id))
    return keyset.cut(connection, query, job_runs.c.id, span, lambda rows: map(_run, rows))


def count_runs(
    connection: Connection, filters: RunFilters, *, picked: Picked = EVERYTHING, at_most: int | None = COUNT_MAX
) -> int:
    """How many runs there are, at most `at_most` + 1 (which means "more")."""
    query = select(job_runs.c.id).where(*_conditions(filters), *picked.conditions(job_runs.c.id))
    return keyset.count(connection, query, at_most)


def known_tasks(connection: Connection) -> tuple[str, ...]:
    """The tasks that ever ran."""
    return tuple(connection.execute(select(job_runs.c.task).distinct().order_by(job_runs.c.task)).scalars())


def _conditions(filters: RunFilters) -> list[ColumnElement[bool]]:
    wanted: list[ColumnElement[bool]] = []
    if filters.state is not None:
        wanted.append(job_runs.c.state == filters.state)
    if filters.task is not None:
        wanted.append(job_runs.c.task == filters.task)
    if filters.created_from is not None:
        wanted.append(job_runs.c.created_at >= filters.created_from)
    if filters.created_before is not None:
        wanted.append(job_runs.c.created_at < filters.created_before)
    return wanted


def newest(connection: Connection, task: str, before: datetime | None = None) -> Run | None:
    """The run of a task that was asked for last; `before` leaves out what a clock that was wrong noted later than that."""
    found = find_runs(connection, RunFilters(task=task, created_before=before), Span(size=1)).lines
    return found[0] if found else None


def newest_done(connection: Connection, task: str) -> Run | None:
    """The run of a task that was asked for last among those that came to their end."""
    found = find_runs(connection, RunFilters(task=task, state="done"), Span(size=1)).lines
    return found[0] if found else None


def count_by_state(connection: Connection) -> dict[str, int]:
    """How many runs are in each state."""
    rows = connection.execute(select(job_runs.c.state, func.count().label("runs")).group_by(job_runs.c.state))
    return {row.state: row.runs for row in rows}


class Progress:
    """A running run: told now and then how far it is, it raises when somebody wants it to end, or the worker must."""

    def __init__(
        self, database: Database, clock: Clock, run_id: UUID, is_ending: Callable[[], bool] = lambda: False
    ) -> None:
        self.run_id = run_id
        self._is_ending = is_ending
        self._database = database
        self._clock = clock
        self._told_s = -_TELL_EVERY_S

    def start(self) -> bool:
        """Marks the run as running, also one taken over from a dead worker or tried again after a failure.

        False: there is nothing to do, because it was cancelled before it began, or ended just before its worker died.
        """
        now = self._clock.now()
        asked = self._update(
            only_if=job_runs.c.state.not_in(["done", "cancelled"]),
            state="running",
            started_at=now,
            beat_at=now,
            finished_at=None,
            problem=None,
        )
        return asked is not None

    def tell(self, done: int, total: int | None) -> None:
        """Tells how far the work is, at most twice a second.

        Raises:
            JobCancelled: somebody asked for the end.
            JobPutOff: the worker is ending.
        """
        if self._is_ending():
            raise JobPutOff
        now_s = self._clock.monotonic()
        if now_s - self._told_s < _TELL_EVERY_S:
            return
        self._told_s = now_s
        if self._update(done=done, total=total, beat_at=self._clock.now()):
            raise JobCancelled

    def finish(self, **result: Any) -> None:
        """Ends the run with its result: counts and codes only."""
        self._update(state="done", finished_at=self._clock.now(), result=result)

    def fail(self, problem: str) -> None:
        """Ends the run with the code of what went wrong."""
        self._update(state="failed", finished_at=self._clock.now(), problem=problem)

    def cancelled(self) -> None:
        """Ends the run as somebody wanted."""
        self._update(state="cancelled", finished_at=self._clock.now())

    def put_off(self, after_s: int = 0, **arguments: Any) -> None:
        """Has the run wait for a worker again, for so many seconds, with a job like the one that is being given up."""
        with self._database.transaction(SYSTEM) as tx:
            task = tx.connection.execute(
                job_runs.update()
                .where(job_runs.c.id == self.run_id)
                .values(state="waiting")
                .returning(job_runs.c.task)
            ).scalar_one()
            defer(tx, task, after_s=after_s, run_id=str(self.run_id), **arguments)
            tx.commit()

    def _update(self, *, only_if: ColumnElement[bool] | None = None, **values: Any) -> bool | None:
        """Whether somebody wants the end; nothing when there is no such run, or not in that state."""
        query = job_runs.update().where(job_runs.c.id == self.run_id)
        if only_if is not None:
            query = query.where(only_if)
        with self._database.transaction(SYSTEM) as tx:
            asked: bool | None = tx.connection.execute(
                query.values(**values).returning(job_runs.c.cancel_requested)
            ).scalar_one_or_none()
            tx.commit()
        return asked


def _run(row: Row[Any]) -> Run:
    return Run(
        id=row.id,
        task=row.task,
        state=row.state,
        done=row.done,
        total=row.total,
        result=dict(row.result),
        problem=row.problem,
        started_by=row.started_by,
        cancel_requested=row.cancel_requested,
        created_at=row.created_at,
        started_at=row.started_at,
        finished_at=row.finished_at,
    )
