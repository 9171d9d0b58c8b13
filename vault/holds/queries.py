"""What is known of matters and holds."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, Row, Select, func, or_, select

from vault.access import approvals
from vault.access.model import Viewer
from vault.access.rights import Right
from vault.catalogue.tables import records
from vault.foundation.db import keyset
from vault.foundation.db.keyset import FIRST, Page, Span
from vault.foundation.errors import NotFoundOrNotYours
from vault.holds.model import Act, Authority, HeldRecord, Hold, Matter, RecordHold
from vault.holds.sight import holds_seen, matters_seen, records_seen
from vault.holds.tables import held_records, hold_tasks, holds, matters

_IN_FORCE = held_records.c.released_at.is_(None)


def on_hold(connection: Connection, record_ids: Iterable[UUID]) -> frozenset[UUID]:
    """The records among these that a hold keeps."""
    query = select(held_records.c.record_id).where(held_records.c.record_id.in_(sorted(set(record_ids))), _IN_FORCE)
    return frozenset(connection.execute(query.distinct()).scalars())


def being_told(connection: Connection, record_ids: Iterable[UUID], *, also_refused: bool = True) -> frozenset[UUID]:
    """The records among these whose stores have yet to be told that they are held, or no longer held.

    With `also_refused` those too of which a store refused it, so that it may be long before it is told.
    """
    query = select(hold_tasks.c.record_id).where(hold_tasks.c.record_id.in_(sorted(set(record_ids))))
    if not also_refused:
        query = query.where(hold_tasks.c.problem.is_(None))
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
    """One matter that the viewer may see. Raises NotAllowed, NotFoundOrNotYours."""
    viewer.require(Right.HOLDS_MATTER_READ)
    query = select(matters).where(matters.c.id == matter_id, *matters_seen(viewer))
    row = connection.execute(query).one_or_none()
    if row is None:
        raise NotFoundOrNotYours
    return matter_of(row)


@dataclass(frozen=True)
class Review:
    """A hold that somebody wanted to look at again on a day."""

    hold_id: UUID
    name: str
    placed_at: datetime
    review_date: date


def reviews_due(connection: Connection, viewer: Viewer, day: date) -> tuple[Review, ...]:
    """The holds in force that somebody wanted to look at again by that day, without a release proposed."""
    rows = connection.execute(
        _named_holds()
        .where(holds.c.review_date <= day, holds.c.released_at.is_(None), *holds_seen(viewer))
        .order_by(holds.c.id.desc())
    ).all()
    proposed = being_released(connection, rows)
    return tuple(Review(row.id, _name(row), row.placed_at, row.review_date) for row in rows if row.id not in proposed)


def see_hold(connection: Connection, viewer: Viewer, hold_id: UUID) -> Hold:
    """One hold, for those who may see a record of it. Its counts are of all its records, as its release is of all.

    Raises NotAllowed, NotFoundOrNotYours.
    """
    viewer.require(Right.HOLDS_MATTER_READ)
    found = _holds(connection, holds.c.id == hold_id, *holds_seen(viewer))
    if not found:
        raise NotFoundOrNotYours
    return found[0]


def get_hold(connection: Connection, hold_id: UUID) -> Hold:
    """One hold, whoever asks: what is told to a viewer comes from `see_hold`. Raises NotFoundOrNotYours."""
    found = _holds(connection, holds.c.id == hold_id)
    if not found:
        raise NotFoundOrNotYours
    return found[0]


def name_of(connection: Connection, subject_id: UUID) -> tuple[str, str]:
    """Whether an id is that of a matter or of a hold, and how people name it; nothing when it is neither."""
    number = connection.execute(select(matters.c.number).where(matters.c.id == subject_id)).scalar_one_or_none()
    if number is not None:
        return "matter", number
    found = connection.execute(_named_holds().where(holds.c.id == subject_id)).one_or_none()
    return ("hold", _name(found)) if found else ("", "")


def holds_of_matter(connection: Connection, viewer: Viewer, matter_id: UUID) -> tuple[Hold, ...]:
    """The holds under a matter that the viewer may see, newest first."""
    return _holds(connection, holds.c.matter_id == matter_id, *holds_seen(viewer))


def releases_proposed(connection: Connection, viewer: Viewer) -> tuple[Hold, ...]:
    """The holds seen by the viewer whose release others proposed, and which the viewer has not judged yet."""
    waiting = approvals.list_proposals(connection, acts=(Act.RELEASE,), state=approvals.ProposalState.OPEN, size=200)
    mine = [
        proposal.subject_id
        for proposal in waiting
        if proposal.proposed_by != viewer.id and viewer.id not in {said.person_id for said in proposal.approvals}
    ]
    return _holds(connection, holds.c.id.in_(mine), *holds_seen(viewer)) if mine else ()


def find_held(
    connection: Connection, viewer: Viewer, hold_id: UUID, span: Span = FIRST, *, is_waiting: bool = False
) -> Page[HeldRecord]:
    """One page of the records under a hold that the viewer may see; of those only that wait for their stores if wanted."""
    query = _held(viewer, hold_id, is_waiting=is_waiting).add_columns(records.c.archival_number, hold_tasks.c.problem)
    return keyset.cut(connection, query, held_records.c.record_id, span, lambda rows: [_held_record(r) for r in rows])


def count_held(connection: Connection, viewer: Viewer, hold_id: UUID, *, is_waiting: bool = False) -> int:
    """How many there are."""
    return keyset.count(connection, _held(viewer, hold_id, is_waiting=is_waiting), None)


@dataclass(frozen=True)
class Refused:
    """How many records of a hold wait because a store refused, by the code of what it said."""

    hold_id: UUID
    name: str
    problems: Mapping[str, int]

    @property
    def records(self) -> int:
        """How many in all."""
        return sum(self.problems.values())


def refused_by_stores(connection: Connection, viewer: Viewer, hold_id: UUID | None = None) -> tuple[Refused, ...]:
    """The holds, or one, whose legal hold a store refused to set or take off when it was last told, newest first.

    Counted are the records that the viewer may see.
    """
    query = (
        select(held_records.c.hold_id, matters.c.number.label("matter_number"), holds.c.number, hold_tasks.c.problem)
        .add_columns(func.count().label("records"))
        .select_from(hold_tasks)
        .join(held_records, held_records.c.record_id == hold_tasks.c.record_id)
        .join(holds, holds.c.id == held_records.c.hold_id)
        .join(matters, matters.c.id == holds.c.matter_id)
        .where(hold_tasks.c.problem.is_not(None), *records_seen(viewer))
        .group_by(held_records.c.hold_id, matters.c.number, holds.c.number, hold_tasks.c.problem)
        .order_by(held_records.c.hold_id.desc(), hold_tasks.c.problem)
    )
    if hold_id is not None:
        query = query.where(held_records.c.hold_id == hold_id)
    found: dict[UUID, tuple[str, dict[str, int]]] = {}
    for row in connection.execute(query):
        found.setdefault(row.hold_id, (_name(row), {}))[1][row.problem] = row.records
    return tuple(Refused(one, name, problems) for one, (name, problems) in found.items())


def stores_to_tell(connection: Connection) -> tuple[int, int]:
    """How many records' stores are still to be told, and of how many of these a store refused when it was last told."""
    row = connection.execute(
        select(func.count().label("all"), func.count(hold_tasks.c.problem).label("refused"))
    ).one()
    return row.all, row.refused


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


def _held(viewer: Viewer, hold_id: UUID, *, is_waiting: bool = False) -> Select[Any]:
    return (
        select(held_records)
        .join(records, records.c.id == held_records.c.record_id)
        .join(hold_tasks, hold_tasks.c.record_id == held_records.c.record_id, isouter=not is_waiting)
        .where(held_records.c.hold_id == hold_id, *records_seen(viewer))
    )


def _held_record(row: Row[Any]) -> HeldRecord:
    return HeldRecord(row.record_id, row.archival_number, row.held_at, row.stands_at, row.released_at, row.problem)


def _named_holds() -> Select[Any]:
    return select(holds, matters.c.number.label("matter_number")).join(matters, matters.c.id == holds.c.matter_id)


def _name(row: Row[Any]) -> str:
    return f"{row.matter_number}/{row.number}"


def being_released(connection: Connection, rows: Sequence[Row[Any]]) -> set[UUID]:
    """Of rows of holds in force the ids of those whose release waits for approval."""
    proposals = approvals.proposals_of(connection, [r.release_proposal_id for r in rows if r.release_proposal_id])
    waiting = {one.id for one in proposals.values() if one.state is approvals.ProposalState.OPEN}
    return {row.id for row in rows if row.release_proposal_id in waiting}


def _holds(connection: Connection, *conditions: ColumnElement[bool]) -> tuple[Hold, ...]:
    rows = connection.execute(_named_holds().where(*conditions).order_by(holds.c.id.desc())).all()
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


def matter_of(row: Row[Any]) -> Matter:
    """A row of `matters`."""
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
