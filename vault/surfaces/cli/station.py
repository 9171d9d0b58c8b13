"""`slipvault station watch`."""

from __future__ import annotations

import json
import signal
import sys
import threading
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Annotated, Any

import typer

from vault.foundation.errors import VaultError
from vault.surfaces.cli.connection import connect, new_private_file, opened_host
from vault.surfaces.cli.speaking import (
    Json,
    _,
    describe_error,
    new_group,
    plain,
    print_facts,
    print_json,
    say,
    verb,
    word,
)

if TYPE_CHECKING:
    from vault.surfaces.station.model import Event

group = new_group("station", _("Watch a scanner's folder and send what comes into it."))
GROUPS = {"station": group}

FolderPath = Annotated[Path, typer.Argument(metavar="DIR", help=_("Folder that the scanner writes into."))]
ClassCode = Annotated[str, typer.Option("--class", metavar="CODE", help=_("Retention class; see slipvault classes."))]
UnitCode = Annotated[str, typer.Option("--unit", metavar="CODE", help=_("Unit that the files belong to."))]
ByFolder = Annotated[bool, typer.Option("--batch-by-folder", help=_("Each sub-folder is a batch of its name."))]
Settle = Annotated[float, typer.Option("--settle", min=0, help=_("Seconds that a file must rest before it is sent."))]
Once = Annotated[bool, typer.Option("--once", help=_("End when the folder is empty."))]
Sidecar = Annotated[bool, typer.Option("--wait-for-description", help=_("Send a scan only when NAME.json is there."))]
Senders = Annotated[int, typer.Option("--clients", min=1, max=64, help=_("Files sent at the same time."))]
Metadata = Annotated[
    Path | None,
    typer.Option(
        "--metadata", metavar="FILE.json", help=_("Description for all; NAME.json beside a scan adds to it.")
    ),
]
PatienceS = Annotated[
    float, typer.Option("--patience", min=0, help=_("With --once: seconds to keep trying when nothing goes through."))
]


@verb(group, "watch", _("Send every finished file of a folder, for ever; nothing is lost or sent twice."))
def watch(
    folder: FolderPath,
    class_code: ClassCode,
    unit: UnitCode = "",
    batch_by_folder: ByFolder = False,
    settle: Settle = 2.0,
    once: Once = False,
    wait_for_description: Sidecar = False,
    clients: Senders = 4,
    metadata: Metadata = None,
    patience: PatienceS = 120.0,
    as_json: Json = False,
) -> int:
    from vault.surfaces.station.folder import read_description
    from vault.surfaces.station.model import Plan

    plan = Plan(
        folder=folder,
        class_code=class_code,
        unit_code=unit or None,
        is_batch_by_folder=batch_by_folder,
        waits_for_sidecar=wait_for_description,
        settle_s=settle,
        clients=clients,
        is_once=once,
        patience_s=patience,
        description=read_description(metadata) if metadata else {},
    )
    return _run(plan, as_json=as_json)


@verb(group, "register", _("Register a station on the host and write its token into a new file, for its owner only."))
def register(
    name: Annotated[str, typer.Argument(help=_("Name of the station."))],
    unit: Annotated[str, typer.Option("--unit", metavar="CODE", help=_("Unit that the station scans for."))],
    token_file: Annotated[Path, typer.Option("--token-file", help=_("New file for the token."))],
    days: Annotated[int, typer.Option("--days", min=1, max=400, help=_("Days until the token runs out."))] = 365,
    as_json: Json = False,
) -> None:
    from vault.access import tokens
    from vault.access.queries import unit_id_by_code
    from vault.access.service import operator_viewer

    with opened_host() as ctx, new_private_file(token_file) as target:
        viewer = operator_viewer(ctx)
        with ctx.database.read() as connection:
            unit_id = unit_id_by_code(connection, unit)
        station_id = tokens.create_station(ctx, viewer, name, unit_id)
        target.write(tokens.issue(ctx, viewer, station_id, days) + "\n")
    told = {"station_id": str(station_id), "token_file": str(token_file), "days": days}
    print_json(told) if as_json else print_facts(told.items())


def _run(plan: Any, *, as_json: bool) -> int:
    from vault.foundation.clock import SystemClock
    from vault.surfaces.station.watcher import Watcher

    stop = threading.Event()

    def on_signal(number: int, frame: FrameType | None) -> None:
        del number, frame
        if stop.is_set():  # the journal is whole at any instant, so ending at once loses nothing
            raise KeyboardInterrupt
        stop.set()

    for name in (signal.SIGINT, signal.SIGTERM):
        signal.signal(name, on_signal)
    with connect(plan.clients) as client:
        told = _JsonLines() if as_json else _Lines()
        tally = Watcher(plan, client, SystemClock(), told).run(stop)
    return 0 if tally.is_all_well or not plan.is_once else 1


class _JsonLines:
    """Each event as a line of JSON on standard output."""

    def __init__(self) -> None:
        self._lock = threading.Lock()

    def __call__(self, event: Event, **facts: object) -> None:
        error = facts.pop("error", None)
        problem = {"problem": describe_error(error)} if isinstance(error, VaultError) else {}
        line = {"event": event.value, **facts, **problem}
        with self._lock:
            print_json(line)


class _Lines:
    """Each event as a line of text, and a status line that is written over while a terminal is there."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._is_terminal = sys.stderr.isatty()

    def __call__(self, event: Event, **facts: object) -> None:
        with self._lock:
            if event.value == "status":
                self._status(facts)
                return
            if self._is_terminal:
                sys.stderr.write("\r\033[K")
            say(self._words(event, facts))

    def _status(self, facts: dict[str, object]) -> None:
        if not self._is_terminal:
            return
        text = _("in the folder {in_folder}, under way {under_way}, sent {sent}, refused {refused}")
        sent = int(str(facts["accepted"])) + int(str(facts["duplicate"]))
        sys.stderr.write("\r\033[K" + text.format(sent=sent, **facts))
        sys.stderr.flush()

    def _words(self, event: Event, facts: dict[str, object]) -> str:
        file = plain(facts.get("file"))
        error: Any = facts.get("error")
        if error is not None:
            told = describe_error(error)
            text = (
                _("waiting: {problem} {hint} (next try in {seconds} s)")
                if event.value == "waiting"
                else "{problem} {hint}"
            )
            words = text.format(problem=told["message"], hint=told["hint"], seconds=facts.get("again_in_s", "-"))
            return f"{file}: {words}" if file else words
        if event.value == "sent":
            return f"{word(str(facts['status']))}\t{file}\t{facts['archival_number'] or ''}"
        if event.value == "refused":
            return f"{word('refused')}\t{file}\t{facts['reason']}\t{plain(facts['moved_to'])}.reason.txt"
        if event.value == "batch-closed":
            text = word("balanced" if facts["balanced"] else "unbalanced")
            return f"{word('batch-closed')}\t{plain(facts['folder'])}\t{text}\t{json.dumps(facts['balance'])}"
        rest = "\t".join(plain(value) for name, value in facts.items() if name != "file" and value is not None)
        return "\t".join(part for part in (word(event.value), file, rest) if part)
