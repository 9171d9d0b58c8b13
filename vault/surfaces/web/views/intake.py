"""Bringing scans in: the drop zone, batches and their balance, the quarantine."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from vault.surfaces.web.views.parts import (
    BLANK,
    Action,
    ActorName,
    Choices,
    Form,
    Link,
    Option,
    Paging,
    TimelineEntry,
)


@dataclass(frozen=True, slots=True)
class ClassOption:
    """A retention class to choose at intake, with what it means in a line."""

    code: str
    name: str
    period: str


@dataclass(frozen=True, slots=True)
class IntakeView:
    """The intake page. When `stopped_because` has message ids, the store lied and nothing can be sent.

    A batch is opened when it has a name: the first showing proposes one in `form.values["batch_name"]`.
    The values of `units` are unit codes.
    """

    classes: tuple[ClassOption, ...]
    units: tuple[Option, ...]
    accepted_types: str
    upload_bytes_max: int
    items_href: str = "/api/v1/intake/items"
    batches_href: str = "/api/v1/batches"
    form: Form = BLANK
    batch: Link | None = None
    stopped_because: tuple[str, ...] = ()
    recent: tuple[BatchRow, ...] = ()


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
class BatchItem:
    """One file of a batch; `reasons` are translated sentences."""

    id: str
    file_name: str
    state: str
    size_bytes: int
    received_at: datetime
    page_count: int | None = None
    record: Link | None = None
    reasons: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class BatchView:
    """One batch. `progress_href` answers JSON while items are still on their way."""

    id: str
    name: str
    state: str
    class_name: str
    sender: ActorName
    opened_at: datetime
    closed_at: datetime | None
    balance: Balance
    items: tuple[BatchItem, ...]
    paging: Paging
    timeline: tuple[TimelineEntry, ...]
    actions: tuple[Action, ...] = ()
    progress_href: str | None = None


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
