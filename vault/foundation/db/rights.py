"""What the user of a database must be allowed, looked at before anything is changed (docs/operate/database.md).

An ordinary server belongs to somebody else: what is missing is told at once and whole, as the statements by which its
administrator mends it.
"""

from __future__ import annotations

import psycopg
from sqlalchemy import Connection, text
from sqlalchemy.exc import ProgrammingError

from vault.foundation.db.errors import DatabaseUnsuitable

VERSION_MIN = 15
_FACTS = text("""
SELECT current_user AS login, current_database() AS database,
    current_setting('server_version_num')::int / 10000 AS version,
    current_setting('server_encoding') AS encoding,
    has_database_privilege(current_database(), 'CREATE') AS may_extend,
    has_schema_privilege('public', 'CREATE') AS may_make_tables,
    EXISTS (SELECT FROM pg_extension WHERE extname = 'pg_trgm') AS has_trgm,
    EXISTS (SELECT FROM pg_available_extensions WHERE name = 'pg_trgm') AS can_have_trgm,
    EXISTS (SELECT FROM pg_roles WHERE rolname = :role) AS has_role,
    (SELECT rolcreaterole OR rolsuper FROM pg_roles WHERE rolname = current_user) AS may_make_roles
""")


def ensure_role(connection: Connection, role: str) -> None:
    """Checks what the user may do, and makes it a member of the lesser role, which is made when it is missing.

    `connection` must be in autocommit: roles belong to the whole server, and another database's start may make the same.

    Raises:
        DatabaseUnsuitable: naming everything that is missing, with the statements that grant it.
    """
    facts = connection.execute(_FACTS, {"role": role}).one()
    missing, statements = [], []
    if facts.version < VERSION_MIN:
        missing.append(f"it is PostgreSQL {facts.version}, and {VERSION_MIN} is the oldest that serves")
    if facts.encoding != "UTF8":
        missing.append(f"its encoding is {facts.encoding}, not UTF8")
    if not facts.has_trgm and not facts.can_have_trgm:
        missing.append("its server does not have the extension pg_trgm (Debian: in the package postgresql-15)")
    elif not facts.has_trgm and not facts.may_extend:
        missing.append(f"{facts.login} may not make extensions in it")
        statements.append(f'GRANT CREATE ON DATABASE "{facts.database}" TO "{facts.login}"')
    if not facts.may_make_tables:
        missing.append(f"{facts.login} may not make tables in its schema public")
        statements.append(f'ALTER DATABASE "{facts.database}" OWNER TO "{facts.login}"')
    if not _has_joined(connection, role, has_role=facts.has_role, may_make_roles=facts.may_make_roles):
        missing.append(f"{facts.login} is no member of the role {role} and may not make it")
        statements += [] if facts.has_role else [f"CREATE ROLE {role} NOLOGIN"]
        statements.append(f'GRANT {role} TO "{facts.login}"')
    if missing:
        advice = " ".join(f"{statement};" for statement in statements)
        raise DatabaseUnsuitable(
            problem="; ".join(missing),
            advice=f"As its administrator, in it: {advice}" if advice else "Use another database.",
        )


def _has_joined(connection: Connection, role: str, *, has_role: bool, may_make_roles: bool) -> bool:
    if not has_role and may_make_roles:
        connection.execute(
            text(f"""
            DO $$ BEGIN CREATE ROLE {role} NOLOGIN;
            EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$""")
        )
    elif not has_role:
        return False
    # From PostgreSQL 16 on whoever makes a role may grant it, but does not get it: both are tried, not looked up.
    return _succeeds(connection, f"SET ROLE {role}") or (
        _succeeds(connection, f"GRANT {role} TO CURRENT_USER") and _succeeds(connection, f"SET ROLE {role}")
    )


def _succeeds(connection: Connection, statement: str) -> bool:
    """Whether the database allows a statement; afterwards the session is its own user again."""
    try:
        connection.execute(text(statement))
    except ProgrammingError as error:
        if isinstance(error.orig, psycopg.errors.InsufficientPrivilege):
            return False
        raise
    connection.execute(text("RESET ROLE"))
    return True
