"""What the keyring's tables say: epochs and groups with what hangs on them. No key is opened."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, func, select

from vault.foundation.keys.tables import key_epochs, key_groups, record_keys


@dataclass(frozen=True)
class EpochLine:
    """An epoch and how many group keys are wrapped under its secret."""

    number: int
    state: str
    created_at: datetime
    destroyed_at: datetime | None
    groups: int


@dataclass(frozen=True)
class GroupLine:
    """A group key and how many records' keys are wrapped under it."""

    class_code: str
    period: str
    generation: int
    state: str
    epoch: int
    records: int


def list_epochs(connection: Connection) -> tuple[EpochLine, ...]:
    """Every epoch, newest first."""
    groups = select(func.count()).where(key_groups.c.epoch == key_epochs.c.number).scalar_subquery().label("groups")
    rows = connection.execute(select(key_epochs, groups).order_by(key_epochs.c.number.desc()))
    return tuple(EpochLine(row.number, row.state, row.created_at, row.destroyed_at, row.groups) for row in rows)


def list_groups(connection: Connection) -> tuple[GroupLine, ...]:
    """Every group by class and period."""
    records = select(func.count()).where(record_keys.c.group_id == key_groups.c.id).scalar_subquery().label("records")
    rows = connection.execute(select(key_groups, records).order_by(key_groups.c.class_code, key_groups.c.period))
    return tuple(
        GroupLine(row.class_code, row.period, row.generation, row.state, row.epoch, row.records) for row in rows
    )
