"""What is known of matters and holds."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, Row, Select, func, or_, select

from vault.access import approvals
from vault.access.model import Viewer
from vault.access.rights import Right
from vault.catalogue.tables import records
from vault.foundation.db import keyset
from vault.foundation.db.keyset import COUNT_MAX, EVERYTHING, FIRST, Page, Picked, Span
from vault.foundation.errors import NotFoundOrNotYours
from vault.holds.model import Act, Authority, HeldRecord, Hold, Matter, RecordHold
from vault.holds.tables import held_records, hold_tasks, holds, matters

_IN_FORCE = held_records.c.released_at.is_(None)


def on_hold(connection: Connection, record_ids: Iterable[UUID]) -> frozenset[UUID]:
    """The records among these that a hold keeps."""
    query = select(held_records.c.record_id).where(held_records.c.record_id.in_(sorted(set(record_ids))), _IN_FORCE)
    return frozenset(connection.execute(query.distinct()).scalars())


def being_told(connection: Connection, record_ids: Iterable[UUID]) -> frozenset[UUID]:
    """The records among these whose stores have yet to be told that they are held, or no longer held."""
    query = select(hold_tasks.c.record_id).where(hold_tasks.c.record_id.in_(sorted(set(record_ids))))
    return frozenset(connection.execute(query).scalars())


def holds_of_records(connection: Connection, record_ids: Iterable[UUID]) -> dict[UUID, tuple[RecordHold, ...]]:
    """All holds that some records are or were under, oldest first; records without any are left out."""
    query = (
        select(held_records, holds.c.matter_id, holds.c.number, holds.c.review_date, matters.c.number.label("matter"))
        .join(holds, holds.c.id == held_records.c.hold_id)
        .join(matters, matters.c.id == holds.c.matter_id)
        .where(held_records.c.record_id.in_(sorted(set(record_ids))))
        .order_by(held_records.c.held_at, held_records.c.hold_id)
    )
    found: dict[UUID, list[RecordHold]] = {}
    for row in connection.execute(query):
        one = RecordHold(
            hold_id=row.hold_id,
            matter_id=row.matter_id,
            matter_number=row.matter,
            number=row.number,
            review_date=row.review_date,
            held_at=row.held_at,
            stands_at=row.stands_at,
            released_at=row.released_at,
        )
        found.setdefault(row.record_id, []).append(one)
    return {record_id: tuple(held) for record_id, held in found.items()}


def holds_of_record(connection: Connection, record_id: UUID) -> tuple[RecordHold, ...]:
    """All holds that a record is or was under, oldest first."""
    return holds_of_records(connection, [record_id]).get(record_id, ())


def get_matter(connection: Connection, viewer: Viewer, matter_id: UUID) -> Matter:
    """One matter. Raises NotAllowed, NotFoundOrNotYours."""
    viewer.require(Right.HOLDS_MATTER_READ)
    row = connection.execute(select(matters).where(matters.c.id == matter_id)).one_or_none()
    if row is None:
        raise NotFoundOrNotYours
    return _matter(row)


@dataclass(frozen=True)
class MatterFilters:
    """Which matters; all given conditions must be true. `text` is part of their number, document, authority or title."""

    is_open: bool | None = None
    text: str | None = None


@dataclass(frozen=True)
class MatterLine:
    """A matter as a line of a list: how many holds are in force under it, and how many records they keep."""

    matter: Matter
    holds: int
    records: int
    waiting: int
    is_release_proposed: bool

    @property
    def id(self) -> UUID:
        """The matter's."""
        return self.matter.id


def find_matters(
    connection: Connection, filters: MatterFilters, span: Span = FIRST, picked: Picked = EVERYTHING
) -> Page[MatterLine]:
    """One page of matters, newest first."""
    query = select(matters).where(*_conditions(filters), *picked.conditions(matters.c.id))
    return keyset.cut(connection, query, matters.c.id, span, lambda rows: _lines(connection, rows))


def count_matters(
    connection: Connection, filters: MatterFilters, picked: Picked = EVERYTHING, at_most: int | None = COUNT_MAX
) -> int:
    """How many there are, at most `at_most` + 1."""
    query = select(matters.c.id).where(*_conditions(filters), *picked.conditions(matters.c.id))
    return keyset.count(connection, query, at_most)


def reviews_due(connection: Connection, day: date) -> tuple[Hold, ...]:
    """The holds in force that somebody wanted to look at again by that day, without a release proposed."""
    found = _holds(connection, (holds.c.review_date <= day) & holds.c.released_at.is_(None))
    return tuple(hold for hold in found if not hold.is_release_proposed)


def get_hold(connection: Connection, hold_id: UUID) -> Hold:
    """One hold. Raises NotFoundOrNotYours."""
    found = _holds(connection, holds.c.id == hold_id)
    if not found:
        raise NotFoundOrNotYours
    return found[0]


def name_of(connection: Connection, subject_id: UUID) -> tuple[str, str]:
    """Whether an id is that of a matter or of a hold, and how people name it; nothing when it is neither."""
    number = connection.execute(select(matters.c.number).where(matters.c.id == subject_id)).scalar_one_or_none()
    if number is not None:
        return "matter", number
    found = _holds(connection, holds.c.id == subject_id)
    return ("hold", found[0].name) if found else ("", "")


def holds_of_matter(connection: Connection, matter_id: UUID) -> tuple[Hold, ...]:
    """The holds under a matter, newest first."""
    return _holds(connection, holds.c.matter_id == matter_id)


def releases_proposed(connection: Connection, viewer: Viewer) -> tuple[Hold, ...]:
    """The holds whose release waits for the viewer: proposed by somebody else, and not yet judged by the viewer."""
    waiting = approvals.list_proposals(connection, acts=(Act.RELEASE,), state=approvals.ProposalState.OPEN, size=200)
    mine = [
        proposal.subject_id
        for proposal in waiting
        if proposal.proposed_by != viewer.id and viewer.id not in {said.person_id for said in proposal.approvals}
    ]
    return _holds(connection, holds.c.id.in_(mine)) if mine else ()


def find_held(
    connection: Connection, viewer: Viewer, hold_id: UUID, span: Span = FIRST, *, is_waiting: bool = False
) -> Page[HeldRecord]:
    """One page of the records under a hold that the viewer may see; of those only that wait for their stores if wanted."""
    query = (
        _held(viewer, hold_id)
        .add_columns(records.c.archival_number, hold_tasks.c.problem)
        .outerjoin(hold_tasks, hold_tasks.c.record_id == held_records.c.record_id)
    )
    if is_waiting:
        query = query.where(hold_tasks.c.record_id.is_not(None))
    return keyset.cut(connection, query, held_records.c.record_id, span, lambda rows: [_held_record(r) for r in rows])


def count_held(connection: Connection, viewer: Viewer, hold_id: UUID) -> int:
    """How many records under a hold the viewer may see."""
    return keyset.count(connection, _held(viewer, hold_id), None)


def named(connection: Connection, viewer: Viewer, names: Iterable[str]) -> dict[str, UUID]:
    """The records that archival numbers or ids name, of those that the viewer may see; by the name as it was given."""
    wanted = set(names)
    ids = {name: one for name in wanted if (one := _as_id(name)) is not None}
    query = select(records.c.id, records.c.archival_number).where(
        or_(records.c.archival_number.in_(sorted(wanted)), records.c.id.in_(sorted(set(ids.values()))))
    )
    if viewer.units is not None:
        query = query.where(records.c.unit_id.in_(sorted(viewer.units)))
    found = {row.archival_number: row.id for row in connection.execute(query)}
    there = set(found.values())
    return {name: found[name] for name in wanted if name in found} | {
        name: one for name, one in ids.items() if one in there
    }


def _as_id(name: str) -> UUID | None:
    try:
        return UUID(name) if len(name) == 36 else None
    except ValueError:
        return None


def _held(viewer: Viewer, hold_id: UUID) -> Select[Any]:
    query = (
        select(held_records)
        .join(records, records.c.id == held_records.c.record_id)
        .where(held_records.c.hold_id == hold_id)
    )
    return query if viewer.units is None else query.where(records.c.unit_id.in_(sorted(viewer.units)))


def _held_record(row: Row[Any]) -> HeldRecord:
    return HeldRecord(row.record_id, row.archival_number, row.held_at, row.stands_at, row.released_at, row.problem)


def _conditions(filters: MatterFilters) -> list[ColumnElement[bool]]:
    wanted: list[ColumnElement[bool]] = []
    if filters.is_open is not None:
        wanted.append(matters.c.closed_at.is_(None) if filters.is_open else matters.c.closed_at.is_not(None))
    if filters.text:
        texts = (matters.c.number, matters.c.document_number, matters.c.authority_name, matters.c.title)
        wanted.append(or_(*(column.icontains(filters.text, autoescape=True) for column in texts)))
    return wanted


def _lines(connection: Connection, rows: Sequence[Row[Any]]) -> list[MatterLine]:
    by_matter: dict[UUID, list[Hold]] = {}
    for hold in _holds(connection, holds.c.matter_id.in_([row.id for row in rows])):
        by_matter.setdefault(hold.matter_id, []).append(hold)
    lines = []
    for row in rows:
        in_force = [hold for hold in by_matter.get(row.id, []) if hold.is_in_force]
        lines.append(
            MatterLine(
                matter=_matter(row),
                holds=len(in_force),
                records=sum(hold.records for hold in in_force),
                waiting=sum(hold.waiting for hold in by_matter.get(row.id, [])),
                is_release_proposed=any(hold.is_release_proposed for hold in in_force),
            )
        )
    return lines


def _holds(connection: Connection, condition: ColumnElement[bool]) -> tuple[Hold, ...]:
    rows = connection.execute(
        select(holds, matters.c.number.label("matter_number"))
        .join(matters, matters.c.id == holds.c.matter_id)
        .where(condition)
        .order_by(holds.c.id.desc())
    ).all()
    counts = _counts(connection, [row.id for row in rows])
    proposals = approvals.proposals_of(connection, [r.release_proposal_id for r in rows if r.release_proposal_id])
    return tuple(_hold(row, counts[row.id], proposals) for row in rows)


def _counts(connection: Connection, hold_ids: list[UUID]) -> dict[UUID, tuple[int, int, int]]:
    query = (
        select(
            held_records.c.hold_id,
            func.count(),
            func.count(held_records.c.stands_at),
            func.count(hold_tasks.c.record_id),
        )
        .outerjoin(hold_tasks, hold_tasks.c.record_id == held_records.c.record_id)
        .where(held_records.c.hold_id.in_(hold_ids))
        .group_by(held_records.c.hold_id)
    )
    found = {row[0]: (row[1], row[2], row[3]) for row in connection.execute(query)}
    return {hold_id: found.get(hold_id, (0, 0, 0)) for hold_id in hold_ids}


def _hold(row: Row[Any], counts: tuple[int, int, int], proposals: Mapping[UUID, approvals.Proposal]) -> Hold:
    total, standing, waiting = counts
    return Hold(
        id=row.id,
        matter_id=row.matter_id,
        matter_number=row.matter_number,
        number=row.number,
        reason=row.reason,
        review_date=row.review_date,
        placed_by_kind=row.placed_by_kind,
        placed_by=row.placed_by,
        placed_at=row.placed_at,
        released_at=row.released_at,
        release_reason=row.release_reason,
        release=proposals.get(row.release_proposal_id) if row.release_proposal_id else None,
        records=total,
        standing=standing,
        waiting=waiting,
    )


def _matter(row: Row[Any]) -> Matter:
    return Matter(
        id=row.id,
        number=row.number,
        authority=Authority(row.authority),
        authority_name=row.authority_name,
        document_number=row.document_number,
        basis=row.basis,
        title=row.title,
        opened_by_kind=row.opened_by_kind,
        opened_by=row.opened_by,
        opened_at=row.opened_at,
        closed_at=row.closed_at,
    )
