"""The table of oversight."""

from __future__ import annotations

from sqlalchemy import Boolean, CheckConstraint, Column, DateTime, Index, Integer, Table, Text, Uuid
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
