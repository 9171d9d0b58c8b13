"""A disk without room: each part that writes says so, keeps what it had, and goes on when there is room again."""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psycopg
import pytest

from tests.faults import small_disks
from tests.faults.road import INTENT, NOTHING, attempt, finish, new_file
from tests.faults.service import running_service
from tests.faults.site import running_site
from tests.support.archive import jpeg
from vault.foundation.db.launcher import DATABASE, OWNER_ROLE, EmbeddedPostgres, socket_directory
from vault.surfaces.client import Answer, Unavailable

pytestmark = [pytest.mark.faults, pytest.mark.invariant("U2")]

SmallDisk = Callable[[Path, int], None]


@contextmanager
def filled(directory: Path) -> Iterator[None]:
    """The disk of `directory` without a free byte."""
    ballast = directory / "ballast"
    with ballast.open("wb", buffering=0) as file, suppress(OSError):
        while True:
            file.write(bytes(1 << 16))
    assert shutil.disk_usage(directory).free == 0
    yield
    ballast.unlink()


def test_the_disk_of_the_store(postgres_server: EmbeddedPostgres, small_disk: SmallDisk, tmp_path: Path) -> None:
    small_disk(tmp_path / "store", 32 << 20)
    with running_site(postgres_server, tmp_path, None) as site:
        data, key, metadata = new_file("scan")
        with filled(tmp_path / "store"):
            answer = attempt(lambda: site.send(data, key, **metadata))
            assert isinstance(answer, Unavailable)
            assert answer.facts["answer"] == "store-unavailable"
            assert os.strerror(errno.ENOSPC) in str(answer)
            assert site.left() == INTENT
            assert list((tmp_path / "store" / "tmp").iterdir()) == []
        finish(site, data, key, metadata, NOTHING, is_repeated=False)


@pytest.mark.parametrize(("file", "left"), [("large", NOTHING), ("huge", INTENT)])
def test_the_disk_of_the_spool(
    postgres_server: EmbeddedPostgres, small_disk: SmallDisk, tmp_path: Path, file: str, left: object
) -> None:
    """A large file finds no room as it arrives, a huge one none for its sealed bytes beside those that arrived."""
    small_disk(tmp_path / "home" / "spool", 28 << 20)
    with running_site(postgres_server, tmp_path, None) as site:
        data, key, metadata = new_file(file)
        if file == "large":
            with filled(tmp_path / "home" / "spool"):
                answer = attempt(lambda: site.send(data, key, **metadata))
        else:
            answer = attempt(lambda: site.send(data, key, **metadata))
            small_disk(tmp_path / "home" / "spool", 64 << 20)
        assert isinstance(answer, Unavailable)
        assert answer.facts["answer"] == "no-room"
        assert site.left() == left
        assert not any((tmp_path / "home" / "spool").iterdir())
        finish(site, data, key, metadata, NOTHING, is_repeated=False)


def test_the_disk_of_the_database(small_disk: SmallDisk, base: Path) -> None:
    """First a table cannot grow; then the log of the database cannot, at which PostgreSQL ends in the middle."""
    home = base / "home"
    small_disk(home, 320 << 20)
    with running_service(base, {"SLIPVAULT_STORE_URL": f"worm://{base / 'store'}"}) as service:

        def send(number: int) -> Answer | Unavailable:
            return attempt(lambda: service.send(jpeg(number), f"file-{number:04}"))

        answers = [send(0)]
        with filled(home):
            while isinstance(answers[-1], Answer):
                answers.append(send(len(answers)))
            refused = answers.pop()
            assert isinstance(refused, Unavailable)
            assert refused.facts["answer"] in {"database-full", "database-unavailable"}
            with pytest.raises(psycopg.OperationalError):
                _fill_the_log(home)
            assert isinstance(send(len(answers)), Unavailable)
        service.await_ready()
        answers.append(send(len(answers)))
        again = [send(number) for number in range(len(answers))]
        record_ids = [answer.record_id for answer in answers if isinstance(answer, Answer) and answer.record_id]
        assert record_ids == [answer.record_id for answer in again if isinstance(answer, Answer)]
        assert list(service.originals(record_ids)) == [jpeg(number) for number in range(len(answers))]
        assert service.verified()["records"] == len(answers)


def _fill_the_log(home: Path) -> None:
    where = f"host={socket_directory(home / 'database')} user={OWNER_ROLE} dbname={DATABASE}"
    with psycopg.connect(where, autocommit=True) as connection:
        for _ in range(64):  # megabytes: a file of the log holds 16
            connection.execute("SELECT pg_logical_emit_message(false, 'fill', repeat('x', 1000000))")


def test_disks_of_a_run_that_was_killed_are_cleared_and_no_others(small_disk: SmallDisk, tmp_path: Path) -> None:
    dead, own = tmp_path / "of a dead run", tmp_path / "own"
    small_disk(own, 1 << 20)
    maker = [sys.executable, "-m", "tests.faults.small_disks", str(dead)]
    with subprocess.Popen(maker, stdout=subprocess.PIPE, text=True) as run:
        assert run.stdout is not None
        assert run.stdout.readline() == "mounted\n"
        small_disks.clear()
        assert {dead, own} <= small_disks.mounted().keys(), "its run lives"
        run.kill()
    small_disks.clear()
    assert dead not in small_disks.mounted()
    assert own in small_disks.mounted()
