"""The quarantine: what was refused and why, as a worklist."""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response

from vault.access.model import Viewer
from vault.access.rights import Right
from vault.foundation.bulk import Outcome
from vault.foundation.context import Context
from vault.foundation.errors import N_, InvalidInput
from vault.intake import quarantine
from vault.intake.model import Handling, Item, QuarantineState
from vault.intake.quarantine import QuarantineFilters
from vault.intake.queries import batch_names
from vault.surfaces.api.intake import finding_body
from vault.surfaces.lists.intake import QUARANTINE
from vault.surfaces.lists.listing import Speech, day_begins, day_ends
from vault.surfaces.routing import Ctx, CurrentViewer, Routes
from vault.surfaces.web.batches import sender_name, sender_options
from vault.surfaces.web.listing import Act, WebList, day_of, open_list, state_options, unit_options, uuid_of
from vault.surfaces.web.pages import language_for, page
from vault.surfaces.web.reasons import reason
from vault.surfaces.web.views import labels
from vault.surfaces.web.views.intake import Handled, QuarantineFilter, QuarantineListView, QuarantineRow
from vault.surfaces.web.views.lists import ActField, Empty
from vault.surfaces.web.views.parts import Action, Choices, Link, Option

routes = Routes("", "pages", in_schema=False)


def _parse(told: Mapping[str, str], _connection: Connection, zone: ZoneInfo) -> QuarantineFilters:
    return QuarantineFilters(
        text=told["q"] or None,
        state={"": QuarantineState.WAITING, "handled": QuarantineState.HANDLED}.get(told["state"]),
        reason=told["reason"] or None,
        unit_id=uuid_of(told["unit"]),
        sender_id=uuid_of(told["sender"]),
        batch_id=uuid_of(told["batch"]),
        received_from=day_begins(day_of(told["from_date"]), zone),
        received_before=day_ends(day_of(told["to_date"]), zone),
    )


def _handle(ctx: Context, viewer: Viewer, ids: tuple[UUID, ...], told: Mapping[str, str]) -> Outcome:
    if told.get("handling") not in set(Handling):
        raise InvalidInput(field="handling", problem=N_("choose what was done"))
    return quarantine.handle(ctx, viewer, ids, Handling(told["handling"]), told.get("note", ""))


def _fields(speech: Speech) -> tuple[ActField, ...]:
    return (
        ActField("handling", N_("What was done"), state_options(speech, "handling", tuple(Handling))),
        ActField(
            "note",
            N_("Note"),
            hint=N_("Needed for “something else”. It stays on this list and does not go into the ledger."),
            is_optional=True,
        ),
    )


HANDLE: Act[QuarantineFilters] = Act(
    name="handle",
    right=Right.INTAKE_QUARANTINE_HANDLE,
    label=N_("Seen to …"),
    title=N_("Take refused items off the list of what waits"),
    confirm=N_("Take them off the list"),
    consequence=N_("This can be undone. The items stay in the list of what was seen to, and in the ledger."),
    done=N_("Items taken off the list"),
    plan=lambda c, viewer, filters, picked: quarantine.plan(c, viewer, filters, picked, QuarantineState.HANDLED),
    do=_handle,
    fits=lambda filters: filters.state is not QuarantineState.HANDLED,
    fields=_fields,
    undo="reopen",
)
REOPEN: Act[QuarantineFilters] = Act(
    name="reopen",
    right=Right.INTAKE_QUARANTINE_HANDLE,
    label=N_("Back on the list …"),
    title=N_("Put items back on the list of what waits"),
    confirm=N_("Put them back"),
    consequence=N_("What was noted about them before stays in the ledger."),
    done=N_("Items put back on the list"),
    plan=lambda c, viewer, filters, picked: quarantine.plan(c, viewer, filters, picked, QuarantineState.WAITING),
    do=lambda ctx, viewer, ids, _told: quarantine.reopen(ctx, viewer, ids),
    fits=lambda filters: filters.state is not QuarantineState.WAITING,
)

LIST: WebList[QuarantineFilters, Item] = WebList(
    listing=QUARANTINE,
    title=N_("Quarantine"),
    open=("state", "reason", "unit", "sender", "batch", "from_date", "to_date"),
    personal=("q",),
    parse=_parse,
    anything=QuarantineFilters(),
    acts=(HANDLE, REOPEN),
)


@routes.get("/quarantine", Right.INTAKE_QUARANTINE_READ, response_class=Response)
def quarantine_page(request: Request, ctx: Ctx, viewer: CurrentViewer) -> Response:
    """Refused items with their reasons; those that wait, unless others are asked for."""
    with open_list(request, ctx, viewer, LIST) as asked:
        lines = asked.page.lines
        names = asked.speech.names(one for item in lines for one in (item.sender_id, item.handled_by))
        batches = batch_names(asked.connection, [item.batch_id for item in lines])
        may_handle = viewer.may(Right.INTAKE_QUARANTINE_HANDLE)
        view = QuarantineListView(
            list=asked.frame(_empty(viewer, is_narrowed=asked.is_narrowed)),
            filter=QuarantineFilter(**asked.told.values),
            choices=_choices(viewer, asked.connection, asked.speech, asked.filters.batch_id),
            rows=tuple(_row(request, item, names, batches, may_handle=may_handle) for item in lines),
            waiting_count=quarantine.count(
                asked.connection, QuarantineFilters(state=QuarantineState.WAITING), units=viewer.units
            ),
        )
    return page(request, "quarantine.html", view, current="quarantine")


def _empty(viewer: Viewer, *, is_narrowed: bool) -> Empty:
    if is_narrowed:
        return Empty(N_("Nothing in quarantine fits these filters."))
    actions: tuple[Action, ...] = ()
    if viewer.may(Right.INTAKE_ITEM_SEND):
        actions = (Action(labels.SEND_SCANS, "/intake"),)
    return Empty(
        N_("Nothing is in quarantine."),
        N_("Files that cannot be read to the last page or carry scripts would stand here, with reason and advice."),
        actions,
    )


def _choices(viewer: Viewer, connection: Connection, speech: Speech, batch_id: UUID | None) -> Choices:
    batches = batch_names(connection, [batch_id])
    reasons = [Option(code, speech.say(reason(code))) for code in quarantine.recent_reasons(connection, viewer.units)]
    return Choices(
        {
            "batch": tuple(Option(str(key), name) for key, name in batches.items()),
            "reason": tuple(sorted(reasons, key=lambda option: option.label)),
            "unit": unit_options(speech, viewer),
            "sender": sender_options(speech, quarantine.recent_senders(connection, viewer.units)),
        }
    )


def _row(
    request: Request, item: Item, names: dict[UUID, str], batches: dict[UUID, str], *, may_handle: bool
) -> QuarantineRow:
    said = [finding_body(finding, language_for(request)) for finding in item.findings]
    refusing = [finding for finding in said if finding["severity"] == "refuse"]
    return QuarantineRow(
        id=str(item.id),
        file_name=item.file_name or str(item.id),
        state=item.quarantine_state.value,
        reasons=tuple(str(finding["message"]) for finding in refusing),
        advice=str(refusing[0]["hint"]) if refusing else "",
        size_bytes=item.size_bytes,
        media_type=item.media_type or "",
        sha256_hex=item.sha256.hex(),
        sender=sender_name(request, item.sender_id, names),
        refused_at=item.received_at,
        batch=Link(batches[item.batch_id], f"/batches/{item.batch_id}") if item.batch_id in batches else None,
        handled=_handled(request, item, names),
        act=(REOPEN if item.handled_at else HANDLE).name if may_handle else "",
    )


def _handled(request: Request, item: Item, names: dict[UUID, str]) -> Handled | None:
    if item.handled_at is None or item.handled_by is None or item.handling is None:
        return None
    who = sender_name(request, item.handled_by, names)
    return Handled(item.handling.value, item.handling_note or "", who, item.handled_at)
