"""Lists as people use them: views that they save and share, and taking a list out as a file.

A saved view is the filters of a list under a name. It gives nobody a right: whoever opens it sees what they may see of
that list. Filters that may name a person lie sealed; the name of the view is the owner's own word.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import psycopg
from sqlalchemy import Connection, Row, func, or_, select
from sqlalchemy.exc import IntegrityError

from vault.access.errors import TooManyViews, ViewNameTaken
from vault.access.model import Event, Viewer
from vault.access.rights import Right
from vault.access.tables import people, saved_views
from vault.foundation.context import Context
from vault.foundation.errors import N_, InvalidInput, NotAllowed, NotFoundOrNotYours
from vault.foundation.ids import new_id
from vault.foundation.keys import installation_seal

NAME_LENGTH_MAX = 60
VIEWS_MAX = 40
_FILTERS_BYTES_MAX = 4_000
_PURPOSE = "saved-view"


@dataclass(frozen=True)
class SavedView:
    """A saved view without its filters: what a list shows of it."""

    id: UUID
    owner_id: UUID
    owner_name: str
    list_name: str
    name: str
    is_shared: bool
    created_at: datetime


def save_view(
    ctx: Context,
    viewer: Viewer,
    list_name: str,
    name: str,
    open_filters: Mapping[str, str],
    personal_filters: Mapping[str, str],
    *,
    is_shared: bool,
) -> UUID:
    """Keeps the filters of a list under a name, for the viewer or for the viewer's unit. Leaves `access:view:save`.

    Raises:
        NotAllowed: the viewer is no person.
        InvalidInput: the name is empty or too long, or the filters are.
        ViewNameTaken: the viewer has a view of that name for that list.
        TooManyViews: the viewer has as many as one person may keep.
    """
    _require_person(viewer)
    name = " ".join(name.split())
    if not 1 <= len(name) <= NAME_LENGTH_MAX:
        raise InvalidInput(field="name", problem=N_("1 to 60 characters are needed"))
    view_id = new_id()
    row: dict[str, Any] = {
        "id": view_id,
        "owner_id": viewer.id,
        "unit_id": viewer.unit_id if is_shared else None,
        "list": list_name,
        "name": name,
        "filters": dict(open_filters),
        "sealed": _sealed(ctx, view_id, personal_filters),
    }
    if len(json.dumps(row["filters"])) + len(row["sealed"] or b"") > _FILTERS_BYTES_MAX:
        raise InvalidInput(field="name", problem=N_("the filters are too long to keep"))
    try:
        with ctx.database.transaction(viewer.actor) as tx:
            # One after the other for one person, so that the count holds.
            tx.connection.execute(select(people.c.id).where(people.c.id == viewer.id).with_for_update())
            mine = select(func.count()).select_from(saved_views).where(saved_views.c.owner_id == viewer.id)
            if tx.connection.execute(mine).scalar_one() >= VIEWS_MAX:
                raise TooManyViews(count_max=VIEWS_MAX)
            tx.connection.execute(saved_views.insert(), {**row, "created_at": tx.clock.now()})
            tx.witness(Event.VIEW_SAVED, "view", view_id, list=list_name, is_shared=is_shared)
            tx.commit()
    except IntegrityError as error:
        if isinstance(error.orig, psycopg.Error) and error.orig.sqlstate == psycopg.errors.UniqueViolation.sqlstate:
            raise ViewNameTaken from error
        raise
    return view_id


def remove_view(ctx: Context, viewer: Viewer, view_id: UUID) -> SavedView:
    """Removes a view of the viewer's own. Leaves `access:view:remove`.

    Raises:
        NotFoundOrNotYours: no such view, or somebody else's.
    """
    with ctx.database.transaction(viewer.actor) as tx:
        row = tx.connection.execute(
            _views().where(saved_views.c.id == view_id, saved_views.c.owner_id == viewer.id)
        ).one_or_none()
        if row is None:
            raise NotFoundOrNotYours
        tx.connection.execute(saved_views.delete().where(saved_views.c.id == view_id))
        tx.witness(Event.VIEW_REMOVED, "view", view_id, list=row.list)
        tx.commit()
    return _view(row)


def views_of(connection: Connection, viewer: Viewer, list_name: str | None = None) -> tuple[SavedView, ...]:
    """The viewer's own views and those shared with the viewer's unit, by name; of one list or of all."""
    query = _views().where(_is_seen_by(viewer)).order_by(saved_views.c.name, saved_views.c.id)
    if list_name is not None:
        query = query.where(saved_views.c.list == list_name)
    return tuple(_view(row) for row in connection.execute(query))


def open_view(
    ctx: Context, connection: Connection, viewer: Viewer, view_id: UUID
) -> tuple[SavedView, dict[str, str], dict[str, str]]:
    """A view with its filters, those that may name a person last.

    Raises:
        NotFoundOrNotYours: no such view for this viewer.
        Damaged: the sealed filters were altered.
    """
    row = connection.execute(_views().where(saved_views.c.id == view_id, _is_seen_by(viewer))).one_or_none()
    if row is None:
        raise NotFoundOrNotYours
    personal: dict[str, str] = {}
    if row.sealed is not None:
        personal = json.loads(installation_seal.unseal(ctx.custodian, _PURPOSE, bytes(row.sealed), view_id.bytes))
    return _view(row), dict(row.filters), personal


def witness_export(ctx: Context, viewer: Viewer, list_name: str, count: int, *, is_selection: bool) -> None:
    """Notes that the viewer takes `count` lines of a list out as a file. Leaves `access:list:export`.

    Raises:
        NotAllowed: the viewer lacks `access:list:export`.
    """
    viewer.require(Right.ACCESS_LIST_EXPORT)
    with ctx.database.transaction(viewer.actor) as tx:
        tx.witness(
            Event.LIST_EXPORTED, viewer.kind, viewer.id, list=list_name, count=count, is_selection=is_selection
        )
        tx.commit()


def _require_person(viewer: Viewer) -> None:
    viewer.require(Right.SELF_SESSION_USE)
    if viewer.kind != "person":
        raise NotAllowed(right=Right.SELF_SESSION_USE.value)


def _sealed(ctx: Context, view_id: UUID, personal_filters: Mapping[str, str]) -> bytes | None:
    if not personal_filters:
        return None
    body = json.dumps(dict(personal_filters), ensure_ascii=False, sort_keys=True).encode()
    return installation_seal.seal(ctx.custodian, _PURPOSE, body, view_id.bytes)


def _views() -> Any:
    return select(saved_views, people.c.name.label("owner_name")).join(people, people.c.id == saved_views.c.owner_id)


def _is_seen_by(viewer: Viewer) -> Any:
    return or_(saved_views.c.owner_id == viewer.id, saved_views.c.unit_id == viewer.unit_id)


def _view(row: Row[Any]) -> SavedView:
    return SavedView(
        row.id, row.owner_id, row.owner_name, row.list, row.name, row.unit_id is not None, row.created_at
    )
