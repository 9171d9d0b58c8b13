"""Uploads whose sender never came back.

Between its two transactions an upload is an intent. When the sender dies there and never tries again, the intent would
stay open for ever and its batch could not balance. After a while it is refused with that reason. Nothing is taken from
the sender by it: the item keeps its planned record and key, and whoever sends the same bytes under the same key goes on
with it (`service.receive`), so nothing is ever stored twice.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import Connection, func, select

from vault.foundation.context import Context
from vault.foundation.ledger.entry import Actor
from vault.intake.model import Event, ItemStatus
from vault.intake.tables import intake_items

ABANDONED = "upload-abandoned"
# A station may be cut off over a night; one that comes back later than this is still taken up.
ABANDONED_AFTER = timedelta(hours=24)
_PAGE = 200


@dataclass(frozen=True)
class AbandonedItem:
    """An item that was given up."""

    id: UUID
    batch_id: UUID | None
    record_id: UUID  # planned, never catalogued
    received_at: datetime


def settle_abandoned(ctx: Context, actor: Actor, before: datetime) -> Iterator[AbandonedItem]:
    """Refuses each item that was begun before that instant and never settled; yields it when it is done with.

    Leaves `intake:item:abandon` for each.
    """
    while found := _open_items(ctx, before):
        for item in found:
            if _give_up(ctx, actor, item, before):
                yield item


def count_open(connection: Connection, before: datetime) -> int:
    """How many items were begun before that instant and never settled."""
    return int(
        connection.execute(
            select(func.count())
            .select_from(intake_items)
            .where(intake_items.c.status == ItemStatus.INTENT.value, intake_items.c.received_at < before)
        ).scalar_one()
    )


def _open_items(ctx: Context, before: datetime) -> list[AbandonedItem]:
    with ctx.database.read() as connection:
        rows = connection.execute(
            select(intake_items.c.id, intake_items.c.batch_id, intake_items.c.record_id, intake_items.c.received_at)
            .where(intake_items.c.status == ItemStatus.INTENT.value, intake_items.c.received_at < before)
            .order_by(intake_items.c.received_at)
            .limit(_PAGE)
        )
        return [AbandonedItem(row.id, row.batch_id, row.record_id, row.received_at) for row in rows]


def _give_up(ctx: Context, actor: Actor, item: AbandonedItem, before: datetime) -> bool:
    """False when its sender settled it meanwhile."""
    with ctx.database.transaction(actor) as tx:
        now = tx.clock.now()
        given_up = tx.connection.execute(
            intake_items.update()
            .where(
                intake_items.c.id == item.id,
                intake_items.c.status == ItemStatus.INTENT.value,
                intake_items.c.received_at < before,
            )
            .values(status=ItemStatus.REFUSED.value, settled_at=now, abandoned_at=now)
        ).rowcount
        if given_up:
            tx.witness(
                Event.ITEM_ABANDONED,
                "item",
                item.id,
                context_id=item.batch_id,
                record_id=str(item.record_id),
                reasons=[ABANDONED],
            )
            tx.commit()
    return bool(given_up)
