"""Every route of the application declares the right it needs, and refuses whoever lacks it."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute

from tests.support.archive import Archive
from vault.access.rights import Right
from vault.settings import Settings
from vault.surfaces.application import make_application


@pytest.fixture
def app(archive: Archive, tmp_path: Path) -> FastAPI:
    settings = Settings.from_environment({"SLIPVAULT_HOME": str(tmp_path)})
    return make_application(archive.ctx, settings)


def routes(app: FastAPI) -> Iterator[APIRoute]:
    """Every route, however deep its router is included."""

    def walk(items: Any) -> Iterator[APIRoute]:
        for item in items:
            if isinstance(item, APIRoute):
                yield item
            else:
                inner = getattr(item, "original_router", None) or getattr(item, "router", None) or item
                yield from walk(getattr(inner, "routes", []) or [])

    yield from walk(app.router.routes)


def test_every_route_declares_its_right(app: FastAPI) -> None:
    found = list(routes(app))
    assert len(found) > 50
    for route in found:
        declared = (route.openapi_extra or {}).get("x-right")
        assert declared in set(Right), f"{route.path} declares no right"


@pytest.mark.clause("C4.4")
def test_nobody_gets_anything_that_is_not_public(app: FastAPI) -> None:
    # In a thread of its own: a browser test may have left its loop in this one.
    with ThreadPoolExecutor(1) as pool:
        pool.submit(asyncio.run, _ask_everything(app)).result()


async def _ask_everything(app: FastAPI) -> None:
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://archive.test") as client:
        for route in routes(app):
            if (route.openapi_extra or {})["x-right"] == Right.PUBLIC_PAGE_VIEW:
                continue
            for path in (f"/api/v1{route.path}", route.path):
                address = re.sub(r"\{[^}]+\}", "00000000-0000-7000-8000-000000000000", path)
                for method in route.methods:
                    answer = await client.request(method, address)
                    assert answer.status_code in {400, 401, 303, 403, 404, 405}, (method, address, answer.status_code)
                    if answer.status_code == 303:
                        assert answer.headers["location"].startswith("/sign-in")
