"""Due dates: what the law says of records now, computed from what is recorded and written beside them.

`settle` is called in the transaction of whatever changed a fact. It takes the records' row locks first, so of two
changes at once the second decides with the first one's fact.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from uuid import UUID

from sqlalchemy import Connection, func
from sqlalchemy.dialects.postgresql import insert

from retention_rules.decision import Decision, decide
from retention_rules.law import Law
from retention_rules.locks import FiledLock
from retention_rules.model import Facts, What
from retention_rules.plans import NotSimple, SimplePlan, is_hard, plan_of
from retention_rules.schedules import end_of_day
from vault.catalogue import service as catalogue
from vault.catalogue.model import Description, DueDates
from vault.foundation.db.transaction import Transaction
from vault.foundation.ids import new_id
from vault.retention.book import Lawbook, hold_law, read_book
from vault.retention.dossier import business_events, facts_now
from vault.retention.tables import law_changes, lock_tasks

_DECIDED_AT_ONCE = 1_000
# An upload that took longer looks at the law once more when it is catalogued; a sweep waits longer than the others take.
ARRIVED_LONG_AGO = timedelta(seconds=5)
SWEEP_WAITS = timedelta(seconds=10)


def due_at_intake(lawbook: Lawbook, class_code: str, description: Description, received_at: datetime) -> DueDates:
    """What the law says of a record on the day it comes in. Raises NoSchedule."""
    received = lawbook.day_of(received_at)
    law = lawbook.law(received, received_at)
    facts = Facts(class_code, received, business_events(description.occurred_date, received))
    return due_of(facts, law, received)


def settle(tx: Transaction, record_ids: Iterable[UUID]) -> dict[UUID, Decision]:
    """Computes the due dates of some records anew; gives the decisions, before holds. The caller witnesses why.

    A filed record whose lock is now too short is queued to be locked for longer.
    """
    ids = sorted(set(record_ids))
    catalogue.hold_still(tx, ids)
    lawbook = read_book(tx.connection)
    now = tx.clock.now()
    today = lawbook.day_of(now)
    law = lawbook.law(today, now)
    plans = _Plans(law, today)
    decisions, due = {}, {}
    for record_id, facts in facts_now(tx.connection, ids, lawbook.time_zone).items():
        decisions[record_id] = decision = decide(facts, law, today)
        due[record_id] = _due(decision, hard=plans.is_hard(facts))
    catalogue.set_due_dates(tx, due)
    ask_for_locks(tx, [record_id for record_id, decision in decisions.items() if needs_longer_lock(decision)])
    return decisions


def expected(connection: Connection, record_ids: Iterable[UUID], now: datetime) -> dict[UUID, DueDates]:
    """What the law says of some records now, from what is recorded: what their rows should say."""
    lawbook = read_book(connection)
    today = lawbook.day_of(now)
    law = lawbook.law(today, now)
    plans = _Plans(law, today)
    return {
        record_id: _due(decide(facts, law, today), hard=plans.is_hard(facts))
        for record_id, facts in facts_now(connection, record_ids, lawbook.time_zone).items()
    }


def due_of(facts: Facts, law: Law, on: date) -> DueDates:
    """The due dates of one record on a day, before holds."""
    return _due(decide(facts, law, on), hard=_Plans(law, on).is_hard(facts))


def needs_longer_lock(decision: Decision) -> bool:
    """Whether a filed record's lock must be made longer today."""
    if decision.facts.locked_until is None:
        return False
    lock = decision.lock
    return lock is not None and lock.until_date > decision.facts.locked_until


def lengthen_locks(tx: Transaction, lawbook: Lawbook, record_ids: Iterable[UUID]) -> int:
    """Queues those of some filed records whose lock is too short today; returns how many. The caller witnesses why."""
    ids = sorted(set(record_ids))
    now = tx.clock.now()
    today = lawbook.day_of(now)
    law = lawbook.law(today, now)
    short = [
        record_id
        for start in range(0, len(ids), _DECIDED_AT_ONCE)
        for record_id, facts in facts_now(
            tx.connection, ids[start : start + _DECIDED_AT_ONCE], lawbook.time_zone
        ).items()
        if needs_longer_lock(decide(facts, law, today))
    ]
    ask_for_locks(tx, short)
    return len(short)


def lock_end(lock: FiledLock, time_zone: str) -> datetime:
    """The instant to which a lock runs: the end of its last day where the organisation is."""
    return end_of_day(lock.until_date, time_zone)


def ask_for_locks(tx: Transaction, record_ids: Iterable[UUID], *, not_before: datetime | None = None) -> None:
    """Queues records to get the lock that the law gives them when their turn comes."""
    now = tx.clock.now()
    rows = [
        {"record_id": record_id, "asked_at": now, "not_before": not_before or now} for record_id in sorted(record_ids)
    ]
    if rows:
        again = insert(lock_tasks).values(rows)
        tx.connection.execute(
            again.on_conflict_do_update(
                index_elements=[lock_tasks.c.record_id],
                set_={
                    "asked_at": again.excluded.asked_at,
                    "not_before": func.least(lock_tasks.c.not_before, again.excluded.not_before),
                    "attempts": 0,
                    "problem": None,
                },
            )
        )


def note_law_change(tx: Transaction, kind: str, from_date: date | None = None) -> None:
    """Notes that due dates are to be computed anew, from a day on or from today; the caller witnesses what changed."""
    hold_law(tx)
    now = tx.clock.now()
    day = from_date or read_book(tx.connection).day_of(now)
    tx.connection.execute(law_changes.insert(), {"id": new_id(), "kind": kind, "from_date": day, "at": now})


class _Plans:
    """Which records columns alone cannot decide; a class is looked at once."""

    def __init__(self, law: Law, on: date) -> None:
        self._law = law
        self._on = on
        self._plans: dict[str, SimplePlan | NotSimple] = {}

    def is_hard(self, facts: Facts) -> bool:
        """Whether `decide` must be asked about a record with these facts."""
        code = facts.class_code
        if code not in self._plans:
            self._plans[code] = plan_of(code, self._law, self._on)
        plan = self._plans[code]
        return isinstance(plan, NotSimple) or is_hard(plan, facts)


def _due(decision: Decision, *, hard: bool) -> DueDates:
    assert decision.what is not What.HELD, "holds are looked up when something shall happen, not here"
    return DueDates(
        what=decision.what,
        retain_until=decision.retain_until,
        delete_by=decision.delete_by,
        next_date=decision.next_date,
        is_hard=hard,
        schedule_number=int(decision.law.version),
    )
