"""Batches: a pile is announced, received, and closed with its balance."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, Select, and_, exists, func, not_, or_, select
from sqlalchemy.dialects.postgresql import insert

from vault.access.model import Viewer
from vault.access.rights import Right
from vault.foundation.bulk import ACT_MAX, Line, Outcome, Plan, TooManyAtOnce, missing
from vault.foundation.context import Context
from vault.foundation.db import keyset
from vault.foundation.db.keyset import COUNT_MAX, EVERYTHING, FIRST, Page, Picked, Span
from vault.foundation.errors import N_, InvalidInput, NotFoundOrNotYours, VaultError
from vault.foundation.ids import new_id
from vault.intake import arrivals, queries
from vault.intake.errors import BatchClosed
from vault.intake.model import Batch, BatchState, Event, ItemStatus
from vault.intake.tables import batches, intake_items

NAME_LENGTH_MAX = 100
WILL_BALANCE = N_("will be closed, balanced")
WILL_NOT_BALANCE = N_("will be closed, not balanced")
CLOSED_BEFORE = N_("it is closed already")


@dataclass(frozen=True)
class BatchFilters:
    """Which batches; all given conditions must hold. `name` is a part of theirs, `opened_before` excludes its instant.

    `is_even` asks whether every sheet is accounted for: now for an open batch, at its closing for a closed one.
    """

    name: str | None = None
    state: BatchState | None = None
    is_even: bool | None = None
    unit_id: UUID | None = None
    opened_by: UUID | None = None
    opened_from: datetime | None = None
    opened_before: datetime | None = None


def find_batches(
    connection: Connection,
    filters: BatchFilters,
    span: Span = FIRST,
    *,
    units: frozenset[UUID] | None,
    picked: Picked = EVERYTHING,
) -> Page[Batch]:
    """One page of the batches within `units` (None: all), newest first, with their balances."""

    def make(rows: Any) -> list[Batch]:
        counted = queries.balances(connection, rows)
        return [queries.batch_of(row, counted) for row in rows]

    return keyset.cut(connection, _batches(filters, units, picked), batches.c.id, span, make)


def count_batches(
    connection: Connection,
    filters: BatchFilters,
    *,
    units: frozenset[UUID] | None,
    picked: Picked = EVERYTHING,
    at_most: int | None = COUNT_MAX,
) -> int:
    """How many batches there are within `units`, at most `at_most` + 1 (which means "more")."""
    return keyset.count(connection, _batches(filters, units, picked), at_most)


def recent_senders(connection: Connection, units: frozenset[UUID] | None) -> tuple[UUID, ...]:
    """Who opened the newest batches within `units`: what a filter offers."""
    newest = select(batches.c.opened_by).where(*queries.within(batches.c.unit_id, units))
    newest = newest.order_by(batches.c.id.desc()).limit(queries.SENDERS_AMONG)
    return tuple(connection.execute(select(newest.subquery().c.opened_by).distinct()).scalars())


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
        raise InvalidInput(field="name", problem=N_("1 to 100 characters are needed"))
    if sheets_announced is not None and not 0 <= sheets_announced <= 1_000_000:
        raise InvalidInput(field="sheets_announced", problem=N_("a count from 0 to 1,000,000 is needed"))
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


def plan_closing(connection: Connection, viewer: Viewer, filters: BatchFilters, picked: Picked) -> Plan:
    """What closing the batches picked would do, and how each would end.

    Raises:
        TooManyAtOnce: more are picked than one act may change.
    """
    found = find_batches(connection, filters, Span(size=ACT_MAX), units=viewer.units, picked=picked)
    if found.after is not None:
        raise TooManyAtOnce(count_max=ACT_MAX)
    will, will_not = [], []
    for batch in found.lines:
        if batch.state is not BatchState.OPEN:
            will_not.append(Line(batch.id, batch.name, CLOSED_BEFORE))
        else:
            note = WILL_BALANCE if batch.balance.is_balanced else WILL_NOT_BALANCE
            will.append(Line(batch.id, batch.name, note))
    will_not += missing(picked.ids, frozenset(batch.id for batch in found.lines))
    return Plan(tuple(will), tuple(will_not))


def close_batches(ctx: Context, viewer: Viewer, ids: Iterable[UUID]) -> Outcome:
    """Closes each batch by itself; one that cannot be closed does not keep the others. Leaves `intake:batch:close`.

    Raises:
        NotAllowed: the viewer lacks `intake:batch:create`.
        TooManyAtOnce: more than one act may change.
    """
    viewer.require(Right.INTAKE_BATCH_CREATE)
    wanted = sorted(set(ids))
    if len(wanted) > ACT_MAX:
        raise TooManyAtOnce(count_max=ACT_MAX)
    done, failed = [], []
    for batch_id in wanted:
        try:
            done.append(close_batch(ctx, viewer, batch_id).id)
        except VaultError as error:
            failed.append(Line(batch_id, _name(ctx, viewer, batch_id), error.message))
    return Outcome(tuple(done), tuple(failed))


def _name(ctx: Context, viewer: Viewer, batch_id: UUID) -> str:
    with ctx.database.read() as connection:
        picked = Picked((batch_id,))
        found = find_batches(connection, BatchFilters(), units=viewer.units, picked=picked).lines
    return found[0].name if found else str(batch_id)


def _batches(filters: BatchFilters, units: frozenset[UUID] | None, picked: Picked) -> Select[Any]:
    wanted = [*queries.within(batches.c.unit_id, units), *picked.conditions(batches.c.id)]
    if filters.name:
        wanted.append(batches.c.name.icontains(filters.name, autoescape=True))
    for column, value in (
        (batches.c.state, filters.state),
        (batches.c.unit_id, filters.unit_id),
        (batches.c.opened_by, filters.opened_by),
    ):
        if value is not None:
            wanted.append(column == value)
    if filters.opened_from is not None:
        wanted.append(batches.c.opened_at >= filters.opened_from)
    if filters.opened_before is not None:
        wanted.append(batches.c.opened_at < filters.opened_before)
    if filters.is_even is not None:
        wanted.append(_is_even() if filters.is_even else not_(_is_even()))
    return select(batches).where(*wanted)


def _is_even() -> ColumnElement[bool]:
    """`Balance.is_balanced` in SQL; of a closed batch its state tells."""
    of_batch = intake_items.c.batch_id == batches.c.id
    received = select(func.count()).select_from(intake_items).where(of_batch).correlate(batches).scalar_subquery()
    unsettled = exists().where(of_batch, intake_items.c.status == ItemStatus.INTENT.value)
    is_all_here = or_(batches.c.sheets_announced.is_(None), batches.c.sheets_announced == received)
    return or_(
        batches.c.state == BatchState.BALANCED.value,
        and_(batches.c.state == BatchState.OPEN.value, not_(unsettled), is_all_here),
    )
