"""The tables of retention."""

from __future__ import annotations

from sqlalchemy import (
    ARRAY,
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

# `content` holds classes, packs with their digests, and the accounting year; `digest` is over all that is approved.
# What may follow what is refused by triggers: see `ddl`.
schedule_versions = Table(
    "schedule_versions",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("number", Integer, nullable=False, unique=True),
    Column("revision", Integer, nullable=False, server_default="1"),  # every act raises it and witnesses the row
    Column("state", Text, nullable=False),
    Column("note", Text, nullable=False),
    Column("based_on", Integer),
    Column("effective_date", Date),
    Column("content", JSONB, nullable=False),
    Column("digest", LargeBinary, nullable=False),
    Column("draft_digest", LargeBinary),  # what `digest` was while it was a draft: that is what was simulated
    Column("proposal_id", Uuid, ForeignKey("proposals.id")),
    Column("created_by_kind", Text, nullable=False),
    Column("created_by", Uuid),
    Column("created_at", DateTime(timezone=True), nullable=False),
    Column("changed_at", DateTime(timezone=True), nullable=False),
    Column("approved_at", DateTime(timezone=True)),
    Column("withdrawn_because", Text),
    CheckConstraint("number > 0", name="number_positive"),
    CheckConstraint(
        "state IN ('draft', 'proposed', 'approved', 'refused', 'withdrawn')",
        name="state_known",
    ),
    CheckConstraint("length(note) BETWEEN 1 AND 500", name="note_length"),
    CheckConstraint("octet_length(digest) = 32", name="digest_has_32_bytes"),
    CheckConstraint(
        "state NOT IN ('proposed', 'approved') OR effective_date IS NOT NULL", name="effective_when_proposed"
    ),
    CheckConstraint(
        "withdrawn_because IS NULL OR (state = 'withdrawn' AND length(withdrawn_because) BETWEEN 4 AND 500)",
        name="withdrawal_says_why",
    ),
    CheckConstraint("(state = 'approved') = (approved_at IS NOT NULL)", name="approved_when_approved"),
    CheckConstraint("(draft_digest IS NULL) = (proposal_id IS NULL)", name="draft_digest_when_proposed"),
    CheckConstraint("state IN ('draft', 'withdrawn') OR proposal_id IS NOT NULL OR number = 1", name="was_proposed"),
)

# Rule packs of the organisation's own; those that are shipped are part of the program.
rule_packs = Table(
    "rule_packs",
    metadata,
    Column("version", Text, primary_key=True),
    Column("digest", LargeBinary, nullable=False),
    Column("content", Text, nullable=False),
    # Of a pack that came signed: the signature over its canonical form, and the public key that made it.
    Column("signature", LargeBinary),
    Column("public_key", LargeBinary),
    Column("entered_by", Uuid),
    Column("entered_at", DateTime(timezone=True), nullable=False),
    CheckConstraint("octet_length(digest) = 32", name="digest_has_32_bytes"),
    CheckConstraint("octet_length(signature) = 64 AND octet_length(public_key) = 32", name="signature_form"),
    CheckConstraint("num_nulls(signature, public_key) IN (0, 2)", name="signature_has_key"),
)

rule_confirmations = Table(
    "rule_confirmations",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("rule_code", Text, nullable=False),
    Column("rule_digest", Text, nullable=False),
    Column("source", Text, nullable=False),
    Column("proposal_id", Uuid, ForeignKey("proposals.id"), nullable=False),
    Column("proposed_by", Uuid, nullable=False),
    Column("proposed_at", DateTime(timezone=True), nullable=False),
    Column("confirmed_at", DateTime(timezone=True)),
    CheckConstraint("rule_digest ~ '^[0-9a-f]{64}$'", name="digest_form"),
    CheckConstraint("length(source) BETWEEN 4 AND 500", name="source_length"),
)
Index(
    "rule_confirmations_confirmed_key",
    rule_confirmations.c.rule_code,
    rule_confirmations.c.rule_digest,
    unique=True,
    postgresql_where=rule_confirmations.c.confirmed_at.isnot(None),
)

# The holidays of a year as they were decreed, with weekends that are worked instead. A correction is a further row.
calendar_years = Table(
    "calendar_years",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("year", SmallInteger, nullable=False),
    Column("holidays", ARRAY(Date), nullable=False),
    Column("workdays", ARRAY(Date), nullable=False),
    Column("source", Text, nullable=False),
    Column("entered_by", Uuid),
    Column("entered_at", DateTime(timezone=True), nullable=False),
    CheckConstraint("year BETWEEN 1900 AND 9999", name="year_range"),
    CheckConstraint("NOT holidays && workdays", name="no_day_is_both"),
)
Index("calendar_years_year_id_idx", calendar_years.c.year, calendar_years.c.id)

# The law changed for records that are kept already: their due dates are to be computed again from that day on.
law_changes = Table(
    "law_changes",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("from_date", Date, nullable=False),
    Column("at", DateTime(timezone=True), nullable=False),
    Column("swept_through", Uuid),  # the last record that a sweep by this change has come to
    Column("swept_at", DateTime(timezone=True)),
    CheckConstraint("kind IN ('schedule', 'confirmation', 'calendar')", name="kind_known"),
)
Index("law_changes_unswept_idx", law_changes.c.from_date, postgresql_where=law_changes.c.swept_at.is_(None))

# What somebody reported at once: one event, or a list of them. The same key and content is the same report.
event_reports = Table(
    "event_reports",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("sender_id", Uuid, nullable=False),
    Column("client_key", Text, nullable=False),
    Column("digest", LargeBinary, nullable=False),
    Column("events", Integer, nullable=False),
    Column("reported_at", DateTime(timezone=True), nullable=False),
    UniqueConstraint("sender_id", "client_key", name="event_reports_client_key_key"),
    CheckConstraint("length(client_key) BETWEEN 8 AND 200", name="client_key_length"),
    CheckConstraint("octet_length(digest) = 32", name="digest_has_32_bytes"),
)

# `day` none: reported that it will never happen. Never overwritten: undone, and reported anew.
record_events = Table(
    "record_events",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("report_id", Uuid, ForeignKey("event_reports.id"), nullable=False),
    Column("record_id", Uuid, ForeignKey("records.id"), nullable=False),
    Column("name", Text, nullable=False),
    Column("day", Date),
    Column("evidence", Text, nullable=False, server_default=""),
    Column("reported_by_kind", Text, nullable=False),
    Column("reported_by", Uuid, nullable=False),
    Column("known_at", DateTime(timezone=True), nullable=False),
    Column("undone_at", DateTime(timezone=True)),
    Column("undone_by", Uuid),
    Column("undone_because", Text),
    UniqueConstraint("report_id", "record_id", "name"),
    CheckConstraint("name ~ '^[a-z][a-z0-9_]{0,59}$'", name="name_form"),
    CheckConstraint("length(evidence) <= 200", name="evidence_length"),
    CheckConstraint("day >= '1900-01-01'", name="day_not_before_1900"),
    CheckConstraint(
        "num_nulls(undone_at, undone_by, undone_because) IN (0, 3) AND undone_by <> reported_by",
        name="undone_by_another",
    ),
    CheckConstraint("undone_because IS NULL OR length(undone_because) BETWEEN 4 AND 500", name="undone_says_why"),
)
Index("record_events_record_id_id_idx", record_events.c.record_id, record_events.c.id)
Index(
    "record_events_known_idx",
    record_events.c.record_id,
    record_events.c.name,
    record_events.c.day,
    unique=True,
    postgresql_nulls_not_distinct=True,
    postgresql_where=record_events.c.undone_at.is_(None),
)

# Every change of a record's class. The class it came in with is the `from_class` of the first.
classifications = Table(
    "classifications",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("record_id", Uuid, ForeignKey("records.id"), nullable=False),
    Column("from_class", Text, ForeignKey("retention_classes.code"), nullable=False),
    Column("to_class", Text, ForeignKey("retention_classes.code"), nullable=False),
    Column("reason", Text, nullable=False),
    Column("is_after_filing", Boolean, nullable=False),
    Column("proposal_id", Uuid, ForeignKey("proposals.id")),
    Column("proposed_by_kind", Text, nullable=False),
    Column("proposed_by", Uuid, nullable=False),
    Column("proposed_at", DateTime(timezone=True), nullable=False),
    Column("known_at", DateTime(timezone=True)),
    CheckConstraint("from_class <> to_class", name="classes_differ"),
    CheckConstraint("is_after_filing = (proposal_id IS NOT NULL)", name="approved_after_filing"),
    CheckConstraint("is_after_filing OR known_at IS NOT NULL", name="free_before_filing"),
    CheckConstraint("length(reason) <= 500 AND (NOT is_after_filing OR length(reason) >= 4)", name="reason_length"),
)
Index("classifications_record_id_id_idx", classifications.c.record_id, classifications.c.id)

# Who confirmed quality and classification, and when the lock of the class stood. One row a record, for ever.
filings = Table(
    "filings",
    metadata,
    Column("record_id", Uuid, ForeignKey("records.id"), primary_key=True),
    Column("confirmed_by_kind", Text, nullable=False),
    Column("confirmed_by", Uuid),
    Column("is_by_rule", Boolean, nullable=False),
    Column("asked_at", DateTime(timezone=True), nullable=False),
    Column("filed_at", DateTime(timezone=True)),
)
Index("filings_open_idx", filings.c.record_id, postgresql_where=filings.c.filed_at.is_(None))

# Records whose COMPLIANCE lock is to be set or made longer. Workers claim rows with SKIP LOCKED.
lock_tasks = Table(
    "lock_tasks",
    metadata,
    Column("record_id", Uuid, ForeignKey("records.id"), primary_key=True),
    Column("asked_at", DateTime(timezone=True), nullable=False),
    Column("not_before", DateTime(timezone=True), nullable=False),
    # What is about to be set in the stores: whoever takes over after a crash goes at least as far.
    Column("intended_date", Date),
    Column("claimed_at", DateTime(timezone=True)),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("problem", Text),
)
Index("lock_tasks_not_before_idx", lock_tasks.c.not_before, lock_tasks.c.record_id)

# Every COMPLIANCE lock that was set: the promise, and when it was given.
lock_promises = Table(
    "lock_promises",
    metadata,
    Column("record_id", Uuid, ForeignKey("records.id"), nullable=False),
    Column("known_at", DateTime(timezone=True), nullable=False),
    Column("until_date", Date, nullable=False),
    PrimaryKeyConstraint("record_id", "until_date"),
)

# Stations whose clean scans of some classes are filed without anybody looking.
trusted_stations = Table(
    "trusted_stations",
    metadata,
    Column("station_id", Uuid, ForeignKey("stations.id"), nullable=False),
    Column("class_code", Text, ForeignKey("retention_classes.code"), nullable=False),
    Column("waits_days", SmallInteger, nullable=False, server_default=text("1")),
    Column("trusted_by", Uuid, nullable=False),
    Column("trusted_at", DateTime(timezone=True), nullable=False),
    PrimaryKeyConstraint("station_id", "class_code"),
    CheckConstraint("waits_days BETWEEN 0 AND 90", name="waits_days_range"),
)

# What a version would do, tried on all records before anybody approves it. It counts for the draft of `draft_digest`.
# What was found is there when it is finished, all at once; nothing of it changes afterwards: see `ddl`.
simulations = Table(
    "simulations",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("version_id", Uuid, ForeignKey("schedule_versions.id"), nullable=False),
    Column("draft_digest", LargeBinary, nullable=False),
    Column("run_id", Uuid, ForeignKey("job_runs.id"), nullable=False),
    Column("on_date", Date, nullable=False),
    Column("asked_by_kind", Text, nullable=False),
    Column("asked_by", Uuid),
    Column("asked_at", DateTime(timezone=True), nullable=False),
    Column("against_number", Integer),
    Column("law_changes_seen", Integer),  # how many there were: with one more it is out of date
    Column("snapshot_at", DateTime(timezone=True)),
    Column("finished_at", DateTime(timezone=True)),
    Column("records", BigInteger),
    Column("affected", BigInteger),
    Column("result", JSONB),
    CheckConstraint("octet_length(draft_digest) = 32", name="digest_has_32_bytes"),
    CheckConstraint(
        "num_nulls(against_number, law_changes_seen, snapshot_at, finished_at, records, affected, result) IN (0, 7)",
        name="found_all_at_once",
    ),
)
Index("simulations_version_id_id_idx", simulations.c.version_id, simulations.c.id)

# The records that a version would treat otherwise than the law against which it was tried: what each says of them,
# `until` with and `period` without what their lock has promised already. A million rows may be written at once and are
# thrown away with the next simulation of the version, so there is no foreign key that each would have to be held against.
simulation_effects = Table(
    "simulation_effects",
    metadata,
    Column("simulation_id", Uuid, nullable=False),
    Column("record_id", Uuid, nullable=False),
    Column("unit_id", Uuid, nullable=False),
    Column("class_code", Text, nullable=False),
    Column("locked_until", Date),
    Column("is_held", Boolean, nullable=False),
    Column("until_before", Date),
    Column("until_after", Date),
    Column("period_before", Date),
    Column("period_after", Date),
    Column("delete_by_before", Date),
    Column("delete_by_after", Date),
    # What is certain while the end itself cannot be told.
    Column("at_least_before", Date),
    Column("at_least_after", Date),
    Column("lock_before", Date),
    Column("lock_after", Date),
    Column("what_before", Text, nullable=False),
    Column("what_after", Text, nullable=False),
    PrimaryKeyConstraint("simulation_id", "record_id"),
)

# What the ledger witnesses of each record by a salted digest, table by table (see `vault.catalogue.witnessing`).
RECORD_TABLES = (record_events, classifications, filings, lock_promises)
