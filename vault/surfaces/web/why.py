"""Why a record is here, told whole: for today or any other day, with the knowledge of that day or of another one."""

from __future__ import annotations

from datetime import date
from uuid import UUID

from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response

from retention_rules import shipped, words
from retention_rules.derivation import derivation
from retention_rules.reasons import Reason
from retention_rules.schedules import day_of
from vault.access.model import Viewer
from vault.access.queries import actor_names, organisation
from vault.access.rights import Right
from vault.catalogue import reading
from vault.catalogue.describe import title_of
from vault.catalogue.queries import RecordView, get_record
from vault.foundation.errors import N_, VaultError
from vault.retention.errors import NotHereThen
from vault.retention.model import RecordEvent
from vault.retention.why import Explanation, explain_record
from vault.surfaces.i18n import Language, Translator
from vault.surfaces.law_words import lock_in_words, reason_in_words, standing_in_words, steps_in_words
from vault.surfaces.routing import Ctx, CurrentViewer, Routes
from vault.surfaces.web.pages import form_with, page, speaker
from vault.surfaces.web.story import actor_of
from vault.surfaces.web.views import why as views
from vault.surfaces.web.views.parts import FieldError, Form, Link

routes = Routes("", "pages", in_schema=False)
_FIELDS = ("on", "known")


@routes.get("/records/{record_id}/why", Right.RECORDS_RECORD_READ, response_class=Response)
def why_page(
    request: Request, ctx: Ctx, viewer: CurrentViewer, record_id: UUID, on: str = "", known: str = ""
) -> Response:
    """Why the record is here, was or will be. Asking is looking at the record, which the ledger notes."""
    values = {"on": on.strip(), "known": known.strip()}
    days, form = _days(speaker(request), values)
    told = None
    with ctx.database.read() as connection:
        record = get_record(connection, viewer, record_id)
        home = organisation(connection)
        received, today = day_of(record.received_at, home.time_zone), day_of(ctx.clock.now(), home.time_zone)
        try:
            if not form.errors:
                answer = explain_record(ctx, connection, viewer, record, days["on"], days["known"])
                told = _told(connection, speaker(request), viewer, answer, has_known=days["known"] is not None)
        except VaultError as error:
            form = form_with(request, values, error, "on")
            if not isinstance(error, NotHereThen):
                raise
        view = _view(record, received, today, form, told)
    reading.witness_viewing(ctx, viewer, record_id)
    return page(request, "why.html", view, current="records", status=422 if form.errors else 200)


def _days(say: Translator, values: dict[str, str]) -> tuple[dict[str, date | None], Form]:
    """The days asked; what is no day stands in the form."""
    days: dict[str, date | None] = {}
    errors = []
    for name in _FIELDS:
        try:
            days[name] = date.fromisoformat(values[name]) if values[name] else None
        except ValueError:
            errors.append(FieldError(name, say.gettext(N_("This is no day. Write it as 2026-11-23."))))
    return days, Form(values, tuple(errors))


def _view(record: RecordView, received: date, today: date, form: Form, told: views.Told | None) -> views.WhyView:
    name = told.class_name if told else record.class_code
    return views.WhyView(
        href=f"/records/{record.id}/why",
        record_href=f"/records/{record.id}",
        archival_number=record.archival_number,
        title=title_of(record.title, record.business_type, name, record.occurred_date or received),
        received_date=received,
        today=today,
        form=form,
        told=told,
    )


def _told(
    connection: Connection, say: Translator, viewer: Viewer, answer: Explanation, *, has_known: bool
) -> views.Told:
    decision, version = answer.decision, answer.schedule
    language = say.language
    may_read = viewer.may(Right.RETENTION_SCHEDULE_READ)
    code = decision.facts.class_code
    held = next((k for k in version.content.classes if k.code == code), None)
    people = [said.person_id for said in answer.approved_by] + [event.reported_by for event in answer.events]
    names = actor_names(connection, people)
    lock = decision.lock
    return views.Told(
        on=decision.on,
        known_at=answer.known_at,
        is_with_hindsight=has_known,
        conclusion=words.say_what(decision.what, language.value),
        until=_until(say, answer),
        class_name=(held.name_en if language is Language.EN else held.name_zh) if held else code,
        class_code=code,
        class_href=f"/schedules/{version.number}/classes/{code}" if held and may_read else None,
        grounds=tuple(_ground(say, answer, reason, place, may_read) for place, reason in enumerate(decision.reasons)),
        events=tuple(_event(say, viewer, event, answer, names) for event in answer.events),
        locks=tuple(views.StoreLock(one.store, one.mode.lower(), one.until, one.copies) for one in answer.locks),
        lock_note=lock_in_words(say, lock) if lock is not None else "",
        lock_standing=standing_in_words(say, answer.lock_standing) if answer.lock_standing else "",
        next_note=_next(say, answer),
        schedule=Link(
            say.gettext(N_("Version {number} of the schedule")).format(number=version.number),
            f"/schedules/{version.number}" if may_read else "",
        ),
        effective_date=version.effective_date if version.number > 1 else None,
        approvers=tuple(
            views.Approver(actor_of(say, viewer, "person", one.person_id, names), one.at, one.comment)
            for one in answer.approved_by
        ),
        read_aloud=tuple(
            (tongue.tag, tongue.own_name, derivation(decision, tongue.value, shipped.event_names()))
            for tongue in Language
        ),
    )


def _until(say: Translator, answer: Explanation) -> str:
    decision = answer.decision
    if decision.retain_until is not None:
        return say.gettext(N_("To be kept to the end of {day}.")).format(day=decision.retain_until.isoformat())
    if decision.at_least_until is not None:
        text = say.gettext(N_("Its end cannot be told yet; to be kept to {day} at least."))
        return text.format(day=decision.at_least_until.isoformat())
    return ""


def _next(say: Translator, answer: Explanation) -> str:
    day = answer.decision.next_date
    if day is None or answer.next_what is None:
        return say.gettext(N_("Only a new fact, such as an event or another schedule, can change this."))
    what = words.say_what(answer.next_what, say.language.value)
    return say.gettext(N_("Decided again on {day}; if nothing else happens: {what}.")).format(
        day=day.isoformat(), what=what
    )


def _ground(say: Translator, answer: Explanation, reason: Reason, place: int, may_read: bool) -> views.Ground:  # noqa: FBT001
    is_rule = reason.rule in answer.rules
    return views.Ground(
        text=reason_in_words(say, reason),
        rule_code=reason.rule,
        citation=reason.citation,
        pack=reason.version,
        href=f"/rules/{reason.rule}" if is_rule and may_read else None,
        is_winner=place == 0,
        is_verified=reason.is_verified,
        confirmed_source=reason.confirmed_source,
        steps=steps_in_words(say, reason),
    )


def _event(
    say: Translator, viewer: Viewer, event: RecordEvent, answer: Explanation, names: dict[UUID, str]
) -> views.KnownEvent:
    was_undone = event.undone_at is not None and event.undone_at <= answer.known_at
    return views.KnownEvent(
        href=f"/events/{event.id}" if viewer.may(Right.RETENTION_EVENT_READ) else None,
        name=words.say_event(event.name, say.language.value, shipped.event_names()),
        day=event.day,
        evidence=event.evidence,
        by=actor_of(say, viewer, event.reported_by_kind, event.reported_by, names),
        at=event.known_at,
        undone_at=event.undone_at if was_undone else None,
    )
