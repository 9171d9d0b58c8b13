"""What every page handler needs: the shell of the viewer, the renderer, and the seal for searches."""

from __future__ import annotations

import hmac
from collections.abc import Callable, Iterable, Mapping
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from vault.access.model import Viewer
from vault.access.queries import actor_names, organisation
from vault.foundation.context import Context
from vault.foundation.db.keyset import COUNT_MAX, Page
from vault.foundation.errors import N_, VaultError
from vault.foundation.ids import new_token
from vault.foundation.ledger.queries import EntryLine
from vault.surfaces.auth import CsrfMismatch
from vault.surfaces.i18n import DEFAULT_ZONE, Language, Translator, choose_language, translator
from vault.surfaces.web.views.parts import ActorName, FieldError, Form, Notice, Paging, TimelineEntry
from vault.surfaces.web.views.shell import Shell, rail

DOOR_COOKIE = "slipvault_door"
LANGUAGE_COOKIE = "language"


def context(request: Request) -> Context:
    """The parts of the foundation that this process holds."""
    found: Context = request.app.state.context
    return found


def language_for(request: Request) -> Language:
    """The viewer's own language, else the cookie's, else the browser's, else Chinese."""
    session = getattr(request.state, "session", None)
    own = session.viewer.language if session else None
    return choose_language(own or request.cookies.get(LANGUAGE_COOKIE), request.headers.get("accept-language"))


def speaker(request: Request) -> Translator:
    """The translator of the page."""
    return translator(language_for(request))


def shell_for(request: Request, current: str = "", search: str = "", notices: tuple[Notice, ...] = ()) -> Shell:
    """The frame of a page for whoever is signed in, or for nobody."""
    ctx = context(request)
    session = getattr(request.state, "session", None)
    with ctx.database.read() as connection:
        home = organisation(connection)
    viewer: Viewer | None = session.viewer if session else None
    return Shell(
        language=language_for(request),
        now=ctx.clock.now(),
        organisation=home.name,
        zone_key=home.time_zone or DEFAULT_ZONE,
        person_name=viewer.name if viewer else None,
        csrf_token=session.csrf_token if session else door_token(request),
        current=current,
        address=request.url.path,
        search=search,
        rail=rail(_may(viewer)) if viewer else (),
        notices=notices,
    )


def _may(viewer: Viewer) -> Callable[[str], bool]:
    held = {right.value for right in viewer.rights}
    return held.__contains__


def page(
    request: Request,
    template: str,
    view: object,
    *,
    current: str = "",
    status: int = 200,
    search: str = "",
    notices: tuple[Notice, ...] = (),
) -> Response:
    """The page for this request; `notices` say what was just done."""
    response: Response = request.app.state.renderer.page(
        template, shell_for(request, current, search, notices), view, status=status
    )
    return response


def go(address: str) -> RedirectResponse:
    """See the answer there (303): a reload repeats nothing."""
    return RedirectResponse(address, 303)


def local_address(wanted: str | None) -> str:
    """An address of this server to go to: one that begins with exactly one slash, else the desk."""
    if wanted and wanted.startswith("/") and not wanted.startswith(("//", "/\\")):
        return wanted
    return "/"


def door_token(request: Request) -> str:
    """The token of forms before signing in; the same as the cookie that the browser sends back."""
    held = request.cookies.get(DOOR_COOKIE) or getattr(request.state, "door_token", None)
    if held is None:
        held = request.state.door_token = new_token(18)
    return str(held)


def set_door_cookie(request: Request, response: Response) -> Response:
    """Gives the browser the token of the forms before signing in."""
    if DOOR_COOKIE not in request.cookies:
        response.set_cookie(
            DOOR_COOKIE, door_token(request), httponly=True, samesite="strict", secure=request.url.scheme == "https"
        )
    return response


def require_door_token(request: Request, given: str) -> None:
    """Refuses a form that another site made.

    Raises:
        CsrfMismatch: the form's token is not the cookie's.
    """
    held = request.cookies.get(DOOR_COOKIE, "")
    if not held or not hmac.compare_digest(held.encode(), given.encode()):
        raise CsrfMismatch


def form_with(request: Request, values: dict[str, str], error: VaultError, field: str) -> Form:
    """A form shown again with what was wrong beside the field."""
    said = speaker(request).explain(error)
    name = str(error.facts.get("field", field))
    return Form(values, (FieldError(name, f"{said.what_happened} {said.what_to_do}"),))


def paging(path: str, address: Mapping[str, str], shown: Page[Any], count: int) -> Paging:
    """Where in a list a page of it is, in addresses that keep the filters."""
    kept = {name: value for name, value in address.items() if value}

    def href(**more: str) -> str:
        query = urlencode({**kept, **more})
        return f"{path}?{query}" if query else path

    return Paging(
        count_total=min(count, COUNT_MAX),
        count_shown=len(shown.lines),
        count_is_exact=count <= COUNT_MAX,
        first_href=href() if shown.before else None,
        previous_href=href(before=str(shown.before)) if shown.before else None,
        next_href=href(after=str(shown.after)) if shown.after else None,
    )


def timeline(connection: Connection, request: Request, lines: Iterable[EntryLine]) -> tuple[TimelineEntry, ...]:
    """Ledger entries as an object's story, newest first."""
    lines = list(lines)
    names = actor_names(connection, [line.actor_id for line in lines if line.actor_id])
    return tuple(
        TimelineEntry(
            at=line.at,
            event=line.event,
            actor=actor_name(request, line.actor_kind, line.actor_id, names),
            href=f"/ledger/entries/{line.id}",
            leaf_index=line.leaf_index,
        )
        for line in reversed(lines)
    )


def actor_name(request: Request, kind: str, actor_id: UUID | None, names: dict[UUID, str]) -> ActorName:
    """Who did it, by the name people know."""
    say = speaker(request).gettext
    fixed = {"system": say(N_("the system")), "operator": say(N_("the operator of the host"))}
    return ActorName(kind, names.get(actor_id, fixed.get(kind, kind)) if actor_id else fixed.get(kind, kind))
