"""Runs: what people see of long work, and how it ends early."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import text

from vault.foundation.clock import FixedClock
from vault.foundation.db.engine import Database
from vault.foundation.errors import NotFoundOrNotYours
from vault.foundation.ids import new_id
from vault.foundation.jobs import queue, runs
from vault.foundation.jobs.errors import JobCancelled, JobPutOff
from vault.foundation.ledger.entry import SYSTEM
from vault.foundation.ledger.tables import ledger_entries


@pytest.fixture
def progress(database: Database, clock: FixedClock) -> runs.Progress:
    """A run that waits, seen from its worker."""
    with database.transaction(SYSTEM) as tx:
        run_id = runs.create(tx, "test:work")
        tx.commit()
    return runs.Progress(database, clock, run_id)


def seen(database: Database, progress: runs.Progress) -> runs.Run:
    with database.read() as connection:
        return runs.get_run(connection, progress.run_id)


def cancel(database: Database, progress: runs.Progress) -> None:
    with database.transaction(SYSTEM) as tx:
        runs.request_cancel(tx, progress.run_id)
        tx.commit()


def test_it_is_told_at_most_twice_a_second(database: Database, clock: FixedClock, progress: runs.Progress) -> None:
    assert seen(database, progress).state == "waiting"
    assert progress.start()
    for done in range(1, 8):
        progress.tell(done, 10)
        clock.advance(timedelta(seconds=0.1))
    run = seen(database, progress)
    assert (run.state, run.done, run.total) == ("running", 6, 10)
    progress.finish(found=3)
    run = seen(database, progress)
    assert (run.state, run.result, run.finished_at) == ("done", {"found": 3}, clock.now())


def test_one_that_waits_is_cancelled_at_once(database: Database, progress: runs.Progress) -> None:
    cancel(database, progress)
    run = seen(database, progress)
    assert run.state == "cancelled"
    assert run.finished_at is not None
    assert not progress.start(), "its job finds nothing to do"
    with pytest.raises(NotFoundOrNotYours):
        cancel(database, progress)
    with database.read() as connection:
        events = connection.execute(ledger_entries.select()).all()
    assert [entry.event for entry in events] == ["jobs:job:cancel"]


def test_one_that_runs_hears_it_at_its_next_step(database: Database, progress: runs.Progress) -> None:
    progress.start()
    cancel(database, progress)
    assert (seen(database, progress).state, seen(database, progress).cancel_requested) == ("running", True)
    with pytest.raises(JobCancelled):
        progress.tell(1, 2)
    progress.cancelled()
    assert seen(database, progress).state == "cancelled"


def test_one_that_failed_may_begin_again_and_then_has_no_problem(database: Database, progress: runs.Progress) -> None:
    progress.start()
    progress.fail("store-unavailable")
    assert (seen(database, progress).state, seen(database, progress).problem) == ("failed", "store-unavailable")
    assert progress.start()
    run = seen(database, progress)
    assert (run.state, run.problem, run.finished_at) == ("running", None, None)


def test_one_that_is_done_is_not_done_again(database: Database, progress: runs.Progress) -> None:
    progress.start()
    progress.finish()
    assert not progress.start()


def test_a_worker_that_ends_leaves_the_run_to_the_next(database: Database, clock: FixedClock) -> None:
    with database.transaction(SYSTEM) as tx:
        run_id = runs.create(tx, "test:work")
        tx.commit()
    progress = runs.Progress(database, clock, run_id, lambda: True)
    progress.start()
    with pytest.raises(JobPutOff):
        progress.tell(1, 2)
    progress.put_off(more=5)
    assert seen(database, progress).state == "waiting"
    with database.read() as connection:
        jobs = connection.execute(text("SELECT task_name, args, status FROM procrastinate_jobs")).all()
    assert [tuple(job) for job in jobs] == [("test:work", {"run_id": str(run_id), "more": 5}, "todo")]
    progress.put_off(30, more=6)
    later = text("SELECT args ->> 'more' FROM procrastinate_jobs WHERE scheduled_at > now() + interval '20 seconds'")
    with database.read() as connection:
        assert connection.execute(later).scalars().all() == ["6"], "looked at again when the time has come"


def test_what_waits_under_a_name_is_enqueued_once(database: Database) -> None:
    with database.transaction(SYSTEM) as tx:
        assert queue.defer(tx, "test:work", once="test:work")
        assert not queue.defer(tx, "test:work", once="test:work"), "the clash does not end the transaction"
        assert queue.defer(tx, "test:other", once="test:other")
        tx.commit()
    with database.read() as connection:
        assert connection.execute(text("SELECT count(*) FROM procrastinate_jobs")).scalar_one() == 2


def test_a_job_dies_with_its_transaction(database: Database) -> None:
    with database.transaction(SYSTEM) as tx:
        queue.defer(tx, "test:work", run_id=str(new_id()))
    with database.read() as connection:
        assert connection.execute(text("SELECT count(*) FROM procrastinate_jobs")).scalar_one() == 0
