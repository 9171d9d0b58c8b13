"""`slipvault quarantine list`."""

from __future__ import annotations

from typing import Annotated

import typer

from vault.surfaces.cli.connection import connect
from vault.surfaces.cli.speaking import Json, _, new_group, print_json, print_table, verb

group = new_group("quarantine", _("See what was refused, and why."))
GROUPS = {"quarantine": group}

After = Annotated[str, typer.Option("--after", metavar="ID", help=_("Go on after this item."))]
Size = Annotated[int, typer.Option("--size", min=1, max=200, help=_("Items on a page."))]


@verb(group, "list", _("List refused items with their reasons, newest first."))
def list_items(after: After = "", size: Size = 50, as_json: Json = False) -> None:
    with connect() as client:
        found = client.get("/quarantine", after=after or None, size=size)
    if as_json:
        print_json(found)
        return
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
    print_table(columns, rows)
