"""Matters and holds as plain values, and the acts that the ledger knows."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from uuid import UUID

from vault.access.approvals import Proposal, ProposalState


class Event(StrEnum):
    """The acts of holds that the ledger knows."""

    MATTER_OPENED = "holds:matter:open"
    MATTER_CLOSED = "holds:matter:close"
    HOLD_PLACED = "holds:hold:place"
    HOLD_EXTENDED = "holds:hold:extend"
    HOLD_RELEASED = "holds:hold:release"
    RELEASE_PROPOSED = "holds:release:propose"
    RELEASE_REFUSED = "holds:release:refuse"
    RELEASE_WITHDRAWN = "holds:release:withdraw"
    RECORD_HELD = "holds:record:hold"
    RECORD_RELEASED = "holds:record:release"
    STORES_HOLD = "holds:stores:hold"
    STORES_FREED = "holds:stores:free"


class Act(StrEnum):
    """What must be approved by others, as proposals name it."""

    RELEASE = "holds:release:approve"


RELEASE_APPROVALS_NEEDED = 2  # neither of them the proposer (invariant A1)


class Authority(StrEnum):
    """Who asks for something to be held."""

    COURT = "court"
    PROCURATORATE = "procuratorate"
    POLICE = "police"
    SUPERVISION = "supervision"
    REGULATOR = "regulator"
    OTHER = "other"
    HOUSE = "house"


@dataclass(frozen=True)
class NewMatter:
    """A matter to be opened. `document_number` is that of the authority's document, `basis` the law it names."""

    authority: Authority
    authority_name: str
    document_number: str
    basis: str
    title: str


@dataclass(frozen=True)
class Matter:
    """A matter 案件: for whom, and by which document, something is held. `number` is ours and tells nothing."""

    id: UUID
    number: str
    authority: Authority
    authority_name: str
    document_number: str
    basis: str
    title: str
    opened_by_kind: str
    opened_by: UUID
    opened_at: datetime
    closed_at: datetime | None

    @property
    def is_open(self) -> bool:
        """Whether holds can be placed under it."""
        return self.closed_at is None


class HoldState(StrEnum):
    """Where a hold is. In all but the last two it is in force."""

    BEING_SET = "being-set"
    STANDS = "stands"
    RELEASE_PROPOSED = "release-proposed"
    BEING_LIFTED = "being-lifted"
    RELEASED = "released"


@dataclass(frozen=True)
class Hold:
    """A hold 冻结 with the state of its records: how many, in how many the stores hold them too, how many wait for that.

    `number` counts within the matter. `release` is the newest proposal to release it, with who has said what.
    """

    id: UUID
    matter_id: UUID
    matter_number: str
    number: int
    reason: str
    review_date: date | None
    placed_by_kind: str
    placed_by: UUID
    placed_at: datetime
    released_at: datetime | None
    release_reason: str | None
    release: Proposal | None
    records: int
    standing: int
    waiting: int

    @property
    def name(self) -> str:
        """How people name it: the matter's number and its own."""
        return f"{self.matter_number}/{self.number}"

    @property
    def is_in_force(self) -> bool:
        """Whether nothing of it may be destroyed."""
        return self.released_at is None

    @property
    def is_release_proposed(self) -> bool:
        """Whether its release waits for approval."""
        return self.is_in_force and self.release is not None and self.release.state is ProposalState.OPEN

    @property
    def state(self) -> HoldState:
        """Where it is."""
        if not self.is_in_force:
            return HoldState.BEING_LIFTED if self.waiting else HoldState.RELEASED
        if self.is_release_proposed:
            return HoldState.RELEASE_PROPOSED
        return HoldState.STANDS if self.standing == self.records and not self.waiting else HoldState.BEING_SET


@dataclass(frozen=True)
class HeldRecord:
    """A record under a hold. `stands_at`: since when every copy has been held in its store too, as was read back."""

    record_id: UUID
    archival_number: str
    held_at: datetime
    stands_at: datetime | None
    released_at: datetime | None
    problem: str | None


@dataclass(frozen=True)
class RecordHold:
    """A hold as one of its records has it."""

    hold_id: UUID
    matter_id: UUID
    matter_number: str
    number: int
    review_date: date | None
    held_at: datetime
    stands_at: datetime | None
    released_at: datetime | None

    @property
    def name(self) -> str:
        """How people name it: the matter's number and its own."""
        return f"{self.matter_number}/{self.number}"

    @property
    def is_in_force(self) -> bool:
        """Whether it keeps the record."""
        return self.released_at is None


@dataclass(frozen=True)
class Placed:
    """What placing a hold, or adding to one, came to: how many records it newly holds, and how many it held already."""

    hold: Hold
    added: int
    already: int
