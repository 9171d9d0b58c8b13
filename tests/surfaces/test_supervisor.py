"""The service as a whole: what dies is started again, one home has one service, and a start that fails says why."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

ROOT = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.faults
PATIENCE_S = 90


@dataclass
class Installation:
    """A service that this test started, as its operator sees it."""

    home: Path
    process: subprocess.Popen[str]
    url: str

    def get(self, path: str) -> httpx.Response:
        return httpx.get(self.url + path, trust_env=False, timeout=10)

    def is_ready(self) -> bool:
        try:
            return self.get("/readyz").status_code == 200
        except httpx.HTTPError:
            return False

    def part(self, mark: str) -> psutil.Process:
        """The direct child that is started with `mark`."""
        for child in psutil.Process(self.process.pid).children():
            if any(mark in argument for argument in child.cmdline()):
                return child
        raise LookupError(mark)


def environment(home: Path, **more: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("SLIPVAULT_")}
    told = {"SLIPVAULT_HOME": str(home), "SLIPVAULT_PORT": "0", "SLIPVAULT_WEB_PROCESSES": "1", "LANG": "en_US.UTF-8"}
    return {**kept, "PYTHONPATH": str(ROOT), **told, **more}


def launch(home: Path, *arguments: str, **more: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "vault.surfaces.supervisor", *arguments],
        env=environment(home, **more),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        encoding="utf-8",
    )


def fail(home: Path, **more: str) -> tuple[int, str]:
    """A start that must fail: its exit code and what it said; nothing of it is left running."""
    process = launch(home, **more)
    said, _ = process.communicate(timeout=PATIENCE_S)
    assert "Traceback" not in said
    assert processes_of(home) == []
    return process.returncode, said


def stop(home: Path) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "vault.surfaces.supervisor", "--stop"],
        env=environment(home),
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@contextmanager
def begun(home: Path, *, is_new: bool = True, **more: str) -> Iterator[Installation]:
    """Starts the service; a new one tells its first password. It ends with the block."""
    process = launch(home, **more)
    try:
        assert process.stdout is not None
        said, url = [], ""
        for line in process.stdout:
            said.append(line)
            if found := re.search(r"is ready: (\S+)", line):
                url = found[1]
            if url and (not is_new or "one-time password" in line):
                break
        assert url, "".join(said)
        yield Installation(home, process, url)
    finally:
        if process.poll() is None:
            process.terminate()
            process.wait(PATIENCE_S)
        if process.stdout is not None:
            process.stdout.close()


def processes_of(home: Path) -> list[str]:
    """What runs with the home among its arguments or in its environment."""
    found = []
    for process in psutil.process_iter():
        try:
            told = " ".join([*process.cmdline(), process.environ().get("SLIPVAULT_HOME", "")])
        except (psutil.NoSuchProcess, psutil.AccessDenied, psutil.ZombieProcess):
            continue
        if str(home) in told and process.pid != os.getpid():
            found.append(told)
    return found


def until(condition: Callable[[], Any], timeout_s: float = PATIENCE_S) -> None:
    deadline_s = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline_s, "it did not happen"
        time.sleep(0.05)


@pytest.fixture
def home() -> Iterator[Path]:
    """A home that the database's account may pass through, also when the tests run as root."""
    base = Path("/var/tmp") / f"slipvault-home-{os.getpid()}-{time.monotonic_ns()}"
    base.mkdir(mode=0o755)
    yield base / "home"
    until(lambda: processes_of(base) == [], 30)
    shutil.rmtree(base)


@pytest.fixture
def installation(home: Path) -> Iterator[Installation]:
    with begun(home) as installed:
        yield installed


def test_whatever_is_killed_is_started_again_and_the_service_recovers(installation: Installation) -> None:
    assert installation.is_ready()
    for mark in ("web_process", "surfaces.worker", "postgres"):
        killed = installation.part(mark)
        killed.kill()

        def is_back(mark: str = mark, killed: int = killed.pid) -> bool:
            try:
                return installation.part(mark).pid != killed
            except (LookupError, psutil.NoSuchProcess):
                return False

        until(is_back)
        until(installation.is_ready)
    until(lambda: installation.part("surfaces.worker"))
    assert installation.get("/sign-in").status_code == 200


def test_one_home_has_one_service(installation: Installation) -> None:
    process = launch(installation.home)
    said, _ = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 75
    assert f"running in {installation.home} already: {installation.url}" in said
    assert "scripts/run --stop --home" in said
    assert installation.is_ready()
    for name in ("operator.token", "server.url", "supervisor.json"):
        assert (installation.home / "run" / name).stat().st_mode & 0o777 == 0o600


def test_stop_ends_everything_and_says_when_nothing_runs(installation: Installation) -> None:
    port = int(installation.url.rsplit(":", 1)[1])
    assert "stopped" in stop(installation.home)
    assert installation.process.wait(10) == 0
    assert processes_of(installation.home) == []
    assert sorted(path.name for path in (installation.home / "run").iterdir()) == ["supervisor.lock"]
    with socket.socket() as free:
        free.bind(("127.0.0.1", port))
    assert "nothing was running here" in stop(installation.home)


def test_a_killed_supervisor_leaves_nothing_that_hinders_the_next(installation: Installation) -> None:
    port = installation.url.rsplit(":", 1)[1]
    installation.process.kill()
    installation.process.wait()
    assert (installation.home / "run" / "supervisor.json").exists()
    until(lambda: processes_of(installation.home) == [])
    assert "nothing was running here" in stop(installation.home)
    with begun(installation.home, is_new=False, SLIPVAULT_PORT=port) as again:
        assert again.is_ready()


def test_a_stale_note_harms_nobody(home: Path) -> None:
    other = subprocess.Popen(["sleep", "60"])
    (home / "run").mkdir(parents=True)
    (home / "run" / "supervisor.json").write_text(json.dumps({"pid": other.pid, "started": "1"}), encoding="ascii")
    assert "nothing was running here" in stop(home)
    assert other.poll() is None
    other.kill()
    other.wait()
    for left in ("", "{}", "[1]", '{"pid": "x", "started": null}'):
        (home / "run" / "supervisor.json").write_text(left, encoding="ascii")
        assert "nothing was running here" in stop(home)


def test_a_taken_port_is_named(home: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        code, said = fail(home, SLIPVAULT_PORT=str(taken.getsockname()[1]))
    assert code == 69
    assert f"127.0.0.1:{taken_port(said)}: another program listens there. [address-taken]" in said
    assert "--port" in said


def taken_port(said: str) -> str:
    found = re.search(r"127\.0\.0\.1:(\d+)", said)
    assert found is not None
    return found[1]


def test_an_address_that_is_not_ours_is_named(home: Path) -> None:
    code, said = fail(home, SLIPVAULT_HOST="192.0.2.1")
    assert (code, "this machine has no such address" in said) == (69, True)


def test_a_home_that_cannot_be_is_named(home: Path) -> None:
    home.write_text("a file", encoding="ascii")
    code, said = fail(home)
    assert (code, "there is a file of that name. [home-unusable]" in said) == (78, True)
    code, said = fail(home / "below")
    assert (code, "a part of the path is a file. [home-unusable]" in said) == (78, True)


@pytest.mark.parametrize(
    ("setting", "value", "code", "word"),
    [
        ("SLIPVAULT_DATABASE_URL", "postgresql://nobody:secret-word@127.0.0.1:9/none", 69, "database-unreachable"),
        ("SLIPVAULT_DATABASE_URL", "mysql://127.0.0.1/none", 78, "bad-setting"),
        ("SLIPVAULT_STORE_URL", "s3://bucket", 78, "bad-store-address"),
        ("SLIPVAULT_STORE_URL", "s3+http://127.0.0.1:9/bucket", 69, "store-unavailable"),
        ("SLIPVAULT_CUSTODIAN_URL", "vault://secret", 78, "custodian-failed"),
        ("SLIPVAULT_PORT", "http", 78, "bad-setting"),
    ],
)
def test_a_wrong_setting_is_named(home: Path, setting: str, value: str, code: int, word: str) -> None:
    more = {"AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secret-word", setting: value}
    found, said = fail(home, **more)
    assert f"[{word}]" in said
    assert found == code
    assert "secret-word" not in said


@pytest.mark.parametrize("when", ["data.new", "data", "store/format"])
def test_stopped_in_the_middle_of_a_first_start_nothing_is_left_and_the_next_goes_on(home: Path, when: str) -> None:
    process = launch(home)
    place = home / when if "/" in when else home / "database" / when
    until(place.exists)
    process.send_signal(signal.SIGINT)
    said, _ = process.communicate(timeout=PATIENCE_S)
    assert (process.returncode, "Traceback" in said) == (130, False), said
    assert "stopped before it was ready" in said
    assert processes_of(home) == []
    with begun(home) as again:  # it tells a password, too: the first one may be lost
        assert again.is_ready()


def test_in_the_background_it_lets_go_and_only_the_terminal_gets_the_password(home: Path) -> None:
    # Its output is read to the end: a service that kept it open would never let go.
    run = [sys.executable, str(ROOT / "scripts" / "run"), "--home", str(home)]
    begun = subprocess.run(
        [*run, "--detach", "--port", "0"], env=environment(home), capture_output=True, text=True, timeout=PATIENCE_S
    )
    assert begun.returncode == 0, begun.stdout + begun.stderr
    found = re.search(r"is ready: (\S+)", begun.stdout)
    password = re.search(r"one-time password (\S+)", begun.stdout)
    assert found is not None
    assert password is not None
    assert httpx.get(f"{found[1]}/readyz", trust_env=False, timeout=10).status_code == 200
    log = (home / "log" / "slipvault.log").read_text(encoding="utf-8")
    assert found[1] in log
    assert password[1] not in log
    twice = subprocess.run([*run, "--detach"], env=environment(home), capture_output=True, text=True, timeout=60)
    assert (twice.returncode, "[already-running]" in twice.stdout) == (75, True)
    stopped = subprocess.run([*run, "--stop"], env=environment(home), capture_output=True, text=True, timeout=60)
    assert (stopped.returncode, "stopped" in stopped.stdout) == (0, True)


def test_it_speaks_chinese_where_nothing_else_is_asked_for(home: Path) -> None:
    home.write_text("a file", encoding="ascii")
    _, said = fail(home, LANG="C.UTF-8")
    assert "主目录" in said
    assert "已有同名文件" in said
