"""Sign-in, sessions and the slowing-down of guesses."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row, func, select

from vault.access import passwords
from vault.access.errors import SignInFailed
from vault.access.guesses import Target, address_target, count_attempt, login_target, take_back
from vault.access.model import Event, Viewer
from vault.access.queries import normal_login, viewer_of_person
from vault.access.tables import guesses, people, sessions
from vault.foundation.context import Context
from vault.foundation.ids import new_id, new_token
from vault.foundation.ledger.entry import SYSTEM, Actor

IDLE_MAX = timedelta(minutes=60)
SESSION_LASTS = timedelta(hours=12)
_SEEN_EVERY = timedelta(minutes=1)
_SEEN_KEPT = timedelta(days=30)
_GUESSES_KEPT = timedelta(hours=48)


@dataclass(frozen=True)
class Session:
    """A browser that is signed in."""

    viewer: Viewer
    csrf_token: str
    started_at: datetime


def sign_in(ctx: Context, login: str, password: str, address: str) -> str:
    """Opens a session and returns its secret for the cookie. Leaves `access:session:start`.

    Every refusal is in the ledger as `access:session:refuse`, on the person when there is one. An unknown login, a
    wrong password, a disabled account and a one-time password that ran out take as long and answer the same.

    Raises:
        SignInFailed: they do not belong together, or the account cannot be used.
        TooManyGuesses: this login or address failed too often; says how long to wait.
    """
    login = normal_login(login)
    targets = (login_target(login), address_target(address))
    with ctx.database.transaction(SYSTEM) as tx:
        wait = count_attempt(tx, *targets)
        tx.commit()
    with ctx.database.read() as connection:
        row = connection.execute(select(people).where(func.lower(people.c.login) == login)).one_or_none()
    is_right = passwords.is_right(row.password_hash if row else None, password)
    secret = _begin(ctx, row, targets) if is_right and row is not None else None
    if secret is None:
        with ctx.database.transaction(SYSTEM) as tx:
            subject = ("person", row.id) if row else ("sign_in", new_id())
            tx.witness(Event.SIGN_IN_REFUSED, *subject, wait_s=int(wait.total_seconds()))
            tx.commit()
        raise SignInFailed
    return secret


def _begin(ctx: Context, verified: Row[Any], targets: tuple[Target, Target]) -> str | None:
    """A session for whom the password was right; none when the account cannot be used or changed meanwhile.

    The row stays locked until the session is there: whoever changes the password or disables the account comes
    after it and ends it, so no session outlives the password that opened it.
    """
    secret, now = new_token(), ctx.clock.now()
    with ctx.database.transaction(Actor("person", verified.id)) as tx:
        person = tx.connection.execute(
            select(people).where(people.c.id == verified.id).with_for_update(read=True)
        ).one()
        if person.password_hash != verified.password_hash or person.state != "active":
            return None
        if _ran_out(person.password_expires_at, now):
            return None
        take_back(tx, *targets)
        tx.connection.execute(
            sessions.insert(),
            {
                "digest": _digest(secret),
                "person_id": person.id,
                "csrf_token": new_token(),
                "started_at": now,
                "seen_at": now,
                "expires_at": now + SESSION_LASTS,
            },
        )
        tx.witness(Event.SIGNED_IN, "person", person.id)
        tx.commit()
    return secret


def find(ctx: Context, secret: str) -> Session | None:
    """The session of a cookie; None when it ended, ran out or idled too long."""
    now = ctx.clock.now()
    digest = _digest(secret)
    with ctx.database.read() as connection:
        row = connection.execute(
            select(sessions).where(
                sessions.c.digest == digest, sessions.c.expires_at > now, sessions.c.seen_at > now - IDLE_MAX
            )
        ).one_or_none()
        viewer = viewer_of_person(connection, row.person_id) if row else None
    if row is None or viewer is None:
        return None
    if row.seen_at < now - _SEEN_EVERY:
        with ctx.database.transaction(viewer.actor) as tx:
            tx.connection.execute(sessions.update().where(sessions.c.digest == digest).values(seen_at=now))
            tx.commit()
    return Session(viewer, row.csrf_token, row.started_at)


def sign_out(ctx: Context, viewer: Viewer, secret: str) -> bool:
    """Ends the session; whether there was one. Leaves `access:session:end`."""
    with ctx.database.transaction(viewer.actor) as tx:
        ended = tx.connection.execute(sessions.delete().where(sessions.c.digest == _digest(secret))).rowcount == 1
        if ended:
            tx.witness(Event.SIGNED_OUT, "person", viewer.id)
            tx.commit()
    return ended


def clear_stale(ctx: Context) -> int:
    """Removes sessions that ran out a month ago and guesses that are forgotten; returns how many rows.

    Until then a session's row tells when its person was last seen. Nothing is witnessed: nothing changes for anybody.
    """
    now = ctx.clock.now()
    with ctx.database.transaction(SYSTEM) as tx:
        old = tx.connection.execute(sessions.delete().where(sessions.c.expires_at < now - _SEEN_KEPT))
        forgotten = tx.connection.execute(guesses.delete().where(guesses.c.last_at < now - _GUESSES_KEPT))
        tx.commit()
    return old.rowcount + forgotten.rowcount


def _digest(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()


def _ran_out(expires_at: datetime | None, now: datetime) -> bool:
    return expires_at is not None and expires_at <= now
