"""The sweep: the database and `decide` agree; it ends where it was killed, and nothing gets shorter."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import create_engine, select, text

from retention_rules.shipped import event_names
from tests.support.archive import Archive
from vault.catalogue.tables import record_states
from vault.foundation.ids import new_id
from vault.foundation.jobs import runs
from vault.foundation.ledger.entry import SYSTEM
from vault.retention import jobs
from vault.retention import sweep as sweeping
from vault.retention.due_dates import SWEEP_WAITS, expected
from vault.retention.queries import classes_in_effect
from vault.retention.sweep import is_due, sweep
from vault.retention.tables import law_changes, lock_tasks

pytestmark = [pytest.mark.clause("C6.1"), pytest.mark.clause("V3")]


@pytest.fixture
def fill(archive: Archive, database_url: str, send: Callable[..., UUID]) -> Callable[[int], None]:
    """So many records of every class with random days, events and locks, entered behind the service's back."""

    def filled(count: int, seed: int = 20260101) -> None:
        send()  # the rows of a real record are the pattern of the others
        with archive.ctx.database.read() as connection:
            codes = [definition.code for definition in classes_in_effect(connection, archive.clock.now())]
        _copy_records(database_url, codes, count, seed)

    return filled


def _copy_records(url: str, codes: list[str], count: int, seed: int) -> None:
    draw, names = random.Random(seed), sorted(event_names())
    engine = create_engine(url)
    with engine.begin() as connection:
        connection.execute(text("SET session_replication_role = replica"))
        pattern = dict(connection.execute(text("SELECT * FROM records LIMIT 1")).mappings().one())
        state = dict(connection.execute(text("SELECT * FROM record_states LIMIT 1")).mappings().one())
        report = new_id()
        connection.execute(
            text("INSERT INTO event_reports VALUES (:id, :id, 'test-report', sha256(''), 1, now())"), {"id": report}
        )
        columns = ", ".join(pattern)
        copied = text(
            f"INSERT INTO records ({columns}) SELECT {', '.join(_CHANGED.get(name, name) for name in pattern)}"
            " FROM records WHERE id = :pattern"
        )
        for number in range(count):
            record = new_id()
            day = date(1980, 1, 1) + timedelta(days=draw.randrange(17_000))
            connection.execute(
                copied,
                {
                    "pattern": pattern["id"],
                    "new_id": record,
                    "number": number + 100,
                    "class_code": draw.choice(codes),
                    "received_at": f"{day + timedelta(days=draw.randrange(400))}T{draw.randrange(24):02d}:30:00Z",
                    "occurred_date": draw.choice([None, day]),
                },
            )
            _enter_state(connection, state, record, draw)
            for name in draw.sample(names, draw.choice([0, 0, 0, 1, 2, 4])):
                happened = None if draw.random() < 0.05 else day + timedelta(days=draw.randrange(4_000))
                connection.execute(
                    text(
                        "INSERT INTO record_events (id, report_id, record_id, name, day, reported_by_kind, reported_by,"
                        " known_at) VALUES (:id, :report, :record, :name, :day, 'system', :id, now())"
                    ),
                    {"id": new_id(), "report": report, "record": record, "name": name, "day": happened},
                )
    engine.dispose()


_CHANGED = {
    "id": "CAST(:new_id AS uuid)",
    "item_number": ":number",
    "archival_number": "archival_number || '-' || :number",
    "class_code": ":class_code",
    "received_at": "CAST(:received_at AS timestamptz)",
    "occurred_date": "CAST(:occurred_date AS date)",
    "content_sha256": "sha256(CAST(CAST(:number AS text) AS bytea))",
}


def _enter_state(connection: Any, state: dict[str, Any], record: UUID, draw: random.Random) -> None:
    is_filed = draw.random() < 0.5
    row = state | {
        "record_id": record,
        "status": "filed" if is_filed else "received",
        "lock_until": f"{date(2026, 1, 1) + timedelta(days=draw.randrange(-400, 9_000))}T16:00:00Z",
        "what": "keep",
        "retain_until": None,
        "delete_by": None,
        "next_date": None,
    }
    names = ", ".join(row)
    connection.execute(
        text(f"INSERT INTO record_states ({names}) VALUES ({', '.join(f':{name}' for name in row)})"), row
    )


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
    rows = _rows(archive)
    with archive.ctx.database.read() as connection:
        right = expected(connection, rows, archive.clock.now())
    for record_id, due in right.items():
        row = rows[record_id]
        found = (row.what, row.retain_until, row.delete_by, row.is_hard)
        assert found == (due.what.value, due.retain_until, due.delete_by, due.is_hard), record_id
        # It may look again too early, never too late.
        assert row.next_date is not None or due.next_date is None
        assert due.next_date is None or row.next_date <= due.next_date


@pytest.mark.slow
def test_the_database_decides_as_the_law_does(archive: Archive, fill: Callable[[int], None]) -> None:
    fill(4_000)
    _change_the_law(archive)
    swept = sweep(archive.ctx, batch=1_500)
    assert swept.records == 4_001
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
