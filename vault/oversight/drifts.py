"""Drifts as they are kept: noted once, with what was found and set, and settled when the version is in order again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, Row, func, select
from sqlalchemy.dialects.postgresql import insert

from vault.catalogue.tables import records
from vault.foundation.db import keyset
from vault.foundation.db.keyset import COUNT_MAX, EVERYTHING, FIRST, Page, Picked, Span
from vault.foundation.db.transaction import Transaction
from vault.foundation.ids import new_id
from vault.oversight.drift import ALARMS, DriftKind, Said, Verdict
from vault.oversight.tables import drifts

EVENT_NOTED = "oversight:drift:note"
EVENT_RESOLVED = "oversight:drift:resolve"


class DriftEnd(StrEnum):
    """How a drift ended: reconciliation mended it, or it was in order without that."""

    REPAIRED = "repaired"
    IN_ORDER = "in-order"


@dataclass(frozen=True)
class KeptDrift:
    """A drift of one version: what was found, what the catalogue said, what was to be set, and why it could not be."""

    id: UUID
    store: str
    object_key: str
    version_id: str
    kind: DriftKind
    record_id: UUID
    component_id: UUID
    archival_number: str | None
    found: str
    expected: str
    repair: str | None
    problem: str | None
    found_at: datetime
    resolved_at: datetime | None
    resolution: DriftEnd | None

    @property
    def state(self) -> str:
        """`open`, `repaired` or `in-order`."""
        return self.resolution.value if self.resolution else "open"


@dataclass(frozen=True)
class DriftFilters:
    """Which drifts; all given conditions must hold. `state` is `open`, `repaired` or `in-order`.

    `since`: what a run begun then saw, which is all that is open after it, and what it settled.
    """

    store: str | None = None
    kind: DriftKind | None = None
    state: str | None = None
    record_id: UUID | None = None
    since: datetime | None = None
    found_from: datetime | None = None
    found_before: datetime | None = None


def note(tx: Transaction, store: str, said: Said, verdict: Verdict) -> bool:
    """Writes a drift down, or that it is another by now; false when it is known just so. The caller commits.

    Leaves `oversight:drift:note`.
    """
    told = {"found": verdict.found, "expected": verdict.expected, "repair": verdict.repair}
    adding = insert(drifts).values(
        id=new_id(),
        store=store,
        object_key=said.object_key,
        version_id=said.version_id,
        kind=verdict.kind.value,
        record_id=said.record_id,
        component_id=said.component_id,
        found_at=tx.clock.now(),
        **told,
    )
    drift_id = tx.connection.execute(
        adding.on_conflict_do_update(
            index_elements=[drifts.c.store, drifts.c.object_key, drifts.c.version_id, drifts.c.kind],
            index_where=drifts.c.resolved_at.is_(None),
            set_=told,
            where=(drifts.c.found != verdict.found) | (drifts.c.expected != verdict.expected),
        ).returning(drifts.c.id)
    ).scalar_one_or_none()
    if drift_id is None:
        return False
    tx.witness(
        EVENT_NOTED,
        "drift",
        drift_id,
        context_id=said.record_id,
        component_id=str(said.component_id),
        kind=verdict.kind.value,
        found=verdict.found,
        expected=verdict.expected,
        repair=verdict.repair,
    )
    return True


def note_problem(tx: Transaction, drift: KeptDrift, problem: str) -> bool:
    """Keeps why a drift could not be mended; false when that is known. Leaves `oversight:drift:note`."""
    if drift.problem == problem:
        return False
    tx.connection.execute(drifts.update().where(drifts.c.id == drift.id).values(problem=problem))
    tx.witness(EVENT_NOTED, "drift", drift.id, context_id=drift.record_id, kind=drift.kind.value, problem=problem)
    return True


def resolve(tx: Transaction, drift: KeptDrift, end: DriftEnd) -> bool:
    """Ends a drift; false when that was noted already. Leaves `oversight:drift:resolve`."""
    ended = tx.connection.execute(
        drifts.update()
        .where(drifts.c.id == drift.id, drifts.c.resolved_at.is_(None))
        .values(resolved_at=tx.clock.now(), resolution=end.value)
    ).rowcount
    if ended:
        tx.witness(
            EVENT_RESOLVED, "drift", drift.id, context_id=drift.record_id, kind=drift.kind.value, end=end.value
        )
    return bool(ended)


def open_between(connection: Connection, store: str, after: str, last: str | None) -> list[KeptDrift]:
    """Open drifts of a store whose keys are behind `after`, to `last` or to the end."""
    conditions = [drifts.c.store == store, drifts.c.resolved_at.is_(None), drifts.c.object_key > after]
    if last is not None:
        conditions.append(drifts.c.object_key <= last)
    return _read(connection.execute(_lines().where(*conditions)).all())


def find(
    connection: Connection, filters: DriftFilters, span: Span = FIRST, *, picked: Picked = EVERYTHING
) -> Page[KeptDrift]:
    """One page of the drifts, those found last first."""
    query = _lines().where(*_conditions(filters), *picked.conditions(drifts.c.id))
    return keyset.cut(connection, query, drifts.c.id, span, _read)


def count(
    connection: Connection, filters: DriftFilters, *, picked: Picked = EVERYTHING, at_most: int | None = COUNT_MAX
) -> int:
    """How many there are, at most `at_most` + 1 (which means "more")."""
    query = select(drifts.c.id).where(*_conditions(filters), *picked.conditions(drifts.c.id))
    return keyset.count(connection, query, at_most)


@dataclass(frozen=True)
class DriftSummary:
    """Open drifts of a store, those of them that are alarms, and those that were mended since an instant."""

    open: int
    alarms: int
    repaired: int
    by_kind: dict[DriftKind, int]


def summary(connection: Connection, store: str, since: datetime) -> DriftSummary:
    """What is open in a store, and how much was mended from `since` on."""
    is_open = drifts.c.resolved_at.is_(None)
    is_mended = (drifts.c.resolution == DriftEnd.REPAIRED.value) & (drifts.c.resolved_at >= since)
    rows = connection.execute(
        select(
            drifts.c.kind,
            func.count().filter(is_open).label("open"),
            func.count().filter(is_mended).label("repaired"),
        )
        .where(drifts.c.store == store, is_open | is_mended)
        .group_by(drifts.c.kind)
    ).all()
    by_kind = {DriftKind(row.kind): row.open for row in rows if row.open}
    alarms = sum(number for kind, number in by_kind.items() if kind in ALARMS)
    return DriftSummary(sum(by_kind.values()), alarms, sum(row.repaired for row in rows), by_kind)


def _lines() -> Any:
    return select(drifts, records.c.archival_number).outerjoin(records, records.c.id == drifts.c.record_id)


def _conditions(filters: DriftFilters) -> list[ColumnElement[bool]]:
    wanted: list[ColumnElement[bool]] = []
    if filters.store is not None:
        wanted.append(drifts.c.store == filters.store)
    if filters.kind is not None:
        wanted.append(drifts.c.kind == filters.kind.value)
    if filters.state == "open":
        wanted.append(drifts.c.resolved_at.is_(None))
    elif filters.state is not None:
        wanted.append(drifts.c.resolution == filters.state)
    if filters.record_id is not None:
        wanted.append(drifts.c.record_id == filters.record_id)
    if filters.since is not None:
        wanted.append(drifts.c.resolved_at.is_(None) | (drifts.c.resolved_at >= filters.since))
    if filters.found_from is not None:
        wanted.append(drifts.c.found_at >= filters.found_from)
    if filters.found_before is not None:
        wanted.append(drifts.c.found_at < filters.found_before)
    return wanted


def _read(rows: Sequence[Row[Any]]) -> list[KeptDrift]:
    return [_drift(row) for row in rows]


def _drift(row: Row[Any]) -> KeptDrift:
    return KeptDrift(
        id=row.id,
        store=row.store,
        object_key=row.object_key,
        version_id=row.version_id,
        kind=DriftKind(row.kind),
        record_id=row.record_id,
        component_id=row.component_id,
        archival_number=row.archival_number,
        found=row.found,
        expected=row.expected,
        repair=row.repair,
        problem=row.problem,
        found_at=row.found_at,
        resolved_at=row.resolved_at,
        resolution=DriftEnd(row.resolution) if row.resolution else None,
    )
