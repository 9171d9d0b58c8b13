"""Reconciliation finds, names and settles what is left over, once, and takes nothing from whoever comes back."""

from __future__ import annotations

import hashlib
import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import func, select

from tests.support.archive import Archive, jpeg, make_archive, trust
from tests.support.stores import cut_off
from vault.catalogue.reading import open_original
from vault.catalogue.tables import records
from vault.foundation.clock import FixedClock
from vault.foundation.db.engine import Database
from vault.foundation.errors import InvalidInput, NotAllowed
from vault.foundation.jobs import runs
from vault.foundation.jobs.errors import JobCancelled
from vault.foundation.ledger.entry import SYSTEM
from vault.foundation.ledger.tables import ledger_entries
from vault.foundation.storage import bare_store
from vault.foundation.storage.errors import StoreUnavailable
from vault.foundation.storage.interface import NO_LOCK, Content, Lock, LockMode
from vault.intake import arrivals, queries
from vault.intake.batches import close_batch, open_batch
from vault.intake.errors import ClientKeyReused
from vault.intake.model import BatchState, ItemStatus
from vault.intake.tables import intake_items
from vault.oversight import leftovers
from vault.oversight.errors import ReconciliationUnderWay
from vault.oversight.jobs import (
    TASK_RECONCILE,
    ask_reconciliation,
    ask_reconciliation_if_due,
    reconcile_and_keep,
    run_reconciliation,
)
from vault.oversight.model import FindingCode, LeftoverCause, Reconciliation
from vault.oversight.reconciliation import reconcile
from vault.oversight.verification import verify

pytestmark = pytest.mark.invariant("U3")
A_DAY = timedelta(hours=25)


@pytest.fixture
def kept(database: Database, clock: FixedClock, tmp_path: Path) -> Archive:
    """A write-once directory with one record that must stay as it is."""
    archive = make_archive(database, clock, tmp_path, f"worm://{tmp_path / 'store'}")
    trust(archive)
    archive.send(jpeg(1), key="a-record-that-stays")
    return archive


def test_with_nothing_left_over_nothing_happens(kept: Archive) -> None:
    kept.clock.advance(A_DAY)
    outcome = _reconcile(kept)
    assert outcome.settled == ()
    assert (outcome.versions, outcome.known.objects) == (1, 0)


@pytest.mark.parametrize("is_written", [False, True], ids=["before-the-store", "after-the-store"])
def test_an_upload_whose_sender_never_came_back_is_refused_with_the_reason(kept: Archive, is_written: bool) -> None:
    batch = open_batch(kept.ctx, kept.operator, "morning", 1)
    _begin(kept, "an-upload-cut-off", is_written=is_written, batch_id=batch.id)
    assert _item(kept).status is ItemStatus.INTENT
    kept.clock.advance(A_DAY)

    outcome = _reconcile(kept)

    item = _item(kept)
    expected = [("upload-abandoned", str(item.id))]
    leftover = [found for found in outcome.settled if found.code is FindingCode.LEFTOVER_NOTED]
    assert [(f.code.value, f.subject_id) for f in outcome.settled if f not in leftover] == expected
    assert len(leftover) == is_written
    refusing = [finding.code for finding in item.findings if finding.severity == "refuse"]
    assert (item.status, refusing) == (ItemStatus.REFUSED, ["upload-abandoned"])
    assert item.record_id is None
    closed = close_batch(kept.ctx, kept.operator, batch.id)
    assert (closed.state, closed.balance.refused) == (BatchState.BALANCED, 1)
    assert _entries(kept, "intake:item:abandon") == 1
    assert _reconcile(kept).settled == ()


def test_what_is_younger_than_a_day_is_left_alone(kept: Archive) -> None:
    _begin(kept, "perhaps-under-way", is_written=True)
    kept.clock.advance(timedelta(hours=23))
    assert _reconcile(kept).settled == ()
    assert _item(kept).status is ItemStatus.INTENT
    assert [found.code for found in _reconcile(kept, older_than=timedelta(hours=1)).settled] == [
        FindingCode.UPLOAD_ABANDONED,
        FindingCode.LEFTOVER_NOTED,
    ]


@pytest.mark.invariant("U2")
@pytest.mark.parametrize("is_written", [False, True], ids=["before-the-store", "after-the-store"])
def test_a_sender_that_comes_back_after_all_is_taken_up_and_doubles_nothing(kept: Archive, is_written: bool) -> None:
    batch = open_batch(kept.ctx, kept.operator, "morning", 1)
    _begin(kept, "back-after-a-week", is_written=is_written, batch_id=batch.id)
    planned = _item(kept)
    kept.clock.advance(timedelta(days=7))
    _reconcile(kept)

    with kept.ctx.database.read() as connection:
        assert arrivals.settled_item(connection, kept.operator.id, "back-after-a-week") is None, "pieces go on, too"
    receipt = kept.send(jpeg(2), key="back-after-a-week", batch_id=batch.id)

    assert (receipt.status, receipt.item_id, receipt.is_repeated) == (ItemStatus.ACCEPTED, planned.id, False)
    again = kept.send(jpeg(2), key="back-after-a-week", batch_id=batch.id)
    assert (again.record_id, again.is_repeated) == (receipt.record_id, True)
    assert "upload-abandoned" not in [finding.code for finding in again.findings]
    assert receipt.record_id is not None
    _, _, content = open_original(kept.ctx, kept.operator, receipt.record_id)
    with content:
        assert content.read() == jpeg(2)
    assert _count(kept) == 2
    resolved = _reconcile(kept)
    assert [found.code for found in resolved.settled] == [FindingCode.LEFTOVER_TAKEN_UP] * is_written
    assert (resolved.versions, resolved.known.objects) == (2, 0)
    closed = close_batch(kept.ctx, kept.operator, batch.id)
    assert (closed.state, closed.balance.accepted, closed.balance.refused) == (BatchState.BALANCED, 1, 0)
    _is_clean(kept)


def test_one_that_comes_back_to_bytes_that_came_otherwise_is_a_duplicate(kept: Archive) -> None:
    _begin(kept, "the-first-attempt", is_written=True)
    kept.clock.advance(A_DAY)
    _reconcile(kept)
    other = kept.send(jpeg(2), key="the-second-attempt")
    assert other.status is ItemStatus.ACCEPTED

    first = kept.send(jpeg(2), key="the-first-attempt")

    assert (first.status, first.record_id) == (ItemStatus.DUPLICATE, other.record_id)
    assert _reconcile(kept).settled == ()
    assert [item.cause for item in _open(kept)] == [LeftoverCause.ABANDONED_UPLOAD]
    _is_clean(kept)


def test_one_that_comes_back_comes_back_as_what_it_was(kept: Archive) -> None:
    data = b"PK\x03\x04" + bytes(5_000)
    with cut_off(kept, is_written=False), pytest.raises(StoreUnavailable):
        kept.send(data, key="an-attachment", class_code="ATTACHMENT", file_name="table.xlsx")
    kept.clock.advance(A_DAY)
    _reconcile(kept)
    with pytest.raises(ClientKeyReused):
        kept.send(data, key="an-attachment", file_name="table.xlsx")
    receipt = kept.send(data, key="an-attachment", class_code="ATTACHMENT", file_name="table.xlsx")
    assert receipt.status is ItemStatus.ACCEPTED


def test_a_leftover_is_known_once_and_verification_tells_only_of_new_ones(kept: Archive) -> None:
    _begin(kept, "an-upload-cut-off", is_written=True)
    (new,) = verify(kept.ctx).notes
    kept.clock.advance(A_DAY)
    _reconcile(kept)
    _is_clean(kept)
    (known,) = _open(kept)
    assert (known.object_key, known.cause) == (new.subject_id, LeftoverCause.ABANDONED_UPLOAD)
    assert known.removable_from == kept.ctx.store.head(known.object_key).lock.until
    assert known.removable_from is not None
    assert known.removable_from > kept.clock.now()

    _put(kept, "records/readme.txt", NO_LOCK)

    verdict = verify(kept.ctx)
    assert verdict.is_clean
    assert [note.subject_id for note in verdict.notes] == ["records/readme.txt"]


def test_each_is_told_why_it_is_there_and_when_it_may_go(kept: Archive) -> None:
    until = (kept.clock.now() + timedelta(days=400)).replace(microsecond=0)
    record_id = _record_id(kept)
    _put(kept, "records/readme.txt", NO_LOCK)
    _put(kept, f"records/{record_id}/{record_id}/beside", Lock(LockMode.GOVERNANCE, until))
    held = _put(kept, "records/held", NO_LOCK)
    kept.ctx.store.set_hold("records/held", held, on=True)
    kept.clock.advance(A_DAY)
    _reconcile(kept)
    found = {item.object_key.rsplit("/", 1)[-1]: item for item in _open(kept)}
    assert found["readme.txt"].cause is LeftoverCause.FOREIGN
    assert found["readme.txt"].removable_from == found["readme.txt"].stored_at
    assert (found["beside"].cause, found["beside"].removable_from) == (LeftoverCause.SUPERSEDED, until)
    assert found["beside"].record_id == record_id
    assert found["held"].removable_from is None
    with kept.ctx.database.read() as connection:
        known = leftovers.summary(connection, kept.ctx.store.name, kept.clock.now())
    assert (known.objects, known.removable) == (3, 1)


def test_a_lock_that_was_extended_moves_the_date(kept: Archive) -> None:
    version = _put(kept, "records/readme.txt", NO_LOCK)
    kept.clock.advance(A_DAY)
    _reconcile(kept)
    until = (kept.clock.now() + timedelta(days=9)).replace(microsecond=0)
    kept.ctx.store.set_retention("records/readme.txt", version, Lock(LockMode.COMPLIANCE, until))
    assert _reconcile(kept).settled == ()
    assert [item.removable_from for item in _open(kept)] == [until]
    assert _entries(kept, "oversight:leftover:note") == 2


def test_one_that_was_removed_is_gone_and_one_that_comes_again_is_known_again(kept: Archive) -> None:
    version = _put(kept, "records/readme.txt", NO_LOCK)
    kept.clock.advance(A_DAY)
    _reconcile(kept)
    path = next((kept.ctx.spool_directory.parent / "store" / "objects").rglob(_name("records/readme.txt")))
    assert version
    path.unlink()  # as a cleaning of the store does, once the lock has run out
    assert [found.code for found in _reconcile(kept).settled] == [FindingCode.LEFTOVER_GONE]
    assert _open(kept) == ()
    _put(kept, "records/readme.txt", NO_LOCK)
    kept.clock.advance(A_DAY)
    assert [found.code for found in _reconcile(kept).settled] == [FindingCode.LEFTOVER_NOTED]
    assert len(_open(kept)) == 1
    assert _entries(kept, "oversight:leftover:note") == 2


def test_a_store_that_moved_is_not_full_of_leftovers(kept: Archive, tmp_path: Path) -> None:
    (tmp_path / "moved").symlink_to(tmp_path / "store")
    kept.ctx = replace(kept.ctx, store=bare_store(f"worm://{tmp_path / 'moved'}", kept.clock))
    kept.clock.advance(A_DAY)
    assert _reconcile(kept).settled == ()
    _is_clean(kept)


@pytest.mark.invariant("L3")
def test_a_foreign_name_does_not_reach_the_ledger(kept: Archive) -> None:
    _put(kept, "records/张三-身份证.jpg", NO_LOCK)
    kept.clock.advance(A_DAY)
    assert _reconcile(kept).count(FindingCode.LEFTOVER_NOTED) == 1
    with kept.ctx.database.read() as connection:
        bodies = [bytes(body).decode() for body in connection.execute(select(ledger_entries.c.body)).scalars()]
    assert not [body for body in bodies if "张三" in body]
    assert [json.loads(body) for body in bodies if "oversight:leftover:note" in body]


def test_two_at_once_settle_each_thing_once(kept: Archive) -> None:
    for number in range(12):
        _begin(kept, f"an-upload-{number:03}", is_written=number % 2 == 0, seed=100 + number)
    kept.clock.advance(A_DAY)
    with ThreadPoolExecutor(3) as pool:
        outcomes = list(pool.map(lambda _: _reconcile_or_none(kept), range(3)))
    done = [outcome for outcome in outcomes if outcome is not None]
    assert done, "of those that come at once one is let through"
    assert sum(outcome.count(FindingCode.UPLOAD_ABANDONED) for outcome in done) == 12
    assert sum(outcome.count(FindingCode.LEFTOVER_NOTED) for outcome in done) == 6
    assert (_entries(kept, "intake:item:abandon"), _entries(kept, "oversight:leftover:note")) == (12, 6)


def test_a_sender_that_comes_back_while_it_is_given_up_wins_in_the_end(kept: Archive) -> None:
    _begin(kept, "a-sender-in-between", is_written=True)
    kept.clock.advance(A_DAY)
    with ThreadPoolExecutor(2) as pool:
        sent = pool.submit(kept.send, jpeg(2), key="a-sender-in-between")
        pool.submit(_reconcile, kept).result()
        assert sent.result().status is ItemStatus.ACCEPTED
    assert _count(kept) == 2
    _reconcile(kept)
    assert _open(kept) == ()
    _is_clean(kept)


def test_cancelled_it_keeps_what_it_did_and_the_next_one_goes_on(kept: Archive) -> None:
    for number in range(4):
        _begin(kept, f"an-upload-{number:03}", is_written=False, seed=100 + number)
    kept.clock.advance(A_DAY)

    def until_two(stage: str, done: int, _total: int | None) -> None:
        if (stage, done) == ("abandoned", 2):
            raise JobCancelled

    with pytest.raises(JobCancelled):
        reconcile(kept.ctx, SYSTEM, progress=until_two)
    assert _entries(kept, "intake:item:abandon") == 2
    assert _reconcile(kept).count(FindingCode.UPLOAD_ABANDONED) == 2


def test_by_command_it_is_followed_too_and_ends_when_somebody_cancels_it(kept: Archive) -> None:
    def cancel(stage: str, _done: int, _total: int | None) -> None:
        if stage == "abandoned":
            with kept.ctx.database.transaction(SYSTEM) as tx:
                run = runs.newest(tx.connection, TASK_RECONCILE)
                assert run is not None
                assert run.state == "running"
                runs.request_cancel(tx, run.id)
                tx.commit()

    with pytest.raises(JobCancelled):
        reconcile_and_keep(kept.ctx, SYSTEM, progress=cancel)
    with kept.ctx.database.read() as connection:
        run = runs.newest(connection, TASK_RECONCILE)
    assert run is not None
    assert run.state == "cancelled"


def test_as_a_job_it_is_followed_and_its_outcome_kept(kept: Archive) -> None:
    _begin(kept, "an-upload-cut-off", is_written=True)
    kept.clock.advance(A_DAY)
    run_id = UUID(ask_reconciliation(kept.ctx, kept.operator))
    progress = runs.Progress(kept.ctx.database, kept.clock, run_id)
    assert progress.start()
    run_reconciliation(kept.ctx, progress, int(timedelta(hours=24).total_seconds()))
    with kept.ctx.database.read() as connection:
        run = runs.get_run(connection, run_id)
    assert run.state == "done"
    assert {name: run.result[name] for name in ("abandoned", "noted", "resolved", "versions", "leftovers")} == {
        "abandoned": 1,
        "noted": 1,
        "resolved": 0,
        "versions": 2,
        "leftovers": 1,
    }
    assert [found["code"] for found in run.result["settled"]] == ["upload-abandoned", "leftover-noted"]
    assert not progress.start(), "a job taken over after its end has nothing to do"


def test_the_clock_asks_for_it_once_a_day(kept: Archive) -> None:
    assert ask_reconciliation_if_due(kept.ctx)
    assert not ask_reconciliation_if_due(kept.ctx)
    kept.clock.advance(timedelta(hours=24))
    assert ask_reconciliation_if_due(kept.ctx)


def test_a_run_that_fails_says_so(kept: Archive) -> None:
    class Unlisted:
        name = kept.ctx.store.name

        def list_names(self, prefix: str, after: str | None = None) -> object:
            raise StoreUnavailable(store=self.name, problem="connection lost")

    kept.ctx = type(kept.ctx)(**{**vars(kept.ctx), "store": Unlisted()})
    with pytest.raises(StoreUnavailable):
        reconcile_and_keep(kept.ctx, SYSTEM)
    with kept.ctx.database.read() as connection:
        (run,) = runs.find_runs(connection, runs.RunFilters()).lines
    assert (run.state, run.problem) == ("failed", "store-unavailable")


@pytest.mark.clause("C4.4")
def test_it_needs_its_right_and_a_sensible_age(kept: Archive) -> None:
    nobody = type(kept.operator)(**{**vars(kept.operator), "rights": frozenset()})
    with pytest.raises(NotAllowed):
        ask_reconciliation(kept.ctx, nobody)
    for hours in (0, -1, 24 * 365 + 1):
        with pytest.raises(InvalidInput):
            ask_reconciliation(kept.ctx, kept.operator, hours)


def _reconcile_or_none(archive: Archive) -> Reconciliation | None:
    try:
        return _reconcile(archive)
    except ReconciliationUnderWay:
        return None


def _begin(archive: Archive, key: str, *, is_written: bool, seed: int = 2, **more: object) -> None:
    """An upload that its sender loses between the two transactions."""
    with cut_off(archive, is_written=is_written), pytest.raises(StoreUnavailable):
        archive.send(jpeg(seed), key=key, **more)


def _reconcile(archive: Archive, **more: timedelta) -> Reconciliation:
    return reconcile(archive.ctx, SYSTEM, **more)


def _item(archive: Archive) -> object:
    with archive.ctx.database.read() as connection:
        return queries.item_of(connection.execute(select(intake_items).order_by(intake_items.c.id.desc())).first())


def _open(archive: Archive) -> tuple[object, ...]:
    with archive.ctx.database.read() as connection:
        return leftovers.list_open(connection, archive.ctx.store.name)


def _count(archive: Archive) -> int:
    with archive.ctx.database.read() as connection:
        return connection.execute(select(func.count()).select_from(records)).scalar_one()


def _record_id(archive: Archive) -> UUID:
    with archive.ctx.database.read() as connection:
        return connection.execute(select(records.c.id)).scalar_one()


def _entries(archive: Archive, event: str) -> int:
    with archive.ctx.database.read() as connection:
        query = select(func.count()).select_from(ledger_entries).where(ledger_entries.c.event == event)
        return connection.execute(query).scalar_one()


def _put(archive: Archive, key: str, lock: Lock) -> str:
    data = key.encode()
    return archive.ctx.store.put_new(key, Content.from_bytes(data, hashlib.sha256(data).digest()), lock).version_id


def _name(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()


def _is_clean(archive: Archive) -> None:
    archive.sequence()
    verdict = verify(archive.ctx)
    assert (verdict.findings, verdict.notes) == ((), ())
