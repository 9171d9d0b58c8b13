"""Simulation 模拟: what a schedule version would do to every record, found before anybody approves it.

Two laws are asked about the same records on the same day: the one that would apply otherwise, and the version. Classes
that both treat alike are only counted. All is one transaction that reads what there was at one instant and writes
nothing but what it found, batch by batch: what people change meanwhile never mixes in, memory stays flat, it can be
cancelled, and one that is cancelled or killed leaves nothing and begins again.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Select, Subquery, Uuid, func, literal, literal_column, select, text

from retention_rules.decision import decide
from retention_rules.law import ClassLaw, Law
from retention_rules.model import Facts, State
from retention_rules.plans import SimplePlan, plan_of
from retention_rules.schedules import Book, Schedule, law_known
from vault.catalogue.tables import records
from vault.foundation.context import Context
from vault.foundation.db.transaction import Transaction
from vault.foundation.jobs.errors import JobPutOff
from vault.foundation.ledger.entry import SYSTEM, canonical_json
from vault.holds.queries import on_hold
from vault.retention.book import read_book
from vault.retention.dossier import facts_now
from vault.retention.effects import is_affected
from vault.retention.errors import ScheduleChanged
from vault.retention.model import Event, ScheduleVersion
from vault.retention.queries import get_version
from vault.retention.set_based import AnySpan, Asked, Span, comparison_query
from vault.retention.simulations import Simulation, get_simulation, tally
from vault.retention.tables import law_changes, schedule_versions, simulation_effects, simulations

BATCH = 50_000
_HARD_BATCH = 500
_LOOK_AGAIN_S = 30
_NAMES = tuple(column.name for column in simulation_effects.columns if column.name != "simulation_id")

Progress = Callable[[int, int | None], None]


@dataclass(frozen=True)
class _Laws:
    """The law that applies otherwise, the law of the version, and the classes that they do not treat alike."""

    before: Law
    after: Law
    on: date
    time_zone: str
    codes: tuple[str, ...]


def simulate(
    ctx: Context, simulation_id: UUID, progress: Progress = lambda _done, _all: None, *, batch: int = BATCH
) -> Simulation:
    """Finds what the version would do, and keeps it. Leaves `retention:simulation:finish` with the digest of the result.

    Raises:
        ScheduleChanged: the draft is no longer what it was when the simulation was asked for.
        JobCancelled: `progress` raised it; nothing is kept.
        JobPutOff: another worker is at it, which may have been taken for dead: it may yet die, so one looks again.
    """
    # Before the snapshot is taken: what the other worker finished until then is in it.
    with _alone(ctx, simulation_id), ctx.database.transaction(SYSTEM, is_of_one_instant=True) as tx:
        now = tx.clock.now()
        asked = get_simulation(tx.connection, simulation_id)
        if asked.finished_at is not None:
            return asked
        laws = _laws(tx.connection, asked, now)
        counts = _count(tx.connection)
        total = sum(count for (code, _), count in counts.items() if code in laws.codes)
        _compare_all(tx, asked.id, laws, total, progress, batch)
        _finish(tx, asked, laws, counts, now)
        tx.commit()
    with ctx.database.read() as connection:
        return get_simulation(connection, simulation_id)


def laws_differ(before: Law, after: Law, on: date) -> tuple[str, ...]:
    """The classes whose records two laws may treat otherwise on a day, by code."""
    codes = sorted({*before.classes, *after.classes})
    if before.organisation != after.organisation:
        return tuple(codes)
    return tuple(
        code for code in codes if _binding(before.classes.get(code), on) != _binding(after.classes.get(code), on)
    )


def law_of_version(book: Book, version: ScheduleVersion, on: date, now: datetime) -> Law:
    """The law as it would be on a day, were the version in effect then."""
    schedule = Schedule(
        version=str(version.number),
        effective_date=on,
        classes=version.content.classes,
        packs=tuple(sorted(version.content.packs)),
        fiscal_year=version.content.fiscal_year,
    )
    return law_known(replace(book, schedules=(schedule,)), on, now)


def _binding(rules: ClassLaw | None, on: date) -> object:
    return None if rules is None else (rules.on(on), rules.definition.disposition, rules.definition.lock)


@contextmanager
def _alone(ctx: Context, simulation_id: UUID) -> Iterator[None]:
    """One worker at a time by an advisory lock, which dies with the connection of whoever holds it."""
    key = int.from_bytes(simulation_id.bytes[-8:], signed=True)
    with ctx.database.alone(key) as guard:
        if guard is None:
            raise JobPutOff(_LOOK_AGAIN_S)
        yield


def _laws(connection: Connection, asked: Simulation, now: datetime) -> _Laws:
    lawbook = read_book(connection)
    number = connection.execute(
        select(schedule_versions.c.number).where(schedule_versions.c.id == asked.version_id)
    ).scalar_one()
    version = get_version(connection, number, now)
    if version.draft_digest != asked.draft_digest:
        raise ScheduleChanged(number=number)
    before = lawbook.law(asked.on_date, now)
    after = law_of_version(lawbook.book, version, asked.on_date, now)
    return _Laws(before, after, asked.on_date, lawbook.time_zone, laws_differ(before, after, asked.on_date))


def _count(connection: Connection) -> dict[tuple[str, UUID], int]:
    """How many records there are of each class and unit."""
    grouped = (records.c.class_code, records.c.unit_id)
    found = connection.execute(select(*grouped, func.count()).group_by(*grouped))
    return {(code, unit): count for code, unit, count in found}


def _compare_all(
    tx: Transaction, simulation_id: UUID, laws: _Laws, total: int, progress: Progress, batch: int
) -> None:
    """Keeps the records that would be treated otherwise, batch by batch; `total` have classes that may be."""
    if not laws.codes:
        return
    tx.connection.execute(text("SET LOCAL work_mem = '32MB'"))  # a batch is looked at twice: never on disk
    kept = _kept(simulation_id, laws)
    done, after = 0, None
    while True:
        progress(min(done, total), total)
        span = _next_span(tx.connection, laws.codes, after, batch)
        if span is None:
            return
        hard: list[UUID] = tx.connection.execute(kept, AnySpan.told(span)).scalar_one() or []
        for start in range(0, len(hard), _HARD_BATCH):
            _keep_decided(tx, simulation_id, laws, hard[start : start + _HARD_BATCH])
        done += batch
        after = span.last


def _next_span(connection: Connection, codes: Sequence[str], after: UUID | None, batch: int) -> Span | None:
    """The next so many records of some classes, in the order of their ids; others that lie between do not count."""
    ids = select(records.c.id).where(records.c.class_code.in_(codes))
    if after is not None:
        ids = ids.where(records.c.id > after)
    last = connection.execute(ids.order_by(records.c.id).offset(batch - 1).limit(1)).scalar_one_or_none()
    if last is None:  # fewer are left
        last = connection.execute(ids.order_by(records.c.id.desc()).limit(1)).scalar_one_or_none()
    return None if last is None else Span(after, last)


def _kept(simulation_id: UUID, laws: _Laws) -> Select[Any]:
    """The statement that keeps the records of a span that would be treated otherwise, and names the hard ones."""
    before, after = _asked(laws.before, laws), _asked(laws.after, laws)
    found = comparison_query(before, after, laws.codes, AnySpan(), laws.time_zone, laws.on)
    compared = select(found).cte("compared")
    kept = (
        simulation_effects.insert()
        .from_select(
            ["simulation_id", *_NAMES],
            select(literal(simulation_id, Uuid), *(compared.c[name] for name in _NAMES)).where(
                ~compared.c.is_hard, is_affected(compared)
            ),
        )
        .cte("kept")
    )
    return select(func.array_agg(compared.c.record_id)).where(compared.c.is_hard).add_cte(kept)


def _asked(law: Law, laws: _Laws) -> Asked:
    found = {code: plan_of(code, law, laws.on) for code in laws.codes}
    plans = {code: plan for code, plan in found.items() if isinstance(plan, SimplePlan)}
    locks = {code: law.classes[code].definition.lock for code in plans}
    return Asked(plans, locks, law.organisation.fiscal_year)


def _keep_decided(tx: Transaction, simulation_id: UUID, laws: _Laws, record_ids: Sequence[UUID]) -> None:
    owners = select(records.c.id, records.c.unit_id).where(records.c.id.in_(record_ids))
    units = {row.id: row.unit_id for row in tx.connection.execute(owners)}
    held = on_hold(tx.connection, record_ids)
    rows = [
        {
            "record_id": str(record_id),
            "is_held": record_id in held,
            "unit_id": str(units[record_id]),
            **decided(facts, laws.before, laws.after, laws.on),
        }
        for record_id, facts in facts_now(tx.connection, record_ids, laws.time_zone).items()
    ]
    told = func.json_populate_recordset(literal_column("NULL::simulation_effects"), func.json(json.dumps(rows)))
    found: Subquery = select(told.table_valued(*simulation_effects.columns, name="told")).subquery()
    tx.connection.execute(
        simulation_effects.insert().from_select(
            ["simulation_id", *_NAMES],
            select(literal(simulation_id, Uuid), *(found.c[name] for name in _NAMES)).where(is_affected(found)),
        )
    )


def decided(facts: Facts, before: Law, after: Law, on: date) -> dict[str, Any]:
    """What two laws say of one record on a day, before holds, as a row of `simulation_effects` without its ids."""
    row: dict[str, Any] = {"class_code": facts.class_code, "locked_until": _iso(facts.locked_until)}
    unlocked = replace(facts, locked_until=None)
    for name, law in (("before", before), ("after", after)):
        decision = decide(facts, law, on)
        row |= {
            f"what_{name}": decision.what.value,
            f"until_{name}": _iso(decision.retain_until),
            f"at_least_{name}": _iso(decision.at_least_until if decision.state is State.OPEN else None),
            f"delete_by_{name}": _iso(decision.delete_by),
            f"lock_{name}": None if facts.locked_until is None else _iso(decision.lock_until),
            f"period_{name}": _iso(decide(unlocked, law, on).retain_until),
        }
    return row


def _iso(day: date | None) -> str | None:
    return None if day is None else day.isoformat()


def _finish(
    tx: Transaction, asked: Simulation, laws: _Laws, counts: Mapping[tuple[str, UUID], int], at: datetime
) -> None:
    found = tally(tx.connection, asked.id, counts)
    plain = found.plain()
    seen = tx.connection.execute(select(func.count()).select_from(law_changes)).scalar_one()
    tx.connection.execute(
        simulations.update()
        .where(simulations.c.id == asked.id)
        .values(
            against_number=int(laws.before.version),
            law_changes_seen=seen,
            snapshot_at=at,
            finished_at=tx.clock.now(),
            records=found.records,
            affected=found.affected,
            result=plain,
        )
    )
    older = select(simulations.c.id).where(simulations.c.version_id == asked.version_id, simulations.c.id < asked.id)
    tx.connection.execute(simulation_effects.delete().where(simulation_effects.c.simulation_id.in_(older)))
    tx.witness(
        Event.SIMULATION_FINISHED,
        "schedule",
        asked.version_id,
        simulation_id=str(asked.id),
        against=int(laws.before.version),
        draft_digest=asked.draft_digest.hex(),
        records=found.records,
        affected=found.affected,
        result_digest=hashlib.sha256(canonical_json(plain)).hexdigest(),
    )
