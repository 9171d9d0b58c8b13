"""The parts of the foundation that a running process holds, put together once in `vault.app`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from vault.foundation.clock import Clock
from vault.foundation.db.engine import Database
from vault.foundation.keys.custodian import Custodian
from vault.foundation.keys.keyring import Keyring
from vault.foundation.storage.interface import Store


@dataclass(frozen=True)
class Context:
    """What every verb may use.

    `spool_directory` takes nameless files, which end with their request, and what has arrived of an unfinished upload,
    sealed so that only the custodian opens it.
    """

    clock: Clock
    database: Database
    store: Store
    custodian: Custodian
    keyring: Keyring
    spool_directory: Path

    def __post_init__(self) -> None:
        self.database.witness_secret = self.custodian.witness_secret()
