"""Schedules 保管期限表 in time: what applied on a day, and what was known of it at an instant.

Two axes: a version applies from its effective date until the day on which a later one takes effect (valid time), and
it is known from its approval on, until it is withdrawn (known time). The same holds for what is known of a record:
events, holds, classifications. So any past decision can be made again as it was made then.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from retention_rules.decision import Decision, decide
from retention_rules.errors import InvalidData
from retention_rules.law import Law, law_of
from retention_rules.model import ClassDefinition, Confirmation, Facts, FiscalYear, Hold, Organisation
from retention_rules.packs import Pack, by_code

_MOMENT = timedelta(microseconds=1)
ALWAYS = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True)
class Schedule:
    """One version of the organisation's classes, with the rule packs on which it rests.

    It applies from `effective_date`; it is known from `known_at`, its approval, to `withdrawn_at`. `approved_by` are ids.
    """

    version: str
    effective_date: date
    classes: tuple[ClassDefinition, ...]
    packs: tuple[str, ...]
    fiscal_year: FiscalYear = field(default_factory=FiscalYear)
    known_at: datetime = ALWAYS
    withdrawn_at: datetime | None = None
    approved_by: tuple[str, ...] = ()

    def is_known(self, at: datetime) -> bool:
        """Whether it was approved and not withdrawn."""
        return self.known_at <= at and (self.withdrawn_at is None or at < self.withdrawn_at)


@dataclass(frozen=True)
class KnownConfirmation:
    """A confirmation, and the instants between which it was known."""

    confirmation: Confirmation
    known_at: datetime = ALWAYS
    withdrawn_at: datetime | None = None


@dataclass(frozen=True)
class Book:
    """Everything the organisation has ever laid down: every schedule version, every pack, every confirmation.

    Of `organisation` its time zone and working days count; the accounting year stands in each schedule.
    """

    schedules: tuple[Schedule, ...]
    packs: Mapping[str, Pack]
    confirmations: tuple[KnownConfirmation, ...] = ()
    organisation: Organisation = field(default_factory=Organisation)


@dataclass(frozen=True)
class ReportedEvent:
    """An event as it was reported. `day` none: reported that it will never happen. Undone: raised by mistake."""

    name: str
    day: date | None
    evidence: str = ""
    known_at: datetime = ALWAYS
    undone_at: datetime | None = None


@dataclass(frozen=True)
class ReportedHold:
    """A hold from when it was placed to when it was released."""

    hold: Hold
    placed_at: datetime = ALWAYS
    released_at: datetime | None = None


@dataclass(frozen=True)
class Classified:
    """The class that a record was given, from an instant on."""

    class_code: str
    known_at: datetime = ALWAYS


@dataclass(frozen=True)
class Promise:
    """A day to which a record was promised to be kept, from an instant on: by a lock, or by an appraisal."""

    until_date: date
    known_at: datetime = ALWAYS


@dataclass(frozen=True)
class Dossier:
    """All that was ever reported of a record."""

    received_date: date
    classified: tuple[Classified, ...]
    events: tuple[ReportedEvent, ...] = ()
    holds: tuple[ReportedHold, ...] = ()
    locks: tuple[Promise, ...] = ()
    appraisals: tuple[Promise, ...] = ()


def day_of(instant: datetime, time_zone: str) -> date:
    """The organisation's day at an instant."""
    return instant.astimezone(ZoneInfo(time_zone)).date()


def end_of_day(day: date, time_zone: str) -> datetime:
    """The first instant after a day of the organisation, in UTC: a lock to that day runs until then."""
    after = day + timedelta(days=1) if day < date.max else day
    return datetime.combine(after, time.min, ZoneInfo(time_zone)).astimezone(UTC)


def facts_known(dossier: Dossier, at: datetime) -> Facts:
    """What was known of a record at an instant.

    What was undone by then never was. Of an event reported several times the latest day counts. The latest class, lock
    and appraisal count.

    Raises:
        InvalidData: it had no class then.
    """
    classes = [given for given in dossier.classified if given.known_at <= at]
    if not classes:
        raise InvalidData("the record had no class then", "该档案当时尚未归类")
    events: dict[str, date] = {}
    evidence: dict[str, str] = {}
    never = set()
    for report in sorted(dossier.events, key=lambda event: (event.known_at, event.name, str(event.day))):
        if at < report.known_at or (report.undone_at is not None and report.undone_at <= at):
            continue
        if report.day is None:
            never.add(report.name)
        elif report.name not in events or report.day >= events[report.name]:
            events[report.name] = report.day
            evidence.pop(report.name, None)
            if report.evidence:
                evidence[report.name] = report.evidence
    return Facts(
        class_code=max(classes, key=lambda given: given.known_at).class_code,
        received_date=dossier.received_date,
        events=events,
        holds=tuple(
            h.hold for h in dossier.holds if h.placed_at <= at and (h.released_at is None or at < h.released_at)
        ),
        locked_until=_latest(dossier.locks, at),
        extended_until=_latest(dossier.appraisals, at),
        never=frozenset(never),
        evidence=evidence,
    )


def schedule_known(schedules: Iterable[Schedule], on: date, at: datetime) -> Schedule:
    """The version that applied on a day, as far as was known at an instant.

    Of those in effect by then the one that took effect last; of two for the same day, the one approved last.

    Raises:
        InvalidData: no version was in effect.
    """
    candidates = [version for version in schedules if version.is_known(at) and version.effective_date <= on]
    if not candidates:
        raise InvalidData("no schedule was in effect then", "当时没有生效的保管期限表")
    return max(candidates, key=lambda version: (version.effective_date, version.known_at, version.version))


def law_known(book: Book, on: date, at: datetime) -> Law:
    """The law that applied on a day, as far as was known at an instant.

    Raises:
        InvalidData: no schedule was in effect, or one rests on a pack that is not there.
    """
    schedule = schedule_known(book.schedules, on, at)
    missing = [version for version in schedule.packs if version not in book.packs]
    if missing:
        named = ", ".join(missing)
        raise InvalidData(
            f"schedule {schedule.version} rests on packs that are not there: {named}",
            f"保管期限表 {schedule.version} 依据的规则包不存在：{named}",
        )
    confirmations = [
        known.confirmation
        for known in book.confirmations
        if known.known_at <= at and (known.withdrawn_at is None or at < known.withdrawn_at)
    ]
    rules = by_code(book.packs[version] for version in schedule.packs)
    organisation = replace(book.organisation, fiscal_year=schedule.fiscal_year)
    return law_of(schedule.classes, rules, organisation, confirmations, schedule.version)


def why(dossier: Dossier, book: Book, on: date, at: datetime | None = None) -> Decision:
    """The decision on a day with the knowledge of an instant; of the end of that day where none is given.

    Raises:
        InvalidData: the record had no class then, or no schedule was in effect.
    """
    known_at = at if at is not None else end_of_day(on, book.organisation.time_zone) - _MOMENT
    return decide(facts_known(dossier, known_at), law_known(book, on, known_at), on)


def _latest(promises: Iterable[Promise], at: datetime) -> date | None:
    return max((promise.until_date for promise in promises if promise.known_at <= at), default=None)
