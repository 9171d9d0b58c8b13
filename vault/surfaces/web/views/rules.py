"""The rules: those that fit a search, and one with all its versions and confirmations."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from vault.surfaces.web.views.parts import BLANK, Choices, Form, Link
from vault.surfaces.web.views.schedules import ProposalBox


@dataclass(frozen=True, slots=True)
class RuleFilter:
    """What the rules are narrowed to."""

    q: str = ""
    sector: str = ""
    jurisdiction: str = ""
    event: str = ""
    state: str = ""

    @property
    def is_narrowed(self) -> bool:
        """Whether any filter is set."""
        return any((self.q, self.sector, self.jurisdiction, self.event, self.state))


@dataclass(frozen=True, slots=True)
class RuleRow:
    """One rule as a line: texts are translated."""

    code: str
    href: str
    name: str
    text: str
    citation: str
    sector: str
    jurisdiction: str
    state: str
    classes: int
    pack: str


@dataclass(frozen=True, slots=True)
class RuleListView:
    """The rules that fit; `unverified_count` of all rules nobody has confirmed."""

    filter: RuleFilter
    choices: Choices
    rows: tuple[RuleRow, ...]
    total_count: int
    unverified_count: int


@dataclass(frozen=True, slots=True)
class RuleVersion:
    """One version of a rule. `facts` are label (a message id) and translated value."""

    pack: str
    state: str
    text: str
    citation: str
    facts: tuple[tuple[str, str], ...]
    note: str
    digest: str
    is_in_force: bool
    is_in_schedule: bool
    effective_date: date | None
    ended_date: date | None


@dataclass(frozen=True, slots=True)
class ConfirmationBox:
    """A confirmation: its source, the proposal, whether it is of what the rule says today."""

    source: str
    confirmed_at: datetime | None
    is_current: bool
    box: ProposalBox
    href: str


@dataclass(frozen=True, slots=True)
class RuleView:
    """One rule."""

    code: str
    name: str
    href: str
    state: str
    versions: tuple[RuleVersion, ...]
    used_by: tuple[Link, ...]
    confirmations: tuple[ConfirmationBox, ...]
    may_propose: bool
    form: Form = BLANK
    refuse_form: Form = BLANK
