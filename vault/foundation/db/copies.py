"""Copies of the catalogue database: a dump while it runs, and putting one into an empty database.

A dump is a consistent moment. It holds customer names in clear and keys only as the custodian wrapped them: without the
custodian it opens no record, and after a shredding its epoch is gone. Docs: `docs/operate/backup.md`.
"""

from __future__ import annotations

import errno
import hashlib
import os
import subprocess
import tempfile
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
from sqlalchemy import URL, Connection, create_engine, make_url, text
from sqlalchemy.exc import OperationalError

from vault.foundation.clock import Clock
from vault.foundation.db.engine import APP_ROLE, Database
from vault.foundation.db.errors import DatabaseUnreachable, RestorationUnfinished, ServerProgramFailed
from vault.foundation.db.programs import wheel_binaries
from vault.foundation.db.rights import ensure_role
from vault.foundation.errors import N_, Fault, VaultError
from vault.foundation.ids import derived_id
from vault.foundation.ledger.entry import Actor

EVENT_DUMPED, EVENT_RESTORED = "database:copy:dump", "database:copy:restore"
# In the database from before the first row of a copy until its entry in the ledger is committed.
_MARK = "slipvault_restoring"
_DATABASE = derived_id(UUID("6ba7b811-9dad-11d1-80b4-00c04fd430c8"), "slipvault/catalogue")


class DatabaseNotEmpty(VaultError):
    """A copy is only put where nothing is."""

    code = "database-not-empty"
    status = 409
    exit_code = 75
    fault = Fault.CALLER
    message = N_("The database holds an archive already; nothing was changed.")
    hint = N_(
        "Restore into a new home (SLIPVAULT_HOME) or an empty database, and compare before you let go of the old one."
    )


def dump(url: str | URL, file: Path, clock: Clock, actor: Actor, witness_secret: bytes) -> int:
    """Writes a dump, whole or not at all, for its owner only; returns its size in bytes. Leaves `database:copy:dump`.

    `witness_secret` is the custodian's: without it the entry would be taken for a forgery.

    Raises:
        ServerProgramFailed: the server cannot be reached, or the disk is full.
        FileExistsError, OSError: the file cannot be made.
    """
    if file.exists():
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(file))
    handle, name = tempfile.mkstemp(prefix=f".{file.name}.", suffix=".part", dir=file.parent)
    part = Path(name)
    try:
        with os.fdopen(handle, "w+b") as target:
            _run(
                "pg_dump",
                make_url(url),
                "--format=custom",
                "--no-owner",
                f"--exclude-table={_MARK}",
                stdout=target.fileno(),
            )
            os.fsync(target.fileno())
            target.seek(0)
            digest, size = hashlib.file_digest(target, "sha256").hexdigest(), part.stat().st_size
        _witness(url, clock, actor, witness_secret, EVENT_DUMPED, dump_sha256=digest, size_bytes=size)
        os.link(part, file)  # unlike a renaming it never replaces what somebody has put there meanwhile
        directory = os.open(file.parent, os.O_RDONLY)
        os.fsync(directory)
        os.close(directory)
    finally:
        part.unlink()
    return size


def restore(url: str | URL, file: Path, clock: Clock, actor: Actor, witness_secret: bytes) -> None:
    """Puts a dump into an empty database, whole or not at all. Leaves `database:copy:restore`.

    Cut off at any line, nothing starts on the database (`RestorationUnfinished`) until this was called again with the
    same dump: it does what is left, be it only the entry.

    `witness_secret` is the custodian's: without it the entry about the restoration would be taken for a forgery.

    Raises:
        DatabaseNotEmpty: there is an archive in it, and none that this dump was being put into.
        DatabaseUnsuitable, DatabaseUnreachable: the user lacks a right, or is not let in.
        ServerProgramFailed: the file is no dump, or of a newer PostgreSQL.
        OSError: the file cannot be read.
    """
    with file.open("rb") as source:
        digest = hashlib.file_digest(source, "sha256").hexdigest()
    engine = create_engine(make_url(url), isolation_level="AUTOCOMMIT")
    try:
        with engine.connect() as connection:
            ensure_role(connection, APP_ROLE)
            if not _has_archive(connection):
                _mark(connection, digest)
                _fill(connection, make_url(url), file)
            elif _marked(connection) != digest:
                raise DatabaseNotEmpty
    except OperationalError as error:
        raise DatabaseUnreachable(problem=" ".join(str(error.orig).split())) from error
    finally:
        engine.dispose()
    _witness(url, clock, actor, witness_secret, EVENT_RESTORED, dump_sha256=digest)


def require_no_restoration(connection: Connection) -> None:
    """Refuses a database into which a copy is being put. Raises RestorationUnfinished."""
    if _marked(connection) is not None:
        raise RestorationUnfinished


def _has_archive(connection: Connection) -> bool:
    return bool(connection.execute(text("SELECT to_regclass('alembic_version') IS NOT NULL")).scalar_one())


def _marked(connection: Connection) -> str | None:
    """The digest of the dump that is being restored."""
    if connection.execute(text(f"SELECT to_regclass('{_MARK}')")).scalar_one() is None:
        return None
    return str(connection.execute(text("SELECT dump_sha256 FROM slipvault_restoring")).scalar_one())


def _mark(connection: Connection, digest: str) -> None:
    connection.execute(text(f"DROP TABLE IF EXISTS {_MARK}"))
    connection.execute(text(f"CREATE TABLE {_MARK} AS SELECT '{digest}'::text AS dump_sha256"))


def _fill(connection: Connection, url: URL, file: Path) -> None:
    try:
        _run(
            "pg_restore", url, "--no-owner", "--no-comments", "--exit-on-error", "--single-transaction", str(file)
        )  # fmt: skip
    except ServerProgramFailed:
        if not _has_archive(connection):  # it left nothing
            connection.execute(text(f"DROP TABLE IF EXISTS {_MARK}"))
        raise


def _witness(url: str | URL, clock: Clock, actor: Actor, witness_secret: bytes, event: str, **details: Any) -> None:
    database = Database(url, clock, pool_size=1)
    database.witness_secret = witness_secret
    try:
        with database.transaction(actor) as tx:
            if event == EVENT_RESTORED:
                tx.connection.execute(text("RESET ROLE"))  # the mark is its maker's
                tx.connection.execute(text(f"DROP TABLE {_MARK}"))
            tx.witness(event, "database", _DATABASE, **details)
            tx.commit()
    finally:
        database.dispose()


def _run(program: str, url: URL, *arguments: str, stdout: int = subprocess.DEVNULL) -> None:
    """The password goes by the environment: arguments are seen by every user of the machine."""
    host = url.query.get("host") or url.host
    told: dict[str, Any] = {"host": host, "port": url.port, "user": url.username, "dbname": url.database}
    told |= {name: value for name, value in url.query.items() if name != "host"}
    conninfo = psycopg.conninfo.make_conninfo("", **{name: value for name, value in told.items() if value})
    done = subprocess.run(
        [str(wheel_binaries() / program), "--dbname", conninfo, *arguments],
        env={"PGPASSWORD": str(url.password)} if url.password else None,
        stdout=stdout,
        stderr=subprocess.PIPE,
        check=False,
    )
    if done.returncode:
        raise ServerProgramFailed(program=program, said=done.stderr.decode(errors="replace").strip()[-400:])
