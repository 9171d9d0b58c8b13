"""The engine: connections that act as the lesser role, reads that cannot write, and writes in a transaction."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import cast

import psycopg
from sqlalchemy import URL, Connection, Engine, create_engine, event, func, make_url, select, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.pool import ConnectionPoolEntry

from vault.foundation.clock import Clock
from vault.foundation.db.bounds import bound_instants
from vault.foundation.db.errors import DatabaseFull, DatabaseUnavailable, DatabaseUnsuitable
from vault.foundation.db.transaction import Transaction
from vault.foundation.ledger.entry import Actor

APP_ROLE = "slipvault_app"
_STATEMENT_TIMEOUT_MS = 120_000
# A statement that writes is prepared when it comes the third time, and then planned once for all values.
_PREPARE_AFTER = 2


class Database:
    """PostgreSQL as the application sees it.

    Connections take on the role `slipvault_app`, which owns nothing and can neither update nor delete ledger
    rows; only migrations run as the owner. `witness_secret` comes from the custodian, with the `Context`.
    """

    witness_secret: bytes = b""

    def __init__(self, url: str | URL, clock: Clock, *, pool_size: int = 12, timeout_s: float = 15.0) -> None:
        self.url = make_url(url)
        self.clock = clock
        self.engine = _make_engine(self.url, pool_size, timeout_s)

    @contextmanager
    def transaction(self, actor: Actor, *, is_of_one_instant: bool = False) -> Iterator[Transaction]:
        """A unit of work for `actor`: rolled back unless `commit()` is called.

        With `is_of_one_instant` all it reads is as it was when it began, whatever others commit meanwhile.

        Raises:
            DatabaseUnavailable: the server cannot be reached, or was lost on the way; nothing was committed.
            DatabaseFull: the server has no room left.
            UnwitnessedChange: at `commit()`, when a change has no ledger entry.
        """
        with self._connected(_PREPARE_AFTER) as connection:
            if is_of_one_instant:
                connection.execution_options(isolation_level="REPEATABLE READ")
            tx = Transaction(connection, actor, self.clock, self.witness_secret)
            try:
                yield tx
            finally:
                tx.close()

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A connection in a read-only transaction with one consistent snapshot. Raises DatabaseUnavailable."""
        # Never prepared, hence planned with the values at hand: a generic plan made a search 250 times slower.
        with self._connected(None) as connection:
            # As options they go with BEGIN; as a statement they would cost a round trip of their own.
            snapshot = connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
            try:
                yield snapshot
            finally:
                snapshot.rollback()

    @contextmanager
    def autocommit(self) -> Iterator[Connection]:
        """A connection for single statements outside any transaction: advisory locks, queue upkeep, notices."""
        with self._connected(_PREPARE_AFTER) as connection:
            yield connection.execution_options(isolation_level="AUTOCOMMIT")

    @contextmanager
    def alone(self, key: int) -> Iterator[Connection | None]:
        """One at a time by the advisory lock `key`, which also dies with the connection: that connection, or None.

        None: somebody else has the lock. A statement on the connection fails once it is gone, and with it the lock.
        """
        with self.autocommit() as guard:
            if not guard.execute(select(func.pg_try_advisory_lock(key))).scalar_one():
                yield None
                return
            try:
                yield guard
            finally:
                if not guard.invalidated:  # what went wrong on it is told, and nothing that follows from it
                    guard.execute(select(func.pg_advisory_unlock(key)))

    def is_ready(self) -> bool:
        """Whether the server answers now."""
        try:
            with self.engine.connect() as connection:
                connection.execute(text("SELECT 1"))
        except OperationalError:
            return False
        return True

    def check_suitable(self) -> None:
        """Refuses a server on which Chinese substring search would silently find nothing.

        Raises:
            DatabaseUnsuitable: no trigrams are taken from Chinese text (LC_CTYPE is C or builtin).
        """
        with self.read() as connection:
            trigrams = connection.execute(text("SELECT show_trgm('北京小米')")).scalar_one()
        if not trigrams:
            raise DatabaseUnsuitable(
                problem="pg_trgm takes no trigrams from Chinese text under its locale",
                advice="Create the database with LC_CTYPE 'C.UTF-8' (libc) and encoding UTF8.",
            )

    def dispose(self) -> None:
        """Closes the pooled connections."""
        self.engine.dispose()

    @contextmanager
    def _connected(self, prepare_after: int | None) -> Iterator[Connection]:
        try:
            with self.engine.connect() as connection:
                driver = cast("psycopg.Connection[object]", connection.connection.driver_connection)
                driver.prepare_threshold = prepare_after
                yield connection
        except (OperationalError, PoolTimeout) as error:
            raise _meaning(error) from error


_DISK_FULL_SQLSTATE = "53100"
# Connection, resources, shutdown and crash, the system below the server.
_OUTAGE_SQLSTATES = ("08", "53", "57P", "58")


def _meaning(error: OperationalError | PoolTimeout) -> Exception:
    """An outage by its name; the error itself when a statement failed for another reason: that is a defect of ours."""
    if isinstance(error, PoolTimeout):
        return DatabaseUnavailable()
    state = error.orig.sqlstate if isinstance(error.orig, psycopg.Error) else None
    if state == _DISK_FULL_SQLSTATE:
        return DatabaseFull()
    if state is None or state.startswith(_OUTAGE_SQLSTATES):
        return DatabaseUnavailable()
    return error


def _make_engine(url: URL, pool_size: int, timeout_s: float) -> Engine:
    engine = create_engine(
        url,
        pool_size=pool_size,
        max_overflow=4,
        pool_timeout=timeout_s,
        pool_pre_ping=False,
        hide_parameters=True,  # a failing statement must not carry names and numbers into a log
        connect_args={
            "connect_timeout": max(2, int(timeout_s)),
            "options": f"-c statement_timeout={_STATEMENT_TIMEOUT_MS} -c timezone=UTC",
        },
    )

    @event.listens_for(engine, "connect")
    def become_app(connection: psycopg.Connection[object], _record: ConnectionPoolEntry) -> None:
        bound_instants(connection)
        with connection.cursor() as cursor:
            cursor.execute(f"SET ROLE {APP_ROLE}")
        connection.commit()

    @event.listens_for(engine, "handle_error")
    def drop_dead_connections(context: object) -> None:
        # After a server restart every pooled connection is dead: one failure empties the pool.
        original = getattr(context, "original_exception", None)
        if isinstance(original, psycopg.OperationalError) and original.sqlstate in {None, "57P01", "57P02", "57P03"}:
            context.is_disconnect = True  # type: ignore[attr-defined]  # SQLAlchemy's own mutable context

    return engine
