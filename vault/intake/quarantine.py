"""The quarantine as a worklist: a refused item waits until somebody says what was done about it.

What was refused stays refused and was never kept. Seeing to it only takes it off the list of what waits, and that can
be undone.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, Select, cast, func, select
from sqlalchemy.dialects.postgresql import JSONPATH

from vault.access.model import Viewer
from vault.access.rights import Right
from vault.foundation.bulk import ACT_MAX, Line, Outcome, Plan, TooManyAtOnce, missing
from vault.foundation.context import Context
from vault.foundation.db import keyset
from vault.foundation.db.keyset import COUNT_MAX, EVERYTHING, FIRST, Page, Picked, Span
from vault.foundation.errors import N_, InvalidInput
from vault.intake.abandonment import ABANDONED
from vault.intake.model import Event, Handling, Item, ItemStatus, QuarantineState
from vault.intake.queries import SENDERS_AMONG, item_of, within
from vault.intake.tables import intake_items

NOTE_LENGTH_MAX = 200
WILL_BE_HANDLED = N_("will be taken off the list of what waits")
WILL_WAIT_AGAIN = N_("will wait on the list again")
HANDLED_BEFORE = N_("somebody has seen to it already")
WAITS_ALREADY = N_("it waits on the list already")
_CHUNK = 200
_REFUSING_CODES = '$[*] ? (@.severity == "refuse").code'


@dataclass(frozen=True)
class QuarantineFilters:
    """Which refused items; all given conditions must hold. `text` is part of the file's name, `reason` a code."""

    text: str | None = None
    state: QuarantineState | None = None
    reason: str | None = None
    unit_id: UUID | None = None
    sender_id: UUID | None = None
    batch_id: UUID | None = None
    received_from: datetime | None = None
    received_before: datetime | None = None


def find(
    connection: Connection,
    filters: QuarantineFilters,
    span: Span = FIRST,
    *,
    units: frozenset[UUID] | None,
    picked: Picked = EVERYTHING,
) -> Page[Item]:
    """One page of the refused items within `units` (None: all), newest first."""
    query = _refused(filters, units, picked)
    return keyset.cut(connection, query, intake_items.c.id, span, lambda rows: map(item_of, rows))


def count(
    connection: Connection,
    filters: QuarantineFilters,
    *,
    units: frozenset[UUID] | None,
    picked: Picked = EVERYTHING,
    at_most: int | None = COUNT_MAX,
) -> int:
    """How many refused items there are within `units`, at most `at_most` + 1 (which means "more")."""
    return keyset.count(connection, _refused(filters, units, picked), at_most)


def recent_reasons(connection: Connection, units: frozenset[UUID] | None) -> tuple[str, ...]:
    """The codes for which the newest items were refused: what a filter offers."""
    among = _newest(intake_items.c.findings, units)
    codes = func.jsonb_path_query_array(among, cast(_REFUSING_CODES, JSONPATH))
    found = set(connection.execute(select(func.jsonb_array_elements_text(codes)).distinct()).scalars())
    is_abandoned = select(_newest(intake_items.c.abandoned_at, units).isnot(None)).distinct()
    if True in connection.execute(is_abandoned).scalars():
        found.add(ABANDONED)
    return tuple(sorted(found))


def recent_senders(connection: Connection, units: frozenset[UUID] | None) -> tuple[UUID, ...]:
    """Who sent the newest of the refused items: what a filter offers."""
    return tuple(connection.execute(select(_newest(intake_items.c.sender_id, units)).distinct()).scalars())


def plan(
    connection: Connection, viewer: Viewer, filters: QuarantineFilters, picked: Picked, to_state: QuarantineState
) -> Plan:
    """What `handle` (to HANDLED) or `reopen` (to WAITING) would do with the items picked.

    Raises:
        TooManyAtOnce: more are picked than one act may change.
    """
    found = find(connection, filters, Span(size=ACT_MAX), units=viewer.units, picked=picked)
    if found.after is not None:
        raise TooManyAtOnce(count_max=ACT_MAX)
    is_done = to_state is QuarantineState.HANDLED
    yes, no = (WILL_BE_HANDLED, HANDLED_BEFORE) if is_done else (WILL_WAIT_AGAIN, WAITS_ALREADY)
    will = tuple(Line(item.id, _name(item), yes) for item in found.lines if item.quarantine_state is not to_state)
    will_not = tuple(Line(item.id, _name(item), no) for item in found.lines if item.quarantine_state is to_state)
    return Plan(will, will_not + missing(picked.ids, frozenset(item.id for item in found.lines)))


def handle(ctx: Context, viewer: Viewer, ids: Iterable[UUID], handling: Handling, note: str = "") -> Outcome:
    """Takes items off the list of what waits and keeps what was done about them.

    Leaves `intake:quarantine:handle` for each. `note` stays in the database; the ledger holds the code alone.

    Raises:
        NotAllowed: the viewer lacks `intake:quarantine:handle`.
        InvalidInput: the note is too long, or missing where the code says nothing by itself.
        TooManyAtOnce: more than one act may change.
    """
    viewer.require(Right.INTAKE_QUARANTINE_HANDLE)
    note = " ".join(note.split())
    if len(note) > NOTE_LENGTH_MAX:
        raise InvalidInput(field="note", problem=N_("at most 200 characters are kept"))
    if handling is Handling.OTHER and not note:
        raise InvalidInput(field="note", problem=N_("say what was done"))
    values = {"handled_at": ctx.clock.now(), "handled_by": viewer.id, "handling": handling.value}
    values["handling_note"] = note or None
    condition = intake_items.c.handled_at.is_(None)
    return _change(ctx, viewer, ids, condition, values, Event.QUARANTINE_HANDLED, HANDLED_BEFORE)


def reopen(ctx: Context, viewer: Viewer, ids: Iterable[UUID]) -> Outcome:
    """Puts items back on the list of what waits. Leaves `intake:quarantine:reopen` for each.

    Raises:
        NotAllowed: the viewer lacks `intake:quarantine:handle`.
        TooManyAtOnce: more than one act may change.
    """
    viewer.require(Right.INTAKE_QUARANTINE_HANDLE)
    values = {"handled_at": None, "handled_by": None, "handling": None, "handling_note": None}
    condition = intake_items.c.handled_at.isnot(None)
    return _change(ctx, viewer, ids, condition, values, Event.QUARANTINE_REOPENED, WAITS_ALREADY)


def _change(
    ctx: Context,
    viewer: Viewer,
    ids: Iterable[UUID],
    condition: ColumnElement[bool],
    values: dict[str, Any],
    event: Event,
    why_not: str,
) -> Outcome:
    """Changes those that the condition still holds for, a few hundred in each transaction."""
    wanted = sorted(set(ids))
    if len(wanted) > ACT_MAX:
        raise TooManyAtOnce(count_max=ACT_MAX)
    done: set[UUID] = set()
    for start in range(0, len(wanted), _CHUNK):
        picked = Picked(tuple(wanted[start : start + _CHUNK]))
        with ctx.database.transaction(viewer.actor) as tx:
            rows = tx.connection.execute(
                intake_items.update()
                .where(*_seen_by(viewer.units), *picked.conditions(intake_items.c.id), condition)
                .values(**values)
                .returning(intake_items.c.id, intake_items.c.batch_id)
            ).all()
            told = {"handling": values["handling"]} if values["handling"] else {}
            for row in rows:
                tx.witness(event, "item", row.id, context_id=row.batch_id, **told)
            if rows:
                tx.commit()
        done.update(row.id for row in rows)
    with ctx.database.read() as connection:
        rest = Picked(tuple(one for one in wanted if one not in done))
        left = find(connection, QuarantineFilters(), Span(size=ACT_MAX), units=viewer.units, picked=rest).lines
    failed = tuple(Line(item.id, _name(item), why_not) for item in left)
    return Outcome(tuple(sorted(done)), failed + missing(rest.ids, frozenset(item.id for item in left)))


def _refused(filters: QuarantineFilters, units: frozenset[UUID] | None, picked: Picked) -> Select[Any]:
    wanted = [*_seen_by(units), *picked.conditions(intake_items.c.id)]
    if filters.text:
        wanted.append(intake_items.c.file_name.icontains(filters.text, autoescape=True))
    if filters.state is not None:
        is_waiting = intake_items.c.handled_at.is_(None)
        wanted.append(is_waiting if filters.state is QuarantineState.WAITING else ~is_waiting)
    if filters.reason == ABANDONED:
        wanted.append(intake_items.c.abandoned_at.isnot(None))
    elif filters.reason:
        wanted.append(intake_items.c.findings.contains([{"code": filters.reason, "severity": "refuse"}]))
    for column, value in (
        (intake_items.c.unit_id, filters.unit_id),
        (intake_items.c.sender_id, filters.sender_id),
        (intake_items.c.batch_id, filters.batch_id),
    ):
        if value is not None:
            wanted.append(column == value)
    if filters.received_from is not None:
        wanted.append(intake_items.c.received_at >= filters.received_from)
    if filters.received_before is not None:
        wanted.append(intake_items.c.received_at < filters.received_before)
    return select(intake_items).where(*wanted)


def _seen_by(units: frozenset[UUID] | None) -> list[ColumnElement[bool]]:
    return [intake_items.c.status == ItemStatus.REFUSED.value, *within(intake_items.c.unit_id, units)]


def _newest(column: ColumnElement[Any], units: frozenset[UUID] | None) -> ColumnElement[Any]:
    """The column of the newest refused items, as a subquery's."""
    newest = select(column.label("told")).where(*_seen_by(units)).order_by(intake_items.c.id.desc())
    return newest.limit(SENDERS_AMONG).subquery().c.told


def _name(item: Item) -> str:
    return item.file_name or str(item.id)
