"""`slipvault database dump` and `slipvault database restore`."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from vault.foundation.errors import N_, Fault, VaultError
from vault.settings import Settings
from vault.surfaces.cli.speaking import Json, _, new_group, print_json, say, verb

group = new_group("database", _("Copy the catalogue database, or put a copy into an empty one (on the host)."))
GROUPS = {"database": group}

DumpFile = Annotated[Path, typer.Argument(metavar="FILE", help=_("The dump."))]


class DumpUnusable(VaultError):
    """The file of a dump cannot be written or read."""

    code = "dump-unusable"
    status = 400
    exit_code = 66
    fault = Fault.CALLER
    message = N_("The dump {file} cannot be used: {problem}.")
    hint = N_("Name a new file in a directory that you may write to, or an existing dump to restore.")


@verb(group, "dump", _("Write a dump, also while the service runs. It holds names in clear: keep it safe."))
def dump(file: DumpFile, as_json: Json = False) -> int:
    from vault.foundation.clock import SystemClock
    from vault.foundation.db import copies
    from vault.foundation.ledger.entry import Actor

    with _opened() as url, _told(file):
        size_bytes = copies.dump(url, file, SystemClock(), Actor("operator"), _witness_secret())
    if as_json:
        print_json({"file": str(file), "size_bytes": size_bytes})
    else:
        say(_("{file}: {size} bytes").format(file=file, size=size_bytes))
    return 0


@verb(group, "restore", _("Put a dump into an empty database. Store and custodian are restored apart."))
def restore(file: DumpFile, as_json: Json = False) -> int:
    from vault.foundation.clock import SystemClock
    from vault.foundation.db import copies
    from vault.foundation.ledger.entry import Actor

    with _opened() as url, _told(file):
        copies.restore(url, file, SystemClock(), Actor("operator"), _witness_secret())
    if as_json:
        print_json({"file": str(file), "restored": True})
    else:
        say(_("restored; start the service, then: slipvault verify"))
    return 0


def _witness_secret() -> bytes:
    from vault.foundation.keys.custodian import open_custodian

    settings = Settings.from_environment()
    return open_custodian(settings.custodian_url, forbidden_parents=(settings.home,)).witness_secret()


@contextmanager
def _opened() -> Iterator[str]:
    """The database of this host: the one that is named, the running one, or the embedded one started for the while."""
    from vault.foundation.db.launcher import attached_or_started

    settings = Settings.from_environment()
    if settings.database_url is not None:
        yield settings.database_url
        return
    settings.home.mkdir(mode=0o711 if os.geteuid() == 0 else 0o700, parents=True, exist_ok=True)
    with attached_or_started(settings.database_directory, lambda text: say(_(text))) as url:
        yield url


@contextmanager
def _told(file: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise DumpUnusable(file=str(file), problem=os.strerror(error.errno or 0)) from error
