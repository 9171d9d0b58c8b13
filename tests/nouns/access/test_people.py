"""Setting up, people, roles and units; and what the database refuses whoever asks."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import IntegrityError

from tests.nouns.access.conftest import ADDRESS, PASSWORD
from tests.support.archive import Archive
from vault.access import queries, service, sessions
from vault.access.errors import (
    LoginTaken,
    OfficersKeptApart,
    OwnAccount,
    PasswordMustChange,
    SignInFailed,
    TooManyGuesses,
    UnitCodeTaken,
    WeakPassword,
)
from vault.access.model import Viewer
from vault.access.queries import PeopleFilters
from vault.access.rights import FIRST_ADMINISTRATOR_ROLES, OFFICERS, Right, Role
from vault.access.tables import people, person_roles
from vault.foundation.clock import FixedClock
from vault.foundation.context import Context
from vault.foundation.db.errors import UnwitnessedChange
from vault.foundation.errors import InvalidInput, NotAllowed, NotFoundOrNotYours
from vault.foundation.ledger.entry import SYSTEM
from vault.foundation.ledger.tables import ledger_entries
from vault.retention.organisation import set_up

pytestmark = pytest.mark.clause("C4.4")
MakePerson = Callable[..., Viewer]


def events_of(ctx: Context, subject_id: UUID) -> list[str]:
    with ctx.database.read() as connection:
        query = select(ledger_entries.c.event).where(ledger_entries.c.subject_id == subject_id)
        return list(connection.execute(query.order_by(ledger_entries.c.id)).scalars())


def roles_of(ctx: Context, person_id: UUID) -> frozenset[Role]:
    with ctx.database.read() as connection:
        return queries.roles_of(connection, person_id)


# -- setting up --------------------------------------------------------------------------------------------------


def test_the_first_administrator_signs_in_with_the_one_time_password_and_must_change_it(house: Archive) -> None:
    cookie = sessions.sign_in(house.ctx, service.FIRST_LOGIN, house.first_password, ADDRESS)

    session = sessions.find(house.ctx, cookie)
    assert session is not None
    assert session.viewer.must_change_password
    with pytest.raises(PasswordMustChange):
        session.viewer.require(Right.RECORDS_RECORD_READ)
    service.change_password(house.ctx, session.viewer, house.first_password, PASSWORD)
    assert sessions.find(house.ctx, cookie) is None  # every session ends with the password
    again = sessions.find(house.ctx, sessions.sign_in(house.ctx, service.FIRST_LOGIN, PASSWORD, ADDRESS))
    assert again is not None
    assert not again.viewer.must_change_password
    assert again.viewer.units is None
    for right in (
        Right.RECORDS_RECORD_READ,
        Right.INTAKE_ITEM_SEND,
        Right.ACCESS_ROLE_GRANT,
        Right.ACCESS_TOKEN_ISSUE,
    ):
        again.viewer.require(right)
    with house.ctx.database.read() as connection:
        assert queries.get_person(connection, again.viewer.id).roles == set(FIRST_ADMINISTRATOR_ROLES)


def test_setting_up_happens_once(ctx: Context) -> None:
    with ctx.database.transaction(SYSTEM) as tx:
        assert service.initialise(tx) is None
    with ctx.database.transaction(SYSTEM) as tx, pytest.raises(IntegrityError):
        tx.connection.execute(
            text("INSERT INTO organisation (id, name, fonds_code, time_zone) VALUES (2, 'other', '0002', 'UTC')")
        )


def test_the_organisation_is_named_by_whoever_may(ctx: Context, operator: Viewer, make_person: MakePerson) -> None:
    set_up(ctx, operator, " 临海市政务服务中心 ", "0057", "Asia/Shanghai")

    with ctx.database.read() as connection:
        named = queries.organisation(connection)
    assert (named.name, named.fonds_code, named.time_zone) == ("临海市政务服务中心", "0057", "Asia/Shanghai")
    assert events_of(ctx, service.ORGANISATION_ID)[-1] == "access:organisation:change"
    with pytest.raises(NotAllowed):
        set_up(ctx, make_person("clerk1", Role.CLERK), "别的", "0057", "Asia/Shanghai")
    for name, fonds, zone in (
        ("", "0057", "UTC"),
        ("甲", "57", "UTC"),
        ("甲", "0057", "Mars/Olympus"),
        ("甲", "００５７", "UTC"),
    ):
        with pytest.raises(InvalidInput):
            set_up(ctx, operator, name, fonds, zone)


# -- people ------------------------------------------------------------------------------------------------------


def test_a_person_is_added_witnessed_and_found(ctx: Context, operator: Viewer) -> None:
    account = service.create_person(ctx, operator, "LiXiulan", "李秀兰", operator.unit_id, frozenset({Role.CLERK}))

    with ctx.database.read() as connection:
        person = queries.get_person(connection, account.person_id)
        assert queries.find_people(connection, PeopleFilters(text="秀")).lines[0].id == person.id
        assert queries.find_people(connection, PeopleFilters(text="XIU", role=Role.CLERK)).lines[0].id == person.id
        assert queries.find_people(connection, PeopleFilters(role=Role.LEGAL)).lines == ()
        assert queries.actor_names(connection, [person.id, uuid4()]) == {person.id: "李秀兰"}
    assert (person.login, person.name, person.roles, person.must_change_password) == (
        "lixiulan",
        "李秀兰",
        {Role.CLERK},
        True,
    )
    assert events_of(ctx, person.id) == ["access:person:create", "access:role:grant"]


@pytest.mark.parametrize("taken", ["lixiulan", "LIXIULAN", "ｌｉｘｉｕｌａｎ"])
def test_one_login_is_one_person_whatever_its_capitals(ctx: Context, operator: Viewer, taken: str) -> None:
    service.create_person(ctx, operator, "lixiulan", "李秀兰", operator.unit_id)

    with pytest.raises(LoginTaken):
        service.create_person(ctx, operator, taken, "李秀岚", operator.unit_id)


def test_the_database_too_knows_one_login_in_any_capitals(ctx: Context, operator: Viewer) -> None:
    account = service.create_person(ctx, operator, "lixiulan", "李秀兰", operator.unit_id)
    other = service.create_person(ctx, operator, "wang", "王建国", operator.unit_id)

    with ctx.database.transaction(SYSTEM) as tx, pytest.raises(IntegrityError, match="people_login_key"):
        tx.connection.execute(people.update().where(people.c.id == other.person_id).values(login="LiXiuLan"))
    assert account.login == "lixiulan"


@pytest.mark.parametrize(
    ("login", "name"), [("l", "李"), ("li xiulan", "李"), ("", "李"), ("lixiulan", ""), ("x" * 61, "李")]
)
def test_a_person_without_a_usable_name_is_refused(ctx: Context, operator: Viewer, login: str, name: str) -> None:
    with pytest.raises(InvalidInput):
        service.create_person(ctx, operator, login, name, operator.unit_id)


def test_a_unit_that_does_not_exist_is_not_found(ctx: Context, operator: Viewer) -> None:
    with pytest.raises(NotFoundOrNotYours):
        service.create_person(ctx, operator, "lixiulan", "李秀兰", uuid4())
    with ctx.database.read() as connection:
        assert queries.find_people(connection, PeopleFilters(text="lixiulan")).lines == ()


def test_only_whoever_may_adds_people_and_roles(ctx: Context, operator: Viewer, make_person: MakePerson) -> None:
    clerk = make_person("clerk1", Role.CLERK)
    for act in (
        lambda: service.create_person(ctx, clerk, "x1", "甲", operator.unit_id),
        lambda: service.grant_role(ctx, clerk, operator.id, Role.LEGAL),
        lambda: service.revoke_role(ctx, clerk, operator.id, Role.LEGAL),
        lambda: service.reset_password(ctx, clerk, operator.id),
        lambda: service.set_person_state(ctx, clerk, operator.id, active=False),
        lambda: service.create_unit(ctx, clerk, "GT99", "窗", ""),
    ):
        with pytest.raises(NotAllowed):
            act()


def test_nobody_does_these_to_themselves(ctx: Context, make_person: MakePerson) -> None:
    officer = make_person("officer1", Role.SECURITY_OFFICER)
    for act in (
        lambda: service.grant_role(ctx, officer, officer.id, Role.ARCHIVIST),
        lambda: service.revoke_role(ctx, officer, officer.id, Role.SECURITY_OFFICER),
        lambda: service.reset_password(ctx, officer, officer.id),
        lambda: service.set_person_state(ctx, officer, officer.id, active=False),
    ):
        with pytest.raises(OwnAccount):
            act()
    assert roles_of(ctx, officer.id) == {Role.SECURITY_OFFICER}


def test_a_disabled_person_is_out_at_once_and_can_come_back(
    ctx: Context, operator: Viewer, make_person: MakePerson
) -> None:
    person = make_person("clerk1", Role.CLERK)
    cookie = sessions.sign_in(ctx, "clerk1", PASSWORD, ADDRESS)

    service.set_person_state(ctx, operator, person.id, active=False)

    assert sessions.find(ctx, cookie) is None
    with pytest.raises(SignInFailed):
        sessions.sign_in(ctx, "clerk1", PASSWORD, ADDRESS)
    service.set_person_state(ctx, operator, person.id, active=True)
    assert sessions.find(ctx, sessions.sign_in(ctx, "clerk1", PASSWORD, ADDRESS)) is not None
    assert [event for event in events_of(ctx, person.id) if event.startswith("access:person:")] == [
        "access:person:create",
        "access:person:disable",
        "access:person:enable",
    ]


def test_a_reset_password_ends_sessions_and_must_be_changed(
    ctx: Context, operator: Viewer, make_person: MakePerson
) -> None:
    person = make_person("clerk1", Role.CLERK)
    cookie = sessions.sign_in(ctx, "clerk1", PASSWORD, ADDRESS)

    account = service.reset_password(ctx, operator, person.id)

    assert sessions.find(ctx, cookie) is None
    with pytest.raises(SignInFailed):
        sessions.sign_in(ctx, "clerk1", PASSWORD, ADDRESS)
    session = sessions.find(ctx, sessions.sign_in(ctx, "clerk1", account.one_time_password, ADDRESS))
    assert session is not None
    assert session.viewer.must_change_password


def test_a_one_time_password_runs_out(ctx: Context, operator: Viewer, clock: FixedClock) -> None:
    account = service.create_person(ctx, operator, "lixiulan", "李秀兰", operator.unit_id)

    clock.advance(service.ONE_TIME_LASTS)

    with pytest.raises(SignInFailed):
        sessions.sign_in(ctx, "lixiulan", account.one_time_password, ADDRESS)


def test_changing_the_password_needs_the_old_one_and_a_good_new_one(ctx: Context, make_person: MakePerson) -> None:
    person = make_person("clerk1", Role.CLERK)

    with pytest.raises(SignInFailed):
        service.change_password(ctx, person, "not the old one", "月光照在新书架上")
    with pytest.raises(WeakPassword):
        service.change_password(ctx, person, PASSWORD, PASSWORD)
    with pytest.raises(WeakPassword):
        service.change_password(ctx, person, PASSWORD, "password12345")
    service.change_password(ctx, person, PASSWORD, "月光照在新书架上")
    assert events_of(ctx, person.id).count("access:password:change") == 2


def test_the_old_password_cannot_be_guessed_through_a_stolen_session(ctx: Context, make_person: MakePerson) -> None:
    person = make_person("clerk1", Role.CLERK)

    for number in range(6):
        with pytest.raises(SignInFailed):
            service.change_password(ctx, person, f"guess number {number}", "月光照在新书架上")

    with pytest.raises(TooManyGuesses):
        service.change_password(ctx, person, PASSWORD, "月光照在新书架上")


# -- officers ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("held", "wanted"),
    [
        (Role.SYSTEM_OFFICER, Role.SECURITY_OFFICER),
        (Role.SECURITY_OFFICER, Role.AUDIT_OFFICER),
        (Role.AUDIT_OFFICER, Role.SYSTEM_OFFICER),
        (Role.SYSTEM_OFFICER, Role.ARCHIVIST),
        (Role.CLERK, Role.SYSTEM_OFFICER),
    ],
)
def test_officers_are_kept_apart_in_python_and_in_the_database(
    ctx: Context, operator: Viewer, make_person: MakePerson, held: Role, wanted: Role
) -> None:
    person = make_person("someone", held)

    with pytest.raises(OfficersKeptApart):
        service.grant_role(ctx, operator, person.id, wanted)
    with pytest.raises(OfficersKeptApart):
        service.create_person(ctx, operator, "another", "甲", operator.unit_id, frozenset({held, wanted}))
    with (
        ctx.database.transaction(SYSTEM) as tx,
        pytest.raises(IntegrityError, match=r"person_roles_(one|system)_officer"),
    ):
        tx.connection.execute(
            person_roles.insert(), {"person_id": person.id, "role": wanted.value, "granted_at": ctx.clock.now()}
        )
    assert roles_of(ctx, person.id) == {held}


def test_turning_a_clerk_into_the_system_officer_behind_our_back_is_refused(
    ctx: Context, make_person: MakePerson
) -> None:
    clerk = make_person("clerk1", Role.CLERK, Role.ARCHIVIST)

    with ctx.database.transaction(SYSTEM) as tx, pytest.raises(IntegrityError, match="system_officer_alone"):
        tx.connection.execute(people.update().where(people.c.id == clerk.id).values(runs_system=True))
    with ctx.database.transaction(SYSTEM) as tx, pytest.raises(IntegrityError, match="role_known"):
        tx.connection.execute(
            person_roles.insert(), {"person_id": clerk.id, "role": "emperor", "granted_at": ctx.clock.now()}
        )


def test_who_lays_down_an_office_may_take_another(ctx: Context, operator: Viewer, make_person: MakePerson) -> None:
    person = make_person("someone", Role.SYSTEM_OFFICER)
    service.revoke_role(ctx, operator, person.id, Role.SYSTEM_OFFICER)

    service.grant_role(ctx, operator, person.id, Role.ARCHIVIST)
    service.grant_role(ctx, operator, person.id, Role.ARCHIVIST)

    assert roles_of(ctx, person.id) == {Role.ARCHIVIST}
    assert events_of(ctx, person.id)[-2:] == ["access:role:revoke", "access:role:grant"]


@pytest.mark.parametrize(
    "wanted", [(Role.SYSTEM_OFFICER, Role.ARCHIVIST), (Role.AUDIT_OFFICER, Role.SECURITY_OFFICER)]
)
def test_of_two_offices_granted_at_once_one_is_refused(
    ctx: Context, operator: Viewer, make_person: MakePerson, wanted: tuple[Role, Role]
) -> None:
    """Ten races: the database decides, and the one who comes second gets an answer with a name."""
    person = make_person("someone")
    for _ in range(10):
        with ThreadPoolExecutor(2) as pool:
            answers = [pool.submit(service.grant_role, ctx, operator, person.id, role) for role in wanted]
        refused = [answer.exception() for answer in answers if answer.exception() is not None]
        assert [type(error) for error in refused] == [OfficersKeptApart]
        held = roles_of(ctx, person.id)
        assert len(held) == 1
        service.revoke_role(ctx, operator, person.id, next(iter(held)))


def test_two_security_officers_who_dismiss_each_other_do_not_both_succeed(
    ctx: Context, make_person: MakePerson
) -> None:
    one, other = make_person("officer1", Role.SECURITY_OFFICER), make_person("officer2", Role.SECURITY_OFFICER)

    with ThreadPoolExecutor(2) as pool:
        answers = [
            pool.submit(service.revoke_role, ctx, viewer, victim.id, Role.SECURITY_OFFICER)
            for viewer, victim in ((one, other), (other, one))
        ]

    refused = [answer.exception() for answer in answers if answer.exception() is not None]
    assert [type(error) for error in refused] == [NotAllowed]
    assert sorted(len(roles_of(ctx, viewer.id)) for viewer in (one, other)) == [0, 1]


@pytest.mark.parametrize("officer", sorted(OFFICERS))
def test_an_officer_sees_no_records(make_person: MakePerson, officer: Role) -> None:
    viewer = make_person("officer1", officer)

    for right in (Right.RECORDS_RECORD_READ, Right.RECORDS_ORIGINAL_FETCH, Right.RECORDS_FIELD_UNMASK):
        with pytest.raises(NotAllowed):
            viewer.require(right)


# -- units and sight ---------------------------------------------------------------------------------------------


def test_a_clerk_sees_the_own_unit_and_an_archivist_all(
    ctx: Context, operator: Viewer, make_person: MakePerson
) -> None:
    other_unit = service.create_unit(ctx, operator, "YY01", "营业部", "")
    clerk = make_person("clerk1", Role.CLERK, unit_id=other_unit)
    archivist = make_person("archivist1", Role.ARCHIVIST, unit_id=other_unit)

    assert operator.unit_id is not None
    assert (clerk.may_see_unit(other_unit), clerk.may_see_unit(operator.unit_id)) == (True, False)
    assert (archivist.may_see_unit(other_unit), archivist.may_see_unit(operator.unit_id)) == (True, True)
    with ctx.database.read() as connection:
        assert queries.unit_id_by_code(connection, "YY01") == other_unit
        assert queries.unit_codes(connection)[other_unit] == "YY01"
        with pytest.raises(NotFoundOrNotYours):
            queries.unit_id_by_code(connection, "NONE")


@pytest.mark.parametrize("code", ["", "yy01", "YY-01", "Y" * 13, "营业"])
def test_a_unit_code_must_fit_an_archival_number(ctx: Context, operator: Viewer, code: str) -> None:
    with pytest.raises(InvalidInput):
        service.create_unit(ctx, operator, code, "营业部", "")


def test_a_unit_code_is_given_once(ctx: Context, operator: Viewer) -> None:
    service.create_unit(ctx, operator, "YY01", "营业部", "Sales")

    with pytest.raises(UnitCodeTaken):
        service.create_unit(ctx, operator, "YY01", "别的", "Other")


# -- the ledger --------------------------------------------------------------------------------------------------


@pytest.mark.invariant("L1")
def test_a_change_that_nobody_witnesses_is_refused(ctx: Context, make_person: MakePerson) -> None:
    person = make_person("clerk1", Role.CLERK)

    for statement in (
        people.update().where(people.c.id == person.id).values(name="别名"),
        person_roles.delete().where(person_roles.c.person_id == person.id),
    ):
        with ctx.database.transaction(SYSTEM) as tx:
            tx.connection.execute(statement)
            with pytest.raises(UnwitnessedChange):
                tx.commit()
    assert roles_of(ctx, person.id) == {Role.CLERK}


@pytest.mark.invariant("L3")
def test_the_ledger_holds_no_names_logins_or_secrets(ctx: Context, operator: Viewer, make_person: MakePerson) -> None:
    person = make_person("lixiulan", Role.CLERK)
    account = service.reset_password(ctx, operator, person.id)
    with pytest.raises(SignInFailed):
        sessions.sign_in(ctx, "lixiulan", "wrong password", ADDRESS)
    with pytest.raises(SignInFailed):
        sessions.sign_in(ctx, "unknown.person", "wrong password", ADDRESS)

    with ctx.database.read() as connection:
        told = b"\n".join(bytes(body) for body in connection.execute(select(ledger_entries.c.body)).scalars())
    for secret in ("lixiulan", "姓名", PASSWORD, account.one_time_password, ADDRESS, "unknown.person", "wrong"):
        assert secret.encode() not in told
