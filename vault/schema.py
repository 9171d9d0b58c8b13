"""All tables of the catalogue database, gathered for migrations."""

from __future__ import annotations

from vault.access import ddl as _access_ddl
from vault.access import tables as _access
from vault.catalogue import ddl as _catalogue_ddl
from vault.catalogue import tables as _catalogue
from vault.foundation.db.metadata import metadata
from vault.foundation.jobs import tables as _jobs
from vault.foundation.keys import tables as _keys
from vault.foundation.ledger import tables as _ledger
from vault.holds import ddl as _holds_ddl
from vault.holds import tables as _holds
from vault.intake import tables as _intake
from vault.oversight import tables as _oversight
from vault.retention import ddl as _retention_ddl
from vault.retention import tables as _retention

# A change to one of these rows must be witnessed by a ledger entry of the same transaction (invariant L1).
# Not among them: the ledger's own tables, counters and queues that only follow witnessed rows, sessions'
# and tokens' last-seen times, and counts of failed sign-ins.
WITNESSED_TABLES = (
    "organisation",
    "units",
    "people",
    "person_roles",
    "stations",
    "api_tokens",
    "proposals",
    "approvals",
    "saved_views",
    "fonds",
    "retention_classes",
    "records",
    "record_states",
    "components",
    "component_copies",
    "personal_fields",
    "corrections",
    "matters",
    "holds",
    "held_records",
    "schedule_versions",
    "simulations",
    "rule_packs",
    "rule_confirmations",
    "calendar_years",
    "event_reports",
    "record_events",
    "classifications",
    "filings",
    "lock_promises",
    "trusted_stations",
    "batches",
    "intake_items",
    "store_probes",
    "record_verifications",
    "leftovers",
    "drifts",
    "key_epochs",
    "key_groups",
    "record_keys",
)

# What else the database refuses by itself, noun by noun; each is run once, after the tables are made.
CONSTRAINT_SQL = (_access_ddl.FUNCTIONS, _catalogue_ddl.FUNCTIONS, _holds_ddl.FUNCTIONS, _retention_ddl.FUNCTIONS)

__all__ = ["CONSTRAINT_SQL", "WITNESSED_TABLES", "metadata"]

_MODULES = (_access, _catalogue, _holds, _jobs, _keys, _ledger, _intake, _oversight, _retention)
