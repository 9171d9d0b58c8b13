"""The pages and the API as somebody signed in meets them: the whole application on a small archive, over HTTP."""

from __future__ import annotations

import re
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import uvicorn
from fastapi import FastAPI

from tests.support.archive import Archive
from vault.access import service, sessions
from vault.access.rights import Role
from vault.settings import Settings
from vault.surfaces.application import make_application
from vault.surfaces.auth import SESSION_COOKIE

PASSWORD = "江山如画一时多少豪杰"


def make_app(archive: Archive, home: Path) -> FastAPI:
    """The application, with a home whose operator token is readable."""
    (home / "run").mkdir(exist_ok=True)
    (home / "run" / "operator.token").write_text("operator-of-this-test", encoding="ascii")
    return make_application(archive.ctx, Settings.from_environment({"SLIPVAULT_HOME": str(home)}))


@dataclass
class Visitor:
    """Somebody signed in, in a browser without scripts."""

    client: httpx.Client
    csrf_token: str
    person_id: UUID

    def get(self, address: str) -> httpx.Response:
        """A page."""
        return self.client.get(address)

    def post(self, address: str, fields: dict[str, Any] | None = None) -> httpx.Response:
        """A form sent; where it leads to is not followed."""
        return self.client.post(
            address, data={"csrf_token": self.csrf_token, **(fields or {})}, follow_redirects=False
        )

    def goes_to(self, address: str, fields: dict[str, Any] | None = None) -> str:
        """Where a form leads to."""
        answer = self.post(address, fields)
        assert answer.status_code == 303, answer.text
        return answer.headers["location"]


@contextmanager
def serving(app: FastAPI) -> Iterator[str]:
    """Serves on a free port of this host; gives the root address."""
    place = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, log_level="warning", lifespan="off"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [place]}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{place.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(10)
        place.close()


@contextmanager
def api_client(root: str) -> Iterator[httpx.Client]:
    """The API as the operator of the host, in English."""
    headers = {"Authorization": "Bearer operator-of-this-test", "Accept-Language": "en"}
    with httpx.Client(base_url=f"{root}/api/v1", headers=headers, trust_env=False, timeout=30) as client:
        yield client


@contextmanager
def visiting(root: str, archive: Archive, login: str, *roles: Role, unit_id: UUID | None = None) -> Iterator[Visitor]:
    """Makes a person with these roles, who has chosen a password and is signed in with Chinese pages."""
    home = unit_id or archive.operator.unit_id
    assert home is not None
    account = service.create_person(archive.ctx, archive.operator, login, f"{login} 的姓名", home, frozenset(roles))
    first = sessions.find(archive.ctx, sessions.sign_in(archive.ctx, login, account.one_time_password, "192.0.2.1"))
    assert first is not None
    service.change_password(archive.ctx, first.viewer, account.one_time_password, PASSWORD)
    cookie = sessions.sign_in(archive.ctx, login, PASSWORD, "192.0.2.1")
    with httpx.Client(base_url=root, cookies={SESSION_COOKIE: cookie}, trust_env=False, timeout=30) as client:
        found = re.search(r'name="csrf_token" value="([^"]+)"', client.get("/").text)
        assert found is not None
        yield Visitor(client, found[1], account.person_id)
