"""Which server a command speaks to, and as whom: environment, else a person who signed in, else the operator of this
host, else the token of `slipvault login`.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TextIO
from urllib.parse import urlsplit

from vault.foundation.errors import N_, Fault, VaultError
from vault.settings import Settings, configuration_directory
from vault.surfaces.cli.speaking import chosen_language

if TYPE_CHECKING:
    from vault.foundation.context import Context
    from vault.surfaces.client import Client

_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


class NotSignedIn(VaultError):
    """No server is known to this user."""

    code = "not-signed-in"
    status = 401
    exit_code = 78
    fault = Fault.CALLER
    message = N_("No server is known here: none runs from {home}, and nobody signed in.")
    hint = N_("Start one with scripts/run, or sign in: slipvault login URL.")


class TokenUnreadable(VaultError):
    """The file that holds the token cannot be read."""

    code = "token-unreadable"
    status = 401
    exit_code = 78
    fault = Fault.CALLER
    message = N_("The token file {file} cannot be used: {problem}.")
    hint = N_("Check SLIPVAULT_TOKEN_FILE or sign in again: slipvault login URL.")


class BadServerAddress(VaultError):
    """The address is none that a token may be sent to."""

    code = "bad-server-address"
    status = 400
    exit_code = 64
    fault = Fault.CALLER
    message = N_("{address} is not an address to sign in to: {problem}.")
    hint = N_("Use https://HOST, or http:// for this computer only.")


@dataclass(frozen=True)
class Account:
    """A server, the token for it, and where both were found."""

    server: str
    token: str
    source: str


def find_account(settings: Settings) -> Account:
    """The server and token of this user.

    Raises:
        NotSignedIn, TokenUnreadable.
    """
    if settings.server_url and settings.token_file:
        return Account(settings.server_url, _read(settings.token_file), "environment")
    signed_in = find_login()
    if signed_in is not None and signed_in.source == "person":
        return signed_in  # whoever signed in as themselves means it, also on the host
    run = settings.home / "run"
    try:
        server = settings.server_url or (run / "server.url").read_text(encoding="utf-8").strip()
        return Account(server, (run / "operator.token").read_text(encoding="ascii").strip(), "operator")
    except (OSError, ValueError):
        pass  # not the host, or not its operator
    if signed_in is None:
        raise NotSignedIn(home=str(settings.home))
    return signed_in


def find_login() -> Account | None:
    """What `slipvault login` kept; none when nobody signed in. Raises TokenUnreadable."""
    file = login_file()
    try:
        told = json.loads(file.read_text(encoding="utf-8"))
        source = "person" if told.get("is_person") else "login"
        return Account(str(told["server"]), str(told["token"]), source)
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise TokenUnreadable(file=str(file), problem=type(error).__name__) from error


def login_file() -> Path:
    """Where `slipvault login` keeps server and token, readable by its owner only."""
    return configuration_directory() / "login.json"


def keep_login(server: str, token: str, *, is_person: bool = False) -> Path:
    """Writes the sign-in, whole and for the owner only.

    Raises:
        TokenUnreadable: it cannot be written.
    """
    file = login_file()
    temporary = file.with_name(f".{file.name}.{os.getpid()}")
    try:
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w", encoding="utf-8") as target:
            json.dump({"server": server, "token": token, "is_person": is_person}, target)
        temporary.replace(file)
    except OSError as error:
        raise TokenUnreadable(file=str(file), problem=os.strerror(error.errno or 0)) from error
    return file


@contextmanager
def new_private_file(file: Path) -> Iterator[TextIO]:
    """A file for a secret: new, for its owner only, and gone again when what was to fill it fails.

    Raises:
        TokenUnreadable: it is there already or cannot be made.
    """
    try:
        handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        raise TokenUnreadable(file=str(file), problem=os.strerror(error.errno or 0)) from error
    try:
        with os.fdopen(handle, "w", encoding="ascii") as target:
            yield target
    except BaseException:
        file.unlink(missing_ok=True)
        raise


def checked_address(address: str, *, may_be_plain: bool) -> str:
    """The address without its trailing slash; a token is not sent in the clear to another host.

    Raises:
        BadServerAddress.
    """
    parts = urlsplit(address)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.username or parts.query:
        raise BadServerAddress(address=address.partition("?")[0], problem=N_("the form is https://HOST[:PORT]"))
    if parts.scheme == "http" and parts.hostname not in _LOOPBACK and not may_be_plain:
        raise BadServerAddress(address=address, problem=N_("the token and all scans would be readable on the way"))
    return address.rstrip("/")


def connect(connections: int = 8) -> Client:
    """A client for the server of this user. Raises NotSignedIn, TokenUnreadable."""
    from vault.surfaces.client import Client

    settings = Settings.from_environment()
    account = find_account(settings)
    return Client(
        account.server,
        account.token,
        language=chosen_language().value,
        connections=connections,
        newest_token=lambda: find_account(settings).token,
    )


@contextmanager
def opened_host() -> Iterator[Context]:
    """The parts of the installation on this host, without its server.

    Raises:
        HostUnreadable: this user may not read the home directory.
        VaultError: database, store or custodian cannot be opened.
    """
    from vault.app import open_context

    settings = Settings.from_environment()
    if not os.access(settings.home, os.R_OK | os.X_OK):
        raise HostUnreadable(home=str(settings.home))
    with open_context(settings) as context:
        yield context


class HostUnreadable(VaultError):
    """The command works on the host's own files, and this user may not, or they are elsewhere."""

    code = "host-unreadable"
    status = 403
    exit_code = 78
    fault = Fault.CALLER
    message = N_("The home directory {home} does not exist or may not be read by you.")
    hint = N_("Run this on the host as the user who runs slipvault, or set SLIPVAULT_HOME.")


def _read(file: Path) -> str:
    try:
        token = file.read_text(encoding="ascii").strip()
    except (OSError, ValueError) as error:
        problem = os.strerror(error.errno or 0) if isinstance(error, OSError) else N_("it is not a token")
        raise TokenUnreadable(file=str(file), problem=problem) from error
    if not token:
        raise TokenUnreadable(file=str(file), problem=N_("it is empty"))
    return token
