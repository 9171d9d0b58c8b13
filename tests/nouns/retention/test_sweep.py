"""The sweep: the database and `decide` agree; it ends where it was killed, and nothing gets shorter."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from datetime import date, timedelta
from itertools import islice
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select

from tests.support.archive import Archive
from vault.catalogue.tables import record_states
from vault.foundation.ids import new_id
from vault.foundation.jobs import runs
from vault.foundation.ledger.entry import SYSTEM
from vault.retention import jobs
from vault.retention import sweep as sweeping
from vault.retention.due_dates import SWEEP_WAITS, expected
from vault.retention.sweep import is_due, sweep
from vault.retention.tables import law_changes, lock_tasks

pytestmark = [pytest.mark.clause("C6.1"), pytest.mark.clause("V3")]
RECORDS = int(os.environ.get("SLIPVAULT_RANDOM_RECORDS", "4000"))  # by hand also a million


def batched(ids: Iterable[UUID], size: int) -> Iterator[list[UUID]]:
    """The ids, so many at a time."""
    every = iter(ids)
    while some := list(islice(every, size)):
        yield some


def _change_the_law(archive: Archive) -> None:
    with archive.ctx.database.transaction(SYSTEM) as tx:
        change = {"id": new_id(), "kind": "calendar", "from_date": date(2000, 1, 1), "at": tx.clock.now()}
        tx.connection.execute(law_changes.insert(), change)
        tx.witness("retention:calendar:enter", "law_change", change["id"])
        tx.commit()
    archive.clock.advance(SWEEP_WAITS)


def _rows(archive: Archive) -> dict[UUID, Any]:
    with archive.ctx.database.read() as connection:
        return {row.record_id: row for row in connection.execute(select(record_states))}


def _require_right(archive: Archive) -> None:
    rows, right = _rows(archive), {}
    with archive.ctx.database.read() as connection:
        for some in batched(rows, 5_000):
            right |= expected(connection, some, archive.clock.now())
    assert right.keys() == rows.keys()
    for record_id, due in right.items():
        row = rows[record_id]
        found = (row.what, row.retain_until, row.delete_by, row.is_hard)
        assert found == (due.what.value, due.retain_until, due.delete_by, due.is_hard), record_id
        # It may look again too early, never too late.
        assert row.next_date is not None or due.next_date is None
        assert due.next_date is None or row.next_date <= due.next_date


@pytest.mark.slow
def test_the_database_decides_as_the_law_does(archive: Archive, fill: Callable[[int], None]) -> None:
    fill(RECORDS)
    _change_the_law(archive)
    swept = sweep(archive.ctx, batch=1_500)
    assert swept.records == RECORDS + 1
    assert swept.changed > 1_000
    _require_right(archive)
    with archive.ctx.database.read() as connection:
        assert not is_due(connection, archive.clock.now())


def test_a_sweep_that_ended_early_goes_on_where_it_was(archive: Archive, fill: Callable[[int], None]) -> None:
    fill(60)
    _change_the_law(archive)

    class Killed(Exception):
        pass

    def die_after_two(done: int, _total: int | None) -> None:
        if done >= 40:
            raise Killed

    with pytest.raises(Killed):
        sweep(archive.ctx, die_after_two, batch=20)
    again = sweep(archive.ctx, batch=20)
    assert again.records == 21
    _require_right(archive)


def test_a_change_during_a_sweep_begins_it_anew(archive: Archive, fill: Callable[[int], None]) -> None:
    fill(40)
    _change_the_law(archive)
    changed = []

    def change_once(_done: int, _total: int | None) -> None:
        if not changed:
            changed.append(True)
            _change_the_law(archive)

    swept = sweep(archive.ctx, change_once, batch=20)
    assert swept.records == 20 + 41
    with archive.ctx.database.read() as connection:
        assert not connection.execute(select(law_changes.c.id).where(law_changes.c.swept_at.is_(None))).all()


def test_of_two_sweeps_at_once_the_second_leaves(archive: Archive, fill: Callable[[int], None]) -> None:
    fill(10)
    _change_the_law(archive)
    with archive.ctx.database.transaction(SYSTEM) as tx:
        tx.connection.execute(select(law_changes).where(law_changes.c.swept_at.is_(None)).with_for_update())
        assert sweeping._sweep_changed_law(archive.ctx, sweeping.Swept(), 5) is False


def test_records_whose_day_has_come_are_decided_that_night(archive: Archive, fill: Callable[[int], None]) -> None:
    fill(60)
    _change_the_law(archive)
    sweep(archive.ctx)
    archive.clock.advance(timedelta(days=3_000))
    with archive.ctx.database.read() as connection:
        assert is_due(connection, archive.clock.now())
    swept = sweep(archive.ctx)
    assert 0 < swept.records < 61
    _require_right(archive)


@pytest.mark.invariant("R1")
def test_only_locks_that_are_too_short_are_asked_for(archive: Archive, fill: Callable[[int], None]) -> None:
    fill(200)
    before = {record_id: row.lock_until for record_id, row in _rows(archive).items()}
    _change_the_law(archive)
    swept = sweep(archive.ctx)
    rows = _rows(archive)
    with archive.ctx.database.read() as connection:
        asked = set(connection.execute(select(lock_tasks.c.record_id)).scalars())
    assert len(asked) == swept.locks > 0
    assert all(rows[record_id].status == "filed" for record_id in asked)
    assert {record_id: row.lock_until for record_id, row in rows.items()} == before


def test_a_sweep_is_enqueued_once_a_day_and_whenever_the_law_changed(archive: Archive) -> None:
    assert jobs.enqueue_sweep(archive.ctx)
    assert not jobs.enqueue_sweep(archive.ctx), "one waits already"
    _run_the_sweep(archive)
    assert not jobs.enqueue_sweep(archive.ctx)
    _change_the_law(archive)
    assert jobs.enqueue_sweep(archive.ctx)
    _run_the_sweep(archive)
    archive.clock.advance(timedelta(hours=25))
    assert jobs.enqueue_sweep(archive.ctx)


def _run_the_sweep(archive: Archive) -> None:
    with archive.ctx.database.read() as connection:
        (run,) = runs.find_runs(connection, runs.RunFilters(task=jobs.TASK_SWEEP, state="waiting")).lines
    progress = runs.Progress(archive.ctx.database, archive.clock, run.id)
    progress.start()
    jobs.run_sweep(archive.ctx, progress)
