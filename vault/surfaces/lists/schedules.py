"""The list of versions of the schedule."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from uuid import UUID

from sqlalchemy import Connection

from vault.access.approvals import Proposal, proposals_of
from vault.access.model import Viewer
from vault.access.rights import Right
from vault.foundation.context import Context
from vault.foundation.db.keyset import Picked
from vault.foundation.errors import N_
from vault.retention.model import ScheduleVersion
from vault.retention.queries import VersionFilters, count_versions, find_versions
from vault.surfaces.lists.listing import Listing, Question, Speech


def state_of(version: ScheduleVersion) -> str:
    """Where a version is, as pages call it: an approved one is coming, in effect or superseded."""
    return version.standing.value if version.standing else version.state.value


def approved_by(proposals: Mapping[UUID, Proposal], version: ScheduleVersion) -> tuple[UUID, ...]:
    """Who approved a version so far."""
    proposal = proposals.get(version.proposal_id) if version.proposal_id else None
    return tuple(said.person_id for said in proposal.approvals if said.is_approved) if proposal else ()


def _ask(
    ctx: Context, connection: Connection, _viewer: Viewer, filters: VersionFilters, picked: Picked
) -> Question[ScheduleVersion]:
    return Question(
        lambda span: find_versions(connection, filters, ctx.clock.now(), span, picked),
        lambda at_most: count_versions(connection, filters, picked, at_most),
    )


def _rows(speech: Speech, lines: Sequence[ScheduleVersion]) -> Iterable[Sequence[object]]:
    proposals = proposals_of(speech.connection, [version.proposal_id for version in lines if version.proposal_id])
    approvers = {version.id: approved_by(proposals, version) for version in lines}
    names = speech.names([*(v.created_by for v in lines), *(one for held in approvers.values() for one in held)])
    for version in lines:
        yield (
            version.number,
            speech.state("version", state_of(version)),
            version.effective_date if version.number > 1 else None,
            version.note,
            speech.actor(version.created_by, names),
            version.created_at,
            speech.say(", ").join(names.get(one, "") for one in approvers[version.id]),
            version.approved_at,
            len(version.content.classes),
            version.digest.hex(),
            version.id,
        )


SCHEDULES: Listing[VersionFilters, ScheduleVersion] = Listing(
    name="schedules",
    right=Right.RETENTION_SCHEDULE_READ,
    ask=_ask,
    headings=(
        N_("Version"),
        N_("State"),
        N_("In effect from"),
        N_("What changes and why"),
        N_("Drafted by"),
        N_("Drafted"),
        N_("Approved by"),
        N_("Approved"),
        N_("Retention classes"),
        N_("Digest"),
        N_("Id"),
    ),
    rows=_rows,
)
