"""The page of one batch."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from vault.surfaces.web.views.intake import Balance
from vault.surfaces.web.views.parts import Action, ActorName, Link, Paging, TimelineEntry


@dataclass(frozen=True, slots=True)
class BatchItem:
    """One file of a batch; reasons and warnings are translated, each with what can be done."""

    id: str
    file_name: str
    state: str
    size_bytes: int
    received_at: datetime
    page_count: int | None = None
    record: Link | None = None
    reasons: tuple[tuple[str, str], ...] = ()
    warnings: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class StateTab:
    """The items in one state: a part of the batch that can be looked at alone."""

    state: str  # empty: all
    count: int
    href: str
    is_current: bool


@dataclass(frozen=True, slots=True)
class BatchView:
    """One batch. `progress_href` answers JSON while items can still come."""

    id: str
    name: str
    state: str
    classes: tuple[Link, ...]
    unit: str
    sender: ActorName
    opened_at: datetime
    closed_at: datetime | None
    balance: Balance
    tabs: tuple[StateTab, ...]
    items: tuple[BatchItem, ...]
    paging: Paging
    timeline: tuple[TimelineEntry, ...]
    actions: tuple[Action, ...] = ()
    progress_href: str | None = None
    file_count: int = 0  # shown before they are filed: how many would be
    all_href: str | None = None  # where there are more items than one page shows
