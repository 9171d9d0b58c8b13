"""The watcher: looks at the folder, hands finished files to senders, closes batches, waits, and never gives up.

When the server as a whole cannot be used, one file at a time is tried, with growing pauses, until it answers again;
trouble with one file holds up that file only.
"""

from __future__ import annotations

import sqlite3
import threading
import time
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field

from vault.foundation.clock import Clock
from vault.foundation.errors import VaultError
from vault.surfaces.client import Client, Interrupted, ServerRefused, Unavailable
from vault.surfaces.patience import Patience
from vault.surfaces.station.delivery import Delivery
from vault.surfaces.station.errors import FolderUnusable, LeftOver
from vault.surfaces.station.folder import OWN_DIRECTORY, Folder, Found, words_of
from vault.surfaces.station.journal import Journal
from vault.surfaces.station.model import Event, Plan, Tally, Tell
from vault.surfaces.station.piles import Piles

QUEUE_MAX = 1_000
STATUS_EVERY_S = 1.0
TOLD_AGAIN_AFTER_S = 60.0
_FOR_EVER = Patience(attempts_max=None, pause_first_s=0.5, pause_most_s=30.0)
_MISCONFIGURED = Patience(attempts_max=None, pause_first_s=5.0, pause_most_s=60.0)


@dataclass
class _Pause:
    """How often something failed in a row, and until when it rests."""

    failures: int = 0
    until_s: float = 0.0
    reason: str = ""
    told_at_s: float = 0.0


@dataclass
class _Work:
    """What is under way; guarded by `lock`."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    busy: set[str] = field(default_factory=set)
    delayed: dict[str, _Pause] = field(default_factory=dict)
    server: _Pause = field(default_factory=_Pause)
    progress_at_s: float = field(default_factory=time.monotonic)
    defect: BaseException | None = None


class Watcher:
    """Watches one folder until it is told to stop."""

    def __init__(self, plan: Plan, client: Client, clock: Clock, tell: Tell) -> None:
        self._plan = plan
        self._client = client
        self._clock = clock
        self._tell = tell
        self._folder = Folder(plan.folder)
        self._work = _Work()
        self._last_status: tuple[object, ...] = ()
        self._status_at_s = 0.0

    def run(self, stop: threading.Event) -> Tally:
        """Works until `stop` is set, or, for a single pass, until nothing is left.

        Raises:
            FolderTaken, FolderUnusable: it cannot begin.
            LeftOver: a single pass ended with files that could not be sent.
        """
        with self._folder.taken():
            try:
                journal = Journal(self._folder.root / OWN_DIRECTORY / "journal.sqlite", self._clock)
            except sqlite3.Error as error:
                raise FolderUnusable(folder=str(self._folder.root), problem=words_of(error)) from error
            piles = Piles(self._plan, self._folder, journal, self._client, self._tell)
            delivery = Delivery(self._plan, self._folder, journal, self._client, piles, self._tell, self._clock, stop)
            self._tell(Event.STARTED, folder=str(self._folder.root), server=self._client.server)
            pool = ThreadPoolExecutor(self._plan.clients, thread_name_prefix="sender")
            try:
                self._recover(delivery, stop)
                self._watch(delivery, piles, pool, stop)
            finally:
                pool.shutdown(wait=True, cancel_futures=True)
                journal.close()
            self._tell(Event.STOPPED, accepted=delivery.tally.accepted, refused=delivery.tally.refused)
            return delivery.tally

    def _recover(self, delivery: Delivery, stop: threading.Event) -> None:
        """Puts away what was answered before the last end; a full or read-only disk is waited for."""
        while not stop.is_set():
            try:
                delivery.finish_answered()
            except (OSError, sqlite3.Error) as error:
                self._trouble(None, error)
                if self._plan.is_once:
                    raise FolderUnusable(folder=str(self._folder.root), problem=words_of(error)) from error
                stop.wait(10)
            else:
                return

    def _watch(self, delivery: Delivery, piles: Piles, pool: ThreadPoolExecutor, stop: threading.Event) -> None:
        while not stop.is_set():
            began_s = time.monotonic()
            if self._work.defect is not None:
                raise self._work.defect
            try:
                found = self._folder.look()
                self._submit(delivery, pool, self._folder.finished(found, self._plan.settle_s))
                delivery.note_gone({file.path for file in found})
                is_closing = self._close_piles(delivery, piles, found)
            except (OSError, sqlite3.Error) as error:
                self._trouble(None, error)
                stop.wait(5)
                continue
            self._status(found, delivery.tally)
            if self._plan.is_once and self._is_over(found, is_closing=is_closing):
                return
            stop.wait(max(self._plan.poll_s, 5 * (time.monotonic() - began_s)))

    def _submit(self, delivery: Delivery, pool: ThreadPoolExecutor, finished: list[Found]) -> None:
        now_s, work = time.monotonic(), self._work
        with work.lock:
            here = {file.path for file in finished} | work.busy
            for path in [path for path in work.delayed if path not in here and not path.endswith("/")]:
                del work.delayed[path]
            for file in finished:
                is_probing = work.server.failures > 0
                if work.server.until_s > now_s or len(work.busy) >= (1 if is_probing else QUEUE_MAX):
                    return
                rest = work.delayed.get(file.path)
                if file.path in work.busy or (rest is not None and rest.until_s > now_s):
                    continue
                work.busy.add(file.path)
                pool.submit(self._send, delivery, file).add_done_callback(self._note_defect)

    def _note_defect(self, done: Future[None]) -> None:
        if not done.cancelled() and done.exception() is not None:
            self._work.defect = done.exception()

    def _send(self, delivery: Delivery, file: Found) -> None:
        work = self._work
        try:
            if work.server.until_s > time.monotonic():
                return
            delivery.deliver(file)
            with work.lock:
                work.server = _Pause()
                work.delayed.pop(file.path, None)
                work.progress_at_s = time.monotonic()
        except Unavailable as error:
            self._rest(file, error, _FOR_EVER, is_whole_server=error.is_whole_server)
        except ServerRefused as error:
            self._rest(file, error, _MISCONFIGURED, is_whole_server=error.http_status in {401, 403, 404, 405})
        except Interrupted:
            return
        except FileNotFoundError:  # it went away between the look and now; the journal tells if that matters
            return
        except VaultError as error:
            self._rest(file, error, _FOR_EVER, is_whole_server=False)
        except (OSError, sqlite3.Error) as error:
            self._trouble(file, error)
        finally:
            with work.lock:
                work.busy.discard(file.path)

    def _rest(self, file: Found, error: VaultError, patience: Patience, *, is_whole_server: bool) -> None:
        """Lets the file, or the whole station, rest; says so when it is news or a minute old."""
        now_s, work = time.monotonic(), self._work
        code = error.problem_code if isinstance(error, ServerRefused) else error.code
        with work.lock:
            pause = work.server if is_whole_server else work.delayed.setdefault(file.path, _Pause())
            if is_whole_server and pause.until_s > now_s:
                return  # several senders met the same outage: it counts once
            pause.failures = 1 if getattr(error, "has_got_on", False) else pause.failures + 1
            pause_s = patience.pause_s(pause.failures, getattr(error, "retry_after_s", None))
            pause.until_s = now_s + pause_s
            is_news = pause.reason != str(error) or now_s - pause.told_at_s >= TOLD_AGAIN_AFTER_S
            if is_news:
                pause.reason, pause.told_at_s = str(error), now_s
        if is_news:
            self._tell(
                Event.WAITING,
                file=None if is_whole_server else file.path,
                code=code,
                error=error,
                again_in_s=round(pause_s, 1),
            )

    def _trouble(self, file: Found | None, error: OSError | sqlite3.Error) -> None:
        """Tells of this machine's own trouble; the file rests."""
        trouble = FolderUnusable(folder=str(self._folder.root), problem=words_of(error))
        if file is None:
            self._tell(Event.TROUBLE, file=None, code=trouble.code, error=trouble)
        else:
            self._rest(file, trouble, _MISCONFIGURED, is_whole_server=False)

    def _close_piles(self, delivery: Delivery, piles: Piles, found: list[Found]) -> bool:
        """Closes the batches that have their closing file and no scan left; says whether one still waits."""
        if not self._plan.is_batch_by_folder:
            return False
        occupied = {file.batch_folder for file in found}
        with self._work.lock:
            occupied |= {path.partition("/")[0] for path in self._work.busy}
        waits = False
        for name in piles.to_close():
            pseudo = Found(f"{name}/", 0, 0, 0, 0)
            with self._work.lock:
                rest = self._work.delayed.get(pseudo.path)
                is_resting = max(self._work.server.until_s, rest.until_s if rest else 0.0) > time.monotonic()
            if name in occupied or is_resting:
                waits = True
                continue
            try:
                piles.close(name, delivery.today(), delivery.tally)
            except (Unavailable, ServerRefused) as error:
                self._rest(pseudo, error, _FOR_EVER, is_whole_server=isinstance(error, Unavailable))
                waits = True
            except VaultError as error:
                self._rest(pseudo, error, _FOR_EVER, is_whole_server=False)
                waits = True
            else:
                with self._work.lock:
                    self._work.progress_at_s = time.monotonic()
        return waits

    def _is_over(self, found: list[Found], *, is_closing: bool) -> bool:
        with self._work.lock:
            is_busy = bool(self._work.busy)
            idle_s = time.monotonic() - self._work.progress_at_s
            reasons = [self._work.server.reason, *(pause.reason for pause in self._work.delayed.values())]
        if not found and not is_busy and not is_closing:
            return True
        if not is_busy and idle_s > self._plan.patience_s + self._plan.settle_s:
            raise LeftOver(count=len(found), problem=next((reason for reason in reasons if reason), "?"))
        return False

    def _status(self, found: list[Found], tally: Tally) -> None:
        now_s = time.monotonic()
        with self._work.lock:
            sending, resting = len(self._work.busy), len(self._work.delayed)
        state = (len(found), sending, resting, tally.accepted, tally.duplicate, tally.refused)
        if state == self._last_status or now_s - self._status_at_s < STATUS_EVERY_S:
            return
        self._last_status, self._status_at_s = state, now_s
        names = ("in_folder", "under_way", "resting", "accepted", "duplicate", "refused")
        self._tell(Event.STATUS, **dict(zip(names, state, strict=True)))
