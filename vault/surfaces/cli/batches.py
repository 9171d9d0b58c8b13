"""`slipvault batches list|show|open|close`."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from vault.surfaces.cli.connection import connect
from vault.surfaces.cli.listing import After, Csv, From, Size, UnitCode, Until, day, given, print_page, write_csv
from vault.surfaces.cli.speaking import Json, _, new_group, print_facts, print_json, verb, word

group = new_group("batches", _("Open, close and look at batches."))
GROUPS = {"batches": group}

BatchId = Annotated[str, typer.Argument(metavar="ID", help=_("Id of the batch."))]
Name = Annotated[str, typer.Option("--name", help=_("Part of the name of the batch."))]
State = Annotated[str, typer.Option("--state", metavar="open|balanced|unbalanced", help=_("State of the batch."))]
Balanced = Annotated[
    bool | None, typer.Option("--balanced/--not-balanced", help=_("Whether every sheet is accounted for."))
]
Sender = Annotated[str, typer.Option("--sender", metavar="ID", help=_("Who opened it: a person or station."))]
Sheets = Annotated[int | None, typer.Option("--sheets", min=0, help=_("Sheets announced."))]


@verb(group, "list", _("List batches, newest first."))
def list_batches(
    name: Name = "",
    state: State = "",
    balanced: Balanced = None,
    unit: UnitCode = "",
    sender: Sender = "",
    opened_from: From = None,
    opened_until: Until = None,
    after: After = "",
    size: Size = 50,
    csv: Csv = None,
    as_json: Json = False,
) -> None:
    wanted = given(
        name=name,
        state=state,
        balanced=balanced,
        unit_code=unit,
        sender_id=sender,
        opened_from=day(opened_from),
        opened_until=day(opened_until),
    )
    if csv is not None:
        write_csv("/batches/export", wanted, csv, as_json=as_json)
        return
    with connect() as client:
        found = client.post("/batches/search", {"size": size, **given(after=after), **wanted})
    print_json(found) if as_json else _print_list(found)


def _print_list(found: dict[str, Any]) -> None:
    columns = (_("Name"), _("State"), _("Announced"), _("Received"), _("Refused"), _("Id"))
    rows = [
        (
            b["name"],
            word(b["state"]),
            b["balance"]["sheets_announced"],
            b["balance"]["received"],
            b["balance"]["refused"],
            b["id"],
        )
        for b in found["batches"]
    ]
    print_page(found, columns, rows)


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
