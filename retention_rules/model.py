"""The words of the law, as frozen values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum

from retention_rules.errors import InvalidData
from retention_rules.triggers import parse_trigger

RECEIVED = "received"  # the one event that every record has: it came in


class Bound(StrEnum):
    """What a period binds: keep at least, keep at most, keep and then delete, keep for ever, or only advice."""

    MIN = "min"
    MAX = "max"
    MIN_THEN_DELETE = "min_then_delete"
    PERMANENT = "permanent"
    ADVISORY = "advisory"


class Calendar(StrEnum):
    """From which day a period counts once its trigger has happened, and which days count."""

    EXACT_DATE = "exact_date"
    FISCAL_YEAR_END = "first_day_after_fiscal_year_end"
    YEAR_END = "end_of_calendar_year"
    NEXT_JANUARY = "jan_1_of_following_year"
    WORKING_DAYS = "working_days"


class State(StrEnum):
    """What the periods alone say of a record on a day, before holds and conflicts are looked at."""

    OPEN = "open"  # nobody can tell yet when it ends
    RUNNING = "running"
    DUE = "due"
    PERMANENT = "permanent"


class What(StrEnum):
    """What must happen to a record on a day."""

    HELD = "held"  # a legal order: nothing may happen to it
    ESCALATE = "escalate"  # the law does not settle it: a person decides, and until then it is kept
    RESTRICTED = "restricted"  # kept because a law says so, but all use of it stops
    PERMANENT = "permanent"
    KEEP = "keep"
    TRANSFER = "transfer"  # due to be handed over to an archive
    REVIEW = "review"  # due to be appraised
    DESTROY = "destroy"  # due for destruction, once appraised and approved


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


class Sensitivity(StrEnum):
    """How closely a class is guarded."""

    NORMAL = "normal"
    PERSONAL = "personal"
    SENSITIVE = "sensitive"


@dataclass(frozen=True)
class Period:
    """A calendar period. Years are months; which of two periods is longer depends on the day they count from."""

    is_permanent: bool = False
    months: int = 0
    days: int = 0

    def __str__(self) -> str:
        """ISO 8601, `permanent` when it has no end."""
        if self.is_permanent:
            return "permanent"
        years, months = divmod(self.months, 12)
        parts = [f"{number}{unit}" for number, unit in ((years, "Y"), (months, "M"), (self.days, "D")) if number]
        return "P" + ("".join(parts) or "0D")


PERMANENT = Period(is_permanent=True)


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
class Extension:
    """A matter that keeps a rule from running out: while it is open, and for a period after it was closed.

    `opened` and `closed` are events: unsettled debts, a dispute, an investigation.
    """

    opened: str
    closed: str
    adds: Period = Period()


@dataclass(frozen=True)
class Rule:
    """One rule of a pack, with its source. An unverified rule binds, but cannot by itself allow a destruction.

    `trigger` is an event, or a combination: see `triggers`. `max_period` is how long it may be kept at most, counted
    like `period`; once the event `longer_on` has been reported, at least that long. Of a rule that says keep and then
    delete, `delete_on` is the event at which deletion is due, where that is none of the clock's. It binds from
    `effective_date` until the day before `ended_date`.

    Raises:
        InvalidData: it contradicts itself.
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
    ended_date: date | None = None
    is_effective_date_verified: bool = False
    longer_on: str | None = None
    delete_on: str | None = None
    extensions: tuple[Extension, ...] = ()
    jurisdiction: str = ""
    sector: str = ""
    note: str = ""
    pack: str = ""

    def __post_init__(self) -> None:
        parse_trigger(self.trigger)
        longest = self.max_period or self.period
        if self.period.is_permanent != (self.bound is Bound.PERMANENT) and self.bound is not Bound.ADVISORY:
            told = f"{self.bound}, {self.period}"
            raise InvalidData(
                f"{self.code}: bound and period contradict: {told}", f"{self.code}：约束与期限矛盾：{told}"
            )
        if self.bound in {Bound.MAX, Bound.MIN_THEN_DELETE} and longest.is_permanent:
            raise InvalidData(f"{self.code} sets a maximum that never ends", f"{self.code} 的最长期限没有尽头")
        if (longest.months, longest.days) < (self.period.months, self.period.days):
            raise InvalidData(f"{self.code} sets a maximum below its minimum", f"{self.code} 的最长期限短于最短期限")
        if self.longer_on is not None and self.max_period is None:
            raise InvalidData(
                f"{self.code} names an event that makes it longer, and no longer period",
                f"{self.code} 写明了延长的事件，却没有写明延长后的期限",
            )
        if self.effective_date is not None and self.ended_date is not None and self.ended_date <= self.effective_date:
            raise InvalidData(f"{self.code} ends before it is in force", f"{self.code} 的失效日期早于施行日期")

    @property
    def longest(self) -> Period:
        """How long a record may be kept at most, under a rule that sets a maximum."""
        return self.max_period or self.period

    def is_in_force(self, on: date) -> bool:
        """Whether it binds on a day."""
        return (self.effective_date is None or self.effective_date <= on) and (
            self.ended_date is None or on < self.ended_date
        )


@dataclass(frozen=True)
class ClassDefinition:
    """A retention class 保管期限类 as the organisation sets it.

    `own_period` is what the organisation keeps beyond the law, counted from the event `own_trigger`. `keep_unopened`:
    files of types that intake cannot examine are kept as they are. `copies` is the number of stores.
    """

    code: str
    name_zh: str
    name_en: str
    category_code: str  # 档案门类代码
    period_code: str  # 保管期限代码: Y, D30, D10 after DA/T 22-2015, or the organisation's own
    sensitivity: str = Sensitivity.NORMAL
    keep_unopened: bool = False
    own_period: Period | None = None
    rule_codes: tuple[str, ...] = ()
    disposition: Disposition = Disposition.REVIEW
    lock: LockPolicy = field(default_factory=LockPolicy)
    copies: int = 1
    own_trigger: str = RECEIVED
    own_calendar: Calendar = Calendar.EXACT_DATE


@dataclass(frozen=True)
class FiscalYear:
    """The last day of the organisation's accounting year; in the PRC 31 December (会计法)."""

    end_month: int = 12
    end_day: int = 31


@dataclass(frozen=True)
class WorkingDays:
    """Which days are worked: Monday to Friday, without `holidays` and with `workdays` moved to a weekend (调休).

    The holidays of a year are decreed in the year before it. Only the `years` that were entered can be counted; a
    period that reaches further has no end that can be told yet.
    """

    holidays: frozenset[date] = frozenset()
    workdays: frozenset[date] = frozenset()
    years: frozenset[int] = frozenset()


@dataclass(frozen=True)
class Organisation:
    """What the law must know of whoever keeps the records. `time_zone` is an IANA name: days are its days."""

    fiscal_year: FiscalYear = FiscalYear()
    working_days: WorkingDays = WorkingDays()
    time_zone: str = "Asia/Shanghai"


@dataclass(frozen=True)
class Hold:
    """A legal order 冻结 under a matter 案件 that is in force. On `review_date` somebody looks whether it still is."""

    matter: str
    placed_date: date | None = None
    review_date: date | None = None


@dataclass(frozen=True)
class Confirmation:
    """An administrator has read the source of a rule that was shipped unverified.

    It holds for the content that was read: `rule_digest` (see `packs.rule_digest`) names it. `by` is an id.
    """

    rule_code: str
    rule_digest: str
    by: str
    source: str
    confirmed_date: date


@dataclass(frozen=True)
class Facts:
    """All that the law needs to know of a record.

    `events` maps what happened, or will happen on a known day, to its day; of what happens several times, the last.
    `never` names events that will not happen, and `evidence` says for an event by which document it is known.
    `locked_until` is what a COMPLIANCE lock has already promised; `extended_until` what an appraisal has decided.
    """

    class_code: str
    received_date: date
    events: Mapping[str, date] = field(default_factory=dict)
    holds: tuple[Hold, ...] = ()
    locked_until: date | None = None
    extended_until: date | None = None
    never: frozenset[str] = frozenset()
    evidence: Mapping[str, str] = field(default_factory=dict)
