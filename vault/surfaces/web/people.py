"""People and their roles."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import Form as Field
from starlette.requests import Request
from starlette.responses import Response

from vault.access import service
from vault.access.model import Person, Viewer
from vault.access.queries import all_units, get_person, list_people, people_by_role
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
from vault.foundation.errors import InvalidInput, VaultError
from vault.surfaces.i18n import Language
from vault.surfaces.routing import Ctx, CurrentViewer, Routes
from vault.surfaces.web.pages import form_with, go, language_for, page, paging, speaker
from vault.surfaces.web.story import story
from vault.surfaces.web.views import labels
from vault.surfaces.web.views.parts import BLANK, Action, Choices, Form, Option
from vault.surfaces.web.views.people import PeopleView, PersonFilter, PersonRow, PersonView, RoleRow

routes = Routes("", "pages", in_schema=False)
_SIZE = 50
Text = Annotated[str, Field()]
Many = Annotated[list[str], Field()]


@routes.get("/people", Right.ACCESS_PERSON_READ, response_class=Response)
def people_page(
    request: Request,
    ctx: Ctx,
    viewer: CurrentViewer,
    q: str = "",
    unit: str = "",
    role: str = "",
    state: str = "",
    after: UUID | None = None,
) -> Response:
    """The list of people, and the roles there are."""
    filters = PersonFilter(q, unit, role, state)
    return page(request, "people.html", _people_view(request, ctx, viewer, filters, after, BLANK), current="people")


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
            raise InvalidInput(field="unit_id", problem="choose one")
        account = service.create_person(ctx, viewer, sign_in_name, name, UUID(unit_id), _roles(role))
    except VaultError as error:
        form = form_with(request, values, error, "sign_in_name")
        view = _people_view(request, ctx, viewer, PersonFilter(), None, form)
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


def _people_view(
    request: Request, ctx: Ctx, viewer: Viewer, filters: PersonFilter, after: UUID | None, form: Form
) -> PeopleView:
    with ctx.database.read() as connection:
        found = list_people(
            connection,
            text=filters.q or None,
            unit_id=UUID(filters.unit) if filters.unit else None,
            role=Role(filters.role) if filters.role in set(Role) else None,
            state=filters.state or None,
            after=after,
            size=_SIZE + 1,
        )
        counts = people_by_role(connection)
        units = _units(request, ctx)
    shown = found[:_SIZE]
    say = speaker(request).gettext
    return PeopleView(
        filter=filters,
        choices=Choices(
            {
                "unit": tuple(Option(str(key), name) for key, name in units.items()),
                "role": _role_options(request),
                "state": (Option("active", say("Active")), Option("disabled", say("Disabled"))),
            }
        ),
        rows=tuple(_row(request, person, units) for person in shown),
        paging=paging(
            "/people",
            {"q": filters.q, "unit": filters.unit, "role": filters.role, "state": filters.state},
            total=len(shown),
            shown=len(shown),
            before=after,
            after=shown[-1].id if len(found) > _SIZE else None,
        ),
        roles=tuple(_role_row(request, role, counts.get(role, 0)) for role in Role),
        may_add=viewer.may(Right.ACCESS_PERSON_MANAGE),
        form=form,
    )


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
        state=_state(person),
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
        state=_state(person),
        seen_at=person.seen_at,
    )


def _state(person: Person) -> str:
    return "invited" if person.state == "active" and person.must_change_password else person.state


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
