"""Sign-in, sessions and the slowing-down of guesses."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert

from vault.access import passwords
from vault.access.errors import SignInFailed, TooManyGuesses
from vault.access.model import Event, Viewer
from vault.access.queries import viewer_of_person
from vault.access.tables import guesses, people, sessions
from vault.foundation.context import Context
from vault.foundation.db.transaction import Transaction
from vault.foundation.ids import new_token
from vault.foundation.ledger.entry import SYSTEM, Actor

IDLE_MAX = timedelta(minutes=60)
SESSION_LASTS = timedelta(hours=12)
FREE_GUESSES = 5
_DELAY_MAX_S = 900
_SEEN_EVERY = timedelta(minutes=1)
_FORGIVEN_AFTER = timedelta(hours=24)


@dataclass(frozen=True)
class Session:
    """A browser that is signed in."""

    viewer: Viewer
    csrf_token: str
    started_at: datetime


def sign_in(ctx: Context, login: str, password: str, address: str) -> str:
    """Opens a session and returns its secret for the cookie. Leaves `access:session:start`.

    Raises:
        SignInFailed: they do not belong together, or the account is disabled.
        TooManyGuesses: this login or address failed too often; says how long to wait.
    """
    targets = (_digest(f"login/{login.casefold()}"), _digest(f"address/{address}"))
    with ctx.database.transaction(SYSTEM) as tx:
        _require_patience(tx, targets)
    with ctx.database.read() as connection:
        row = connection.execute(
            select(people.c.id, people.c.password_hash).where(
                func.lower(people.c.login) == login.lower(), people.c.state == "active"
            )
        ).one_or_none()
    if not passwords.is_right(row.password_hash if row else None, password) or row is None:
        with ctx.database.transaction(SYSTEM) as tx:
            _count_failure(tx, targets)
            tx.commit()
        raise SignInFailed
    secret = new_token()
    with ctx.database.transaction(Actor("person", row.id)) as tx:
        now = tx.clock.now()
        tx.connection.execute(guesses.delete().where(guesses.c.target == targets[0]))
        tx.connection.execute(
            sessions.insert(),
            {
                "digest": _digest(secret),
                "person_id": row.id,
                "csrf_token": new_token(),
                "started_at": now,
                "seen_at": now,
                "expires_at": now + SESSION_LASTS,
            },
        )
        tx.witness(Event.SIGNED_IN, "person", row.id)
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


def sign_out(ctx: Context, viewer: Viewer, secret: str) -> None:
    """Ends the session. Leaves `access:session:end`."""
    with ctx.database.transaction(viewer.actor) as tx:
        tx.connection.execute(sessions.delete().where(sessions.c.digest == _digest(secret)))
        tx.witness(Event.SIGNED_OUT, "person", viewer.id)
        tx.commit()


def _digest(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()


def _require_patience(tx: Transaction, targets: tuple[bytes, ...]) -> None:
    now = tx.clock.now()
    for row in tx.connection.execute(select(guesses).where(guesses.c.target.in_(targets))):
        over = row.failures - FREE_GUESSES
        if over >= 0 and now - row.last_at < _FORGIVEN_AFTER:
            wait_s = min(_DELAY_MAX_S, 2 ** min(over + 1, 16)) - (now - row.last_at).total_seconds()
            if wait_s > 0:
                raise TooManyGuesses(retry_after_s=int(wait_s) + 1)


def _count_failure(tx: Transaction, targets: tuple[bytes, ...]) -> None:
    now = tx.clock.now()
    for target in sorted(targets):
        statement = insert(guesses).values(target=target, failures=1, last_at=now)
        tx.connection.execute(
            statement.on_conflict_do_update(
                constraint=guesses.primary_key, set_={"failures": guesses.c.failures + 1, "last_at": now}
            )
        )
