"""Signing in as a person from a program: the command line of whoever approves something as themselves."""

from __future__ import annotations

from typing import Any

from fastapi import Request
from pydantic import BaseModel, ConfigDict, Field

from vault.access import sessions
from vault.access.rights import Right
from vault.surfaces.auth import SESSION_COOKIE
from vault.surfaces.routing import Ctx, CurrentViewer, Routes

routes = Routes("/session", "session")


class SignIn(BaseModel):
    """Name and password of a person."""

    model_config = ConfigDict(extra="forbid")

    sign_in_name: str = Field(max_length=120)
    password: str = Field(max_length=1000)


@routes.post("", Right.PUBLIC_PAGE_VIEW)
def sign_in(request: Request, ctx: Ctx, who: SignIn) -> dict[str, Any]:
    """Opens a session; its token is sent as a bearer. It ends after an hour without use, and after twelve in any case."""
    address = request.client.host if request.client else ""
    token = sessions.sign_in(ctx, who.sign_in_name.strip(), who.password, address)
    session = sessions.find(ctx, token)
    return {
        "token": token,
        "name": session.viewer.name if session else who.sign_in_name,
        "must_change_password": session is not None and session.viewer.must_change_password,
    }


@routes.post("/end", Right.SELF_SESSION_USE)
def sign_out(request: Request, ctx: Ctx, viewer: CurrentViewer) -> dict[str, Any]:
    """Ends the session whose token or cookie is sent; a station's token is not ended by this."""
    bearer = request.headers.get("authorization", "").partition(" ")[2].strip()
    token = bearer or request.cookies.get(SESSION_COOKIE, "")
    return {"signed_out": viewer.kind == "person" and sessions.sign_out(ctx, viewer, token)}
