"""The rules on which the schedule rests: searched, read whole, and confirmed by two people with their source."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import Form as Field
from starlette.requests import Request
from starlette.responses import Response

from vault.access.model import Viewer
from vault.access.rights import Right
from vault.foundation.context import Context
from vault.foundation.errors import N_, NotFoundOrNotYours, VaultError
from vault.retention import confirmations
from vault.retention.confirmations import get_confirmation
from vault.retention.known_rules import KnownRule, RuleFilters, known_rules
from vault.surfaces.i18n import Translator
from vault.surfaces.law_words import event_in_words
from vault.surfaces.routing import Ctx, CurrentViewer, Routes
from vault.surfaces.web import words
from vault.surfaces.web.pages import form_with, go, page, speaker
from vault.surfaces.web.rule_view import JURISDICTIONS, SECTORS, rule_row, rule_view
from vault.surfaces.web.views import rules as views
from vault.surfaces.web.views.parts import BLANK, Choices, Form, Notice, Option

routes = Routes("", "pages", in_schema=False)
Text = Annotated[str, Field()]
_TEXT_LENGTH_MAX = 100
_STATES = {"verified": True, "unverified": False}
_DONE = {
    "proposed": N_("Your source is kept; a second person confirms."),
    "confirmed": N_("Confirmed: from now on the rule is believed."),
    "refused": N_("Refused, with your reason."),
}


@routes.get("/rules", Right.RETENTION_SCHEDULE_READ, response_class=Response)
def rules_page(
    request: Request,
    ctx: Ctx,
    q: str = "",
    sector: str = "",
    jurisdiction: str = "",
    event: str = "",
    state: str = "",
) -> Response:
    """Every rule there is, or those that fit."""
    say = speaker(request)
    q = q.strip()[:_TEXT_LENGTH_MAX]
    with ctx.database.read() as connection:
        found = known_rules(connection, ctx.clock.now())
    filters = RuleFilters(q, sector, jurisdiction, event, _STATES.get(state))
    view = views.RuleListView(
        filter=views.RuleFilter(q, sector, jurisdiction, event, state if state in _STATES else ""),
        choices=_choices(say, found),
        rows=tuple(rule_row(say, known) for known in found if filters.fits(known)),
        total_count=len(found),
        unverified_count=sum(not known.is_trusted for known in found),
    )
    return page(request, "rules.html", view, current="rules")


@routes.get("/rules/{code}", Right.RETENTION_SCHEDULE_READ, response_class=Response)
def rule_page(request: Request, ctx: Ctx, viewer: CurrentViewer, code: str, done: str = "") -> Response:
    """One rule: what it says in each version, where it is used, who has confirmed it."""
    notices = (Notice(speaker(request).gettext(_DONE[done])),) if done in _DONE else ()
    return _page(request, ctx, viewer, code, notices=notices)


@routes.post("/rules/{code}/confirm", Right.RETENTION_CONFIRMATION_PROPOSE, response_class=Response)
def confirm(request: Request, ctx: Ctx, viewer: CurrentViewer, code: str, source: Text = "") -> Response:
    """Says in which published source the rule stands."""
    try:
        confirmations.propose(ctx, viewer, code, source)
    except VaultError as error:
        return _page(request, ctx, viewer, code, form=form_with(request, {"source": source}, error, "source"))
    return go(f"/rules/{code}?done=proposed")


@routes.post(
    "/rules/confirmations/{confirmation_id}/approve", Right.RETENTION_CONFIRMATION_APPROVE, response_class=Response
)
def approve(request: Request, ctx: Ctx, viewer: CurrentViewer, confirmation_id: UUID, comment: Text = "") -> Response:
    """Confirms as the second person, who has read the source too."""
    with ctx.database.read() as connection:
        code = get_confirmation(connection, confirmation_id).rule_code
    try:
        confirmations.approve(ctx, viewer, confirmation_id, comment)
    except VaultError as error:
        return _page(request, ctx, viewer, code, refuse=form_with(request, {}, error, ""))
    return go(f"/rules/{code}?done=confirmed")


@routes.post(
    "/rules/confirmations/{confirmation_id}/refuse", Right.RETENTION_CONFIRMATION_APPROVE, response_class=Response
)
def refuse(request: Request, ctx: Ctx, viewer: CurrentViewer, confirmation_id: UUID, comment: Text = "") -> Response:
    """Refuses, for a reason: the source does not say so."""
    with ctx.database.read() as connection:
        code = get_confirmation(connection, confirmation_id).rule_code
    try:
        confirmations.refuse(ctx, viewer, confirmation_id, comment)
    except VaultError as error:
        return _page(request, ctx, viewer, code, refuse=form_with(request, {"comment": comment}, error, "comment"))
    return go(f"/rules/{code}?done=refused")


def _page(
    request: Request,
    ctx: Context,
    viewer: Viewer,
    code: str,
    *,
    form: Form = BLANK,
    refuse: Form = BLANK,
    notices: tuple[Notice, ...] = (),
) -> Response:
    with ctx.database.read() as connection:
        versions = [known for known in known_rules(connection, ctx.clock.now()) if known.rule.code == code]
        if not versions:
            raise NotFoundOrNotYours
        view = rule_view(speaker(request), connection, viewer, versions, form=form, refuse_form=refuse)
    status = 422 if form.errors or refuse.errors else 200
    return page(request, "rule.html", view, current="rules", status=status, notices=notices)


def _choices(say: Translator, found: tuple[KnownRule, ...]) -> Choices:
    events = {name for known in found for name in known.events}
    told = [Option(name, event_in_words(say, name)) for name in events]
    return Choices(
        {
            "sector": _named(say, {known.rule.sector for known in found}, SECTORS),
            "jurisdiction": _named(say, {known.rule.jurisdiction for known in found}, JURISDICTIONS),
            "event": tuple(sorted(told, key=lambda option: option.label)),
            "state": tuple(Option(code, say.gettext(words.state("rule", code).label)) for code in _STATES),
        }
    )


def _named(say: Translator, codes: set[str], names: dict[str, str]) -> tuple[Option, ...]:
    return tuple(Option(code, say.gettext(names.get(code, code))) for code in sorted(codes) if code)
