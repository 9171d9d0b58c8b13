"""The verbs of intake. `receive` is how one upload travels; its steps are numbered for the fault tests.

1. the body is spooled and hashed (done by the surface); 2. an earlier answer to the same client key is given
again; 3. the bytes are examined; 4. the law gives class, trigger and lock; 5. transaction 1 notes the intent
with its record key; 6. the bytes are sealed; 7. the store takes them under lock and 8. they are read back;
9. transaction 2 catalogues the record, settles the item and queues the renditions; 10. the receipt is returned.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import psycopg
from sqlalchemy import bindparam, select
from sqlalchemy.exc import IntegrityError

from retention_rules.locks import intake_lock_until
from vault.access.model import Viewer
from vault.access.rights import Right
from vault.catalogue import service as catalogue
from vault.catalogue.describe import checked_description, require_done, with_slip_number
from vault.catalogue.errors import SameContentExists
from vault.catalogue.model import ComponentKind, NewRecord, StoredComponent
from vault.foundation.context import Context
from vault.foundation.db.transaction import Detail, Transaction
from vault.foundation.errors import NotFoundOrNotYours
from vault.foundation.ids import derived_id, new_id
from vault.foundation.keys.keyring import RecordKey
from vault.foundation.storage.interface import Lock, LockMode
from vault.intake import arrivals, queries
from vault.intake.checks import CheckPolicy, Examination, Severity
from vault.intake.decoding.isolated import examine
from vault.intake.errors import BatchClosed, ClientKeyReused, UploadBusy
from vault.intake.model import BatchState, Event, ItemStatus, Receipt, Refusal, Upload
from vault.intake.sealing import sealed_content
from vault.intake.surroundings import surroundings
from vault.intake.tables import CLIENT_KEY_CONSTRAINT, IS_UNFINISHED, batches, intake_items, rendition_tasks
from vault.retention.due_dates import ARRIVED_LONG_AGO, due_at_intake, settle
from vault.retention.filing import file_by_rule


def receive(ctx: Context, viewer: Viewer, upload: Upload) -> Receipt:
    """Takes in one file; when the receipt says accepted, it is catalogued, verified and locked.

    Refusals for what the file is are receipts with findings, not errors: they are kept on the quarantine list.
    Leaves `intake:item:intend` and `catalogue:record:register`, or `intake:item:refuse`, or
    `intake:item:duplicate`.

    Raises:
        NotAllowed: the sender lacks `intake:item:send`.
        ClientKeyReused: the key belongs to other bytes.
        StoreNotTrusted: the last probe of the store found lies, or none was made.
        UnknownClass, BadFieldValue, BatchClosed, NotFoundOrNotYours: the description cannot be right.
        StoreLied, StoreUnavailable: the store failed; a retry with the same key goes on where this ended.
    """
    viewer.require(Right.INTAKE_ITEM_SEND)
    arrival = _Arrival(ctx, viewer, upload)
    earlier = arrival.earlier_answer()
    if earlier is not None:
        return earlier
    examination = examine(
        upload.content, upload.size_bytes, CheckPolicy(keep_unopened=arrival.keeps_unopened), upload.file_name
    )
    findings = tuple(
        Refusal(f.code, f.severity.value, f.page, {k: str(v) for k, v in f.facts.items()})
        for f in examination.findings
    )
    if any(finding.severity == Severity.REFUSE for finding in findings):
        return arrival.refuse(examination.media_type, findings)
    return arrival.accept(examination, findings)


@dataclass(frozen=True)
class _Intent:
    """What transaction 1 noted: the item, and the key of the record that it plans."""

    item_id: UUID
    record_key: RecordKey
    is_fresh: bool  # nobody can have stored anything under it yet


class _Arrival:
    """One upload on its way: what was looked up once for all the steps."""

    def __init__(self, ctx: Context, viewer: Viewer, upload: Upload) -> None:
        self.ctx = ctx
        self.viewer = viewer
        self.upload = upload
        self.received_at = ctx.clock.now()
        self.description = checked_description(upload.description)
        around = surroundings(ctx, viewer, upload.class_code, upload.unit_id)
        self.retention_class, self.place, self.lawbook = around.retention_class, around.place, around.lawbook
        require_done(self.description.occurred_date, self.lawbook.day_of(self.received_at))
        self.files_after_days = around.files_after_days
        self.earlier, self.duplicate_of = self._known_before()
        self.keeps_unopened = self.retention_class.keep_unopened

    def _known_before(self) -> tuple[arrivals.EarlierItem | None, UUID | None]:
        """One question, outside any transaction: what it says is judged again by the constraints at each commit."""
        upload = self.upload
        with self.ctx.database.autocommit() as connection:
            earlier, duplicate_of = arrivals.known_before(
                connection, self.viewer.id, upload.client_key, self.place.unit_id, upload.sha256
            )
        if earlier is not None and earlier.sha256 != upload.sha256:
            raise ClientKeyReused
        if earlier is not None and earlier.is_unfinished:
            # It goes on where it was begun: its key hangs on that class and year, its batch counts it.
            if earlier.belongs_to != (upload.class_code, self.place.unit_id, upload.batch_id):
                raise ClientKeyReused
            self.received_at = earlier.received_at
        return earlier, duplicate_of

    def earlier_answer(self) -> Receipt | None:
        """Step 2: a settled item answers as it did; the same bytes under another key are a duplicate."""
        if self.earlier is not None:
            return None if self.earlier.is_unfinished else self._repeat(self.earlier.id)
        if self.duplicate_of is None:
            return None
        return self._settle_new(
            ItemStatus.DUPLICATE,
            Event.ITEM_DUPLICATE,
            {"duplicate_of": self.duplicate_of},
            {"duplicate_of": str(self.duplicate_of)},
        )

    def refuse(self, media_type: str | None, findings: tuple[Refusal, ...]) -> Receipt:
        """Step 3, ending here: the item goes on the quarantine list with its reasons; its bytes are not kept."""
        codes: list[Detail] = [*sorted({finding.code for finding in findings})]
        told = [queries.finding_json(finding) for finding in findings]
        if self.earlier is None:
            more = {"media_type": media_type, "findings": told}
            return self._settle_new(ItemStatus.REFUSED, Event.ITEM_REFUSED, more, {"reasons": codes})
        # Begun before by a program that saw nothing wrong with it: what is seen now counts.
        with self.ctx.database.transaction(self.viewer.actor) as tx:
            if _settle(tx, self.earlier.id, ItemStatus.REFUSED):
                tx.connection.execute(
                    intake_items.update().where(intake_items.c.id == self.earlier.id).values(findings=told)
                )
                tx.witness(
                    Event.ITEM_REFUSED, "item", self.earlier.id, context_id=self.upload.batch_id, reasons=codes
                )
                tx.commit()
        return self._repeat(self.earlier.id, is_repeated=False)

    def _settle_new(
        self, status: ItemStatus, event: Event, more: dict[str, Any], details: dict[str, Detail]
    ) -> Receipt:
        """Notes an item that is settled as it comes; of two at once under one key the second repeats the first."""
        row = self._item_row(status) | more
        try:
            with self.ctx.database.transaction(self.viewer.actor) as tx:
                self._require_open_batch(tx)
                tx.witness(
                    event,
                    "item",
                    row["id"],
                    context_id=self.upload.batch_id,
                    along_with={intake_items: [row]},
                    **details,
                )
                tx.commit()
        except IntegrityError as error:
            raced = self._raced(error)
            if raced.is_unfinished:
                raise UploadBusy(retry_after_s=2) from None  # its own request says what comes of it
            return self._repeat(raced.id)
        return self._repeat(row["id"], is_repeated=False)

    def accept(self, examination: Examination, findings: tuple[Refusal, ...]) -> Receipt:
        """Steps 4 to 10."""
        lock_until = intake_lock_until(self.received_at, self.retention_class.lock)
        intent = self._intend(examination.media_type, findings)
        if isinstance(intent, Receipt):
            return intent
        original = self._store(intent, examination.media_type, lock_until)
        description = with_slip_number(self.description, examination.slip_number)
        new = NewRecord(
            id=intent.record_key.record_id,
            fonds_code=self.place.fonds_code,
            retention_class=self.retention_class,
            unit_id=self.place.unit_id,
            unit_code=self.place.unit_code,
            description=description,
            due=due_at_intake(self.lawbook, self.retention_class.code, description, self.received_at),
            lock_until=lock_until,
            received_at=self.received_at,
            year=(description.occurred_date or self.lawbook.day_of(self.received_at)).year,
            page_count=examination.page_count,
            original=original,
            batch_id=self.upload.batch_id,
        )
        return self._register(intent, new, findings)

    def _intend(self, media_type: str, findings: tuple[Refusal, ...]) -> _Intent | Receipt:
        """Step 5, transaction 1. A second attempt finds the first one's record key and goes on with it, or its receipt
        when another request under the same key has settled it meanwhile.
        """
        if self.earlier is None:
            row = self._item_row(ItemStatus.INTENT) | {
                "media_type": media_type,
                "findings": [queries.finding_json(finding) for finding in findings] or None,
            }
            try:
                return _Intent(row["id"], self._note_intent(row), is_fresh=True)
            except IntegrityError as error:
                self.earlier = self._raced(error)
                if not self.earlier.is_unfinished:
                    return self._repeat(self.earlier.id)
        with self.ctx.database.read() as connection:
            record_key = self.ctx.keyring.record_key(connection, self.earlier.record_id)
        return _Intent(self.earlier.id, record_key, is_fresh=False)

    def _note_intent(self, row: dict[str, Any]) -> RecordKey:
        record_id: UUID = row["record_id"]
        with self.ctx.database.transaction(self.viewer.actor) as tx:
            self._require_open_batch(tx)
            period = str(self.received_at.year)
            record_key = self.ctx.keyring.new_record_key(tx, record_id, self.upload.class_code, period)
            tx.witness(
                Event.ITEM_INTENDED,
                "item",
                row["id"],
                context_id=self.upload.batch_id,
                along_with={intake_items: [row]},
                record_id=str(record_id),
                size_bytes=self.upload.size_bytes,
            )
            tx.commit()
        return record_key

    def _store(self, intent: _Intent, media_type: str, lock_until: datetime) -> StoredComponent:
        """Steps 6 to 8. The same bytes seal to the same object, so a second attempt meets the first one's."""
        record_key, record_id = intent.record_key, intent.record_key.record_id
        component_id = derived_id(record_id, "original/0")
        lock = Lock(LockMode.GOVERNANCE, lock_until)
        with sealed_content(
            record_key,
            component_id,
            self.upload.content,
            self.upload.size_bytes,
            self.upload.sha256,
            self.ctx.spool_directory,
            self.upload.tag,
        ) as content:
            info = self.ctx.store.put_new(
                object_key(record_id, component_id, content.sha256), content, lock, is_fresh=intent.is_fresh
            )
        return StoredComponent(
            id=component_id,
            kind=ComponentKind.ORIGINAL,
            ordinal=0,
            media_type=media_type,
            size_bytes=self.upload.size_bytes,
            sha256=self.upload.sha256,
            sealed_size_bytes=content.size_bytes,
            sealed_sha256=content.sha256,
            store=self.ctx.store.name,
            object_key=info.key,
            version_id=info.version_id,
            lock_mode=info.lock.mode,
            lock_until=info.lock.until or lock_until,
        )

    def _register(self, intent: _Intent, new: NewRecord, findings: tuple[Refusal, ...]) -> Receipt:
        """Step 9, transaction 2, and 10. Of two attempts at the same item the second finds it settled."""
        tasks = [{"record_id": new.id}] if new.original.media_type in RENDERED_TYPES else []
        try:
            with self.ctx.database.transaction(self.viewer.actor) as tx:
                if not _settle(tx, intent.item_id, ItemStatus.ACCEPTED):
                    return self._repeat(intent.item_id)
                registered = catalogue.register(
                    tx, self.ctx.keyring, intent.record_key, new, {rendition_tasks: tasks}
                )
                if self._has_taken_long():
                    settle(tx, [new.id])
                if self.files_after_days is not None and not findings:
                    file_by_rule(tx, new.id, self.files_after_days)
                tx.commit()
        except SameContentExists:
            return self._settle_as_duplicate(intent.item_id)
        return Receipt(
            item_id=intent.item_id,
            status=ItemStatus.ACCEPTED,
            record_id=new.id,
            archival_number=registered.archival_number,
            findings=findings,
            ledger_entry_id=registered.entry.id,
            ledger_leaf_hash=registered.entry.leaf_hash.hex(),
            is_repeated=False,
        )

    def _has_taken_long(self) -> bool:
        """Whether the law may have changed since its arrival: a sweep begins some time after a change, by when every
        upload is over or one of these.
        """
        now = self.ctx.clock.now()
        return now - self.received_at > ARRIVED_LONG_AGO or self.lawbook.day_of(now) != self.lawbook.day_of(
            self.received_at
        )

    def _settle_as_duplicate(self, item_id: UUID) -> Receipt:
        """Two requests raced with the same bytes under two keys: the later one is a duplicate."""
        with self.ctx.database.transaction(self.viewer.actor) as tx:
            first = arrivals.record_with_content(tx.connection, self.place.unit_id, self.upload.sha256)
            if _settle(tx, item_id, ItemStatus.DUPLICATE, duplicate_of=first):
                tx.witness(
                    Event.ITEM_DUPLICATE,
                    "item",
                    item_id,
                    context_id=self.upload.batch_id,
                    duplicate_of=str(first),
                )
                tx.commit()
        return self._repeat(item_id, is_repeated=False)

    def _item_row(self, status: ItemStatus) -> dict[str, Any]:
        upload = self.upload
        return {
            "id": new_id(),
            "sender_id": self.viewer.id,
            "client_key": upload.client_key,
            "unit_id": self.place.unit_id,
            "batch_id": upload.batch_id,
            "class_code": upload.class_code,
            "file_name": upload.file_name,
            "size_bytes": upload.size_bytes,
            "sha256": upload.sha256,
            "status": status.value,
            "record_id": new_id(),
            "received_at": self.received_at,
            "settled_at": None if status is ItemStatus.INTENT else self.ctx.clock.now(),
        }

    def _raced(self, error: IntegrityError) -> arrivals.EarlierItem:
        """The item of another request under the same key, which came first while this one was under way."""
        if not isinstance(error.orig, psycopg.Error) or error.orig.diag.constraint_name != CLIENT_KEY_CONSTRAINT:
            raise error
        earlier, _ = self._known_before()
        if earlier is None:
            raise error
        return earlier

    def _require_open_batch(self, tx: Transaction) -> None:
        """A share lock: the batch cannot be closed between this look and the item's commit."""
        if self.upload.batch_id is None:
            return
        row = tx.connection.execute(
            select(batches.c.state, batches.c.unit_id)
            .where(batches.c.id == self.upload.batch_id)
            .with_for_update(read=True)
        ).one_or_none()
        if row is None or not self.viewer.may_see_unit(row.unit_id):
            raise NotFoundOrNotYours
        if row.state != BatchState.OPEN:
            raise BatchClosed

    def _repeat(self, item_id: UUID, *, is_repeated: bool = True) -> Receipt:
        with self.ctx.database.read() as connection:
            return queries.receipt_of(connection, self.viewer, item_id, is_repeated=is_repeated)


RENDERED_TYPES = frozenset({"image/tiff", "image/jpeg", "image/png", "image/jp2", "application/pdf"})


def object_key(record_id: UUID, component_id: UUID, sealed_sha256: bytes) -> str:
    """The name of a component's object: what it belongs to and the digest of its sealed bytes."""
    return f"records/{record_id}/{component_id}/{sealed_sha256.hex()}"


_SETTLE = (
    intake_items.update()
    .where(intake_items.c.id == bindparam("item_id"), IS_UNFINISHED)
    .values(
        status=bindparam("new_status"),
        settled_at=bindparam("at"),
        duplicate_of=bindparam("first_id"),
        abandoned_at=None,
        handled_at=None,
        handled_by=None,
        handling=None,
        handling_note=None,
    )
)


def _settle(tx: Transaction, item_id: UUID, status: ItemStatus, *, duplicate_of: UUID | None = None) -> bool:
    """Settles an unfinished item and holds its row to the end of the transaction; false when it is settled already.

    One that reconciliation gave up is unfinished too: its sender has come back after all.
    """
    values = {"item_id": item_id, "new_status": status.value, "at": tx.clock.now(), "first_id": duplicate_of}
    return bool(tx.connection.execute(_SETTLE, values).rowcount)
