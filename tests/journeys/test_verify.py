"""`slipvault verify` on a running service: each thing that is altered behind its back is named, with an exit code."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.journeys.conftest import Server, start, wait_for
from tests.support.archive import jpeg

pytestmark = [pytest.mark.journey, pytest.mark.slow, pytest.mark.clause("C4.3"), pytest.mark.clause("V7")]
Named = set[tuple[str, str]]


@pytest.fixture(scope="module")
def kept() -> Iterator[Server]:
    """A running installation with two records, numbered and published."""
    base = Path("/var/tmp") / f"slipvault-verify-{os.getpid()}"
    base.mkdir(mode=0o755)
    process, server = start(base / "home")
    try:
        for seed in (1, 2):
            scan = base / f"{seed}.jpg"
            scan.write_bytes(jpeg(seed))
            sent = cli(server, "intake", "send", scan, "--class", "GENERAL", "--json")
            assert sent.returncode == 0, sent.stderr
        wait_for(lambda: _is_at_rest(server), 60)
        yield server
    finally:
        process.terminate()
        process.wait(60)
        if process.stdout is not None:
            process.stdout.close()
        shutil.rmtree(base)


def cli(server: Server, *arguments: object) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "SLIPVAULT_HOME": str(server.home), "LANG": "en_US.UTF-8"}
    command = [sys.executable, "-m", "vault.surfaces.cli.main", *map(str, arguments)]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, encoding="utf-8")


def verified(server: Server) -> tuple[int, Named]:
    """The exit code, and of each finding what it is about and what it says."""
    done = cli(server, "verify", "--json")
    told = json.loads(done.stdout)
    assert told["clean"] is (done.returncode == 0)
    said = {(f["subject_id"], f["facts"].get("code") or f["code"]) for f in told["findings"]}
    assert all(f["message"] for f in told["findings"])
    return done.returncode, said


def test_an_untouched_archive_is_clean(kept: Server) -> None:
    assert verified(kept) == (0, set())
    said = cli(kept, "verify")
    assert said.returncode == 0
    assert said.stdout == ""


def test_a_flipped_byte(kept: Server) -> None:
    component, key = originals(kept)[0]
    with rewritten(object_file(kept, key), lambda data: data[:-9] + bytes([data[-9] ^ 4]) + data[-8:]):
        assert verified(kept) == (1, {(component, "object-altered")})
        said = cli(kept, "verify").stdout
        assert said.startswith("object-altered\tcomponent ")
        assert component in said
    assert verified(kept) == (0, set())


def test_two_objects_swapped(kept: Server) -> None:
    (one, one_key), (two, two_key) = originals(kept)
    one_file, two_file = object_file(kept, one_key), object_file(kept, two_key)
    with exchanged(one_file, two_file):
        assert verified(kept) == (1, {(one, "object-swapped"), (two, "object-swapped")})
    assert verified(kept) == (0, set())


def test_an_object_removed(kept: Server) -> None:
    component, key = originals(kept)[0]
    file = object_file(kept, key)
    aside = file.with_name("aside")
    file.rename(aside)
    assert verified(kept) == (1, {(component, "object-missing")})
    aside.rename(file)
    assert verified(kept) == (0, set())


def test_a_lock_shortened_behind_our_back(kept: Server) -> None:
    component, key = originals(kept)[0]

    def shorten(data: bytes) -> bytes:
        head, _, body = data.split(b"\n", 2)
        told = json.loads(head)
        told["lock"]["until"] = "2026-01-01T00:00:00+00:00"
        line = json.dumps(told, sort_keys=True, separators=(",", ":")).encode()
        return line + b"\n" + hashlib.sha256(line).hexdigest().encode() + b"\n" + body

    with rewritten(object_file(kept, key), shorten):
        assert verified(kept) == (1, {(component, "lock-shortened")})
    assert verified(kept) == (0, set())


def test_a_catalogue_row_altered_by_sql(kept: Server) -> None:
    record = str(sql(kept, "SELECT id FROM records ORDER BY id LIMIT 1")[0][0])
    with lawless(kept, f"UPDATE records SET page_count = page_count + 1 WHERE id = '{record}'",
                 f"UPDATE records SET page_count = page_count - 1 WHERE id = '{record}'"):  # fmt: skip
        assert verified(kept) == (1, {(record, "row-altered")})
    assert verified(kept) == (0, set())


def test_a_ledger_row_altered(kept: Server) -> None:
    entry = str(sql(kept, "SELECT entry_id FROM ledger_leaves WHERE leaf_index = 1")[0][0])
    with lawless(kept, f"UPDATE ledger_entries SET event = event || 'x' WHERE id = '{entry}'",
                 f"UPDATE ledger_entries SET event = left(event, -1) WHERE id = '{entry}'"):  # fmt: skip
        code, found = verified(kept)
        assert (code, found - {("1", "published-entry-altered")}) == (1, {(entry, "entry-altered")})
    assert verified(kept) == (0, set())


def test_a_ledger_row_removed(kept: Server) -> None:
    entry = str(sql(kept, "SELECT entry_id FROM ledger_leaves WHERE leaf_index = 1")[0][0])
    with lawless(kept, f"CREATE TABLE aside AS SELECT * FROM ledger_entries WHERE id = '{entry}'; "
                       f"DELETE FROM ledger_entries WHERE id = '{entry}'",
                 "INSERT INTO ledger_entries SELECT * FROM aside; DROP TABLE aside"):  # fmt: skip
        code, found = verified(kept)
        # Where the store has it already, the store's own copy says so too.
        assert (code, found - {("1", "published-entry-removed")}) == (1, {(entry, "entry-removed")})
    assert verified(kept) == (0, set())


def originals(server: Server) -> list[tuple[str, str]]:
    rows = sql(
        server,
        "SELECT id, object_key FROM components JOIN component_copies ON component_id = id"
        " WHERE kind = 'original' ORDER BY record_id",
    )
    return [(str(row[0]), row[1]) for row in rows]


def object_file(server: Server, key: str) -> Path:
    return next((server.home / "store" / "objects").rglob(hashlib.sha256(key.encode()).hexdigest()))


@contextmanager
def rewritten(file: Path, change: Callable[[bytes], bytes]) -> Iterator[None]:
    before = file.read_bytes()
    file.chmod(0o600)
    file.write_bytes(change(before))
    yield
    file.write_bytes(before)
    file.chmod(0o400)


@contextmanager
def exchanged(one: Path, two: Path) -> Iterator[None]:
    def exchange() -> None:
        aside = one.with_name("aside")
        one.rename(aside)
        two.rename(one)
        aside.rename(two)

    exchange()
    yield
    exchange()


@contextmanager
def lawless(server: Server, statement: str, undoing: str) -> Iterator[None]:
    """As the owner of the database: no trigger stops it."""
    sql(server, f"SET session_replication_role = replica; {statement}")
    yield
    sql(server, f"SET session_replication_role = replica; {undoing}")


def sql(server: Server, statement: str) -> list[Any]:
    socket = server.home / "database" / "socket"
    with psycopg.connect(host=str(socket), user="slipvault", dbname="slipvault", autocommit=True) as connection:
        cursor = connection.execute(statement.encode())
        return cursor.fetchall() if cursor.description else []


def _is_at_rest(server: Server) -> bool:
    """Every rendition is made, every entry numbered, everything published."""
    waits = "(SELECT count(*) FROM rendition_tasks) + (SELECT count(*) FROM ledger_pending)"
    behind = "(SELECT max(size) FROM ledger_checkpoints) - (SELECT max(size) FROM ledger_publications)"
    return bool(sql(server, f"SELECT {waits} = 0 AND {behind} = 0")[0][0])
