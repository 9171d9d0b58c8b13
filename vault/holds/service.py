"""Opening matters, placing holds under them, closing matters. How a hold ends is in `releasing`.

A hold is in force with the commit of its rows (invariant H1). The stores are told by a job, which the same transaction
queues, so that it is done whatever happens to this process.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import Column, Table, func, select
from sqlalchemy.dialects.postgresql import insert

from vault.access.model import Viewer
from vault.access.queries import organisation
from vault.access.rights import Right
from vault.catalogue import service as catalogue
from vault.catalogue.fingerprint import rows_digest
from vault.catalogue.witnessing import digests
from vault.foundation.context import Context
from vault.foundation.db.transaction import Transaction
from vault.foundation.errors import N_, InvalidInput, NotFoundOrNotYours
from vault.foundation.ids import new_id
from vault.foundation.ledger.entry import canonical_json
from vault.holds.errors import HoldEnded, HoldKeyReused, MatterClosed, MatterStillHolds, RecordsUnknown
from vault.holds.jobs import ask_for
from vault.holds.model import Authority, Event, Hold, Matter, NewMatter, Placed
from vault.holds.queries import get_hold, get_matter, named
from vault.holds.tables import RECORD_TABLES, held_records, holds, matter_counters, matters

RECORDS_MAX = 5_000
REASON_LENGTH_MIN, REASON_LENGTH_MAX = 4, 500
_LINES_TOLD_MAX = 20


def open_matter(ctx: Context, viewer: Viewer, new: NewMatter, client_key: str | None = None) -> Matter:
    """Opens a matter, which gets a number of ours; under the same key it is the same one. Leaves `holds:matter:open`.

    Raises:
        NotAllowed: the viewer lacks `holds:matter:open`.
        InvalidInput: a text is missing or too long.
        HoldKeyReused: under the key another one was opened.
    """
    viewer.require(Right.HOLDS_MATTER_OPEN)
    key = _checked_key(client_key)
    length_min = 0 if new.authority is Authority.HOUSE else 1  # what the house expects has no document yet
    told = {
        "authority": new.authority.value,
        "authority_name": checked_text("authority_name", new.authority_name, 1, 200),
        "document_number": checked_text("document_number", new.document_number, length_min, 100),
        "basis": checked_text("basis", new.basis, 1, 500),
        "title": checked_text("title", new.title, 1, 200),
    }
    with ctx.database.transaction(viewer.actor) as tx:
        now, digest_sent = tx.clock.now(), _digest(*told.values())
        earlier = _earlier(tx, matters, matters.c.opened_by, (viewer.id, key), digest_sent)
        if earlier is not None:
            return get_matter(tx.connection, viewer, earlier)
        row: dict[str, Any] = {
            "id": new_id(),
            "number": _next_number(tx, now),
            "client_key": key,
            "sent_digest": digest_sent,
            **told,
            "salt": secrets.token_bytes(16),
            "opened_by_kind": viewer.kind,
            "opened_by": viewer.id,
            "opened_at": now,
        }
        tx.connection.execute(matters.insert(), row)
        digest = row_digest(tx, matters, row["id"], row["salt"])
        tx.witness(
            Event.MATTER_OPENED,
            "matter",
            row["id"],
            number=row["number"],
            authority=new.authority.value,
            digest=digest,
        )
        matter = get_matter(tx.connection, viewer, row["id"])
        tx.commit()
    return matter


def close_matter(ctx: Context, viewer: Viewer, matter_id: UUID) -> Matter:
    """Closes a matter under which nothing is held any more. Leaves `holds:matter:close`.

    Raises:
        NotAllowed: the viewer lacks `holds:matter:open`.
        NotFoundOrNotYours, MatterClosed, MatterStillHolds.
    """
    viewer.require(Right.HOLDS_MATTER_OPEN)
    with ctx.database.transaction(viewer.actor) as tx:
        row = _open_matter(tx, matter_id)
        in_force = tx.connection.execute(
            select(func.count()).where(holds.c.matter_id == matter_id, holds.c.released_at.is_(None))
        ).scalar_one()
        if in_force:
            raise MatterStillHolds(number=row.number, holds=in_force)
        tx.connection.execute(
            matters.update().where(matters.c.id == matter_id).values(closed_at=tx.clock.now(), closed_by=viewer.id)
        )
        digest = row_digest(tx, matters, matter_id, bytes(row.salt))
        tx.witness(Event.MATTER_CLOSED, "matter", matter_id, number=row.number, digest=digest)
        matter = get_matter(tx.connection, viewer, matter_id)
        tx.commit()
    return matter


def place_hold(
    ctx: Context,
    viewer: Viewer,
    matter_id: UUID,
    names: Sequence[str],
    reason: str,
    review_date: date | None = None,
    client_key: str | None = None,
) -> Placed:
    """Places a hold on records, named by archival number or id: on all of them or on none. In force when this returns.

    Under a key that was used before nothing is placed, and the hold of then is told, also when its matter is closed by now.
    Leaves `holds:hold:place`, and `holds:record:hold` for each record.

    Raises:
        NotAllowed: the viewer lacks `holds:hold:place`.
        NotFoundOrNotYours: there is no such matter.
        MatterClosed, RecordsUnknown.
        HoldKeyReused: the key was used for other records, another matter, reason or review.
        InvalidInput: no records or too many, no reason, or a review that is not ahead.
    """
    viewer.require(Right.HOLDS_HOLD_PLACE)
    reason = checked_text("reason", reason, REASON_LENGTH_MIN, REASON_LENGTH_MAX)
    key = _checked_key(client_key)
    with ctx.database.transaction(viewer.actor) as tx:
        wanted = sorted({name.strip() for name in names} - {""})
        digest_sent = _digest(str(matter_id), reason, review_date.isoformat() if review_date else None, *wanted)
        earlier = _earlier(tx, holds, holds.c.placed_by, (viewer.id, key), digest_sent)
        if earlier is not None:
            hold = get_hold(tx.connection, earlier)
            return Placed(hold, added=0, already=hold.records if hold.is_in_force else 0)
        matter = _open_matter(tx, matter_id)
        now = tx.clock.now()
        if review_date is not None and review_date <= _day_of(tx, now):
            raise InvalidInput(field="review_date", problem=N_("it must be a day still to come"))
        record_ids = _records(tx, viewer, names)
        last = tx.connection.execute(select(func.max(holds.c.number)).where(holds.c.matter_id == matter_id)).scalar()
        hold_id = new_id()
        tx.connection.execute(
            holds.insert(),
            {
                "id": hold_id,
                "matter_id": matter_id,
                "number": (last or 0) + 1,
                "reason": reason,
                "review_date": review_date,
                "client_key": key,
                "sent_digest": digest_sent,
                "placed_by_kind": viewer.kind,
                "placed_by": viewer.id,
                "placed_at": now,
            },
        )
        tx.witness(
            Event.HOLD_PLACED,
            "hold",
            hold_id,
            context_id=matter_id,
            records=len(record_ids),
            digest=row_digest(tx, holds, hold_id, bytes(matter.salt)),
        )
        _hold_records(tx, hold_id, record_ids)
        hold = get_hold(tx.connection, hold_id)
        tx.commit()
    return Placed(hold, added=len(record_ids), already=0)


def add_records(ctx: Context, viewer: Viewer, hold_id: UUID, names: Sequence[str]) -> Placed:
    """Puts further records under a hold, all or none; those that it holds already stay as they are.

    Leaves `holds:hold:extend`, and `holds:record:hold` for each that is new; nothing when none is.

    Raises:
        NotAllowed: the viewer lacks `holds:hold:place`.
        NotFoundOrNotYours: there is no such hold.
        HoldEnded, RecordsUnknown.
        InvalidInput: no records or too many.
    """
    viewer.require(Right.HOLDS_HOLD_PLACE)
    with ctx.database.transaction(viewer.actor) as tx:
        hold = hold_in_force(tx, hold_id)
        wanted = _records(tx, viewer, names)
        query = select(held_records.c.record_id).where(held_records.c.hold_id == hold_id)
        already = set(tx.connection.execute(query).scalars())
        fresh = [record_id for record_id in wanted if record_id not in already]
        if fresh:
            tx.witness(Event.HOLD_EXTENDED, "hold", hold_id, context_id=hold.matter_id, records=len(fresh))
            _hold_records(tx, hold_id, fresh)
            hold = get_hold(tx.connection, hold_id)
            tx.commit()
    return Placed(hold, added=len(fresh), already=len(wanted) - len(fresh))


def hold_in_force(tx: Transaction, hold_id: UUID) -> Hold:
    """A hold in force, kept as it is to the end of the transaction. Raises NotFoundOrNotYours, HoldEnded."""
    tx.connection.execute(select(holds.c.id).where(holds.c.id == hold_id).with_for_update())
    hold = get_hold(tx.connection, hold_id)
    if not hold.is_in_force:
        raise HoldEnded(name=hold.name)
    return hold


def checked_text(field: str, text: str, length_min: int, length_max: int) -> str:
    """A text with single blanks. Raises InvalidInput when it is too short or long, or cannot be shown."""
    text = " ".join(text.split())
    if not text.isprintable():
        raise InvalidInput(field=field, problem=N_("it holds control characters"))
    if len(text) < length_min:
        raise InvalidInput(field=field, problem=N_("it is missing or too short"))
    if len(text) > length_max:
        raise InvalidInput(field=field, problem=N_("it is too long"))
    return text


def _checked_key(client_key: str | None) -> str:
    key = client_key if client_key is not None else str(new_id())
    if not 8 <= len(key) <= 200 or not key.isprintable():
        raise InvalidInput(field="client_key", problem=N_("8 to 200 characters are needed"))
    return key


def _digest(*sent: str | None) -> bytes:
    return hashlib.sha256(canonical_json(list(sent))).digest()


def _earlier(
    tx: Transaction, table: Table, sender: Column[UUID], sent_by: tuple[UUID, str], digest: bytes
) -> UUID | None:
    """What a person sent before under a key; of two at once the second waits. Raises HoldKeyReused: it was another."""
    person_id, key = sent_by
    name = f"{table.name} {person_id} {key}"
    tx.connection.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(name, 0))))
    query = select(table.c.id, table.c.sent_digest).where(sender == person_id, table.c.client_key == key)
    row = tx.connection.execute(query).one_or_none()
    if row is None:
        return None
    if bytes(row.sent_digest) != digest:
        raise HoldKeyReused
    earlier: UUID = row.id
    return earlier


def _open_matter(tx: Transaction, matter_id: UUID) -> Any:
    row = tx.connection.execute(select(matters).where(matters.c.id == matter_id).with_for_update()).one_or_none()
    if row is None:
        raise NotFoundOrNotYours
    if row.closed_at is not None:
        raise MatterClosed(number=row.number)
    return row


def _records(tx: Transaction, viewer: Viewer, names: Sequence[str]) -> list[UUID]:
    """The records that the lines of a list name, each once. What stands in a line that names none is not told again."""
    lines = {number: name.strip() for number, name in enumerate(names, 1) if name.strip()}
    if not 1 <= len(lines) <= RECORDS_MAX:
        raise InvalidInput(field="records", problem=N_("1 to 5,000 records can be held at once"))
    found = named(tx.connection, viewer, lines.values())
    unknown = [number for number, name in lines.items() if name not in found]
    if unknown:
        told = ", ".join(map(str, unknown[:_LINES_TOLD_MAX])) + (" …" if len(unknown) > _LINES_TOLD_MAX else "")
        raise RecordsUnknown(count=len(unknown), lines=told)
    return sorted(set(found.values()))


def _hold_records(tx: Transaction, hold_id: UUID, record_ids: Iterable[UUID]) -> None:
    """Holds records, each witnessed by its digest, and queues what the stores are to be told."""
    changing = catalogue.begin_changes(tx, record_ids)
    now = tx.clock.now()
    tx.connection.execute(
        held_records.insert(),
        [{"hold_id": hold_id, "record_id": record_id, "held_at": now} for record_id in changing],
    )
    witness_each(tx, Event.RECORD_HELD, hold_id, changing)
    ask_for(tx, changing)


def witness_each(tx: Transaction, event: Event, hold_id: UUID, changing: dict[UUID, catalogue.Changing]) -> None:
    """Leaves an entry for each record that is being held or released, with the digests of its rows."""
    told = digests(tx.connection, changing, RECORD_TABLES)
    for record_id, change in changing.items():
        tx.witness(event, "record", record_id, context_id=hold_id, revision=change.revision, digests=told[record_id])


def _next_number(tx: Transaction, now: datetime) -> str:
    year = _day_of(tx, now).year
    number = tx.connection.execute(
        insert(matter_counters)
        .values(year=year, last_number=1)
        .on_conflict_do_update(
            constraint=matter_counters.primary_key, set_={"last_number": matter_counters.c.last_number + 1}
        )
        .returning(matter_counters.c.last_number)
    ).scalar_one()
    return f"M-{year}-{number:04d}"


def _day_of(tx: Transaction, now: datetime) -> date:
    return now.astimezone(ZoneInfo(organisation(tx.connection).time_zone)).date()


def row_digest(tx: Transaction, table: Table, row_id: UUID, salt: bytes) -> str:
    """The digest of a matter's or a hold's row, with the matter's salt, as its ledger entries have it."""
    rows = tx.connection.execute(select(table).where(table.c.id == row_id)).mappings()
    return rows_digest(table.name, salt, [dict(row) for row in rows])
