"""What intake looks up."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, Date, Row, func, select

from vault.access.model import Viewer
from vault.catalogue.model import Event as CatalogueEvent
from vault.catalogue.tables import records
from vault.foundation.db import keyset
from vault.foundation.db.keyset import FIRST, Page, Span
from vault.foundation.errors import NotFoundOrNotYours
from vault.foundation.ledger.entry import leaf_hash
from vault.foundation.ledger.tables import ledger_entries
from vault.intake.abandonment import ABANDONED
from vault.intake.checks import Severity
from vault.intake.model import Balance, Batch, BatchState, Handling, Item, ItemStatus, Receipt, Refusal
from vault.intake.tables import batches, intake_items, rendition_tasks

SENDERS_AMONG = 5_000


def receipt_of(connection: Connection, viewer: Viewer, item_id: UUID, *, is_repeated: bool) -> Receipt:
    """The receipt of a settled item; for a duplicate it names the record that was there first.

    Raises:
        NotFoundOrNotYours: no such item, or not of a unit of the viewer.
    """
    row = connection.execute(select(intake_items).where(intake_items.c.id == item_id)).one_or_none()
    if row is None or not (row.sender_id == viewer.id or viewer.may_see_unit(row.unit_id)):
        raise NotFoundOrNotYours
    status = ItemStatus(row.status)
    record_id = {ItemStatus.ACCEPTED: row.record_id, ItemStatus.DUPLICATE: row.duplicate_of}.get(status)
    number = entry = None
    if record_id is not None:
        number = connection.execute(
            select(records.c.archival_number).where(records.c.id == record_id)
        ).scalar_one_or_none()
        entry = connection.execute(
            select(ledger_entries.c.id, ledger_entries.c.body).where(
                ledger_entries.c.subject_id == record_id,
                ledger_entries.c.event == CatalogueEvent.RECORD_REGISTERED,
            )
        ).one_or_none()
    return Receipt(
        item_id=row.id,
        status=status,
        record_id=record_id,
        archival_number=number,
        findings=_findings(row),
        ledger_entry_id=entry.id if entry else None,
        ledger_leaf_hash=leaf_hash(bytes(entry.body)).hex() if entry else None,
        is_repeated=is_repeated,
    )


def items_of_batch(
    connection: Connection,
    batch_id: UUID,
    span: Span = FIRST,
    *,
    units: frozenset[UUID] | None,
    status: ItemStatus | None = None,
) -> Page[Item]:
    """The items of a batch within `units` (None: all), newest first; of one status, or all."""
    query = select(intake_items).where(intake_items.c.batch_id == batch_id, *within(intake_items.c.unit_id, units))
    if status is not None:
        query = query.where(intake_items.c.status == status.value)
    return keyset.cut(connection, query, intake_items.c.id, span, lambda rows: map(item_of, rows))


def get_batch(connection: Connection, viewer: Viewer, batch_id: UUID) -> Batch:
    """One batch with its balance.

    Raises:
        NotFoundOrNotYours: no such batch, or not of a unit of the viewer.
    """
    row = connection.execute(select(batches).where(batches.c.id == batch_id)).one_or_none()
    if row is None or not viewer.may_see_unit(row.unit_id):
        raise NotFoundOrNotYours
    return batch_of(row, balances(connection, [row]))


def batch_names(connection: Connection, ids: Iterable[UUID | None]) -> dict[UUID, str]:
    """The names of batches by id."""
    wanted = sorted({one for one in ids if one is not None})
    rows = connection.execute(select(batches.c.id, batches.c.name).where(batches.c.id.in_(wanted)))
    return {row.id: row.name for row in rows}


def within(column: ColumnElement[UUID], units: frozenset[UUID] | None) -> list[ColumnElement[bool]]:
    """The condition that a row is of one of `units`; none when all may be seen."""
    return [] if units is None else [column.in_(sorted(units))]


def balances(connection: Connection, rows: Any) -> dict[UUID, Balance]:
    """The balance of each batch row."""
    announced = {row.id: row.sheets_announced for row in rows}
    if not announced:
        return {}
    counts: dict[UUID, dict[str, int]] = {batch_id: {} for batch_id in announced}
    for row in connection.execute(
        select(intake_items.c.batch_id, intake_items.c.status, func.count().label("items"))
        .where(intake_items.c.batch_id.in_(sorted(announced)))
        .group_by(intake_items.c.batch_id, intake_items.c.status)
    ):
        counts[row.batch_id][row.status] = row.items
    return {
        batch_id: Balance(
            sheets_announced=announced[batch_id],
            received=sum(by_status.values()),
            accepted=by_status.get(ItemStatus.ACCEPTED, 0),
            duplicate=by_status.get(ItemStatus.DUPLICATE, 0),
            refused=by_status.get(ItemStatus.REFUSED, 0),
            unsettled=by_status.get(ItemStatus.INTENT, 0),
        )
        for batch_id, by_status in counts.items()
    }


def renditions_waiting(connection: Connection) -> tuple[int, int]:
    """How many records wait for their renditions, and for how many making them failed for good."""
    rows = connection.execute(
        select(rendition_tasks.c.state, func.count().label("records")).group_by(rendition_tasks.c.state)
    )
    counts = {row.state: row.records for row in rows}
    return counts.get("waiting", 0), counts.get("failed", 0)


def finding_json(finding: Refusal) -> dict[str, Any]:
    """A finding as it is stored with its item."""
    return {
        "code": finding.code,
        "severity": finding.severity,
        "page": finding.page,
        "facts": finding.facts,
    }


def _findings(row: Row[Any]) -> tuple[Refusal, ...]:
    stored = tuple(Refusal(**finding) for finding in row.findings or ())
    return stored if row.abandoned_at is None else (Refusal(ABANDONED, Severity.REFUSE.value, None, {}), *stored)


def item_of(row: Row[Any]) -> Item:
    """An item from its row."""
    status = ItemStatus(row.status)
    return Item(
        id=row.id,
        batch_id=row.batch_id,
        unit_id=row.unit_id,
        sender_id=row.sender_id,
        class_code=row.class_code,
        file_name=row.file_name,
        size_bytes=row.size_bytes,
        sha256=bytes(row.sha256),
        media_type=row.media_type,
        status=status,
        findings=_findings(row),
        record_id={ItemStatus.ACCEPTED: row.record_id, ItemStatus.DUPLICATE: row.duplicate_of}.get(status),
        received_at=row.received_at,
        handled_at=row.handled_at,
        handled_by=row.handled_by,
        handling=Handling(row.handling) if row.handling else None,
        handling_note=row.handling_note,
    )


def batch_of(row: Row[Any], counted: dict[UUID, Balance]) -> Batch:
    """A batch from its row and the balances."""
    return Batch(
        id=row.id,
        name=row.name,
        unit_id=row.unit_id,
        opened_by=row.opened_by,
        state=BatchState(row.state),
        opened_at=row.opened_at,
        closed_at=row.closed_at,
        balance=counted[row.id],
    )


def came_in_by_hour(connection: Connection, units: frozenset[UUID] | None, since: datetime) -> dict[datetime, int]:
    """How many items came in since then, by the hour they came in."""
    hour = func.date_trunc("hour", intake_items.c.received_at)
    query = select(hour.label("hour"), func.count().label("items")).where(intake_items.c.received_at >= since)
    if units is not None:
        query = query.where(intake_items.c.unit_id.in_(sorted(units)))
    return {row.hour: row.items for row in connection.execute(query.group_by(hour))}


def sent_since(connection: Connection, senders: Iterable[UUID], since: datetime) -> dict[UUID, int]:
    """How many items each sender has sent since then."""
    query = select(intake_items.c.sender_id, func.count().label("items"))
    query = query.where(intake_items.c.received_at >= since, intake_items.c.sender_id.in_(sorted(set(senders))))
    return {row.sender_id: row.items for row in connection.execute(query.group_by(intake_items.c.sender_id))}


def count_items(
    connection: Connection, units: frozenset[UUID] | None, status: ItemStatus, since: datetime | None = None
) -> int:
    """How many items ended in this status, since then if given."""
    query = select(func.count()).select_from(intake_items).where(intake_items.c.status == status.value)
    if units is not None:
        query = query.where(intake_items.c.unit_id.in_(sorted(units)))
    if since is not None:
        query = query.where(intake_items.c.received_at >= since)
    return int(connection.execute(query).scalar_one())


def is_rendering(connection: Connection, record_id: UUID) -> str | None:
    """`waiting` or `failed` while the record's renditions are not there, else nothing."""
    return connection.execute(
        select(rendition_tasks.c.state).where(rendition_tasks.c.record_id == record_id)
    ).scalar_one_or_none()


def item_of_record(connection: Connection, record_id: UUID) -> Item | None:
    """The file that became the record."""
    row = connection.execute(
        select(intake_items).where(
            intake_items.c.record_id == record_id, intake_items.c.status == ItemStatus.ACCEPTED.value
        )
    ).one_or_none()
    return item_of(row) if row is not None else None


def open_names(connection: Connection, sender_id: UUID) -> frozenset[str]:
    """The names of the sender's open batches: sending under one of them goes on with it."""
    query = select(batches.c.name).where(batches.c.opened_by == sender_id, batches.c.state == BatchState.OPEN.value)
    return frozenset(connection.execute(query).scalars())


def batch_name(connection: Connection, batch_id: UUID) -> str | None:
    """What a batch is called."""
    return connection.execute(select(batches.c.name).where(batches.c.id == batch_id)).scalar_one_or_none()


def item_name(connection: Connection, item_id: UUID) -> str | None:
    """The name of a file as it was sent."""
    return connection.execute(
        select(intake_items.c.file_name).where(intake_items.c.id == item_id)
    ).scalar_one_or_none()


@dataclass(frozen=True)
class Sent:
    """What somebody sent: how many files ended how, and when the last came."""

    accepted: int
    refused: int
    last_at: datetime | None


def sent_by(connection: Connection, sender_id: UUID, since: datetime) -> Sent:
    """What a person or station has sent since then. What was there already counts as accepted."""
    settled = intake_items.c.status
    row = connection.execute(
        select(
            func.count()
            .filter(settled.in_([ItemStatus.ACCEPTED.value, ItemStatus.DUPLICATE.value]))
            .label("accepted"),
            func.count().filter(settled == ItemStatus.REFUSED.value).label("refused"),
            func.max(intake_items.c.received_at).label("last_at"),
        ).where(intake_items.c.sender_id == sender_id, intake_items.c.received_at >= since)
    ).one()
    return Sent(row.accepted, row.refused, row.last_at)


def batches_of(
    connection: Connection, sender_id: UUID, *, only_open: bool = False, size: int = 6
) -> tuple[Batch, ...]:
    """The sender's own batches, newest first; of those still open the oldest first."""
    query = select(batches).where(batches.c.opened_by == sender_id).limit(size)
    if only_open:
        query = query.where(batches.c.state == BatchState.OPEN.value).order_by(batches.c.id)
    else:
        query = query.order_by(batches.c.id.desc())
    rows = connection.execute(query).all()
    counted = balances(connection, rows)
    return tuple(batch_of(row, counted) for row in rows)


def refused_since(
    connection: Connection, units: frozenset[UUID] | None, since: datetime, size: int = 5
) -> tuple[Item, ...]:
    """The newest items refused since then within `units` (None: all)."""
    query = select(intake_items).where(
        intake_items.c.status == ItemStatus.REFUSED.value, intake_items.c.received_at >= since
    )
    if units is not None:
        query = query.where(intake_items.c.unit_id.in_(sorted(units)))
    return tuple(item_of(row) for row in connection.execute(query.order_by(intake_items.c.id.desc()).limit(size)))


def came_in_by_day(
    connection: Connection, units: frozenset[UUID] | None, since: datetime, time_zone: str
) -> dict[date, int]:
    """How many items came in since then, by the day of the organisation."""
    day = func.timezone(time_zone, intake_items.c.received_at).cast(Date)
    query = select(day.label("day"), func.count().label("items")).where(intake_items.c.received_at >= since)
    if units is not None:
        query = query.where(intake_items.c.unit_id.in_(sorted(units)))
    return {row.day: row.items for row in connection.execute(query.group_by(day))}


def renditions_failed(
    connection: Connection, units: frozenset[UUID] | None, size: int = 5
) -> tuple[tuple[UUID, str], ...]:
    """Records whose page images could not be made: id and archival number, the newest first."""
    query = (
        select(records.c.id, records.c.archival_number)
        .join(rendition_tasks, rendition_tasks.c.record_id == records.c.id)
        .where(rendition_tasks.c.state == "failed")
        .order_by(records.c.id.desc())
        .limit(size)
    )
    if units is not None:
        query = query.where(records.c.unit_id.in_(sorted(units)))
    return tuple((row.id, row.archival_number) for row in connection.execute(query))
