"""Another class for a record: what it would do, and what was proposed before."""

from __future__ import annotations

from dataclasses import dataclass

from vault.surfaces.web.views.events import Consequence
from vault.surfaces.web.views.parts import BLANK, Choices, Form
from vault.surfaces.web.views.schedules import ProposalBox


@dataclass(frozen=True, slots=True)
class ClassChange:
    """A change of the class. Before filing there was no proposal; `href` is where an open one is decided."""

    before: str
    after: str
    reason: str
    box: ProposalBox | None
    href: str


@dataclass(frozen=True, slots=True)
class ReclassifyView:
    """The page. `consequence` is there once a class was chosen; `chosen` is its code."""

    href: str
    record_href: str
    archival_number: str
    class_name: str
    is_filed: bool
    is_waiting: bool
    may_classify: bool
    choices: Choices
    chosen: str
    chosen_name: str
    consequence: Consequence | None
    changes: tuple[ClassChange, ...]
    form: Form
    refuse_form: Form
    approve_form: Form = BLANK
