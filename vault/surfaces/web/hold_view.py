"""From what was looked up about a hold to the view-model of its page."""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

from starlette.requests import Request

from vault.access.model import Viewer
from vault.access.queries import actor_names
from vault.access.rights import Right
from vault.foundation.context import Context
from vault.foundation.db.keyset import Span
from vault.holds import releasing
from vault.holds.model import HeldRecord, Hold, HoldState
from vault.holds.queries import count_held, find_held, get_matter, refused_by_stores, see_hold
from vault.surfaces.lists.listing import zone_of
from vault.surfaces.web.pages import paging, speaker
from vault.surfaces.web.schedule_view import proposal_box
from vault.surfaces.web.story import actor_of, story
from vault.surfaces.web.views import holds as views
from vault.surfaces.web.views.parts import Form, Link


def hold_view(
    request: Request,
    ctx: Context,
    viewer: Viewer,
    hold_id: UUID,
    span: Span,
    forms: Mapping[str, Form],
    *,
    is_waiting_only: bool = False,
) -> views.HoldView:
    """The view-model of one hold. Raises NotFoundOrNotYours."""
    say = speaker(request)
    with ctx.database.read() as connection:
        hold = see_hold(connection, viewer, hold_id)
        matter = get_matter(connection, viewer, hold.matter_id)
        found = find_held(connection, viewer, hold_id, span, is_waiting=is_waiting_only)
        count = count_held(connection, viewer, hold_id)
        waiting = count_held(connection, viewer, hold_id, is_waiting=True)
        is_outdated = releasing.is_outdated(connection, hold)
        refused = refused_by_stores(connection, viewer, hold_id)
        told = story(request, connection, viewer, hold_id)
        names = actor_names(connection, [hold.placed_by, *_people(hold)])
        today = ctx.clock.now().astimezone(zone_of(connection)).date()
    is_own = hold.release is not None and hold.release.proposed_by == viewer.id
    may_propose = viewer.may(Right.HOLDS_RELEASE_PROPOSE)
    return views.HoldView(
        href=f"/holds/{hold.id}",
        name=hold.name,
        matter=Link(matter.number, f"/matters/{matter.id}"),
        matter_title=matter.title,
        state=hold.state.value,
        is_in_force=hold.is_in_force,
        reason=hold.reason,
        review_date=hold.review_date,
        is_review_due=hold.is_in_force and hold.review_date is not None and hold.review_date <= today,
        placed_by=actor_of(say, viewer, hold.placed_by_kind, hold.placed_by, names),
        placed_at=hold.placed_at,
        released_at=hold.released_at,
        release_reason=hold.release_reason or "",
        proposal=proposal_box(say, viewer, hold.release, names, Right.HOLDS_RELEASE_APPROVE)
        if hold.release
        else None,
        release_id=str(hold.release.id) if hold.release else "",
        is_release_outdated=is_outdated,
        records_count=hold.records,
        standing_count=hold.standing,
        unseen_count=hold.records - count,
        waiting_count=waiting,
        refused=refused[0].problems if refused else {},
        is_waiting_only=is_waiting_only,
        rows=tuple(_row(line) for line in found.lines),
        paging=paging(
            f"/holds/{hold.id}",
            {"waiting": "1"} if is_waiting_only else {},
            found,
            waiting if is_waiting_only else count,
        ),
        timeline=told,
        may_add=hold.is_in_force and viewer.may(Right.HOLDS_HOLD_PLACE),
        may_propose=hold.is_in_force and not hold.is_release_proposed and may_propose,
        may_withdraw=hold.is_release_proposed and is_own and may_propose,
        forms=forms,
        ledger_href=f"/ledger?subject={hold.id}" if viewer.may(Right.LEDGER_ENTRY_READ) else None,
    )


def _people(hold: Hold) -> list[UUID]:
    if hold.release is None:
        return []
    return [hold.release.proposed_by, *(said.person_id for said in hold.release.approvals)]


def _row(line: HeldRecord) -> views.HeldRow:
    if line.released_at is not None:
        state = HoldState.RELEASED
    else:
        state = HoldState.STANDS if line.stands_at else HoldState.BEING_SET
    return views.HeldRow(
        href=f"/records/{line.record_id}",
        archival_number=line.archival_number,
        state=state.value,
        held_at=line.held_at,
        stands_at=line.stands_at,
        problem=line.problem or "",
    )
