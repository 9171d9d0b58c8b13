"""The tables of the catalogue."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
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
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from vault.foundation.db.metadata import metadata

fonds = Table(
    "fonds",
    metadata,
    Column("code", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("created_at", DateTime(timezone=True), nullable=False),
    CheckConstraint("code ~ '^[0-9A-Z]{4}$'", name="code_has_four_characters"),
)

# Every class there ever was. What a class says stands in the versions of the schedule.
retention_classes = Table(
    "retention_classes",
    metadata,
    Column("code", Text, primary_key=True),
    Column("created_at", DateTime(timezone=True), nullable=False),
    CheckConstraint("code ~ '^[A-Z0-9][A-Z0-9._-]{0,39}$'", name="code_form"),
)

records = Table(
    "records",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("fonds_code", Text, ForeignKey("fonds.code"), nullable=False),
    Column("category_code", Text, nullable=False),
    Column("year", SmallInteger, nullable=False),
    Column("class_code", Text, ForeignKey("retention_classes.code"), nullable=False),
    Column("unit_id", Uuid, ForeignKey("units.id"), nullable=False),
    Column("item_number", Integer, nullable=False),
    Column("archival_number", Text, nullable=False),
    Column("business_number", Text),
    Column("business_type", Text),
    Column("title", Text),
    Column("handler", Text),
    Column("customer_name", Text),
    Column("occurred_date", Date),
    Column("received_at", DateTime(timezone=True), nullable=False),
    Column("page_count", Integer, nullable=False),
    Column("attributes", JSONB, nullable=False, server_default=text("'{}'::jsonb")),
    Column("content_sha256", LargeBinary, nullable=False),
    Column("salt", LargeBinary, nullable=False),
    Column("batch_id", Uuid),
    CheckConstraint("item_number > 0", name="item_number_positive"),
    CheckConstraint("page_count >= 0", name="page_count_not_negative"),
    CheckConstraint("occurred_date >= '1900-01-01'", name="occurred_not_before_1900"),
    CheckConstraint("octet_length(salt) = 16", name="salt_has_16_bytes"),
    CheckConstraint("octet_length(content_sha256) = 32", name="content_digest_has_32_bytes"),
    UniqueConstraint("archival_number"),
    # The same bytes from the same unit are one record; another unit's copy is its own affair and stays unseen.
    UniqueConstraint("unit_id", "content_sha256", name="records_same_bytes_once_per_unit_key"),
)
Index("records_unit_id_id_idx", records.c.unit_id, records.c.id)
Index("records_class_code_id_idx", records.c.class_code, records.c.id)
# Two filters that seldom fit together would otherwise walk the whole list of one of them.
Index("records_class_code_business_type_id_idx", records.c.class_code, records.c.business_type, records.c.id)
Index("records_business_type_id_idx", records.c.business_type, records.c.id)
Index("records_occurred_date_id_idx", records.c.occurred_date, records.c.id)
Index("records_batch_id_idx", records.c.batch_id, postgresql_where=records.c.batch_id.isnot(None))
Index(
    "records_business_number_idx",
    records.c.business_number,
    postgresql_ops={"business_number": "text_pattern_ops"},
)
Index(
    "records_archival_number_pattern_idx",
    records.c.archival_number,
    postgresql_ops={"archival_number": "text_pattern_ops"},
)
Index(
    "records_customer_name_trgm_idx",
    records.c.customer_name,
    postgresql_using="gin",
    postgresql_ops={"customer_name": "gin_trgm_ops"},
)
# pg_trgm scans for terms of two characters, which in Chinese are the usual ones.
Index("records_customer_grams_idx", text("slipvault_grams(customer_name)"), _table=records, postgresql_using="gin")

# Narrow on purpose: a sweep that moves dates must not rewrite the wide rows and their trigram index.
# What the law says of a record (`what` to `schedule_number`) follows from its class, its events, its lock and the
# schedule; it is computed anew by retention, and verified by computing it, not by a witnessed digest. `what` is before
# holds: a hold is looked up when something shall happen to the record, and never remembered here. `next_date` is no
# later than the next day on which `what` may change by itself. `is_hard`: columns alone cannot tell, `decide` must.
record_states = Table(
    "record_states",
    metadata,
    Column("record_id", Uuid, ForeignKey("records.id"), primary_key=True),
    Column("revision", Integer, nullable=False),
    Column("status", Text, nullable=False),
    Column("lock_until", DateTime(timezone=True), nullable=False),
    Column("what", Text, nullable=False),
    Column("retain_until", Date),
    Column("delete_by", Date),
    Column("next_date", Date),
    Column("is_hard", Boolean, nullable=False),
    Column("schedule_number", Integer, nullable=False),
    CheckConstraint("revision > 0", name="revision_positive"),
    CheckConstraint("status IN ('received', 'filed')", name="status_known"),
    CheckConstraint(
        "what IN ('keep', 'permanent', 'restricted', 'escalate', 'review', 'destroy', 'transfer')", name="what_known"
    ),
    CheckConstraint(
        "what NOT IN ('review', 'destroy', 'transfer') OR retain_until IS NOT NULL", name="due_has_an_end"
    ),
)
Index("record_states_status_record_id_idx", record_states.c.status, record_states.c.record_id)
Index("record_states_retain_until_idx", record_states.c.retain_until)
Index(
    "record_states_filed_lock_until_idx",
    record_states.c.lock_until,
    postgresql_where=record_states.c.status == "filed",
)
Index("record_states_next_date_idx", record_states.c.next_date)
Index("record_states_what_retain_until_idx", record_states.c.what, record_states.c.retain_until)

components = Table(
    "components",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("record_id", Uuid, ForeignKey("records.id"), nullable=False),
    Column("kind", Text, nullable=False),
    Column("ordinal", Integer, nullable=False),
    Column("media_type", Text, nullable=False),
    Column("size_bytes", BigInteger, nullable=False),
    Column("sha256", LargeBinary, nullable=False),
    Column("sealed_size_bytes", BigInteger, nullable=False),
    Column("sealed_sha256", LargeBinary, nullable=False),
    Column("created_at", DateTime(timezone=True), nullable=False),
    UniqueConstraint("record_id", "kind", "ordinal"),
    CheckConstraint("kind IN ('original', 'access_copy', 'page', 'thumbnail')", name="kind_known"),
    CheckConstraint("octet_length(sha256) = 32 AND octet_length(sealed_sha256) = 32", name="digests_have_32_bytes"),
)

component_copies = Table(
    "component_copies",
    metadata,
    Column("component_id", Uuid, ForeignKey("components.id"), nullable=False),
    Column("store", Text, nullable=False),
    Column("object_key", Text(collation="C"), nullable=False),  # in the order in which stores list them
    Column("version_id", Text, nullable=False),
    Column("lock_mode", Text, nullable=False),
    Column("lock_until", DateTime(timezone=True), nullable=False),
    PrimaryKeyConstraint("component_id", "store"),
    UniqueConstraint("object_key", "version_id", "store"),  # read in key order, beside a store's listing
    CheckConstraint("lock_mode IN ('GOVERNANCE', 'COMPLIANCE')", name="always_locked"),
)

personal_fields = Table(
    "personal_fields",
    metadata,
    Column("record_id", Uuid, ForeignKey("records.id"), nullable=False),
    Column("kind", Text, nullable=False),
    Column("ordinal", SmallInteger, nullable=False),
    Column("sealed", LargeBinary, nullable=False),
    Column("blind", LargeBinary, nullable=False),
    PrimaryKeyConstraint("record_id", "kind", "ordinal"),
    CheckConstraint("kind IN ('id_number', 'card_number', 'phone')", name="kind_known"),
)
Index("personal_fields_blind_idx", personal_fields.c.blind)

# A correction 更正 with the values before and after and the reason, sealed under the record's key: they die with it.
corrections = Table(
    "corrections",
    metadata,
    Column("record_id", Uuid, ForeignKey("records.id"), nullable=False),
    Column("revision", Integer, nullable=False),
    Column("at", DateTime(timezone=True), nullable=False),
    Column("actor_kind", Text, nullable=False),
    Column("actor_id", Uuid),
    Column("sealed", LargeBinary, nullable=False),
    PrimaryKeyConstraint("record_id", "revision"),
    CheckConstraint("revision > 1", name="follows_the_registration"),
)

# The last 件号 given within one 全宗, 门类, 年度, 保管期限 and 机构.
item_counters = Table(
    "item_counters",
    metadata,
    Column("fonds_code", Text, nullable=False),
    Column("category_code", Text, nullable=False),
    Column("year", SmallInteger, nullable=False),
    Column("period_code", Text, nullable=False),
    Column("unit_code", Text, nullable=False),
    Column("last_number", Integer, nullable=False),
    PrimaryKeyConstraint("fonds_code", "category_code", "year", "period_code", "unit_code"),
)
