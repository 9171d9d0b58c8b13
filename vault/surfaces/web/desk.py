"""My desk: what waits, what went wrong today, what came in."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from starlette.requests import Request
from starlette.responses import Response

from vault.access.model import Viewer
from vault.access.queries import organisation
from vault.access.rights import Right
from vault.foundation.errors import N_
from vault.intake import queries
from vault.intake.model import BatchState, ItemStatus
from vault.surfaces.routing import Ctx, CurrentViewer, Routes
from vault.surfaces.web.pages import go, page, speaker
from vault.surfaces.web.views import labels
from vault.surfaces.web.views.desk import DeskView, Figure, SentItem, Trouble, WaitingItem
from vault.surfaces.web.views.parts import Action, HourCount, Link

routes = Routes("", "pages", in_schema=False)


@routes.get("/", Right.SELF_SESSION_USE, response_class=Response)
def desk(request: Request, ctx: Ctx, viewer: CurrentViewer) -> Response:
    """The home of every role."""
    if viewer.must_change_password:
        return go("/setup")
    with ctx.database.read() as connection:
        zone = ZoneInfo(organisation(connection).time_zone)
        midnight = ctx.clock.now().astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0)
        by_hour = queries.came_in_by_hour(connection, viewer.units, midnight.astimezone(UTC))
        refused = queries.list_items(connection, units=viewer.units, status=ItemStatus.REFUSED, size=5)
        refused_today = queries.count_items(connection, viewer.units, ItemStatus.REFUSED, midnight)
        accepted_today = queries.count_items(connection, viewer.units, ItemStatus.ACCEPTED, midnight)
        batches = queries.list_batches(connection, units=viewer.units, size=6)
        unbalanced = queries.list_batches(connection, units=viewer.units, state=BatchState.UNBALANCED, size=20)
        waiting, _ = queries.renditions_waiting(connection)
    say = speaker(request).gettext
    view = DeskView(
        waiting=tuple(
            WaitingItem(
                Link(batch.name, f"/batches/{batch.id}"),
                say(N_("The batch does not balance.")),
                batch.opened_at,
                "soon",
            )
            for batch in unbalanced
        ),
        troubles=tuple(
            Trouble(
                say(N_("A file was refused.")), Link(item.file_name or str(item.id), "/quarantine"), item.received_at
            )
            for item in refused
            if item.received_at >= midnight
        ),
        sent=tuple(
            SentItem(
                Link(batch.name, f"/batches/{batch.id}"),
                batch.state.value,
                batch.balance.accepted,
                batch.balance.refused,
                batch.balance.sheets_announced,
                batch.opened_at,
            )
            for batch in batches
        ),
        figures=(
            Figure(labels.RECEIVED_TODAY, accepted_today, "/records"),
            Figure(labels.IN_QUARANTINE, refused_today, "/quarantine", "warn" if refused_today else "neutral"),
            Figure(
                labels.NOT_BALANCED, len(unbalanced), "/batches?state=unbalanced", "warn" if unbalanced else "neutral"
            ),
            Figure(labels.BEING_WORKED_ON, waiting, "/jobs"),
        ),
        hours=_hours(by_hour, zone),
        actions=_actions(viewer),
    )
    return page(request, "desk.html", view, current="desk")


def _hours(by_hour: dict[datetime, int], zone: ZoneInfo) -> tuple[HourCount, ...]:
    counts = [0] * 24
    for at, count in by_hour.items():
        counts[at.astimezone(zone).hour] += count
    return tuple(HourCount(hour, count) for hour, count in enumerate(counts))


def _actions(viewer: Viewer) -> tuple[Action, ...]:
    return (Action(labels.SEND_SCANS, "/intake", tone="primary"),) if viewer.may(Right.INTAKE_ITEM_SEND) else ()
