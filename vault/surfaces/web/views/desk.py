"""My desk: what waits for me, what went wrong today, what came in."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from vault.surfaces.web.views.parts import Action, HourCount, Link


@dataclass(frozen=True, slots=True)
class WaitingItem:
    """Something that waits for this person. urgency: overdue, soon or calm."""

    link: Link
    what: str
    since_at: datetime
    urgency: str = "calm"
    due_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Trouble:
    """Something that went wrong today, with the list where it can be seen to."""

    what: str
    link: Link
    at: datetime


@dataclass(frozen=True, slots=True)
class Figure:
    """A number that leads to a list; `label` is a message id."""

    label: str
    value: int
    href: str
    tone: str = "neutral"


@dataclass(frozen=True, slots=True)
class SentItem:
    """A batch this person or their station sent, and where it is."""

    link: Link
    state: str
    accepted: int
    refused: int
    announced: int | None
    at: datetime


@dataclass(frozen=True, slots=True)
class DeskView:
    """`hours` holds all 24 hours of today in the organisation's zone."""

    waiting: tuple[WaitingItem, ...]
    troubles: tuple[Trouble, ...]
    sent: tuple[SentItem, ...]
    figures: tuple[Figure, ...]
    hours: tuple[HourCount, ...]
    actions: tuple[Action, ...] = ()
