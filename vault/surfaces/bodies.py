"""How large a request may be, counted before anybody knows who sends it."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from vault.foundation.errors import VaultError
from vault.intake.errors import UploadTooLarge
from vault.surfaces.problems import BodyTooLarge

BODY_BYTES_MAX = 1 << 20
# Ten thousand events, or a schedule or rule pack with all its words, are more than a form and less than a file.
LIST_BYTES_MAX = 8 << 20
_LISTS = (
    *("/api/v1/events", "/api/v1/filing", "/api/v1/schedule", "/api/v1/rules"),
    *("/schedules", "/rule", "/events"),
)
_UPLOADS = frozenset({"/api/v1/intake/items", "/intake"})


class _Overrun(Exception):
    """Ends the reading inside the application; the middleware answers."""


class BoundedBodies:
    """Refuses a body that is longer than its address needs, without reading on."""

    def __init__(
        self, app: ASGIApp, upload_bytes_max: int, on_refused: Callable[[Request, VaultError], Response]
    ) -> None:
        self.app = app
        self._upload_bytes_max = upload_bytes_max
        self._on_refused = on_refused

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Counts what comes in; answers 413 in the application's place once it is too much."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        limit, error = self._limit_of(scope["path"])
        request = Request(scope)
        announced = request.headers.get("content-length", "")
        is_over = announced.isascii() and announced.isdigit() and (len(announced) > 18 or int(announced) > limit)
        is_begun, received = False, 0

        async def counted() -> Message:
            nonlocal received, is_over
            message = await receive()
            received += len(message.get("body", b""))
            if received > limit:
                is_over = True
                raise _Overrun
            return message

        async def guarded(message: Message) -> None:
            nonlocal is_begun
            if is_over and not is_begun:
                return  # what the application makes of a body that broke off: ours is the answer
            is_begun = True
            await send(message)

        if not is_over:
            with suppress(_Overrun):
                await self.app(scope, counted, guarded)
        if is_over and not is_begun:
            await self._on_refused(request, error)(scope, receive, send)

    def _limit_of(self, path: str) -> tuple[int, VaultError]:
        if path in _UPLOADS:
            # A form says a little more than its files; the file itself is measured where it is taken in.
            return self._upload_bytes_max + BODY_BYTES_MAX, UploadTooLarge(size_bytes_max=self._upload_bytes_max)
        limit = LIST_BYTES_MAX if path.startswith(_LISTS) else BODY_BYTES_MAX
        return limit, BodyTooLarge(size_bytes_max=limit)
