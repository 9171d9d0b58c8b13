"""Locks and holds that others changed in the store are found, named, and mended where that is lawful."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import Connection, create_engine, select, text

from tests.nouns.oversight.holding import hold, release
from tests.support.archive import Archive, jpeg, make_archive, trust
from tests.support.stores import BeforeHolding, CutOffStore, rewrite_lock
from vault.catalogue.tables import component_copies, components
from vault.foundation.clock import FixedClock
from vault.foundation.db.engine import Database
from vault.foundation.jobs.errors import JobCancelled
from vault.foundation.ledger.entry import SYSTEM
from vault.foundation.ledger.tables import ledger_entries
from vault.foundation.storage.errors import StoreDenied
from vault.foundation.storage.interface import NO_LOCK, Lock, LockMode, ObjectInfo
from vault.holds.jobs import ask_for, tell_waiting
from vault.oversight import drifts
from vault.oversight.drift import DriftKind
from vault.oversight.drifts import DriftFilters, KeptDrift
from vault.oversight.reconciliation import reconcile
from vault.oversight.verification import verify
from vault.retention.filing import file
from vault.retention.locking import lock_waiting

pytestmark = [pytest.mark.clause("C4.3"), pytest.mark.clause("V1"), pytest.mark.invariant("R1")]


@pytest.fixture
def kept(database: Database, clock: FixedClock, tmp_path: Path) -> Archive:
    """A write-once directory with two records, one of them filed."""
    archive = make_archive(database, clock, tmp_path, f"worm://{tmp_path / 'store'}")
    trust(archive)
    archive.send(jpeg(1))
    filed = archive.send(jpeg(2), class_code="CONTRACT", occurred_date=date(2026, 3, 1)).record_id
    assert filed is not None
    file(archive.ctx, archive.operator, [filed])
    assert list(lock_waiting(archive.ctx)) == [filed]
    return archive


def test_where_all_stands_as_it_was_promised_nothing_is_found(kept: Archive) -> None:
    outcome = reconcile(kept.ctx, SYSTEM)
    assert (outcome.versions, outcome.drifted.open, outcome.drifted.repaired) == (2, 0, 0)
    assert outcome.is_clean
    assert _drifts(kept) == []


@pytest.mark.parametrize("is_filed", [True, False], ids=["filed", "received"])
def test_a_lock_file_removed_by_hand_is_named_and_set_again(kept: Archive, is_filed: bool) -> None:
    copy = _copy(kept, is_filed=is_filed)
    rewrite_lock(_directory(kept), copy.object_key, NO_LOCK)
    assert kept.ctx.store.head(copy.object_key).lock == NO_LOCK

    outcome = reconcile(kept.ctx, SYSTEM)

    assert (outcome.drifted.open, outcome.drifted.repaired, outcome.is_clean) == (0, 1, False)
    (drift,) = _drifts(kept)
    promised = Lock(LockMode(copy.lock_mode), copy.lock_until)
    assert (drift.kind, drift.state, drift.record_id) == (DriftKind.LOCK_MISSING, "repaired", copy.record_id)
    assert (drift.object_key, drift.store, drift.found) == (copy.object_key, kept.ctx.store.name, "NONE")
    assert drift.repair == drift.expected == f"{copy.lock_mode} {copy.lock_until:%Y-%m-%dT%H:%M:%SZ}"
    assert kept.ctx.store.head(copy.object_key).lock == promised
    assert _events(kept) == {"oversight:drift:note": 1, "oversight:drift:resolve": 1}
    kept.clock.advance(timedelta(seconds=1))
    assert reconcile(kept.ctx, SYSTEM).is_clean
    kept.sequence()
    assert verify(kept.ctx).is_clean


def test_a_lock_shortened_by_hand_is_named_and_made_as_long_as_promised(kept: Archive) -> None:
    copy = _copy(kept)
    shorter = Lock(LockMode.COMPLIANCE, copy.lock_until - timedelta(days=400))
    weaker = Lock(LockMode.GOVERNANCE, copy.lock_until)
    for lock, kind in ((shorter, DriftKind.LOCK_SHORTER), (weaker, DriftKind.LOCK_WEAKER)):
        rewrite_lock(_directory(kept), copy.object_key, lock)
        kept.clock.advance(timedelta(seconds=1))
        assert reconcile(kept.ctx, SYSTEM).drifted.repaired == 1
        assert (_drifts(kept)[0].kind, _drifts(kept)[0].state) == (kind, "repaired")
        assert kept.ctx.store.head(copy.object_key).lock == Lock(LockMode.COMPLIANCE, copy.lock_until)


def test_a_longer_lock_is_told_and_left_and_settled_once_the_catalogue_says_the_same(kept: Archive) -> None:
    copy = _copy(kept)
    longer = Lock(LockMode.COMPLIANCE, copy.lock_until + timedelta(days=400))
    kept.ctx.store.set_retention(copy.object_key, copy.version_id, longer)
    for _ in range(2):
        outcome = reconcile(kept.ctx, SYSTEM)
        assert (outcome.drifted.by_kind, outcome.drifted.repaired) == ({DriftKind.LOCK_LONGER: 1}, 0)
    assert _events(kept) == {"oversight:drift:note": 1}, "what is known is not told again"
    assert kept.ctx.store.head(copy.object_key).lock == longer


def test_a_later_date_under_a_weaker_mode_does_not_become_irrevocable_by_us(kept: Archive) -> None:
    copy = _copy(kept)
    odd = Lock(LockMode.GOVERNANCE, copy.lock_until + timedelta(days=40_000))
    rewrite_lock(_directory(kept), copy.object_key, odd)
    assert reconcile(kept.ctx, SYSTEM).drifted.by_kind == {DriftKind.LOCK_WEAKER: 1}
    assert kept.ctx.store.head(copy.object_key).lock == odd
    assert _drifts(kept)[0].repair is None


@pytest.mark.clause("V5")
@pytest.mark.invariant("H1")
def test_a_hold_taken_off_behind_our_back_is_named_and_set_again(kept: Archive) -> None:
    copy = _copy(kept)
    hold_id = hold(kept, copy.record_id)
    assert reconcile(kept.ctx, SYSTEM).is_clean, "it is being set at this moment"
    list(tell_waiting(kept.ctx))
    kept.ctx.store.set_hold(copy.object_key, copy.version_id, on=False)
    kept.clock.advance(timedelta(seconds=1))
    assert reconcile(kept.ctx, SYSTEM).drifted.repaired == 1
    (drift,) = _drifts(kept)
    assert (drift.kind, drift.state, drift.record_id) == (DriftKind.HOLD_GONE, "repaired", copy.record_id)
    assert kept.ctx.store.head(copy.object_key).legal_hold
    release(kept, hold_id)
    kept.clock.advance(timedelta(seconds=1))
    assert reconcile(kept.ctx, SYSTEM).is_clean, "it is being taken off at this moment"
    list(tell_waiting(kept.ctx))
    assert not kept.ctx.store.head(copy.object_key).legal_hold


@pytest.mark.clause("V5")
def test_a_hold_released_while_it_is_being_set_again_is_taken_off_after_all(kept: Archive) -> None:
    copy = _copy(kept)
    hold_id = hold(kept, copy.record_id)
    list(tell_waiting(kept.ctx))
    kept.ctx.store.set_hold(copy.object_key, copy.version_id, on=False)

    def release_first() -> None:
        release(kept, hold_id)
        list(tell_waiting(kept.ctx))

    reconcile(replace(kept.ctx, store=BeforeHolding(kept.ctx.store, release_first)), SYSTEM)
    assert kept.ctx.store.head(copy.object_key).legal_hold, "reconciliation was too late"
    list(tell_waiting(kept.ctx))
    assert not kept.ctx.store.head(copy.object_key).legal_hold
    kept.clock.advance(timedelta(seconds=1))
    assert reconcile(kept.ctx, SYSTEM).is_clean


@pytest.mark.clause("V5")
@pytest.mark.invariant("H1")
def test_a_hold_that_a_store_refuses_to_set_is_a_finding(kept: Archive) -> None:
    copy = _copy(kept)
    hold(kept, copy.record_id)
    list(tell_waiting(replace(kept.ctx, store=_refusing_holds(kept))))
    assert reconcile(kept.ctx, SYSTEM).drifted.repaired == 1, "what is tried for ever is no excuse"
    assert [(drift.kind, drift.state) for drift in _drifts(kept)] == [(DriftKind.HOLD_GONE, "repaired")]


@pytest.mark.clause("V5")
def test_a_hold_that_is_wrong_is_not_in_order_because_a_worker_is_to_see_to_it(kept: Archive) -> None:
    gone, unknown = _copy(kept), _copy(kept, is_filed=False)
    hold(kept, gone.record_id)
    list(tell_waiting(kept.ctx))
    kept.ctx.store.set_hold(gone.object_key, gone.version_id, on=False)
    kept.ctx.store.set_hold(unknown.object_key, unknown.version_id, on=True)
    reconcile(replace(kept.ctx, store=_refusing_holds(kept)), SYSTEM)
    both = {DriftKind.HOLD_GONE: 1, DriftKind.HOLD_UNKNOWN: 1}
    with kept.ctx.database.transaction(SYSTEM) as tx:
        ask_for(tx, [gone.record_id, unknown.record_id])
        tx.commit()

    kept.clock.advance(timedelta(seconds=1))
    assert reconcile(kept.ctx, SYSTEM).drifted.by_kind == both

    list(tell_waiting(kept.ctx))
    kept.clock.advance(timedelta(seconds=1))
    assert reconcile(kept.ctx, SYSTEM).drifted.open == 0
    assert {drift.state for drift in _drifts(kept)} == {"in-order"}


@pytest.mark.clause("V5")
def test_a_hold_set_again_too_late_by_a_process_that_died_is_taken_off_after_all(kept: Archive) -> None:
    copy = _copy(kept)
    hold_id = hold(kept, copy.record_id)
    list(tell_waiting(kept.ctx))
    kept.ctx.store.set_hold(copy.object_key, copy.version_id, on=False)

    class Dies(CutOffStore):
        def set_hold(self, key: str, version_id: str, *, on: bool) -> ObjectInfo:
            release(kept, hold_id)
            list(tell_waiting(kept.ctx))
            kept.ctx.store.set_hold(key, version_id, on=on)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        reconcile(replace(kept.ctx, store=Dies(kept.ctx.store, is_written=True)), SYSTEM)
    assert kept.ctx.store.head(copy.object_key).legal_hold
    kept.clock.advance(timedelta(seconds=1))
    reconcile(kept.ctx, SYSTEM)
    list(tell_waiting(kept.ctx))
    assert not kept.ctx.store.head(copy.object_key).legal_hold
    kept.clock.advance(timedelta(seconds=1))
    assert reconcile(kept.ctx, SYSTEM).drifted.open == 0


def test_a_hold_that_nobody_knows_is_told_and_settled_when_it_is_gone(kept: Archive) -> None:
    copy = _copy(kept)
    kept.ctx.store.set_hold(copy.object_key, copy.version_id, on=True)
    assert reconcile(kept.ctx, SYSTEM).drifted.by_kind == {DriftKind.HOLD_UNKNOWN: 1}
    assert kept.ctx.store.head(copy.object_key).legal_hold, "a hold is never taken off"
    kept.ctx.store.set_hold(copy.object_key, copy.version_id, on=False)
    kept.clock.advance(timedelta(seconds=1))
    assert reconcile(kept.ctx, SYSTEM).drifted.open == 0
    assert [drift.state for drift in _drifts(kept)] == ["in-order"]


def test_a_missing_object_is_an_alarm(kept: Archive) -> None:
    copy = _copy(kept)
    _object(kept, copy.object_key).unlink()
    outcome = reconcile(kept.ctx, SYSTEM)
    assert (outcome.drifted.by_kind, outcome.drifted.alarms) == ({DriftKind.OBJECT_MISSING: 1}, 1)
    assert _drifts(kept)[0].record_id == copy.record_id


def test_a_row_that_no_act_made_becomes_no_lock(kept: Archive, database_url: str) -> None:
    """Whoever owns the database must not have us lock for a thousand years."""
    copy = _copy(kept)
    with _lawless(database_url) as connection:
        connection.execute(
            text("UPDATE component_copies SET lock_until = '2999-01-01T00:00:00Z' WHERE object_key = :key"),
            {"key": copy.object_key},
        )
    outcome = reconcile(kept.ctx, SYSTEM)
    assert (outcome.drifted.by_kind, outcome.drifted.repaired) == ({DriftKind.LOCK_SHORTER: 1}, 0)
    assert _drifts(kept)[0].problem == "row-unproven"
    assert kept.ctx.store.head(copy.object_key).lock == Lock(LockMode.COMPLIANCE, copy.lock_until)


def test_an_alarm_does_not_end_with_the_row_that_named_the_object(kept: Archive, database_url: str) -> None:
    copy = _copy(kept)
    _object(kept, copy.object_key).unlink()
    assert reconcile(kept.ctx, SYSTEM).drifted.alarms == 1
    with _lawless(database_url) as connection:
        connection.execute(text("DELETE FROM component_copies WHERE object_key = :key"), {"key": copy.object_key})
    kept.clock.advance(timedelta(seconds=1))
    assert reconcile(kept.ctx, SYSTEM).drifted.alarms == 1


def test_a_store_that_was_emptied_is_told_object_by_object(kept: Archive) -> None:
    for path in (_directory(kept) / "objects").rglob("*"):
        if path.is_file():
            path.unlink()
    assert reconcile(kept.ctx, SYSTEM).drifted.alarms == 2


@pytest.mark.parametrize("place", ["objects", "locks"])
def test_a_damaged_file_is_an_alarm_and_does_not_hide_the_others(kept: Archive, place: str) -> None:
    damaged, other = _copy(kept), _copy(kept, is_filed=False)
    path = _directory(kept) / place / _name(damaged.object_key)[:2] / _name(damaged.object_key)
    path.chmod(0o600)
    path.write_bytes(b"rust")
    rewrite_lock(_directory(kept), other.object_key, NO_LOCK)
    outcome = reconcile(kept.ctx, SYSTEM)
    assert (outcome.drifted.by_kind, outcome.drifted.repaired) == ({DriftKind.OBJECT_DAMAGED: 1}, 1)


def test_what_a_store_refuses_stays_open_with_the_reason(kept: Archive) -> None:
    copy = _copy(kept)
    rewrite_lock(_directory(kept), copy.object_key, NO_LOCK)
    whole = kept.ctx.store

    class Refusing(CutOffStore):
        def set_retention(self, key: str, version_id: str, lock: Lock) -> ObjectInfo:
            raise StoreDenied(store=whole.name, problem="AccessDenied")

    ctx = replace(kept.ctx, store=Refusing(whole, is_written=True))
    for _ in range(2):
        assert reconcile(ctx, SYSTEM).drifted.by_kind == {DriftKind.LOCK_MISSING: 1}
    assert (_drifts(kept)[0].state, _drifts(kept)[0].problem) == ("open", "store-denied")
    assert _events(kept) == {"oversight:drift:note": 2}
    kept.clock.advance(timedelta(seconds=1))
    assert reconcile(kept.ctx, SYSTEM).drifted.repaired == 1


def test_a_record_that_is_filed_at_this_moment_is_no_finding(kept: Archive) -> None:
    """Its lock stands in the store before the catalogue says so."""
    received = _copy(kept, is_filed=False)
    file(kept.ctx, kept.operator, [received.record_id])
    promised = Lock(LockMode.COMPLIANCE, received.lock_until + timedelta(days=2000))
    kept.ctx.store.set_retention(received.object_key, received.version_id, promised)
    assert reconcile(kept.ctx, SYSTEM).is_clean
    assert list(lock_waiting(kept.ctx)) == [received.record_id]
    assert reconcile(kept.ctx, SYSTEM).is_clean


def test_what_the_catalogue_changes_between_two_looks_is_no_finding(kept: Archive) -> None:
    """A record is filed between the look at its object and the reading of its row."""
    received = _copy(kept, is_filed=False)
    whole = kept.ctx.store
    filed = []

    class Busy(CutOffStore):
        def head(self, key: str, version_id: str | None = None) -> ObjectInfo:
            told: ObjectInfo = whole.head(key, version_id)
            if key == received.object_key and not filed:
                filed.append(key)
                file(kept.ctx, kept.operator, [received.record_id])
                list(lock_waiting(kept.ctx))
            return told

    assert reconcile(replace(kept.ctx, store=Busy(whole, is_written=True)), SYSTEM).is_clean
    assert filed
    assert _drifts(kept) == []


def test_cancelled_or_cut_off_it_goes_on_behind_its_mark(kept: Archive) -> None:
    keys = sorted(copy.object_key for copy in _copies(kept))
    for key in keys:
        rewrite_lock(_directory(kept), key, NO_LOCK)

    def until_second(stage: str, done: int, _total: int | None) -> None:
        if (stage, done) == ("versions", 2):
            raise JobCancelled

    with pytest.raises(JobCancelled):
        reconcile(kept.ctx, SYSTEM, progress=until_second, page=1)
    looked_at: list[str] = []
    whole = kept.ctx.store

    class Watched(CutOffStore):
        def head(self, key: str, version_id: str | None = None) -> ObjectInfo:
            looked_at.append(key)
            return whole.head(key, version_id)  # type: ignore[no-any-return]

    outcome = reconcile(replace(kept.ctx, store=Watched(whole, is_written=True)), SYSTEM, page=1)
    assert keys[0] not in looked_at
    assert keys[1] in looked_at
    assert (outcome.versions, outcome.drifted.repaired) == (2, 2), "what it tells is of the whole comparison"
    looked_at.clear()
    reconcile(replace(kept.ctx, store=Watched(whole, is_written=True)), SYSTEM)
    assert set(keys) <= set(looked_at), "the next one begins anew"


def test_one_interrupted_long_ago_begins_anew(kept: Archive) -> None:
    def at_once(stage: str, _done: int, _total: int | None) -> None:
        if stage == "versions":
            raise JobCancelled

    with pytest.raises(JobCancelled):
        reconcile(kept.ctx, SYSTEM, progress=at_once)
    kept.clock.advance(timedelta(hours=25))
    assert reconcile(kept.ctx, SYSTEM).begun_at == kept.clock.now()


@dataclass(frozen=True)
class Copy:
    """A copy as the catalogue has it."""

    record_id: UUID
    object_key: str
    version_id: str
    lock_mode: str
    lock_until: datetime


@contextmanager
def _lawless(url: str) -> Iterator[Connection]:
    """The owner of the database, whom no rule binds."""
    engine = create_engine(url)
    with engine.begin() as connection:
        connection.execute(text("SET LOCAL session_replication_role = replica"))
        yield connection
    engine.dispose()


def _refusing_holds(archive: Archive) -> CutOffStore:
    class Refusing(CutOffStore):
        def set_hold(self, key: str, version_id: str, *, on: bool) -> ObjectInfo:
            raise StoreDenied(store=archive.ctx.store.name, problem="AccessDenied")

    return Refusing(archive.ctx.store, is_written=True)


def _copies(archive: Archive) -> list[Copy]:
    columns = component_copies.c
    query = select(
        components.c.record_id, columns.object_key, columns.version_id, columns.lock_mode, columns.lock_until
    ).join(components, components.c.id == columns.component_id)
    with archive.ctx.database.read() as connection:
        return [Copy(*row) for row in connection.execute(query)]


def _copy(archive: Archive, *, is_filed: bool = True) -> Copy:
    mode = LockMode.COMPLIANCE if is_filed else LockMode.GOVERNANCE
    return next(copy for copy in _copies(archive) if copy.lock_mode == mode)


def _drifts(archive: Archive) -> list[KeptDrift]:
    with archive.ctx.database.read() as connection:
        return list(drifts.find(connection, DriftFilters()).lines)


def _events(archive: Archive) -> Counter[str]:
    with archive.ctx.database.read() as connection:
        events = connection.execute(select(ledger_entries.c.event)).scalars()
        return Counter(event for event in events if event.startswith("oversight:drift"))


def _directory(archive: Archive) -> Path:
    return Path(archive.ctx.store.name.removeprefix("worm://"))


def _name(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()


def _object(archive: Archive, key: str) -> Path:
    return _directory(archive) / "objects" / _name(key)[:2] / _name(key)
