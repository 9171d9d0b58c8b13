"""Case files and volumes: what must happen to records that are kept together.

A volume falls due with its last member: its most protected member decides for all. A member that alone keeps it from
falling due, being held or disputed, can be taken out; `without` tells what the rest would be then.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from retention_rules.decision import Decision
from retention_rules.errors import InvalidData
from retention_rules.model import State, What

_CAREFUL = (What.HELD, What.ESCALATE, What.RESTRICTED, What.PERMANENT, What.KEEP)
_STATES = (State.PERMANENT, State.OPEN, State.RUNNING, State.DUE)


@dataclass(frozen=True)
class Member:
    """One record of a volume, and what must happen to it by itself."""

    id: str
    decision: Decision


@dataclass(frozen=True)
class Together:
    """What must happen to a volume. `deciding` is the member whose reasons are the volume's.

    `retain_until` is the last day of the last member, none while one has none. `lock_until` is what each member's lock
    must reach, as none may go before the others.
    """

    what: What
    state: State
    on: date
    retain_until: date | None
    lock_until: date | None
    next_date: date | None
    deciding: Member
    members: tuple[Member, ...]

    @property
    def in_the_way(self) -> tuple[str, ...]:
        """The members that are held or await a person's word: what could be taken out."""
        return tuple(m.id for m in self.members if m.decision.what in {What.HELD, What.ESCALATE, What.RESTRICTED})

    def without(self, *ids: str) -> Together | None:
        """What the rest would be; none when nothing is left.

        Raises:
            InvalidData: one of them is not a member.
        """
        strangers = sorted(set(ids) - {member.id for member in self.members})
        if strangers:
            named = ", ".join(strangers)
            raise InvalidData(f"not in this volume: {named}", f"不在本卷中：{named}")
        rest = [member for member in self.members if member.id not in ids]
        return decide_together(rest) if rest else None


def decide_together(members: Sequence[Member]) -> Together:
    """What must happen to records that are kept together, from what must happen to each on the same day.

    Raises:
        InvalidData: there is none, one is named twice, or they were decided for different days.
    """
    if not members:
        raise InvalidData("a volume without members cannot be decided", "卷内没有文件，无从决定")
    if len({member.id for member in members}) != len(members):
        raise InvalidData("a member is named twice", "卷内文件编号重复")
    decisions = [member.decision for member in members]
    on = decisions[0].on
    if any(decision.on != on for decision in decisions):
        raise InvalidData("the members were decided for different days", "卷内文件的判断日期不一致")
    what = _what({decision.what for decision in decisions})
    state = next(state for state in _STATES if any(decision.state is state for decision in decisions))
    ends = [decision.retain_until for decision in decisions]
    known = [end for end in ends if end is not None]
    return Together(
        what=what,
        state=state,
        on=on,
        retain_until=max(known) if len(known) == len(ends) else None,
        lock_until=max((d.lock_until for d in decisions if d.lock_until is not None), default=None),
        next_date=min((d.next_date for d in decisions if d.next_date is not None), default=None),
        deciding=min(members, key=_decides),
        members=tuple(members),
    )


def _what(each: set[What]) -> What:
    for careful in _CAREFUL:
        if careful in each:
            return careful
    return each.pop() if len(each) == 1 else What.REVIEW  # due, but not for the same end: a person looks


def _decides(member: Member) -> tuple[int, int, str]:
    """The most protected first; among those that only run, the last."""
    decision = member.decision
    place = _CAREFUL.index(decision.what) if decision.what in _CAREFUL else len(_CAREFUL)
    until = decision.retain_until or date.max
    return (place, -until.toordinal(), member.id)
