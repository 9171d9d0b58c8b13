"""`slipvault login`, `logout`, `whoami`."""

from __future__ import annotations

import sys
from contextlib import suppress
from pathlib import Path
from typing import Annotated

import typer

from vault.access.errors import PasswordMustChange
from vault.access.rights import Right
from vault.settings import Settings
from vault.surfaces.cli.connection import Account, checked_address, find_account, find_login, keep_login, login_file
from vault.surfaces.cli.speaking import Json, _, chosen_language, new_group, print_facts, print_json, verb

login_group = new_group("login", _("Sign in to a server with a token."), has_verbs=False)
logout_group = new_group("logout", _("Forget the token of this computer."), has_verbs=False)
whoami_group = new_group("whoami", _("Show which server is used, and as whom."), has_verbs=False)
GROUPS = {"login": login_group, "logout": logout_group, "whoami": whoami_group}

TokenFile = Annotated[
    Path | None,
    typer.Option("--token-file", help=_("File that holds the token; without it you are asked, or it is piped in.")),
]
As = Annotated[
    str,
    typer.Option(
        "--as",
        metavar="NAME",
        help=_(
            "Sign in as yourself with your password, which is asked for or piped in; it ends after an hour unused."
        ),
    ),
]
PlainHttp = Annotated[bool, typer.Option("--allow-plain-http", help=_("Send the token unencrypted to another host."))]


@verb(
    login_group, "login", _("Sign in to a server with a token. The token is never an argument: others could see it.")
)
def login(
    url: Annotated[str, typer.Argument(help=_("Address of the server, https://HOST[:PORT]."))],
    token_file: TokenFile = None,
    sign_in_name: As = "",
    allow_plain_http: PlainHttp = False,
    as_json: Json = False,
) -> None:
    server = checked_address(url, may_be_plain=allow_plain_http)
    if sign_in_name:
        token = _sign_in(server, sign_in_name)
    elif token_file is not None:
        token = token_file.read_text(encoding="ascii").strip()
    elif sys.stdin.isatty():
        token = str(typer.prompt(_("Token"), hide_input=True, err=True)).strip()
    else:
        token = sys.stdin.readline().strip()
    account = Account(server, token, "person" if sign_in_name else "login")
    _require_accepted(account)
    file = keep_login(server, token, is_person=bool(sign_in_name))
    _show(account, as_json=as_json, file=str(file))


def _sign_in(server: str, name: str) -> str:
    """The token of a new session. Raises ServerRefused, PasswordMustChange."""
    from vault.surfaces.client import Client

    if sys.stdin.isatty():
        password = str(typer.prompt(_("Password"), hide_input=True, err=True))
    else:
        password = sys.stdin.readline().rstrip("\n")
    with Client(server, "", language=chosen_language().value) as client:
        session = client.post("/session", {"sign_in_name": name, "password": password})
    if session["must_change_password"]:
        raise PasswordMustChange(right=Right.SELF_SESSION_USE.value)
    return str(session["token"])


@verb(
    logout_group, "logout", _("Forget the token of this computer. The server still accepts it until it is revoked.")
)
def logout(as_json: Json = False) -> None:
    file = login_file()
    existed = file.exists()
    _end_session()
    file.unlink(missing_ok=True)
    if as_json:
        print_json({"signed_out": existed})
    else:
        print_facts([(_("Signed out"), _("yes") if existed else _("nobody was signed in"))])


def _end_session() -> None:
    """Ends the session of a person at the server, too; one that has ended already is no trouble."""
    from vault.surfaces.client import Client, ServerRefused, Unavailable

    account = find_login()
    if account is not None and account.source == "person":
        with suppress(ServerRefused, Unavailable), Client(account.server, account.token) as client:
            client.post("/session/end", {})


@verb(whoami_group, "whoami", _("Show which server is used, as whom, and whether it accepts the token."))
def whoami(as_json: Json = False) -> None:
    account = find_account(Settings.from_environment())
    _require_accepted(account)
    _show(account, as_json=as_json)


def _require_accepted(account: Account) -> None:
    """One question to the server. A token that lacks the right to ask it is still a token of this server."""
    from vault.surfaces.client import Client, ServerRefused

    with Client(account.server, account.token, language=chosen_language().value) as client:
        try:
            client.get("/classes")
        except ServerRefused as refusal:
            if refusal.http_status != 403:
                raise


def _show(account: Account, *, as_json: bool, **more: str) -> None:
    sources = {
        "operator": _("operator of this host"),
        "login": _("token of slipvault login"),
        "person": _("a person who signed in with slipvault login --as"),
        "environment": _("token of SLIPVAULT_TOKEN_FILE"),
    }
    if as_json:
        print_json({"server": account.server, "as": account.source, "accepted": True, **more})
    else:
        print_facts([(_("Server"), account.server), (_("Signed in as"), sources[account.source]), *more.items()])
