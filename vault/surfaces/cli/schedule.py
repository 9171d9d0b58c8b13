"""`slipvault schedule show|list|diff|import|export|simulate|propose|approve|refuse|withdraw`."""

from __future__ import annotations

import sys
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from vault.foundation.errors import N_
from vault.surfaces.cli.connection import connect
from vault.surfaces.cli.files import read_text, write_text
from vault.surfaces.cli.listing import day, write_csv
from vault.surfaces.cli.simulation import followed, print_simulation
from vault.surfaces.cli.speaking import (
    Json,
    _,
    chosen_language,
    new_group,
    print_facts,
    print_json,
    print_table,
    say,
    verb,
)
from vault.surfaces.client import ServerRefused

if TYPE_CHECKING:
    from retention_rules.schedules import Schedule

group = new_group("schedule", _("Read, change and approve the schedule of retention classes."))
GROUPS = {"schedule": group}

Why = Annotated[str, typer.Option("--reason", help=_("Why; others read it."))]
Number = Annotated[int, typer.Argument(metavar="VERSION", min=1, help=_("Number of the version."))]
Which = Annotated[
    int | None, typer.Argument(metavar="VERSION", min=1, help=_("Number of the version; by default that in effect."))
]
Older = Annotated[int, typer.Argument(metavar="OLD", min=1, help=_("Number of the older version."))]
Newer = Annotated[int, typer.Argument(metavar="NEW", min=1, help=_("Number of the newer version."))]
File = Annotated[Path, typer.Argument(metavar="FILE", help=_("YAML with a whole version, or CSV with its classes."))]
Output = Annotated[Path | None, typer.Option("-o", "--output", metavar="FILE", help=_("Where to write it."))]
Csv = Annotated[bool, typer.Option("--csv", help=_("Only the classes, as a table."))]
Force = Annotated[bool, typer.Option("--force", help=_("Overwrite the file if it is there."))]
Note = Annotated[str, typer.Option("--note", help=_("What changes and why; others read it before they approve."))]
Into = Annotated[
    int | None, typer.Option("--into", metavar="VERSION", help=_("Change this draft instead of making a new one."))
]
Day = Annotated[datetime, typer.Option("--on", formats=["%Y-%m-%d"], help=_("The day from which it applies."))]
Comment = Annotated[str, typer.Option("--comment", help=_("What you have to say about it."))]
Reason = Annotated[str, typer.Option("--comment", help=_("Why; the proposer reads it."))]

DayAsked = Annotated[
    datetime | None,
    typer.Option(
        "--on", formats=["%Y-%m-%d"], help=_("As it would be on this day; by default that of the proposal.")
    ),
]
Show = Annotated[bool, typer.Option("--show", help=_("Tell what the newest simulation found instead."))]
RecordsFile = Annotated[
    Path | None,
    typer.Option("--records", metavar="FILE", help=_("Write the records that would be treated otherwise as CSV.")),
]

_STATES = {
    "draft": N_("draft"),
    "proposed": N_("proposed"),
    "approved": N_("approved"),
    "refused": N_("refused"),
    "withdrawn": N_("withdrawn"),
    "coming": N_("approved, not yet in effect"),
    "in_effect": N_("in effect"),
    "superseded": N_("superseded"),
}


@verb(group, "show", _("Show a version: its classes, from when it applies, who approved it."))
def show(number: Which = None, as_json: Json = False) -> None:
    with connect() as client:
        version = client.get("/schedule" if number is None else f"/schedule/versions/{number}")
    if as_json:
        print_json(version)
        return
    _print_version(version)
    rows = [
        (k["code"], k["name_zh"], " ".join(k["rules"]), k["own_period"], k["disposition"], k["lock"])
        for k in version["classes"]
    ]
    print_table((_("Code"), _("Name"), _("Rules"), _("Own period"), _("Disposition"), _("Lock")), rows)


@verb(group, "list", _("List the versions, the newest first."))
def list_versions(as_json: Json = False) -> None:
    with connect() as client:
        found = client.get("/schedule/versions", size=200)
    if as_json:
        print_json(found)
        return
    rows = [(v["number"], _state(v), v["effective_date"], v["class_count"], v["note"]) for v in found["versions"]]
    print_table((_("Version"), _("State"), _("Applies from"), _("Classes"), _("Note")), rows)


@verb(group, "diff", _("Tell what differs between two versions."))
def diff(old: Older, new: Newer, as_json: Json = False) -> None:
    with connect() as client:
        told = client.get(f"/schedule/versions/{old}/differences/{new}")
    if as_json:
        print_json(told)
        return
    for change in told["changes"]:
        sys.stdout.write(f"{change['text']}\n")
    if not told["changes"]:
        say(_("They do not differ."))


@verb(group, "import", _("Make a draft of a file; every problem of the file is told with its line."))
def import_file(file: File, note: Note = "", into: Into = None, as_json: Json = False) -> int:
    told: dict[str, Any] = {"text": read_text(file), "format": "csv" if file.suffix.lower() == ".csv" else "yaml"}
    try:
        with connect() as client:
            if into is None:
                version = client.post("/schedule/versions", {**told, "note": note or file.name})
            else:
                seen = client.get(f"/schedule/versions/{into}")["digest"]
                told |= {"seen": seen, "note": note or None}
                version = client.post(f"/schedule/versions/{into}/content", told)
    except ServerRefused as refusal:
        if as_json:
            raise
        for problem in refusal.problem.get("problems", []):
            sys.stdout.write(f"{problem['text']}\n")
        raise
    _print_line(version, as_json=as_json)
    return 0


@verb(group, "export", _("Write a version as a file to edit: YAML whole, or its classes as CSV."))
def export_file(number: Which = None, output: Output = None, csv: Csv = False, force: Force = False) -> None:
    from retention_rules.schedule_files import classes_to_csv, schedule_to_yaml

    with connect() as client:
        schedule = _schedule(client.get("/schedule" if number is None else f"/schedule/versions/{number}"))
    is_chinese = chosen_language().value == "zh"
    text = classes_to_csv(schedule.classes, is_chinese=is_chinese) if csv else schedule_to_yaml(schedule)
    if output is None:
        sys.stdout.write(text)
    else:
        write_text(output, text, force=force)


@verb(group, "simulate", _("Try a draft or proposed version on all records; nothing is changed."))
def simulate(
    number: Number, on: DayAsked = None, show: Show = False, records: RecordsFile = None, as_json: Json = False
) -> int:
    with connect() as client:
        if show:
            found = client.get(f"/schedule/versions/{number}/simulation")
        else:
            asked = client.post(f"/schedule/versions/{number}/simulations", {"on": day(on)})
            found = followed(client, asked)
    if as_json:
        print_json(found)
    else:
        print_simulation(found)
    if found["state"] != "done":
        return 75
    if records is not None:
        write_csv(f"/schedule/simulations/{found['id']}/records/export", {}, records, as_json=False)
    return 0


@verb(group, "propose", _("Propose a draft; from then on it is fixed and waits for two people."))
def propose(number: Number, on: Day, as_json: Json = False) -> None:
    with connect() as client:
        version = client.post(f"/schedule/versions/{number}/propose", {"effective_date": on.date().isoformat()})
    _print_line(version, as_json=as_json)


@verb(
    group, "approve", _("Approve a version that somebody else proposed. Sign in as yourself: slipvault login --as.")
)
def approve(number: Number, comment: Comment = "", as_json: Json = False) -> None:
    with connect() as client:
        version = client.post(f"/schedule/versions/{number}/approve", {"comment": comment})
    if as_json:
        print_json(version)
        return
    _print_version(version)


@verb(group, "refuse", _("Refuse a version that somebody else proposed, for a reason."))
def refuse(number: Number, comment: Reason, as_json: Json = False) -> None:
    with connect() as client:
        version = client.post(f"/schedule/versions/{number}/refuse", {"comment": comment})
    _print_line(version, as_json=as_json)


@verb(group, "withdraw", _("Give up a draft, or take back your own proposal."))
def withdraw(number: Number, reason: Why, as_json: Json = False) -> None:
    with connect() as client:
        version = client.post(f"/schedule/versions/{number}/withdraw", {"reason": reason})
    _print_line(version, as_json=as_json)


def _schedule(version: dict[str, Any]) -> Schedule:
    """A version as the law takes it; one without a day applies from the day of its file."""
    from retention_rules.model import FiscalYear
    from retention_rules.packs import class_from
    from retention_rules.schedules import Schedule
    from vault.foundation.clock import SystemClock

    day = version["effective_date"]
    return Schedule(
        version=str(version["number"]),
        effective_date=date.fromisoformat(day) if day else SystemClock().now().date(),
        classes=tuple(class_from(row) for row in version["classes"]),
        packs=tuple(sorted(version["packs"])),
        fiscal_year=FiscalYear(**version["fiscal_year"]),
    )


def _print_line(version: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        print_json(version)
    else:
        print_facts(
            [
                (_("Version"), version["number"]),
                (_("State"), _state(version)),
                (_("Applies from"), version["effective_date"]),
                (_("Note"), version["note"]),
            ]
        )


def _print_version(version: dict[str, Any]) -> None:
    _print_line(version, as_json=False)
    year = version["fiscal_year"]
    print_facts(
        [
            (_("Accounting year ends on"), f"{year['end_month']:02d}-{year['end_day']:02d}"),
            (_("Rule packs"), " ".join(version["packs"])),
        ]
    )
    proposal = version["proposal"]
    if proposal:
        print_facts([(_("Proposed by"), proposal["proposed_by"]["name"] or proposal["proposed_by"]["kind"])])
        for said in proposal["approvals"]:
            word = _("Approved by") if said["is_approved"] else _("Refused by")
            print_facts([(word, f"{said['name']} {said['at']} {said['comment']}".strip())])
        missing = proposal["approvals_missing"]
        print_facts([(_("Approvals missing"), missing if proposal["state"] == "open" else None)])


def _state(version: dict[str, Any]) -> str:
    code = version["standing"] or version["state"]
    return _(_STATES[code])
