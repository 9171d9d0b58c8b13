"""`slipvault quarantine list|handle|reopen`."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from vault.surfaces.cli.connection import connect
from vault.surfaces.cli.listing import After, Csv, From, Size, UnitCode, Until, day, given, print_page, write_csv
from vault.surfaces.cli.speaking import Json, _, new_group, print_json, print_table, say, verb

group = new_group("quarantine", _("See what was refused and why, and say what was done about it."))
GROUPS = {"quarantine": group}

Name = Annotated[str, typer.Option("--name", help=_("Part of the file's name."))]
State = Annotated[str, typer.Option("--state", metavar="waiting|handled", help=_("Whether it waits or was seen to."))]
Reason = Annotated[str, typer.Option("--reason", metavar="CODE", help=_("Code of a reason."))]
Sender = Annotated[str, typer.Option("--sender", metavar="ID", help=_("Who sent it: a person or station."))]
BatchId = Annotated[str, typer.Option("--batch", metavar="ID", help=_("Batch."))]
ItemIds = Annotated[list[str], typer.Argument(metavar="ID...", help=_("Ids of refused items."))]
How = Annotated[
    str,
    typer.Option(
        "--as", metavar="scanned_again|returned|not_kept|other", help=_("What was done; other needs a note.")
    ),
]
Note = Annotated[str, typer.Option("--note", help=_("What was done, in words. It does not go into the ledger."))]


@verb(group, "list", _("List refused items with their reasons, newest first."))
def list_items(
    name: Name = "",
    state: State = "",
    reason: Reason = "",
    unit: UnitCode = "",
    sender: Sender = "",
    batch: BatchId = "",
    received_from: From = None,
    received_until: Until = None,
    after: After = "",
    size: Size = 50,
    csv: Csv = None,
    as_json: Json = False,
) -> None:
    wanted = given(
        file_name=name,
        state=state,
        reason=reason,
        unit_code=unit,
        sender_id=sender,
        batch_id=batch,
        received_from=day(received_from),
        received_until=day(received_until),
    )
    if csv is not None:
        write_csv("/quarantine/export", wanted, csv, as_json=as_json)
        return
    with connect() as client:
        found = client.post("/quarantine/search", {"size": size, **given(after=after), **wanted})
    print_json(found) if as_json else _print_list(found)


@verb(group, "handle", _("Take refused items off the list of what waits; the exit code is 1 when some were not."))
def handle(item_ids: ItemIds, how: How, note: Note = "", as_json: Json = False) -> int:
    with connect() as client:
        outcome = client.post("/quarantine/handle", {"item_ids": item_ids, "handling": how, "note": note})
    return _print_outcome(outcome, as_json=as_json)


@verb(group, "reopen", _("Put refused items back on the list of what waits; the exit code is 1 when some were not."))
def reopen(item_ids: ItemIds, as_json: Json = False) -> int:
    with connect() as client:
        outcome = client.post("/quarantine/reopen", {"item_ids": item_ids})
    return _print_outcome(outcome, as_json=as_json)


def _print_outcome(outcome: dict[str, Any], *, as_json: bool) -> int:
    if as_json:
        print_json(outcome)
    else:
        say(_("done: {done}, not done: {failed}").format(done=len(outcome["done"]), failed=len(outcome["failed"])))
        print_table((_("Id"), _("Reasons")), [(line["id"], line["reason"]) for line in outcome["failed"]])
    return 1 if outcome["failed"] else 0


def _print_list(found: dict[str, Any]) -> None:
    columns = (_("Received"), _("File"), _("Reasons"), _("Id"))
    rows = [
        (
            item["received_at"],
            item["file_name"],
            "; ".join(str(f["message"]) for f in item["findings"] if f["severity"] == "refuse"),
            item["item_id"],
        )
        for item in found["items"]
    ]
    print_page(found, columns, rows)
