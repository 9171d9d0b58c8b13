"""Saved views: one's own or one's unit's, sealed where they may name a person; taking a list out is a right and is noted."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from sqlalchemy import text

from vault.access import lists, service
from vault.access.errors import TooManyViews, ViewNameTaken
from vault.access.lists import open_view, remove_view, save_view, views_of, witness_export
from vault.access.model import Viewer
from vault.access.rights import Right, Role
from vault.foundation.context import Context
from vault.foundation.errors import InvalidInput, NotAllowed, NotFoundOrNotYours
from vault.foundation.keys import installation_seal
from vault.foundation.keys.errors import Damaged
from vault.foundation.ledger.queries import EntryFilters, find_entries, proven_entry

SOUGHT = {"q": "欧阳小明"}


@pytest.fixture
def clerk(make_person: Callable[..., Viewer]) -> Viewer:
    return make_person("jia", Role.CLERK)


@pytest.fixture
def colleague(make_person: Callable[..., Viewer]) -> Viewer:
    return make_person("yi", Role.CLERK)


@pytest.fixture
def stranger(ctx: Context, operator: Viewer, make_person: Callable[..., Viewer]) -> Viewer:
    return make_person("bing", Role.CLERK, unit_id=service.create_unit(ctx, operator, "GT02", "二号窗口", "Window 2"))


def names(ctx: Context, viewer: Viewer, list_name: str | None = None) -> list[str]:
    with ctx.database.read() as connection:
        return [view.name for view in views_of(connection, viewer, list_name)]


@pytest.mark.clause("C4.4")
def test_a_view_is_its_owners_unless_shared_with_the_unit(
    ctx: Context, clerk: Viewer, colleague: Viewer, stranger: Viewer
) -> None:
    save_view(ctx, clerk, "batches", "乙 自己的", {"state": "open"}, {}, is_shared=False)
    shared = save_view(ctx, clerk, "batches", " 甲  大家的 ", {"state": "unbalanced"}, {}, is_shared=True)
    save_view(ctx, clerk, "records", "档案", {}, {}, is_shared=True)
    assert names(ctx, clerk, "batches") == ["乙 自己的", "甲 大家的"]
    assert names(ctx, colleague, "batches") == ["甲 大家的"]
    assert names(ctx, colleague) == ["档案", "甲 大家的"]
    assert names(ctx, stranger) == []
    with ctx.database.read() as connection:
        view, openly, personal = open_view(ctx, connection, colleague, shared)
        assert (view.owner_id, view.owner_name, view.is_shared) == (clerk.id, clerk.name, True)
        assert (openly, personal) == ({"state": "unbalanced"}, {})
        with pytest.raises(NotFoundOrNotYours):
            open_view(ctx, connection, stranger, shared)


def test_only_the_owner_removes_a_view(ctx: Context, clerk: Viewer, colleague: Viewer) -> None:
    shared = save_view(ctx, clerk, "batches", "甲", {}, {}, is_shared=True)
    with pytest.raises(NotFoundOrNotYours):
        remove_view(ctx, colleague, shared)
    assert remove_view(ctx, clerk, shared).list_name == "batches"
    assert names(ctx, clerk) == []
    with pytest.raises(NotFoundOrNotYours):
        remove_view(ctx, clerk, shared)


@pytest.mark.clause("C2.5")
@pytest.mark.invariant("L3")
def test_a_search_for_a_person_lies_sealed_and_the_ledger_knows_no_more_than_that(
    ctx: Context, clerk: Viewer
) -> None:
    view_id = save_view(ctx, clerk, "records", "那位客户", {"state": "filed"}, SOUGHT, is_shared=False)
    with ctx.database.read() as connection:
        row = connection.execute(text("SELECT filters::text AS filters, sealed FROM saved_views")).one()
        assert open_view(ctx, connection, clerk, view_id)[1:] == ({"state": "filed"}, SOUGHT)
        entries = find_entries(connection, EntryFilters(event="access:view:save")).lines
        body = proven_entry(connection, entries[0].id, ctx.custodian.public_key())
    assert "欧阳" not in row.filters
    assert "欧阳".encode() not in bytes(row.sealed)
    assert body is not None
    assert "那位" not in body.body.decode()
    assert [entry.subject_id for entry in entries] == [view_id]


def test_a_seal_holds_for_its_own_view_and_purpose_alone(ctx: Context, clerk: Viewer) -> None:
    first = save_view(ctx, clerk, "records", "一", {}, SOUGHT, is_shared=False)
    second = save_view(ctx, clerk, "records", "二", {}, {"q": "张伟"}, is_shared=False)
    with ctx.database.transaction(clerk.actor) as tx:
        tx.connection.execute(
            text(
                "UPDATE saved_views SET sealed = (SELECT sealed FROM saved_views WHERE id = :first) WHERE id = :second"
            ),
            {"first": first, "second": second},
        )
        tx.witness("access:view:save", "view", second)
        tx.commit()
    with ctx.database.read() as connection, pytest.raises(Damaged):
        open_view(ctx, connection, clerk, second)
    sealed = installation_seal.seal(ctx.custodian, "one purpose", b"x")
    assert installation_seal.unseal(ctx.custodian, "one purpose", sealed) == b"x"
    for damaged in (sealed[:-1], b"", sealed[:-1] + bytes([sealed[-1] ^ 1])):
        with pytest.raises(Damaged):
            installation_seal.unseal(ctx.custodian, "one purpose", damaged)
    with pytest.raises(Damaged):
        installation_seal.unseal(ctx.custodian, "another purpose", sealed)


def test_what_cannot_be_kept_is_refused(ctx: Context, operator: Viewer, clerk: Viewer) -> None:
    save_view(ctx, clerk, "records", "甲", {}, {}, is_shared=False)
    with pytest.raises(ViewNameTaken):
        save_view(ctx, clerk, "records", "甲", {}, {}, is_shared=True)
    save_view(ctx, clerk, "batches", "甲", {}, {}, is_shared=False)
    for name in ("", "  ", "长" * 61):
        with pytest.raises(InvalidInput):
            save_view(ctx, clerk, "records", name, {}, {}, is_shared=False)
    with pytest.raises(InvalidInput):
        save_view(ctx, clerk, "records", "太长", {"unit": "x" * 5000}, {}, is_shared=False)
    with pytest.raises(NotAllowed):
        save_view(ctx, operator, "records", "主机", {}, {}, is_shared=False)
    for number in range(lists.VIEWS_MAX - 2):
        save_view(ctx, clerk, "jobs", f"{number}", {}, {}, is_shared=False)
    with pytest.raises(TooManyViews):
        save_view(ctx, clerk, "jobs", "再一个", {}, {}, is_shared=False)


def test_taking_a_list_out_needs_its_right_and_leaves_the_count(
    ctx: Context, make_person: Callable[..., Viewer]
) -> None:
    archivist, clerk = make_person("ding", Role.ARCHIVIST), make_person("wu", Role.CLERK)
    with pytest.raises(NotAllowed, match=Right.ACCESS_LIST_EXPORT.value):
        witness_export(ctx, clerk, "records", 3, is_selection=False)
    witness_export(ctx, archivist, "records", 3, is_selection=True)
    with ctx.database.read() as connection:
        (entry,) = find_entries(connection, EntryFilters(event="access:list:export")).lines
        body = proven_entry(connection, entry.id, ctx.custodian.public_key())
    assert entry.actor_id == archivist.id
    assert body is not None
    assert '"details":{"count":3,"is_selection":true,"list":"records"}' in body.body.decode()
