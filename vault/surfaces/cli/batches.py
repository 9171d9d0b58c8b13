"""`slipvault batches list|show|open|close`."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from vault.surfaces.cli.connection import connect
from vault.surfaces.cli.speaking import Json, _, new_group, print_facts, print_json, print_table, verb, word

group = new_group("batches", _("Open, close and look at batches."))
GROUPS = {"batches": group}

BatchId = Annotated[str, typer.Argument(metavar="ID", help=_("Id of the batch."))]
After = Annotated[str, typer.Option("--after", metavar="ID", help=_("Go on after this batch."))]
Size = Annotated[int, typer.Option("--size", min=1, max=200, help=_("Batches on a page."))]
Sheets = Annotated[int | None, typer.Option("--sheets", min=0, help=_("Sheets announced."))]
UnitCode = Annotated[str, typer.Option("--unit", metavar="CODE", help=_("Unit that the batch belongs to."))]


@verb(group, "list", _("List batches, newest first."))
def list_batches(after: After = "", size: Size = 50, as_json: Json = False) -> None:
    with connect() as client:
        found = client.get("/batches", after=after or None, size=size)
    if as_json:
        print_json(found)
        return
    columns = (_("Name"), _("State"), _("Announced"), _("Received"), _("Refused"), _("Id"))
    print_table(
        columns,
        [
            (
                b["name"],
                word(b["state"]),
                b["balance"]["sheets_announced"],
                b["balance"]["received"],
                b["balance"]["refused"],
                b["id"],
            )
            for b in found["batches"]
        ],
    )


@verb(group, "show", _("Show one batch with its balance."))
def show(batch_id: BatchId, as_json: Json = False) -> None:
    with connect() as client:
        _print(client.get(f"/batches/{batch_id}"), as_json=as_json)


@verb(group, "open", _("Open a batch, or show the open one of that name."))
def open_batch(
    name: Annotated[str, typer.Argument(help=_("Name of the batch."))],
    sheets: Sheets = None,
    unit: UnitCode = "",
    as_json: Json = False,
) -> None:
    body = {"name": name, "sheets_announced": sheets, **({"unit_code": unit} if unit else {})}
    with connect() as client:
        _print(client.post("/batches", body), as_json=as_json)


@verb(group, "close", _("Close a batch; the exit code is 1 when it is not balanced."))
def close(batch_id: BatchId, as_json: Json = False) -> int:
    with connect() as client:
        closed = client.close_batch(batch_id)
    _print(closed, as_json=as_json)
    return 0 if closed["balance"]["balanced"] else 1


def _print(batch: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        print_json(batch)
        return
    facts = {name: value for name, value in batch.items() if name != "balance"}
    print_facts([*facts.items(), *batch["balance"].items()])
