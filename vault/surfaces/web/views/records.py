"""Records: the list with its search, and the page of one record."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from vault.surfaces.web.views.parts import BLANK, Action, Choices, Form, Paging


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
    sort: str = ""

    @property
    def is_narrowed(self) -> bool:
        """Whether anything but the order is set."""
        return any((self.q, self.business_type, self.unit, self.class_code, self.state, self.from_date, self.to_date))


@dataclass(frozen=True, slots=True)
class BulkAction:
    """Something that can be done to many records; `label` is a message id."""

    value: str
    label: str


@dataclass(frozen=True, slots=True)
class RecordListView:
    """The records that the viewer may see; the count is of those alone."""

    filter: RecordFilter
    choices: Choices
    rows: tuple[RecordRow, ...]
    paging: Paging
    export_href: str | None = None
    bulk_actions: tuple[BulkAction, ...] = ()
    may_search_personal: bool = False
    personal_form: Form = BLANK
    actions: tuple[Action, ...] = ()
