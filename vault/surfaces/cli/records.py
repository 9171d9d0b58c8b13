"""`slipvault records list|show|describe|classify|verify|fetch`."""

from __future__ import annotations

import fcntl
import hashlib
import io
import os
import sys
import threading
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any
from uuid import UUID

import typer

from vault.foundation.errors import N_, NotFoundOrNotYours
from vault.surfaces.cli.connection import connect
from vault.surfaces.cli.files import FileExists, FileUnwritable
from vault.surfaces.cli.listing import Csv, day, given, print_page, write_csv
from vault.surfaces.cli.speaking import Json, _, new_group, print_facts, print_json, print_table, say, verb

if TYPE_CHECKING:
    from vault.surfaces.client import Client

group = new_group("records", _("Find records, look at them, fetch their originals."))
GROUPS = {"records": group}

_PERSONAL = {"id-number": "id_number", "card-number": "card_number", "phone": "phone"}
_DATE = ["%Y-%m-%d"]
_KEPT_PART_BYTES_MIN = 16 << 20

Number = Annotated[str, typer.Option("--number", help=_("Archival or business number."))]
Name = Annotated[str, typer.Option("--name", help=_("Part of the customer's name or the title."))]
BusinessType = Annotated[str, typer.Option("--type", help=_("Business type."))]
ClassCode = Annotated[str, typer.Option("--class", metavar="CODE", help=_("Retention class."))]
UnitCode = Annotated[str, typer.Option("--unit", metavar="CODE", help=_("Unit."))]
Status = Annotated[str, typer.Option("--status", help=_("State of the record."))]
From = Annotated[datetime | None, typer.Option("--from", formats=_DATE, help=_("First day of the business."))]
Until = Annotated[datetime | None, typer.Option("--until", formats=_DATE, help=_("Last day of the business."))]
BatchId = Annotated[str, typer.Option("--batch", metavar="ID", help=_("Batch."))]
By = Annotated[
    str,
    typer.Option(
        "--by",
        metavar="id-number|card-number|phone",
        help=_(
            "Find by a personal number, which is asked for or piped in: it must not stand in the shell's history."
        ),
    ),
]
After = Annotated[str, typer.Option("--after", metavar="ID", help=_("Go on after this record."))]
Size = Annotated[int, typer.Option("--size", min=1, max=200, help=_("Records on a page."))]
RecordId = Annotated[str, typer.Argument(metavar="ID", help=_("Id of the record, or its archival number."))]
Output = Annotated[Path, typer.Option("-o", "--output", metavar="FILE", help=_("Where to write the original."))]
Force = Annotated[bool, typer.Option("--force", help=_("Overwrite the file if it is there."))]


Title = Annotated[str | None, typer.Option("--title", help=_("Title. An empty text takes a value away."))]
Customer = Annotated[str | None, typer.Option("--customer", help=_("Customer."))]
NewType = Annotated[str | None, typer.Option("--type", help=_("Business type."))]
NewNumber = Annotated[str | None, typer.Option("--number", help=_("Business number."))]
Handler = Annotated[str | None, typer.Option("--handler", help=_("Handler."))]
Day = Annotated[str | None, typer.Option("--date", metavar="YYYY-MM-DD", help=_("Date of the business."))]
Attributes = Annotated[
    list[str] | None, typer.Option("--attribute", metavar="NAME=VALUE", help=_("An attribute; may be given often."))
]
Reason = Annotated[
    str, typer.Option("--reason", help=_("Why; needed where a value that was there is changed or taken away."))
]
Revision = Annotated[
    int, typer.Option("--revision", help=_("The revision that you read; without it, the present one is taken."))
]

CHECK_WORDS = {
    "bytes": N_("Stored bytes"),
    "locks": N_("Locks"),
    "rows": N_("Catalogue rows"),
    "ledger": N_("Ledger entries"),
}


@verb(group, "list", _("Find records, newest first."))
def list_records(
    number: Number = "",
    name: Name = "",
    business_type: BusinessType = "",
    class_code: ClassCode = "",
    unit_code: UnitCode = "",
    status: Status = "",
    occurred_from: From = None,
    occurred_until: Until = None,
    batch_id: BatchId = "",
    by: By = "",
    after: After = "",
    size: Size = 50,
    csv: Csv = None,
    as_json: Json = False,
) -> None:
    wanted = given(
        number=number,
        name=name,
        business_type=business_type,
        class_code=class_code,
        unit_code=unit_code,
        status=status,
        occurred_from=day(occurred_from),
        occurred_until=day(occurred_until),
        batch_id=batch_id,
        **_personal(by),
    )
    if csv is not None:
        write_csv("/records/export", wanted, csv, as_json=as_json)
        return
    with connect() as client:
        found = client.post("/records/search", {"size": size, **given(after=after), **wanted})
    print_json(found) if as_json else _print_list(found)


@verb(group, "show", _("Show one record: description, components with their locks, ledger entries."))
def show(record_id: RecordId, as_json: Json = False) -> None:
    with connect() as client:
        record = client.get(f"/records/{resolve(client, record_id)}")
    print_json(record) if as_json else _print_record(record)


@verb(group, "describe", _("Correct the description of a record; the old values stay readable."))
def describe(
    record_id: RecordId,
    title: Title = None,
    customer_name: Customer = None,
    business_type: NewType = None,
    business_number: NewNumber = None,
    handler: Handler = None,
    occurred_date: Day = None,
    attribute: Attributes = None,
    reason: Reason = "",
    revision: Revision = 0,
    as_json: Json = False,
) -> None:
    named = {
        "title": title,
        "customer_name": customer_name,
        "business_type": business_type,
        "business_number": business_number,
        "handler": handler,
        "occurred_date": occurred_date,
    }
    told: dict[str, Any] = {name: value for name, value in named.items() if value is not None}
    with connect() as client:
        found = resolve(client, record_id)
        seen = revision or client.get(f"/records/{found}")["revision"]
        told |= {"attributes": _pairs(attribute or []), "reason": reason, "revision": seen}
        answer = client.post(f"/records/{found}/description", told)
    print_json(answer) if as_json else print_facts([(_("Record"), found), (_("Revision"), answer["revision"])])


@verb(
    group, "classify", _("Give a record another class: at once before filing, later with a second person's approval.")
)
def classify(
    record_id: RecordId,
    class_code: Annotated[str, typer.Argument(metavar="CODE", help=_("Retention class."))],
    reason: Annotated[str, typer.Option("--reason", help=_("Why; needed once the record is filed."))] = "",
    as_json: Json = False,
) -> None:
    with connect() as client:
        told = {"class_code": class_code, "reason": reason}
        done = client.post(f"/records/{resolve(client, record_id)}/class", told)
    if as_json:
        print_json(done)
    else:
        state = _("in effect") if done["in_effect"] else _("waits for a second person")
        print_facts([(_("Record"), done["record_id"]), (_("Retention class"), done["to_class"]), (_("State"), state)])


@verb(group, "verify", _("Verify one record now: objects, locks, catalogue rows, ledger entries."))
def verify_one(record_id: RecordId, as_json: Json = False) -> int:
    with connect() as client:
        answer = client.post(f"/records/{resolve(client, record_id)}/verify", {})
    if as_json:
        print_json(answer)
    else:
        words = {code: _(label) for code, label in CHECK_WORDS.items()}
        rows = [
            [words[check["code"]], _("holds") if check["ok"] else _("fails"), check["count"]]
            for check in answer["checks"]
        ]
        print_table((_("Check"), _("Result"), _("Things")), rows)
        for finding in answer["findings"]:
            say(f"{finding['code']}\t{finding['message']}")
    return 0 if answer["clean"] else 1


def _pairs(attributes: list[str]) -> dict[str, str]:
    pairs = {}
    for told in attributes:
        name, equals, value = told.partition("=")
        if not equals or not name.strip():
            raise typer.BadParameter(
                _("an attribute is NAME=VALUE, or NAME= to take it away: {told}").format(told=told)
            )
        pairs[name.strip()] = value
    return pairs


@verb(group, "fetch", _("Fetch the original bytes; the file appears only when its digest is right."))
def fetch(record_id: RecordId, output: Output, force: Force = False, as_json: Json = False) -> None:
    from vault.surfaces.station.folder import words_of

    if output.is_dir() or (output.exists() and not force):
        raise FileExists(file=str(output))
    with connect() as client:
        found = resolve(client, record_id)
        try:
            size_bytes, sha256 = _fetch_to(client, found, output, force=force)
        except OSError as error:
            raise FileUnwritable(file=str(output), problem=words_of(error)) from error
    if as_json:
        print_json({"record_id": found, "file": str(output), "size_bytes": size_bytes, "sha256": sha256})
    else:
        print_facts([(_("File"), output), (_("Bytes"), size_bytes), ("SHA-256", sha256)])


def _fetch_to(client: Client, record_id: str, output: Path, *, force: bool) -> tuple[int, str]:
    """Into a hidden file beside the goal, checked, synchronised, then put in place in one step.

    What had come of a large one when it was stopped stays there, and the same command goes on with it.
    """
    part = output.with_name(f".{output.name}.{record_id}.part")
    handle = os.open(part, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    with os.fdopen(handle, "r+b") as target:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)  # another such command would write into it, too
        is_whole = False
        try:
            size_bytes, sha256 = _fetch_whole(client, record_id, target)
            is_whole = True
            _put_in_place(part, output, force=force)
        finally:
            if is_whole or target.seek(0, os.SEEK_END) < _KEPT_PART_BYTES_MIN:
                part.unlink(missing_ok=True)
    return size_bytes, sha256


def _fetch_whole(client: Client, record_id: str, target: io.BufferedRandom) -> tuple[int, str]:
    """Adds what `target` lacks; it is on disk and has the right digest when this returns, and is empty when it has not.

    Raises:
        FetchedDamaged, Unavailable, ServerRefused.
    """
    from vault.surfaces.cli.progress import bytes_progress
    from vault.surfaces.client import FetchedDamaged
    from vault.surfaces.patience import Patience, persist

    with bytes_progress(counts_files=False) as bar:
        task = bar.add_task(_("fetching"), total=None)

        def on_bytes(done: int, total: int) -> None:
            bar.update(task, completed=done, total=total)

        announced = persist(
            lambda: client.fetch(record_id, target, on_bytes), Patience(attempts_max=8), threading.Event()
        )
    target.seek(0)
    received = hashlib.file_digest(target, "sha256").hexdigest()
    size_bytes = target.seek(0, os.SEEK_END)
    if received != announced:
        target.truncate(0)
        raise FetchedDamaged(received=received[:16], announced=announced[:16])
    target.flush()
    os.fsync(target.fileno())
    return size_bytes, received


def _put_in_place(temporary: Path, output: Path, *, force: bool) -> None:
    """In one step. A link, unlike a rename, refuses to overwrite; not every disk has links."""
    if not force:
        try:
            os.link(temporary, output)
        except FileExistsError as error:
            raise FileExists(file=str(output)) from error
        except OSError:
            if output.exists():
                raise FileExists(file=str(output)) from None
        else:
            return
    temporary.replace(output)


def resolve(client: Client, told: str) -> str:
    """The id for an id or an archival number.

    Raises:
        NotFoundOrNotYours: no record has the number, or several have.
    """
    try:
        return str(UUID(told))
    except ValueError:
        pass
    found = client.post("/records/search", {"number": told, "size": 2})["records"]
    exact = [r for r in found if told in {r["archival_number"], r["business_number"]}]
    if len(exact) != 1:
        raise NotFoundOrNotYours
    return str(exact[0]["id"])


def _personal(by: str) -> dict[str, str]:
    if not by:
        return {}
    if by not in _PERSONAL:
        raise typer.BadParameter(_("--by is one of: {choices}").format(choices=", ".join(_PERSONAL)))
    value = typer.prompt(_("Number"), err=True) if sys.stdin.isatty() else sys.stdin.readline()
    return {_PERSONAL[by]: str(value).strip()}


def _print_list(found: dict[str, Any]) -> None:
    columns = (_("Archival number"), _("Business type"), _("Customer"), _("Date"), _("Pages"), _("State"), _("Id"))
    names = ("archival_number", "business_type", "customer_name", "occurred_date", "page_count", "status", "id")
    print_page(found, columns, [[record[name] for name in names] for record in found["records"]])


def _print_record(record: dict[str, Any]) -> None:
    personal = [(field["kind"], field["masked"]) for field in record.get("personal", [])]
    nested = {"personal", "components", "ledger", "attributes"}
    print_facts([(name, value) for name, value in record.items() if name not in nested])
    print_facts([*personal, *(record.get("attributes") or {}).items()])
    for component in record.get("components", []):
        for copy in component["copies"]:
            sys.stdout.write(
                f"{component['kind']}/{component['ordinal']}\t{component['media_type']}\t{component['size_bytes']}\t"
                f"{copy['lock_mode']} {copy['lock_until']}\t{copy['store']}\n"
            )
    for entry in record.get("ledger", []):
        sys.stdout.write(f"{entry['at']}\t{entry['event']}\t{entry['entry_id']}\n")
