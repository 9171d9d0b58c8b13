"""The clock that enqueues: appointments that one process at a time keeps, the leader, who holds an advisory lock."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from apscheduler.schedulers.background import BackgroundScheduler
from sqlalchemy import text

from vault.foundation.clock import Clock
from vault.foundation.db.engine import Database

LOOK_EVERY_S = 5.0
JUMP_S_MIN = 30.0
_LEADER_LOCK = 0x736C6970_636C6F63


@dataclass(frozen=True)
class Appointment:
    """What is done every so many seconds, the first time after as many or at once."""

    body: Callable[[], object]
    every_s: float
    is_first_at_once: bool = False


def lead(
    database: Database,
    appointments: Sequence[Appointment],
    ending: threading.Event,
    *,
    look_every_s: float = LOOK_EVERY_S,
) -> None:
    """Keeps the appointments for as long as this process leads; returns at once when another one does.

    Returns when `ending` is set, and when the wall clock was set: the scheduler counts in instants, and after a step
    back of hours it would sleep for hours. Whoever leads next, this process or another, counts from the new time.

    Raises:
        DatabaseUnavailable: the connection is gone, and with it the lock.
    """
    with database.alone(_LEADER_LOCK) as guard:
        if guard is None:
            return
        scheduler = BackgroundScheduler(timezone="UTC")
        for appointment in appointments:
            scheduler.add_job(
                appointment.body,
                "interval",
                seconds=appointment.every_s,
                max_instances=1,
                coalesce=True,
                **({"next_run_time": database.clock.now()} if appointment.is_first_at_once else {}),
            )
        scheduler.start()
        started = _offset_s(database.clock)
        try:
            while not ending.wait(look_every_s) and abs(_offset_s(database.clock) - started) < JUMP_S_MIN:
                guard.execute(text("SELECT 1"))
        finally:
            scheduler.shutdown(wait=False)


def _offset_s(clock: Clock) -> float:
    return clock.now().timestamp() - clock.monotonic()
