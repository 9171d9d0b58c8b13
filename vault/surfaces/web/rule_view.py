"""From known rules to what their pages show."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection

from retention_rules import shipped
from retention_rules import words as law_words
from retention_rules.differences import between_packs
from retention_rules.model import Bound, Rule
from retention_rules.packs import Pack, rule_digest
from vault.access.approvals import get_proposal
from vault.access.model import Viewer
from vault.access.queries import actor_names
from vault.access.rights import Right
from vault.foundation.errors import N_
from vault.retention.book import read_book
from vault.retention.confirmations import RuleConfirmation, confirmations_of
from vault.retention.known_rules import KnownRule
from vault.surfaces.i18n import Language, Translator
from vault.surfaces.law_words import calendar_in_words, change_in_words, event_in_words, rule_in_words
from vault.surfaces.web.schedule_view import proposal_box
from vault.surfaces.web.views import rules as views
from vault.surfaces.web.views.parts import Form, Link
from vault.surfaces.web.views.schedules import ChangeLine

JURISDICTIONS = {
    "CN": N_("China"),
    "DE": N_("Germany"),
    "EU": N_("European Union"),
    "HK": N_("Hong Kong"),
    "IE": N_("Ireland"),
    "IN": N_("India"),
    "JP": N_("Japan"),
    "SG": N_("Singapore"),
    "UK": N_("United Kingdom"),
    "US": N_("United States"),
}
SECTORS = {
    "accounting": N_("accounting"),
    "agri": N_("agriculture"),
    "audit": N_("audit"),
    "civil_affairs": N_("civil affairs"),
    "commerce": N_("commerce"),
    "credit_reporting": N_("credit reporting"),
    "default": N_("where no law says more"),
    "e_commerce": N_("e-commerce"),
    "enterprise": N_("enterprises"),
    "finance": N_("finance"),
    "food": N_("food"),
    "futures": N_("futures"),
    "government": N_("government"),
    "hazchem": N_("hazardous chemicals"),
    "health": N_("health"),
    "insurance": N_("insurance"),
    "labour": N_("labour"),
    "land": N_("land"),
    "limitation": N_("limitation of actions"),
    "medical": N_("medical care"),
    "network_security": N_("network security"),
    "post": N_("post"),
    "printing": N_("printing"),
    "privacy": N_("privacy"),
    "professional": N_("professions"),
    "public_procurement": N_("public procurement"),
    "public_security": N_("public security"),
    "securities": N_("securities"),
    "social_insurance": N_("social insurance"),
    "tax": N_("tax"),
    "telecom": N_("telecommunications"),
    "trade": N_("trade"),
    "trust_service": N_("trust services"),
}
BOUNDS = {
    Bound.MIN: N_("keep at least"),
    Bound.MAX: N_("keep at most"),
    Bound.MIN_THEN_DELETE: N_("keep, then delete"),
    Bound.PERMANENT: N_("keep for ever"),
    Bound.ADVISORY: N_("advice, no duty"),
}


def rule_row(say: Translator, known: KnownRule) -> views.RuleRow:
    """One rule as a line."""
    rule = known.rule
    return views.RuleRow(
        code=rule.code,
        href=f"/rules/{rule.code}",
        name=_name(say, rule),
        text=rule_in_words(say, rule),
        citation=rule.citation,
        sector=say.gettext(SECTORS.get(rule.sector, rule.sector)),
        jurisdiction=say.gettext(JURISDICTIONS.get(rule.jurisdiction, rule.jurisdiction)),
        state=_state(known),
        classes=len(known.classes),
        pack=rule.pack,
    )


def rule_view(
    say: Translator,
    connection: Connection,
    viewer: Viewer,
    versions: Sequence[KnownRule],
    *,
    form: Form,
    refuse_form: Form,
) -> views.RuleView:
    """One rule with every version, the one that applies first."""
    ordered = sorted(versions, key=lambda known: (not (known.is_in_schedule and known.is_in_force), known.rule.pack))
    now = ordered[0]
    told = confirmations_of(connection, now.rule.code)
    boxes = tuple(_confirmation(say, connection, viewer, one, now.rule) for one in told)
    is_waiting = any(one.box.is_open for one in boxes)
    is_open = now.is_in_schedule and not now.is_trusted
    return views.RuleView(
        code=now.rule.code,
        name=_name(say, now.rule),
        href=f"/rules/{now.rule.code}",
        state=_state(now),
        versions=tuple(_version(say, known) for known in ordered),
        used_by=_used_by(say, connection, now),
        confirmations=boxes,
        may_propose=is_open and not is_waiting and viewer.may(Right.RETENTION_CONFIRMATION_PROPOSE),
        form=form,
        refuse_form=refuse_form,
    )


def pack_changes(say: Translator, before: Pack | None, after: Pack) -> tuple[ChangeLine, ...]:
    """What a pack changes against the one whose place it takes, as sentences; nothing where there is none."""
    if before is None:
        return ()
    return tuple(
        ChangeLine(change_in_words(say, change), change.effect.value)
        for change in between_packs(before, after)
        if change.subject != "pack"
    )


def _name(say: Translator, rule: Rule) -> str:
    return rule.name_en if say.language is Language.EN else rule.name_zh


def _state(known: KnownRule) -> str:
    return "verified" if known.rule.is_verified else "confirmed" if known.is_trusted else "unverified"


def _version(say: Translator, known: KnownRule) -> views.RuleVersion:
    rule = known.rule
    return views.RuleVersion(
        pack=rule.pack,
        state=_state(known),
        text=rule_in_words(say, rule),
        citation=rule.citation,
        facts=tuple((label, value) for label, value in _facts(say, rule) if value),
        note=rule.note,
        digest=rule_digest(rule),
        is_in_force=known.is_in_force,
        is_in_schedule=known.is_in_schedule,
        effective_date=rule.effective_date,
        ended_date=rule.ended_date,
    )


def _facts(say: Translator, rule: Rule) -> tuple[tuple[str, str], ...]:
    language = say.language.value
    matters = say.gettext(", ").join(
        say.gettext(N_("from “{opened}” to “{closed}”, and {period} after it")).format(
            opened=event_in_words(say, one.opened),
            closed=event_in_words(say, one.closed),
            period=law_words.say_period(str(one.adds), language) or "0",
        )
        for one in rule.extensions
    )
    return (
        (N_("Bound"), say.gettext(BOUNDS[rule.bound])),
        (N_("Period"), law_words.say_period(str(rule.period), language)),
        (N_("At most"), law_words.say_period(str(rule.max_period), language) if rule.max_period else ""),
        (N_("Counts from"), law_words.say_trigger(rule.trigger, language, shipped.event_names())),
        (N_("Counted"), calendar_in_words(say, rule.calendar)),
        (N_("Longer once"), event_in_words(say, rule.longer_on) if rule.longer_on else ""),
        (N_("Deleted at"), event_in_words(say, rule.delete_on) if rule.delete_on else ""),
        (N_("Does not run out while open"), matters),
        (N_("Jurisdiction"), say.gettext(JURISDICTIONS.get(rule.jurisdiction, rule.jurisdiction))),
        (N_("Trade"), say.gettext(SECTORS.get(rule.sector, rule.sector))),
        (N_("In force from"), rule.effective_date.isoformat() if rule.effective_date else ""),
        (N_("Ends"), rule.ended_date.isoformat() if rule.ended_date else ""),
    )


def _used_by(say: Translator, connection: Connection, known: KnownRule) -> tuple[Link, ...]:
    """The classes of the schedule in effect that name it."""
    lawbook = read_book(connection)
    names = {
        definition.code: definition.name_en if say.language is Language.EN else definition.name_zh
        for schedule in lawbook.book.schedules
        for definition in schedule.classes
    }
    number = known.schedule_number
    return tuple(Link(names.get(code, code), f"/schedules/{number}/classes/{code}") for code in known.classes)


def _confirmation(
    say: Translator, connection: Connection, viewer: Viewer, told: RuleConfirmation, rule: Rule
) -> views.ConfirmationBox:
    proposal = get_proposal(connection, told.proposal_id)
    names = actor_names(connection, [proposal.proposed_by, *(said.person_id for said in proposal.approvals)])
    return views.ConfirmationBox(
        source=told.source,
        confirmed_at=told.confirmed_at,
        is_current=told.rule_digest == rule_digest(rule),
        box=proposal_box(say, viewer, proposal, names, Right.RETENTION_CONFIRMATION_APPROVE),
        href=f"/rules/confirmations/{told.id}",
    )
