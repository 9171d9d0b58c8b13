"""Schedule versions, events and filing as plain values, and the acts that the ledger knows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from enum import StrEnum
from uuid import UUID

from retention_rules.model import ClassDefinition, FiscalYear
from retention_rules.packs import Pack


class Event(StrEnum):
    """The acts of retention that the ledger knows."""

    SCHEDULE_BEGUN = "retention:schedule:begin"
    SCHEDULE_DRAFTED = "retention:schedule:draft"
    SCHEDULE_CHANGED = "retention:schedule:change"
    SCHEDULE_PROPOSED = "retention:schedule:propose"
    SCHEDULE_APPROVED = "retention:schedule:approve"
    SCHEDULE_REFUSED = "retention:schedule:refuse"
    SCHEDULE_WITHDRAWN = "retention:schedule:withdraw"
    SIMULATION_ASKED = "retention:simulation:ask"
    SIMULATION_FINISHED = "retention:simulation:finish"
    PACK_ENTERED = "retention:pack:enter"
    PACK_EXPORTED = "retention:pack:export"
    CONFIRMATION_PROPOSED = "retention:confirmation:propose"
    RULE_CONFIRMED = "retention:confirmation:approve"
    CONFIRMATION_REFUSED = "retention:confirmation:refuse"
    CALENDAR_ENTERED = "retention:calendar:enter"
    EVENTS_REPORTED = "retention:events:report"
    EVENT_REPORTED = "retention:event:report"
    EVENT_UNDONE = "retention:event:undo"
    DUE_DATES_SETTLED = "retention:due_dates:settle"
    FILING_HASTENED = "retention:record:hasten"
    LAW_SWEPT = "retention:law:sweep"
    LOCKS_RENEWED = "retention:locks:renew"
    RECORD_CLASSIFIED = "retention:record:classify"
    FILING_ASKED = "retention:record:file"
    RECLASSIFICATION_PROPOSED = "retention:reclassification:propose"
    RECLASSIFICATION_REFUSED = "retention:reclassification:refuse"
    FILING_STOPPED = "retention:record:stop_filing"
    LOCK_INTENDED = "retention:lock:intend"
    STATION_TRUSTED = "retention:station:trust"
    STATION_DISTRUSTED = "retention:station:distrust"


class Act(StrEnum):
    """What must be approved by others, as proposals name it."""

    CHANGE_SCHEDULE = "retention:schedule:approve"
    CONFIRM_RULE = "retention:confirmation:approve"
    RECLASSIFY = "retention:reclassification:approve"


SCHEDULE_APPROVALS_NEEDED = 2  # neither of them the proposer (invariant A1)
CONFIRMATION_APPROVALS_NEEDED = 1  # with whoever proposed it, two people
RECLASSIFICATION_APPROVALS_NEEDED = 1


class VersionState(StrEnum):
    """Where a schedule version is. Whether an approved one is in effect follows from its date and the later ones."""

    DRAFT = "draft"
    PROPOSED = "proposed"
    APPROVED = "approved"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"


class Standing(StrEnum):
    """What an approved version is on a day."""

    COMING = "coming"
    IN_EFFECT = "in_effect"
    SUPERSEDED = "superseded"


@dataclass(frozen=True)
class Content:
    """What a schedule version lays down. `packs` are rule packs by version, with the digest of each."""

    classes: tuple[ClassDefinition, ...]
    packs: Mapping[str, str]
    fiscal_year: FiscalYear

    def class_of(self, code: str) -> ClassDefinition | None:
        """The class of that code."""
        return next((definition for definition in self.classes if definition.code == code), None)

    def with_pack(self, pack: Pack, instead_of: str | None) -> Content:
        """The same resting on this pack too, in the place of the version named."""
        kept = {version: digest for version, digest in self.packs.items() if version != instead_of}
        return replace(self, packs={**kept, pack.version: pack.digest})

    def with_class(self, definition: ClassDefinition) -> Content:
        """The same with this class in the place of the one of its code, or as the last."""
        if self.class_of(definition.code) is None:
            return replace(self, classes=(*self.classes, definition))
        classes = tuple(definition if held.code == definition.code else held for held in self.classes)
        return replace(self, classes=classes)

    def without_class(self, code: str) -> Content:
        """The same without the class of that code."""
        return replace(self, classes=tuple(held for held in self.classes if held.code != code))


@dataclass(frozen=True)
class ScheduleVersion:
    """One version of the schedule 保管期限表. `standing` is that of the day it was looked up; none unless approved.

    `draft_digest` is that of what it lays down, before a day was proposed: what a simulation counts for.
    """

    id: UUID
    number: int
    state: VersionState
    standing: Standing | None
    note: str
    based_on: int | None
    effective_date: date | None
    content: Content
    digest: bytes
    draft_digest: bytes
    proposal_id: UUID | None
    created_by_kind: str
    created_by: UUID | None
    created_at: datetime
    changed_at: datetime
    approved_at: datetime | None
    withdrawn_because: str | None = None


class FilingOutcome(StrEnum):
    """What became of the wish to file a record."""

    ASKED = "asked"  # it will be filed as soon as its locks stand
    WAITING = "waiting"  # somebody, or a rule, has asked before
    FILED = "filed"  # it is filed already
    NOT_FOUND = "not_found"


@dataclass(frozen=True)
class Filed:
    """A record, and what became of the wish to file it."""

    record_id: UUID
    outcome: FilingOutcome


@dataclass(frozen=True)
class Classification:
    """A change of a record's class. `known_at` none: proposed, and not approved; see the proposal."""

    id: UUID
    record_id: UUID
    from_class: str
    to_class: str
    reason: str
    is_after_filing: bool
    proposal_id: UUID | None
    proposed_by_kind: str
    proposed_by: UUID
    proposed_at: datetime
    known_at: datetime | None


@dataclass(frozen=True)
class Filing:
    """Who filed a record and when; `filed_at` none while its locks are not set, `problem` what hindered that last."""

    confirmed_by_kind: str
    confirmed_by: UUID | None
    is_by_rule: bool
    asked_at: datetime
    filed_at: datetime | None
    not_before: datetime | None
    intended_date: date | None
    problem: str | None


@dataclass(frozen=True)
class WaitingLock:
    """A record whose lock is still to be set, and what hindered the last attempt."""

    record_id: UUID
    asked_at: datetime
    not_before: datetime
    intended_date: date | None
    attempts: int
    problem: str | None


@dataclass(frozen=True)
class NewEvent:
    """An event to report of one record. `day` none: it will never happen. `evidence` is a document or its number."""

    record_id: UUID
    name: str
    day: date | None
    evidence: str = ""


@dataclass(frozen=True)
class RecordEvent:
    """An event that was reported of a record, and whether it was undone since."""

    id: UUID
    report_id: UUID
    record_id: UUID
    name: str
    day: date | None
    evidence: str
    reported_by_kind: str
    reported_by: UUID
    known_at: datetime
    undone_at: datetime | None
    undone_by: UUID | None
    undone_because: str | None
