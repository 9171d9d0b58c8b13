"""Matters and holds: the list of matters, one of them, one hold, and placing one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime

from vault.surfaces.web.views.lists import ListFrame
from vault.surfaces.web.views.parts import BLANK, Action, ActorName, Choices, Form, Link, Paging, TimelineEntry
from vault.surfaces.web.views.schedules import ProposalBox


@dataclass(frozen=True, slots=True)
class MatterFilter:
    """What the list of matters is narrowed to."""

    state: str = ""
    q: str = ""


@dataclass(frozen=True, slots=True)
class MatterRow:
    """One matter as a line."""

    id: str
    href: str
    number: str
    state: str
    authority: str
    authority_name: str
    document_number: str
    title: str
    opened_at: datetime
    holds: int
    records: int


@dataclass(frozen=True, slots=True)
class MatterListView:
    """The matters, and the form that opens one."""

    list: ListFrame
    filter: MatterFilter
    choices: Choices
    rows: tuple[MatterRow, ...]
    may_open: bool
    client_key: str
    form: Form = BLANK


@dataclass(frozen=True, slots=True)
class HoldRow:
    """One hold as a line of its matter."""

    href: str
    name: str
    state: str
    reason: str
    review_date: date | None
    placed_at: datetime
    records: int
    standing: int


@dataclass(frozen=True, slots=True)
class MatterView:
    """One matter with its holds."""

    href: str
    number: str
    state: str
    authority: str
    authority_name: str
    document_number: str
    basis: str
    title: str
    opened_by: ActorName
    opened_at: datetime
    closed_at: datetime | None
    holds: tuple[HoldRow, ...]
    timeline: tuple[TimelineEntry, ...]
    actions: tuple[Action, ...] = ()
    form: Form = BLANK
    ledger_href: str | None = None


@dataclass(frozen=True, slots=True)
class HeldRow:
    """One record under a hold; `state` is a hold's for this record alone."""

    href: str
    archival_number: str
    state: str
    held_at: datetime
    stands_at: datetime | None
    problem: str


@dataclass(frozen=True, slots=True)
class HoldView:
    """One hold with its records. `unseen_count` are those of units that the viewer does not see.

    `waiting_count`: whose stores are still to be told; `refused`: how many of these a store refused, by code.
    """

    href: str
    name: str
    matter: Link
    matter_title: str
    state: str
    is_in_force: bool
    reason: str
    review_date: date | None
    is_review_due: bool
    placed_by: ActorName
    placed_at: datetime
    released_at: datetime | None
    release_reason: str
    release_id: str
    is_release_outdated: bool
    proposal: ProposalBox | None
    records_count: int
    standing_count: int
    unseen_count: int
    waiting_count: int
    refused: Mapping[str, int]
    is_waiting_only: bool
    rows: tuple[HeldRow, ...]
    paging: Paging
    timeline: tuple[TimelineEntry, ...]
    may_add: bool = False
    may_propose: bool = False
    may_withdraw: bool = False
    forms: Mapping[str, Form] = field(default_factory=dict)
    ledger_href: str | None = None

    def form(self, name: str) -> Form:
        """The form of that name: add, propose, approve, refuse."""
        return self.forms.get(name, BLANK)

    @property
    def first_wrong(self) -> Form:
        """The form that was refused, if any was."""
        return next((form for form in self.forms.values() if form.errors), BLANK)


@dataclass(frozen=True, slots=True)
class PlaceView:
    """The form that places a hold, under one of the open matters; `is_cut` where there are more than can be chosen."""

    choices: Choices
    matter: str
    client_key: str
    tomorrow: str
    is_cut: bool = False
    form: Form = BLANK
