"""Triggers: the events from which periods count, alone or combined.

    slip_closed
    all_of(project_completed, wages_settled)
    later_of(record_created, last_in_effect)
    earlier_of(contract_terminated, all_of(goods_delivered, price_paid))

`all_of` and `later_of` have happened when all their parts have, on the day of the last. They differ where a part is
known never to happen: `later_of` goes by the others, `all_of` cannot be fulfilled any more. `earlier_of` has happened
with its first part.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from retention_rules.errors import InvalidData

_TOKEN = re.compile(r"\s*([a-z][a-z0-9_]*|[(),])")
NAME = re.compile(r"[a-z][a-z0-9_]{0,59}")
PARTS_MAX, DEPTH_MAX = 20, 5


class How(StrEnum):
    """How the parts of a trigger are combined."""

    ALL_OF = "all_of"
    LATER_OF = "later_of"
    EARLIER_OF = "earlier_of"


@dataclass(frozen=True)
class Happens:
    """One event."""

    name: str

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True)
class Combined:
    """Several triggers that together are one."""

    how: How
    parts: tuple[Trigger, ...]

    def __str__(self) -> str:
        return f"{self.how}({', '.join(str(part) for part in self.parts)})"


Trigger = Happens | Combined


def parse_trigger(text: str) -> Trigger:
    """A trigger from its text; `str` gives the text back.

    Raises:
        InvalidData: the text is not a trigger.
    """
    tokens = _tokens(text)
    trigger = _parse(tokens, text, depth=0)
    if tokens:
        raise InvalidData(f"not a trigger: {text[:80]!r}", f"不是起算事件：{text[:80]!r}")
    return trigger


def events_in(trigger: Trigger) -> Iterator[str]:
    """The names of its events."""
    if isinstance(trigger, Happens):
        yield trigger.name
    else:
        for part in trigger.parts:
            yield from events_in(part)


def _tokens(text: str) -> list[str]:
    found, at = [], 0
    stripped = text.rstrip()
    while at < len(stripped):
        match = _TOKEN.match(stripped, at)
        if match is None:
            raise InvalidData(f"not a trigger: {text[:80]!r}", f"不是起算事件：{text[:80]!r}")
        found.append(match[1])
        at = match.end()
    return found[::-1]


def _parse(tokens: list[str], text: str, depth: int) -> Trigger:
    wrong = InvalidData(f"not a trigger: {text[:80]!r}", f"不是起算事件：{text[:80]!r}")
    if not tokens or depth > DEPTH_MAX:
        raise wrong
    name = tokens.pop()
    if name in {How.ALL_OF, How.LATER_OF, How.EARLIER_OF}:
        if not tokens or tokens.pop() != "(":
            raise wrong
        parts = [_parse(tokens, text, depth + 1)]
        while tokens and tokens[-1] == ",":
            tokens.pop()
            parts.append(_parse(tokens, text, depth + 1))
        if not tokens or tokens.pop() != ")" or not 2 <= len(parts) <= PARTS_MAX:
            raise wrong
        return Combined(How(name), tuple(parts))
    if NAME.fullmatch(name) is None:
        raise wrong
    return Happens(name)
