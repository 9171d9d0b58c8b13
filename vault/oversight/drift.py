"""What stands in a store held against what the catalogue says of it: pure, from both to a verdict.

Whatever is too weak is to be set to what the catalogue says, which is always lawful: nothing is ever made shorter or
weaker (invariant R1), and nothing is made longer than the catalogue says, because a COMPLIANCE lock cannot be taken back.
What is too strong is therefore only told, also where somebody has put a later date under a weaker mode.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from uuid import UUID

from vault.foundation.errors import N_
from vault.foundation.storage.interface import NO_LOCK, Lock, words
from vault.foundation.storage.rules import runs


class DriftKind(StrEnum):
    """The ways in which what stands in a store differs from what the catalogue says."""

    OBJECT_MISSING = "object-missing"
    OBJECT_DAMAGED = "object-damaged"
    LOCK_MISSING = "lock-missing"
    LOCK_WEAKER = "lock-weaker"
    LOCK_SHORTER = "lock-shorter"
    LOCK_LONGER = "lock-longer"
    HOLD_GONE = "hold-gone"
    HOLD_UNKNOWN = "hold-unknown"
    DELETE_MARKER = "delete-marker"


ALARMS = frozenset({DriftKind.OBJECT_MISSING, DriftKind.OBJECT_DAMAGED})
# What reconciliation mends by itself; the rest waits for a person.
MENDED = frozenset({DriftKind.LOCK_MISSING, DriftKind.LOCK_WEAKER, DriftKind.LOCK_SHORTER, DriftKind.HOLD_GONE})

DRIFT_WORDS: Mapping[DriftKind, str] = MappingProxyType(
    {
        DriftKind.OBJECT_MISSING: N_("Object missing from the store"),
        DriftKind.OBJECT_DAMAGED: N_("Object or lock file damaged"),
        DriftKind.LOCK_MISSING: N_("Lock missing"),
        DriftKind.LOCK_WEAKER: N_("Lock of a weaker mode"),
        DriftKind.LOCK_SHORTER: N_("Lock too short"),
        DriftKind.LOCK_LONGER: N_("Lock longer than the catalogue says"),
        DriftKind.HOLD_GONE: N_("Legal hold gone"),
        DriftKind.HOLD_UNKNOWN: N_("Legal hold that the catalogue does not know"),
        DriftKind.DELETE_MARKER: N_("Hidden by a delete marker"),
    }
)

ADVICE: Mapping[DriftKind, str] = MappingProxyType(
    {
        DriftKind.OBJECT_MISSING: N_(
            "Find out who can delete in the store, and take the object back from a backup of the store."
        ),
        DriftKind.OBJECT_DAMAGED: N_(
            "Look at the store's disk, and take the object back from a backup of the store. A damaged lock file of a "
            "write-once directory may be removed: the next comparison sets lock and legal hold again."
        ),
        DriftKind.LOCK_MISSING: N_("Find out who may change locks in the store, and take that power away."),
        DriftKind.LOCK_WEAKER: N_(
            "Find out who may change locks in the store. A later date under a weaker mode is left for you to decide."
        ),
        DriftKind.LOCK_SHORTER: N_("Find out who may change locks in the store, and take that power away."),
        DriftKind.LOCK_LONGER: N_(
            "A COMPLIANCE lock cannot be taken back: the object stays in the store until it ends. Find out who set it."
        ),
        DriftKind.HOLD_GONE: N_("Find out who may change legal holds in the store, and take that power away."),
        DriftKind.HOLD_UNKNOWN: N_("Ask legal staff whose hold it is. It keeps the object and is not taken off."),
        DriftKind.DELETE_MARKER: N_(
            "The version is still there and is read as before. Remove the marker in the store, and find out who set it."
        ),
    }
)


@dataclass(frozen=True)
class Said:
    """What the catalogue says of a version.

    `is_moving`: a worker is to make its lock longer, and may be at it. `is_hold_moving`: the same of its legal hold, as
    long as nothing has refused it: what goes on for ever excuses no difference.
    """

    record_id: UUID
    component_id: UUID
    object_key: str
    version_id: str
    lock: Lock
    is_held: bool = False
    is_moving: bool = False
    is_hold_moving: bool = False


@dataclass(frozen=True)
class Stands:
    """What a store tells of a version: a damaged one tells nothing of its lock."""

    lock: Lock = NO_LOCK
    legal_hold: bool = False
    is_damaged: bool = False


@dataclass(frozen=True)
class Verdict:
    """One difference, in words, and what is to be set to mend it, if that is lawful."""

    kind: DriftKind
    found: str
    expected: str
    lock: Lock | None = None
    legal_hold: bool = False

    @property
    def repair(self) -> str | None:
        """What is to be set, in words."""
        if self.lock is not None:
            return words(self.lock)
        return HOLD_ON if self.legal_hold else None


# In the words of the store, like a lock: they are the same in every language.
HOLD_ON, HOLD_OFF = "LEGAL_HOLD ON", "LEGAL_HOLD OFF"
MISSING, DAMAGED, MARKER = "MISSING", "DAMAGED", "DELETE_MARKER"


def judge(said: Said, stands: Stands | None, now: datetime) -> tuple[Verdict, ...]:
    """All differences of one version; none when it is as the catalogue says. `stands` is none when it is not there."""
    if stands is None:
        return (Verdict(DriftKind.OBJECT_MISSING, MISSING, words(said.lock)),)
    if stands.is_damaged:
        return (Verdict(DriftKind.OBJECT_DAMAGED, DAMAGED, words(said.lock)),)
    of_lock = _judge_lock(said, stands.lock, now)
    return tuple(one for one in (of_lock, _judge_hold(said, stands)) if one is not None)


def _judge_lock(said: Said, found: Lock, now: datetime) -> Verdict | None:
    """A lock that has run out binds nobody: it is neither missed nor too much."""
    expected = said.lock if runs(said.lock, now) else NO_LOCK
    standing = found if runs(found, now) else NO_LOCK
    if not standing.covers(expected):
        # Joined, so that neither mode nor date gets less; only told where a later date would become irrevocable by it.
        wanted = standing.joined(expected)
        repair = wanted if wanted.until == expected.until else None
        return Verdict(_kind_of(standing, expected), words(found), words(said.lock), repair)
    if not said.is_moving and not expected.covers(standing):
        return Verdict(DriftKind.LOCK_LONGER, words(found), words(said.lock))
    return None


def _kind_of(standing: Lock, expected: Lock) -> DriftKind:
    if standing.until is None:
        return DriftKind.LOCK_MISSING
    is_weaker = standing.mode.strength < expected.mode.strength
    return DriftKind.LOCK_WEAKER if is_weaker else DriftKind.LOCK_SHORTER


def _judge_hold(said: Said, stands: Stands) -> Verdict | None:
    if stands.legal_hold == said.is_held or said.is_hold_moving:
        return None
    if said.is_held:
        return Verdict(DriftKind.HOLD_GONE, HOLD_OFF, HOLD_ON, legal_hold=True)
    return Verdict(DriftKind.HOLD_UNKNOWN, HOLD_ON, HOLD_OFF)
