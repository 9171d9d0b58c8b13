"""Sub-folders as batches: a count is announced, the scans come, a closing file ends it with its balance.

`sheets.txt` (a number) or `batch.json` announces before the first scan; `close.txt` says that nothing more will come.
"""

from __future__ import annotations

import json
import threading
from contextlib import suppress
from datetime import date
from pathlib import Path
from typing import Any

from vault.foundation.errors import N_
from vault.surfaces.client import Client
from vault.surfaces.station.errors import BadControlFile, PileClosing
from vault.surfaces.station.folder import (
    BATCH_FILE,
    CLOSE_FILE,
    CONTROL_FILES,
    DONE,
    REFUSED,
    SHEETS_FILE,
    Folder,
    read_description,
    write_whole,
)
from vault.surfaces.station.journal import BatchLine, Journal
from vault.surfaces.station.model import Event, Plan, Tally, Tell
from vault.surfaces.station.reasons import balance_text, is_balanced

_SHEETS_MAX = 1_000_000


class Piles:
    """The batches of one watched folder."""

    def __init__(self, plan: Plan, folder: Folder, journal: Journal, client: Client, tell: Tell) -> None:
        self._plan = plan
        self._folder = folder
        self._journal = journal
        self._client = client
        self._tell = tell
        self._opening = threading.Lock()

    def batch_for(self, folder: str) -> BatchLine:
        """The open batch for a sub-folder; opened when there is none.

        Raises:
            PileClosing: the batch before it has been closed but its balance is not written yet.
            BadControlFile: the announcement cannot be understood: better wait than lose it.
            Unavailable, ServerRefused: the server cannot or will not open one.
        """
        with self._opening:
            known = self._journal.open_batch(folder)
            if known is not None and known.state == "open":
                return known
            if known is not None:
                raise PileClosing(folder=folder)
            announced = self._announced(folder)
            unit = announced.get("unit_code") or self._plan.unit_code
            name = str(announced.get("name") or folder)[:100]
            sheets = announced.get("sheets_announced")
            made = self._client.post(
                "/batches", {"name": name, "sheets_announced": sheets, **({"unit_code": unit} if unit else {})}
            )
            line = self._journal.note_batch(folder, str(made["id"]), sheets)
            self._tell(Event.BATCH_OPENED, folder=folder, batch_id=line.server_id, sheets_announced=sheets)
            return line

    def forget(self, folder: str) -> None:
        """The batch was closed by somebody else; the next scan opens another one."""
        with self._opening:
            line = self._journal.open_batch(folder)
            if line is not None:
                self._journal.note_batch_state(line.id, "closed")

    def to_close(self) -> list[str]:
        """Sub-folders with a closing file, and those whose closing was begun."""
        asked = {line.folder for line in self._journal.open_batches() if line.state == "closing"}
        for entry in sorted(self._folder.root.iterdir()):
            is_pile = entry.is_dir() and not entry.is_symlink() and not entry.name.startswith(".")
            if is_pile and entry.name not in {DONE, REFUSED} and (entry / CLOSE_FILE).is_file():
                asked.add(entry.name)
        return sorted(asked)

    def close(self, folder: str, day: date, tally: Tally) -> None:
        """Closes the sub-folder's batch and writes its balance; may be repeated after a crash at any line.

        Raises:
            BadControlFile, Unavailable, ServerRefused, OSError: it is tried again later.
        """
        line = self._journal.open_batch(folder) or self.batch_for(folder)
        self._journal.note_batch_state(line.id, "closing")
        closed = self._client.close_batch(line.server_id)
        balance = dict(closed["balance"])
        late_count = None
        with suppress(BadControlFile):  # the balance is written even when a late announcement is unreadable
            told = self._announced(folder).get("sheets_announced")
            late_count = told if told is not None and line.sheets_announced is None else None
        place = self._folder.root / DONE / day.isoformat() / folder
        name = str(closed.get("name") or folder)
        write_whole(place / f"balance-{line.server_id[-8:]}.txt", balance_text(name, balance, late_count))
        kept = {"batch_id": line.server_id, "state": closed.get("state"), "name": name, "balance": balance}
        write_whole(place / f"balance-{line.server_id[-8:]}.json", json.dumps(kept, ensure_ascii=False, indent=1))
        is_right = is_balanced(balance, late_count)
        self._clear(folder, place, line.server_id[-8:])
        self._journal.note_batch_state(line.id, "closed", balance)
        tally.unbalanced_batches += not is_right
        self._tell(Event.BATCH_CLOSED, folder=folder, batch_id=line.server_id, balanced=is_right, balance=balance)

    def _clear(self, folder: str, place: Path, mark: str) -> None:
        """Puts the control files beside the balance and removes the sub-folder when nothing is left in it."""
        source = self._folder.root / folder
        for name in sorted(CONTROL_FILES):
            with suppress(FileNotFoundError):
                (source / name).replace(place / f"{mark}-{name}")
        for directory in sorted((d for d in source.rglob("*") if d.is_dir()), reverse=True):
            with suppress(OSError):
                directory.rmdir()
        with suppress(OSError):  # something that is no scan is left: it stays where it is
            source.rmdir()

    def _announced(self, folder: str) -> dict[str, Any]:
        told: dict[str, Any] = {}
        described, counted = (self._folder.root / folder / name for name in (BATCH_FILE, SHEETS_FILE))
        if described.is_file():
            told = read_description(described)
        if counted.is_file():
            try:
                with counted.open(encoding="utf-8-sig") as file:
                    told["sheets_announced"] = int(file.read(32).strip())
            except (OSError, ValueError) as error:
                raise BadControlFile(
                    file=f"{folder}/{SHEETS_FILE}", problem=N_("it is not a whole number")
                ) from error
        sheets = told.get("sheets_announced")
        is_count = isinstance(sheets, int) and not isinstance(sheets, bool) and 0 <= sheets <= _SHEETS_MAX
        if sheets is not None and not is_count:
            raise BadControlFile(file=f"{folder}/{BATCH_FILE}", problem=N_("sheets_announced is not a count"))
        return told
