"""`slipvault ledger list|export|verify`."""

from __future__ import annotations

import base64
import binascii
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from vault.foundation.errors import N_, InvalidInput
from vault.surfaces.cli.connection import connect, opened_host
from vault.surfaces.cli.listing import After, Csv, From, Size, Until, day, given, print_page, write_csv
from vault.surfaces.cli.speaking import Json, _, new_group, print_facts, print_json, say, verb

group = new_group("ledger", _("List entries; export the ledger (on the host); verify an export anywhere."))
GROUPS = {"ledger": group}

Directory = Annotated[Path, typer.Argument(metavar="DIR", help=_("Directory of the export."))]
PublicKey = Annotated[
    Path | None,
    typer.Option(
        "--public-key", metavar="FILE", help=_("Key that you trust, in base64; else the export's is believed.")
    ),
]
Older = Annotated[
    Path | None,
    typer.Option("--older", metavar="FILE", help=_("Checkpoint that you kept: the export must continue it.")),
]
Strict = Annotated[bool, typer.Option("--strict", help=_("Also check that each entry is canonical JSON."))]


Proof = Annotated[Path, typer.Argument(metavar="PROOF", help=_("Proof as the interface gives it (C2SP tlog-proof)."))]
EntryFile = Annotated[Path, typer.Argument(metavar="ENTRY", help=_("File with the bytes of the entry."))]
TrustedKey = Annotated[Path, typer.Option("--public-key", metavar="FILE", help=_("Key that you trust, in base64."))]
Event = Annotated[str, typer.Option("--event", metavar="CODE", help=_("What happened, as noun:thing:action."))]
Kind = Annotated[
    str,
    typer.Option("--actor-kind", metavar="person|station|operator|system", help=_("What kind of actor did it.")),
]
ActorId = Annotated[str, typer.Option("--actor", metavar="ID", help=_("Who did it: a person or station."))]
SubjectType = Annotated[str, typer.Option("--subject-type", metavar="TYPE", help=_("Kind of thing it was done to."))]
SubjectId = Annotated[str, typer.Option("--subject", metavar="ID", help=_("Thing it was done to."))]


@verb(group, "list", _("List entries, newest first."))
def list_entries(
    event: Event = "",
    actor_kind: Kind = "",
    actor: ActorId = "",
    subject_type: SubjectType = "",
    subject: SubjectId = "",
    at_from: From = None,
    at_until: Until = None,
    after: After = "",
    size: Size = 50,
    csv: Csv = None,
    as_json: Json = False,
) -> None:
    wanted = given(
        event=event,
        actor_kind=actor_kind,
        actor_id=actor,
        subject_type=subject_type,
        subject_id=subject,
        at_from=day(at_from),
        at_until=day(at_until),
    )
    if csv is not None:
        write_csv("/ledger/entries/export", wanted, csv, as_json=as_json)
        return
    with connect() as client:
        found = client.get("/ledger/entries", size=size, **given(after=after), **wanted)
    print_json(found) if as_json else _print_list(found)


def _print_list(found: dict[str, Any]) -> None:
    columns = (_("Index"), _("Time"), _("Event"), _("Who"), _("Id of the thing"), _("Id"))
    names = ("leaf_index", "at", "event", "actor_kind", "subject_id", "entry_id")
    print_page(found, columns, [[entry[name] for name in names] for entry in found["entries"]])


@verb(group, "export", _("Write the ledger, its tiles, checkpoint and time stamps into an empty directory."))
def export(directory: Directory, as_json: Json = False) -> None:
    from vault.foundation.ledger.export import export as write_export

    with opened_host() as ctx, ctx.database.read() as connection:
        size = write_export(connection, ctx.custodian.public_key(), directory)
    if as_json:
        print_json({"directory": str(directory), "entries": size})
    else:
        print_facts([(_("Directory"), directory), (_("Entries"), size)])


@verb(group, "verify", _("Check an export with nothing but its files; every change is named."))
def verify(
    directory: Directory,
    public_key: PublicKey = None,
    older: Older = None,
    strict: Strict = False,
    as_json: Json = False,
) -> int:
    from vault.foundation.ledger.verify import verify_export

    verdict = verify_export(
        directory,
        public_key=_key(public_key) if public_key else None,
        older_note=_text(older) if older else None,
        strict=strict,
    )
    findings = [{"code": f.code, "subject": f.subject, "message": f.sentence} for f in verdict.findings]
    root = verdict.root.hex() if verdict.root else None
    if as_json:
        print_json({"clean": verdict.is_clean, "entries": verdict.size, "root": root, "findings": findings})
    else:
        for found in findings:
            sys.stdout.write(f"{found['code']}\t{found['subject']}\t{found['message']}\n")
        say(
            _("{entries} entries, root {root}; findings: {findings}").format(
                entries=verdict.size, root=root, findings=len(findings)
            )
        )
    return 0 if verdict.is_clean else 1


@verb(group, "check", _("Check a proof: that an entry stands in the tree which the custodian signed."))
def check(proof: Proof, entry: EntryFile, public_key: TrustedKey, as_json: Json = False) -> int:
    from vault.foundation.ledger.verify import verify_proof

    verdict = verify_proof(_text(proof), _bytes(entry), _key(public_key))
    checkpoint = verdict.checkpoint
    size = checkpoint.size if checkpoint else None
    root = checkpoint.root.hex() if checkpoint else None
    if as_json:
        print_json({"outcome": verdict.code, "entries": size, "root": root})
    else:
        print_facts([(_("Outcome"), verdict.code), (_("Entries"), size), (_("Root"), root)])
    return 0 if verdict.code == "included" else 1


def _text(file: Path) -> str:
    try:
        return _bytes(file).decode()
    except ValueError as error:
        raise InvalidInput(field=str(file), problem=N_("it cannot be read")) from error


def _bytes(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise InvalidInput(field=str(file), problem=N_("it cannot be read")) from error


def _key(file: Path) -> bytes:
    try:
        key = base64.b64decode(_text(file).strip(), validate=True)
    except binascii.Error:
        key = b""
    if len(key) != 32:
        raise InvalidInput(field=str(file), problem=N_("not an Ed25519 public key in base64"))
    return key
