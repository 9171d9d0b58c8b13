"""The words of the law, as frozen values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum


class Bound(StrEnum):
    """What a period binds: keep at least, keep at most, keep and then delete, or only advice."""

    MIN = "min"
    MAX = "max"
    MIN_THEN_DELETE = "min_then_delete"
    ADVISORY = "advisory"


class Calendar(StrEnum):
    """From which day a period counts once its trigger has happened."""

    EXACT_DATE = "exact_date"
    FISCAL_YEAR_END = "first_day_after_fiscal_year_end"
    YEAR_END = "end_of_calendar_year"
    NEXT_JANUARY = "jan_1_of_following_year"


class State(StrEnum):
    """What the law says of a record on a day."""

    OPEN = "open"  # an event from which a period counts has not happened yet
    RUNNING = "running"
    DUE = "due"
    PERMANENT = "permanent"


@dataclass(frozen=True, order=True)
class Period:
    """A calendar period; `is_permanent` is longer than any other."""

    is_permanent: bool = False
    months: int = 0
    days: int = 0


@dataclass(frozen=True)
class Rule:
    """One rule of a pack, with its source. An unverified rule binds, but cannot by itself allow a destruction."""

    code: str
    name_zh: str
    name_en: str
    period: Period
    bound: Bound
    trigger: str
    calendar: Calendar
    citation: str
    is_verified: bool


@dataclass(frozen=True)
class FiscalYear:
    """The last day of the organisation's accounting year; in the PRC 31 December (会计法)."""

    end_month: int = 12
    end_day: int = 31


@dataclass(frozen=True)
class Facts:
    """All that the law needs to know of a record. `events` maps the triggers that have happened to their days."""

    class_code: str
    rules: tuple[Rule, ...]
    received_date: date
    events: Mapping[str, date] = field(default_factory=dict)
    own_period: Period | None = None
    fiscal_year: FiscalYear = FiscalYear()


@dataclass(frozen=True)
class Reason:
    """One step of the derivation. `text` is an English template (a msgid) that `facts` fill."""

    rule_code: str
    citation: str
    text: str
    facts: Mapping[str, str]
    retain_until: date | None
    is_binding: bool
    is_verified: bool


@dataclass(frozen=True)
class Decision:
    """What must happen to a record on a day, and why; the winning reason comes first."""

    state: State
    retain_until: date | None
    reasons: tuple[Reason, ...]
