"""Records: the list with its search, and the page of one record."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from vault.surfaces.web.views.parts import BLANK, Action, Choices, Finding, Form, Link, Paging, TimelineEntry


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


@dataclass(frozen=True, slots=True)
class PersonalField:
    """A sealed personal field: masked always, in clear only in the answer to an unmasking."""

    kind: str
    masked: str
    clear: str | None = None


@dataclass(frozen=True, slots=True)
class ComponentRow:
    """A stored object of the record in one store. state: verified, unverified, missing or damaged."""

    id: str
    kind: str
    ordinal: int
    media_type: str
    size_bytes: int
    sha256_hex: str
    store: str
    version_id: str
    lock_mode: str
    lock_until: datetime
    state: str
    verified_at: datetime | None = None
    is_held: bool = False


@dataclass(frozen=True, slots=True)
class Reason:
    """Why the record is still here: one rule that applied. `text` is translated."""

    rule_code: str
    text: str
    citation: str
    is_winner: bool
    is_verified: bool


@dataclass(frozen=True, slots=True)
class Keeping:
    """Lock and retention of a record, with the reasons."""

    received_date: date
    class_code: str
    class_name: str
    trigger: str
    trigger_state: str
    trigger_date: date | None
    retain_until: date | None
    lock_mode: str
    lock_until: datetime
    reasons: tuple[Reason, ...] = ()


@dataclass(frozen=True, slots=True)
class PageImage:
    """One page as the viewer shows it; the images are watermarked for this viewer when they are fetched."""

    number: int
    image_href: str
    thumb_href: str
    width_px: int
    height_px: int


@dataclass(frozen=True, slots=True)
class PageStrip:
    """The viewer. state: ready, making, failed or none."""

    state: str
    pages: tuple[PageImage, ...] = ()
    current: int = 1
    progress_href: str | None = None


@dataclass(frozen=True, slots=True)
class Verification:
    """The newest verification of this record: bytes, lock, catalogue row and ledger against each other."""

    state: str
    at: datetime | None = None
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True, slots=True)
class RecordView:
    """One record with everything the viewer may see of it."""

    id: str
    href: str
    archival_number: str
    title: str
    state: str
    fonds: str
    category: str
    year: int
    period: str
    item_number: int
    business_number: str
    business_type: str
    unit: str
    handler: str
    customer_name: str
    occurred_date: date | None
    received_at: datetime
    page_count: int | None
    keeping: Keeping
    strip: PageStrip
    verification: Verification
    attributes: tuple[tuple[str, str], ...] = ()
    personal: tuple[PersonalField, ...] = ()
    components: tuple[ComponentRow, ...] = ()
    timeline: tuple[TimelineEntry, ...] = ()
    related: tuple[Link, ...] = ()
    actions: tuple[Action, ...] = ()
    unmask_href: str | None = None
    unmask_form: Form = BLANK
    batch: Link | None = None
    previous_href: str | None = None
    next_href: str | None = None
    ledger_href: str | None = None
