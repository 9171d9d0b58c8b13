"""Alembic migrations; `vault.foundation.db.migrate.upgrade` runs them."""
