"""Composition: settings to context. The only place that picks a backend."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from vault.foundation.clock import SystemClock
from vault.foundation.context import Context
from vault.foundation.db.engine import Database
from vault.foundation.keys.custodian import open_custodian
from vault.foundation.keys.keyring import Keyring
from vault.foundation.storage import open_store
from vault.settings import Settings


def make_context(settings: Settings, database_url: str, *, pool_size: int = 12) -> Context:
    """Puts the parts together for one process. `database_url` is the server that runs, embedded or not.

    Raises:
        VaultError: a store or custodian address cannot be used; the error says which and why.
    """
    clock = SystemClock()
    custodian = open_custodian(settings.custodian_url, forbidden_parents=(settings.home,))
    return Context(
        clock=clock,
        database=Database(database_url, clock, pool_size=pool_size),
        store=open_store(settings.store_url, clock),
        custodian=custodian,
        keyring=Keyring(custodian),
        spool_directory=settings.spool_directory,
    )


@contextmanager
def open_context(settings: Settings, *, pool_size: int = 4) -> Iterator[Context]:
    """A context for a command on the host: joins the running server's database, or starts it for the while.

    Raises:
        VaultError: the database, store or custodian cannot be opened.
    """
    if settings.database_url is not None:
        context = make_context(settings, settings.database_url, pool_size=pool_size)
        try:
            yield context
        finally:
            context.database.dispose()
        return
    from vault.foundation.db.launcher import attached_or_started

    with attached_or_started(settings.database_directory) as url:
        context = make_context(settings, url, pool_size=pool_size)
        try:
            yield context
        finally:
            context.database.dispose()
