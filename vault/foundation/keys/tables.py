"""The tables of the keyring. Nothing in them opens a record without the custodian."""

from __future__ import annotations

from sqlalchemy import (
    CheckConstraint,
    Column,
    DateTime,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
    Uuid,
)

from vault.foundation.db.metadata import metadata

key_epochs = Table(
    "key_epochs",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("custodian", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("created_at", DateTime(timezone=True), nullable=False),
    Column("destroyed_at", DateTime(timezone=True)),
    CheckConstraint("state IN ('active', 'retired', 'destroyed')", name="state_known"),
    CheckConstraint("(state = 'destroyed') = (destroyed_at IS NOT NULL)", name="destroyed_at_when_destroyed"),
)
Index("key_epochs_one_active_key", key_epochs.c.state, unique=True, postgresql_where=key_epochs.c.state == "active")

key_groups = Table(
    "key_groups",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("class_code", Text, nullable=False),
    Column("period", Text, nullable=False),
    Column("generation", Integer, nullable=False),
    Column("state", Text, nullable=False),
    Column("epoch", Integer, ForeignKey("key_epochs.number"), nullable=False),
    Column("wrapped", LargeBinary, nullable=False),
    CheckConstraint("state IN ('active', 'retired')", name="state_known"),
)
Index(
    "key_groups_one_active_key",
    key_groups.c.class_code,
    key_groups.c.period,
    unique=True,
    postgresql_where=key_groups.c.state == "active",
)

record_keys = Table(
    "record_keys",
    metadata,
    Column("record_id", Uuid, primary_key=True),
    Column("group_id", Uuid, ForeignKey("key_groups.id"), nullable=False),
    Column("wrapped", LargeBinary, nullable=False),
    CheckConstraint("octet_length(wrapped) = 40", name="wrapped_has_40_bytes"),
)
Index("record_keys_group_id_idx", record_keys.c.group_id)
