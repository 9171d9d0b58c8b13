"""Placing and releasing: in force with the commit, ended by two others, and the stores follow, whatever dies on the way."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from threading import Event as Signal
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import create_engine, select, text
from sqlalchemy.exc import DBAPIError

from retention_rules.model import What
from tests.nouns.holds.conftest import COURT, Lawyers
from tests.support.archive import Archive
from vault.access.errors import OwnProposal, ProposalSettled
from vault.catalogue.fingerprint import rows_digest
from vault.catalogue.queries import RecordView, components_of
from vault.catalogue.service import begin_changes
from vault.foundation.errors import InvalidInput, NotAllowed
from vault.foundation.ids import new_id
from vault.foundation.ledger.queries import entries_of_subject
from vault.foundation.ledger.tables import ledger_entries
from vault.holds import jobs, matter_lists, queries, releasing, service
from vault.holds.errors import (
    HoldEnded,
    MatterClosed,
    MatterStillHolds,
    RecordsUnknown,
    ReleaseNotProposed,
    ReleaseOutdated,
    ReleaseProposed,
    ReleaseReplaced,
)
from vault.holds.model import Event, HoldState
from vault.holds.tables import held_records, hold_tasks, holds, matters
from vault.intake.jobs import render_waiting
from vault.oversight.verification import verify
from vault.retention.why import explain

pytestmark = pytest.mark.clause("V5")


def _in_stores(archive: Archive, record_id: UUID) -> set[bool]:
    """Whether the copies of a record are held, as their store tells it."""
    with archive.ctx.database.read() as connection:
        copies = components_of(connection, record_id)
    return {archive.ctx.store.head(copy.object_key, copy.version_id).legal_hold for copy in copies}


def _is_held(archive: Archive, record_id: UUID) -> bool:
    with archive.ctx.database.read() as connection:
        return record_id in queries.on_hold(connection, [record_id])


def _clean(archive: Archive) -> None:
    archive.sequence()
    verdict = verify(archive.ctx)
    assert verdict.is_clean, verdict.findings


@pytest.mark.invariant("H1")
def test_a_hold_counts_at_once_and_the_stores_follow(
    archive: Archive, lawyers: Lawyers, send: Callable[..., UUID], look: Callable[[UUID], RecordView]
) -> None:
    one, two = send(), send()
    list(render_waiting(archive.ctx))
    matter = lawyers.matter()
    numbers = [look(one).archival_number, f"  {two}  ", "", str(one)]
    placed = service.place_hold(archive.ctx, lawyers.legal, matter, numbers, "法院  要求保全", date(2027, 1, 1))
    assert (placed.added, placed.hold.name, placed.hold.state) == (2, "M-2026-0001/1", HoldState.BEING_SET)
    assert _is_held(archive, one)
    assert _in_stores(archive, one) == {False}
    assert sorted(lawyers.tell_stores()) == sorted([one, two])
    assert _in_stores(archive, one) == _in_stores(archive, two) == {True}
    with archive.ctx.database.read() as connection:
        assert queries.get_hold(connection, placed.hold.id).state is HoldState.STANDS
        told = [entry.event for entry in entries_of_subject(connection, one)]
    assert told[-2:] == ["holds:record:hold", "holds:stores:hold"]
    _clean(archive)


def test_a_list_is_held_whole_or_not_at_all(archive: Archive, lawyers: Lawyers, send: Callable[..., UUID]) -> None:
    record_id, matter = send(), lawyers.matter()
    with pytest.raises(RecordsUnknown) as refused:
        service.place_hold(
            archive.ctx, lawyers.legal, matter, ["", str(record_id), "张三", str(new_id())], "保全要求"
        )
    assert refused.value.facts == {"count": 2, "lines": "3, 4"}
    assert not _is_held(archive, record_id)
    for names in ([], ["  "], [str(record_id)] * (service.RECORDS_MAX + 1)):
        with pytest.raises(InvalidInput):
            service.place_hold(archive.ctx, lawyers.legal, matter, names, "保全要求")
    with pytest.raises(InvalidInput):
        service.place_hold(archive.ctx, lawyers.legal, matter, [str(record_id)], "保全要求", date(2020, 1, 1))
    with pytest.raises(NotAllowed):
        service.place_hold(archive.ctx, lawyers.heads[0], matter, [str(record_id)], "保全要求")


def test_records_are_added_and_those_that_are_held_stay_as_they_are(
    archive: Archive, lawyers: Lawyers, send: Callable[..., UUID]
) -> None:
    one, two = send(), send()
    hold_id = lawyers.place(lawyers.matter(), one).hold.id
    more = service.add_records(archive.ctx, lawyers.other, hold_id, [str(one), str(two)])
    assert (more.added, more.already, more.hold.records) == (1, 1, 2)
    again = service.add_records(archive.ctx, lawyers.other, hold_id, [str(one), str(two)])
    assert (again.added, again.already) == (0, 2)
    with archive.ctx.database.read() as connection:
        extended = connection.execute(
            select(ledger_entries.c.id).where(ledger_entries.c.event == "holds:hold:extend")
        ).all()
        page = queries.find_held(connection, lawyers.legal, hold_id)
    assert len(extended) == 1
    assert {line.record_id for line in page.lines} == {one, two}


@pytest.mark.invariant("A1")
def test_a_hold_is_released_by_two_who_did_not_propose_it(
    archive: Archive, lawyers: Lawyers, send: Callable[..., UUID]
) -> None:
    record_id = send()
    hold_id = lawyers.place(lawyers.matter(), record_id).hold.id
    lawyers.tell_stores()
    with pytest.raises(ReleaseNotProposed):
        releasing.approve_release(archive.ctx, lawyers.heads[0], hold_id, lawyers.proposal(hold_id))
    proposed = releasing.propose_release(archive.ctx, lawyers.heads[2], hold_id, "案件已结")
    assert proposed.state is HoldState.RELEASE_PROPOSED
    with pytest.raises(ReleaseProposed):
        releasing.propose_release(archive.ctx, lawyers.legal, hold_id, "案件已结")
    with pytest.raises(NotAllowed):
        releasing.approve_release(archive.ctx, lawyers.legal, hold_id, lawyers.proposal(hold_id))
    with pytest.raises(OwnProposal):
        releasing.approve_release(archive.ctx, lawyers.heads[2], hold_id, lawyers.proposal(hold_id))
    assert releasing.approve_release(archive.ctx, lawyers.heads[0], hold_id, lawyers.proposal(hold_id)).is_in_force
    with pytest.raises(ProposalSettled):
        releasing.approve_release(archive.ctx, lawyers.heads[0], hold_id, lawyers.proposal(hold_id))
    assert _is_held(archive, record_id)
    done = releasing.approve_release(archive.ctx, lawyers.heads[1], hold_id, lawyers.proposal(hold_id))
    assert done.state is HoldState.BEING_LIFTED
    assert not _is_held(archive, record_id)
    assert _in_stores(archive, record_id) == {True}, "the store is told by a job"
    lawyers.tell_stores()
    assert _in_stores(archive, record_id) == {False}
    with archive.ctx.database.read() as connection:
        assert queries.get_hold(connection, hold_id).state is HoldState.RELEASED
    with pytest.raises(HoldEnded):
        service.add_records(archive.ctx, lawyers.legal, hold_id, [str(record_id)])
    _clean(archive)


@pytest.mark.invariant("A1")
def test_only_the_release_that_was_read_is_decided(
    archive: Archive, lawyers: Lawyers, send: Callable[..., UUID]
) -> None:
    hold_id = lawyers.place(lawyers.matter(), send()).hold.id
    releasing.propose_release(archive.ctx, lawyers.legal, hold_id, "案件已结")
    read = lawyers.proposal(hold_id)
    releasing.withdraw_release(archive.ctx, lawyers.legal, hold_id)
    service.add_records(archive.ctx, lawyers.legal, hold_id, [str(send())])
    releasing.propose_release(archive.ctx, lawyers.legal, hold_id, "另一个理由")
    for decide in (releasing.approve_release, releasing.refuse_release):
        with pytest.raises(ReleaseReplaced):
            decide(archive.ctx, lawyers.heads[0], hold_id, read, "已阅并同意")
    for head in lawyers.heads[:2]:
        done = releasing.approve_release(archive.ctx, head, hold_id, lawyers.proposal(hold_id))
    assert not done.is_in_force


def test_a_refused_or_withdrawn_release_leaves_it_in_force_and_may_be_proposed_anew(
    archive: Archive, lawyers: Lawyers, send: Callable[..., UUID]
) -> None:
    record_id, other = send(), send()
    hold_id = lawyers.place(lawyers.matter(), record_id).hold.id
    releasing.propose_release(archive.ctx, lawyers.legal, hold_id, "案件已结")
    releasing.refuse_release(archive.ctx, lawyers.heads[0], hold_id, lawyers.proposal(hold_id), "裁定未生效")
    releasing.propose_release(archive.ctx, lawyers.legal, hold_id, "裁定已生效")
    releasing.withdraw_release(archive.ctx, lawyers.legal, hold_id)
    assert _is_held(archive, record_id)
    releasing.propose_release(archive.ctx, lawyers.legal, hold_id, "裁定已生效")
    service.add_records(archive.ctx, lawyers.legal, hold_id, [str(other)])  # never refused, also now
    with pytest.raises(ReleaseOutdated):
        releasing.approve_release(archive.ctx, lawyers.heads[0], hold_id, lawyers.proposal(hold_id))
    releasing.withdraw_release(archive.ctx, lawyers.legal, hold_id)
    assert lawyers.release(hold_id).released_at is not None
    _clean(archive)


@pytest.mark.invariant("H1")
def test_of_two_holds_the_last_one_counts(archive: Archive, lawyers: Lawyers, send: Callable[..., UUID]) -> None:
    record_id = send()
    first, second = (lawyers.place(lawyers.matter(), record_id).hold for _ in range(2))
    lawyers.tell_stores()
    lawyers.release(first.id)
    lawyers.tell_stores()
    assert _is_held(archive, record_id)
    assert _in_stores(archive, record_id) == {True}
    lawyers.release(second.id)
    lawyers.tell_stores()
    assert _in_stores(archive, record_id) == {False}
    _clean(archive)


def test_a_matter_is_closed_when_nothing_is_held_under_it(
    archive: Archive, lawyers: Lawyers, send: Callable[..., UUID]
) -> None:
    matter = lawyers.matter()
    hold_id = lawyers.place(matter, send()).hold.id
    with pytest.raises(MatterStillHolds):
        service.close_matter(archive.ctx, lawyers.legal, matter)
    lawyers.release(hold_id)
    assert not service.close_matter(archive.ctx, lawyers.legal, matter).is_open
    with pytest.raises(MatterClosed):
        lawyers.place(matter, send())
    with archive.ctx.database.read() as connection:
        found = matter_lists.find_matters(
            connection, lawyers.legal, matter_lists.MatterFilters(is_open=False, text="0001")
        )
        assert matter_lists.count_matters(connection, lawyers.legal, matter_lists.MatterFilters(is_open=True)) == 0
    assert [(line.matter.id, line.holds) for line in found.lines] == [(matter, 0)]


@pytest.mark.invariant("L3")
def test_what_was_written_stands_in_no_ledger_entry(
    archive: Archive, lawyers: Lawyers, send: Callable[..., UUID]
) -> None:
    record_ids, matter = sorted([send(), send()]), lawyers.matter()
    hold_id = lawyers.place(matter, *record_ids).hold.id
    lawyers.release(hold_id)
    with archive.ctx.database.read() as connection:
        bodies = b"\n".join(bytes(body) for body in connection.execute(select(ledger_entries.c.body)).scalars())
        salt = connection.execute(select(matters.c.salt)).scalar_one()
    told = bodies.decode("unicode_escape", errors="replace")
    ids = [str(hold_id), *map(str, record_ids)]
    for secret in (COURT.authority_name, COURT.document_number, COURT.basis, COURT.title, "法院要求保全", "案件已结"):
        assert secret not in told
        # Nor a digest that whoever reads the ledger could make of a guess, with the ids that stand beside it.
        for parts in ([secret], [*ids, secret], [ids[0], secret, *ids[1:]], [str(matter), secret], [secret, *ids]):
            for between in ("", "\n", " "):
                assert hashlib.sha256(between.join(parts).encode()).hexdigest() not in told
    known = bytes(salt) + "\n".join([ids[0], "案件已结", *ids[1:]]).encode()
    assert hashlib.sha256(known).hexdigest() in told, "with the matter's salt it is what was approved"


def test_the_ledger_names_what_was_released_and_on_whose_word(
    archive: Archive, lawyers: Lawyers, send: Callable[..., UUID]
) -> None:
    hold = lawyers.release(lawyers.place(lawyers.matter(), send()).hold.id)
    assert hold.release is not None
    with archive.ctx.database.read() as connection:
        row = dict(connection.execute(select(holds)).mappings().one())
        salt = bytes(connection.execute(select(matters.c.salt)).scalar_one())
        event = ledger_entries.c.event == "holds:hold:release"
        entry = json.loads(bytes(connection.execute(select(ledger_entries.c.body).where(event)).scalar_one()))
    told = {"records": 1, "proposal_id": str(hold.release.id), "digest": rows_digest("holds", salt, [row])}
    assert entry["details"] == told


def test_a_hold_whose_stores_are_being_told_again_does_not_stand_yet(
    archive: Archive, lawyers: Lawyers, send: Callable[..., UUID]
) -> None:
    record_id = send()
    hold_id = lawyers.place(lawyers.matter(), record_id).hold.id
    lawyers.tell_stores()
    list(render_waiting(archive.ctx))  # copies that no store holds yet
    with archive.ctx.database.read() as connection:
        hold = queries.get_hold(connection, hold_id)
    assert (hold.standing, hold.records, hold.state) == (1, 1, HoldState.BEING_SET)


@pytest.mark.invariant("H1")
def test_a_hold_that_commits_first_wins_over_whoever_destroys(
    archive: Archive, lawyers: Lawyers, send: Callable[..., UUID], database_url: str
) -> None:
    held, record_id = send(), send()
    hold_id = lawyers.place(lawyers.matter(), held).hold.id
    owner = create_engine(database_url)

    def destroy() -> str | None:
        with owner.connect() as connection:
            try:
                connection.execute(text("DELETE FROM record_keys WHERE record_id = :id"), {"id": record_id})
            except DBAPIError as error:
                return getattr(error.orig, "sqlstate", None)
        return None

    with ThreadPoolExecutor(1) as pool:
        with archive.ctx.database.transaction(lawyers.legal.actor) as tx:
            changing = begin_changes(tx, [record_id])
            row = {"hold_id": hold_id, "record_id": record_id, "held_at": tx.clock.now()}
            tx.connection.execute(held_records.insert(), row)
            service.witness_each(tx, Event.RECORD_HELD, hold_id, changing)
            destroying = pool.submit(destroy)
            with pytest.raises(TimeoutError):
                destroying.result(0.5)  # it waits for the record's row
            tx.commit()
        assert destroying.result(10) == "SV006"
    owner.dispose()


@pytest.mark.invariant("H1")
def test_a_worker_that_dies_on_the_way_leaves_its_work_to_the_next(
    archive: Archive, lawyers: Lawyers, send: Callable[..., UUID]
) -> None:
    record_id = send()
    list(render_waiting(archive.ctx))
    lawyers.place(lawyers.matter(), record_id)
    store = _Dying(archive.ctx.store, after=1)
    with pytest.raises(_Died):
        list(jobs.tell_waiting(_with_store(archive, store)))
    assert _in_stores(archive, record_id) == {True, False}
    assert lawyers.tell_stores() == [record_id], "its task is free at once"
    assert _in_stores(archive, record_id) == {True}
    _clean(archive)


def test_what_a_store_refuses_is_tried_again_later(
    archive: Archive, lawyers: Lawyers, send: Callable[..., UUID]
) -> None:
    record_id = send()
    hold_id = lawyers.place(lawyers.matter(), record_id).hold.id
    store: Any = archive.ctx.store
    kept = dict(store._objects)
    store._objects.clear()  # the store lost everything, for the moment
    assert lawyers.tell_stores() == [record_id]
    with archive.ctx.database.read() as connection:
        (line,) = queries.find_held(connection, lawyers.legal, hold_id, is_waiting=True).lines
        assert not jobs.are_stores_behind(connection, archive.clock.now())
    assert (line.problem, line.stands_at) == ("object-not-found", None)
    assert _is_held(archive, record_id), "it is held whatever the store says"
    store._objects.update(kept)
    archive.clock.advance(timedelta(seconds=3))
    assert lawyers.tell_stores() == [record_id]
    assert _in_stores(archive, record_id) == {True}


@pytest.mark.invariant("H1")
def test_a_hold_placed_while_the_store_is_being_freed_wins(
    archive: Archive, lawyers: Lawyers, send: Callable[..., UUID]
) -> None:
    record_id = send()
    hold_id = lawyers.place(lawyers.matter(), record_id).hold.id
    lawyers.tell_stores()
    lawyers.release(hold_id)
    store = _Waiting(archive.ctx.store)
    with ThreadPoolExecutor(1) as pool:
        freeing = pool.submit(lambda: list(jobs.tell_waiting(_with_store(archive, store))))
        assert store.is_there.wait(10)
        lawyers.place(lawyers.matter(), record_id)  # waits for nobody
        assert lawyers.tell_stores() == [], "the record is being worked at"
        store.may_go.set()
        assert freeing.result(10) == [record_id]
    assert _in_stores(archive, record_id) == {True}
    with archive.ctx.database.read() as connection:
        assert connection.execute(select(hold_tasks)).all() == []
    _clean(archive)


def test_two_workers_share_the_work(archive: Archive, lawyers: Lawyers, send: Callable[..., UUID]) -> None:
    ids = [send() for _ in range(6)]
    lawyers.place(lawyers.matter(), *ids)
    with ThreadPoolExecutor(2) as pool:
        done = [one for part in pool.map(lambda _: lawyers.tell_stores(), range(2)) for one in part]
    assert sorted(done) == sorted(ids)
    assert [_in_stores(archive, record_id) for record_id in ids] == [{True}] * 6


def test_access_copies_made_later_are_held_too(archive: Archive, lawyers: Lawyers, send: Callable[..., UUID]) -> None:
    record_id = send()
    lawyers.place(lawyers.matter(), record_id)
    lawyers.tell_stores()
    list(render_waiting(archive.ctx))
    assert _in_stores(archive, record_id) == {True, False}
    assert lawyers.tell_stores() == [record_id]
    assert _in_stores(archive, record_id) == {True}
    _clean(archive)


def test_a_removed_hold_is_found_by_verification(
    archive: Archive, lawyers: Lawyers, send: Callable[..., UUID], database_url: str
) -> None:
    lawyers.place(lawyers.matter(), send())
    archive.sequence()
    owner = create_engine(database_url)
    with owner.begin() as connection:
        connection.execute(text("ALTER TABLE held_records DISABLE TRIGGER USER"))
        connection.execute(text("DELETE FROM held_records"))
    owner.dispose()
    assert [finding.facts["table"] for finding in verify(archive.ctx).findings] == ["held_records"]


def test_why_tells_of_the_hold_then_and_now(archive: Archive, lawyers: Lawyers, send: Callable[..., UUID]) -> None:
    record_id = send()
    before = archive.clock.now()
    archive.clock.advance(timedelta(days=10))
    hold_id = lawyers.place(lawyers.matter(), record_id).hold.id
    why = explain(archive.ctx, lawyers.legal, record_id)
    told = why.decision
    assert (told.what, told.winning.told["matter"]) == (What.HELD, "M-2026-0001")
    assert why.next_what is None, "a hold ends by an act, on no day that anybody knows"
    assert explain(archive.ctx, lawyers.legal, record_id, before.date()).decision.what is What.KEEP
    archive.clock.advance(timedelta(days=10))
    lawyers.release(hold_id)
    assert explain(archive.ctx, lawyers.legal, record_id).decision.what is What.KEEP
    assert explain(archive.ctx, lawyers.legal, record_id, (before + timedelta(days=15)).date()).decision.is_held


def _with_store(archive: Archive, store: Any) -> Any:
    from dataclasses import replace

    return replace(archive.ctx, store=store)


class _Died(BaseException):
    """The process is gone."""


class _Dying:
    """A store whose user dies after it has held so many objects."""

    def __init__(self, inner: Any, after: int) -> None:
        self._inner = inner
        self._left = after

    def set_hold(self, key: str, version_id: str, *, on: bool) -> Any:
        if self._left == 0:
            raise _Died
        self._left -= 1
        return self._inner.set_hold(key, version_id, on=on)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)


class _Waiting:
    """A store that takes its time over the first legal hold."""

    def __init__(self, inner: Any) -> None:
        self._inner = inner
        self.is_there, self.may_go = Signal(), Signal()

    def set_hold(self, key: str, version_id: str, *, on: bool) -> Any:
        self.is_there.set()
        assert self.may_go.wait(10)
        return self._inner.set_hold(key, version_id, on=on)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)
