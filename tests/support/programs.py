"""A program that speaks to the application's interface without a network in between."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx


class Program:
    """Sends one request at a time; `headers` go with each. The loop has a thread of its own, as browser tests have one too."""

    def __init__(self, app: Any, **headers: str) -> None:
        self.headers = headers
        self._transport = httpx.ASGITransport(app, raise_app_exceptions=False, client=("192.0.2.9", 1))

    def get(self, path: str, **options: Any) -> httpx.Response:
        return self._send("GET", path, options)

    def post(self, path: str, **options: Any) -> httpx.Response:
        return self._send("POST", path, options)

    def _send(self, method: str, path: str, options: dict[str, Any]) -> httpx.Response:
        options["headers"] = {**self.headers, **options.pop("headers", {})}

        async def ask() -> httpx.Response:
            async with httpx.AsyncClient(transport=self._transport, base_url="http://archive.test") as client:
                return await client.request(method, f"/api/v1{path}", **options)

        with ThreadPoolExecutor(1) as pool:
            return pool.submit(asyncio.run, ask()).result()
