"""Schedules and rule packs in and out as files: YAML for a whole version, CSV for its classes.

What comes in becomes a draft, which two people still approve. A rule pack of the organisation's own is inert until a
version of the schedule names it with its digest.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from sqlalchemy import Connection, select
from sqlalchemy.dialects.postgresql import insert

from retention_rules.differences import Change, between_schedules
from retention_rules.errors import InvalidData
from retention_rules.packs import Pack, parse_pack
from retention_rules.problems import InvalidFile
from retention_rules.schedule_files import (
    classes_from_csv,
    classes_to_csv,
    schedule_from_yaml,
    schedule_to_yaml,
)
from retention_rules.schedules import Schedule
from vault.access.model import Viewer
from vault.access.rights import Right
from vault.foundation.context import Context
from vault.foundation.db.transaction import Transaction
from vault.foundation.ids import new_id
from vault.retention.book import known_packs
from vault.retention.errors import PackRefused, ScheduleFileRefused
from vault.retention.model import Content, Event, ScheduleVersion
from vault.retention.tables import rule_packs


def as_yaml(version: ScheduleVersion, today: date) -> str:
    """A version as a file; of one without a day, today's."""
    return schedule_to_yaml(schedule_of(version, today))


def as_csv(version: ScheduleVersion, *, is_chinese: bool) -> str:
    """The classes of a version as a table."""
    return classes_to_csv(version.content.classes, is_chinese=is_chinese)


def content_from_yaml(connection: Connection, text: str) -> Content:
    """What a file lays down; version and day in it are those of the file and not taken over.

    Raises:
        ScheduleFileRefused: something is wrong; it names the lines.
    """
    packs = known_packs(connection)
    try:
        read = schedule_from_yaml(text, _codes(packs), packs)
    except InvalidFile as error:
        raise ScheduleFileRefused(error.problems) from error
    return Content(read.classes, {version: packs[version].digest for version in read.packs}, read.fiscal_year)


def content_from_csv(connection: Connection, text: str, base: Content) -> Content:
    """The classes of a table, with packs and accounting year of `base`.

    Raises:
        ScheduleFileRefused: something is wrong; it names the lines.
    """
    packs = known_packs(connection)
    named = {version: packs[version] for version in base.packs if version in packs}
    try:
        classes = classes_from_csv(text, _codes(named))
    except InvalidFile as error:
        raise ScheduleFileRefused(error.problems) from error
    return Content(classes, base.packs, base.fiscal_year)


def differences(old: ScheduleVersion, new: ScheduleVersion, today: date) -> tuple[Change, ...]:
    """What differs between two versions."""
    return between_schedules(schedule_of(old, today), schedule_of(new, today))


def schedule_of(version: ScheduleVersion, today: date) -> Schedule:
    """A version as the law takes it; of one without a day, as if from today."""
    return Schedule(
        version=str(version.number),
        effective_date=version.effective_date or today,
        classes=version.content.classes,
        packs=tuple(sorted(version.content.packs)),
        fiscal_year=version.content.fiscal_year,
    )


def enter_pack(ctx: Context, viewer: Viewer, text: str) -> Pack:
    """Enters a rule pack of the organisation's own; the same one twice is one. Leaves `retention:pack:enter`.

    Raises:
        NotAllowed: the viewer lacks `retention:schedule:draft`.
        PackRefused: it is no pack, or another one has its version already.
    """
    viewer.require(Right.RETENTION_SCHEDULE_DRAFT)
    try:
        pack = parse_pack(text)
    except InvalidData as error:
        raise PackRefused(problem=str(error)) from error
    with ctx.database.transaction(viewer.actor) as tx:
        if pack.version not in known_packs(tx.connection):
            entered = tx.connection.execute(_ENTER, _pack_row(tx, viewer, pack, text)).one_or_none()
            if entered is not None:
                tx.witness(
                    Event.PACK_ENTERED,
                    "pack",
                    new_id(),
                    version=pack.version,
                    digest=pack.digest,
                    rules=len(pack.rules),
                )
        if known_packs(tx.connection)[pack.version].digest != pack.digest:
            raise PackRefused(problem=f"another pack is called {pack.version}")
        tx.commit()
    return pack


_ENTER = insert(rule_packs).on_conflict_do_nothing().returning(rule_packs.c.version)


def _pack_row(tx: Transaction, viewer: Viewer, pack: Pack, text: str) -> dict[str, Any]:
    return {
        "version": pack.version,
        "digest": bytes.fromhex(pack.digest),
        "content": text,
        "entered_by": viewer.id,
        "entered_at": tx.clock.now(),
    }


def own_packs(connection: Connection) -> tuple[Pack, ...]:
    """The organisation's own rule packs, by version."""
    texts = connection.execute(select(rule_packs.c.content).order_by(rule_packs.c.version)).scalars()
    return tuple(parse_pack(text) for text in texts)


def _codes(packs: Mapping[str, Pack]) -> set[str]:
    return {rule.code for pack in packs.values() for rule in pack.rules}
