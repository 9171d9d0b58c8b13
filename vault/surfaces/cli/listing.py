"""What every `list` of the command line has in common: pages, days, and writing the whole list into a file."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from vault.surfaces.cli.connection import connect
from vault.surfaces.cli.files import FileUnwritable
from vault.surfaces.cli.speaking import _, print_facts, print_json, print_table

_DATE = ["%Y-%m-%d"]

After = Annotated[str, typer.Option("--after", metavar="ID", help=_("Go on after this line."))]
Size = Annotated[int, typer.Option("--size", min=1, max=200, help=_("Lines on a page."))]
From = Annotated[datetime | None, typer.Option("--from", formats=_DATE, help=_("First day."))]
Until = Annotated[datetime | None, typer.Option("--until", formats=_DATE, help=_("Last day."))]
UnitCode = Annotated[str, typer.Option("--unit", metavar="CODE", help=_("Unit."))]
Csv = Annotated[
    Path | None,
    typer.Option(
        "--csv",
        metavar="FILE",
        help=_("Write the whole list into FILE as CSV instead: names are masked, and the ledger notes it."),
    ),
]


def day(at: datetime | None) -> str | None:
    """A day as the interface takes it."""
    return at.date().isoformat() if at else None


def given(**filters: object) -> dict[str, Any]:
    """The filters that were given."""
    return {name: value for name, value in filters.items() if value not in (None, "")}


def write_csv(path: str, filters: Mapping[str, Any], target: Path, *, as_json: bool) -> None:
    """The whole list into a file, which appears whole or not at all.

    Raises:
        FileUnwritable, Unavailable, ServerRefused.
    """
    from vault.surfaces.station.folder import words_of

    try:
        handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
        try:
            with os.fdopen(handle, "wb") as file, connect() as client:
                count = client.export(path, filters, file)
            Path(name).replace(target)
        finally:
            Path(name).unlink(missing_ok=True)
    except OSError as error:
        raise FileUnwritable(file=str(target), problem=words_of(error)) from error
    if as_json:
        print_json({"file": str(target), "lines": count})
    else:
        print_facts([(_("File"), target), (_("Lines"), count)])


def print_page(found: Mapping[str, Any], columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """A page of a list; on a terminal also how many there are and how to go on."""
    print_table(columns, rows)
    if sys.stdout.isatty():
        count = f"{found['count']}" + ("" if found["count_is_exact"] else "+")
        print_facts([(_("Found"), count), (_("More with --after"), found.get("after"))])
