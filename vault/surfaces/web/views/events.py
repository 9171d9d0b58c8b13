"""Events: the list, one event, and reporting with a look at what follows before it is done."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from vault.surfaces.web.views.lists import ListFrame
from vault.surfaces.web.views.parts import BLANK, ActorName, Choices, Form, Link


@dataclass(frozen=True, slots=True)
class EventFilter:
    """What the list is narrowed to."""

    name: str = ""
    state: str = ""
    number: str = ""
    unit: str = ""
    from_date: str = ""
    to_date: str = ""
    record: str = ""
    report: str = ""


@dataclass(frozen=True, slots=True)
class EventRow:
    """One event as a line; without a day it will never happen."""

    id: str
    href: str
    name: str
    day: date | None
    record_number: str
    record_href: str
    evidence: str
    by: ActorName
    at: datetime
    state: str


@dataclass(frozen=True, slots=True)
class EventListView:
    """The events."""

    list: ListFrame
    filter: EventFilter
    choices: Choices
    rows: tuple[EventRow, ...]
    may_report: bool


@dataclass(frozen=True, slots=True)
class Consequence:
    """What becomes of one record: translated texts, before and after."""

    record_number: str
    record_href: str
    before: str
    after: str
    is_changed: bool


@dataclass(frozen=True, slots=True)
class ReportView:
    """The forms to report: one event, or a list."""

    choices: Choices
    today: date
    form: Form = BLANK
    list_form: Form = BLANK


@dataclass(frozen=True, slots=True)
class PreviewView:
    """What a report would do, before it is done. `problems` are translated, each with its line.

    `known` are events that were reported before: they are not counted, and not reported again.
    """

    events_count: int
    lines_count: int
    refused_count: int
    changed_count: int
    consequences: tuple[Consequence, ...]
    problems: tuple[str, ...]
    text: str
    client_key: str
    known: tuple[Link, ...] = ()


@dataclass(frozen=True, slots=True)
class EventView:
    """One event, who reported and who undid it, and what undoing would do."""

    href: str
    row: EventRow
    undone_by: ActorName | None
    undone_at: datetime | None
    undone_because: str
    consequence: Consequence | None
    may_undo: bool
    why_not: str = ""
    form: Form = BLANK
