"""A real S3 server for tests: Ceph RADOS Gateway through `scripts/rgw-up`, one cluster for all workers of a run."""

from __future__ import annotations

import fcntl
import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import pytest

RGW_UP = Path(__file__).resolve().parents[2] / "scripts" / "rgw-up"
# The same for every cluster of a test run, so that one process can talk to two; each lives on loopback for minutes.
CREDENTIALS = {
    "AWS_ACCESS_KEY_ID": "slipvaulttests",
    "AWS_SECRET_ACCESS_KEY": "only-for-clusters-of-tests",
    "AWS_DEFAULT_REGION": "us-east-1",
}
UP_TIMEOUT_S = 240


@dataclass(frozen=True)
class Rgw:
    """A running cluster; its credentials stand in the environment while the fixture lasts."""

    directory: Path
    endpoint: str

    def new_bucket(self, *, is_locked: bool = True, default_days: int = 0) -> str:
        """The store URL of a fresh bucket."""
        return new_bucket(self.endpoint, is_locked=is_locked, default_days=default_days)

    def up(self) -> None:
        """Starts again what is dead."""
        _rgw_up("up", self.directory)

    def kill(self, daemon: str) -> None:
        """kill -9 of `osd`, `mon` or `rgw`."""
        os.kill(int((self.directory / "run" / f"{daemon}.pid").read_text()), signal.SIGKILL)


def new_bucket(endpoint: str, *, is_locked: bool = True, default_days: int = 0) -> str:
    """Makes a bucket at `endpoint`, with a default GOVERNANCE lock of some days if wanted; returns its store URL."""
    import boto3
    from botocore.config import Config

    client = boto3.session.Session().client(  # the default session would remember earlier credentials
        "s3", endpoint_url=endpoint, region_name="us-east-1", config=Config(s3={"addressing_style": "path"})
    )
    name = f"test-{uuid4().hex}"
    client.create_bucket(Bucket=name, ObjectLockEnabledForBucket=is_locked)
    if default_days:
        rule = {"DefaultRetention": {"Mode": "GOVERNANCE", "Days": default_days}}
        client.put_object_lock_configuration(
            Bucket=name, ObjectLockConfiguration={"ObjectLockEnabled": "Enabled", "Rule": rule}
        )
    client.close()
    return f"s3+{endpoint}/{name}"


@pytest.fixture(scope="session")
def rgw() -> Iterator[Rgw]:
    """The cluster that all workers of this test run share; the last one takes it down."""
    run = os.environ.get("PYTEST_XDIST_TESTRUNUID") or uuid4().hex
    with _shared(_base() / f"slipvault-rgw-{run[:16]}") as cluster:
        yield cluster


@pytest.fixture(scope="module")
def private_rgw() -> Iterator[Rgw]:
    """A cluster of one test module, for tests that kill its daemons."""
    with _shared(_base() / f"slipvault-rgw-{uuid4().hex[:16]}") as cluster:
        yield cluster


@pytest.fixture(scope="module")
def rgw_bucket_url(rgw: Rgw) -> str:
    """A fresh bucket under Object Lock for one test module."""
    return rgw.new_bucket()


@contextmanager
def credentials_in_environment() -> Iterator[None]:
    """Where the libraries look for them; afterwards the environment is as it was."""
    before = {name: os.environ.get(name) for name in CREDENTIALS}
    os.environ.update(CREDENTIALS)
    yield
    for name, value in before.items():
        os.environ.pop(name, None)
        if value is not None:
            os.environ[name] = value


@contextmanager
def _shared(directory: Path) -> Iterator[Rgw]:
    users = directory.with_suffix(".users")
    mine = users / str(os.getpid())
    with _exclusive():
        _sweep(directory.parent, but=directory)
        users.mkdir(exist_ok=True)
        mine.touch()
        told = _rgw_up("up", directory)
    try:
        with credentials_in_environment():
            yield Rgw(directory, told["S3_ENDPOINT_URL"])
    finally:
        with _exclusive():
            mine.unlink()
            _end_if_unused(directory)


def _rgw_up(command: str, directory: Path) -> dict[str, str]:
    """Runs the script; a machine without Ceph fails the tests with the script's own words."""
    keys = {
        "RGW_UP_ACCESS_KEY": CREDENTIALS["AWS_ACCESS_KEY_ID"],
        "RGW_UP_SECRET_KEY": CREDENTIALS["AWS_SECRET_ACCESS_KEY"],
    }
    done = subprocess.run(
        [str(RGW_UP), command, str(directory)],
        capture_output=True,
        text=True,
        timeout=UP_TIMEOUT_S,
        env={**os.environ, **keys},
    )
    if done.returncode:
        pytest.fail(f"scripts/rgw-up {command}: {done.stderr.strip()}", pytrace=False)
    return dict(line.split("=", 1) for line in done.stdout.splitlines())


def _end_if_unused(directory: Path) -> None:
    users = directory.with_suffix(".users")
    if any(_is_alive(int(path.name)) for path in users.iterdir()):
        return
    if (directory / ".rgw-up").exists():
        _rgw_up("down", directory)
    shutil.rmtree(directory, ignore_errors=True)
    shutil.rmtree(users, ignore_errors=True)


def _sweep(base: Path, *, but: Path) -> None:
    """Ends the clusters of test runs that were killed."""
    for users in base.glob("slipvault-rgw-*.users"):
        directory = users.with_suffix("")
        if directory != but and users.is_dir() and users.stat().st_uid == os.getuid():
            _end_if_unused(directory)


@contextmanager
def _exclusive() -> Iterator[None]:
    with (_base() / f"slipvault-rgw-{os.getuid()}.lock").open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def _is_alive(pid: int) -> bool:
    return Path(f"/proc/{pid}").exists()


def _base() -> Path:
    """Memory where there is some: kill -9 loses nothing there, and small writes are faster."""
    shared = Path("/dev/shm")
    return shared if os.access(shared, os.W_OK) else Path(tempfile.gettempdir())
