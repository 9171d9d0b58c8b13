"""One batch: its balance, its items, its story."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response

from vault.access.model import Viewer
from vault.access.queries import actor_kind, actor_names, all_units
from vault.access.rights import Right
from vault.catalogue.queries import numbers_of
from vault.foundation.db.keyset import Page, Span
from vault.foundation.errors import N_
from vault.intake import queries
from vault.intake.batches import close_batch
from vault.intake.model import Batch, BatchState, Item, ItemStatus
from vault.retention.filing import file_batch
from vault.retention.queries import classes_in_effect, to_file_in_batch
from vault.surfaces.api.intake import finding_body
from vault.surfaces.i18n import Language, Translator
from vault.surfaces.routing import Ctx, CurrentViewer, Routes
from vault.surfaces.web.batches import balance_of, shown_state
from vault.surfaces.web.pages import go, language_for, page, paging, speaker
from vault.surfaces.web.story import actor_of, story
from vault.surfaces.web.views import labels
from vault.surfaces.web.views.batch import BatchItem, BatchView, StateTab
from vault.surfaces.web.views.intake import Balance
from vault.surfaces.web.views.parts import Action, Link

routes = Routes("", "pages", in_schema=False)
_SIZE = 50
_SHEET_MAX = 5_000


@routes.get("/batches/{batch_id}", Right.INTAKE_BATCH_CREATE, response_class=Response)
def batch_page(
    request: Request,
    ctx: Ctx,
    viewer: CurrentViewer,
    batch_id: UUID,
    state: str = "",
    after: UUID | None = None,
    sheet: str = "",
    before: UUID | None = None,
) -> Response:
    """One batch with its balance and items; `state` narrows the items, `sheet` shows all, for paper."""
    wanted = ItemStatus(state) if state in set(ItemStatus) else None
    size = _SHEET_MAX if sheet else _SIZE
    with ctx.database.read() as connection:
        batch = queries.get_batch(connection, viewer, batch_id)
        span = Span(after, before, size)
        shown = queries.items_of_batch(connection, batch_id, span, units=viewer.units, status=wanted)
        view = _view(request, connection, viewer, batch, shown, wanted)
    return page(request, "batch.html", view, current="batches")


@routes.get("/batches/{batch_id}/progress", Right.INTAKE_BATCH_CREATE)
def progress(request: Request, ctx: Ctx, viewer: CurrentViewer, batch_id: UUID) -> dict[str, Any]:
    """The balance as it is now, for the page of the batch and for whoever is sending into it."""
    with ctx.database.read() as connection:
        batch = queries.get_batch(connection, viewer, batch_id)
    balance = balance_of(batch)
    counts = (balance.announced, balance.received, balance.accepted, balance.duplicates, balance.refused)
    return {
        "state": batch.state.value,
        "done": balance.received,
        "total": balance.announced,
        "text": balance_in_words(speaker(request), balance, batch.state),
        "version": "/".join(str(count) for count in counts),
        "balance": dict(zip(("announced", "received", "accepted", "duplicates", "refused"), counts, strict=True)),
        "is_ended": batch.state is not BatchState.OPEN,
    }


@routes.post("/batches/{batch_id}/close", Right.INTAKE_BATCH_CREATE, response_class=Response)
def close(ctx: Ctx, viewer: CurrentViewer, batch_id: UUID) -> Response:
    """Closes a batch."""
    close_batch(ctx, viewer, batch_id)
    return go(f"/batches/{batch_id}")


@routes.post("/batches/{batch_id}/file", Right.RETENTION_RECORD_FILE, response_class=Response)
def file_all(ctx: Ctx, viewer: CurrentViewer, batch_id: UUID) -> Response:
    """Files every record of the batch that is to be filed; their locks are set in the background."""
    file_batch(ctx, viewer, batch_id)
    return go(f"/batches/{batch_id}")


def balance_in_words(say: Translator, balance: Balance, state: BatchState) -> str:
    """Whether the batch balances, and what is missing. A batch is called balanced once it is closed."""
    if balance.is_even and balance.announced is None:
        return ""
    if balance.is_even:
        return say.gettext(N_("All announced sheets are here.") if state is BatchState.OPEN else N_("Balanced"))
    if balance.missing > 0:
        text = say.ngettext("%(num)s sheet is still missing.", "%(num)s sheets are still missing.", balance.missing)
        return text % {"num": balance.missing}
    if balance.missing < 0:
        extra = -balance.missing
        text = say.ngettext("%(num)s sheet more than announced.", "%(num)s sheets more than announced.", extra)
        return text % {"num": extra}
    return say.gettext(N_("Being stored"))


def _view(
    request: Request,
    connection: Connection,
    viewer: Viewer,
    batch: Batch,
    page_shown: Page[Item],
    wanted: ItemStatus | None,
) -> BatchView:
    english = language_for(request) is Language.EN
    shown = page_shown.lines
    names = actor_names(connection, [batch.opened_by])
    kind = actor_kind(connection, batch.opened_by)
    numbers = numbers_of(connection, viewer, [item.record_id for item in shown if item.record_id])
    now = request.app.state.context.clock.now()
    class_names = {k.code: k.name_en if english else k.name_zh for k in classes_in_effect(connection, now)}
    units = {unit.id: unit.name_en if english else unit.name_zh for unit in all_units(connection)}
    href, state = f"/batches/{batch.id}", wanted.value if wanted else ""
    tabs = _tabs(href, batch, state)
    to_file = to_file_in_batch(connection, viewer, batch.id)
    return BatchView(
        id=str(batch.id),
        name=batch.name,
        state=shown_state(batch),
        classes=tuple(
            Link(class_names.get(code, code), f"/records?class_code={code}")
            for code in sorted({item.class_code for item in shown})
        ),
        unit=units.get(batch.unit_id, ""),
        sender=actor_of(speaker(request), viewer, kind, batch.opened_by, names),
        opened_at=batch.opened_at,
        closed_at=batch.closed_at,
        balance=balance_of(batch),
        tabs=tabs,
        items=tuple(_item(item, language_for(request), numbers) for item in shown),
        paging=paging(href, {"state": state}, page_shown, next(tab.count for tab in tabs if tab.is_current)),
        timeline=story(request, connection, viewer, batch.id, context=True),
        actions=_actions(viewer, batch, to_file),
        file_count=to_file if request.query_params.get("act") == "file" else 0,
        progress_href=f"{href}/progress" if batch.state is BatchState.OPEN else None,
        all_href=f"{href}?sheet=1" if page_shown.after and len(shown) <= _SIZE else None,
    )


def _tabs(href: str, batch: Batch, state: str) -> tuple[StateTab, ...]:
    of = batch.balance
    counts = {
        "": of.received,
        "refused": of.refused,
        "accepted": of.accepted,
        "duplicate": of.duplicate,
        "intent": of.unsettled,
    }
    return tuple(
        StateTab(name, count, f"{href}?state={name}" if name else href, name == state)
        for name, count in counts.items()
        if count or not name or name == state
    )


def _item(item: Item, language: Language, numbers: dict[UUID, tuple[str, int]]) -> BatchItem:
    said = [finding_body(finding, language) for finding in item.findings]
    number, pages = numbers.get(item.record_id, ("", 0)) if item.record_id else ("", 0)

    def told(severity: str) -> tuple[tuple[str, str], ...]:
        return tuple((str(f["message"]), str(f["hint"])) for f in said if f["severity"] == severity)

    return BatchItem(
        id=str(item.id),
        file_name=item.file_name or str(item.id),
        state=item.status.value,
        size_bytes=item.size_bytes,
        received_at=item.received_at,
        page_count=pages or None,
        record=Link(number, f"/records/{item.record_id}?batch={item.batch_id}") if number else None,
        reasons=told("refuse"),
        warnings=told("warn"),
    )


def _actions(viewer: Viewer, batch: Batch, to_file: int) -> tuple[Action, ...]:
    """The one next act first: send more into what does not balance, close what does, file what is closed."""
    if batch.state is not BatchState.OPEN:
        if to_file and viewer.may(Right.RETENTION_RECORD_FILE):
            return (Action(labels.FILE_ALL, f"/batches/{batch.id}?act=file", "get", "primary", icon="lock"),)
        return ()
    href = f"/batches/{batch.id}/close"
    if batch.balance.is_balanced and batch.balance.received:
        more = Action(labels.SEND_MORE, f"/intake?batch={batch.id}", icon="intake")
        return (Action(labels.CLOSE_BATCH, href, "post", "primary", icon="check"), more)
    more = Action(labels.SEND_MORE, f"/intake?batch={batch.id}", "get", "primary", icon="intake")
    return (more, Action(labels.CLOSE_UNBALANCED, href, "post"))
