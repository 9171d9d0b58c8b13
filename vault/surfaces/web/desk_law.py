"""What waits for somebody about the law: versions, rules and releases to approve, and one's own drafts and proposals."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, time
from typing import TYPE_CHECKING
from uuid import UUID

from vault.access.approvals import Proposal, ProposalState, list_proposals
from vault.catalogue.queries import get_record
from vault.foundation.errors import N_
from vault.holds.queries import refused_by_stores, releases_proposed, reviews_due
from vault.retention.confirmations import list_confirmations
from vault.retention.model import Act, ScheduleVersion, VersionState
from vault.retention.queries import list_reclassifications, list_versions
from vault.surfaces.web.views.desk import WaitingItem
from vault.surfaces.web.views.parts import Link

if TYPE_CHECKING:
    from vault.surfaces.web.desk_waiting import Asker

_LOOKED_AT_MAX = 50


def to_approve(asker: Asker) -> Iterator[WaitingItem]:
    """Versions of the schedule that others proposed; each must be settled before its day."""
    open_ones = {one.id: one for one in _open(asker, Act.CHANGE_SCHEDULE) if _may_say(asker, one)}
    for version in list_versions(asker.connection, asker.now, state=VersionState.PROPOSED, size=_LOOKED_AT_MAX):
        proposal = open_ones.get(version.proposal_id) if version.proposal_id else None
        if proposal is not None:
            what = asker.say(N_("Waits for your approval: {note}")).format(note=version.note)
            due = _begins(asker, version)
            yield WaitingItem(_link(asker, version), what, proposal.proposed_at, asker.urgency(due), due)


def to_confirm(asker: Asker) -> Iterator[WaitingItem]:
    """Rules whose source somebody else has named."""
    open_ones = {one.id for one in _open(asker, Act.CONFIRM_RULE) if _may_say(asker, one)}
    what = asker.say(N_("A source of this rule is proposed: read it and confirm."))
    for told in list_confirmations(asker.connection, size=_LOOKED_AT_MAX) if open_ones else ():
        if told.proposal_id in open_ones:
            yield WaitingItem(Link(told.rule_code, f"/rules/{told.rule_code}"), what, told.proposed_at)


def to_reclassify(asker: Asker) -> Iterator[WaitingItem]:
    """Filed records for which somebody else proposes another class."""
    open_ones = {one.id for one in _open(asker, Act.RECLASSIFY) if _may_say(asker, one)}
    if not open_ones:
        return
    what = asker.say(N_("Another class is proposed for this record: {before} to {after}."))
    for told in list_reclassifications(asker.connection, asker.viewer, size=_LOOKED_AT_MAX):
        if told.proposal_id in open_ones:
            number = get_record(asker.connection, asker.viewer, told.record_id).archival_number
            text = what.format(before=told.from_class, after=told.to_class)
            yield WaitingItem(Link(number, f"/records/{told.record_id}/class"), text, told.proposed_at)


def to_release(asker: Asker) -> Iterator[WaitingItem]:
    """Holds whose release others proposed."""
    for hold in releases_proposed(asker.connection, asker.viewer):
        text = asker.formats.translator.ngettext(
            "Its release is proposed: %(num)s record.", "Its release is proposed: %(num)s records.", hold.records
        )
        what = text % {"num": asker.formats.number(hold.records)}
        assert hold.release is not None, "it is proposed"
        yield WaitingItem(_hold_link(asker, hold.id, hold.name), what, hold.release.proposed_at)


def to_review(asker: Asker) -> Iterator[WaitingItem]:
    """Holds that somebody wanted to look at again by today."""
    what = asker.say(N_("To be looked at again: is it still needed? It stays in force until it is released."))
    for hold in reviews_due(asker.connection, asker.viewer, asker.midnight.date()):
        due = datetime.combine(hold.review_date, time(), asker.formats.zone)
        yield WaitingItem(_hold_link(asker, hold.hold_id, hold.name), what, hold.placed_at, asker.urgency(due), due)


def refused_holds(asker: Asker) -> Iterator[WaitingItem]:
    """Holds that a store refuses to follow."""
    for hold in refused_by_stores(asker.connection, asker.viewer)[:_LOOKED_AT_MAX]:
        text = asker.formats.translator.ngettext(
            "A store refuses to follow it for %(num)s record; it is asked again.",
            "A store refuses to follow it for %(num)s records; it is asked again.",
            hold.records,
        )
        what = text % {"num": asker.formats.number(hold.records)}
        name = asker.say(N_("Hold {name}")).format(name=hold.name)
        yield WaitingItem(Link(name, f"/holds/{hold.hold_id}?waiting=1"), what, None, "overdue")


def own_versions(asker: Asker) -> Iterator[WaitingItem]:
    """One's own drafts that nobody has proposed yet, and one's own proposals that wait for others."""
    own = {one.id for one in _open(asker, Act.CHANGE_SCHEDULE) if one.proposed_by == asker.viewer.id}
    for version in list_versions(asker.connection, asker.now, size=_LOOKED_AT_MAX):
        if version.state is VersionState.DRAFT and version.created_by == asker.viewer.id:
            what = asker.say(N_("Your draft: {note}")).format(note=version.note)
            yield WaitingItem(_link(asker, version), what, version.changed_at)
        elif version.proposal_id in own:
            due = _begins(asker, version)
            what = asker.say(N_("You proposed it; others have not decided yet."))
            yield WaitingItem(_link(asker, version), what, version.changed_at, asker.urgency(due), due)


def _open(asker: Asker, act: Act) -> tuple[Proposal, ...]:
    return list_proposals(asker.connection, acts=[act], state=ProposalState.OPEN, size=_LOOKED_AT_MAX)


def _may_say(asker: Asker, proposal: Proposal) -> bool:
    said = {one.person_id for one in proposal.approvals}
    return proposal.proposed_by != asker.viewer.id and asker.viewer.id not in said


def _begins(asker: Asker, version: ScheduleVersion) -> datetime:
    """The instant at which a proposed version would take effect: later nobody can approve it."""
    assert version.effective_date is not None, "a proposal has a day"
    return datetime.combine(version.effective_date, time(), asker.formats.zone)


def _hold_link(asker: Asker, hold_id: UUID, name: str) -> Link:
    return Link(asker.say(N_("Hold {name}")).format(name=name), f"/holds/{hold_id}")


def _link(asker: Asker, version: ScheduleVersion) -> Link:
    text = asker.say(N_("Version {number} of the schedule")).format(number=version.number)
    return Link(text, f"/schedules/{version.number}")
