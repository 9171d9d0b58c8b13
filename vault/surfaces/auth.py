"""Who is asking: a session's cookie, a token (a station's, or a person's session), or the operator of the host.

A session's cookie is sent by the browser wherever a form comes from, so every change made with one must also
carry the session's CSRF token. A bearer token is only sent by a program that means it.
"""

from __future__ import annotations

import hashlib
import hmac
from pathlib import Path
from typing import Any

from fastapi.concurrency import run_in_threadpool
from starlette.requests import Request

from vault.access import sessions, tokens
from vault.access.model import Viewer
from vault.access.rights import Right
from vault.access.service import operator_viewer
from vault.foundation.context import Context
from vault.foundation.errors import N_, Fault, VaultError

SESSION_COOKIE = "slipvault_session"
_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


class SignInNeeded(VaultError):
    """Nobody is signed in, or the session or token is no longer valid."""

    code = "sign-in-needed"
    status = 401
    exit_code = 77
    fault = Fault.CALLER
    message = N_("You need to sign in first.")
    hint = N_("Sign in; a station needs a token that has not expired: slipvault login URL.")


class CsrfMismatch(VaultError):
    """A change came from a page that this session did not make."""

    code = "csrf-mismatch"
    status = 403
    exit_code = 77
    fault = Fault.CALLER
    message = N_("The page was too old or came from elsewhere, so nothing was changed.")
    hint = N_("Load the page again and repeat what you did.")


async def authenticated(request: Request, right: Right) -> Viewer:
    """The viewer of the request, who has `right`.

    Raises:
        SignInNeeded: no valid session or token.
        CsrfMismatch: a change by session without the session's CSRF token.
        NotAllowed: the viewer lacks the right.
    """
    bearer = request.headers.get("authorization", "")
    if bearer[:7].lower() == "bearer ":
        viewer = await run_in_threadpool(_viewer_of_token, request, bearer[7:].strip())
    else:
        viewer = await _viewer_of_session(request)
    viewer.require(right)
    return viewer


async def _viewer_of_session(request: Request) -> Viewer:
    cookie = request.cookies.get(SESSION_COOKIE)
    context: Context = request.app.state.context
    session = await run_in_threadpool(sessions.find, context, cookie) if cookie else None
    if session is None:
        raise SignInNeeded
    request.state.session = session
    if request.method not in _SAFE_METHODS:
        given = request.headers.get("x-csrf-token") or await _form_token(request)
        if not hmac.compare_digest(given.encode(), session.csrf_token.encode()):
            raise CsrfMismatch
    return session.viewer


async def _form_token(request: Request) -> str:
    kind = request.headers.get("content-type", "").partition(";")[0]
    if kind not in {"application/x-www-form-urlencoded", "multipart/form-data"}:
        return ""
    value: Any = (await request.form()).get("csrf_token")
    return value if isinstance(value, str) else ""


# A token is looked up once a second and process: a revoked one ends within that second.
TOKENS_KNOWN_S = 1.0
_known_tokens: dict[tuple[str, bytes], tuple[float, Viewer]] = {}


def _viewer_of_token(request: Request, token: str) -> Viewer:
    context: Context = request.app.state.context
    key = (context.store.name, hashlib.sha256(token.encode()).digest())
    now_s = context.clock.monotonic()
    known = _known_tokens.get(key)
    if known is not None and now_s - known[0] < TOKENS_KNOWN_S:
        return known[1]
    viewer = _look_up_token(request, context, token)
    if len(_known_tokens) > 1000:
        _known_tokens.clear()
    _known_tokens[key] = (now_s, viewer)
    return viewer


def _look_up_token(request: Request, context: Context, token: str) -> Viewer:
    if is_operator_token(request.app.state.operator_token_file, token):
        return operator_viewer(context)
    viewer = tokens.find(context, token)
    if viewer is not None:
        return viewer
    # A person who signed in from a program: a bearer is only sent by a program that means it, so no CSRF token.
    session = sessions.find(context, token)
    if session is None:
        raise SignInNeeded
    return session.viewer


def is_operator_token(file: Path, token: str) -> bool:
    """Whether `token` is the one that only the owner of the home directory can read."""
    try:
        expected = file.read_text(encoding="ascii").strip()
    except OSError:
        return False
    return bool(expected) and hmac.compare_digest(expected.encode(), token.encode())
