"""One class of a version of the schedule: what it lays down, its form, and what it would do to a slip."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date

from vault.surfaces.web.views.parts import BLANK, Choices, Form, Link
from vault.surfaces.web.views.schedules import ClassRow


@dataclass(frozen=True, slots=True)
class RuleOption:
    """A rule that may bind the class, with what it demands; `words` is what a search for it looks through."""

    code: str
    name: str
    text: str
    citation: str
    is_chosen: bool
    is_verified: bool
    words: str


@dataclass(frozen=True, slots=True)
class Ground:
    """One reason of the example, with its source and arithmetic."""

    text: str
    source: str
    href: str | None
    is_verified: bool
    steps: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What comes out: translated sentences, and why."""

    conclusion: str
    lock: str
    grounds: tuple[Ground, ...]


@dataclass(frozen=True, slots=True)
class ExampleBox:
    """A slip closed on a day, under this class as it is typed. `settled`: if all that is awaited had happened too."""

    on: date
    problem: str = ""
    first: Outcome | None = None
    awaited: tuple[str, ...] = ()
    settled: Outcome | None = None


@dataclass(frozen=True, slots=True)
class ClassView:
    """The page of one class. `facts` are label (a message id) and value; without `may_edit` there is no form."""

    href: str
    version: Link
    version_state: str
    code: str
    name: str
    row: ClassRow | None
    facts: tuple[tuple[str, str], ...]
    example: ExampleBox
    is_new: bool = False
    may_edit: bool = False
    save_href: str = ""
    example_href: str = ""
    remove_href: str | None = None
    records_href: str | None = None
    seen: str = ""
    form: Form = BLANK
    is_unopened_kept: bool = False
    is_own_permanent: bool = False
    rules: tuple[RuleOption, ...] = ()
    choices: Choices = field(default_factory=Choices)
