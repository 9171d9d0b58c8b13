"""What verification and reconciliation find."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from vault.foundation.errors import N_
from vault.oversight.drifts import DriftSummary


class FindingCode(StrEnum):
    """Each way in which store, catalogue and ledger can differ, and what reconciliation settles."""

    OBJECT_MISSING = "object-missing"
    OBJECT_ALTERED = "object-altered"
    OBJECT_SWAPPED = "object-swapped"
    OBJECT_UNREADABLE = "object-unreadable"
    OBJECT_UNKNOWN = "object-unknown"
    COPIES_ELSEWHERE = "copies-elsewhere"
    LOCK_SHORTENED = "lock-shortened"
    LOCK_LONGER = "lock-longer"
    LOCK_DAMAGED = "lock-damaged"
    HOLD_GONE = "hold-gone"
    HOLD_UNKNOWN = "hold-unknown"
    STORE_FAILED = "store-failed"
    ROW_ALTERED = "row-altered"
    DUE_DATE_ALTERED = "due-date-altered"
    ROW_REMOVED = "row-removed"
    ROW_UNWITNESSED = "row-unwitnessed"
    ROW_UNPROVEN = "row-unproven"
    SCHEDULE_ALTERED = "schedule-altered"
    CLASS_ALTERED = "class-altered"
    PACK_ALTERED = "pack-altered"
    CONFIRMATION_ALTERED = "confirmation-altered"
    CALENDAR_ALTERED = "calendar-altered"
    LAW_REMOVED = "law-removed"
    LAW_UNWITNESSED = "law-unwitnessed"
    LAW_UNPROVEN = "law-unproven"
    DUE_DATES_UNPROVEN = "due-dates-unproven"
    DECISION_ALTERED = "decision-altered"
    DECISION_REMOVED = "decision-removed"
    DECISION_UNWITNESSED = "decision-unwitnessed"
    DECISION_UNPROVEN = "decision-unproven"
    TABLE_MISSING = "table-missing"
    TABLE_KEY_MISSING = "table-key-missing"
    COLUMN_ALTERED = "column-altered"
    COLUMN_LOOSENED = "column-loosened"
    ROW_UNREADABLE = "row-unreadable"
    PART_FAILED = "part-failed"
    KEY_ALTERED = "key-altered"
    LEDGER = "ledger"
    UPLOAD_ABANDONED = "upload-abandoned"
    LEFTOVER_NOTED = "leftover-noted"
    LEFTOVER_TAKEN_UP = "leftover-taken-up"
    LEFTOVER_GONE = "leftover-gone"


SENTENCES: dict[FindingCode, str] = {
    FindingCode.OBJECT_MISSING: N_("The store no longer has the object of this component."),
    FindingCode.OBJECT_ALTERED: N_("The bytes of this object are not those that were stored."),
    FindingCode.OBJECT_SWAPPED: N_("In the place of this object lies that of another component: {found}."),
    FindingCode.OBJECT_UNREADABLE: N_("The object does not open with its record's key: {problem}."),
    FindingCode.OBJECT_UNKNOWN: N_("The store holds a sealed object that no catalogue row names."),
    FindingCode.COPIES_ELSEWHERE: N_("Copies in another store that were not looked at: {count}."),
    FindingCode.LOCK_SHORTENED: N_("The lock is {found}; the catalogue says {expected}."),
    FindingCode.LOCK_LONGER: N_("The lock is {found}, more than the catalogue says: {expected}."),
    FindingCode.LOCK_DAMAGED: N_("What the store keeps of the lock of this object is damaged and cannot be read."),
    FindingCode.HOLD_GONE: N_("The record is held, but the legal hold of this object is gone from the store."),
    FindingCode.HOLD_UNKNOWN: N_("The object is under a legal hold in the store that the catalogue does not know."),
    FindingCode.STORE_FAILED: N_("The store could not be asked: {problem}."),
    FindingCode.ROW_ALTERED: N_("A row of this record in the table {table} is not what the ledger witnessed."),
    FindingCode.DUE_DATE_ALTERED: N_("The catalogue says {field} is {found}; by the law it is {expected}."),
    FindingCode.ROW_REMOVED: N_("The ledger witnessed this record, but the catalogue no longer has it."),
    FindingCode.ROW_UNWITNESSED: N_("The catalogue has this record, but no ledger entry witnesses it."),
    FindingCode.ROW_UNPROVEN: N_(
        "The rows of this record cannot be judged: a ledger entry that witnessed them was altered."
    ),
    FindingCode.SCHEDULE_ALTERED: N_("Version {name} of the schedule is not what the ledger witnessed."),
    FindingCode.CLASS_ALTERED: N_(
        "In version {name} of the schedule the class {class_code} is not what the ledger witnessed."
    ),
    FindingCode.PACK_ALTERED: N_("The rule pack {name} is not what was entered."),
    FindingCode.CONFIRMATION_ALTERED: N_("A confirmation of the rule {name} is not what the ledger witnessed."),
    FindingCode.CALENDAR_ALTERED: N_("The holidays of the year {name} are not what was entered."),
    FindingCode.LAW_REMOVED: N_("The ledger witnessed {name} in the table {table}, but it is no longer there."),
    FindingCode.LAW_UNWITNESSED: N_("The table {table} has {name}, but no ledger entry witnesses it."),
    FindingCode.LAW_UNPROVEN: N_(
        "{name} in the table {table} cannot be judged: a ledger entry that witnessed it was altered or removed."
    ),
    FindingCode.DUE_DATES_UNPROVEN: N_(
        "Due dates were not compared: the law or the tables that they follow from were altered."
    ),
    FindingCode.DECISION_ALTERED: N_("{name} in the table {table} is not what the ledger witnessed."),
    FindingCode.DECISION_REMOVED: N_("The ledger witnessed {name} in the table {table}, but it is no longer there."),
    FindingCode.DECISION_UNWITNESSED: N_("The table {table} has {name}, but no ledger entry witnesses it."),
    FindingCode.DECISION_UNPROVEN: N_(
        "{name} in the table {table} cannot be judged: a ledger entry that witnessed it was altered or removed."
    ),
    FindingCode.TABLE_MISSING: N_("The database no longer has the table {table}."),
    FindingCode.TABLE_KEY_MISSING: N_("The table {table} has lost its primary key."),
    FindingCode.COLUMN_ALTERED: N_("The column {column} of the table {table} is missing or of another type."),
    FindingCode.COLUMN_LOOSENED: N_("The column {column} of the table {table} may be empty, which was forbidden."),
    FindingCode.ROW_UNREADABLE: N_("The rows of this record hold what the service never writes: {problem}."),
    FindingCode.PART_FAILED: N_("This part could not be verified, for what the database holds: {problem}."),
    FindingCode.KEY_ALTERED: N_("A row of the keyring in the table {table} is not what was made: {field}."),
    FindingCode.LEDGER: N_("{sentence}"),
    FindingCode.UPLOAD_ABANDONED: N_("The sender of this file never came back; it is refused until it does."),
    FindingCode.LEFTOVER_NOTED: N_("No catalogue row names {object_key}; it may be removed from {removable_from}."),
    FindingCode.LEFTOVER_TAKEN_UP: N_("{object_key} belongs to a record by now."),
    FindingCode.LEFTOVER_GONE: N_("{object_key} is no longer in the store."),
}


# Too much of a lock or a hold endangers nothing, and may be lawful: it is worth knowing.
NOTED = frozenset({FindingCode.LOCK_LONGER, FindingCode.HOLD_UNKNOWN})


@dataclass(frozen=True)
class Finding:
    """One difference, named exactly: what, where, expected and found."""

    code: FindingCode
    subject_type: str
    subject_id: str
    facts: dict[str, str] = field(default_factory=dict)

    @property
    def message(self) -> str:
        """The msgid of its sentence; `facts` fill it."""
        return SENTENCES[self.code]


@dataclass(frozen=True)
class Verification:
    """The outcome: clean when there are no findings. Notes are harmless things worth knowing."""

    findings: tuple[Finding, ...]
    notes: tuple[Finding, ...]
    records: int
    components: int
    ledger_entries: int

    @property
    def is_clean(self) -> bool:
        """Whether everything agrees."""
        return not self.findings


class CheckCode(StrEnum):
    """What is looked at when one record is verified."""

    BYTES = "bytes"
    LOCKS = "locks"
    ROWS = "rows"
    LEDGER = "ledger"


@dataclass(frozen=True)
class Check:
    """One check of a record and its outcome: over how many things, and how many cannot be checked yet."""

    code: CheckCode
    is_ok: bool
    count: int
    pending: int = 0


@dataclass(frozen=True)
class RecordVerification:
    """The newest that is known of a record.

    Either it was verified by itself, then `checks` tell each part and `revision` the state that was looked at, or in a
    verification of everything, whose run is `run_id`.
    """

    at: datetime
    is_clean: bool
    actor_kind: str
    actor_id: UUID | None
    run_id: UUID | None
    revision: int | None
    checks: tuple[Check, ...]
    findings: tuple[Finding, ...]


class LeftoverCause(StrEnum):
    """Why a version lies in the store that no catalogue row names."""

    ABANDONED_UPLOAD = "abandoned-upload"
    SUPERSEDED = "superseded"
    FOREIGN = "foreign"


CAUSES: dict[LeftoverCause, str] = {
    LeftoverCause.ABANDONED_UPLOAD: N_("Left by an upload that was never finished."),
    LeftoverCause.SUPERSEDED: N_("A further version beside what its record uses."),
    LeftoverCause.FOREIGN: N_("Not put there by this archive."),
}


class Resolution(StrEnum):
    """How a leftover ended."""

    TAKEN_UP = "taken-up"
    GONE = "gone"


@dataclass(frozen=True)
class Leftover:
    """A version in a store that no catalogue row names. `removable_from` is none while it is held without a date."""

    id: UUID
    store: str
    object_key: str
    version_id: str
    size_bytes: int
    cause: LeftoverCause
    record_id: UUID | None
    stored_at: datetime
    removable_from: datetime | None
    found_at: datetime


@dataclass(frozen=True)
class LeftoverSummary:
    """The open leftovers of a store together: how many, their bytes, and how many could be removed now."""

    objects: int
    size_bytes: int
    removable: int


@dataclass(frozen=True)
class Reconciliation:
    """What one reconciliation settled, each thing named; how many versions it looked at, and what is known now.

    The comparison with the store was begun at `begun_at`, maybe by a process that died over it.
    """

    settled: tuple[Finding, ...]
    versions: int
    known: LeftoverSummary
    drifted: DriftSummary
    begun_at: datetime

    @property
    def is_clean(self) -> bool:
        """Whether every lock and hold stood as the catalogue says, and nothing had to be mended."""
        return not self.drifted.open and not self.drifted.repaired

    def count(self, *codes: FindingCode) -> int:
        """How many things were settled in one of these ways."""
        return sum(1 for finding in self.settled if finding.code in codes)

    @property
    def counts(self) -> dict[str, int]:
        """The outcome in figures."""
        return {
            "abandoned": self.count(FindingCode.UPLOAD_ABANDONED),
            "noted": self.count(FindingCode.LEFTOVER_NOTED),
            "resolved": self.count(FindingCode.LEFTOVER_TAKEN_UP, FindingCode.LEFTOVER_GONE),
            "versions": self.versions,
            "leftovers": self.known.objects,
            "removable": self.known.removable,
            "drifts": self.drifted.open,
            "alarms": self.drifted.alarms,
            "repaired": self.drifted.repaired,
        }
