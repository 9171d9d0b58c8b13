"""The page of one record."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from vault.surfaces.web.views.parts import BLANK, Action, ActorName, Finding, Form, Link, TimelineEntry


@dataclass(frozen=True, slots=True)
class Described:
    """One value of the description, with what stood there before it was corrected; `label` is a message id or a name."""

    label: str
    value: str
    cls: str = ""
    before: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PersonalField:
    """A sealed personal field: masked always, in clear only in the answer to an unmasking."""

    kind: str
    masked: str
    clear: str | None = None
    before: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class CorrectedValue:
    """A value before and after a correction; either may have been nothing."""

    label: str
    old: str | None
    new: str | None


@dataclass(frozen=True, slots=True)
class CorrectionRow:
    """One correction as the history shows it."""

    at: datetime
    actor: ActorName
    reason: str
    values: tuple[CorrectedValue, ...]


@dataclass(frozen=True, slots=True)
class DescribeForm:
    """The form in which the description is corrected, beside the page images."""

    href: str
    form: Form
    revision: int
    fields: tuple[tuple[str, str, str], ...]  # name, label (a message id), type of input
    attributes: tuple[tuple[str, str], ...]
    personal: tuple[tuple[str, str], ...]  # kind, what is there now, masked
    now: tuple[CorrectedValue, ...] = ()  # after a conflict: what somebody else made of it meanwhile


@dataclass(frozen=True, slots=True)
class StoredObjects:
    """Stored objects of one kind in one store, with the weakest of their locks."""

    kind: str
    count: int
    media_types: tuple[str, ...]
    size_bytes: int
    store: str
    lock_mode: str
    lock_until: datetime
    sha256_hex: str = ""  # of a single object
    is_held: bool = False


@dataclass(frozen=True, slots=True)
class StoreLock:
    """The earliest end of the locks of a record's objects in one store."""

    store: str
    mode: str
    until: datetime


@dataclass(frozen=True, slots=True)
class Reason:
    """Why the record is still here: one rule that applied. `text` and `steps` are translated."""

    rule_code: str
    text: str
    citation: str
    is_winner: bool
    is_verified: bool
    steps: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Keeping:
    """Locks and retention of a record, with the reasons. `summary` and the notes are translated sentences."""

    received_date: date
    summary: str
    lock_note: str
    trigger: str
    trigger_state: str
    retain_until: date | None
    locks: tuple[StoreLock, ...]
    reasons: tuple[Reason, ...] = ()
    at_least_until: date | None = None  # what is certain while the end is open
    is_permanent: bool = False
    schedule_note: str = ""  # which version of the schedule says so, and who approved it
    next_note: str = ""


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
    """The viewer. state: ready, making, failed or none; `page_href` and a number make the address of that page."""

    state: str
    pages: tuple[PageImage, ...] = ()
    current: int = 1
    page_href: str = ""
    progress_href: str | None = None
    retry: Action | None = None


@dataclass(frozen=True, slots=True)
class CheckRow:
    """One check of a verification; `pending` of its things could not be checked yet."""

    code: str
    is_ok: bool
    count: int
    pending: int = 0


@dataclass(frozen=True, slots=True)
class Verification:
    """The newest verification of this record. state: clean, findings, stale or new.

    Without checks it was a verification of everything, which did not name this record.
    """

    state: str
    at: datetime | None = None
    by: ActorName | None = None
    checks: tuple[CheckRow, ...] = ()
    findings: tuple[Finding, ...] = ()
    action: Action | None = None


@dataclass(frozen=True, slots=True)
class HeldUnder:
    """A hold in force on the record; without an address the viewer may not see matters."""

    name: str
    href: str | None
    since_at: datetime
    stands_at: datetime | None


@dataclass(frozen=True, slots=True)
class FilePlan:
    """What filing would do, before anybody does it: translated sentences, and the address that does it."""

    href: str
    sentences: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RecordView:
    """One record with everything the viewer may see of it."""

    id: str
    href: str
    archival_number: str
    title: str
    state: str
    described: tuple[Described, ...]
    place: tuple[tuple[str, str], ...]  # label (a message id) and value
    received_at: datetime
    page_count: int | None
    related: tuple[tuple[str, Link | None, str], ...]  # label (a message id), link or text
    keeping: Keeping
    strip: PageStrip
    verification: Verification
    personal: tuple[PersonalField, ...] = ()
    objects: tuple[StoredObjects, ...] = ()
    corrections: tuple[CorrectionRow, ...] = ()
    timeline: tuple[TimelineEntry, ...] = ()
    same_business: tuple[Link, ...] = ()
    actions: tuple[Action, ...] = ()
    holds: tuple[HeldUnder, ...] = ()
    progress_href: str | None = None  # while its locks are being set
    file_plan: FilePlan | None = None
    describe: DescribeForm | None = None
    describe_href: str | None = None
    unmask_href: str | None = None
    unmask_form: Form = BLANK
    previous_href: str | None = None
    next_href: str | None = None
    list_href: str = "/records"
    ledger_href: str | None = None
