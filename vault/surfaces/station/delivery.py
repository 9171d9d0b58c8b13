"""One file on its way: hashed, noted, sent, its answer noted, moved. Each line survives a crash before or after it.

1. the file is hashed; 2. its batch is known; 3. the intent with its client key is in the journal; 4. it is sent;
5. the answer and the place it goes to are in the journal; 6. it is moved; 7. a refusal is explained beside it;
8. the journal says so. A crash before 3 leaves nothing; before 5 the same key is sent again and meets the same
answer; before 8 the move is found done or is done.
"""

from __future__ import annotations

import threading
from datetime import date
from pathlib import Path, PurePosixPath
from typing import Any

from vault.foundation.clock import Clock
from vault.foundation.errors import N_
from vault.surfaces.client import Answer, Client, ServerRefused, Unavailable
from vault.surfaces.local_file import FileChanged, LocalFile, client_key
from vault.surfaces.station.errors import BadControlFile
from vault.surfaces.station.folder import Folder, Found, read_description
from vault.surfaces.station.journal import Journal, Line, State
from vault.surfaces.station.model import Event, Plan, Tally, Tell
from vault.surfaces.station.piles import Piles
from vault.surfaces.station.reasons import refusal_text

_REFUSE_THE_FILE = frozenset({"upload-too-large", "client-key-reused"})
_STATION_WIDE_STATUS = frozenset({401, 403, 404, 405})


class Delivery:
    """Brings files of one folder to the server."""

    def __init__(
        self,
        plan: Plan,
        folder: Folder,
        journal: Journal,
        client: Client,
        piles: Piles,
        tell: Tell,
        clock: Clock,
        stop: threading.Event,
    ) -> None:
        self._plan = plan
        self._folder = folder
        self._journal = journal
        self._client = client
        self._piles = piles
        self._tell = tell
        self._clock = clock
        self._stop = stop
        self.tally = Tally()

    def today(self) -> date:
        """The day at the station, by which files are put away."""
        return self._clock.now().astimezone().date()

    def finish_answered(self) -> None:
        """After a start: puts away what was answered before the end.

        Raises:
            OSError: a file cannot be moved.
        """
        for line in self._journal.unfinished(State.ANSWERED):
            self._put_away(line)

    def note_gone(self, present: set[str]) -> None:
        """Tells of files that went away before their answer was known; the server may or may not have them."""
        for line in self._journal.unfinished(State.INTENT):
            if line.path not in present and not (self._folder.root / line.path).exists():
                self._journal.note_gone(line.id)
                self._tell(Event.GONE, file=line.path, sha256=line.sha256)

    def deliver(self, found: Found) -> None:
        """Takes one finished file all the way.

        Raises:
            Unavailable, ServerRefused: it stays where it is and is tried again.
            Interrupted: the watch ends; a large file goes on from there at the next start.
            FileChanged: it is not finished after all.
            BadControlFile, PileClosing: what describes it, or its batch, is not ready.
            OSError, sqlite3.Error: this machine's disk or permissions.
        """
        path = found.path
        answered = self._journal.find(path, State.ANSWERED)
        if answered is not None and (answered.size_bytes, answered.modified_ns) == found.identity:
            self._put_away(answered)  # it could not be moved when the answer came
            return
        file = LocalFile.read(self._folder.root / path)
        if (file.size_bytes, file.modified_ns) != found.identity:
            raise FileChanged(file=path)
        description, is_described = self._description(path)
        metadata: dict[str, Any] = {
            "class_code": self._plan.class_code,
            "unit_code": self._plan.unit_code,
            **description,
            "file_name": PurePosixPath(path).name,
        }
        line = self._intend(found, file, metadata)
        try:
            answer = self._client.send(file, line.client_key, metadata, stop=self._stop)
        except ServerRefused as refusal:
            answer = self._settled(found, refusal, is_described=is_described)
        target = self._folder.target_for(path, answer.status, self.today())
        self._journal.note_answer(line.id, answer, target)
        self._put_away(
            Line(
                line.id,
                path,
                file.size_bytes,
                file.modified_ns,
                file.sha256,
                line.client_key,
                line.batch_row,
                State.ANSWERED,
                answer,
                target,
            )
        )

    def _description(self, path: str) -> tuple[dict[str, Any], bool]:
        sidecar = self._folder.sidecar_of(path)
        if sidecar is None:
            if self._plan.waits_for_sidecar:
                raise BadControlFile(file=f"{path}.json", problem=N_("it has not come yet"))
            return dict(self._plan.description), False
        return {**self._plan.description, **read_description(sidecar)}, True

    def _intend(self, found: Found, file: LocalFile, metadata: dict[str, Any]) -> Line:
        """Steps 2 and 3. Equal bytes that were not answered yet keep their key, under whatever name they come."""
        batch = None
        if self._plan.is_batch_by_folder and found.batch_folder is not None:
            batch = self._piles.batch_for(found.batch_folder)
            metadata["batch_id"] = batch.server_id
        parts = (str(metadata["class_code"]), metadata.get("unit_code"), batch.server_id if batch else None)
        pile = "/".join(part or "" for part in parts)
        line = Line(
            0,
            found.path,
            file.size_bytes,
            file.modified_ns,
            file.sha256,
            "",
            batch.id if batch else None,
            State.INTENT,
            None,
            None,
        )
        known = self._journal.find(found.path, State.INTENT)
        if known is not None and known.sha256 == file.sha256:
            return self._journal.adopt(known.id, line)
        if known is not None:
            self._journal.note_gone(known.id)
            self._tell(Event.CHANGED, file=found.path)
        for other in self._journal.unanswered_like(pile, file.sha256):
            if other.state is State.GONE or not (self._folder.root / other.path).exists():
                return self._journal.adopt(other.id, line)
        return self._journal.note_intent(line, pile, lambda n: client_key(file.sha256, *parts, ordinal=n))

    def _settled(self, found: Found, refusal: ServerRefused, *, is_described: bool) -> Answer:
        """What a refused request means for the file: refused for good, or the station's trouble, which is raised."""
        code = refusal.problem_code
        if code == "batch-closed" and found.batch_folder is not None:
            self._piles.forget(found.batch_folder)
            raise Unavailable(
                server=self._client.server, problem=str(refusal.problem.get("title")), is_whole_server=False
            ) from refusal
        if code not in _REFUSE_THE_FILE and (refusal.http_status in _STATION_WIDE_STATUS or not is_described):
            raise refusal
        finding = {
            "code": code,
            "severity": "refuse",
            "page": None,
            "message": refusal.problem.get("title"),
            "hint": refusal.problem.get("hint"),
        }
        return Answer("refused", None, None, None, (finding,), message=str(refusal.problem.get("title")))

    def _put_away(self, line: Line) -> None:
        """Steps 6 to 8."""
        assert line.answer is not None
        assert line.target is not None
        is_moved = self._folder.move(line.path, line.target, (line.size_bytes, line.modified_ns))
        if is_moved and line.answer.status == "refused":
            day = PurePosixPath(line.target).parts[1]
            text = refusal_text(PurePosixPath(line.path).name, day, line.answer)
            self._folder.write_beside(line.target, ".reason.txt", text)
        if is_moved:
            self._move_sidecar(line)
        self._journal.note_moved(line.id)
        answer = line.answer
        setattr(self.tally, answer.status, getattr(self.tally, answer.status) + 1)
        self._tell(
            Event.REFUSED if answer.status == "refused" else Event.SENT,
            file=line.path,
            status=answer.status,
            record_id=answer.record_id,
            archival_number=answer.archival_number,
            reason=answer.reason,
            findings=[dict(finding) for finding in answer.findings],
            moved_to=line.target if is_moved else None,
        )

    def _move_sidecar(self, line: Line) -> None:
        sidecar = self._folder.sidecar_of(line.path)
        if sidecar is None or line.target is None:
            return
        if any(sibling.suffix != ".json" for sibling in _siblings(sidecar, self._folder.root / line.path)):
            return  # NAME.json also describes another scan of that name that is still here
        target = Path(line.target)
        is_long = sidecar.name == f"{Path(line.path).name}.json"
        name = f"{target.name}.json" if is_long else f"{target.stem}.json"
        sidecar.replace(self._folder.root / target.with_name(name))


def _siblings(sidecar: Path, scan: Path) -> list[Path]:
    """Files that a `NAME.json` may also describe."""
    if sidecar.name == f"{scan.name}.json":
        return []
    return [path for path in sidecar.parent.glob(f"{sidecar.stem}.*") if path not in {sidecar, scan}]
