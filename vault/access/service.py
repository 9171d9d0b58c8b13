"""The verbs of access: setting up, people, roles, passwords, units."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import psycopg
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from vault.access import passwords
from vault.access.errors import LoginTaken, OfficersKeptApart, OwnAccount, SignInFailed, UnitCodeTaken, WeakPassword
from vault.access.guesses import count_attempt, login_target, take_back
from vault.access.model import Event, Viewer
from vault.access.queries import get_person, normal_login, roles_of, unit_by_id
from vault.access.rights import FIRST_ADMINISTRATOR_ROLES, ROLE_RIGHTS, Right, Role, exclude_each_other, rights_of
from vault.access.tables import organisation, people, person_roles, sessions, units
from vault.foundation.context import Context
from vault.foundation.db.transaction import Transaction
from vault.foundation.errors import N_, InvalidInput, NotAllowed, NotFoundOrNotYours
from vault.foundation.ids import derived_id, new_id
from vault.foundation.ledger.entry import SYSTEM

ORGANISATION_ID = UUID("00000000-0000-7000-8000-000000000001")
FIRST_LOGIN = "admin"
_FIRST_UNIT_CODE = "GT01"
ONE_TIME_LASTS = timedelta(days=14)
_LOGIN_LENGTHS = range(2, 61)
UNIT_NAME_LENGTH_MAX = 100
_KEEPS_APART = frozenset({"person_roles_one_officer_key", "person_roles_system_officer_alone_fkey"})


@dataclass(frozen=True)
class NewAccount:
    """A person and the one-time password, which is shown once and must be changed at the first sign-in."""

    person_id: UUID
    login: str
    one_time_password: str


def initialise(tx: Transaction, fonds_code: str = "0001") -> NewAccount | None:
    """Makes organisation, first unit and first administrator; None when they are there. Leaves their events."""
    if tx.connection.execute(select(organisation.c.id)).one_or_none() is not None:
        return None
    tx.connection.execute(
        organisation.insert(), {"id": 1, "name": "", "fonds_code": fonds_code, "time_zone": "Asia/Shanghai"}
    )
    tx.witness(Event.ORGANISATION_SET_UP, "organisation", ORGANISATION_ID)
    unit_id = _insert_unit(tx, _FIRST_UNIT_CODE, "综合窗口", "General counter")
    account = _insert_person(tx, FIRST_LOGIN, "系统管理员", unit_id)
    for role in FIRST_ADMINISTRATOR_ROLES:
        _insert_role(tx, account.person_id, role)
    return account


def renew_first_password(ctx: Context, *, was_told: bool) -> NewAccount | None:
    """A new one-time password for the first administrator, when the one it has was never told, or ran out unused.

    Whoever starts the service on its host may act as its operator anyway. None: it is in use, or still good. Leaves
    `access:password:reset`.
    """
    with ctx.database.transaction(SYSTEM) as tx:
        row = tx.connection.execute(
            select(people.c.id, people.c.password_expires_at)
            .where(people.c.login == FIRST_LOGIN, people.c.must_change_password, people.c.state == "active")
            .with_for_update()
        ).one_or_none()
        if row is None or (was_told and row.password_expires_at > tx.clock.now()):
            return None
        password = passwords.one_time_password()
        _set_password(tx, row.id, passwords.one_time_hash(password), is_one_time=True)
        tx.witness(Event.PASSWORD_RESET, "person", row.id)
        tx.commit()
    return NewAccount(row.id, FIRST_LOGIN, password)


def change_organisation(tx: Transaction, viewer: Viewer, name: str, fonds_code: str, time_zone: str) -> None:
    """Names the organisation; what follows from it is the caller's (`retention.organisation`).

    Leaves `access:organisation:change`.

    Raises:
        NotAllowed, InvalidInput.
    """
    viewer.require(Right.SETTINGS_ORGANISATION_MANAGE)
    name = name.strip()
    if not 1 <= len(name) <= 100:
        raise InvalidInput(field="organisation", problem=N_("1 to 100 characters are needed"))
    if not (
        len(fonds_code) == 4 and fonds_code.isascii() and fonds_code.isalnum() and fonds_code == fonds_code.upper()
    ):
        raise InvalidInput(field="fonds_code", problem=N_("four digits or capitals are needed"))
    try:
        ZoneInfo(time_zone)
    except (ZoneInfoNotFoundError, ValueError):
        raise InvalidInput(field="zone", problem=N_("this time zone is not known")) from None
    tx.connection.execute(organisation.update().values(name=name, fonds_code=fonds_code, time_zone=time_zone))
    tx.witness(Event.ORGANISATION_CHANGED, "organisation", ORGANISATION_ID, fonds_code=fonds_code)


def create_unit(ctx: Context, viewer: Viewer, code: str, name_zh: str, name_en: str) -> UUID:
    """A new unit. Leaves `access:unit:create`.

    Raises:
        NotAllowed, InvalidInput, UnitCodeTaken.
    """
    viewer.require(Right.SETTINGS_ORGANISATION_MANAGE)
    if not (1 <= len(code) <= 12 and code.isascii() and code.isalnum() and code == code.upper()):
        raise InvalidInput(field="code", problem=N_("1 to 12 digits or capitals are needed"))
    name_zh, name_en = (" ".join(name.split()) for name in (name_zh, name_en))
    if not 1 <= len(name_zh) <= UNIT_NAME_LENGTH_MAX:
        raise InvalidInput(field="name_zh", problem=N_("1 to 100 characters are needed"))
    if len(name_en) > UNIT_NAME_LENGTH_MAX:
        raise InvalidInput(field="name_en", problem=N_("it is too long"))
    try:
        with ctx.database.transaction(viewer.actor) as tx:
            unit_id = _insert_unit(tx, code, name_zh, name_en or name_zh)
            tx.commit()
    except IntegrityError as error:
        raise UnitCodeTaken from error
    return unit_id


def create_person(
    ctx: Context, viewer: Viewer, login: str, name: str, unit_id: UUID, roles: frozenset[Role] = frozenset()
) -> NewAccount:
    """A new account with a one-time password. Leaves `access:person:create` and `access:role:grant`.

    Raises:
        NotAllowed, InvalidInput, LoginTaken, OfficersKeptApart, NotFoundOrNotYours.
    """
    viewer.require(Right.ACCESS_PERSON_MANAGE)
    if roles:
        viewer.require(Right.ACCESS_ROLE_GRANT)
    login, name = normal_login(login), name.strip()
    if len(login) not in _LOGIN_LENGTHS or any(character.isspace() for character in login):
        raise InvalidInput(field="sign_in_name", problem=N_("2 to 60 characters without blanks are needed"))
    if not 1 <= len(name) <= 60:
        raise InvalidInput(field="name", problem=N_("1 to 60 characters are needed"))
    if exclude_each_other(roles):
        raise OfficersKeptApart
    try:
        with ctx.database.transaction(viewer.actor) as tx:
            unit_by_id(tx.connection, unit_id)
            account = _insert_person(tx, login, name, unit_id)
            for role in sorted(roles):
                _insert_role(tx, account.person_id, role)
            tx.commit()
    except IntegrityError as error:
        if _constraint(error) != "people_login_key":
            raise
        raise LoginTaken from error
    return account


def set_person_state(ctx: Context, viewer: Viewer, person_id: UUID, *, active: bool) -> None:
    """Disables an account and ends its sessions, or enables it. Leaves `access:person:disable` or `enable`.

    Raises:
        NotAllowed, OwnAccount, NotFoundOrNotYours.
    """
    viewer.require(Right.ACCESS_PERSON_MANAGE)
    if person_id == viewer.id:
        raise OwnAccount
    with ctx.database.transaction(viewer.actor) as tx:
        _require_still(tx, viewer, Right.ACCESS_PERSON_MANAGE)
        get_person(tx.connection, person_id)
        tx.connection.execute(
            people.update().where(people.c.id == person_id).values(state="active" if active else "disabled")
        )
        if not active:
            tx.connection.execute(sessions.delete().where(sessions.c.person_id == person_id))
        tx.witness(Event.PERSON_ENABLED if active else Event.PERSON_DISABLED, "person", person_id)
        tx.commit()


def grant_role(ctx: Context, viewer: Viewer, person_id: UUID, role: Role) -> None:
    """Gives a role. Leaves `access:role:grant`; nothing when the person has it.

    Raises:
        NotAllowed, OwnAccount, OfficersKeptApart, NotFoundOrNotYours.
    """
    viewer.require(Right.ACCESS_ROLE_GRANT)
    if person_id == viewer.id:
        raise OwnAccount
    try:
        with ctx.database.transaction(viewer.actor) as tx:
            held = get_person(tx.connection, person_id).roles
            if role not in held:
                if exclude_each_other(held | {role}):
                    raise OfficersKeptApart
                _insert_role(tx, person_id, role)
                tx.commit()
    except IntegrityError as error:
        if _constraint(error) not in _KEEPS_APART:
            raise
        raise OfficersKeptApart from error


def revoke_role(ctx: Context, viewer: Viewer, person_id: UUID, role: Role) -> None:
    """Takes a role. Leaves `access:role:revoke`; nothing when the person does not have it.

    Raises:
        NotAllowed, OwnAccount, NotFoundOrNotYours.
    """
    viewer.require(Right.ACCESS_ROLE_GRANT)
    if person_id == viewer.id:
        raise OwnAccount
    with ctx.database.transaction(viewer.actor) as tx:
        _require_still(tx, viewer, Right.ACCESS_ROLE_GRANT)
        if role in get_person(tx.connection, person_id).roles:
            tx.connection.execute(
                person_roles.delete().where(person_roles.c.person_id == person_id, person_roles.c.role == role.value)
            )
            tx.witness(Event.ROLE_REVOKED, "person", person_id, role=role.value)
            tx.commit()


def change_password(ctx: Context, viewer: Viewer, old: str, new: str) -> None:
    """Changes the own password and ends all own sessions. Leaves `access:password:change`.

    Raises:
        SignInFailed: the old password is wrong; it counts as a guess.
        TooManyGuesses: it was wrong too often.
        WeakPassword: the new one is too easy, or the old one again.
    """
    if passwords.normalised(old) == passwords.normalised(new):
        raise WeakPassword(problem=N_("it is the old one"), length_min=passwords.LENGTH_MIN)
    target = login_target(f"change/{viewer.id}")
    with ctx.database.transaction(viewer.actor) as tx:
        person = get_person(tx.connection, viewer.id)
        kept = passwords.hash_password(new, person.login, person.name)
        count_attempt(tx, target)
        tx.commit()
    with ctx.database.transaction(viewer.actor) as tx:
        row = tx.connection.execute(select(people).where(people.c.id == viewer.id).with_for_update()).one()
        if not passwords.is_right(row.password_hash, old):
            raise SignInFailed
        take_back(tx, target)
        _set_password(tx, viewer.id, kept, is_one_time=False)
        tx.witness(Event.PASSWORD_CHANGED, "person", viewer.id)
        tx.commit()


def reset_password(ctx: Context, viewer: Viewer, person_id: UUID) -> NewAccount:
    """A new one-time password for somebody else; ends their sessions. Leaves `access:password:reset`.

    Raises:
        NotAllowed, OwnAccount, NotFoundOrNotYours.
    """
    viewer.require(Right.ACCESS_PERSON_MANAGE)
    if person_id == viewer.id:
        raise OwnAccount
    with ctx.database.transaction(viewer.actor) as tx:
        person = get_person(tx.connection, person_id)
        password = passwords.one_time_password()
        _set_password(tx, person_id, passwords.one_time_hash(password), is_one_time=True)
        tx.witness(Event.PASSWORD_RESET, "person", person_id)
        tx.commit()
    return NewAccount(person_id, person.login, password)


def change_language(ctx: Context, viewer: Viewer, language: str) -> None:
    """Sets the own language (zh or en). Leaves `access:person:change_language`. Raises InvalidInput."""
    if language not in {"zh", "en"}:
        raise InvalidInput(field="language", problem=N_("this language is not known"))
    with ctx.database.transaction(viewer.actor) as tx:
        tx.connection.execute(people.update().where(people.c.id == viewer.id).values(language=language))
        tx.witness(Event.PERSON_LANGUAGE_CHANGED, "person", viewer.id, language=language)
        tx.commit()


def operator_viewer(ctx: Context) -> Viewer:
    """The operator of the host: whoever may read the home directory may act, and the ledger says it was they."""
    with ctx.database.read() as connection:
        unit_id = connection.execute(select(units.c.id).order_by(units.c.id).limit(1)).scalar_one_or_none()
    if unit_id is None:
        raise NotFoundOrNotYours
    everything = frozenset(Right) | frozenset().union(*ROLE_RIGHTS.values())
    return Viewer(
        id=derived_id(ORGANISATION_ID, "operator"),
        kind="operator",
        name="operator",
        rights=everything,
        unit_id=unit_id,
        units=None,
    )


def _insert_unit(tx: Transaction, code: str, name_zh: str, name_en: str) -> UUID:
    unit_id = new_id()
    tx.connection.execute(
        units.insert(),
        {"id": unit_id, "code": code, "name_zh": name_zh, "name_en": name_en, "created_at": tx.clock.now()},
    )
    tx.witness(Event.UNIT_CREATED, "unit", unit_id, code=code)
    return unit_id


def _insert_person(tx: Transaction, login: str, name: str, unit_id: UUID) -> NewAccount:
    person_id, password = new_id(), passwords.one_time_password()
    tx.connection.execute(
        people.insert(),
        {
            "id": person_id,
            "login": login,
            "name": name,
            "unit_id": unit_id,
            "state": "active",
            "password_hash": passwords.one_time_hash(password),
            "must_change_password": True,
            "password_expires_at": tx.clock.now() + ONE_TIME_LASTS,
            "created_at": tx.clock.now(),
        },
    )
    tx.witness(Event.PERSON_CREATED, "person", person_id, unit_id=str(unit_id))
    return NewAccount(person_id, login, password)


def _insert_role(tx: Transaction, person_id: UUID, role: Role) -> None:
    runs_system = role is Role.SYSTEM_OFFICER
    tx.connection.execute(
        people.update()
        .where(people.c.id == person_id, people.c.runs_system != runs_system)
        .values(runs_system=runs_system)
    )
    tx.connection.execute(
        person_roles.insert(), {"person_id": person_id, "role": role.value, "granted_at": tx.clock.now()}
    )
    tx.witness(Event.ROLE_GRANTED, "person", person_id, role=role.value)


def _set_password(tx: Transaction, person_id: UUID, kept: str, *, is_one_time: bool) -> None:
    tx.connection.execute(
        people.update()
        .where(people.c.id == person_id)
        .values(
            password_hash=kept,
            must_change_password=is_one_time,
            password_expires_at=tx.clock.now() + ONE_TIME_LASTS if is_one_time else None,
        )
    )
    tx.connection.execute(sessions.delete().where(sessions.c.person_id == person_id))


def _require_still(tx: Transaction, viewer: Viewer, right: Right) -> None:
    """Takes turns with all who take rights away, and looks again.

    Two who revoke each other must not both succeed, or nobody would be left who can grant.
    """
    tx.connection.execute(select(organisation.c.id).with_for_update())
    if viewer.kind == "person" and right not in rights_of(roles_of(tx.connection, viewer.id)):
        raise NotAllowed(right=right.value)


def _constraint(error: IntegrityError) -> str | None:
    return error.orig.diag.constraint_name if isinstance(error.orig, psycopg.Error) else None
