"""The schedule: its versions, one of them, and one class of one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime

from vault.surfaces.web.views.lists import ListFrame
from vault.surfaces.web.views.parts import BLANK, Action, ActorName, Choices, Form, Link, Option, TimelineEntry


@dataclass(frozen=True, slots=True)
class VersionFilter:
    """What the list of versions is narrowed to."""

    state: str = ""
    from_date: str = ""
    to_date: str = ""


@dataclass(frozen=True, slots=True)
class VersionRow:
    """One version of the schedule as a line. Without an effective date it has none yet, or was there from the start."""

    id: str
    href: str
    number: int
    state: str
    note: str
    effective_date: date | None
    drafted_by: ActorName
    drafted_at: datetime
    approved_by: tuple[str, ...]
    digest: str
    class_count: int


@dataclass(frozen=True, slots=True)
class ScheduleListView:
    """The versions, and the form that begins a draft."""

    list: ListFrame
    filter: VersionFilter
    choices: Choices
    rows: tuple[VersionRow, ...]
    may_draft: bool
    form: Form = BLANK
    file_problems: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Said:
    """What one person said to a proposal."""

    who: ActorName
    at: datetime
    is_approved: bool
    comment: str


@dataclass(frozen=True, slots=True)
class ProposalBox:
    """A proposal: who proposed it, who said what, how many are still missing, and what the viewer may say.

    `why_not` is a translated sentence that says why the viewer may not approve.
    """

    proposed_by: ActorName
    proposed_at: datetime
    said: tuple[Said, ...]
    missing: int
    is_open: bool
    may_say: bool
    why_not: str = ""


@dataclass(frozen=True, slots=True)
class ChangeLine:
    """A difference as a sentence; tone by what it does to how long records are kept."""

    text: str
    effect: str


@dataclass(frozen=True, slots=True)
class Differences:
    """What differs from another version, and the versions one can compare with."""

    against: int
    options: tuple[Option, ...]
    changes: tuple[ChangeLine, ...]


@dataclass(frozen=True, slots=True)
class ClassRow:
    """One class of a version: texts are translated."""

    code: str
    href: str
    name: str
    rules: tuple[str, ...]
    own_period: str
    disposition: str
    lock: str
    copies: int
    has_unverified: bool


@dataclass(frozen=True, slots=True)
class VersionView:
    """One version. `simulation` is where its effects on the records at hand are shown."""

    href: str
    number: int
    state: str
    note: str
    based_on: Link | None
    effective_date: date | None
    drafted_by: ActorName
    drafted_at: datetime
    approved_at: datetime | None
    fiscal_year_end: str
    packs: tuple[str, ...]
    digest: str
    classes: tuple[ClassRow, ...]
    timeline: tuple[TimelineEntry, ...]
    proposal: ProposalBox | None = None
    differences: Differences | None = None
    simulation: Link | None = None
    may_edit: bool = False
    may_withdraw: bool = False
    earliest_date: str = ""
    simulated_date: str = ""
    withdrawn_because: str = ""
    forms: Mapping[str, Form] = field(default_factory=dict)
    file_problems: tuple[str, ...] = ()
    actions: tuple[Action, ...] = ()
    ledger_href: str | None = None

    def form(self, name: str) -> Form:
        """The form of that name: propose, approve, refuse, withdraw, file."""
        return self.forms.get(name, BLANK)

    @property
    def first_wrong(self) -> Form:
        """The form that was refused, if any was."""
        return next((form for form in self.forms.values() if form.errors), BLANK)
