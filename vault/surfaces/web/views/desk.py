"""My desk: what waits for me, what I sent, what went wrong today, what came in."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from vault.surfaces.web.views.parts import Action, HourCount, Link


@dataclass(frozen=True, slots=True)
class WaitingItem:
    """Something that waits for this person. urgency: overdue, soon or calm."""

    link: Link
    what: str
    since_at: datetime | None
    urgency: str = "calm"
    due_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Trouble:
    """Something that went wrong today, with the place where it can be seen to."""

    what: str
    link: Link
    at: datetime | None


@dataclass(frozen=True, slots=True)
class Figure:
    """A number that leads to a list; `label` is a message id."""

    label: str
    value: int
    href: str
    tone: str = "neutral"
    is_more: bool = False


@dataclass(frozen=True, slots=True)
class SentItem:
    """A batch this person sent, and where it is."""

    link: Link
    state: str
    accepted: int
    refused: int
    announced: int | None
    at: datetime


@dataclass(frozen=True, slots=True)
class DayCount:
    """How many came in on one day."""

    day: date
    count: int


@dataclass(frozen=True, slots=True)
class DeskView:
    """A part is nothing where the person's roles have no use for it. `hours` are all 24 of today, `days` fourteen."""

    waiting: tuple[WaitingItem, ...]
    troubles: tuple[Trouble, ...] | None
    sent: tuple[SentItem, ...] | None
    figures: tuple[Figure, ...]
    hours: tuple[HourCount, ...] | None
    days: tuple[DayCount, ...] = ()
    list_href: str = "/records"
    actions: tuple[Action, ...] = ()
