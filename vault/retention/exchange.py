"""Schedules in and out as files: YAML for a whole version, CSV for its classes.

What comes in becomes a draft, which two people still approve.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from sqlalchemy import Connection

from retention_rules.differences import Change, between_schedules
from retention_rules.packs import Pack
from retention_rules.problems import InvalidFile
from retention_rules.schedule_files import (
    classes_from_csv,
    classes_to_csv,
    schedule_from_yaml,
    schedule_to_yaml,
)
from retention_rules.schedules import Schedule
from vault.retention.book import known_packs
from vault.retention.errors import ScheduleFileRefused
from vault.retention.model import Content, ScheduleVersion


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


def _codes(packs: Mapping[str, Pack]) -> set[str]:
    return {rule.code for pack in packs.values() for rule in pack.rules}
