"""The page of one scanning station."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from vault.surfaces.web.views.parts import Action, TimelineEntry


@dataclass(frozen=True, slots=True)
class HeldToken:
    """A token of the station; its secret is known only there. `may` are message ids."""

    hint: str
    state: str
    is_open: bool
    may: tuple[str, ...]
    created_at: datetime
    expires_at: datetime
    revoked_at: datetime | None
    actions: tuple[Action, ...] = ()


@dataclass(frozen=True, slots=True)
class StationView:
    """One station. Without a token that is open, it cannot send."""

    name: str
    unit: str
    state: str
    created_at: datetime
    last_sent_at: datetime | None
    today_accepted: int
    today_refused: int
    week_accepted: int
    week_refused: int
    tokens: tuple[HeldToken, ...]
    timeline: tuple[TimelineEntry, ...]
    records_href: str | None = None
