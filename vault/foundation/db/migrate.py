"""Bringing a database to the present schema, one process at a time."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import URL, Connection, create_engine, make_url, text

from vault.foundation.db.engine import APP_ROLE

# Of several concurrent upgrades all but one fail: the others wait here and find nothing left to do.
_UPGRADE_LOCK = 0x736C6970_75706772
_SCRIPTS = Path(__file__).parents[2] / "migrations"


def upgrade(url: str | URL) -> None:
    """Makes the lesser role and migrates to the newest schema; safe to run from many processes at once.

    The user of `url` must own the database and be allowed to create a role, or the role `slipvault_app` must
    exist and that user be a member of it.
    """
    engine = create_engine(make_url(url), isolation_level="AUTOCOMMIT")
    try:
        with engine.connect() as guard:
            guard.execute(text("SELECT pg_advisory_lock(:key)"), {"key": _UPGRADE_LOCK})
            try:
                _make_role(guard)
                with engine.connect().execution_options(isolation_level="READ COMMITTED") as connection:
                    command.upgrade(configuration(connection), "head")
            finally:
                guard.execute(text("SELECT pg_advisory_unlock(:key)"), {"key": _UPGRADE_LOCK})
    finally:
        engine.dispose()


def configuration(connection: Connection) -> Config:
    """Alembic's configuration, made in code: there is no second configuration file."""
    config = Config()
    config.set_main_option("script_location", str(_SCRIPTS))
    config.attributes["connection"] = connection
    return config


def _make_role(connection: Connection) -> None:
    """Roles belong to the whole server: another database's upgrade may make it at the same moment."""
    connection.execute(
        text(
            f"""
            DO $$ BEGIN
                IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{APP_ROLE}') THEN
                    CREATE ROLE {APP_ROLE} NOLOGIN;
                END IF;
            EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL;
            END $$
            """
        )
    )
    connection.execute(
        text(
            f"""
            DO $$ BEGIN
                IF NOT pg_has_role(current_user, '{APP_ROLE}', 'MEMBER') THEN
                    EXECUTE format('GRANT {APP_ROLE} TO %I', current_user);
                END IF;
            END $$
            """
        )
    )
