"""`slipvault file` and `slipvault why`."""

from __future__ import annotations

import sys
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from vault.foundation.errors import N_
from vault.surfaces.cli.connection import connect
from vault.surfaces.cli.files import read_text
from vault.surfaces.cli.records import resolve
from vault.surfaces.cli.speaking import Json, _, new_group, print_facts, print_json, print_table, verb

file_group = new_group("file", _("File records: their locks become those of their classes."), has_verbs=False)
why_group = new_group("why", _("Tell why a record is still here."), has_verbs=False)
GROUPS = {"file": file_group, "why": why_group}

Records = Annotated[
    list[str] | None, typer.Argument(metavar="[RECORD...]", help=_("Ids of records, or their archival numbers."))
]
Batch = Annotated[str, typer.Option("--batch", metavar="ID", help=_("Every record of this batch."))]
List = Annotated[
    Path | None, typer.Option("--list", metavar="FILE", help=_("A record on each line; - reads them from a pipe."))
]
Stop = Annotated[bool, typer.Option("--stop", help=_("Take the filing back, as long as no lock is being set."))]
Record = Annotated[str, typer.Argument(metavar="RECORD", help=_("Id of the record, or its archival number."))]
On = Annotated[
    datetime | None,
    typer.Option("--on", formats=["%Y-%m-%d"], help=_("On this day, with the knowledge of then; by default today.")),
]
Known = Annotated[
    datetime | None,
    typer.Option(
        "--known", formats=["%Y-%m-%d"], help=_("With what was known on this day; by default on that of --on.")
    ),
]

_OUTCOMES = {
    "asked": N_("will be filed"),
    "waiting": N_("waits to be filed already"),
    "filed": N_("is filed"),
    "not_found": N_("not found"),
}


@verb(
    file_group,
    "file",
    _("Confirm quality and class of records, or of a batch; their locks follow in the background."),
)
def file(
    records: Records = None, batch: Batch = "", lines: List = None, stop: Stop = False, as_json: Json = False
) -> int:
    told = [*(records or []), *_lines(lines)]
    if bool(told) == bool(batch) or (stop and batch):
        raise typer.BadParameter(_("name records, a list of them, or a batch"))
    with connect() as client:
        ids = [resolve(client, one) for one in told]
        if stop:
            for record_id in ids:
                client.post(f"/records/{record_id}/filing/stop", {})
            done = [{"record_id": record_id, "outcome": "stopped"} for record_id in ids]
        else:
            done = client.post("/filing", {"batch_id": batch} if batch else {"record_ids": ids})["records"]
    if as_json:
        print_json({"records": done})
    else:
        words = {code: _(word) for code, word in _OUTCOMES.items()} | {"stopped": _("filing stopped")}
        print_table((_("Record"), _("Outcome")), [[one["record_id"], words[one["outcome"]]] for one in done])
    return 1 if any(one["outcome"] == "not_found" for one in done) else 0


@verb(why_group, "why", _("Tell why a record is still here: rules, events, arithmetic, locks, and what comes next."))
def why(record: Record, on: On = None, known: Known = None, as_json: Json = False) -> None:
    days = {name: day.date().isoformat() for name, day in (("on", on), ("known", known)) if day}
    with connect() as client:
        told = client.get(f"/records/{resolve(client, record)}/why", **days)
    if as_json:
        print_json(told)
        return
    print_facts(
        [
            (_("Day"), told["on"]),
            (_("Decision"), told["text"]),
            (_("Kept until"), told["retain_until"]),
            (_("To be gone after"), told["delete_by"]),
        ]
    )
    for reason in told["reasons"]:
        source = f"[{reason['rule']}] {reason['citation']}".strip()
        sys.stdout.write(f"- {reason['text']}  {source}\n")
        for step in reason["steps"]:
            sys.stdout.write(f"    {step['text']}\n")
    _print_around(told)


def _print_around(told: dict[str, Any]) -> None:
    for lock in told["locks"]:
        print_facts([(_("Locked now in {store}").format(store=lock["store"]), f"{lock['mode']} {lock['until']}")])
    if told["lock"]:
        print_facts([(_("Planned by the law"), f"{told['lock']['text']} {told['lock_standing_text']}")])
    schedule = told["schedule"]
    names = ", ".join(said["name"] or "" for said in schedule["approved_by"])
    version = f"{schedule['version']} ({names})" if names else schedule["version"]
    follows = f"{told['next']['date']} {told['next']['text']}" if told["next"] else None
    print_facts([(_("Schedule version"), version), (_("What comes next"), follows)])


def _lines(file: Path | None) -> list[str]:
    return [] if file is None else [line.strip() for line in read_text(file).splitlines() if line.strip()]
