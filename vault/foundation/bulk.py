"""Acts on many things at once: planned first, then done, each thing for itself.

A plan changes nothing and says of each thing whether the act will reach it and, if not, why. Doing it decides again for
each thing at that moment; what failed is named, and what succeeded stays done.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import ClassVar
from uuid import UUID

from vault.foundation.errors import N_, Fault, VaultError

ACT_MAX = 5_000
NOT_THERE = N_("There is nothing here that you may see.")


class TooManyAtOnce(VaultError):
    """The act was asked for on more things than one act may change."""

    code: ClassVar[str] = "too-many-at-once"
    status: ClassVar[int] = 422
    exit_code: ClassVar[int] = 65
    fault: ClassVar[Fault] = Fault.CALLER
    message: ClassVar[str] = N_("These are more than {count_max} at once.")
    hint: ClassVar[str] = N_("Narrow the list, for instance by date, and do it in parts.")


@dataclass(frozen=True)
class Line:
    """One thing of a plan or an outcome; `note` is a message id: what comes of it, or why nothing does."""

    id: UUID
    name: str
    note: str


@dataclass(frozen=True)
class Plan:
    """What an act would do: `will` it reach a thing, or `will_not` it."""

    will: tuple[Line, ...]
    will_not: tuple[Line, ...]


@dataclass(frozen=True)
class Outcome:
    """What an act did: ids that it reached, and the things that it did not reach after all, with the reason."""

    done: tuple[UUID, ...]
    failed: tuple[Line, ...]


def by_note(lines: tuple[Line, ...]) -> tuple[tuple[str, int], ...]:
    """How many lines have each note, the most frequent first."""
    return tuple(Counter(line.note for line in lines).most_common())


def missing(asked: tuple[UUID, ...] | None, found: frozenset[UUID]) -> tuple[Line, ...]:
    """Lines for ids that were asked for and are not among what the viewer may see: the same answer as for none."""
    return tuple(Line(one, str(one), NOT_THERE) for one in sorted(set(asked or ()) - found))
