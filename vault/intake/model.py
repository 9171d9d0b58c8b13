"""Uploads, items and batches as plain values."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import BinaryIO
from uuid import UUID

from vault.catalogue.model import Description
from vault.foundation.keys.plain_tag import PlainTag


class ItemStatus(StrEnum):
    """What became of an item."""

    INTENT = "intent"
    ACCEPTED = "accepted"
    DUPLICATE = "duplicate"
    REFUSED = "refused"


class QuarantineState(StrEnum):
    """Whether somebody has seen to a refused item."""

    WAITING = "waiting"
    HANDLED = "handled"


class Handling(StrEnum):
    """What was done about a refused item."""

    SCANNED_AGAIN = "scanned_again"  # sent again as another file
    RETURNED = "returned"  # given back to whoever brought it
    NOT_KEPT = "not_kept"  # nothing that belongs in the archive
    OTHER = "other"  # the note says it


class BatchState(StrEnum):
    """Whether a batch is open, or how it was closed."""

    OPEN = "open"
    BALANCED = "balanced"
    UNBALANCED = "unbalanced"


class Event(StrEnum):
    """The acts of intake that the ledger knows."""

    BATCH_OPENED = "intake:batch:open"
    BATCH_CLOSED = "intake:batch:close"
    ITEM_INTENDED = "intake:item:intend"
    ITEM_REFUSED = "intake:item:refuse"
    ITEM_DUPLICATE = "intake:item:duplicate"
    RENDITIONS_RETRIED = "intake:renditions:retry"
    ITEM_ABANDONED = "intake:item:abandon"
    QUARANTINE_HANDLED = "intake:quarantine:handle"
    QUARANTINE_REOPENED = "intake:quarantine:reopen"
    RENDITIONS_FAILED = "intake:renditions:fail"
    STORE_PROBED = "intake:store:probe"


@dataclass(frozen=True)
class Upload:
    """One file as it arrived: spooled, hashed once on the way in, not yet believed."""

    content: BinaryIO  # seekable; belongs to the caller
    size_bytes: int
    sha256: bytes
    client_key: str
    class_code: str
    file_name: str | None
    description: Description
    batch_id: UUID | None
    unit_id: UUID | None  # None: the sender's own unit
    tag: PlainTag | None = None  # of the bytes, where they have rested on a disk since they were hashed


@dataclass(frozen=True)
class Refusal:
    """One reason why a file was refused or is doubtful: a stable code with the facts for its words."""

    code: str
    severity: str
    page: int | None
    facts: dict[str, str]


@dataclass(frozen=True)
class Receipt:
    """The answer to an upload, the same however often it is asked for."""

    item_id: UUID
    status: ItemStatus
    record_id: UUID | None
    archival_number: str | None
    findings: tuple[Refusal, ...]
    ledger_entry_id: UUID | None
    ledger_leaf_hash: str | None
    is_repeated: bool


@dataclass(frozen=True)
class Balance:
    """A batch is balanced when sheets announced = items received = accepted + duplicate + refused."""

    sheets_announced: int | None
    received: int
    accepted: int
    duplicate: int
    refused: int
    unsettled: int

    @property
    def is_balanced(self) -> bool:
        """Whether every sheet is accounted for; without an announcement, whether every item is settled."""
        settled = self.accepted + self.duplicate + self.refused
        if self.unsettled or settled != self.received:
            return False
        return self.sheets_announced is None or self.sheets_announced == self.received


@dataclass(frozen=True)
class Batch:
    """A pile of scans sent together."""

    id: UUID
    name: str
    unit_id: UUID
    opened_by: UUID
    state: BatchState
    opened_at: datetime
    closed_at: datetime | None
    balance: Balance


@dataclass(frozen=True)
class Item:
    """One file received, as lists show it."""

    id: UUID
    batch_id: UUID | None
    unit_id: UUID
    sender_id: UUID
    class_code: str
    file_name: str | None
    size_bytes: int
    sha256: bytes
    media_type: str | None
    status: ItemStatus
    findings: tuple[Refusal, ...]
    record_id: UUID | None
    received_at: datetime
    handled_at: datetime | None = None
    handled_by: UUID | None = None
    handling: Handling | None = None
    handling_note: str | None = None

    @property
    def quarantine_state(self) -> QuarantineState:
        """Whether a refused item waits or was seen to."""
        return QuarantineState.WAITING if self.handled_at is None else QuarantineState.HANDLED
