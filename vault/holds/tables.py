"""The tables of holds. What may become of their rows is refused by triggers: see `ddl`."""

from __future__ import annotations

from sqlalchemy import (
    CheckConstraint,
    Column,
    Date,
    DateTime,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
)

from vault.foundation.db.metadata import metadata
from vault.holds.model import Authority

# The texts may name people: they stay here, and the ledger gets digests with the matter's salt (invariant L3).
matters = Table(
    "matters",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("number", Text, nullable=False, unique=True),
    Column("authority", Text, nullable=False),
    Column("authority_name", Text, nullable=False),
    Column("document_number", Text, nullable=False),
    Column("basis", Text, nullable=False),
    Column("title", Text, nullable=False),
    Column("salt", LargeBinary, nullable=False),
    Column("client_key", Text, nullable=False),
    Column("sent_digest", LargeBinary, nullable=False),  # of what was sent under the key
    Column("opened_by_kind", Text, nullable=False),
    Column("opened_by", Uuid, nullable=False),
    Column("opened_at", DateTime(timezone=True), nullable=False),
    Column("closed_by", Uuid),
    Column("closed_at", DateTime(timezone=True)),
    UniqueConstraint("opened_by", "client_key"),
    CheckConstraint("length(client_key) BETWEEN 8 AND 200", name="client_key_length"),
    CheckConstraint("octet_length(sent_digest) = 32", name="sent_digest_has_32_bytes"),
    CheckConstraint("number ~ '^M-[0-9]{4}-[0-9]{4,}$'", name="number_form"),
    CheckConstraint(f"authority IN ({', '.join(repr(one.value) for one in Authority)})", name="authority_known"),
    CheckConstraint("length(authority_name) BETWEEN 1 AND 200", name="authority_name_length"),
    # A suit that the house itself expects has no document yet; whoever asks from outside shows one (C5.3).
    CheckConstraint(
        "length(document_number) <= 100 AND (authority = 'house' OR document_number <> '')",
        name="document_number_given",
    ),
    CheckConstraint("length(basis) BETWEEN 1 AND 500", name="basis_length"),
    CheckConstraint("length(title) BETWEEN 1 AND 200", name="title_length"),
    CheckConstraint("octet_length(salt) = 16", name="salt_has_16_bytes"),
    CheckConstraint("num_nulls(closed_by, closed_at) IN (0, 2)", name="closed_by_somebody"),
)

matter_counters = Table(
    "matter_counters",
    metadata,
    Column("year", SmallInteger, primary_key=True),
    Column("last_number", Integer, nullable=False),
)

holds = Table(
    "holds",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("matter_id", Uuid, ForeignKey("matters.id"), nullable=False),
    Column("number", Integer, nullable=False),
    Column("reason", Text, nullable=False),
    Column("review_date", Date),
    Column("client_key", Text, nullable=False),
    Column("sent_digest", LargeBinary, nullable=False),  # of what was sent under the key
    Column("placed_by_kind", Text, nullable=False),
    Column("placed_by", Uuid, nullable=False),
    Column("placed_at", DateTime(timezone=True), nullable=False),
    # The newest proposal to release it. With its approval it is released, and nothing of it changes any more.
    Column("release_proposal_id", Uuid, ForeignKey("proposals.id")),
    Column("release_reason", Text),
    Column("released_at", DateTime(timezone=True)),
    UniqueConstraint("matter_id", "number"),
    UniqueConstraint("placed_by", "client_key"),
    CheckConstraint("length(client_key) BETWEEN 8 AND 200", name="client_key_length"),
    CheckConstraint("octet_length(sent_digest) = 32", name="sent_digest_has_32_bytes"),
    CheckConstraint("number > 0", name="number_positive"),
    CheckConstraint("length(reason) BETWEEN 4 AND 500", name="reason_length"),
    CheckConstraint("num_nulls(release_proposal_id, release_reason) IN (0, 2)", name="release_says_why"),
    CheckConstraint("length(release_reason) BETWEEN 4 AND 500", name="release_reason_length"),
)
Index("holds_review_date_idx", holds.c.review_date, postgresql_where=holds.c.released_at.is_(None))

# A record is held while one of its rows is not released: this is the one fact that counts (invariant H1).
# `stands_at`: since when the legal hold stands on every copy of it, as was read back from the stores.
held_records = Table(
    "held_records",
    metadata,
    Column("hold_id", Uuid, ForeignKey("holds.id"), nullable=False),
    Column("record_id", Uuid, ForeignKey("records.id"), nullable=False),
    Column("held_at", DateTime(timezone=True), nullable=False),
    Column("stands_at", DateTime(timezone=True)),
    Column("released_at", DateTime(timezone=True)),
    PrimaryKeyConstraint("hold_id", "record_id"),
)
Index("held_records_record_id_idx", held_records.c.record_id)
Index("held_records_in_force_idx", held_records.c.record_id, postgresql_where=held_records.c.released_at.is_(None))

# Records whose legal hold in the stores is to follow what the rows above say. A worker has the row while it is at work.
hold_tasks = Table(
    "hold_tasks",
    metadata,
    Column("record_id", Uuid, ForeignKey("records.id"), primary_key=True),
    Column("asked_at", DateTime(timezone=True), nullable=False),
    Column("not_before", DateTime(timezone=True), nullable=False),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("problem", Text),
)
Index("hold_tasks_not_before_idx", hold_tasks.c.not_before, hold_tasks.c.record_id)

# What the ledger witnesses of each record by a salted digest, table by table (see `vault.catalogue.witnessing`).
RECORD_TABLES = (held_records,)
