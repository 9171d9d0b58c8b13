"""What a record is, as plain values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from uuid import UUID

from retention_rules.model import ClassDefinition, What
from vault.foundation.storage.interface import LockMode


class ComponentKind(StrEnum):
    """What a stored object is to its record."""

    ORIGINAL = "original"
    ACCESS_COPY = "access_copy"
    PAGE = "page"
    THUMBNAIL = "thumbnail"


class RecordStatus(StrEnum):
    """Where a record is in its life."""

    RECEIVED = "received"
    FILED = "filed"


class FieldKind(StrEnum):
    """The personal fields, which exist only sealed."""

    ID_NUMBER = "id_number"
    CARD_NUMBER = "card_number"
    PHONE = "phone"


class Event(StrEnum):
    """The acts on the catalogue that the ledger knows."""

    RECORD_REGISTERED = "catalogue:record:register"
    RENDITIONS_ADDED = "catalogue:renditions:add"
    RECORD_DESCRIBED = "catalogue:record:describe"
    FIELD_UNMASKED = "catalogue:field:unmask"
    ORIGINAL_FETCHED = "catalogue:original:fetch"
    COPY_FETCHED = "catalogue:copy:fetch"
    PAGES_VIEWED = "catalogue:pages:view"
    PERSON_SOUGHT = "catalogue:person:seek"
    CLASSES_ENTERED = "catalogue:classes:enter"
    CLASS_CHANGED = "catalogue:record:reclassify"
    LOCKS_SET = "catalogue:locks:set"
    FONDS_CREATED = "catalogue:fonds:create"


@dataclass(frozen=True)
class Description:
    """What people enter about a record (DA/T 46 names in brackets where they differ)."""

    business_number: str | None = None
    business_type: str | None = None
    title: str | None = None  # 题名
    handler: str | None = None
    customer_name: str | None = None
    occurred_date: date | None = None
    attributes: dict[str, str] = field(default_factory=dict)
    personal: tuple[tuple[FieldKind, str], ...] = ()


@dataclass(frozen=True)
class NewDescription:
    """What shall be said of a record from now on. A field that is not named stays; an empty text takes a value away.

    `values` are by the names of `Description`, dates as YYYY-MM-DD; `personal` is the first number of its kind.
    """

    values: Mapping[str, str] = field(default_factory=dict)
    attributes: Mapping[str, str] = field(default_factory=dict)
    personal: Mapping[FieldKind, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Change:
    """One value of a record before and after; a personal number is masked here."""

    field: str
    old: str | None
    new: str | None


@dataclass(frozen=True)
class Correction:
    """One correction 更正: who changed what, when, and why."""

    revision: int
    at: datetime
    actor_kind: str
    actor_id: UUID | None
    reason: str
    changes: tuple[Change, ...]


@dataclass(frozen=True)
class StoredComponent:
    """A component whose sealed bytes were read back from the store under their lock."""

    id: UUID
    kind: ComponentKind
    ordinal: int
    media_type: str
    size_bytes: int
    sha256: bytes
    sealed_size_bytes: int
    sealed_sha256: bytes
    store: str
    object_key: str
    version_id: str
    lock_mode: LockMode
    lock_until: datetime


@dataclass(frozen=True)
class DueDates:
    """What the law says of a record, before holds, as a sweep and a list need it (see `record_states`)."""

    what: What
    retain_until: date | None
    delete_by: date | None
    next_date: date | None
    is_hard: bool
    schedule_number: int


@dataclass(frozen=True)
class NewRecord:
    """All that is needed to register a record whose original is stored."""

    id: UUID
    fonds_code: str
    retention_class: ClassDefinition
    unit_id: UUID
    unit_code: str
    description: Description
    due: DueDates
    lock_until: datetime
    received_at: datetime
    year: int
    page_count: int
    original: StoredComponent
    batch_id: UUID | None


def archival_number(
    fonds_code: str, category_code: str, year: int, period_code: str, unit_code: str, item_number: int
) -> str:
    """The 档号 after DA/T 22-2015: 全宗号-档案门类代码·年度-保管期限-机构代码-件号.

    Levels are parted by `-` and parts of a level by `·` (DA/T 13-2022); the 件号 has at least four digits.
    """
    return f"{fonds_code}-{category_code}·{year:04d}-{period_code}-{unit_code}-{item_number:04d}"
