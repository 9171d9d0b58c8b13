"""What a watcher is told, and what it tells."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any, Protocol


@dataclass(frozen=True)
class Plan:
    """How one folder is watched. Times in seconds."""

    folder: Path
    class_code: str
    unit_code: str | None = None
    is_batch_by_folder: bool = False
    waits_for_sidecar: bool = False
    settle_s: float = 2.0
    poll_s: float = 0.5
    clients: int = 4
    is_once: bool = False
    patience_s: float = 120.0  # a single pass ends when nothing went through for so long; a watch never does
    description: Mapping[str, Any] = field(default_factory=dict)


class Event(StrEnum):
    """What happens at a station; the names stand in the output of `--json`."""

    STARTED = "started"
    SENT = "sent"
    REFUSED = "refused"
    WAITING = "waiting"
    TROUBLE = "trouble"
    CHANGED = "changed"
    GONE = "gone"
    BATCH_OPENED = "batch-opened"
    BATCH_CLOSED = "batch-closed"
    STATUS = "status"
    STOPPED = "stopped"


class Tell(Protocol):
    """Takes each event with its facts; called from several threads."""

    def __call__(self, event: Event, **facts: object) -> None: ...


@dataclass
class Tally:
    """What a watcher has done since it started."""

    accepted: int = 0
    duplicate: int = 0
    refused: int = 0
    unbalanced_batches: int = 0

    @property
    def is_all_well(self) -> bool:
        """Whether nothing was refused and every closed batch was balanced."""
        return self.refused == 0 and self.unbalanced_batches == 0
