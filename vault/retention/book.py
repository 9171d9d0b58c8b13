"""The organisation's book: every schedule version, pack, confirmation and holiday; and the law that they make.

It changes a few times a year and is asked for at every upload, so a process keeps the newest and asks the database
only whether it still is.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, func, literal_column, select

from retention_rules import shipped
from retention_rules.errors import InvalidData
from retention_rules.law import Law
from retention_rules.model import ClassDefinition, Confirmation, FiscalYear, Organisation, WorkingDays
from retention_rules.packs import Pack, class_from, parse_pack
from retention_rules.schedules import ALWAYS, Book, KnownConfirmation, Schedule, day_of, law_known, schedule_known
from vault.access.approvals import ProposalState
from vault.access.queries import organisation
from vault.access.tables import approvals, proposals
from vault.access.tables import organisation as organisation_table
from vault.foundation.db.transaction import Transaction
from vault.retention.errors import NoSchedule, PackAltered, UnknownClass
from vault.retention.model import Content, VersionState
from vault.retention.tables import calendar_years, rule_confirmations, rule_packs, schedule_versions

_APPROVED = schedule_versions.c.state == VersionState.APPROVED.value
_Stamp = tuple[Any, ...]
# By whom each row was written last: it also tells a pack that was altered behind the service's back.
_PACKS_WRITTEN: ColumnElement[Any] = literal_column("sum(rule_packs.xmin::text::bigint)")


@dataclass(frozen=True)
class Lawbook:
    """The book, and the laws already made from it by the number of the schedule version."""

    book: Book
    _laws: dict[str, Law] = field(default_factory=dict, compare=False, repr=False)

    @property
    def time_zone(self) -> str:
        """The organisation's."""
        return self.book.organisation.time_zone

    def day_of(self, at: datetime) -> date:
        """The organisation's day at an instant."""
        return day_of(at, self.time_zone)

    def schedule(self, on: date, at: datetime) -> Schedule:
        """The version that applies on a day, as far as is known at an instant. Raises NoSchedule."""
        try:
            return schedule_known(self.book.schedules, on, at)
        except InvalidData as error:
            raise NoSchedule(day=on.isoformat()) from error

    def law(self, on: date, at: datetime) -> Law:
        """The law that applies on a day, with everything that is known now; `at` is now. Raises NoSchedule."""
        version = self.schedule(on, at).version
        if version not in self._laws:
            self._laws[version] = law_known(self.book, on, at)
        return self._laws[version]

    def class_in_effect(self, code: str, on: date, at: datetime) -> ClassDefinition:
        """One class of the schedule that applies. Raises UnknownClass, NoSchedule."""
        found = self.law(on, at).classes.get(code)
        if found is None:
            raise UnknownClass(class_code=code[:40])
        return found.definition


# Also in `ddl`: who changes the law, and who relies on it to propose or approve, does so one at a time.
_LAW_LOCK = 0x736C6970_6C6177
_kept: dict[_Stamp, Lawbook] = {}
_KEPT_MAX = 8


def read_book(connection: Connection) -> Lawbook:
    """The organisation's book as the database holds it now.

    Raises:
        NotFoundOrNotYours: the installation was never initialised.
        PackAltered: a rule pack is not the one that was entered, or not the one that two people approved.
    """
    stamp = _stamp(connection)
    known = _kept.get(stamp)
    if known is None:
        if len(_kept) >= _KEPT_MAX:
            _kept.clear()
        known = _kept[stamp] = Lawbook(_load(connection))
    return known


def hold_law(tx: Transaction) -> None:
    """Keeps the law as it is to the end of the transaction: two changes at once never pass each other unseen."""
    tx.connection.execute(select(func.pg_advisory_xact_lock(_LAW_LOCK)))


def content_from(plain: Mapping[str, Any]) -> Content:
    """What a version lays down, from its plain form. Raises InvalidData."""
    year = plain["fiscal_year"]
    return Content(
        classes=tuple(class_from(row) for row in plain["classes"]),
        packs=dict(plain["packs"]),
        fiscal_year=FiscalYear(year["end_month"], year["end_day"]),
    )


def known_packs(connection: Connection) -> dict[str, Pack]:
    """Every rule pack by version: the shipped ones, and the organisation's own.

    Raises:
        PackAltered: one of the organisation's own is not what was entered.
    """
    own = {}
    for row in connection.execute(select(rule_packs).order_by(rule_packs.c.version)):
        try:
            pack = parse_pack(row.content)
        except InvalidData as error:
            raise PackAltered(pack=row.version[:60]) from error
        if (pack.version, pack.digest) != (row.version, bytes(row.digest).hex()):
            raise PackAltered(pack=row.version[:60])
        own[pack.version] = pack
    return {**own, **shipped.packs()}


def _stamp(connection: Connection) -> _Stamp:
    """What tells one state of the book from any other: ids are never used twice, and rows are only added."""
    newest_version = select(schedule_versions.c.id).where(_APPROVED).order_by(schedule_versions.c.approved_at.desc())
    confirmed = rule_confirmations.c.confirmed_at.isnot(None)
    row = connection.execute(
        select(
            select(organisation_table.c.time_zone).scalar_subquery(),
            newest_version.limit(1).scalar_subquery(),
            select(func.count()).select_from(schedule_versions).where(_APPROVED).scalar_subquery(),
            select(func.count()).select_from(rule_confirmations).where(confirmed).scalar_subquery(),
            select(calendar_years.c.id).order_by(calendar_years.c.id.desc()).limit(1).scalar_subquery(),
            select(_PACKS_WRITTEN).select_from(rule_packs).scalar_subquery(),
        )
    ).one()
    return tuple(row)


def _load(connection: Connection) -> Book:
    versions = connection.execute(select(schedule_versions).where(_APPROVED).order_by(schedule_versions.c.number))
    people, packs = _approvers(connection), known_packs(connection)
    return Book(
        schedules=tuple(_schedule(row, people.get(row.proposal_id, ()), packs) for row in versions),
        packs=packs,
        confirmations=tuple(_confirmations(connection)),
        organisation=Organisation(
            working_days=_working_days(connection), time_zone=organisation(connection).time_zone
        ),
    )


def _schedule(row: Row[Any], approved_by: tuple[str, ...], packs: Mapping[str, Pack]) -> Schedule:
    """A version that was approved. Raises PackAltered when it names a pack by another digest than that pack has."""
    content = content_from(row.content)
    for version, digest in content.packs.items():
        if version not in packs or packs[version].digest != digest:
            raise PackAltered(pack=version[:60])
    return Schedule(
        version=str(row.number),
        effective_date=row.effective_date,
        classes=content.classes,
        packs=tuple(sorted(content.packs)),
        fiscal_year=content.fiscal_year,
        # The classes that come with the program were always known: no host's clock is before them.
        known_at=row.approved_at if row.number > 1 else ALWAYS,
        approved_by=approved_by,
    )


def _approvers(connection: Connection) -> dict[Any, tuple[str, ...]]:
    query = (
        select(approvals.c.proposal_id, approvals.c.person_id)
        .join(proposals, proposals.c.id == approvals.c.proposal_id)
        .where(proposals.c.state == ProposalState.APPROVED.value)
        .order_by(approvals.c.at)
    )
    found: dict[Any, tuple[str, ...]] = {}
    for row in connection.execute(query):
        found[row.proposal_id] = (*found.get(row.proposal_id, ()), str(row.person_id))
    return found


def _confirmations(connection: Connection) -> list[KnownConfirmation]:
    rows = connection.execute(select(rule_confirmations).where(rule_confirmations.c.confirmed_at.isnot(None)))
    return [
        KnownConfirmation(
            Confirmation(row.rule_code, row.rule_digest, str(row.proposed_by), row.source, row.confirmed_at.date()),
            known_at=row.confirmed_at,
        )
        for row in rows
    ]


def _working_days(connection: Connection) -> WorkingDays:
    """Of a year that was entered more than once, the last."""
    newest = {row.year: row for row in connection.execute(select(calendar_years).order_by(calendar_years.c.id))}
    return WorkingDays(
        holidays=frozenset(day for row in newest.values() for day in row.holidays),
        workdays=frozenset(day for row in newest.values() for day in row.workdays),
        years=frozenset(newest),
    )
