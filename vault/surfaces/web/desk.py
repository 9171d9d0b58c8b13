"""My desk: what waits, what went wrong today, what came in."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response

from vault.access.model import Viewer
from vault.access.queries import organisation
from vault.access.rights import Right
from vault.foundation.errors import N_
from vault.intake import queries
from vault.intake.model import BatchState, ItemStatus
from vault.surfaces.i18n import Translator
from vault.surfaces.routing import Ctx, CurrentViewer, Routes
from vault.surfaces.web.pages import go, page, speaker
from vault.surfaces.web.views import labels
from vault.surfaces.web.views.desk import DeskView, Figure, SentItem, Trouble, WaitingItem
from vault.surfaces.web.views.parts import Action, HourCount, Link

routes = Routes("", "pages", in_schema=False)


@routes.get("/", Right.SELF_SESSION_USE, response_class=Response)
def desk(request: Request, ctx: Ctx, viewer: CurrentViewer) -> Response:
    """The home of every role: each part only for those who may see what it leads to."""
    if viewer.must_change_password:
        return go("/setup")
    say = speaker(request)
    with ctx.database.read() as connection:
        zone = ZoneInfo(organisation(connection).time_zone)
        midnight = ctx.clock.now().astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0)
        sends, reads = viewer.may(Right.INTAKE_BATCH_CREATE), viewer.may(Right.RECORDS_RECORD_READ)
        view = DeskView(
            waiting=_waiting(connection, viewer, say) if sends else (),
            troubles=_troubles(connection, viewer, say, midnight) if viewer.may(Right.INTAKE_QUARANTINE_READ) else (),
            sent=_sent(connection, viewer) if sends else (),
            figures=_figures(connection, viewer, midnight),
            hours=_hours(queries.came_in_by_hour(connection, viewer.units, midnight.astimezone(UTC)), zone)
            if reads
            else _hours({}, zone),
            actions=_actions(viewer),
        )
    return page(request, "desk.html", view, current="desk")


def _waiting(connection: Connection, viewer: Viewer, say: Translator) -> tuple[WaitingItem, ...]:
    unbalanced = queries.list_batches(connection, units=viewer.units, state=BatchState.UNBALANCED, size=20)
    what = say.gettext(N_("The batch does not balance."))
    return tuple(
        WaitingItem(Link(batch.name, f"/batches/{batch.id}"), what, batch.opened_at, "soon") for batch in unbalanced
    )


def _troubles(connection: Connection, viewer: Viewer, say: Translator, midnight: datetime) -> tuple[Trouble, ...]:
    refused = queries.list_items(connection, units=viewer.units, status=ItemStatus.REFUSED, size=5)
    what = say.gettext(N_("A file was refused."))
    return tuple(
        Trouble(what, Link(item.file_name or str(item.id), "/quarantine"), item.received_at)
        for item in refused
        if item.received_at >= midnight
    )


def _sent(connection: Connection, viewer: Viewer) -> tuple[SentItem, ...]:
    return tuple(
        SentItem(
            Link(batch.name, f"/batches/{batch.id}"),
            batch.state.value,
            batch.balance.accepted,
            batch.balance.refused,
            batch.balance.sheets_announced,
            batch.opened_at,
        )
        for batch in queries.list_batches(connection, units=viewer.units, size=6)
    )


def _figures(connection: Connection, viewer: Viewer, midnight: datetime) -> tuple[Figure, ...]:
    made = []
    if viewer.may(Right.RECORDS_RECORD_READ):
        accepted = queries.count_items(connection, viewer.units, ItemStatus.ACCEPTED, midnight)
        made.append(Figure(labels.RECEIVED_TODAY, accepted, "/records"))
    if viewer.may(Right.INTAKE_QUARANTINE_READ):
        refused = queries.count_items(connection, viewer.units, ItemStatus.REFUSED, midnight)
        made.append(Figure(labels.IN_QUARANTINE, refused, "/quarantine", "warn" if refused else "neutral"))
    if viewer.may(Right.INTAKE_BATCH_CREATE):
        wrong = len(queries.list_batches(connection, units=viewer.units, state=BatchState.UNBALANCED, size=200))
        made.append(Figure(labels.NOT_BALANCED, wrong, "/batches?state=unbalanced", "warn" if wrong else "neutral"))
    if viewer.may(Right.JOBS_JOB_READ):
        made.append(Figure(labels.BEING_WORKED_ON, queries.renditions_waiting(connection)[0], "/jobs"))
    return tuple(made)


def _hours(by_hour: dict[datetime, int], zone: ZoneInfo) -> tuple[HourCount, ...]:
    counts = [0] * 24
    for at, count in by_hour.items():
        counts[at.astimezone(zone).hour] += count
    return tuple(HourCount(hour, count) for hour, count in enumerate(counts))


def _actions(viewer: Viewer) -> tuple[Action, ...]:
    return (Action(labels.SEND_SCANS, "/intake", tone="primary"),) if viewer.may(Right.INTAKE_ITEM_SEND) else ()
