"""What the command line says: language, tables, JSON, and errors with their exit code.

Results go to standard output, everything else to standard error. With `--json` both are JSON: one object or one
line for each thing on standard output, and the final error as one object on standard error.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from vault.foundation.errors import N_, Fault, VaultError
from vault.settings import spoken_language
from vault.surfaces.i18n import Language, Translator, choose_language, translator

if TYPE_CHECKING:
    from collections.abc import Callable

    from rich.console import Console

    from vault.oversight.model import Finding

EXIT_CODES = N_(
    "Exit codes: 0 done; 1 some refused, or findings; 64 wrong usage; 65 wrong data; 66 not found; 69 unavailable; "
    "70 internal error; 75 try again; 77 not allowed; 78 configuration."
)
# states and events, as lists and lines name them
WORDS: dict[str, str] = {
    "accepted": N_("accepted"),
    "duplicate": N_("duplicate"),
    "refused": N_("refused"),
    "unsent": N_("not sent"),
    "open": N_("open"),
    "balanced": N_("balanced"),
    "unbalanced": N_("NOT balanced"),
    "started": N_("watching"),
    "waiting": N_("waiting"),
    "trouble": N_("trouble"),
    "changed": N_("replaced before it was answered"),
    "gone": N_("went away before it was answered"),
    "batch-opened": N_("batch opened"),
    "batch-closed": N_("batch closed"),
    "stopped": N_("stopped"),
    "ledger": N_("ledger"),
    "records": N_("records"),
    "objects": N_("objects"),
    "abandoned": N_("unfinished uploads"),
    "leftovers": N_("leftovers"),
    "versions": N_("versions in the store"),
}
_EXIT_BY_STATUS = {400: 64, 401: 77, 403: 77, 404: 66, 409: 75, 413: 65, 422: 65, 429: 75}


def _asked_language(arguments: Sequence[str]) -> str | None:
    for place, argument in enumerate(arguments):
        if argument.startswith("--lang="):
            return argument.removeprefix("--lang=")
        if argument == "--lang" and place + 1 < len(arguments):
            return arguments[place + 1]
    return None


def chosen_language() -> Language:
    """The language of this run: `--lang`, else that of the environment, else Chinese."""
    return choose_language(_asked_language(sys.argv[1:]), spoken_language())


def speaker() -> Translator:
    """The translator of this run."""
    return translator(chosen_language())


def _(message: str) -> str:
    return speaker().gettext(message)


def word(code: str) -> str:
    """The word of this run's language for a state or event."""
    return _(WORDS.get(code, code))


def is_json_asked() -> bool:
    """Whether this run was asked for JSON, also before its options were read."""
    return "--json" in sys.argv[1:]


Json = Annotated[bool, typer.Option("--json", help=_(N_("Print JSON instead of text.")))]


def new_group(name: str, help_text: str, *, has_verbs: bool = True) -> typer.Typer:
    """A noun, or a command that is its own verb. `help_text` is already in the language of this run."""
    group = typer.Typer(
        name=name,
        help=help_text,
        epilog=_(EXIT_CODES),
        no_args_is_help=has_verbs,
        add_completion=False,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    if has_verbs:
        group.callback()(_keep_verbs)
    return group


def _keep_verbs() -> None:
    """A noun with a single verb is still called by noun and verb."""
    return


def verb(group: typer.Typer, name: str, help_text: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Adds a verb to a noun, with the exit codes in its help."""
    return group.command(
        name,
        help=help_text,
        epilog=_(EXIT_CODES),
        context_settings={"help_option_names": ["-h", "--help"]},
    )


def print_json(value: Any) -> None:
    """One JSON document on one line of standard output, at once."""
    sys.stdout.write(json.dumps(value, ensure_ascii=False, default=str) + "\n")
    sys.stdout.flush()


def console(*, is_error: bool = False) -> Console:
    """A terminal that colours when it can; names in texts are never markup."""
    from rich.console import Console

    return Console(stderr=is_error, markup=False, highlight=False, emoji=False)


def say(text: str) -> None:
    """A line on standard error."""
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


def finding_body(finding: Finding) -> dict[str, Any]:
    """What verification or reconciliation found, as JSON in the language of this run."""
    return {
        "code": finding.code.value,
        "subject_type": finding.subject_type,
        "subject_id": finding.subject_id,
        "message": _(finding.message).format(**finding.facts),
        "facts": finding.facts,
    }


def print_findings(found: Iterable[dict[str, Any]]) -> None:
    """A line for each: code, what it is about, and its sentence."""
    for finding in found:
        cells = (finding["code"], f"{finding['subject_type']} {finding['subject_id']}", finding["message"])
        sys.stdout.write("\t".join(plain(cell) for cell in cells) + "\n")


def progress_line() -> Callable[[str, int, int | None], None] | None:
    """Tells a stage and how far it is on a line that is written over; nothing where no person looks on."""
    if not sys.stderr.isatty():
        return None

    def tell(stage: str, done: int, total: int | None) -> None:
        sys.stderr.write(f"\r\033[K{word(stage)} {done}" + (f"/{total}" if total else ""))
        if total is not None and done >= total:
            sys.stderr.write("\n")
        sys.stderr.flush()

    return tell


def print_table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """A table, as wide as the terminal; whole and tab-separated when piped elsewhere."""
    if not sys.stdout.isatty():
        for row in rows:
            sys.stdout.write("\t".join(plain(cell) for cell in row) + "\n")
        return
    from rich.table import Table

    table = Table(box=None, header_style="bold", pad_edge=False)
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*[plain(cell) for cell in row])
    console().print(table)


def print_facts(facts: Iterable[tuple[str, object]]) -> None:
    """Names and values below each other; what is not known is left out."""
    for name, value in facts:
        if value not in (None, "", []):
            sys.stdout.write(f"{name}: {plain(value)}\n")
    sys.stdout.flush()


def plain(cell: object) -> str:
    """A text without what would move the cursor or break a line: names come from elsewhere."""
    text = "" if cell is None else str(cell)
    return "".join(
        c if c.isprintable() and not "\ud800" <= c <= "\udfff" else "\N{REPLACEMENT CHARACTER}" for c in text
    )


def describe_error(error: VaultError) -> dict[str, Any]:
    """An error as JSON, in the language of this run; a server's problem document keeps its words."""
    from vault.surfaces.client import ServerRefused

    if isinstance(error, ServerRefused):
        problem: Mapping[str, Any] = error.problem
        return {
            "code": error.problem_code,
            "message": problem.get("title"),
            "hint": problem.get("hint"),
            "fault": problem.get("fault", Fault.CALLER.value),
            "facts": problem.get("facts", {}),
            "exit_code": exit_code_of(error),
        }
    told = speaker().explain(error)
    return {
        "code": told.code,
        "message": told.what_happened,
        "hint": told.what_to_do,
        "fault": error.fault.value,
        "facts": {name: str(value) for name, value in error.facts.items()},
        "exit_code": exit_code_of(error),
    }


def exit_code_of(error: VaultError) -> int:
    """The documented exit code of an error."""
    from vault.surfaces.client import ServerRefused

    if isinstance(error, ServerRefused):
        return _EXIT_BY_STATUS.get(error.http_status, 70 if error.http_status >= 500 else 65)
    return error.exit_code


def tell_error(error: VaultError) -> int:
    """Says what happened and what to do; returns the exit code."""
    told = describe_error(error)
    if is_json_asked():
        say(json.dumps({"error": told}, ensure_ascii=False))
    else:
        say(f"{told['message']} [{told['code']}]")
        if told["hint"]:
            say(str(told["hint"]))
    return int(told["exit_code"])
