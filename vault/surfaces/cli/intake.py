"""`slipvault intake send`."""

from __future__ import annotations

import json
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from vault.surfaces.cli.connection import connect
from vault.surfaces.cli.speaking import Json, _, describe_error, new_group, plain, print_json, say, verb, word

if TYPE_CHECKING:
    from vault.surfaces.cli.sending import Outcome
    from vault.surfaces.client import Client, Unavailable
    from vault.surfaces.patience import Patience

group = new_group("intake", _("Send scans into the archive."))
GROUPS = {"intake": group}

Paths = Annotated[list[Path], typer.Argument(metavar="PATH...", help=_("Files, and directories with all in them."))]
ClassCode = Annotated[str, typer.Option("--class", metavar="CODE", help=_("Retention class; see slipvault classes."))]
BatchName = Annotated[str, typer.Option("--batch", metavar="NAME", help=_("Send into the batch of this name."))]
Sheets = Annotated[
    int | None, typer.Option("--sheets", min=0, help=_("Announce so many sheets; the batch closes when all came."))
]
Closing = Annotated[bool, typer.Option("--close", help=_("Close the batch afterwards, balanced or not."))]
UnitCode = Annotated[str, typer.Option("--unit", metavar="CODE", help=_("Unit that the files belong to."))]
Metadata = Annotated[
    Path | None,
    typer.Option(
        "--metadata", metavar="FILE.json", help=_("Description for all; NAME.json beside a scan adds to it.")
    ),
]
Senders = Annotated[int, typer.Option("--clients", min=1, max=64, help=_("Files sent at the same time."))]
PatienceS = Annotated[
    float, typer.Option("--patience", min=0, help=_("Seconds to keep trying when the server is away."))
]


@verb(group, "send", _("Send files. A file that was sent before is not doubled, whatever ended the earlier run."))
def send(
    paths: Paths,
    class_code: ClassCode,
    batch: BatchName = "",
    sheets: Sheets = None,
    close: Closing = False,
    unit: UnitCode = "",
    metadata: Metadata = None,
    clients: Senders = 4,
    patience: PatienceS = 60.0,
    as_json: Json = False,
) -> int:
    from vault.surfaces.cli.sending import Pile, files_in
    from vault.surfaces.station.folder import read_description

    if (sheets is not None or close) and not batch:
        raise typer.BadParameter(_("--sheets and --close need --batch"))
    files = files_in(paths)
    description = read_description(metadata) if metadata else {}
    with connect(clients) as client:
        run = _Run(client, _patience(patience), as_json=as_json)
        opened = run.open_batch(batch, sheets, unit) if batch else None
        pile = Pile(class_code, unit or None, opened["id"] if opened else None, description)
        code = run.send(pile, files, clients)
        return max(code, run.settle_batch(opened, must_close=close)) if opened and code != 75 else code


def _patience(seconds: float) -> Patience:
    """Attempts whose pauses add up to about the time asked for."""
    from vault.surfaces.patience import Patience

    attempts, total_s = 1, 0.0
    while total_s < seconds:
        total_s += min(10.0, 0.5 * 2.0**attempts) * 0.75
        attempts += 1
    return Patience(attempts_max=attempts, pause_first_s=1.0, pause_most_s=10.0)


class _Run:
    """One `send` with its counts."""

    def __init__(self, client: Client, patience: Patience, *, as_json: bool) -> None:
        self._client = client
        self._patience = patience
        self._as_json = as_json
        self._counts = {"accepted": 0, "duplicate": 0, "refused": 0, "unsent": 0}
        self._worst = 0
        self._told = ""

    def open_batch(self, name: str, sheets: int | None, unit: str) -> dict[str, Any]:
        """The open batch of that name, or a new one."""
        body = {"name": name, "sheets_announced": sheets, **({"unit_code": unit} if unit else {})}
        return self._persist(lambda: self._client.post("/batches", body))

    def send(self, pile: Any, files: list[Path], senders: int) -> int:
        """Sends and prints; returns the exit code."""
        from vault.surfaces.cli.progress import bytes_progress
        from vault.surfaces.cli.sending import Sending

        sizes = {file: _size(file) for file in files}
        sent: dict[Path, int] = {}
        with bytes_progress() as bar:
            task = bar.add_task(_("sending"), total=sum(sizes.values()), done="0", all=str(len(files)))

            def on_sent(file: Path, count: int) -> None:
                sent[file] = count
                bar.update(task, completed=sum(list(sent.values())))

            def on_outcome(outcome: Outcome) -> None:
                self._take(outcome)
                on_sent(outcome.file, sizes[outcome.file])
                bar.update(task, done=str(sum(self._counts.values())))

            sending = Sending(self._client, pile, self._patience, self._on_wait, on_sent)
            is_whole = sending.run(files, senders, on_outcome)
        return self._summary(len(files), is_whole=is_whole)

    def settle_batch(self, opened: dict[str, Any], *, must_close: bool) -> int:
        """Closes the batch when every announced sheet has come, or when told to; says how it stands."""
        now = self._persist(lambda: self._client.get(f"/batches/{opened['id']}"))
        balance = now["balance"]
        is_complete = balance["sheets_announced"] is not None and balance["balanced"]
        if must_close or is_complete:
            now = self._persist(lambda: self._client.close_batch(str(opened["id"])))
            balance = now["balance"]
        if self._as_json:
            say(json.dumps({"batch": now}, ensure_ascii=False))
        else:
            text = _("Batch {name}: {state}; announced {sheets_announced}, received {received}, refused {refused}.")
            say(text.format(name=now["name"], state=word(str(now["state"])), **balance))
        is_short = balance["sheets_announced"] is not None and not balance["balanced"]
        return 1 if is_short or (must_close and not balance["balanced"]) else 0

    def _persist(self, attempt: Any) -> dict[str, Any]:
        from vault.surfaces.patience import persist

        answer: dict[str, Any] = persist(attempt, self._patience, threading.Event(), self._on_wait)
        return answer

    def _on_wait(self, why: Unavailable, pause_s: float) -> None:
        told = describe_error(why)["message"]
        if told != self._told:
            self._told = told
            say(_("waiting: {problem}; next try in {seconds} s").format(problem=told, seconds=round(pause_s, 1)))

    def _take(self, outcome: Outcome) -> None:
        self._counts[outcome.status] += 1
        error = describe_error(outcome.error) if outcome.error else None
        if error is not None:
            self._worst = max(self._worst, int(error["exit_code"]))
        answer = outcome.answer
        line = {
            "file": str(outcome.file),
            "status": outcome.status,
            "record_id": answer.record_id if answer else None,
            "reason": answer.reason if answer else (error or {}).get("code"),
            "message": (answer.message if answer and answer.status == "refused" else (error or {}).get("message")),
            "archival_number": answer.archival_number if answer else None,
            "item_id": answer.item_id if answer else None,
            "findings": [dict(finding) for finding in answer.findings] if answer else [],
            "ledger": dict(answer.ledger) if answer else {},
            "repeated": answer.is_repeated if answer else False,
        }
        if self._as_json:
            print_json(line)
        else:
            words = [word(outcome.status), str(outcome.file), line["archival_number"] or line["message"] or ""]
            words += [_("sent before: nothing was doubled")] if line["repeated"] else []
            sys.stdout.write("\t".join(plain(part) for part in words) + "\n")

    def _summary(self, total: int, *, is_whole: bool) -> int:
        counts = self._counts
        left = total - sum(counts.values())
        if not self._as_json:
            text = _("{accepted} accepted, {duplicate} duplicates, {refused} refused, {unsent} not sent")
            say(text.format(**{**counts, "unsent": counts["unsent"] + left}))
        if not is_whole and not self._as_json:
            say(_("Stopped. The same command goes on with what is left."))
        if not is_whole:
            return 75
        if counts["unsent"]:
            return self._worst
        return 1 if counts["refused"] else 0


def _size(file: Path) -> int:
    try:
        return file.stat().st_size
    except OSError:  # said when it is sent
        return 0
