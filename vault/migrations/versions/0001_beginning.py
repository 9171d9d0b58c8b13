"""The first schema: tables, search functions, ledger rules, queue, and what the lesser role may do."""

from __future__ import annotations

from typing import Any

from alembic import op
from sqlalchemy import text

from vault.foundation.db.engine import APP_ROLE
from vault.foundation.jobs.queue import schema_sql
from vault.foundation.ledger.ddl import FUNCTIONS, INSERT_ONLY, insert_only_sql, witness_sql
from vault.schema import CONSTRAINT_SQL, WITNESSED_TABLES, metadata

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

# One and two character parts of a name, for terms that pg_trgm would scan for.
_GRAMS = """
CREATE FUNCTION slipvault_grams(name text) RETURNS text[] LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    SELECT array_agg(DISTINCT substr(name, place, size))
    FROM generate_series(1, length(name)) AS place, generate_series(1, 2) AS size WHERE place + size <= length(name) + 1
$$
"""


def upgrade() -> None:
    connection = op.get_bind()
    connection.execute(text("CREATE EXTENSION IF NOT EXISTS pg_trgm"))
    connection.execute(text(_GRAMS))
    metadata.create_all(connection)
    driver: Any = connection.connection.driver_connection
    driver.execute(FUNCTIONS)
    for table in INSERT_ONLY:
        driver.execute(insert_only_sql(table))
    for table in WITNESSED_TABLES:
        driver.execute(witness_sql(table))
    for statements in CONSTRAINT_SQL:
        driver.execute(statements)
    driver.execute(schema_sql())
    driver.execute(f"GRANT USAGE ON SCHEMA public TO {APP_ROLE}")
    driver.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {APP_ROLE}")
    driver.execute(f"GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO {APP_ROLE}")
    driver.execute(f"GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA public TO {APP_ROLE}")
    driver.execute(f"REVOKE UPDATE, DELETE ON {', '.join(INSERT_ONLY)} FROM {APP_ROLE}")
    driver.execute(f"REVOKE ALL ON alembic_version FROM {APP_ROLE}")
