"""Bringing a database to the present schema, one process at a time."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import URL, Connection, create_engine, make_url, text
from sqlalchemy.exc import OperationalError

from vault.foundation.db.copies import require_no_restoration
from vault.foundation.db.engine import APP_ROLE
from vault.foundation.db.errors import DatabaseUnreachable
from vault.foundation.db.rights import ensure_role

# Of several concurrent upgrades all but one fail: the others wait here and find nothing left to do.
_UPGRADE_LOCK = 0x736C6970_75706772
_SCRIPTS = Path(__file__).parents[2] / "migrations"


def upgrade(url: str | URL) -> None:
    """Makes the lesser role and migrates to the newest schema; safe to run from many processes at once.

    Raises:
        DatabaseUnsuitable: the user of `url` lacks a right, or the server an extension: docs/operate/database.md.
        DatabaseUnreachable: nothing answers there, or it does not let the user in.
        RestorationUnfinished: a copy is being put into it.
    """
    engine = create_engine(make_url(url), isolation_level="AUTOCOMMIT")
    try:
        with engine.connect() as guard:
            guard.execute(text("SELECT pg_advisory_lock(:key)"), {"key": _UPGRADE_LOCK})
            try:
                ensure_role(guard, APP_ROLE)
                require_no_restoration(guard)
                with engine.connect().execution_options(isolation_level="READ COMMITTED") as connection:
                    command.upgrade(configuration(connection), "head")
            finally:
                guard.execute(text("SELECT pg_advisory_unlock(:key)"), {"key": _UPGRADE_LOCK})
    except OperationalError as error:
        said = " ".join(str(error.orig).split("\n", 1)[0].split())
        raise DatabaseUnreachable(problem=said) from error
    finally:
        engine.dispose()


def configuration(connection: Connection) -> Config:
    """Alembic's configuration, made in code: there is no second configuration file."""
    config = Config()
    config.set_main_option("script_location", str(_SCRIPTS))
    config.attributes["connection"] = connection
    return config
