"""Bringing scans in: the drop zone, batches and their balance, the quarantine."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from vault.surfaces.web.views.parts import (
    Action,
    ActorName,
    Choices,
    Link,
    Paging,
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
    sender: str = ""
    from_date: str = ""
    to_date: str = ""


@dataclass(frozen=True, slots=True)
class BatchListView:
    """The batches the viewer may see."""

    filter: BatchFilter
    choices: Choices
    rows: tuple[BatchRow, ...]
    paging: Paging
    export_href: str | None = None
    actions: tuple[Action, ...] = ()


@dataclass(frozen=True, slots=True)
class QuarantineRow:
    """A refused item with its reasons and what was found."""

    id: str
    file_name: str
    reason_code: str
    reasons: tuple[str, ...]
    advice: str
    size_bytes: int
    media_type: str
    sha256_hex: str
    sender: ActorName
    refused_at: datetime
    kept_until_date: date | None = None
    batch: Link | None = None
    actions: tuple[Action, ...] = ()


@dataclass(frozen=True, slots=True)
class QuarantineFilter:
    """What the quarantine list is narrowed to, as in the address."""

    q: str = ""
    reason: str = ""
    from_date: str = ""
    to_date: str = ""


@dataclass(frozen=True, slots=True)
class QuarantineListView:
    """Refused items, newest first."""

    filter: QuarantineFilter
    choices: Choices
    rows: tuple[QuarantineRow, ...]
    paging: Paging
    export_href: str | None = None
