"""Clauses: the periods that bind a class, and the day on which each ends for a record."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import MAXYEAR, date
from enum import StrEnum

from retention_rules.model import (
    RECEIVED,
    Bound,
    Calendar,
    Confirmation,
    Extension,
    Facts,
    Organisation,
    Period,
)
from retention_rules.periods import add, add_days, add_months, fiscal_year_end, last_day, year_end
from retention_rules.triggers import Happens, How, Trigger

# The day a record was made or its business done, by whichever of these names it is known.
MADE = ("document_created", "record_created", "slip_closed")
FISCAL_YEAR_END, RECORD_YEAR = "fiscal_year_end", "record_year"
# Events that follow from when a record was made: the end of the year in which it was.
YEAR_ENDS = frozenset({FISCAL_YEAR_END, RECORD_YEAR})

EU_MEMBERS = frozenset(
    {"AT", "BE", "BG", "CY", "CZ", "DE", "DK", "EE", "ES", "FI", "FR", "GR", "HR", "HU", "IE", "IT", "LT", "LU", "LV"}
    | {"MT", "NL", "PL", "PT", "RO", "SE", "SI", "SK"}
)


class Unknown(StrEnum):
    """Why nobody can tell yet on which day a clause ends."""

    EVENT = "event"  # what it counts from has not happened
    NEVER = "never"  # what it counts from will not happen
    MATTER = "matter"  # a matter that extends it is still open
    HOLIDAYS = "holidays"  # the holidays of a year that it needs are not known


class Origin(StrEnum):
    """Who set a clause: the law, the organisation for its class, or the measures where nobody did."""

    LAW = "law"
    OWN = "own"
    FLOOR = "floor"


@dataclass(frozen=True, slots=True)
class Clause:
    """One period that binds a class. A rule that says keep and then delete is two: a minimum and a maximum.

    `event` is its trigger where that is one plain event, else empty, and `is_plain` that it only counts months and days
    from it; `years_to_december` that it runs to the end of a calendar year, so many years on. Both are the usual cases,
    computed without detours. `is_trusted`: verified, or confirmed by somebody.
    """

    code: str
    citation: str
    version: str
    origin: Origin
    bound: Bound
    period: Period
    trigger: Trigger
    calendar: Calendar
    effective_date: date | None = None
    ended_date: date | None = None
    is_verified: bool = True
    confirmation: Confirmation | None = None
    jurisdiction: str = ""
    extensions: tuple[Extension, ...] = ()
    longer_on: str | None = None
    longer_period: Period | None = None
    event: str = ""
    is_plain: bool = False
    years_to_december: int = 0

    @property
    def is_trusted(self) -> bool:
        """Whether somebody has seen its source."""
        return self.is_verified or self.confirmation is not None

    def is_in_force(self, on: date) -> bool:
        """Whether it binds on a day."""
        if self.effective_date is not None and on < self.effective_date:
            return False
        return self.ended_date is None or on < self.ended_date


@dataclass(frozen=True, slots=True)
class Span:
    """The clauses of a class that are in force over some days, all the same ones on each.

    `keeping` are those that keep: the `minima` of law, the organisation's own period, and the five years of clause C6.1
    where no law says how long. `counting` are those of them that end. `is_only_limited`: law says how long only by a
    maximum, and it is kept to that. `untrusted` would allow a destruction though nobody has seen their source.
    """

    keeping: tuple[Clause, ...] = ()
    maxima: tuple[Clause, ...] = ()
    advice: tuple[Clause, ...] = ()
    coming: tuple[Clause, ...] = ()
    ends_date: date | None = None
    minima: tuple[Clause, ...] = field(init=False)
    counting: tuple[Clause, ...] = field(init=False)
    untrusted: tuple[Clause, ...] = field(init=False)
    is_permanent: bool = field(init=False)
    is_only_limited: bool = field(init=False)

    def __post_init__(self) -> None:
        minima = tuple(clause for clause in self.keeping if clause.origin is Origin.LAW)
        counting = tuple(clause for clause in self.keeping if clause.bound is not Bound.PERMANENT)
        is_only_limited = bool(self.maxima) and not minima
        deciding = (*self.maxima, *self.keeping) if is_only_limited else self.keeping
        for name, value in (
            ("minima", minima),
            ("counting", counting),
            ("untrusted", tuple(clause for clause in deciding if not clause.is_trusted)),
            ("is_permanent", len(counting) < len(self.keeping)),
            ("is_only_limited", is_only_limited),
        ):
            object.__setattr__(self, name, value)


def end_of(clause: Clause, facts: Facts, organisation: Organisation) -> date | Unknown:
    """The last day of a clause for a record; why there is none that can be told."""
    day = facts.events.get(clause.event) or trigger_day(clause.trigger, facts, organisation)
    if isinstance(day, Unknown):
        return day
    period = clause.period
    if clause.is_plain:
        end = add_months(day, period.months)
        return add_days(end, period.days) if period.days else end
    last: date | None
    if clause.years_to_december:
        last = date(min(day.year + clause.years_to_december, MAXYEAR), 12, 31)
    else:
        last = last_day(clause.calendar, day, period_of(clause, facts), organisation)
    if last is None:
        return Unknown.HOLIDAYS
    return _with_matters(clause, last, facts) if clause.extensions else last


def trigger_day(trigger: Trigger, facts: Facts, organisation: Organisation) -> date | Unknown:
    """The day on which a trigger has happened; why there is none."""
    if isinstance(trigger, Happens):
        return event_day(trigger.name, facts, organisation)
    days = [trigger_day(part, facts, organisation) for part in trigger.parts]
    if trigger.how is How.LATER_OF:
        days = [day for day in days if day is not Unknown.NEVER] or [Unknown.NEVER]
    known = [day for day in days if not isinstance(day, Unknown)]
    if trigger.how is How.EARLIER_OF and known:
        return min(known)
    if trigger.how is not How.EARLIER_OF:
        if len(known) == len(days):
            return max(known)
        return Unknown.NEVER if Unknown.NEVER in days else Unknown.EVENT
    return Unknown.EVENT if Unknown.EVENT in days else Unknown.NEVER


def event_day(name: str, facts: Facts, organisation: Organisation) -> date | Unknown:
    """The day of one event. The years in which a record was made end by themselves."""
    if name == RECEIVED:
        return facts.received_date
    events = facts.events
    day = events.get(name)
    if name in YEAR_ENDS:
        if day is None:
            for made in MADE:
                at = events.get(made)
                if at is not None and (day is None or at > day):
                    day = at
        if day is not None:
            return year_end(day) if name == RECORD_YEAR else fiscal_year_end(day, organisation.fiscal_year)
    if day is not None:
        return day
    return Unknown.NEVER if name in facts.never else Unknown.EVENT


def period_of(clause: Clause, facts: Facts) -> Period:
    """The period that counts for a record: the longer one once what calls for it has been reported."""
    if clause.longer_on is not None and clause.longer_period is not None and clause.longer_on in facts.events:
        return clause.longer_period
    return clause.period


def is_open_matter(extension: Extension, facts: Facts) -> bool:
    """Whether a matter that keeps a rule from running out has been opened and not closed since."""
    opened, closed = facts.events.get(extension.opened), facts.events.get(extension.closed)
    return opened is not None and (closed is None or closed < opened)


def yields_to(maximum: Clause, minimum: Clause) -> bool:
    """Whether a legal maximum gives way to this legal minimum: both are of one legal order (PIPL art. 47; GDPR art.
    17(3)(b)). Between two legal orders no law decides.
    """
    one, other = maximum.jurisdiction, minimum.jurisdiction
    return one == other or (one == "EU" and other in EU_MEMBERS) or (other == "EU" and one in EU_MEMBERS)


def _with_matters(clause: Clause, end: date, facts: Facts) -> date | Unknown:
    """The end of a clause, moved by the matters that keep it from running out."""
    for extension in clause.extensions:
        if extension.opened not in facts.events:
            continue
        if is_open_matter(extension, facts):
            return Unknown.MATTER
        end = max(end, add(facts.events[extension.closed], extension.adds))
    return end
