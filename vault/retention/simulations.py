"""What simulations found, and the list of records that a version would treat otherwise."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, Row, Select, func, literal_column, select

from retention_rules.model import What
from vault.catalogue.tables import records
from vault.foundation.db import keyset
from vault.foundation.db.keyset import COUNT_MAX, EVERYTHING, FIRST, Page, Picked, Span
from vault.foundation.errors import NotFoundOrNotYours
from vault.retention.book import read_book
from vault.retention.effects import Effect, conditions, years
from vault.retention.model import ScheduleVersion
from vault.retention.tables import law_changes, schedule_versions, simulation_effects, simulations

# The catalogue grows every day: what was true of it a month ago is no ground to approve on. Also in `ddl`.
FRESH_FOR = timedelta(days=30)


@dataclass(frozen=True)
class Group:
    """What would become of records of one class (and unit, unless summed up).

    `effects` counts the records with each effect, `years` those that gain so many years to the nearest (below nothing:
    lose). `locked_until` is the last day to which a lock keeps one of them that would be kept less long.
    """

    class_code: str
    unit_id: UUID | None
    records: int
    affected: int
    effects: Mapping[Effect, int]
    years: Mapping[int, int]
    locked_until: date | None


@dataclass(frozen=True)
class Found:
    """What a simulation found: a group for each class and unit that has records."""

    groups: tuple[Group, ...]

    @property
    def records(self) -> int:
        """How many records there were."""
        return sum(group.records for group in self.groups)

    @property
    def affected(self) -> int:
        """How many of them would be treated otherwise."""
        return sum(group.affected for group in self.groups)

    def total(self, effect: Effect) -> int:
        """How many records have an effect."""
        return sum(group.effects.get(effect, 0) for group in self.groups)

    def by_class(self) -> tuple[Group, ...]:
        """The groups of each class summed up, by code."""
        codes = sorted({group.class_code for group in self.groups})
        return tuple(_sum(code, [g for g in self.groups if g.class_code == code]) for code in codes)

    def summed(self, class_code: str) -> Group:
        """All groups as one, under a class's code."""
        return _sum(class_code, self.groups)

    def plain(self) -> dict[str, Any]:
        """As plain values; `found_from` reads them back."""
        return {
            "groups": [
                {
                    "class_code": group.class_code,
                    "unit_id": str(group.unit_id),
                    "records": group.records,
                    "affected": group.affected,
                    "effects": {effect.value: count for effect, count in group.effects.items()},
                    "years": {str(gained): count for gained, count in sorted(group.years.items())},
                    "locked_until": group.locked_until.isoformat() if group.locked_until else None,
                }
                for group in self.groups
            ]
        }


@dataclass(frozen=True)
class Simulation:
    """A simulation of a version as it would be on `on_date`, against the version that applies otherwise.

    `found` and what belongs to it are none until it is finished. `run_id` tells how far it is.
    """

    id: UUID
    version_id: UUID
    number: int
    draft_digest: bytes
    run_id: UUID
    on_date: date
    asked_by_kind: str
    asked_by: UUID | None
    asked_at: datetime
    against_number: int | None
    law_changes_seen: int | None
    snapshot_at: datetime | None
    finished_at: datetime | None
    found: Found | None


@dataclass(frozen=True)
class AffectedRecord:
    """A record that a version would treat otherwise, as one line of a list.

    `lock_before` and `lock_after`: until when the law as it is, and as it would be, wants it locked; `locked_until` is what
    its lock has promised already, which no version makes shorter.
    """

    id: UUID
    archival_number: str
    class_code: str
    unit_id: UUID
    what_before: What
    what_after: What
    until_before: date | None
    until_after: date | None
    at_least_before: date | None
    at_least_after: date | None
    delete_by_before: date | None
    delete_by_after: date | None
    lock_before: date | None
    lock_after: date | None
    locked_until: date | None
    effects: frozenset[Effect]


@dataclass(frozen=True)
class EffectFilters:
    """Which records of a simulation; all given conditions must hold."""

    simulation_id: UUID
    effect: Effect | None = None
    class_code: str | None = None
    unit_id: UUID | None = None


def get_simulation(connection: Connection, simulation_id: UUID) -> Simulation:
    """One simulation. Raises NotFoundOrNotYours."""
    row = connection.execute(_simulations().where(simulations.c.id == simulation_id)).one_or_none()
    if row is None:
        raise NotFoundOrNotYours
    return _simulation(row)


def newest_simulation(connection: Connection, number: int) -> Simulation | None:
    """The simulation of a version that was asked for last."""
    query = _simulations().where(schedule_versions.c.number == number).order_by(simulations.c.id.desc()).limit(1)
    row = connection.execute(query).one_or_none()
    return None if row is None else _simulation(row)


def newest_finished(connection: Connection, number: int) -> Simulation | None:
    """The finished simulation of a version that was asked for last."""
    query = _simulations().where(schedule_versions.c.number == number, simulations.c.finished_at.isnot(None))
    row = connection.execute(query.order_by(simulations.c.id.desc()).limit(1)).one_or_none()
    return None if row is None else _simulation(row)


def is_fresh(connection: Connection, simulation: Simulation, version: ScheduleVersion, now: datetime) -> bool:
    """Whether a simulation still tells what the version would do: the same draft, the same law, not long ago.

    For which day it tells that, `on_date` says: only from that day on may the version apply by it.
    """
    if simulation.finished_at is None or simulation.draft_digest != version.draft_digest:
        return False
    if str(simulation.against_number) != read_book(connection).schedule(simulation.on_date, now).version:
        return False
    seen = connection.execute(select(func.count()).select_from(law_changes)).scalar_one()
    return simulation.law_changes_seen == seen and now - simulation.finished_at <= FRESH_FOR


def find_affected(
    connection: Connection,
    filters: EffectFilters,
    span: Span = FIRST,
    *,
    units: frozenset[UUID] | None,
    picked: Picked = EVERYTHING,
) -> Page[AffectedRecord]:
    """One page of the records that a version would treat otherwise, those that came in last first."""
    wanted = _conditions(filters, units, picked)
    has = [condition.label(effect.value) for effect, condition in conditions().items()]
    query = (
        select(simulation_effects, records.c.archival_number, *has)
        .join(records, records.c.id == simulation_effects.c.record_id)
        .where(*wanted)
    )
    return keyset.cut(connection, query, simulation_effects.c.record_id, span, lambda rows: map(_affected, rows))


def count_affected(
    connection: Connection,
    filters: EffectFilters,
    *,
    units: frozenset[UUID] | None,
    picked: Picked = EVERYTHING,
    at_most: int | None = COUNT_MAX,
) -> int:
    """How many there are, at most `at_most` + 1 (which means "more")."""
    query = select(simulation_effects.c.record_id).where(*_conditions(filters, units, picked))
    return keyset.count(connection, query, at_most)


def tally(connection: Connection, simulation_id: UUID, counts: Mapping[tuple[str, UUID], int]) -> Found:
    """What was kept of a simulation summed up, beside how many records of each class and unit there are."""
    rows = simulation_effects.c
    has = conditions()
    query = (
        select(
            rows.class_code,
            rows.unit_id,
            years().label("gained"),
            func.count().label("affected"),
            func.count().filter(rows.until_before != rows.until_after).label("moved"),
            func.max(rows.locked_until).filter(has[Effect.LOCK]).label("locked_until"),
            *(func.count().filter(condition).label(effect.value) for effect, condition in has.items()),
        )
        .where(rows.simulation_id == simulation_id)
        .group_by(rows.class_code, rows.unit_id, literal_column("gained"))
    )
    parts: dict[tuple[str, UUID], list[Group]] = {}
    for row in connection.execute(query):
        effects = {effect: count for effect in has if (count := row._mapping[effect.value])}
        moved = {row.gained: row.moved} if row.moved else {}
        part = Group(row.class_code, row.unit_id, 0, row.affected, effects, moved, row.locked_until)
        parts.setdefault((row.class_code, row.unit_id), []).append(part)
    groups = []
    for (code, unit), count in sorted(counts.items()):
        summed = _sum(code, parts.get((code, unit), []), unit)
        groups.append(Group(code, unit, count, summed.affected, summed.effects, summed.years, summed.locked_until))
    return Found(tuple(groups))


def found_from(plain: Mapping[str, Any]) -> Found:
    """What a simulation found, from its plain form."""
    return Found(
        tuple(
            Group(
                class_code=group["class_code"],
                unit_id=UUID(group["unit_id"]),
                records=group["records"],
                affected=group["affected"],
                effects={Effect(name): count for name, count in group["effects"].items()},
                years={int(gained): count for gained, count in group["years"].items()},
                locked_until=date.fromisoformat(group["locked_until"]) if group["locked_until"] else None,
            )
            for group in plain["groups"]
        )
    )


def _sum(code: str, groups: Sequence[Group], unit_id: UUID | None = None) -> Group:
    effects: Counter[Effect] = Counter()
    gained: Counter[int] = Counter()
    for group in groups:
        effects.update(group.effects)
        gained.update(group.years)
    return Group(
        class_code=code,
        unit_id=unit_id,
        records=sum(group.records for group in groups),
        affected=sum(group.affected for group in groups),
        effects=dict(effects),
        years=dict(gained),
        locked_until=max((g.locked_until for g in groups if g.locked_until is not None), default=None),
    )


def _conditions(filters: EffectFilters, units: frozenset[UUID] | None, picked: Picked) -> list[ColumnElement[bool]]:
    rows = simulation_effects.c
    wanted = [rows.simulation_id == filters.simulation_id, *picked.conditions(rows.record_id)]
    if filters.effect is not None:
        wanted.append(conditions()[filters.effect])
    if filters.class_code is not None:
        wanted.append(rows.class_code == filters.class_code)
    if filters.unit_id is not None:
        wanted.append(rows.unit_id == filters.unit_id)
    if units is not None:
        wanted.append(rows.unit_id.in_(sorted(units)))
    return wanted


def _simulations() -> Select[Any]:
    return select(simulations, schedule_versions.c.number).join(
        schedule_versions, schedule_versions.c.id == simulations.c.version_id
    )


def _simulation(row: Row[Any]) -> Simulation:
    return Simulation(
        id=row.id,
        version_id=row.version_id,
        number=row.number,
        draft_digest=bytes(row.draft_digest),
        run_id=row.run_id,
        on_date=row.on_date,
        asked_by_kind=row.asked_by_kind,
        asked_by=row.asked_by,
        asked_at=row.asked_at,
        against_number=row.against_number,
        law_changes_seen=row.law_changes_seen,
        snapshot_at=row.snapshot_at,
        finished_at=row.finished_at,
        found=None if row.result is None else found_from(row.result),
    )


def _affected(row: Row[Any]) -> AffectedRecord:
    return AffectedRecord(
        id=row.record_id,
        archival_number=row.archival_number,
        class_code=row.class_code,
        unit_id=row.unit_id,
        what_before=What(row.what_before),
        what_after=What(row.what_after),
        until_before=row.until_before,
        until_after=row.until_after,
        at_least_before=row.at_least_before,
        at_least_after=row.at_least_after,
        delete_by_before=row.delete_by_before,
        delete_by_after=row.delete_by_after,
        lock_before=row.lock_before,
        lock_after=row.lock_after,
        locked_until=row.locked_until,
        effects=frozenset(effect for effect in Effect if row._mapping[effect.value]),
    )
