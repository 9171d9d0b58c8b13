"""Structured logs and figures without personal data: routes by their pattern, never by their address."""

from __future__ import annotations

import logging
import sys
import time
import traceback
from collections.abc import Callable
from typing import Any
from uuid import UUID

import structlog
from prometheus_client import Counter, Histogram
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from vault.foundation.errors import Fault, VaultError

_OWN_WORDS = frozenset({"right", "state", "store", "custodian", "what", "lies"})
_REQUESTS = Counter("slipvault_http_requests", "Requests answered.", ("method", "route", "status"))
_SECONDS = Histogram(
    "slipvault_http_request_seconds",
    "Time from the request's first byte to the answer's last.",
    ("method", "route"),
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0),
)

structlog.configure(
    processors=[
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.JSONRenderer(ensure_ascii=False),
    ],
    logger_factory=structlog.WriteLoggerFactory(file=sys.stderr),
    cache_logger_on_first_use=True,
)
log = structlog.get_logger("slipvault")


class LibraryHandler(logging.Handler):
    """What a library logs, without its text and traces, which may quote data: who, how bad, and of which kind."""

    def emit(self, record: logging.LogRecord) -> None:
        """Notes a record of the standard library's logging."""
        kind = record.exc_info[0].__name__ if record.exc_info and record.exc_info[0] else None
        log.warning("library", source=record.name, how=record.levelname.lower(), kind=kind)


class ObservingMiddleware:
    """Counts and times each request by its route's pattern."""

    def __init__(self, app: ASGIApp, on_defect: Callable[[Request], Response]) -> None:
        self.app = app
        self._on_defect = on_defect

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes the request on and notes how it ended."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started_s, status = time.perf_counter(), 500

        async def watched(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        is_begun = False

        async def noted(message: Message) -> None:
            nonlocal is_begun
            is_begun = True
            await watched(message)

        try:
            await self.app(scope, receive, noted)
        except Exception as error:  # noqa: BLE001 - a defect anywhere: noted without its text, which may quote data
            request = Request(scope)
            log_defect(request, error)
            if not is_begun:
                await self._on_defect(request)(scope, receive, watched)
        finally:
            route = route_pattern(scope)
            _REQUESTS.labels(scope["method"], route, str(status)).inc()
            _SECONDS.labels(scope["method"], route).observe(time.perf_counter() - started_s)


def route_pattern(scope: Scope) -> str:
    """`/records/{record_id}`, or a fixed word where no route matched: an address may name anything."""
    route: Any = scope.get("route")
    return getattr(route, "path_format", None) or getattr(route, "path", None) or "unmatched"


def log_problem(request: Request, error: VaultError) -> None:
    """Notes a refusal or failure by its code, with those facts that nobody can have typed."""
    level = log.error if error.status >= 500 else log.info
    level(
        "problem", code=error.code, status=error.status, route=route_pattern(request.scope), facts=facts_to_log(error)
    )


def log_defect(request: Request, error: Exception) -> None:
    """Notes a defect with where it happened; the exception's own text may quote data and stays out."""
    frames = traceback.extract_tb(error.__traceback__)
    log.error(
        "defect",
        kind=type(error).__name__,
        route=route_pattern(request.scope),
        where=[f"{frame.filename.rsplit('/', 2)[-1]}:{frame.lineno} {frame.name}" for frame in frames[-8:]],
    )


def facts_to_log(error: VaultError) -> dict[str, object]:
    """Numbers, ids, and words of our own. What a sender wrote may name a person and stays out of the log (L3)."""
    named = _OWN_WORDS | {"problem"} if error.fault is Fault.STORE else _OWN_WORDS
    kept: dict[str, object] = {}
    for name, value in error.facts.items():
        if isinstance(value, int | float):
            kept[name] = value
        elif isinstance(value, UUID) or name in named:
            kept[name] = str(value)
    return kept
