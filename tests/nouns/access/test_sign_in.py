"""Sign-in, sessions, and what guessing costs."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import timedelta
from statistics import median
from time import perf_counter, sleep

import pytest
from sqlalchemy import select, text

from tests.nouns.access.conftest import ADDRESS, PASSWORD
from vault.access import guesses as slowing
from vault.access import passwords, service, sessions
from vault.access.errors import SignInFailed, TooManyGuesses
from vault.access.model import Event, Viewer
from vault.access.rights import Role
from vault.access.tables import guesses, people
from vault.access.tables import sessions as session_rows
from vault.foundation.clock import FixedClock
from vault.foundation.context import Context
from vault.foundation.ledger.entry import SYSTEM
from vault.foundation.ledger.tables import ledger_entries

pytestmark = pytest.mark.clause("C4.4")
MakePerson = Callable[..., Viewer]


@pytest.fixture(autouse=True)
def clerk(make_person: MakePerson) -> Viewer:
    return make_person("clerk1", Role.CLERK)


def refused(ctx: Context, login: str = "clerk1", password: str = "wrong", address: str = ADDRESS) -> str:
    try:
        sessions.sign_in(ctx, login, password, address)
    except (SignInFailed, TooManyGuesses) as error:
        return type(error).__name__
    return "signed in"


def test_a_session_is_kept_as_a_digest_only(ctx: Context, clerk: Viewer) -> None:
    cookie = sessions.sign_in(ctx, "clerk1", PASSWORD, ADDRESS)

    with ctx.database.read() as connection:
        kept = {bytes(row.digest) for row in connection.execute(select(session_rows.c.digest))}
        columns = [str(value) for row in connection.execute(select(session_rows)) for value in row]
    assert hashlib.sha256(cookie.encode()).digest() in kept
    assert not any(cookie in column for column in columns)
    session = sessions.find(ctx, cookie)
    assert session is not None
    assert (session.viewer.id, session.viewer.kind, session.viewer.name) == (clerk.id, "person", "clerk1 的姓名")


@pytest.mark.parametrize("login", ["clerk1", "CLERK1", " ｃｌｅｒｋ１ "])
def test_a_login_is_the_same_in_any_form(ctx: Context, login: str) -> None:
    assert sessions.find(ctx, sessions.sign_in(ctx, login, PASSWORD, ADDRESS)) is not None


def test_every_sign_in_is_another_session_with_its_own_csrf_token(ctx: Context) -> None:
    cookies = [sessions.sign_in(ctx, "clerk1", PASSWORD, ADDRESS) for _ in range(3)]
    found = [sessions.find(ctx, cookie) for cookie in cookies]

    assert len(set(cookies)) == 3
    assert len({session.csrf_token for session in found if session}) == 3


def test_signing_out_ends_this_session_and_no_other(ctx: Context, clerk: Viewer) -> None:
    one, other = (sessions.sign_in(ctx, "clerk1", PASSWORD, ADDRESS) for _ in range(2))

    sessions.sign_out(ctx, clerk, one)

    assert sessions.find(ctx, one) is None
    assert sessions.find(ctx, other) is not None


def test_a_session_ends_when_idle(ctx: Context, clock: FixedClock) -> None:
    cookie = sessions.sign_in(ctx, "clerk1", PASSWORD, ADDRESS)
    for _ in range(5):
        clock.advance(sessions.IDLE_MAX - timedelta(seconds=1))
        assert sessions.find(ctx, cookie) is not None

    clock.advance(sessions.IDLE_MAX)

    assert sessions.find(ctx, cookie) is None


def test_a_session_ends_however_busy(ctx: Context, clock: FixedClock) -> None:
    cookie = sessions.sign_in(ctx, "clerk1", PASSWORD, ADDRESS)
    step = timedelta(minutes=20)
    for _ in range(sessions.SESSION_LASTS // step - 1):
        clock.advance(step)
        assert sessions.find(ctx, cookie) is not None

    clock.advance(step)

    assert sessions.find(ctx, cookie) is None


@pytest.mark.parametrize("cookie", ["", "x", "0" * 43, "绝对不是"])
def test_what_was_never_given_out_opens_nothing(ctx: Context, cookie: str) -> None:
    assert sessions.find(ctx, cookie) is None


def test_roles_count_from_the_next_request(ctx: Context, operator: Viewer, clerk: Viewer) -> None:
    cookie = sessions.sign_in(ctx, "clerk1", PASSWORD, ADDRESS)

    service.grant_role(ctx, operator, clerk.id, Role.ARCHIVIST)
    widened = sessions.find(ctx, cookie)
    service.revoke_role(ctx, operator, clerk.id, Role.ARCHIVIST)
    narrowed = sessions.find(ctx, cookie)

    assert widened is not None
    assert narrowed is not None
    assert (widened.viewer.units, narrowed.viewer.units) == (None, frozenset({clerk.unit_id}))


# -- guesses -----------------------------------------------------------------------------------------------------


def test_the_wait_doubles_after_five_wrong_ones_and_the_right_one_waits_too(ctx: Context, clock: FixedClock) -> None:
    waits = []
    for _ in range(5):
        assert refused(ctx) == "SignInFailed"
    for expected_s in (2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900):
        assert refused(ctx) == "SignInFailed"
        with pytest.raises(TooManyGuesses) as told:
            sessions.sign_in(ctx, "clerk1", PASSWORD, ADDRESS)
        waits.append(told.value.facts["retry_after_s"])
        assert waits[-1] == expected_s + 1
        clock.advance(timedelta(seconds=expected_s))

    assert sessions.find(ctx, sessions.sign_in(ctx, "clerk1", PASSWORD, ADDRESS)) is not None
    assert refused(ctx) == "SignInFailed"  # and the count begins anew


def test_a_thousand_guesses_at_once_are_no_better(ctx: Context) -> None:
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda number: refused(ctx, password=f"guess {number}"), range(40)))

    assert answers.count("SignInFailed") == 6  # five free ones and the one after which the wait begins
    assert answers.count("TooManyGuesses") == 34


def test_unknown_logins_are_slowed_down_like_known_ones(ctx: Context) -> None:
    known = [refused(ctx, "clerk1", address=f"192.0.2.{number}") for number in range(9)]
    unknown = [refused(ctx, "nobody", address=f"198.51.100.{number}") for number in range(9)]

    assert known == unknown == ["SignInFailed"] * 6 + ["TooManyGuesses"] * 3


def test_an_unknown_login_takes_as_long_as_a_known_one(ctx: Context) -> None:
    def seconds(login: str, number: int) -> float:
        start = perf_counter()
        assert refused(ctx, login, address=f"203.0.113.{number}") == "SignInFailed"
        return perf_counter() - start

    known = [seconds("clerk1", number) for number in range(5)]
    unknown = [seconds(f"nobody{number}", number + 100) for number in range(5)]

    assert 0.4 < median(known) / median(unknown) < 2.5


@pytest.mark.slow
def test_one_address_that_tries_many_logins_is_slowed_down(ctx: Context) -> None:
    answers = [refused(ctx, f"guess{number}") for number in range(53)]

    assert answers == ["SignInFailed"] * 51 + ["TooManyGuesses"] * 2
    assert refused(ctx, "clerk1", PASSWORD) == "TooManyGuesses"
    assert refused(ctx, "clerk1", PASSWORD, "192.0.2.99") == "signed in"


@pytest.mark.slow
def test_a_hall_of_people_who_mistype_is_not_locked_out(ctx: Context) -> None:
    for _ in range(20):
        assert refused(ctx, "clerk1", "mistyped") == "SignInFailed"
        assert refused(ctx, "clerk1", PASSWORD) == "signed in"


def test_wrong_tries_are_forgotten(ctx: Context, clock: FixedClock) -> None:
    for _ in range(6):
        refused(ctx)
    clock.advance(timedelta(hours=24, seconds=1))

    assert [refused(ctx) for _ in range(5)] == ["SignInFailed"] * 5
    assert refused(ctx, password=PASSWORD) == "signed in"


def test_a_clock_that_was_wrong_locks_nobody_out(ctx: Context, clock: FixedClock) -> None:
    clock.advance(timedelta(days=365))
    for _ in range(8):
        refused(ctx)
    clock.at -= timedelta(days=365)

    assert refused(ctx, password=PASSWORD) == "signed in"


def test_what_is_guessed_at_is_not_kept(ctx: Context) -> None:
    refused(ctx, "13800138000")

    with ctx.database.read() as connection:
        kept = [bytes(target) for target in connection.execute(select(guesses.c.target)).scalars()]
    assert kept
    assert all(len(target) == 32 and b"13800138000" not in target for target in kept)


def test_refusals_are_in_the_ledger_and_waiting_ones_are_not(ctx: Context, clerk: Viewer) -> None:
    for _ in range(9):
        refused(ctx)
    refused(ctx, "nobody", address="192.0.2.99")

    with ctx.database.read() as connection:
        rows = connection.execute(
            select(ledger_entries.c.subject_type, ledger_entries.c.subject_id).where(
                ledger_entries.c.event == "access:session:refuse"
            )
        ).all()
    assert [row.subject_type for row in rows].count("person") == 6
    assert [row.subject_type for row in rows].count("sign_in") == 1
    assert {row.subject_id for row in rows if row.subject_type == "person"} == {clerk.id}


@pytest.mark.parametrize(
    ("failures", "seconds"), [(0, 0), (5, 0), (6, 2), (7, 4), (10, 32), (15, 900), (40, 900), (10_000, 900)]
)
def test_how_long_the_next_guess_waits(failures: int, seconds: int) -> None:
    assert slowing.delay_after(failures, 5) == timedelta(seconds=seconds)


def test_what_is_stale_is_cleared_and_what_counts_stays(ctx: Context, clock: FixedClock) -> None:
    refused(ctx)
    sessions.sign_in(ctx, "clerk1", PASSWORD, ADDRESS)
    clock.advance(timedelta(days=31))
    refused(ctx)
    cookie = sessions.sign_in(ctx, "clerk1", PASSWORD, ADDRESS)
    refused(ctx)

    assert sessions.clear_stale(ctx) > 0

    assert sessions.clear_stale(ctx) == 0
    assert sessions.find(ctx, cookie) is not None
    with ctx.database.read() as connection:
        assert len(connection.execute(select(session_rows.c.digest)).all()) == 1
        assert sorted(connection.execute(select(guesses.c.failures)).scalars()) == [1, 2]


def test_no_session_outlives_the_password_that_opened_it(ctx: Context, clerk: Viewer) -> None:
    """A sign-in verifies the old password while its change is under way, and may only go on after it."""
    with ThreadPoolExecutor(1) as pool:
        with ctx.database.transaction(clerk.actor) as tx:
            tx.connection.execute(
                people.update()
                .where(people.c.id == clerk.id)
                .values(password_hash=passwords.hash_password("新书架上的第一缕晨光", "clerk1"))
            )
            tx.connection.execute(session_rows.delete().where(session_rows.c.person_id == clerk.id))
            tx.witness(Event.PASSWORD_CHANGED, "person", clerk.id)
            signing_in = pool.submit(refused, ctx, "clerk1", PASSWORD)
            _wait_for_a_lock(ctx, signing_in)
            tx.commit()
        assert signing_in.result() == "SignInFailed"
    with ctx.database.read() as connection:
        assert connection.execute(select(session_rows).where(session_rows.c.person_id == clerk.id)).all() == []


def _wait_for_a_lock(ctx: Context, under_way: Future[str]) -> None:
    until = perf_counter() + 30
    while not under_way.done() and perf_counter() < until:
        with ctx.database.read() as connection:
            if connection.execute(text("SELECT count(*) FROM pg_locks WHERE NOT granted")).scalar_one():
                return
        sleep(0.01)


def test_a_right_sign_in_takes_no_count_from_under_another(ctx: Context) -> None:
    """Counting meets rows that others take away at the same time."""
    target = slowing.Target(b"t" * 32, 10_000, timedelta(hours=1))

    def try_often(_: int) -> None:
        for _time in range(60):
            with ctx.database.transaction(SYSTEM) as tx:
                slowing.count_attempt(tx, target)
                tx.commit()
            with ctx.database.transaction(SYSTEM) as tx:
                slowing.take_back(tx, target)
                tx.commit()

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(try_often, range(4))) == [None] * 4
    with ctx.database.read() as connection:
        assert connection.execute(select(guesses).where(guesses.c.target == target.digest)).all() == []
