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
from vault.oversight.drift import DriftKind

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

# Where what stands in a store is not what the catalogue says. `repair` is what was to be set, `problem` why it could not be.
# Each is open until reconciliation finds the version in order; what drifts again is a row of its own.
drifts = Table(
    "drifts",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("store", Text, nullable=False),
    Column("object_key", Text(collation="C"), nullable=False),  # in the order in which stores list them
    Column("version_id", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("record_id", Uuid, nullable=False),
    Column("component_id", Uuid, nullable=False),
    Column("found", Text, nullable=False),
    Column("expected", Text, nullable=False),
    Column("repair", Text),
    Column("problem", Text),
    Column("found_at", DateTime(timezone=True), nullable=False),
    Column("resolved_at", DateTime(timezone=True)),
    Column("resolution", Text),
    CheckConstraint(f"kind IN ({', '.join(repr(kind.value) for kind in DriftKind)})", name="kind_known"),
    CheckConstraint("resolution IN ('repaired', 'in-order')", name="resolution_known"),
    CheckConstraint("(resolved_at IS NULL) = (resolution IS NULL)", name="resolved_one_way"),
    CheckConstraint("resolution <> 'repaired' OR repair IS NOT NULL", name="repaired_by_something"),
)
Index(
    "drifts_open_key",
    drifts.c.store,
    drifts.c.object_key,
    drifts.c.version_id,
    drifts.c.kind,
    unique=True,
    postgresql_where=drifts.c.resolved_at.is_(None),
)
Index("drifts_record_idx", drifts.c.record_id)

# How far the comparison of a store with the catalogue has come: whoever begins again goes on behind the key. It moves
# nobody's rights or records, and is of no worth once the comparison is finished.
comparisons = Table(
    "comparisons",
    metadata,
    Column("store", Text, primary_key=True),
    Column("begun_at", DateTime(timezone=True), nullable=False),
    Column("through_key", Text, nullable=False),
    Column("versions", BigInteger, nullable=False),
    Column("finished_at", DateTime(timezone=True)),
)
