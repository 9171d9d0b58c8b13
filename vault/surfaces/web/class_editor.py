"""One class of a version: read, or changed while the version is a draft, with an example that follows what is typed.

The class that was read is named by its digest, so that two people who change two classes do not hinder each other, and
two who change the same one are told.
"""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import date

from sqlalchemy import Connection
from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import Response

from retention_rules.model import ClassDefinition
from retention_rules.packs import plain_class
from vault.access.model import Viewer
from vault.access.rights import Right
from vault.foundation.context import Context
from vault.foundation.errors import N_, NotFoundOrNotYours, VaultError
from vault.foundation.ledger.entry import canonical_json
from vault.retention import service
from vault.retention.book import read_book
from vault.retention.errors import ScheduleChanged
from vault.retention.model import ScheduleVersion, VersionState
from vault.retention.queries import get_version
from vault.surfaces.i18n import Language
from vault.surfaces.lists.schedules import state_of
from vault.surfaces.routing import Ctx, CurrentViewer, Routes
from vault.surfaces.web.class_form import NEW, Typed, typed_in, typed_of
from vault.surfaces.web.class_view import choices_of, example_box, facts_of, rule_options
from vault.surfaces.web.listing import day_of
from vault.surfaces.web.pages import go, page, speaker
from vault.surfaces.web.schedule_view import class_rows
from vault.surfaces.web.schedules import Sent
from vault.surfaces.web.views import retention_class as views
from vault.surfaces.web.views.parts import FieldError, Form, Link

routes = Routes("", "pages", in_schema=False)


@routes.get("/schedules/{number}/classes/{code}", Right.RETENTION_SCHEDULE_READ, response_class=Response)
def class_page(request: Request, ctx: Ctx, viewer: CurrentViewer, number: int, code: str) -> Response:
    """One class: what it lays down, an example, and in a draft its form."""
    with ctx.database.read() as connection:
        version = get_version(connection, number, ctx.clock.now())
        definition = version.content.class_of(code)
        if definition is None:
            raise NotFoundOrNotYours
        view = _view(request, ctx, connection, viewer, version, typed_of(definition), held=definition)
    return page(request, "class.html", view, current="schedules")


@routes.get("/schedules/{number}/new-class", Right.RETENTION_SCHEDULE_DRAFT, response_class=Response)
def new_class(request: Request, ctx: Ctx, viewer: CurrentViewer, number: int) -> Response:
    """The empty form of a class that a draft does not have yet."""
    with ctx.database.read() as connection:
        version = _open_draft(connection, ctx, number)
        view = _view(request, ctx, connection, viewer, version, typed_of(NEW), held=None)
    return page(request, "class.html", view, current="schedules")


@routes.post("/schedules/{number}/class-example", Right.RETENTION_SCHEDULE_DRAFT, response_class=Response)
def try_out(request: Request, ctx: Ctx, viewer: CurrentViewer, number: int, form: Sent) -> Response:
    """The form again with the example of what is typed in it; nothing is saved."""
    with ctx.database.read() as connection:
        version = _open_draft(connection, ctx, number)
        typed, held = _typed(form), version.content.class_of(str(form.get("held", "")))
        view = _view(request, ctx, connection, viewer, version, typed, held=held, sent=form)
    return page(request, "class.html", view, current="schedules", status=422 if view.form.errors else 200)


@routes.post("/schedules/{number}/classes", Right.RETENTION_SCHEDULE_DRAFT, response_class=Response)
def save(request: Request, ctx: Ctx, viewer: CurrentViewer, number: int, form: Sent) -> Response:
    """Saves a class into the draft."""
    say, typed = speaker(request), _typed(form)
    errors: tuple[FieldError, ...] = ()
    with ctx.database.read() as connection:
        version = _open_draft(connection, ctx, number)
        held = version.content.class_of(str(form.get("held", "")))
        definition, _ = typed.read(say, _codes(connection, version))
        view = _view(request, ctx, connection, viewer, version, typed, held=held, sent=form)
    if definition is not None:
        errors = tuple(_collisions(request, version, held, definition, str(form.get("seen", ""))))
    if definition is None or errors:
        return _again(request, view, errors)
    try:
        service.change(ctx, viewer, number, version.content.with_class(definition), seen=version.digest)
    except VaultError as error:
        said = say.explain(error)
        return _again(request, view, (FieldError("", f"{said.what_happened} {said.what_to_do}"),))
    return go(f"/schedules/{number}?done=changed")


@routes.post("/schedules/{number}/classes/{code}/remove", Right.RETENTION_SCHEDULE_DRAFT, response_class=Response)
def remove(ctx: Ctx, viewer: CurrentViewer, number: int, code: str) -> Response:
    """Takes a class out of the draft."""
    with ctx.database.read() as connection:
        version = _open_draft(connection, ctx, number)
    if version.content.class_of(code) is None:
        raise NotFoundOrNotYours
    service.change(ctx, viewer, number, version.content.without_class(code), seen=version.digest)
    return go(f"/schedules/{number}?done=removed")


def _typed(form: FormData) -> Typed:
    texts = {name: value for name, value in form.items() if isinstance(value, str)}
    return typed_in(texts, [value for value in form.getlist("rules") if isinstance(value, str)])


def _open_draft(connection: Connection, ctx: Context, number: int) -> ScheduleVersion:
    version = get_version(connection, number, ctx.clock.now())
    if version.state is not VersionState.DRAFT:
        raise NotFoundOrNotYours
    return version


def _codes(connection: Connection, version: ScheduleVersion) -> set[str]:
    packs = read_book(connection).book.packs
    return {rule.code for name in version.content.packs if name in packs for rule in packs[name].rules}


def _digest(definition: ClassDefinition | None) -> str:
    """What names a class as it was read."""
    return "" if definition is None else hashlib.sha256(canonical_json(plain_class(definition))).hexdigest()


def _collisions(
    request: Request, version: ScheduleVersion, held: ClassDefinition | None, new: ClassDefinition, seen: str
) -> list[FieldError]:
    """A new class with the code of another one; a class that somebody else changed since it was read."""
    say = speaker(request)
    if held is None and version.content.class_of(new.code) is not None:
        return [FieldError("code", say.gettext(N_("The draft has a class with this code already.")))]
    if seen != _digest(held):
        said = say.explain(ScheduleChanged(number=version.number))
        return [FieldError("", f"{said.what_happened} {said.what_to_do}")]
    return []


def _again(request: Request, view: views.ClassView, errors: tuple[FieldError, ...]) -> Response:
    shown = replace(view, form=Form(view.form.values, (*view.form.errors, *errors)))
    status = 409 if any(not error.field for error in errors) else 422
    return page(request, "class.html", shown, current="schedules", status=status)


def _view(
    request: Request,
    ctx: Context,
    connection: Connection,
    viewer: Viewer,
    version: ScheduleVersion,
    typed: Typed,
    *,
    held: ClassDefinition | None,
    sent: FormData | None = None,
) -> views.ClassView:
    say, lawbook = speaker(request), read_book(connection)
    today = lawbook.day_of(ctx.clock.now())
    definition, form = typed.read(say, _codes(connection, version))
    if sent is None and held is None:
        form = Form(typed.values)  # nobody has typed anything yet
    wanted = str(sent.get("example_date", "") if sent is not None else request.query_params.get("on", ""))
    on: date = day_of(wanted) or today
    href = f"/schedules/{version.number}"
    may_edit = version.state is VersionState.DRAFT and viewer.may(Right.RETENTION_SCHEDULE_DRAFT)
    rows = {row.code: row for row in class_rows(say, version, lawbook, today)}
    name = (held.name_en if say.language is Language.EN else held.name_zh) if held else say.gettext(N_("A new class"))
    version_name = say.gettext(N_("Version {number} of the schedule")).format(number=version.number)
    return views.ClassView(
        href=f"{href}/classes/{held.code}" if held else f"{href}/new-class",
        version=Link(version_name, href),
        version_state=state_of(version),
        code=held.code if held else "",
        name=name,
        row=rows.get(held.code) if held else None,
        facts=facts_of(say, held) if held else (),
        example=example_box(connection, say, definition, version.content, on),
        is_new=held is None,
        may_edit=may_edit,
        save_href=f"{href}/classes",
        example_href=f"{href}/class-example",
        remove_href=f"{href}/classes/{held.code}/remove" if held and may_edit else None,
        records_href=f"/records?class_code={held.code}" if held and viewer.may(Right.RECORDS_RECORD_READ) else None,
        seen=str(sent.get("seen", "")) if sent is not None else _digest(held),
        form=Form({**form.values, "example_date": on.isoformat()}, form.errors),
        is_unopened_kept=typed.is_unopened_kept,
        is_own_permanent=typed.is_own_permanent,
        rules=rule_options(say, version, lawbook, typed.rules, today) if may_edit else (),
        choices=choices_of(say, typed.values.get("own_trigger", "")),
    )
