"""People and their roles."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated
from uuid import UUID
from zoneinfo import ZoneInfo

from fastapi import Form as Field
from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response

from vault.access import service
from vault.access.model import Person, PersonState, Viewer
from vault.access.queries import PeopleFilters, all_units, get_person, people_by_role
from vault.access.rights import (
    RIGHT_WORDS,
    ROLE_NAMES,
    ROLE_PURPOSES,
    ROLE_RIGHTS,
    Right,
    Role,
    exclude_each_other,
    rights_of,
)
from vault.foundation.errors import N_, InvalidInput, VaultError
from vault.surfaces.i18n import Language
from vault.surfaces.lists.people import PEOPLE
from vault.surfaces.routing import Ctx, CurrentViewer, Routes
from vault.surfaces.web.listing import WebList, open_list, state_options, uuid_of
from vault.surfaces.web.pages import form_with, go, language_for, page, speaker
from vault.surfaces.web.story import story
from vault.surfaces.web.views import labels
from vault.surfaces.web.views.lists import Empty
from vault.surfaces.web.views.parts import BLANK, Action, Choices, Form, Option
from vault.surfaces.web.views.people import PeopleView, PersonFilter, PersonRow, PersonView, RoleRow

routes = Routes("", "pages", in_schema=False)
Text = Annotated[str, Field()]
Many = Annotated[list[str], Field()]


def _parse(told: Mapping[str, str], _connection: Connection, _zone: ZoneInfo) -> PeopleFilters:
    return PeopleFilters(
        text=told["q"] or None,
        unit_id=uuid_of(told["unit"]),
        role=Role(told["role"]) if told["role"] in set(Role) else None,
        state=PersonState(told["state"]) if told["state"] in set(PersonState) else None,
    )


LIST: WebList[PeopleFilters, Person] = WebList(
    listing=PEOPLE,
    title=N_("People"),
    open=("unit", "role", "state"),
    personal=("q",),
    parse=_parse,
    anything=PeopleFilters(),
)


@routes.get("/people", Right.ACCESS_PERSON_READ, response_class=Response)
def people_page(request: Request, ctx: Ctx, viewer: CurrentViewer) -> Response:
    """The list of people, and the roles there are."""
    return page(request, "people.html", _people_view(request, ctx, viewer, BLANK), current="people")


@routes.post("/people", Right.ACCESS_PERSON_MANAGE, response_class=Response)
def add_person(
    request: Request,
    ctx: Ctx,
    viewer: CurrentViewer,
    name: Text = "",
    sign_in_name: Text = "",
    unit_id: Text = "",
    role: Many = [],  # noqa: B006 - read by the framework only
) -> Response:
    """Adds somebody and shows the one-time password once."""
    values = {"name": name, "sign_in_name": sign_in_name, "unit_id": unit_id}
    try:
        if not unit_id:
            raise InvalidInput(field="unit_id", problem=N_("choose one"))
        account = service.create_person(ctx, viewer, sign_in_name, name, UUID(unit_id), _roles(role))
    except VaultError as error:
        form = form_with(request, values, error, "sign_in_name")
        view = _people_view(request, ctx, viewer, form)
        return page(request, "people.html", view, current="people", status=422)
    return _show(request, ctx, viewer, account.person_id, password=account.one_time_password)


@routes.get("/people/{person_id}", Right.ACCESS_PERSON_READ, response_class=Response)
def person_page(request: Request, ctx: Ctx, viewer: CurrentViewer, person_id: UUID) -> Response:
    """One person."""
    return _show(request, ctx, viewer, person_id)


@routes.post("/people/{person_id}/roles", Right.ACCESS_ROLE_GRANT, response_class=Response)
def set_roles(
    request: Request,
    ctx: Ctx,
    viewer: CurrentViewer,
    person_id: UUID,
    role: Many = [],  # noqa: B006 - read by the framework only
) -> Response:
    """Gives and takes roles until they are the ones chosen."""
    with ctx.database.read() as connection:
        held = get_person(connection, person_id).roles
    wanted = _roles(role)
    try:
        for one in sorted(held - wanted):
            service.revoke_role(ctx, viewer, person_id, one)
        for one in sorted(wanted - held):
            service.grant_role(ctx, viewer, person_id, one)
    except VaultError as error:
        return _show(request, ctx, viewer, person_id, form=form_with(request, {}, error, "role"))
    return go(f"/people/{person_id}")


@routes.post("/people/{person_id}/password", Right.ACCESS_PERSON_MANAGE, response_class=Response)
def reset_password(request: Request, ctx: Ctx, viewer: CurrentViewer, person_id: UUID) -> Response:
    """A new one-time password, shown once."""
    account = service.reset_password(ctx, viewer, person_id)
    return _show(request, ctx, viewer, person_id, password=account.one_time_password)


@routes.post("/people/{person_id}/{act}", Right.ACCESS_PERSON_MANAGE, response_class=Response)
def set_state(ctx: Ctx, viewer: CurrentViewer, person_id: UUID, act: str) -> Response:
    """Disables or enables an account."""
    if act in {"disable", "enable"}:
        service.set_person_state(ctx, viewer, person_id, active=act == "enable")
    return go(f"/people/{person_id}")


def _people_view(request: Request, ctx: Ctx, viewer: Viewer, form: Form) -> PeopleView:
    with open_list(request, ctx, viewer, LIST) as asked:
        counts = people_by_role(asked.connection)
        units = asked.speech.units
        return PeopleView(
            list=asked.frame(_empty(is_narrowed=asked.is_narrowed)),
            filter=PersonFilter(**asked.told.values),
            choices=Choices(
                {
                    "unit": tuple(Option(str(key), name) for key, name in units.items()),
                    "role": _role_options(request),
                    "state": state_options(asked.speech, "person", tuple(PersonState)),
                }
            ),
            rows=tuple(_row(request, person, units) for person in asked.page.lines),
            roles=tuple(_role_row(request, role, counts.get(role, 0)) for role in Role),
            may_add=viewer.may(Right.ACCESS_PERSON_MANAGE),
            form=form,
        )


def _empty(*, is_narrowed: bool) -> Empty:
    if is_narrowed:
        return Empty(N_("Nobody fits these filters."), N_("Part of a name or sign-in name is enough."))
    return Empty(N_("There is nobody yet."))


def _show(
    request: Request, ctx: Ctx, viewer: Viewer, person_id: UUID, *, password: str | None = None, form: Form = BLANK
) -> Response:
    with ctx.database.read() as connection:
        person = get_person(connection, person_id)
        told = story(request, connection, viewer, person_id)
    say = speaker(request).gettext
    view = PersonView(
        id=str(person.id),
        href=f"/people/{person.id}",
        name=person.name,
        sign_in_name=person.login,
        unit=_units(request, ctx).get(person.unit_id, ""),
        state=person.sign_in_state.value,
        created_at=person.created_at,
        seen_at=person.seen_at,
        roles=tuple(say(ROLE_NAMES[role]) for role in sorted(person.roles)),
        rights=tuple((say(RIGHT_WORDS[right]), right.value) for right in Right if right in rights_of(person.roles)),
        timeline=told,
        actions=_actions(viewer, person),
        role_options=_role_options(request),
        role_codes=tuple(role.value for role in person.roles),
        may_change_roles=viewer.may(Right.ACCESS_ROLE_GRANT) and person.id != viewer.id,
        form=form,
        one_time_password=password,
    )
    return page(request, "person.html", view, current="people", status=422 if form.errors else 200)


def _actions(viewer: Viewer, person: Person) -> tuple[Action, ...]:
    if not viewer.may(Right.ACCESS_PERSON_MANAGE) or person.id == viewer.id:
        return ()
    href = f"/people/{person.id}"
    switch = (
        Action(labels.DISABLE, f"{href}/disable", "post", "danger")
        if person.state == "active"
        else Action(labels.ENABLE, f"{href}/enable", "post")
    )
    return (Action(labels.NEW_ONE_TIME_PASSWORD, f"{href}/password", "post"), switch)


def _row(request: Request, person: Person, units: dict[UUID, str]) -> PersonRow:
    say = speaker(request).gettext
    return PersonRow(
        id=str(person.id),
        href=f"/people/{person.id}",
        name=person.name,
        sign_in_name=person.login,
        unit=units.get(person.unit_id, ""),
        roles=tuple(say(ROLE_NAMES[role]) for role in sorted(person.roles)),
        state=person.sign_in_state.value,
        seen_at=person.seen_at,
    )


def _role_row(request: Request, role: Role, count: int) -> RoleRow:
    say = speaker(request).gettext
    apart = tuple(
        say(ROLE_NAMES[other]) for other in Role if other != role and exclude_each_other(frozenset({role, other}))
    )
    rights = tuple(sorted(right.value for right in ROLE_RIGHTS[role]))
    return RoleRow(role.value, say(ROLE_NAMES[role]), say(ROLE_PURPOSES[role]), rights, count, apart)


def _role_options(request: Request) -> tuple[Option, ...]:
    say = speaker(request).gettext
    return tuple(Option(role.value, say(ROLE_NAMES[role]), say(ROLE_PURPOSES[role])) for role in Role)


def _roles(values: list[str]) -> frozenset[Role]:
    return frozenset(Role(value) for value in values if value in set(Role))


def _units(request: Request, ctx: Ctx) -> dict[UUID, str]:
    english = language_for(request) is Language.EN
    with ctx.database.read() as connection:
        return {unit.id: unit.name_en if english else unit.name_zh for unit in all_units(connection)}
