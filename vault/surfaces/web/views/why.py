"""Why a record is here, on a day, with what was known on a day."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from vault.surfaces.web.views.parts import ActorName, Form, Link


@dataclass(frozen=True, slots=True)
class Ground:
    """A rule that applied. Texts are translated; `href` leads to the rule where it is one of a pack."""

    text: str
    rule_code: str
    citation: str
    pack: str
    href: str | None
    is_winner: bool
    is_verified: bool
    confirmed_source: str
    steps: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class KnownEvent:
    """An event as it was known: its day (none: it will never happen), the evidence, who said so, whether it was undone."""

    name: str
    day: date | None
    evidence: str
    by: ActorName
    at: datetime
    undone_at: datetime | None = None
    href: str | None = None


@dataclass(frozen=True, slots=True)
class StoreLock:
    """The weakest lock of the copies in one store."""

    store: str
    mode: str
    until: datetime
    copies: int


@dataclass(frozen=True, slots=True)
class Approver:
    """Who approved the version of the schedule, and when."""

    who: ActorName
    at: datetime
    comment: str = ""


@dataclass(frozen=True, slots=True)
class Told:
    """The answer. `conclusion`, `until`, `lock_note`, `lock_standing` and `next_note` are translated sentences."""

    on: date
    known_at: datetime
    is_with_hindsight: bool
    conclusion: str
    until: str
    class_name: str
    class_code: str
    class_href: str | None
    grounds: tuple[Ground, ...]
    events: tuple[KnownEvent, ...]
    locks: tuple[StoreLock, ...]
    lock_note: str
    lock_standing: str
    next_note: str
    schedule: Link
    effective_date: date | None
    approvers: tuple[Approver, ...]
    read_aloud: tuple[tuple[str, str, tuple[str, ...]], ...]  # tag of the language, its name, the lines


@dataclass(frozen=True, slots=True)
class WhyView:
    """The page: the two days asked, and the answer, or what was wrong with the days."""

    href: str
    record_href: str
    archival_number: str
    title: str
    received_date: date
    today: date
    form: Form
    told: Told | None
