"""The entry point `slipvault`: finds the noun that is asked for and imports only that one."""

from __future__ import annotations

import json
import sys
from importlib import import_module
from typing import Any

import typer
from typer.core import TyperGroup
from typer.exceptions import TyperException

from vault import __version__
from vault.foundation.errors import N_, VaultError
from vault.surfaces.cli.speaking import EXIT_CODES, _, describe_error, is_json_asked, say, tell_error

# noun or single command -> what its help says in the overview
NOUNS: dict[str, str] = {
    "intake": N_("Send scans into the archive."),
    "records": N_("Find records, look at them, fetch their originals."),
    "batches": N_("Open, close and look at batches."),
    "quarantine": N_("See what was refused and why, and say what was done about it."),
    "classes": N_("See the retention classes."),
    "schedule": N_("Read, change and approve the schedule of retention classes."),
    "events": N_("Report the events from which periods count."),
    "file": N_("File records: their locks become those of their classes."),
    "why": N_("Tell why a record is still here."),
    "holds": N_("Hold records that a court or authority asks for, so that nobody can destroy them."),
    "station": N_("Watch a scanner's folder and send what comes into it."),
    "login": N_("Sign in to a server with a token."),
    "logout": N_("Forget the token of this computer."),
    "whoami": N_("Show which server is used, and as whom."),
    "verify": N_("Hold store, catalogue, keys and ledger against each other (on the host)."),
    "ledger": N_("List entries; export the ledger (on the host); verify an export anywhere."),
    "store": N_("Probe what a store refuses; settle what is left over in it."),
    "keys": N_("See the state of the custodian and its epochs (on the host)."),
    "database": N_("Copy the catalogue database, or put a copy into an empty one (on the host)."),
    "serve": N_("Run the whole service on this host."),
    "worker": N_("Run one more worker."),
}
_MODULES = {
    "login": "session",
    "logout": "session",
    "whoami": "session",
    "worker": "serve",
    "file": "filing",
    "why": "filing",
}


class LazyNouns(TyperGroup):
    """Knows all nouns by name, and imports one when it is used."""

    def list_commands(self, ctx: Any) -> list[str]:
        del ctx
        return list(NOUNS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """The command, imported; nothing for a name that is none."""
        del ctx
        if cmd_name not in NOUNS:
            return None
        module = import_module(f"vault.surfaces.cli.{_MODULES.get(cmd_name, cmd_name)}")
        return typer.main.get_command(module.GROUPS[cmd_name])

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """The overview, without importing anything."""
        del ctx
        with formatter.section(_("Commands")):
            formatter.write_dl([(name, _(text)) for name, text in NOUNS.items()])


_INTERRUPTED = 130

app = typer.Typer(
    name="slipvault",
    cls=LazyNouns,
    help=_("Keeps business slips as long as the law says, and proves that nothing was changed."),
    epilog=_(EXIT_CODES),
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _show_version(is_asked: bool) -> None:
    if is_asked:
        print(f"slipvault {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    lang: str = typer.Option("", "--lang", metavar="zh|en", help=_("Language; by default that of LANG, else zh.")),
    version: bool = typer.Option(
        False, "--version", is_eager=True, callback=_show_version, help=_("Show the version.")
    ),
) -> None:
    del lang, version  # the language is needed before options are read; see speaking.chosen_language


def main() -> None:
    """Runs one command and ends with its documented exit code."""
    try:
        outcome = app(standalone_mode=False)
    except VaultError as error:
        sys.exit(tell_error(error))
    except typer.Abort:
        say(_("Stopped."))
        sys.exit(75)
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(0)
    except TyperException as error:
        sys.exit(_tell_usage(error))
    if outcome == _INTERRUPTED:  # the library catches Ctrl-C itself
        say(_("Stopped. The same command goes on with what is left."))
        sys.exit(75)
    sys.exit(outcome if isinstance(outcome, int) else 0)


def _tell_usage(error: Any) -> int:
    """A wrong option or argument; 64 (EX_USAGE) whatever the library thinks."""
    message = error.format_message()
    if is_json_asked():
        told = {**describe_error(VaultError()), "code": "usage", "message": message, "hint": "", "exit_code": 64}
        say(json.dumps({"error": told}, ensure_ascii=False))
        return 64
    if not message and getattr(error, "ctx", None) is not None:
        print(error.ctx.get_help())
        return 64
    ctx = getattr(error, "ctx", None)
    if ctx is not None:
        say(ctx.get_usage())
    say(message)
    return 64


if __name__ == "__main__":
    main()
