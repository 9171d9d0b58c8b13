"""Routes that cannot be declared without the right they need.

Every route of the service is added through `Routes`, so that a walk over the application finds the right of each
(`x-right` in the interface description) and there is no way to forget one.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Annotated, Any, TypeVar

from fastapi import APIRouter, Depends, Request

from vault.access.model import Viewer
from vault.access.rights import Right
from vault.foundation.context import Context
from vault.foundation.errors import VaultError
from vault.surfaces.auth import authenticated

Handler = TypeVar("Handler", bound=Callable[..., Any])


async def context_of(request: Request) -> Context:
    """The parts of the foundation that this process holds."""
    context: Context = request.app.state.context
    return context


Ctx = Annotated[Context, Depends(context_of)]


class Routes:
    """A set of routes; each names its right, and its handler is called only for viewers who have it."""

    def __init__(self, prefix: str, tag: str, *, in_schema: bool = True) -> None:
        self.router = APIRouter(prefix=prefix, tags=[tag])
        self._in_schema = in_schema

    def get(self, path: str, right: Right, **options: Any) -> Callable[[Handler], Handler]:
        """A route that reads."""
        return self._add("GET", path, right, options)

    def post(self, path: str, right: Right, **options: Any) -> Callable[[Handler], Handler]:
        """A route that changes something. From a browser's session it needs the CSRF token."""
        return self._add("POST", path, right, options)

    def _add(self, method: str, path: str, right: Right, options: dict[str, Any]) -> Callable[[Handler], Handler]:
        def declare(handler: Handler) -> Handler:
            self.router.add_api_route(
                path,
                handler,
                methods=[method],
                dependencies=[Depends(_needs(right))],
                openapi_extra={"x-right": right.value},
                include_in_schema=self._in_schema,
                **options,
            )
            return handler

        return declare


def _needs(right: Right) -> Callable[[Request], Awaitable[None]]:
    async def check(request: Request) -> None:
        if right is Right.PUBLIC_PAGE_VIEW:
            return
        try:
            request.state.viewer = await authenticated(request, right)
        except VaultError:
            await request.close()  # a form that was read for its token, and holds files
            raise

    return check


async def current_viewer(request: Request) -> Viewer:
    """The viewer whom the route's right was checked for."""
    viewer: Viewer = request.state.viewer
    return viewer


CurrentViewer = Annotated[Viewer, Depends(current_viewer)]
