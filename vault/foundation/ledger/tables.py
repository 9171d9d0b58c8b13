"""The tables of the ledger. Entries, leaves, checkpoints, publications and time stamps are only ever inserted."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Column,
    DateTime,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    SmallInteger,
    Table,
    Text,
    Uuid,
    text,
)
from sqlalchemy.types import UserDefinedType

from vault.foundation.db.metadata import metadata


class Xid8(UserDefinedType[int]):
    """PostgreSQL's 64-bit transaction id."""

    cache_ok = True

    def get_col_spec(self, **_: object) -> str:
        """The SQL name of the type."""
        return "xid8"


ledger_entries = Table(
    "ledger_entries",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("at", DateTime(timezone=True), nullable=False),
    Column("event", Text, nullable=False),
    Column("actor_kind", Text, nullable=False),
    Column("actor_id", Uuid),
    Column("subject_type", Text, nullable=False),
    Column("subject_id", Uuid, nullable=False),
    Column("context_id", Uuid),
    Column("body", LargeBinary, nullable=False),
    Column("mark", LargeBinary, nullable=False),  # that the service wrote it: not part of what is exported
    Column("xact", Xid8, nullable=False, server_default=text("pg_current_xact_id()")),
)
Index("ledger_entries_subject_id_id_idx", ledger_entries.c.subject_id, ledger_entries.c.id)
Index(
    "ledger_entries_context_id_id_idx",
    ledger_entries.c.context_id,
    ledger_entries.c.id,
    postgresql_where=ledger_entries.c.context_id.isnot(None),
)
Index("ledger_entries_event_id_idx", ledger_entries.c.event, ledger_entries.c.id)
# Stations and the system write most entries, and nobody asks for all of theirs: only rarer actors are indexed.
Index(
    "ledger_entries_actor_kind_id_idx",
    ledger_entries.c.actor_kind,
    ledger_entries.c.id,
    postgresql_where=ledger_entries.c.actor_kind.in_(["person", "operator"]),
)
Index(
    "ledger_entries_actor_id_id_idx",
    ledger_entries.c.actor_id,
    ledger_entries.c.id,
    postgresql_where=ledger_entries.c.actor_id.isnot(None),
)
Index("ledger_entries_xact_idx", ledger_entries.c.xact)

# Committed entries that have no index yet; filled by a trigger, emptied by the sequencer.
ledger_pending = Table("ledger_pending", metadata, Column("entry_id", Uuid, primary_key=True))

ledger_leaves = Table(
    "ledger_leaves",
    metadata,
    Column("leaf_index", BigInteger, primary_key=True, autoincrement=False),
    Column("entry_id", Uuid, ForeignKey("ledger_entries.id"), nullable=False, unique=True),
    Column("leaf_hash", LargeBinary, nullable=False),
)

ledger_tiles = Table(
    "ledger_tiles",
    metadata,
    Column("level", SmallInteger, nullable=False),
    Column("tile_index", BigInteger, nullable=False),
    Column("width", Integer, nullable=False),
    Column("hashes", LargeBinary, nullable=False),
    PrimaryKeyConstraint("level", "tile_index"),
)

ledger_checkpoints = Table(
    "ledger_checkpoints",
    metadata,
    Column("size", BigInteger, primary_key=True, autoincrement=False),
    Column("root", LargeBinary, nullable=False),
    Column("note", Text, nullable=False),
    Column("at", DateTime(timezone=True), nullable=False),
)

ledger_publications = Table(
    "ledger_publications",
    metadata,
    Column("size", BigInteger, nullable=False),
    Column("store", Text, nullable=False),
    Column("at", DateTime(timezone=True), nullable=False),
    PrimaryKeyConstraint("size", "store"),
)

ledger_timestamps = Table(
    "ledger_timestamps",
    metadata,
    Column("size", BigInteger, nullable=False),
    Column("authority", Text, nullable=False),
    Column("token", LargeBinary, nullable=False),
    Column("at", DateTime(timezone=True), nullable=False),
    PrimaryKeyConstraint("size", "authority"),
)
