"""`slipvault holds open|list|show|place|add|release-propose|release-approve|release-refuse|release-withdraw|close`."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Annotated, Any
from uuid import UUID

import typer

from vault.foundation.errors import N_, NotFoundOrNotYours
from vault.foundation.ids import new_id
from vault.surfaces.cli.connection import connect
from vault.surfaces.cli.files import read_text
from vault.surfaces.cli.speaking import Json, _, new_group, print_facts, print_json, print_table, say, verb
from vault.surfaces.client import Client, ServerRefused

group = new_group("holds", _("Hold records that a court or authority asks for, so that nobody can destroy them."))
GROUPS = {"holds": group}

_AUTHORITIES = ("court", "procuratorate", "police", "supervision", "regulator", "other", "house")
_STATES = {
    "being-set": N_("In force, being set in the stores"),
    "stands": N_("In force, stands in the stores"),
    "release-proposed": N_("In force, release proposed"),
    "being-lifted": N_("Released, being taken off in the stores"),
    "released": N_("Released"),
}

MatterName = Annotated[str, typer.Argument(metavar="MATTER", help=_("Number of the matter, or its id."))]
Named = Annotated[
    str, typer.Argument(metavar="MATTER|HOLD", help=_("Number of the matter, name of the hold, or the id of either."))
]
HoldName = Annotated[
    str, typer.Argument(metavar="HOLD", help=_("Name of the hold, such as M-2026-0001/1, or its id."))
]
RecordNames = Annotated[
    list[str] | None, typer.Argument(metavar="[RECORD...]", help=_("Ids of records, or their archival numbers."))
]
List = Annotated[
    Path | None, typer.Option("--list", metavar="FILE", help=_("A record on each line; - reads them from a pipe."))
]
Reason = Annotated[str, typer.Option("--reason", help=_("Why; others read it before they decide."))]
Comment = Annotated[str, typer.Option("--comment", help=_("What is said to it."))]
ProposalId = Annotated[
    str,
    typer.Option(
        "--proposal", help=_("The proposal that you have read: its id, as `slipvault holds show` tells it.")
    ),
]
Review = Annotated[
    datetime | None,
    typer.Option("--review", formats=["%Y-%m-%d"], help=_("When somebody looks whether it is still needed.")),
]
Kind = Annotated[
    str, typer.Option("--authority", help=_("One of: {choices}").format(choices=", ".join(_AUTHORITIES)))
]
KindName = Annotated[str, typer.Option("--name", help=_("Which court, which police: as its document says."))]
Document = Annotated[str, typer.Option("--document", help=_("Number of the authority's document."))]
Basis = Annotated[str, typer.Option("--basis", help=_("The law that the document names."))]
Title = Annotated[str, typer.Option("--title", help=_("What it is about."))]
Text = Annotated[str, typer.Option("--text", help=_("Part of the number, the document, the authority or the title."))]
OnlyOpen = Annotated[bool, typer.Option("--open", help=_("Only matters that are open."))]
After = Annotated[str, typer.Option("--after", metavar="ID", help=_("Go on after this matter."))]
Size = Annotated[int, typer.Option("--size", min=1, max=200, help=_("Matters on a page."))]


@verb(group, "open", _("Open a matter; it gets a number."))
def open_matter(
    kind: Kind, name: KindName, basis: Basis, title: Title, document: Document = "", as_json: Json = False
) -> None:
    told = {
        "client_key": str(new_id()),
        "authority": kind,
        "authority_name": name,
        "document_number": document,
        "basis": basis,
        "title": title,
    }
    with connect() as client:
        matter = client.post("/matters", told)
    if as_json:
        print_json(matter)
    else:
        print_facts([(_("Matter"), matter["number"])])


@verb(group, "list", _("List matters, newest first, with what is held under each."))
def list_matters(
    text: Text = "", only_open: OnlyOpen = False, after: After = "", size: Size = 50, as_json: Json = False
) -> None:
    asked = {"text": text or None, "is_open": True if only_open else None, "after": after or None, "size": size}
    with connect() as client:
        found = client.post("/matters/search", asked)
    if as_json:
        print_json(found)
        return
    columns = (_("Matter"), _("Authority"), _("Number of its document"), _("Holds in force"), _("Records held"))
    print_table(
        (*columns, _("Opened"), _("Closed"), _("Id")),
        [
            [
                *(one["number"], one["authority_name"], one["document_number"]),
                *(one["holds_in_force"], one["records_held"], one["opened_at"], one["closed_at"], one["id"]),
            ]
            for one in found["matters"]
        ],
    )


@verb(group, "show", _("Show a matter and its holds, or a hold and its records."))
def show(name: Named, as_json: Json = False) -> None:
    with connect() as client:
        hold = _hold_named(client, name)
        if hold is not None:
            _print_whole_hold(hold, _records_of(client, hold["id"]), as_json=as_json)
            return
        matter = client.get(f"/matters/{_matter_id(client, name)}")
    if as_json:
        print_json(matter)
        return
    print_facts(
        [
            (_("Matter"), matter["number"]),
            (_("Authority"), matter["authority_name"]),
            (_("Number of its document"), matter["document_number"]),
            (_("Basis"), matter["basis"]),
            (_("Title"), matter["title"]),
            (_("Closed"), matter["closed_at"]),
        ]
    )
    for hold in matter["holds"]:
        _print_hold(hold)


@verb(group, "place", _("Hold records under a matter: all of them or none, from now on."))
def place(
    matter: MatterName,
    reason: Reason,
    records: RecordNames = None,
    lines: List = None,
    review: Review = None,
    as_json: Json = False,
) -> None:
    told = {
        "client_key": str(new_id()),
        "records": _named(records, lines),
        "reason": reason,
        "review_date": review.date().isoformat() if review else None,
    }
    with connect() as client:
        placed = client.post(f"/matters/{_matter_id(client, matter)}/holds", told)
    _tell_placed(placed, as_json=as_json)


@verb(group, "add", _("Put further records under a hold: all of them or none, from now on."))
def add(hold: HoldName, records: RecordNames = None, lines: List = None, as_json: Json = False) -> None:
    named = _named(records, lines)
    with connect() as client:
        placed = client.post(f"/holds/{_hold_id(client, hold)}/records", {"records": named})
    _tell_placed(placed, as_json=as_json)


@verb(group, "release-propose", _("Propose to release a hold: it stays in force until two others approve."))
def release_propose(hold: HoldName, reason: Reason, as_json: Json = False) -> None:
    _release(hold, "", {"reason": reason}, as_json=as_json)


@verb(group, "release-approve", _("Approve the release that somebody else proposed; the second approval releases."))
def release_approve(hold: HoldName, proposal: ProposalId, comment: Comment = "", as_json: Json = False) -> None:
    _release(hold, "/approve", {"proposal_id": proposal, "comment": comment}, as_json=as_json)


@verb(group, "release-refuse", _("Refuse the release of a hold for a reason."))
def release_refuse(hold: HoldName, proposal: ProposalId, comment: Comment, as_json: Json = False) -> None:
    _release(hold, "/refuse", {"proposal_id": proposal, "comment": comment}, as_json=as_json)


@verb(group, "release-withdraw", _("Take back your own proposal to release a hold."))
def release_withdraw(hold: HoldName, as_json: Json = False) -> None:
    _release(hold, "/withdraw", {}, as_json=as_json)


@verb(group, "close", _("Close a matter under which nothing is held any more."))
def close(matter: MatterName, as_json: Json = False) -> None:
    with connect() as client:
        closed = client.post(f"/matters/{_matter_id(client, matter)}/close")
    if as_json:
        print_json(closed)
    else:
        print_facts([(_("Matter"), closed["number"]), (_("Closed"), closed["closed_at"])])


def _release(hold: str, act: str, told: dict[str, Any], *, as_json: bool) -> None:
    with connect() as client:
        done = client.post(f"/holds/{_hold_id(client, hold)}/release{act}", told)
    if as_json:
        print_json(done)
    else:
        _print_hold(done)


def _matter_id(client: Client, name: str) -> str:
    if (given := _as_id(name)) is not None:
        return given
    for one in client.post("/matters/search", {"text": name, "size": 50})["matters"]:
        if one["number"] == name:
            return str(one["id"])
    raise NotFoundOrNotYours


def _hold_id(client: Client, name: str) -> str:
    if (given := _as_id(name)) is not None:
        return given
    matter = client.get(f"/matters/{_matter_id(client, name.partition('/')[0])}")
    for one in matter["holds"]:
        if one["name"] == name:
            return str(one["id"])
    raise NotFoundOrNotYours


def _hold_named(client: Client, name: str) -> dict[str, Any] | None:
    """The hold of that name or id; nothing where it is the number or id of a matter."""
    if "/" not in name and _as_id(name) is None:
        return None
    try:
        return client.get(f"/holds/{_hold_id(client, name)}")
    except ServerRefused as refused:
        if "/" in name or refused.http_status != NotFoundOrNotYours.status:
            raise
    return None


def _print_whole_hold(hold: dict[str, Any], records: list[dict[str, Any]], *, as_json: bool) -> None:
    if as_json:
        print_json({**hold, "held": records})
        return
    _print_hold(hold)
    print_table(
        (_("Record"), _("Held"), _("Stands"), _("Problem")),
        [[r["archival_number"], r["held_at"], r["stands_at"], r["problem"]] for r in records],
    )


def _as_id(name: str) -> str | None:
    try:
        return str(UUID(name))
    except ValueError:
        return None


def _records_of(client: Client, hold_id: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    after: str | None = None
    while True:
        page = client.get(f"/holds/{hold_id}/records", after=after, size=200)
        found += page["records"]
        after = page["after"]
        if after is None:
            return found


def _named(records: list[str] | None, lines: Path | None) -> list[str]:
    told = [*(records or []), *(read_text(lines).splitlines() if lines else [])]
    if not any(one.strip() for one in told):
        raise typer.BadParameter(_("name records, or a list of them"))
    return told


def _tell_placed(placed: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        print_json(placed)
        return
    _print_hold(placed["hold"])
    if placed["already"]:
        say(_("Held already: {count}.").format(count=placed["already"]))


def _print_hold(hold: dict[str, Any]) -> None:
    state = _STATES[hold["state"]]
    print_facts(
        [
            (_("Hold"), hold["name"]),
            (_("State"), _(state)),
            (_("Records"), hold["records"]),
            (_("Why"), hold["reason"]),
            (_("To be looked at again"), hold["review_date"]),
            (_("Why it is released"), hold["release_reason"]),
            (_("Approvals missing"), hold["release"]["approvals_missing"] if hold["release"] else None),
            (_("Proposal"), hold["release"]["id"] if hold["release"] else None),
        ]
    )
