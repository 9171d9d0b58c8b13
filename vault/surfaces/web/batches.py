"""The list of batches."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response

from vault.access.model import Viewer
from vault.access.queries import actor_names
from vault.access.rights import Right
from vault.foundation.context import Context
from vault.foundation.errors import N_
from vault.intake.batches import BatchFilters, close_batches, plan_closing, recent_senders
from vault.intake.model import Batch, BatchState
from vault.surfaces.lists.intake import BATCHES
from vault.surfaces.lists.listing import Speech, day_begins, day_ends
from vault.surfaces.routing import Ctx, CurrentViewer, Routes
from vault.surfaces.web.listing import Act, WebList, day_of, open_list, state_options, unit_options, uuid_of
from vault.surfaces.web.pages import actor_name, page
from vault.surfaces.web.views import labels
from vault.surfaces.web.views.intake import Balance, BatchFilter, BatchListView, BatchRow
from vault.surfaces.web.views.lists import Empty
from vault.surfaces.web.views.parts import Action, ActorName, Choices, Option

routes = Routes("", "pages", in_schema=False)


def _parse(told: Mapping[str, str], _connection: Connection, zone: ZoneInfo) -> BatchFilters:
    return BatchFilters(
        name=told["q"] or None,
        state=BatchState(told["state"]) if told["state"] in set(BatchState) else None,
        is_even={"even": True, "uneven": False}.get(told["balance"]),
        unit_id=uuid_of(told["unit"]),
        opened_by=uuid_of(told["sender"]),
        opened_from=day_begins(day_of(told["from_date"]), zone),
        opened_before=day_ends(day_of(told["to_date"]), zone),
    )


CLOSE: Act[BatchFilters] = Act(
    name="close",
    right=Right.INTAKE_BATCH_CREATE,
    label=N_("Close the batches"),
    title=N_("Close batches"),
    confirm=N_("Close them"),
    consequence=N_("A closed batch cannot be opened again. What was received stays as it is."),
    done=N_("Batches closed"),
    plan=plan_closing,
    do=lambda ctx, viewer, ids, _told: close_batches(ctx, viewer, ids),
    fits=lambda filters: filters.state in {None, BatchState.OPEN},
)

LIST: WebList[BatchFilters, Batch] = WebList(
    listing=BATCHES,
    title=N_("Batches"),
    open=("state", "balance", "unit", "sender", "from_date", "to_date"),
    personal=("q",),
    parse=_parse,
    anything=BatchFilters(),
    acts=(CLOSE,),
    numbers_stand=True,
)


@routes.get("/batches", Right.INTAKE_BATCH_CREATE, response_class=Response)
def batches_page(request: Request, ctx: Ctx, viewer: CurrentViewer) -> Response:
    """The list of batches."""
    with open_list(request, ctx, viewer, LIST) as asked:
        actions = (Action(labels.SEND_SCANS, "/intake", tone="primary", icon="intake"),)
        view = BatchListView(
            list=asked.frame(_empty(actions, is_narrowed=asked.is_narrowed)),
            filter=BatchFilter(**asked.told.values),
            choices=_choices(ctx, viewer, asked.connection, asked.speech),
            rows=batch_rows(request, asked.connection, asked.page.lines),
            actions=actions,
        )
    return page(request, "batches.html", view, current="batches")


def _empty(actions: tuple[Action, ...], *, is_narrowed: bool) -> Empty:
    if is_narrowed:
        return Empty(N_("No batch fits these filters."), N_("Part of the name is enough."))
    return Empty(
        N_("There are no batches yet."),
        N_("A batch is opened when scans are sent, by a station or on the intake page."),
        actions,
    )


def _choices(_ctx: Context, viewer: Viewer, connection: Connection, speech: Speech) -> Choices:
    senders = recent_senders(connection, viewer.units)
    return Choices(
        {
            "state": state_options(speech, "batch", tuple(BatchState)),
            "balance": state_options(speech, "balance", ("even", "uneven")),
            "unit": unit_options(speech, viewer),
            "sender": sender_options(speech, senders),
        }
    )


def sender_options(speech: Speech, senders: Iterable[UUID]) -> tuple[Option, ...]:
    """Senders by name, to choose from."""
    told = list(senders)
    names = speech.names(told)
    options = [Option(str(one), speech.actor(one, names)) for one in told]
    return tuple(sorted(options, key=lambda option: option.label))


def batch_rows(request: Request, connection: Connection, found: tuple[Batch, ...]) -> tuple[BatchRow, ...]:
    """Batches as rows, with their senders by name."""
    names = actor_names(connection, [batch.opened_by for batch in found])
    return tuple(
        BatchRow(
            id=str(batch.id),
            name=batch.name,
            href=f"/batches/{batch.id}",
            state=shown_state(batch),
            sender=sender_name(request, batch.opened_by, names),
            opened_at=batch.opened_at,
            balance=balance_of(batch),
        )
        for batch in found
    )


def sender_name(request: Request, sender_id: UUID, names: dict[UUID, str]) -> ActorName:
    """Who sent it: a person or station by name, else the operator of the host."""
    return actor_name(request, "person" if sender_id in names else "operator", sender_id, names)


def shown_state(batch: Batch) -> str:
    """The one word for where a batch is: of an open one, whether something is still to come."""
    is_complete = batch.balance.is_balanced and batch.balance.sheets_announced is not None
    return "complete" if batch.state is BatchState.OPEN and is_complete else batch.state.value


def balance_of(batch: Batch) -> Balance:
    """The balance as the page shows it."""
    of = batch.balance
    return Balance(of.sheets_announced, of.received, of.accepted, of.refused, of.duplicate)
