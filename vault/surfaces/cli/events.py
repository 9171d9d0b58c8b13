"""`slipvault events add|undo|list`."""

from __future__ import annotations

import hashlib
import json
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from vault.foundation.errors import N_, Fault, VaultError
from vault.surfaces.cli.connection import connect
from vault.surfaces.cli.files import read_text
from vault.surfaces.cli.records import resolve
from vault.surfaces.cli.speaking import Json, _, new_group, print_facts, print_json, print_table, say, verb
from vault.surfaces.client import ServerRefused

group = new_group("events", _("Report the events from which periods count."))
GROUPS = {"events": group}

Record = Annotated[str, typer.Argument(metavar="RECORD", help=_("Id of the record, or its archival number."))]
Name = Annotated[str, typer.Argument(metavar="EVENT", help=_("What happened, for example account_closed."))]
Day = Annotated[
    str, typer.Argument(metavar="DAY", help=_("YYYY-MM-DD, or never when it is known that it will not happen."))
]
Evidence = Annotated[str, typer.Option("--evidence", help=_("The document by which it is known, or its number."))]
Table = Annotated[
    Path | None,
    typer.Option("--list", metavar="FILE", help=_("CSV: record, event, day, evidence; - reads a pipe.")),
]
Each = Annotated[bool, typer.Option("--each", help=_("Take every good line of the list, instead of all or none."))]
Key = Annotated[str, typer.Option("--key", help=_("Another key, to report again what was reported and undone."))]
EventId = Annotated[str, typer.Argument(metavar="ID", help=_("Id of the event."))]
Reason = Annotated[str, typer.Option("--reason", help=_("Why it was a mistake."))]
NameFilter = Annotated[str, typer.Option("--event", help=_("Only this event."))]
Undone = Annotated[bool, typer.Option("--undone", help=_("Only events that were undone."))]
After = Annotated[str, typer.Option("--after", metavar="ID", help=_("Go on after this event."))]
Size = Annotated[int, typer.Option("--size", min=1, max=200, help=_("Events on a page."))]


class ReportedAndUndone(VaultError):
    """The same report was made before, and undone since."""

    code = "reported-and-undone"
    status = 409
    exit_code = 75
    fault = Fault.CALLER
    message = N_("The same was reported before and undone since, so nothing was reported.")
    hint = N_("If it did happen, report it again with another --key.")


@verb(group, "add", _("Report an event of one record, or a list of events with --list."))
def add(
    record: Record = "",
    name: Name = "",
    day: Day = "",
    evidence: Evidence = "",
    table: Table = None,
    each: Each = False,
    key: Key = "",
    as_json: Json = False,
) -> int:
    if (table is None) != bool(record and name and day):
        raise typer.BadParameter(_("name a record, an event and a day; or a list with --list"))
    if table is not None:
        return _add_list(read_text(table), key, each=each, as_json=as_json)
    with connect() as client:
        told = {
            "record_id": resolve(client, record),
            "event": name,
            "day": None if day == "never" else day,
            "evidence": evidence,
        }
        done = client.post("/events", {"client_key": _key(key, told), "events": [told]})
    _tell(done, as_json=as_json)
    return 0


@verb(group, "undo", _("Undo an event that somebody else reported by mistake."))
def undo(event_id: EventId, reason: Reason, as_json: Json = False) -> None:
    with connect() as client:
        event = client.post(f"/events/{event_id}/undo", {"reason": reason})
    if as_json:
        print_json(event)
    else:
        print_facts(
            [(_("Event"), event["event"]), (_("Record"), event["record_id"]), (_("Undone"), event["undone_at"])]
        )


@verb(group, "list", _("List events, newest first."))
def list_events(
    name: NameFilter = "", undone: Undone = False, after: After = "", size: Size = 50, as_json: Json = False
) -> None:
    with connect() as client:
        found = client.get(
            "/events", name=name or None, undone="true" if undone else None, after=after or None, size=size
        )
    if as_json:
        print_json(found)
        return
    print_table(
        (_("Event"), _("Day"), _("Record"), _("Evidence"), _("Reported by"), _("Reported"), _("Undone"), _("Id")),
        [
            [
                event["event"],
                event["day"] or _("never"),
                event["record_id"],
                event["evidence"],
                event["reported_by"]["name"] or event["reported_by"]["kind"],
                event["reported_at"],
                event["undone_at"],
                event["id"],
            ]
            for event in found["events"]
        ],
    )


def _add_list(text: str, key: str, *, each: bool, as_json: bool) -> int:
    try:
        with connect() as client:
            done = client.post("/events/list", {"client_key": _key(key, text), "text": text, "each": each})
    except ServerRefused as refusal:
        _tell_problems(refusal.problem.get("problems", []), as_json=as_json)
        raise
    _tell(done, as_json=as_json)
    _tell_problems(done["problems"], as_json=as_json)
    return 1 if done["problems"] else 0


def _key(given: str, told: Any) -> str:
    """The same report has the same key, so that a command may be repeated."""
    return given or hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()


def _tell(done: dict[str, Any], *, as_json: bool) -> None:
    if done["repeated"] and any(event["undone_at"] for event in done["events"]):
        raise ReportedAndUndone
    if as_json:
        print_json(done)
        return
    for event in done["events"]:
        sys.stdout.write(f"{event['id']}\t{event['record_id']}\t{event['event']}\t{event['day'] or 'never'}\n")
    if done["repeated"]:
        say(_("This was reported before; nothing was reported twice."))
    elif done["known"]:
        say(
            _("{count} of these events were known already and were not reported again.").format(
                count=len(done["known"])
            )
        )


def _tell_problems(problems: list[dict[str, Any]], *, as_json: bool) -> None:
    if as_json:
        return  # they stand in the answer, or in the error
    for problem in problems:
        say(_("line {line}: {problem}").format(line=problem["line"], problem=problem["text"]))
