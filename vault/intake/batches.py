"""Batches: a pile is announced, received, and closed with its balance."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from vault.access.model import Viewer
from vault.access.rights import Right
from vault.foundation.context import Context
from vault.foundation.errors import InvalidInput, NotFoundOrNotYours
from vault.foundation.ids import new_id
from vault.intake import arrivals, queries
from vault.intake.errors import BatchClosed
from vault.intake.model import Batch, BatchState, Event
from vault.intake.tables import batches

NAME_LENGTH_MAX = 100


def open_batch(
    ctx: Context, viewer: Viewer, name: str, sheets_announced: int | None, unit_id: UUID | None = None
) -> Batch:
    """Opens a batch, or gives the sender's open batch of that name. Leaves `intake:batch:open` when new.

    Raises:
        NotAllowed: the viewer lacks `intake:batch:create`.
        InvalidInput: the name is empty or too long, or the announcement is negative.
        NotFoundOrNotYours: the viewer may not act for the unit.
    """
    viewer.require(Right.INTAKE_BATCH_CREATE)
    name = name.strip()
    if not 1 <= len(name) <= NAME_LENGTH_MAX:
        raise InvalidInput(field="name", problem=f"1 to {NAME_LENGTH_MAX} characters are needed")
    if sheets_announced is not None and not 0 <= sheets_announced <= 1_000_000:
        raise InvalidInput(field="sheets_announced", problem="a count from 0 to 1,000,000 is needed")
    with ctx.database.transaction(viewer.actor) as tx:
        place = arrivals.place_of(tx.connection, viewer, unit_id)
        batch_id = tx.connection.execute(
            insert(batches)
            .values(
                id=new_id(),
                name=name,
                unit_id=place.unit_id,
                opened_by=viewer.id,
                sheets_announced=sheets_announced,
                state=BatchState.OPEN.value,
                opened_at=tx.clock.now(),
            )
            .on_conflict_do_nothing()
            .returning(batches.c.id)
        ).scalar_one_or_none()
        if batch_id is not None:
            tx.witness(Event.BATCH_OPENED, "batch", batch_id, sheets_announced=sheets_announced)
            tx.commit()
        else:
            batch_id = tx.connection.execute(
                select(batches.c.id).where(
                    batches.c.opened_by == viewer.id,
                    batches.c.unit_id == place.unit_id,
                    batches.c.name == name,
                    batches.c.state == BatchState.OPEN.value,
                )
            ).scalar_one_or_none()
    if batch_id is None:  # closed by somebody in between: the name is free again
        return open_batch(ctx, viewer, name, sheets_announced, unit_id)
    with ctx.database.read() as connection:
        return queries.get_batch(connection, viewer, batch_id)


def close_batch(ctx: Context, viewer: Viewer, batch_id: UUID) -> Batch:
    """Closes a batch as balanced or unbalanced and keeps the counts. Leaves `intake:batch:close`.

    Raises:
        NotAllowed: the viewer lacks `intake:batch:create`.
        NotFoundOrNotYours: no such batch for this viewer.
        BatchClosed: it was closed before.
    """
    viewer.require(Right.INTAKE_BATCH_CREATE)
    with ctx.database.transaction(viewer.actor) as tx:
        row = tx.connection.execute(select(batches).where(batches.c.id == batch_id).with_for_update()).one_or_none()
        if row is None or not viewer.may_see_unit(row.unit_id):
            raise NotFoundOrNotYours
        if row.state != BatchState.OPEN:
            raise BatchClosed
        balance = queries.balances(tx.connection, [row])[batch_id]
        state = BatchState.BALANCED if balance.is_balanced else BatchState.UNBALANCED
        tx.connection.execute(
            batches.update().where(batches.c.id == batch_id).values(state=state.value, closed_at=tx.clock.now())
        )
        tx.witness(
            Event.BATCH_CLOSED,
            "batch",
            batch_id,
            state=state.value,
            sheets_announced=balance.sheets_announced,
            received=balance.received,
            accepted=balance.accepted,
            duplicate=balance.duplicate,
            refused=balance.refused,
        )
        tx.commit()
    with ctx.database.read() as connection:
        return queries.get_batch(connection, viewer, batch_id)
