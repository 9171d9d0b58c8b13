"""The sweep: due dates of all records computed anew when the law has changed for them, and of some when their day comes.

What the law says of most classes is a few columns of numbers (`SimplePlan`), so the database computes it for thousands
of records in one statement; the hard rest goes through `decide`. Each batch is a transaction of its own, which also
moves the mark up to which the sweep has come: a sweep that was killed goes on where it was, and of two at once the
second finds the mark taken and leaves. Holds play no part here (see `DueDates`), and no lock is ever shortened.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, Date, and_, cast, exists, func, or_, select

from retention_rules.law import Law
from retention_rules.model import LockPolicy, Period
from retention_rules.periods import add
from retention_rules.plans import SimplePlan, plan_of
from retention_rules.schedules import end_of_day
from vault.catalogue import service as catalogue
from vault.catalogue.model import RecordStatus
from vault.catalogue.tables import record_states, records
from vault.foundation.context import Context
from vault.foundation.db.transaction import Transaction
from vault.foundation.ledger.entry import SYSTEM
from vault.retention.book import Lawbook, read_book
from vault.retention.due_dates import SWEEP_WAITS, lengthen_locks, settle
from vault.retention.model import Event
from vault.retention.set_based import Span, due_query
from vault.retention.tables import law_changes, lock_tasks

BATCH = 20_000
_HARD_BATCH = 500

Progress = Callable[[int, int | None], None]


@dataclass
class Swept:
    """How many records a sweep came to, how many dates it changed, and how many locks it asked to be longer."""

    records: int = 0
    changed: int = 0
    locks: int = 0


def is_due(connection: Connection, now: datetime) -> bool:
    """Whether there is anything to sweep."""
    today = read_book(connection).day_of(now)
    changed = exists().where(_is_pending(today, now))
    come = exists().where(record_states.c.next_date <= today)
    return bool(connection.execute(select(changed | come)).scalar_one())


def sweep(ctx: Context, progress: Progress = lambda _done, _all: None, *, batch: int = BATCH) -> Swept:
    """Brings every due date up to what the law says now. Leaves `retention:due_dates:settle` with each batch.

    Raises:
        JobCancelled: `progress` raised it; what was done stays, and the next sweep goes on from there.
    """
    swept = Swept()
    with ctx.database.read() as connection:
        total = connection.execute(select(func.count()).select_from(record_states)).scalar_one()
    while _sweep_changed_law(ctx, swept, batch):
        progress(swept.records, total)
    while _sweep_come_days(ctx, swept, batch):
        progress(swept.records, None)
    _renew_locks(ctx, swept, batch)
    return swept


def _sweep_changed_law(ctx: Context, swept: Swept, batch: int) -> bool:
    """The next batch of the newest change that is in force; false when there is none, or another sweep has it."""
    with ctx.database.transaction(SYSTEM) as tx:
        now = tx.clock.now()
        lawbook = read_book(tx.connection)
        pending = (
            select(law_changes)
            .where(_is_pending(lawbook.day_of(now), now))
            .order_by(law_changes.c.id.desc())
            .limit(1)
            .with_for_update(skip_locked=True)
        )
        change = tx.connection.execute(pending).one_or_none()
        if change is None:
            return False
        span = _next_span(tx.connection, change.swept_through, batch)
        if span is None:
            # Whoever swept by the newest law swept by all that came before it.
            values = {"swept_at": now}
            older = law_changes.c.swept_at.is_(None) & (law_changes.c.id <= change.id)
            tx.connection.execute(law_changes.update().where(older).values(**values))
            tx.witness(Event.LAW_SWEPT, "law_change", change.id)
        else:
            _settle_span(tx, lawbook, span, swept)
            done = law_changes.update().where(law_changes.c.id == change.id)
            tx.connection.execute(done.values(swept_through=span.last))
        tx.commit()
    return True


def _is_pending(today: date, now: datetime) -> ColumnElement[bool]:
    """A change that is in force, and old enough that no upload still goes by what was the law before it."""
    return and_(
        law_changes.c.swept_at.is_(None), law_changes.c.from_date <= today, law_changes.c.at <= now - SWEEP_WAITS
    )


def _next_span(connection: Connection, after: UUID | None, batch: int) -> Span | None:
    ids = select(record_states.c.record_id).order_by(record_states.c.record_id).limit(batch)
    if after is not None:
        ids = ids.where(record_states.c.record_id > after)
    found = ids.subquery().c.record_id
    last = connection.execute(select(found).order_by(found.desc()).limit(1)).scalar_one_or_none()
    return None if last is None else Span(after, last)


def _settle_span(tx: Transaction, lawbook: Lawbook, span: Span, swept: Swept) -> None:
    now = tx.clock.now()
    today = lawbook.day_of(now)
    law = lawbook.law(today, now)
    count = catalogue.hold_span_still(tx, span.after, span.last)
    computed = due_query(
        _plans(law, today), span, lawbook.time_zone, law.organisation.fiscal_year, today, int(law.version)
    )
    done = catalogue.set_due_dates_from(tx, computed)
    for start in range(0, len(done.hard), _HARD_BATCH):
        settle(tx, done.hard[start : start + _HARD_BATCH])
    locks = lengthen_locks(tx, lawbook, done.outlasting)
    tx.witness(
        Event.DUE_DATES_SETTLED,
        "records",
        span.last,
        records=count,
        changed=done.changed,
        decided=len(done.hard),
        locks=locks,
    )
    swept.records += count
    swept.changed += done.changed + len(done.hard)
    swept.locks += locks


def _plans(law: Law, today: date) -> dict[str, SimplePlan]:
    """The classes that columns can decide."""
    plans = {code: plan_of(code, law, today) for code in law.classes}
    return {code: plan for code, plan in plans.items() if isinstance(plan, SimplePlan)}


def _sweep_come_days(ctx: Context, swept: Swept, batch: int) -> bool:
    """The next records whose day has come; false when there are none that no other sweep has."""
    with ctx.database.transaction(SYSTEM) as tx:
        today = read_book(tx.connection).day_of(tx.clock.now())
        come = (
            select(record_states.c.record_id)
            .where(record_states.c.next_date <= today)
            .order_by(record_states.c.record_id)
            .limit(min(batch, _HARD_BATCH))
            .with_for_update(skip_locked=True)
        )
        ids = list(tx.connection.execute(come).scalars())
        if not ids:
            return False
        settle(tx, ids)
        tx.witness(Event.DUE_DATES_SETTLED, "records", ids[-1], records=len(ids), changed=len(ids), decided=len(ids))
        tx.commit()
    swept.records += len(ids)
    swept.changed += len(ids)
    return True


def _renew_locks(ctx: Context, swept: Swept, batch: int) -> None:
    """Locks that run only so far ahead of today are renewed when half of their way is left, not every night."""
    with ctx.database.read() as connection:
        lawbook = read_book(connection)
        now = ctx.clock.now()
        classes = lawbook.law(lawbook.day_of(now), now).classes
    for code in sorted(classes):
        after: UUID | None = None
        while True:
            after = _renew_some(ctx, swept, code, classes[code].definition.lock, after, batch)
            if after is None:
                break


def _renew_some(
    ctx: Context, swept: Swept, code: str, policy: LockPolicy, after: UUID | None, batch: int
) -> UUID | None:
    """The next filed records of a class whose lock ends soon; gives the last, none when there are no more."""
    with ctx.database.transaction(SYSTEM) as tx:
        lawbook = read_book(tx.connection)
        soon = add(lawbook.day_of(tx.clock.now()), _half(policy.horizon))
        query = (
            select(record_states.c.record_id)
            .join(records, records.c.id == record_states.c.record_id)
            .where(
                records.c.class_code == code,
                record_states.c.status == RecordStatus.FILED.value,
                record_states.c.lock_until < end_of_day(soon, lawbook.time_zone),
                or_(
                    record_states.c.retain_until.is_(None),
                    record_states.c.retain_until
                    >= cast(func.timezone(lawbook.time_zone, record_states.c.lock_until), Date),
                ),
                ~exists().where(lock_tasks.c.record_id == record_states.c.record_id),
            )
            .order_by(record_states.c.record_id)
            .limit(batch)
        )
        if after is not None:
            query = query.where(record_states.c.record_id > after)
        ids = list(tx.connection.execute(query).scalars())
        locks = lengthen_locks(tx, lawbook, ids)
        if locks:
            tx.witness(Event.LOCKS_RENEWED, "records", ids[-1], records=len(ids), locks=locks)
            tx.commit()
        swept.locks += locks
    return ids[-1] if ids else None


def _half(period: Period) -> Period:
    return Period(months=period.months // 2, days=period.days // 2 + 15 * (period.months % 2))
