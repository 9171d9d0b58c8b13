"""`slipvault classes list`."""

from __future__ import annotations

from vault.surfaces.cli.connection import connect
from vault.surfaces.cli.speaking import Json, _, chosen_language, new_group, print_json, print_table, verb

group = new_group("classes", _("See the retention classes."))
GROUPS = {"classes": group}


@verb(group, "list", _("List the retention classes with their codes."))
def list_classes(as_json: Json = False) -> None:
    with connect() as client:
        found = client.get("/classes")
    if as_json:
        print_json(found)
        return
    name = f"name_{chosen_language().value}"
    rows = [(c["code"], c[name], c["period_code"], c["sensitivity"]) for c in found["classes"]]
    print_table((_("Code"), _("Name"), _("Period"), _("Sensitivity")), rows)
