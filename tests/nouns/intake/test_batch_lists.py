"""Batches found by name, state, balance, unit, sender and day, and closed many at once, each for itself."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import pytest

from tests.support.archive import Archive, jpeg
from vault.access import service as access
from vault.foundation import bulk
from vault.foundation.db.keyset import Picked
from vault.foundation.ids import new_id
from vault.foundation.ledger.queries import EntryFilters, find_entries
from vault.intake.batches import (
    CLOSED_BEFORE,
    WILL_BALANCE,
    WILL_NOT_BALANCE,
    BatchFilters,
    close_batch,
    close_batches,
    count_batches,
    find_batches,
    open_batch,
    plan_closing,
    recent_senders,
)
from vault.intake.model import BatchState


@pytest.fixture
def piles(archive: Archive) -> dict[str, UUID]:
    """Batches by how they stand: even and open, short and open, closed even, closed short, of another unit."""
    other = access.create_unit(archive.ctx, archive.operator, "GT02", "二号窗口", "Window 2")
    made = {
        "even": open_batch(archive.ctx, archive.operator, "开户 100%", 1).id,
        "short": open_batch(archive.ctx, archive.operator, "汇款", 2).id,
        "closed": open_batch(archive.ctx, archive.operator, "许可", None).id,
        "uneven": open_batch(archive.ctx, archive.operator, "投诉", 5).id,
        "elsewhere": open_batch(archive.ctx, archive.operator, "别处", None, other).id,
    }
    archive.send(jpeg(1), batch_id=made["even"])
    archive.send(jpeg(2)[:-2000], batch_id=made["short"])
    close_batch(archive.ctx, archive.operator, made["closed"])
    close_batch(archive.ctx, archive.operator, made["uneven"])
    return {**made, "unit": other}


def names(archive: Archive, filters: BatchFilters, units: frozenset[UUID] | None = None) -> set[str]:
    with archive.ctx.database.read() as connection:
        page = find_batches(connection, filters, units=units)
        assert count_batches(connection, filters, units=units) == len(page.lines)
    return {batch.name for batch in page.lines}


def test_each_filter_finds_what_it_says(archive: Archive, piles: dict[str, UUID]) -> None:
    now, hour = archive.clock.now(), timedelta(hours=1)
    everything = {"开户 100%", "汇款", "许可", "投诉", "别处"}
    cases = [
        (BatchFilters(), everything),
        (BatchFilters(name="户"), {"开户 100%"}),
        (BatchFilters(name="%"), {"开户 100%"}),
        (BatchFilters(state=BatchState.OPEN), {"开户 100%", "汇款", "别处"}),
        (BatchFilters(state=BatchState.UNBALANCED), {"投诉"}),
        (BatchFilters(is_even=True), {"开户 100%", "许可", "别处"}),
        (BatchFilters(is_even=False), {"汇款", "投诉"}),
        (BatchFilters(is_even=False, state=BatchState.OPEN), {"汇款"}),
        (BatchFilters(unit_id=piles["unit"]), {"别处"}),
        (BatchFilters(opened_by=archive.operator.id), everything),
        (BatchFilters(opened_by=new_id()), set()),
        (BatchFilters(opened_from=now - hour, opened_before=now + hour), everything),
        (BatchFilters(opened_before=now - hour), set()),
    ]
    for filters, expected in cases:
        assert names(archive, filters) == expected, filters
    assert names(archive, BatchFilters(), frozenset({piles["unit"]})) == {"别处"}
    with archive.ctx.database.read() as connection:
        assert recent_senders(connection, None) == (archive.operator.id,)


def test_even_means_in_the_database_what_a_balance_says(archive: Archive, piles: dict[str, UUID]) -> None:
    with archive.ctx.database.read() as connection:
        told = {b.id: b.balance.is_balanced for b in find_batches(connection, BatchFilters(), units=None).lines}
        even = {b.id for b in find_batches(connection, BatchFilters(is_even=True), units=None).lines}
    assert even == {batch_id for batch_id, is_balanced in told.items() if is_balanced}


def test_closing_many_says_before_how_each_will_end_and_after_which_were_not(
    archive: Archive, piles: dict[str, UUID]
) -> None:
    unknown = new_id()
    picked = Picked(ids=(*(piles[name] for name in ("even", "short", "closed")), unknown))
    with archive.ctx.database.read() as connection:
        plan = plan_closing(connection, archive.operator, BatchFilters(), picked)
    assert {(line.name, line.note) for line in plan.will} == {
        ("开户 100%", WILL_BALANCE),
        ("汇款", WILL_NOT_BALANCE),
    }
    assert {(line.id, line.note) for line in plan.will_not} == {
        (piles["closed"], CLOSED_BEFORE),
        (unknown, bulk.NOT_THERE),
    }
    assert bulk.by_note(plan.will) == ((WILL_NOT_BALANCE, 1), (WILL_BALANCE, 1))

    outcome = close_batches(archive.ctx, archive.operator, picked.ids or ())
    assert set(outcome.done) == {piles["even"], piles["short"]}
    assert {line.id for line in outcome.failed} == {piles["closed"], unknown}
    assert names(archive, BatchFilters(state=BatchState.BALANCED)) == {"开户 100%", "许可"}
    with archive.ctx.database.read() as connection:
        assert len(find_entries(connection, EntryFilters(event="intake:batch:close")).lines) == 4
