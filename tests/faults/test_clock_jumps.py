"""The wall clock is set, by hours, forwards and back, while the monotonic one goes on: nothing is lost, believed or put off."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import make_url, select

from tests.support.archive import Archive, jpeg, make_archive, trust
from tests.support.postgres_proxy import Plan, Trap, postgres_proxy
from vault.catalogue.reading import open_original
from vault.catalogue.tables import component_copies
from vault.foundation.clock import FixedClock
from vault.foundation.db.engine import Database
from vault.foundation.db.errors import DatabaseUnavailable
from vault.foundation.db.launcher import EmbeddedPostgres, socket_directory
from vault.foundation.ids import new_id
from vault.foundation.jobs.clockwork import Appointment, lead
from vault.foundation.ledger.entry import SYSTEM
from vault.foundation.ledger.export import export
from vault.foundation.ledger.verify import verify_export
from vault.intake.errors import StoreNotTrusted
from vault.intake.jobs import render_waiting
from vault.intake.model import ItemStatus
from vault.intake.stores import is_probe_due
from vault.intake.tables import store_probes
from vault.oversight.jobs import ask_reconciliation_if_due
from vault.oversight.reconciliation import reconcile
from vault.oversight.verification import verify
from vault.retention.jobs import enqueue_sweep

pytestmark = pytest.mark.faults
KEY = "one-and-the-same-key"
HOURS = [5, -5, 30, -30]


@pytest.fixture
def cut() -> Plan:
    """Where the connection to the database is cut; filled by the archive."""
    return Plan()


@pytest.fixture
def kept(
    postgres_server: EmbeddedPostgres, database_url: str, clock: FixedClock, tmp_path: Path, cut: Plan
) -> Iterator[Archive]:
    """An archive on a write-once directory, whose database is reached through a proxy."""
    with ExitStack() as stack:
        plan = stack.enter_context(postgres_proxy(socket_directory(postgres_server.directory), tmp_path))
        plan.waiting = cut.waiting
        url = make_url(database_url)
        database = Database(url.set(query={**url.query, "host": str(tmp_path)}), clock, pool_size=4)
        stack.callback(database.dispose)
        made = make_archive(database, clock, tmp_path, f"worm://{tmp_path / 'store'}")
        trust(made)
        yield made


def jump(archive: Archive, hours: float) -> None:
    """Only the wall clock is set: the monotonic one counts on."""
    archive.clock.at += timedelta(hours=hours)


@pytest.mark.invariant("U1")
@pytest.mark.invariant("U2")
@pytest.mark.parametrize("hours", HOURS)
def test_an_upload_that_was_cut_before_the_jump_is_finished_after_it(kept: Archive, cut: Plan, hours: int) -> None:
    kept.send(jpeg(1))
    cut.waiting.append(Trap("INSERT INTO records", at_commit=True))
    with pytest.raises(DatabaseUnavailable):
        kept.send(jpeg(2), key=KEY)
    jump(kept, hours)
    reconcile(kept.ctx, SYSTEM)  # thirty hours later the sender is given up, until it comes back
    receipt = kept.send(jpeg(2), key=KEY)
    assert receipt.status is ItemStatus.ACCEPTED
    assert receipt.record_id is not None
    _, original, content = open_original(kept.ctx, kept.operator, receipt.record_id)
    with content:
        assert content.read() == jpeg(2)
    with kept.ctx.database.read() as connection:
        copies = connection.execute(
            select(component_copies).where(component_copies.c.component_id == original.id)
        ).all()
    assert kept.ctx.store.head(original.object_key).lock.until == copies[0].lock_until
    jump(kept, -hours)
    assert kept.send(jpeg(2), key=KEY).record_id == receipt.record_id
    reconcile(kept.ctx, SYSTEM, older_than=-timedelta(hours=100))
    kept.sequence()
    verdict = verify(kept.ctx)
    assert (verdict.findings, verdict.notes, verdict.records) == ((), (), 2)


@pytest.mark.invariant("L2")
def test_the_ledger_stays_one_whose_order_is_not_that_of_the_clock(kept: Archive, tmp_path: Path) -> None:
    for number, hours in enumerate((0, 5, -10, 5)):
        jump(kept, hours)
        kept.send(jpeg(number))
        kept.sequence()
    assert verify(kept.ctx).is_clean
    with kept.ctx.database.read() as connection:
        export(connection, kept.ctx.custodian.public_key(), tmp_path / "ledger")
    assert verify_export(tmp_path / "ledger").findings == ()


def test_work_that_was_claimed_in_a_future_that_did_not_come_is_taken_over(kept: Archive) -> None:
    sent = [kept.send(jpeg(number)).record_id for number in range(2)]
    jump(kept, 5)
    worker = render_waiting(kept.ctx)
    done = next(worker)
    worker.close()  # dead, with a claim on the other
    assert list(render_waiting(kept.ctx)) == [], "a claim that has not run out is respected"
    jump(kept, -5)
    assert [done, *render_waiting(kept.ctx)] == sent


def test_the_newest_probe_is_the_one_made_last_whatever_its_clock_said(kept: Archive) -> None:
    jump(kept, 5)
    trust(kept)
    jump(kept, -5)
    _note_lies(kept)
    with pytest.raises(StoreNotTrusted):
        kept.send(jpeg(1))


def test_what_is_due_daily_is_not_put_off_to_a_future_that_a_wrong_clock_noted(kept: Archive) -> None:
    jump(kept, 24 * 400)
    trust(kept)
    for ask in (ask_reconciliation_if_due, enqueue_sweep):
        assert ask(kept.ctx)
        assert not ask(kept.ctx)
    jump(kept, -24 * 400)
    assert is_probe_due(kept.ctx)
    for ask in (ask_reconciliation_if_due, enqueue_sweep):
        assert ask(kept.ctx)
        assert not ask(kept.ctx)


@pytest.mark.parametrize("hours", [5, -5])
def test_the_clock_that_enqueues_counts_anew_after_a_jump(kept: Archive, hours: int) -> None:
    """Its scheduler sleeps until an instant: set back by hours, it would enqueue nothing for hours."""
    done: list[float] = []
    appointments = [Appointment(lambda: done.append(time.monotonic()), 0.1)]
    ending = threading.Event()

    def led(look_every_s: float = 0.1) -> threading.Thread:
        arguments = (kept.ctx.database, appointments, ending)
        thread = threading.Thread(target=lead, args=arguments, kwargs={"look_every_s": look_every_s})
        thread.start()
        return thread

    leader = led()
    while len(done) < 2:
        time.sleep(0.01)
    second = led()
    second.join(10)
    assert not second.is_alive(), "there is one leader"
    jump(kept, hours)
    leader.join(10)
    assert not leader.is_alive(), "the leader steps back when the clock jumps"
    kept_so_far = len(done)
    leader = led()
    while len(done) < kept_so_far + 2:
        time.sleep(0.01)
    ending.set()
    leader.join(10)
    assert not leader.is_alive()


def _note_lies(archive: Archive) -> None:
    with archive.ctx.database.transaction(SYSTEM) as tx:
        told = {
            "store": archive.ctx.store.name,
            "at": archive.clock.now(),
            "lies": ["past-date-refused"],
            "checks": [],
        }
        tx.connection.execute(store_probes.insert(), {"id": new_id(), **told})
        tx.witness("intake:store:probe", "store", new_id())
        tx.commit()
