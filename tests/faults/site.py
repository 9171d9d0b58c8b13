"""A site to break: a real web process between proxies, a sender with the real client, and a judge who looks behind.

The web process (`tests.faults.web`) speaks to PostgreSQL through a proxy, and to Ceph through another; its files are on
a machine whose calls a trap answers. It is killed from outside or dies in a call; its socket stays open, as it does under
the supervisor. The judge reads database and store directly, with the parts of the application.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import httpx
from sqlalchemy import func, make_url, select

from tests.support import fault_proxy, postgres_proxy
from tests.support.archive import Archive, make_archive, trust
from tests.support.postgres import fresh_database
from tests.support.rgw import Rgw
from vault.catalogue.reading import open_original
from vault.catalogue.tables import component_copies, components, record_states, records
from vault.foundation.clock import FixedClock, SystemClock
from vault.foundation.db.engine import Database
from vault.foundation.db.launcher import EmbeddedPostgres, socket_directory
from vault.foundation.ledger.entry import SYSTEM
from vault.intake.tables import intake_items
from vault.oversight.model import FindingCode
from vault.oversight.reconciliation import reconcile
from vault.oversight.verification import verify
from vault.surfaces.client import Answer, Client
from vault.surfaces.local_file import LocalFile

ROOT = Path(__file__).resolve().parents[2]
TOKEN = "the-operator-of-this-site-and-nobody-else"


@dataclass(frozen=True)
class Left:
    """What there is, or what an upload left: open intents, objects that no row names, records."""

    intents: int = 0
    objects: int = 0
    records: int = 0

    def since(self, earlier: Left) -> Left:
        return Left(self.intents - earlier.intents, self.objects - earlier.objects, self.records - earlier.records)


class Site:
    """One installation. `sql`, `s3` and `trap` set what goes wrong next."""

    def __init__(
        self, directory: Path, archive: Archive, environment: dict[str, str], sql: postgres_proxy.Plan
    ) -> None:
        self.archive = archive
        self.sql = sql
        self.s3: fault_proxy.Plan | None = None
        self.known = Left()  # at the last look
        self._directory = directory
        self._listener = socket.create_server(("127.0.0.1", 0))
        descriptor = self._listener.fileno()
        self._processes = subprocess.Popen(
            [sys.executable, "-m", "tests.faults.web", str(descriptor), str(self.trap_file)],
            cwd=ROOT,
            env=environment,
            pass_fds=[descriptor],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._pid = 0
        self.client = Client(self.url, TOKEN, waiting_s=60)

    @property
    def url(self) -> str:
        host, port = self._listener.getsockname()
        return f"http://{host}:{port}"

    @property
    def trap_file(self) -> Path:
        return self._directory / "trap.json"

    def start(self) -> None:
        """Starts a web process and waits until it serves."""
        self._pid = int(self._told("\n"))
        assert httpx.get(f"{self.url}/readyz", timeout=60, trust_env=False).status_code == 200

    def kill(self) -> None:
        """kill -9 of the web process, now."""
        assert self._pid > 0, "no process, and not the group of this one"
        os.kill(self._pid, signal.SIGKILL)

    def is_dead(self) -> bool:
        """Waits until the web process has ended; whether by SIGKILL."""
        return int(self._told()) == -signal.SIGKILL

    def _told(self, asked: str = "") -> str:
        assert self._processes.stdin is not None
        assert self._processes.stdout is not None
        self._processes.stdin.write(asked)
        self._processes.stdin.flush()
        return self._processes.stdout.readline()

    def restart(self) -> None:
        """Another process in its place."""
        self.kill()
        assert self.is_dead()
        self.start()

    def is_waiting(self) -> bool:
        """Whether something that was to go wrong has not."""
        return bool(self.sql.waiting or (self.s3 and self.s3.waiting) or self.trap_file.exists())

    def close(self) -> None:
        self.client.close()
        self._listener.close()
        if self._pid > 0:
            self.kill()
            assert self.is_dead()
        self._processes.communicate()

    def send(self, data: bytes, key: str, **metadata: Any) -> Answer:
        """One attempt of the real client; raises as it does."""
        with tempfile.NamedTemporaryFile() as file:  # not on the disks of the site, which may be full
            file.write(data)
            file.flush()
            return self.client.send(LocalFile.read(Path(file.name)), key, {"class_code": "GENERAL", **metadata})

    @contextmanager
    def raw_request(self, data: bytes, key: str) -> Iterator[socket.socket]:
        """A connection on which a whole upload was sent, by a sender who reads the answer byte by byte."""
        head = (
            "POST /api/v1/intake/items HTTP/1.1\r\nHost: site\r\n"
            f"Authorization: Bearer {TOKEN}\r\nIdempotency-Key: {key}\r\n"
            "Slipvault-Metadata: eyJjbGFzc19jb2RlIjoiR0VORVJBTCJ9\r\n"  # {"class_code":"GENERAL"}
            f"Content-Length: {len(data)}\r\n\r\n"
        )
        with socket.create_connection(self._listener.getsockname(), timeout=60) as connection:
            connection.sendall(head.encode() + data)
            yield connection

    def left(self) -> Left:
        """Counts what there is, after checking that nothing of it is half there or contradicts the rest."""
        verdict = verify(self.archive.ctx)
        assert verdict.is_clean, verdict.findings
        with self.archive.ctx.database.read() as connection:
            counts = [
                connection.execute(select(func.count()).select_from(table)).scalar_one()
                for table in (records, record_states, components, component_copies)
            ]
            open_items = select(func.count()).select_from(intake_items).where(intake_items.c.status == "intent")
            intents = connection.execute(open_items).scalar_one()
        assert len(set(counts)) == 1, "a record is half shown"
        unknown = [note for note in verdict.notes if note.code is FindingCode.OBJECT_UNKNOWN]
        self.known = Left(intents, len(unknown), counts[0])
        return self.known

    def reconciled(self) -> list[str]:
        """What a reconciliation settles that leaves nothing alone for being young."""
        done = reconcile(self.archive.ctx, SYSTEM, older_than=-timedelta(hours=1))
        return [finding.code.value for finding in done.settled]

    def original(self, record_id: str | None) -> bytes:
        """The bytes of a record as a reader gets them."""
        assert record_id is not None
        _, _, content = open_original(self.archive.ctx, self.archive.operator, UUID(record_id))
        with content:
            return content.read()


@contextmanager
def running_site(server: EmbeddedPostgres, directory: Path, rgw: Rgw | None) -> Iterator[Site]:
    """A site on a write-once directory, or on a bucket of `rgw`."""
    with ExitStack() as stack:
        url = make_url(stack.enter_context(fresh_database(server)))
        (directory / "socket").mkdir()
        sql = stack.enter_context(
            postgres_proxy.postgres_proxy(socket_directory(server.directory), directory / "socket")
        )
        store_url, s3 = f"worm://{directory / 'store'}", None
        if rgw is not None:
            endpoint, s3 = stack.enter_context(fault_proxy.fault_proxy(rgw.endpoint))
            store_url = f"s3+{endpoint}{urlsplit(rgw.new_bucket()).path}"
        clock = FixedClock(SystemClock().now())
        database = Database(url, clock, pool_size=4)
        stack.callback(database.dispose)
        archive = make_archive(database, clock, directory, store_url)
        trust(archive)
        home = directory / "home"
        (home / "run").mkdir(parents=True)
        (home / "run" / "operator.token").write_text(TOKEN)
        proxied = url.set(query={**url.query, "host": str(directory / "socket")})
        environment = {
            **os.environ,
            "SLIPVAULT_HOME": str(home),
            "SLIPVAULT_DATABASE_URL": proxied.render_as_string(hide_password=False).replace("+psycopg", ""),
            "SLIPVAULT_STORE_URL": store_url,
            "SLIPVAULT_CUSTODIAN_URL": f"file://{directory / 'custodian'}",
        }
        site = Site(directory, archive, environment, sql)
        stack.callback(site.close)
        site.s3 = s3
        site.start()
        yield site
