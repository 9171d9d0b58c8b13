"""My desk: what waits, what was sent, what went wrong today, what came in."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from starlette.requests import Request
from starlette.responses import Response

from vault.access.model import Viewer
from vault.access.queries import organisation
from vault.access.rights import Right
from vault.catalogue.queries import TO_FILE_MAX, waiting_to_be_filed
from vault.intake import queries
from vault.intake.model import ItemStatus
from vault.surfaces.i18n import Formats
from vault.surfaces.routing import Ctx, CurrentViewer, Routes
from vault.surfaces.web.batches import shown_state
from vault.surfaces.web.desk_waiting import Asker, has_troubles, troubles, waiting
from vault.surfaces.web.pages import go, page, speaker
from vault.surfaces.web.views import labels
from vault.surfaces.web.views.desk import DayCount, DeskView, Figure, SentItem
from vault.surfaces.web.views.parts import Action, HourCount, Link

routes = Routes("", "pages", in_schema=False)
_DAYS = 14


@routes.get("/", Right.SELF_SESSION_USE, response_class=Response)
def desk(request: Request, ctx: Ctx, viewer: CurrentViewer) -> Response:
    """The home of every role: each part only for those who may see what it leads to."""
    if viewer.must_change_password:
        return go("/setup")
    with ctx.database.read() as connection:
        zone = organisation(connection).time_zone
        formats = Formats(speaker(request), ZoneInfo(zone))
        asker = Asker(connection, viewer, formats, ctx.clock.now(), ctx.store.name)
        reads = viewer.may(Right.RECORDS_RECORD_READ)
        view = DeskView(
            waiting=waiting(asker),
            troubles=troubles(asker) if has_troubles(viewer) else None,
            sent=_sent(asker) if viewer.may(Right.INTAKE_BATCH_CREATE) else None,
            figures=_figures(asker),
            hours=_hours(asker) if reads else None,
            days=_days(asker, zone) if reads else (),
            actions=_actions(viewer),
        )
    return page(request, "desk.html", view, current="desk")


def _sent(asker: Asker) -> tuple[SentItem, ...]:
    return tuple(
        SentItem(
            Link(batch.name, f"/batches/{batch.id}"),
            shown_state(batch),
            batch.balance.accepted,
            batch.balance.refused,
            batch.balance.sheets_announced,
            batch.opened_at,
        )
        for batch in queries.batches_of(asker.connection, asker.viewer.id)
    )


def _figures(asker: Asker) -> tuple[Figure, ...]:
    connection, viewer = asker.connection, asker.viewer
    made = []
    if viewer.may(Right.RECORDS_RECORD_READ):
        accepted = queries.count_items(connection, viewer.units, ItemStatus.ACCEPTED, asker.midnight)
        made.append(Figure(labels.RECEIVED_TODAY, accepted, "/records"))
        to_file = waiting_to_be_filed(connection, viewer.units)
        count = to_file.count if to_file else 0
        made.append(
            Figure(
                labels.TO_BE_FILED, min(count, TO_FILE_MAX), "/records?state=received", is_more=count > TO_FILE_MAX
            )
        )
    if viewer.may(Right.INTAKE_QUARANTINE_READ):
        refused = queries.count_items(connection, viewer.units, ItemStatus.REFUSED, asker.midnight)
        made.append(Figure(labels.REFUSED_TODAY, refused, "/quarantine", "warn" if refused else "neutral"))
    if viewer.may(Right.JOBS_JOB_READ):
        made.append(Figure(labels.BEING_WORKED_ON, queries.renditions_waiting(connection)[0], "/jobs"))
    return tuple(made)


def _hours(asker: Asker) -> tuple[HourCount, ...]:
    counts = [0] * 24
    by_hour = queries.came_in_by_hour(asker.connection, asker.viewer.units, asker.midnight.astimezone(UTC))
    for at, count in by_hour.items():
        counts[asker.formats.local(at).hour] += count
    return tuple(HourCount(hour, count) for hour, count in enumerate(counts))


def _days(asker: Asker, time_zone: str) -> tuple[DayCount, ...]:
    today: date = asker.midnight.date()
    first: datetime = asker.midnight - timedelta(days=_DAYS - 1)
    by_day = queries.came_in_by_day(asker.connection, asker.viewer.units, first, time_zone)
    days = (today - timedelta(days=back) for back in range(_DAYS - 1, -1, -1))
    return tuple(DayCount(day, by_day.get(day, 0)) for day in days)


def _actions(viewer: Viewer) -> tuple[Action, ...]:
    if viewer.may(Right.INTAKE_ITEM_SEND):
        return (Action(labels.SEND_SCANS, "/intake", tone="primary", icon="intake"),)
    return ()
