"""Records: the list with its search, and the page of one record."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from vault.surfaces.web.views.lists import ListFrame
from vault.surfaces.web.views.parts import BLANK, Action, Choices, Form


@dataclass(frozen=True, slots=True)
class RecordRow:
    """A record in a list."""

    id: str
    href: str
    archival_number: str
    business_number: str
    title: str
    customer_name: str
    unit: str
    class_name: str
    occurred_date: date | None
    page_count: int | None
    state: str
    lock_until: datetime


@dataclass(frozen=True, slots=True)
class RecordFilter:
    """What the list is narrowed to, as in the address. A personal field is sought by exact value, by POST."""

    q: str = ""
    business_type: str = ""
    unit: str = ""
    class_code: str = ""
    state: str = ""
    from_date: str = ""
    to_date: str = ""
    batch: str = ""
    due_from: str = ""
    due_to: str = ""
    what: str = ""


@dataclass(frozen=True, slots=True)
class RecordListView:
    """The records that the viewer may see; the count is of those alone."""

    list: ListFrame
    filter: RecordFilter
    choices: Choices
    rows: tuple[RecordRow, ...]
    may_search_personal: bool = False
    is_personal_search: bool = False
    personal_form: Form = BLANK
    actions: tuple[Action, ...] = ()
