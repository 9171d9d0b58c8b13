"""From a version of the schedule to what its page shows."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import Connection
from starlette.requests import Request

from retention_rules.model import ClassDefinition
from retention_rules.packs import rule_digest
from vault.access.approvals import Proposal, ProposalState, get_proposal
from vault.access.model import Viewer
from vault.access.queries import actor_names
from vault.access.rights import Right
from vault.foundation.errors import N_
from vault.retention import exchange
from vault.retention.book import Lawbook, read_book
from vault.retention.model import ScheduleVersion, VersionState
from vault.retention.queries import get_version, list_versions
from vault.retention.simulations import newest_finished
from vault.surfaces.i18n import Language, Translator
from vault.surfaces.law_words import (
    DISPOSITIONS,
    change_in_words,
    lock_policy_in_words,
    own_period_in_words,
    rule_in_words,
)
from vault.surfaces.lists.schedules import state_of
from vault.surfaces.web.pages import speaker
from vault.surfaces.web.story import actor_of, story
from vault.surfaces.web.views import schedules as views
from vault.surfaces.web.views.parts import Action, Form, Link, Option

_COMPARED_MAX = 50


def version_view(
    request: Request,
    connection: Connection,
    viewer: Viewer,
    number: int,
    *,
    now: datetime,
    against: int | None,
    forms: Mapping[str, Form],
    problems: tuple[str, ...],
) -> views.VersionView:
    """The page of one version.

    Raises:
        NotFoundOrNotYours: there is no version of that number, or none to compare with.
    """
    say = speaker(request)
    version, lawbook = get_version(connection, number, now), read_book(connection)
    today = lawbook.day_of(now)
    proposal = get_proposal(connection, version.proposal_id) if version.proposal_id else None
    people = [version.created_by] + ([proposal.proposed_by] if proposal else [])
    people += [said.person_id for said in proposal.approvals] if proposal else []
    names = actor_names(connection, [one for one in people if one])
    may_draft = viewer.may(Right.RETENTION_SCHEDULE_DRAFT)
    is_draft = version.state is VersionState.DRAFT
    is_own = proposal is not None and proposal.proposed_by == viewer.id
    return views.VersionView(
        href=f"/schedules/{number}",
        number=number,
        state=state_of(version),
        note=version.note,
        based_on=_link(say, version.based_on) if version.based_on else None,
        effective_date=version.effective_date if number > 1 else None,
        drafted_by=actor_of(say, viewer, version.created_by_kind, version.created_by, names),
        drafted_at=version.created_at,
        approved_at=version.approved_at,
        fiscal_year_end=f"{version.content.fiscal_year.end_month:02d}-{version.content.fiscal_year.end_day:02d}",
        packs=tuple(sorted(version.content.packs)),
        digest=version.digest.hex(),
        classes=class_rows(say, version, lawbook, today),
        timeline=story(request, connection, viewer, version.id),
        proposal=proposal_box(say, viewer, proposal, names, Right.RETENTION_SCHEDULE_APPROVE) if proposal else None,
        differences=_differences(say, connection, version, against, now, today),
        simulation=_simulation(say, version),
        may_edit=is_draft and may_draft,
        may_withdraw=may_draft and (is_draft or (version.state is VersionState.PROPOSED and is_own)),
        earliest_date=today.isoformat(),
        simulated_date=_simulated_date(connection, version, today) if is_draft and may_draft else "",
        withdrawn_because=version.withdrawn_because or "",
        forms=forms,
        file_problems=problems,
        actions=_actions(version, is_draft and may_draft),
        ledger_href=f"/ledger?subject={version.id}" if viewer.may(Right.LEDGER_ENTRY_READ) else None,
    )


def class_rows(
    say: Translator, version: ScheduleVersion, lawbook: Lawbook, today: date
) -> tuple[views.ClassRow, ...]:
    """The classes of a version with their rules in words."""
    packs = [lawbook.book.packs[name] for name in version.content.packs if name in lawbook.book.packs]
    told: dict[str, str] = {}
    unverified = set()
    confirmed = {(k.confirmation.rule_code, k.confirmation.rule_digest) for k in lawbook.book.confirmations}
    for rule in (rule for pack in packs for rule in pack.rules):
        if rule.code not in told or rule.is_in_force(today):
            told[rule.code] = f"{rule.code}: {rule_in_words(say, rule)}"
            if not rule.is_verified and (rule.code, rule_digest(rule)) not in confirmed:
                unverified.add(rule.code)
    return tuple(_class_row(say, version.number, k, told, unverified) for k in version.content.classes)


def _class_row(
    say: Translator, number: int, definition: ClassDefinition, told: Mapping[str, str], unverified: set[str]
) -> views.ClassRow:
    return views.ClassRow(
        code=definition.code,
        href=f"/schedules/{number}/classes/{definition.code}",
        name=definition.name_en if say.language is Language.EN else definition.name_zh,
        rules=tuple(told.get(code, code) for code in definition.rule_codes),
        own_period=own_period_in_words(say, definition),
        disposition=say.gettext(DISPOSITIONS[definition.disposition]),
        lock=lock_policy_in_words(say, definition.lock),
        copies=definition.copies,
        has_unverified=bool(unverified & set(definition.rule_codes)),
    )


def _actions(version: ScheduleVersion, may_edit: bool) -> tuple[Action, ...]:  # noqa: FBT001
    href = f"/schedules/{version.number}"
    edit = (Action(N_("Add a class"), f"{href}/new-class", icon="plus"),) if may_edit else ()
    return (
        *edit,
        Action(N_("As YAML"), f"{href}/file", icon="download"),
        Action(N_("Classes as CSV"), f"{href}/file?format=csv", icon="download"),
    )


def proposal_box(
    say: Translator, viewer: Viewer, proposal: Proposal, names: Mapping[UUID, str], right: Right
) -> views.ProposalBox:
    """A proposal, and what the viewer may say to it with that right; where nothing, why."""
    is_open = proposal.state is ProposalState.OPEN
    why_not = ""
    if is_open and viewer.may(right):
        if proposal.proposed_by == viewer.id:
            why_not = say.gettext(N_("You proposed it yourself, so others decide."))
        elif any(said.person_id == viewer.id for said in proposal.approvals):
            why_not = say.gettext(N_("You have approved it; another person decides now."))
        elif viewer.kind != "person":
            why_not = say.gettext(N_("Only people approve."))
    return views.ProposalBox(
        proposed_by=actor_of(say, viewer, proposal.proposed_by_kind, proposal.proposed_by, names),
        proposed_at=proposal.proposed_at,
        said=tuple(
            views.Said(actor_of(say, viewer, "person", one.person_id, names), one.at, one.is_approved, one.comment)
            for one in proposal.approvals
        ),
        missing=proposal.approvals_missing,
        is_open=is_open,
        may_say=is_open and viewer.may(right) and not why_not,
        why_not=why_not,
    )


def _differences(
    say: Translator,
    connection: Connection,
    version: ScheduleVersion,
    against: int | None,
    now: datetime,
    today: date,
) -> views.Differences | None:
    """Against the version it was drafted from, unless another is asked for."""
    other = against if against is not None else version.based_on
    if other is None or other == version.number:
        return None
    changes = exchange.differences(get_version(connection, other, now), version, today)
    # The number of a version, and its day while it is a draft, say nothing about records.
    untold = {"version"} | ({"effective_date"} if version.effective_date is None else set())
    options = tuple(
        Option(str(one.number), say.gettext(N_("Version {number}")).format(number=one.number))
        for one in list_versions(connection, now, size=_COMPARED_MAX)
        if one.number != version.number
    )
    told = tuple(
        views.ChangeLine(change_in_words(say, change), change.effect.value)
        for change in changes
        if change.field not in untold or change.subject != "schedule"
    )
    return views.Differences(other, options, told)


def _simulation(say: Translator, version: ScheduleVersion) -> Link | None:
    """Where its effects on the records at hand are shown, for a version that one may still be for or against."""
    if version.state not in {VersionState.DRAFT, VersionState.PROPOSED}:
        return None
    return Link(say.gettext(N_("Its effects on the records at hand")), f"/schedules/{version.number}/simulation")


def _simulated_date(connection: Connection, version: ScheduleVersion, today: date) -> str:
    """The day for which it was simulated, as it can be proposed for no other; nothing when that has passed."""
    newest = newest_finished(connection, version.number)
    return newest.on_date.isoformat() if newest is not None and newest.on_date >= today else ""


def _link(say: Translator, number: int) -> Link:
    return Link(say.gettext(N_("Version {number}")).format(number=number), f"/schedules/{number}")
