"""Bringing scans in: the drop zone, batches and their balance, the quarantine."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from vault.surfaces.web.views.lists import ListFrame
from vault.surfaces.web.views.parts import (
    Action,
    ActorName,
    Choices,
    Link,
)


@dataclass(frozen=True, slots=True)
class Balance:
    """Sheets announced = items received = accepted + refused. Duplicates count as accepted before."""

    announced: int | None
    received: int
    accepted: int
    refused: int
    duplicates: int = 0

    @property
    def is_even(self) -> bool:
        """Whether both equations hold."""
        return self.announced in (None, self.received) and self.is_settled

    @property
    def is_settled(self) -> bool:
        """Whether every item received has its outcome."""
        return self.received == self.accepted + self.duplicates + self.refused

    @property
    def missing(self) -> int:
        """Announced but not received (negative: more came than announced)."""
        return 0 if self.announced is None else self.announced - self.received


@dataclass(frozen=True, slots=True)
class BatchRow:
    """A batch in a list."""

    id: str
    name: str
    href: str
    state: str
    sender: ActorName
    opened_at: datetime
    balance: Balance


@dataclass(frozen=True, slots=True)
class BatchFilter:
    """What the list of batches is narrowed to, as in the address."""

    q: str = ""
    state: str = ""
    balance: str = ""
    unit: str = ""
    sender: str = ""
    from_date: str = ""
    to_date: str = ""


@dataclass(frozen=True, slots=True)
class BatchListView:
    """The batches the viewer may see."""

    list: ListFrame
    filter: BatchFilter
    choices: Choices
    rows: tuple[BatchRow, ...]
    actions: tuple[Action, ...] = ()


@dataclass(frozen=True, slots=True)
class Handled:
    """What was done about a refused item."""

    handling: str
    note: str
    by: ActorName
    at: datetime


@dataclass(frozen=True, slots=True)
class QuarantineRow:
    """A refused item with its reasons and what was found; `act` is the act that the viewer may do with it."""

    id: str
    file_name: str
    state: str
    reasons: tuple[str, ...]
    advice: str
    size_bytes: int
    media_type: str
    sha256_hex: str
    sender: ActorName
    refused_at: datetime
    batch: Link | None = None
    handled: Handled | None = None
    act: str = ""


@dataclass(frozen=True, slots=True)
class QuarantineFilter:
    """What the quarantine list is narrowed to, as in the address; without a state, to what waits."""

    q: str = ""
    state: str = ""
    reason: str = ""
    unit: str = ""
    sender: str = ""
    batch: str = ""
    from_date: str = ""
    to_date: str = ""


@dataclass(frozen=True, slots=True)
class QuarantineListView:
    """Refused items, newest first."""

    list: ListFrame
    filter: QuarantineFilter
    choices: Choices
    rows: tuple[QuarantineRow, ...]
    waiting_count: int = 0
