"""The ledger: its entries, its newest checkpoint, and its verification."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from vault.surfaces.web.views.lists import ListFrame
from vault.surfaces.web.views.parts import ActorName, Choices, Finding, Link, Progress


@dataclass(frozen=True, slots=True)
class EntryRow:
    """A ledger entry in a list; `leaf_index` is nothing until the sequencer has taken it."""

    id: str
    href: str
    at: datetime
    event: str
    actor: ActorName
    subject_type: str
    subject: Link | None
    leaf_index: int | None


@dataclass(frozen=True, slots=True)
class EntryFilter:
    """What the list is narrowed to, as in the address."""

    event: str = ""
    actor_kind: str = ""
    who: str = ""
    subject_type: str = ""
    subject: str = ""
    from_date: str = ""
    to_date: str = ""


@dataclass(frozen=True, slots=True)
class Publication:
    """A place outside the database where the checkpoint lies, locked."""

    store: str
    at: datetime


@dataclass(frozen=True, slots=True)
class TimeStamp:
    """A time-stamp authority's word (RFC 3161) on a checkpoint."""

    authority: str
    at: datetime


@dataclass(frozen=True, slots=True)
class CheckpointView:
    """The newest signed checkpoint."""

    size: int
    root: str
    at: datetime
    origin: str
    publications: tuple[Publication, ...]
    time_stamp: TimeStamp | None


@dataclass(frozen=True, slots=True)
class LedgerVerification:
    """state: never, running, clean or findings."""

    state: str
    at: datetime | None = None
    entries_count: int = 0
    seconds: float = 0.0
    findings: tuple[Finding, ...] = ()
    progress: Progress | None = None
    progress_href: str | None = None


@dataclass(frozen=True, slots=True)
class LedgerView:
    """The ledger's page."""

    list: ListFrame
    filter: EntryFilter
    choices: Choices
    rows: tuple[EntryRow, ...]
    checkpoint: CheckpointView | None
    pending_count: int
    verification: LedgerVerification
    may_verify: bool = False
