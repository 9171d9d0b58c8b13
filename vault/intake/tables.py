"""The tables of intake."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    DateTime,
    ForeignKey,
    Identity,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    or_,
)
from sqlalchemy.dialects.postgresql import JSONB

from vault.foundation.db.metadata import metadata

batches = Table(
    "batches",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("name", Text, nullable=False),
    Column("unit_id", Uuid, ForeignKey("units.id"), nullable=False),
    Column("opened_by", Uuid, nullable=False),
    Column("sheets_announced", Integer),
    Column("state", Text, nullable=False),
    Column("opened_at", DateTime(timezone=True), nullable=False),
    Column("closed_at", DateTime(timezone=True)),
    CheckConstraint("state IN ('open', 'balanced', 'unbalanced')", name="state_known"),
    CheckConstraint("sheets_announced IS NULL OR sheets_announced >= 0", name="sheets_not_negative"),
    CheckConstraint("(state = 'open') = (closed_at IS NULL)", name="closed_when_not_open"),
)
Index("batches_unit_id_id_idx", batches.c.unit_id, batches.c.id)
Index("batches_opened_by_id_idx", batches.c.opened_by, batches.c.id)
# A sender that names the same open batch again means the same batch.
Index(
    "batches_open_name_key",
    batches.c.opened_by,
    batches.c.unit_id,
    batches.c.name,
    unique=True,
    postgresql_where=batches.c.state == "open",
)

CLIENT_KEY_CONSTRAINT = "intake_items_sender_id_client_key_key"

intake_items = Table(
    "intake_items",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("sender_id", Uuid, nullable=False),
    Column("client_key", Text, nullable=False),
    Column("unit_id", Uuid, ForeignKey("units.id"), nullable=False),
    Column("batch_id", Uuid, ForeignKey("batches.id")),
    Column("class_code", Text, nullable=False),
    Column("file_name", Text),
    Column("size_bytes", BigInteger, nullable=False),
    Column("sha256", LargeBinary, nullable=False),
    Column("media_type", Text),
    Column("status", Text, nullable=False),
    Column("findings", JSONB(none_as_null=True)),
    Column("record_id", Uuid, nullable=False),  # planned with the intent; catalogued when accepted
    Column("duplicate_of", Uuid),
    Column("received_at", DateTime(timezone=True), nullable=False),
    Column("settled_at", DateTime(timezone=True)),
    # Settled by reconciliation, because the sender never came back; cleared when it does come back.
    Column("abandoned_at", DateTime(timezone=True)),
    # What was done about a refused item; until then it waits in quarantine.
    Column("handled_at", DateTime(timezone=True)),
    Column("handled_by", Uuid),
    Column("handling", Text),
    Column("handling_note", Text),
    UniqueConstraint("sender_id", "client_key", name=CLIENT_KEY_CONSTRAINT),
    CheckConstraint("status IN ('intent', 'accepted', 'duplicate', 'refused')", name="status_known"),
    CheckConstraint("(status = 'intent') = (settled_at IS NULL)", name="settled_when_not_intent"),
    CheckConstraint("abandoned_at IS NULL OR status = 'refused'", name="abandoned_is_refused"),
    CheckConstraint("handled_at IS NULL OR status = 'refused'", name="handled_when_refused"),
    CheckConstraint(
        "num_nulls(handled_at, handled_by, handling) IN (0, 3) AND (handling_note IS NULL OR handling IS NOT NULL)",
        name="handled_somehow",
    ),
    CheckConstraint("handling IN ('scanned_again', 'returned', 'not_kept', 'other')", name="handling_known"),
    CheckConstraint("handling <> 'other' OR handling_note IS NOT NULL", name="other_handling_is_said"),
    CheckConstraint("octet_length(sha256) = 32", name="digest_has_32_bytes"),
    CheckConstraint("length(client_key) BETWEEN 8 AND 200", name="client_key_length"),
)
# Whoever sends these bytes under this key goes on with the item: begun, or given up and not yet come back to.
IS_UNFINISHED = or_(intake_items.c.status == "intent", intake_items.c.abandoned_at.is_not(None))
Index("intake_items_batch_id_id_idx", intake_items.c.batch_id, intake_items.c.id)
Index(
    "intake_items_refused_idx",
    intake_items.c.unit_id,
    intake_items.c.id,
    postgresql_where=intake_items.c.status == "refused",
)
Index("intake_items_intent_idx", intake_items.c.received_at, postgresql_where=intake_items.c.status == "intent")
# Who sent what became this record: asked by the record's page.
Index("intake_items_record_id_idx", intake_items.c.record_id)
Index("intake_items_received_at_idx", intake_items.c.received_at)

# Records whose access copy, pages and thumbnails are still to be made. Workers claim rows with SKIP LOCKED.
rendition_tasks = Table(
    "rendition_tasks",
    metadata,
    Column("record_id", Uuid, ForeignKey("records.id"), primary_key=True),
    Column("state", Text, nullable=False, server_default="waiting"),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("claimed_at", DateTime(timezone=True)),
    Column("problem", Text),
    CheckConstraint("state IN ('waiting', 'failed')", name="state_known"),
)
Index(
    "rendition_tasks_waiting_idx",
    rendition_tasks.c.record_id,
    postgresql_where=rendition_tasks.c.state == "waiting",
)
Index("rendition_tasks_failed_idx", rendition_tasks.c.record_id, postgresql_where=rendition_tasks.c.state == "failed")

store_probes = Table(
    "store_probes",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("number", BigInteger, Identity(always=True), nullable=False),  # by which the newest is known: clocks jump
    Column("store", Text, nullable=False),
    Column("at", DateTime(timezone=True), nullable=False),
    Column("lies", JSONB, nullable=False),
    Column("checks", JSONB, nullable=False),
)
Index("store_probes_store_number_idx", store_probes.c.store, store_probes.c.number)
