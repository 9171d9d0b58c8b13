"""What a version of the schedule would do to the records at hand, and the list of those."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from vault.surfaces.web.views.lists import ListFrame
from vault.surfaces.web.views.parts import BLANK, Action, ActorName, Choices, Form, Link, Progress


@dataclass(frozen=True, slots=True)
class Tally:
    """A number of records, and where they are listed; no address for none, or for who may not see records."""

    count: int
    href: str | None = None


NOBODY = Tally(0, None)


@dataclass(frozen=True, slots=True)
class EffectLine:
    """One way in which records would be treated otherwise; `label` and `meaning` are message ids."""

    label: str
    meaning: str
    tally: Tally
    tone: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class GroupLine:
    """What would become of the records of a class, or of a unit.

    `affected` is `longer`, `shorter` and `other` together. `longer_open` and `shorter_open` are those within them whose
    end nobody can tell, before or after. `years` are (label, count) from the greatest loss to the greatest gain.
    """

    code: str
    name: str
    records: int
    affected: Tally
    longer: Tally
    shorter: Tally
    due: Tally
    permanent: Tally
    restricted: Tally
    locked: Tally
    locked_until: date | None
    years: tuple[tuple[str, int], ...] = ()
    other: int = 0
    longer_open: Tally = NOBODY
    shorter_open: Tally = NOBODY
    held: Tally = NOBODY  # of those due or shorter


@dataclass(frozen=True, slots=True)
class ResultView:
    """What a simulation found. `sentences` are translated; `list_href` leads to all affected records."""

    sentences: tuple[str, ...]
    is_fresh: bool
    on_date: date
    against: Link
    snapshot_at: datetime
    asked_by: ActorName
    records: int
    affected: int
    effects: tuple[EffectLine, ...]
    classes: tuple[GroupLine, ...]
    units: tuple[GroupLine, ...]
    list_href: str | None


@dataclass(frozen=True, slots=True)
class SimulationView:
    """The simulation page of a version. State: never, waiting, running, cancelling, failed, cancelled, fresh or stale.

    `next_step` is what follows from a fresh result: to propose or to decide.
    """

    href: str
    number: int
    note: str
    state: str
    progress: Progress | None = None
    progress_href: str | None = None
    problem: str = ""
    result: ResultView | None = None
    may_simulate: bool = False
    on_date: str = ""
    earliest_date: str = ""
    form: Form = BLANK
    cancel: Action | None = None
    next_step: Link | None = None


@dataclass(frozen=True, slots=True)
class AffectedFilter:
    """What the list is narrowed to, as in the address."""

    simulation: str = ""
    effect: str = ""
    class_code: str = ""
    unit: str = ""


@dataclass(frozen=True, slots=True)
class AffectedRow:
    """A record that would be treated otherwise: now and then, in words."""

    id: str
    href: str
    archival_number: str
    class_name: str
    unit: str
    effects: tuple[str, ...]
    what_before: str
    what_after: str
    until_before: date | None
    until_after: date | None
    at_least_before: date | None
    at_least_after: date | None
    locked_until: date | None
    is_kept_by_lock: bool


@dataclass(frozen=True, slots=True)
class AffectedListView:
    """The records that a version would treat otherwise."""

    list: ListFrame
    filter: AffectedFilter
    choices: Choices
    rows: tuple[AffectedRow, ...]
    version: Link
    simulation: Link
    is_narrowed: bool
    whole_href: str
