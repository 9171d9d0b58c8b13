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


@dataclass(frozen=True)
class Period:
    """A calendar period. Years are months; which of two periods is longer depends on the day they count from."""

    is_permanent: bool = False
    months: int = 0
    days: int = 0


class LockMode(StrEnum):
    """How a lock binds: governance can be lifted by whoever has that right, compliance by nobody."""

    GOVERNANCE = "GOVERNANCE"
    COMPLIANCE = "COMPLIANCE"


class Disposition(StrEnum):
    """What happens to a record that is due: each only after appraisal and approval."""

    DESTROY = "destroy"
    REVIEW = "review"
    TRANSFER = "transfer"
    PERMANENT = "permanent"


@dataclass(frozen=True)
class LockPolicy:
    """How far a class's locks reach: at once to the retention date, or rolling ahead of today by `horizon`.

    Stores lock for at most 36,500 days (Amazon S3 Object Lock); what must be kept longer is renewed.
    """

    is_rolling: bool = False
    horizon: Period = Period(months=12)
    intake_lasts_days: int = 30
    lasts_days_max: int = 36_500


@dataclass(frozen=True)
class Rule:
    """One rule of a pack, with its source. An unverified rule binds, but cannot by itself allow a destruction.

    `max_period` is how long it may be kept at most, counted like `period`. Before `effective_date` it does not bind.

    Raises:
        ValueError: a maximum that never ends, or that is shorter than the minimum.
    """

    code: str
    name_zh: str
    name_en: str
    period: Period
    bound: Bound
    trigger: str
    calendar: Calendar
    citation: str
    is_verified: bool
    max_period: Period | None = None
    effective_date: date | None = None
    jurisdiction: str = ""
    sector: str = ""
    note: str = ""
    pack: str = ""

    def __post_init__(self) -> None:
        longest = self.max_period or self.period
        if self.bound is Bound.MAX and longest.is_permanent:
            raise ValueError(f"{self.code} sets a maximum that never ends")
        if self.bound is Bound.MIN_THEN_DELETE and (longest.months, longest.days) < (
            self.period.months,
            self.period.days,
        ):
            raise ValueError(f"{self.code} sets a maximum below its minimum")


@dataclass(frozen=True)
class FiscalYear:
    """The last day of the organisation's accounting year; in the PRC 31 December (会计法)."""

    end_month: int = 12
    end_day: int = 31


@dataclass(frozen=True)
class Facts:
    """All that the law needs to know of a record. `events` maps the triggers that have happened to their days.

    Of a case file or a volume, `events` holds each event's last day among its members: it falls due with the last.
    """

    class_code: str
    rules: tuple[Rule, ...]
    received_date: date
    events: Mapping[str, date] = field(default_factory=dict)
    own_period: Period | None = None
    fiscal_year: FiscalYear = FiscalYear()


@dataclass(frozen=True)
class Reason:
    """One step of the derivation. `text` is an English template (a msgid) that `facts` fill.

    `retain_until` is the first day on which this reason no longer keeps the record; none when it is permanent,
    open, or does not bind. `delete_by` is the day by which it should be gone, where the rule sets a maximum.
    """

    rule_code: str
    citation: str
    text: str
    facts: Mapping[str, str]
    retain_until: date | None
    is_binding: bool
    is_verified: bool
    delete_by: date | None = None


@dataclass(frozen=True)
class Decision:
    """What must happen to a record on a day, and why; the winning reason comes first.

    `kept_at_least_until` is what is certain already, also while an event is still open; a lock may run to it.
    `delete_by` is the earliest maximum of any rule. Where it falls before `retain_until` the minimum wins: the
    record is kept, and its use is what must stop (个人信息保护法 art. 47).
    """

    state: State
    retain_until: date | None
    reasons: tuple[Reason, ...]
    kept_at_least_until: date | None = None
    delete_by: date | None = None

    @property
    def winning(self) -> Reason:
        """The reason that decides: permanent before open before the longest."""
        return self.reasons[0]

    @property
    def unverified_rules(self) -> tuple[str, ...]:
        """The binding rules whose source nobody has confirmed: while there are any, nothing may be destroyed."""
        return tuple(reason.rule_code for reason in self.reasons if reason.is_binding and not reason.is_verified)

    @property
    def is_contradictory(self) -> bool:
        """Whether a rule demands deletion before another lets it go."""
        if self.delete_by is None:
            return False
        return self.state in {State.PERMANENT, State.OPEN} or (
            self.retain_until is not None and self.delete_by < self.retain_until
        )
