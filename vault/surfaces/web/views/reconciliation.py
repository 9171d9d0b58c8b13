"""Reconciliation of stores and catalogue: what was found, and the runs that found it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from vault.surfaces.web.views.health import JobRow
from vault.surfaces.web.views.lists import ListFrame
from vault.surfaces.web.views.parts import Action, Choices, Link


@dataclass(frozen=True, slots=True)
class Standing:
    """What stands somewhere, or should: its word (a message id, or the store's own), and until when."""

    word: str
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class DriftRow:
    """One difference; `kind` and `advice` are message ids. `repair` is what was set, `problem` why it could not be."""

    id: str
    kind: str
    state: str
    is_alarm: bool
    record: Link | None
    record_id: str
    store: str
    object_key: str
    found: Standing
    expected: Standing
    repair: Standing | None
    problem: str
    advice: str
    found_at: datetime
    settled_at: datetime | None


@dataclass(frozen=True, slots=True)
class DriftFilter:
    """What the list is narrowed to, as in the address."""

    state: str = ""
    kind: str = ""
    record: str = ""
    from_date: str = ""
    to_date: str = ""


@dataclass(frozen=True, slots=True)
class ReconciliationView:
    """The page. `open_count` and `alarms_count` are of everything, whatever the list is narrowed to."""

    list: ListFrame
    filter: DriftFilter
    choices: Choices
    rows: tuple[DriftRow, ...]
    runs: tuple[JobRow, ...]
    open_count: int
    alarms_count: int
    actions: tuple[Action, ...] = ()
    progress_href: str | None = None
