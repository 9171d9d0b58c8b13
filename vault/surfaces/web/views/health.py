"""Whether stores, keys and services keep their promises."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from vault.surfaces.web.views.lists import ListFrame
from vault.surfaces.web.views.parts import Action, Choices, Progress


@dataclass(frozen=True, slots=True)
class CheckRow:
    """One thing that the probe tried; `message` is the message id that says what must happen."""

    name: str
    is_ok: bool
    message: str


@dataclass(frozen=True, slots=True)
class StoreRow:
    """A store. state: honest, lies, unreachable or unknown."""

    name: str
    state: str
    probed_at: datetime | None
    checks: tuple[CheckRow, ...]
    objects_count: int
    size_bytes: int

    @property
    def lies(self) -> tuple[str, ...]:
        """What must happen and does not."""
        return tuple(check.message for check in self.checks if not check.is_ok)


@dataclass(frozen=True, slots=True)
class LeftoverRow:
    """A version in the store that no catalogue row names; `cause` is a message id."""

    object_key: str
    cause: str
    size_bytes: int
    stored_at: datetime
    removable_from: datetime | None


@dataclass(frozen=True, slots=True)
class LeftoverSection:
    """What is left over in the store: all of it in figures, the oldest in rows, and when it was last looked for."""

    objects_count: int
    size_bytes: int
    removable_count: int
    rows: tuple[LeftoverRow, ...]
    reconciled_at: datetime | None
    job_href: str | None = None
    is_running: bool = False


@dataclass(frozen=True, slots=True)
class EpochRow:
    """An epoch of the custodian's secret."""

    number: int
    state: str
    created_at: datetime
    destroyed_at: datetime | None
    groups_count: int


@dataclass(frozen=True, slots=True)
class GroupRow:
    """A group key: one for each retention class and closing period."""

    class_code: str
    class_name: str
    period: str
    generation: int
    state: str
    epoch: int
    records_count: int


@dataclass(frozen=True, slots=True)
class ServiceRow:
    """A part of the installation; `note` is a translated sentence with the figure that matters."""

    name: str
    state: str
    note: str


@dataclass(frozen=True, slots=True)
class HealthView:
    """Stores, keys and services on one page."""

    stores: tuple[StoreRow, ...]
    custodian: str
    epochs: tuple[EpochRow, ...]
    groups: tuple[GroupRow, ...]
    services: tuple[ServiceRow, ...]
    actions: tuple[Action, ...] = ()
    leftovers: LeftoverSection | None = None
    drifts_count: int = 0


@dataclass(frozen=True, slots=True)
class JobRow:
    """A piece of background work; `task` is its translated name."""

    id: str
    href: str
    task: str
    state: str
    progress: Progress | None
    started_at: datetime | None
    ended_at: datetime | None
    attempts: int
    problem: str = ""
    actions: tuple[Action, ...] = ()


@dataclass(frozen=True, slots=True)
class JobFilter:
    """What the list is narrowed to, as in the address."""

    state: str = ""
    task: str = ""
    from_date: str = ""
    to_date: str = ""


@dataclass(frozen=True, slots=True)
class JobListView:
    """Jobs, and how many there are in each state."""

    list: ListFrame
    filter: JobFilter
    choices: Choices
    counts: tuple[tuple[str, int], ...]
    rows: tuple[JobRow, ...]
    progress_href: str | None = None


@dataclass(frozen=True, slots=True)
class JobView:
    """One job; `result` are translated names with their values."""

    id: str
    task: str
    state: str
    progress: Progress | None
    started_at: datetime | None
    ended_at: datetime | None
    attempts: int
    problem: str = ""
    result: tuple[tuple[str, str], ...] = ()
    actions: tuple[Action, ...] = ()
    progress_href: str | None = None
