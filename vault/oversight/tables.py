"""The tables of oversight."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
    Index,
    Integer,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
)
from sqlalchemy.dialects.postgresql import JSONB

from vault.foundation.db.metadata import metadata

# The newest verification of a record by itself, or the one in which a verification of everything found something.
# A record may be gone: its verification says so, and therefore refers to no row.
record_verifications = Table(
    "record_verifications",
    metadata,
    Column("record_id", Uuid, primary_key=True),
    Column("at", DateTime(timezone=True), nullable=False),
    Column("actor_kind", Text, nullable=False),
    Column("actor_id", Uuid),
    Column("run_id", Uuid),  # the verification of everything that found it
    Column("revision", Integer),  # the record's, when it was verified by itself
    Column("is_clean", Boolean, nullable=False),
    Column("checks", JSONB, nullable=False),
    Column("findings", JSONB, nullable=False),
    CheckConstraint("(run_id IS NULL) <> (revision IS NULL)", name="one_kind_of_verification"),
    CheckConstraint("run_id IS NULL OR NOT is_clean", name="clean_runs_are_not_kept_by_record"),
)
Index("record_verifications_found_idx", record_verifications.c.at, postgresql_where=~record_verifications.c.is_clean)

# Versions in a store that no catalogue row names. They stay where they are; what is known of them is when they may go.
leftovers = Table(
    "leftovers",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("store", Text, nullable=False),
    Column("object_key", Text, nullable=False),
    Column("version_id", Text, nullable=False),
    Column("size_bytes", BigInteger, nullable=False),
    Column("cause", Text, nullable=False),
    Column("record_id", Uuid),  # the record whose name the object bears; maybe planned only
    Column("stored_at", DateTime(timezone=True), nullable=False),
    Column("removable_from", DateTime(timezone=True)),  # none while the store holds it without a date
    Column("found_at", DateTime(timezone=True), nullable=False),
    Column("resolved_at", DateTime(timezone=True)),
    Column("resolution", Text),
    UniqueConstraint("store", "object_key", "version_id"),
    CheckConstraint("cause IN ('abandoned-upload', 'superseded', 'foreign')", name="cause_known"),
    CheckConstraint("resolution IN ('taken-up', 'gone')", name="resolution_known"),
    CheckConstraint("(resolved_at IS NULL) = (resolution IS NULL)", name="resolved_one_way"),
)
Index("leftovers_open_idx", leftovers.c.id, postgresql_where=leftovers.c.resolved_at.is_(None))
