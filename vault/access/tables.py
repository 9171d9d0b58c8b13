"""The tables of access."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import (
    ARRAY,
    Boolean,
    CheckConstraint,
    Column,
    Computed,
    DateTime,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from vault.access.rights import OFFICERS, ROLE_RIGHTS, STATION_SCOPES
from vault.foundation.db.metadata import metadata


def _texts(values: Iterable[str]) -> str:
    return ", ".join(f"'{value}'" for value in sorted(values))


organisation = Table(
    "organisation",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("name", Text, nullable=False),
    Column("fonds_code", Text, nullable=False),
    Column("time_zone", Text, nullable=False),
    CheckConstraint("id = 1", name="only_one"),
)

units = Table(
    "units",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("code", Text, nullable=False, unique=True),
    Column("name_zh", Text, nullable=False),
    Column("name_en", Text, nullable=False),
    Column("created_at", DateTime(timezone=True), nullable=False),
    CheckConstraint("code ~ '^[0-9A-Z]{1,12}$'", name="code_form"),
)

people = Table(
    "people",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("login", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("unit_id", Uuid, ForeignKey("units.id"), nullable=False),
    Column("state", Text, nullable=False),
    Column("password_hash", Text, nullable=False),
    Column("must_change_password", Boolean, nullable=False),
    Column("password_expires_at", DateTime(timezone=True)),
    # Whether the person is system officer; the roles point at it, so that no other role can stand beside that one.
    Column("runs_system", Boolean, nullable=False, server_default=text("false")),
    Column("language", Text),
    Column("created_at", DateTime(timezone=True), nullable=False),
    CheckConstraint("state IN ('active', 'disabled')", name="state_known"),
    CheckConstraint("language IN ('zh', 'en')", name="language_known"),
    CheckConstraint("login ~ '^[^[:space:]]{2,60}$'", name="login_form"),
    CheckConstraint("length(name) BETWEEN 1 AND 60", name="name_length"),
    CheckConstraint("password_hash LIKE '$argon2id$%'", name="password_hashed"),
    # Only a one-time password runs out.
    CheckConstraint("must_change_password = (password_expires_at IS NOT NULL)", name="one_time_runs_out"),
    UniqueConstraint("id", "runs_system", name="people_id_runs_system_key"),
)
Index("people_login_key", func.lower(people.c.login), unique=True)

person_roles = Table(
    "person_roles",
    metadata,
    Column("person_id", Uuid, nullable=False),
    Column("role", Text, nullable=False),
    Column("runs_system", Boolean, Computed("role = 'system_officer'", persisted=True), nullable=False),
    Column("granted_at", DateTime(timezone=True), nullable=False),
    PrimaryKeyConstraint("person_id", "role"),
    ForeignKeyConstraint(
        ["person_id", "runs_system"],
        ["people.id", "people.runs_system"],
        name="person_roles_system_officer_alone_fkey",
    ),
    CheckConstraint(f"role IN ({_texts(ROLE_RIGHTS)})", name="role_known"),
)
# The three officers 三员 check each other: one person is at most one of them.
Index(
    "person_roles_one_officer_key",
    person_roles.c.person_id,
    unique=True,
    postgresql_where=text(f"role IN ({_texts(OFFICERS)})"),
)

sessions = Table(
    "sessions",
    metadata,
    Column("digest", LargeBinary, primary_key=True),
    Column("person_id", Uuid, ForeignKey("people.id"), nullable=False),
    Column("csrf_token", Text, nullable=False),
    Column("started_at", DateTime(timezone=True), nullable=False),
    Column("seen_at", DateTime(timezone=True), nullable=False),
    Column("expires_at", DateTime(timezone=True), nullable=False),
    CheckConstraint("octet_length(digest) = 32", name="digest_has_32_bytes"),
    CheckConstraint("expires_at > started_at", name="expires_later"),
)
Index("sessions_person_id_idx", sessions.c.person_id)

stations = Table(
    "stations",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("name", Text, nullable=False, unique=True),
    Column("unit_id", Uuid, ForeignKey("units.id"), nullable=False),
    Column("created_at", DateTime(timezone=True), nullable=False),
)

api_tokens = Table(
    "api_tokens",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("station_id", Uuid, ForeignKey("stations.id"), nullable=False),
    Column("digest", LargeBinary, nullable=False, unique=True),
    Column("hint", Text, nullable=False),
    Column("scopes", ARRAY(Text), nullable=False),
    Column("created_at", DateTime(timezone=True), nullable=False),
    Column("expires_at", DateTime(timezone=True), nullable=False),
    Column("revoked_at", DateTime(timezone=True)),
    CheckConstraint("octet_length(digest) = 32", name="digest_has_32_bytes"),
    CheckConstraint("expires_at > created_at", name="expires_later"),
    CheckConstraint("length(hint) = 4", name="hint_length"),
    CheckConstraint(
        f"cardinality(scopes) > 0 AND scopes <@ ARRAY[{_texts(STATION_SCOPES)}]::text[]", name="scopes_known"
    ),
)
Index("api_tokens_station_id_idx", api_tokens.c.station_id)

# When a token last opened something, to the minute; it follows what others witness and is no act of its own.
token_uses = Table(
    "token_uses",
    metadata,
    Column("token_id", Uuid, ForeignKey("api_tokens.id"), primary_key=True),
    Column("used_at", DateTime(timezone=True), nullable=False),
)

# A list as somebody wants to see it again. What may name a person is sealed (`docs/decisions`).
saved_views = Table(
    "saved_views",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("owner_id", Uuid, ForeignKey("people.id"), nullable=False),
    Column("unit_id", Uuid, ForeignKey("units.id")),  # whose people see it besides the owner; none: nobody
    Column("list", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("filters", JSONB, nullable=False),
    Column("sealed", LargeBinary),
    Column("created_at", DateTime(timezone=True), nullable=False),
    CheckConstraint("list ~ '^[a-z_]{1,40}$'", name="list_form"),
    CheckConstraint("length(name) BETWEEN 1 AND 60", name="name_length"),
    CheckConstraint("jsonb_typeof(filters) = 'object'", name="filters_are_an_object"),
    UniqueConstraint("owner_id", "list", "name", name="saved_views_owner_id_list_name_key"),
)
Index("saved_views_unit_id_idx", saved_views.c.unit_id, postgresql_where=saved_views.c.unit_id.isnot(None))

# Failed guesses by what was guessed at: a login or an address, as digests.
guesses = Table(
    "guesses",
    metadata,
    Column("target", LargeBinary, primary_key=True),
    Column("failures", Integer, nullable=False),
    Column("last_at", DateTime(timezone=True), nullable=False),
    Column("free_at", DateTime(timezone=True), nullable=False),  # before it no guess is even looked at
    CheckConstraint("failures >= 0", name="failures_not_negative"),
    CheckConstraint("octet_length(target) = 32", name="target_is_a_digest"),
)

# Acts that need more than one person (invariant A1). Whoever proposes is any actor; only people approve.
# `digest` binds the approvals to exactly what was proposed. What may follow what is refused by triggers: see `ddl`.
proposals = Table(
    "proposals",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("act", Text, nullable=False),
    Column("subject_id", Uuid, nullable=False),
    Column("digest", LargeBinary, nullable=False),
    Column("approvals_needed", Integer, nullable=False),
    Column("proposed_by_kind", Text, nullable=False),
    Column("proposed_by", Uuid, nullable=False),
    Column("proposed_at", DateTime(timezone=True), nullable=False),
    Column("state", Text, nullable=False),
    Column("settled_at", DateTime(timezone=True)),
    CheckConstraint("act ~ '^[a-z_]+:[a-z_]+:[a-z_]+$'", name="act_form"),
    CheckConstraint("octet_length(digest) = 32", name="digest_has_32_bytes"),
    CheckConstraint("approvals_needed BETWEEN 1 AND 5", name="approvals_needed_range"),
    CheckConstraint("state IN ('open', 'approved', 'refused', 'withdrawn')", name="state_known"),
    CheckConstraint("(state = 'open') = (settled_at IS NULL)", name="settled_when_not_open"),
)
Index(
    "proposals_one_open_key",
    proposals.c.act,
    proposals.c.subject_id,
    unique=True,
    postgresql_where=proposals.c.state == "open",
)
Index("proposals_state_id_idx", proposals.c.state, proposals.c.id)

approvals = Table(
    "approvals",
    metadata,
    Column("proposal_id", Uuid, ForeignKey("proposals.id"), nullable=False),
    Column("person_id", Uuid, ForeignKey("people.id"), nullable=False),
    Column("is_approved", Boolean, nullable=False),
    Column("comment", Text, nullable=False, server_default=""),
    Column("at", DateTime(timezone=True), nullable=False),
    PrimaryKeyConstraint("proposal_id", "person_id"),
    CheckConstraint("length(comment) <= 500", name="comment_length"),
    CheckConstraint("is_approved OR length(comment) >= 4", name="refusal_says_why"),
)
