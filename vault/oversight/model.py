"""What verification finds."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from vault.foundation.errors import N_


class FindingCode(StrEnum):
    """Each way in which store, catalogue and ledger can differ."""

    OBJECT_MISSING = "object-missing"
    OBJECT_ALTERED = "object-altered"
    OBJECT_SWAPPED = "object-swapped"
    OBJECT_UNREADABLE = "object-unreadable"
    OBJECT_UNKNOWN = "object-unknown"
    LOCK_SHORTENED = "lock-shortened"
    STORE_FAILED = "store-failed"
    ROW_ALTERED = "row-altered"
    DUE_DATE_ALTERED = "due-date-altered"
    ROW_REMOVED = "row-removed"
    ROW_UNWITNESSED = "row-unwitnessed"
    LEDGER = "ledger"


SENTENCES: dict[FindingCode, str] = {
    FindingCode.OBJECT_MISSING: N_("The store no longer has the object of this component."),
    FindingCode.OBJECT_ALTERED: N_("The bytes of this object are not those that were stored."),
    FindingCode.OBJECT_SWAPPED: N_("In the place of this object lies that of another component: {found}."),
    FindingCode.OBJECT_UNREADABLE: N_("The object does not open with its record's key: {problem}."),
    FindingCode.OBJECT_UNKNOWN: N_("The store holds a sealed object that no catalogue row names."),
    FindingCode.LOCK_SHORTENED: N_("The lock is {found}; the catalogue says {expected}."),
    FindingCode.STORE_FAILED: N_("The store could not be asked: {problem}."),
    FindingCode.ROW_ALTERED: N_("A row of this record in the table {table} is not what the ledger witnessed."),
    FindingCode.DUE_DATE_ALTERED: N_("The catalogue says {field} is {found}; by the law it is {expected}."),
    FindingCode.ROW_REMOVED: N_("The ledger witnessed this record, but the catalogue no longer has it."),
    FindingCode.ROW_UNWITNESSED: N_("The catalogue has this record, but no ledger entry witnesses it."),
    FindingCode.LEDGER: N_("{sentence}"),
}


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
