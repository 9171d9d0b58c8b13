"""What retention looks up: versions of the schedule, classes in effect, events, filing."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, Row, func, select

from retention_rules.model import ClassDefinition
from vault.access.approvals import ProposalState
from vault.access.model import Viewer
from vault.access.tables import proposals
from vault.catalogue.model import RecordStatus
from vault.catalogue.tables import record_states, records
from vault.foundation.db import keyset
from vault.foundation.db.keyset import EVERYTHING, Page, Picked, Span
from vault.foundation.errors import NotFoundOrNotYours
from vault.retention.book import Lawbook, content_from, read_book
from vault.retention.errors import NoSchedule
from vault.retention.model import (
    Classification,
    Filing,
    RecordEvent,
    ScheduleVersion,
    Standing,
    VersionState,
    WaitingLock,
)
from vault.retention.tables import classifications, filings, lock_tasks, record_events, schedule_versions

PAGE_SIZE_MAX = 200


@dataclass(frozen=True)
class VersionFilters:
    """Which versions of the schedule: in a state, taking effect from a day and until a day."""

    state: VersionState | None = None
    effective_from: date | None = None
    effective_until: date | None = None


def classes_in_effect(connection: Connection, now: datetime) -> tuple[ClassDefinition, ...]:
    """The classes of the schedule in effect, by code. Raises NoSchedule."""
    book = read_book(connection)
    law = book.law(book.day_of(now), now)
    return tuple(law.classes[code].definition for code in sorted(law.classes))


def get_version(connection: Connection, number: int, now: datetime) -> ScheduleVersion:
    """One version of the schedule. Raises NotFoundOrNotYours."""
    row = connection.execute(select(schedule_versions).where(schedule_versions.c.number == number)).one_or_none()
    if row is None:
        raise NotFoundOrNotYours
    return version_of(row, read_book(connection), now)


def version_in_effect(connection: Connection, now: datetime) -> ScheduleVersion:
    """The version of the schedule in effect. Raises NoSchedule."""
    book = read_book(connection)
    return get_version(connection, int(book.schedule(book.day_of(now), now).version), now)


def list_versions(
    connection: Connection,
    now: datetime,
    *,
    state: VersionState | None = None,
    after: int | None = None,
    size: int = 50,
) -> tuple[ScheduleVersion, ...]:
    """Versions, the newest first, below the number `after`."""
    query = (
        select(schedule_versions).order_by(schedule_versions.c.number.desc()).limit(max(1, min(size, PAGE_SIZE_MAX)))
    )
    if state is not None:
        query = query.where(schedule_versions.c.state == state.value)
    if after is not None:
        query = query.where(schedule_versions.c.number < after)
    book = read_book(connection)
    return tuple(version_of(row, book, now) for row in connection.execute(query))


def find_versions(
    connection: Connection, filters: VersionFilters, now: datetime, span: Span, picked: Picked = EVERYTHING
) -> Page[ScheduleVersion]:
    """One page of the versions that the filters name, newest first."""
    book = read_book(connection)
    query = select(schedule_versions).where(*_version_conditions(filters, picked))
    return keyset.cut(
        connection, query, schedule_versions.c.id, span, lambda rows: [version_of(row, book, now) for row in rows]
    )


def count_versions(
    connection: Connection, filters: VersionFilters, picked: Picked = EVERYTHING, at_most: int | None = None
) -> int:
    """How many versions the filters name."""
    query = select(schedule_versions.c.id).where(*_version_conditions(filters, picked))
    return keyset.count(connection, query, at_most)


def _version_conditions(filters: VersionFilters, picked: Picked) -> list[ColumnElement[bool]]:
    columns = schedule_versions.c
    wanted = picked.conditions(columns.id)
    if filters.state is not None:
        wanted.append(columns.state == filters.state.value)
    if filters.effective_from is not None:
        wanted.append(columns.effective_date >= filters.effective_from)
    if filters.effective_until is not None:
        wanted.append(columns.effective_date <= filters.effective_until)
    return wanted


def version_of(row: Row[Any], book: Lawbook, now: datetime) -> ScheduleVersion:
    """A version from its row."""
    return ScheduleVersion(
        id=row.id,
        number=row.number,
        state=VersionState(row.state),
        standing=_standing(row, book, now),
        note=row.note,
        based_on=row.based_on,
        effective_date=row.effective_date,
        content=content_from(row.content),
        digest=bytes(row.digest),
        draft_digest=bytes(row.draft_digest or row.digest),
        proposal_id=row.proposal_id,
        created_by_kind=row.created_by_kind,
        created_by=row.created_by,
        created_at=row.created_at,
        changed_at=row.changed_at,
        approved_at=row.approved_at,
        withdrawn_because=row.withdrawn_because,
    )


def _standing(row: Row[Any], book: Lawbook, now: datetime) -> Standing | None:
    if row.state != VersionState.APPROVED:
        return None
    today = book.day_of(now)
    if row.effective_date > today:
        return Standing.COMING
    try:
        in_effect = book.schedule(today, now).version
    except NoSchedule:
        return Standing.SUPERSEDED
    return Standing.IN_EFFECT if in_effect == str(row.number) else Standing.SUPERSEDED


def events_of_record(connection: Connection, record_id: UUID) -> tuple[RecordEvent, ...]:
    """Everything reported of a record, newest first, undone or not."""
    query = select(record_events).where(record_events.c.record_id == record_id).order_by(record_events.c.id.desc())
    return tuple(event_of(row) for row in connection.execute(query))


def list_events(
    connection: Connection,
    viewer: Viewer,
    *,
    name: str | None = None,
    report_id: UUID | None = None,
    is_undone: bool | None = None,
    after: UUID | None = None,
    size: int = 50,
) -> tuple[RecordEvent, ...]:
    """Events of the records that the viewer may see, newest first, below the keyset `after`."""
    query = select(record_events).order_by(record_events.c.id.desc()).limit(max(1, min(size, PAGE_SIZE_MAX)))
    if viewer.units is not None:
        query = query.join(records, records.c.id == record_events.c.record_id).where(
            records.c.unit_id.in_(sorted(viewer.units))
        )
    if name is not None:
        query = query.where(record_events.c.name == name)
    if report_id is not None:
        query = query.where(record_events.c.report_id == report_id)
    if is_undone is not None:
        undone = record_events.c.undone_at
        query = query.where(undone.isnot(None) if is_undone else undone.is_(None))
    if after is not None:
        query = query.where(record_events.c.id < after)
    return tuple(event_of(row) for row in connection.execute(query))


def classification_of(connection: Connection, classification_id: UUID) -> Classification:
    """One change of a record's class. Raises NotFoundOrNotYours."""
    row = connection.execute(select(classifications).where(classifications.c.id == classification_id)).one_or_none()
    if row is None:
        raise NotFoundOrNotYours
    return _classification(row)


def classifications_of_record(connection: Connection, record_id: UUID) -> tuple[Classification, ...]:
    """Every change of a record's class, proposed ones too, newest first."""
    query = (
        select(classifications).where(classifications.c.record_id == record_id).order_by(classifications.c.id.desc())
    )
    return tuple(_classification(row) for row in connection.execute(query))


def list_reclassifications(
    connection: Connection, viewer: Viewer, *, after: UUID | None = None, size: int = 50
) -> tuple[Classification, ...]:
    """Other classes that wait for approval, of records that the viewer may see, newest first, below `after`."""
    query = (
        select(classifications)
        .join(proposals, proposals.c.id == classifications.c.proposal_id)
        .where(proposals.c.state == ProposalState.OPEN.value)
        .order_by(classifications.c.id.desc())
        .limit(max(1, min(size, PAGE_SIZE_MAX)))
    )
    if viewer.units is not None:
        query = query.join(records, records.c.id == classifications.c.record_id).where(
            records.c.unit_id.in_(sorted(viewer.units))
        )
    if after is not None:
        query = query.where(classifications.c.id < after)
    return tuple(_classification(row) for row in connection.execute(query))


def _classification(row: Row[Any]) -> Classification:
    return Classification(**{name: getattr(row, name) for name in Classification.__dataclass_fields__})


def filing_of(connection: Connection, record_id: UUID) -> Filing | None:
    """Where the filing of a record is; nothing when nobody has asked for it."""
    row = connection.execute(
        select(filings, lock_tasks.c.not_before, lock_tasks.c.intended_date, lock_tasks.c.problem)
        .outerjoin(lock_tasks, lock_tasks.c.record_id == filings.c.record_id)
        .where(filings.c.record_id == record_id)
    ).one_or_none()
    return Filing(**{name: getattr(row, name) for name in Filing.__dataclass_fields__}) if row is not None else None


def to_file_in_batch(connection: Connection, viewer: Viewer, batch_id: UUID) -> int:
    """How many records of a batch nobody has filed yet, of those that the viewer may see."""
    query = (
        select(func.count())
        .select_from(records)
        .join(record_states, record_states.c.record_id == records.c.id)
        .outerjoin(filings, filings.c.record_id == records.c.id)
        .where(
            records.c.batch_id == batch_id,
            record_states.c.status == RecordStatus.RECEIVED.value,
            filings.c.record_id.is_(None),
        )
    )
    if viewer.units is not None:
        query = query.where(records.c.unit_id.in_(sorted(viewer.units)))
    return connection.execute(query).scalar_one()


def waiting_locks(
    connection: Connection, *, only_hindered: bool = False, after: UUID | None = None, size: int = 50
) -> tuple[WaitingLock, ...]:
    """Records whose lock is still to be set, by id, beyond `after`."""
    query = select(lock_tasks).order_by(lock_tasks.c.record_id).limit(max(1, min(size, PAGE_SIZE_MAX)))
    if only_hindered:
        query = query.where(lock_tasks.c.problem.isnot(None))
    if after is not None:
        query = query.where(lock_tasks.c.record_id > after)
    names = WaitingLock.__dataclass_fields__
    return tuple(WaitingLock(**{name: getattr(row, name) for name in names}) for row in connection.execute(query))


def event_of(row: Row[Any]) -> RecordEvent:
    """An event from its row."""
    return RecordEvent(**{name: getattr(row, name) for name in RecordEvent.__dataclass_fields__})
