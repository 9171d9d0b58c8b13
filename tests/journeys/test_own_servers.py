"""The demo as an office runs it for good: an ordinary PostgreSQL server, a bucket of a real object store."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.journeys.conftest import ROOT, wait_for
from tests.support.archive import pdf, tiff
from tests.support.debian_postgres import DebianPostgres
from tests.support.rgw import Rgw

pytestmark = [pytest.mark.journey, pytest.mark.rgw, pytest.mark.slow, pytest.mark.timeout(600)]
SLIPS = 6


@pytest.fixture
def environment(debian_postgres: DebianPostgres, rgw: Rgw) -> Iterator[dict[str, str]]:
    """The settings of an installation whose database and store are somebody else's."""
    base = Path("/var/tmp") / f"slipvault-own-servers-{os.getpid()}"
    base.mkdir(mode=0o755)
    database = debian_postgres.new_database()
    debian_postgres.as_administrator("postgres", "ALTER ROLE archive CREATEROLE")
    told = {
        **os.environ,
        "SLIPVAULT_HOME": str(base / "home"),
        "SLIPVAULT_DATABASE_URL": debian_postgres.url(database),
        "SLIPVAULT_STORE_URL": rgw.new_bucket(),
        "LANG": "en_US.UTF-8",
    }
    try:
        yield told
    finally:
        _script(told, "--stop")
        shutil.rmtree(base)


@pytest.mark.clause("V1")
@pytest.mark.clause("V2")
@pytest.mark.clause("C4.3")
def test_the_demo_on_servers_of_ones_own(environment: dict[str, str], tmp_path: Path) -> None:
    started = _script(environment, "--demo", SLIPS, "--port", 0, "--detach")
    assert started.returncode == 0, started.stdout
    assert f"{SLIPS} of {SLIPS} demo slips" in started.stdout
    home = Path(environment["SLIPVAULT_HOME"])
    assert not (home / "database").exists(), "no embedded database beside the ordinary one"
    assert not (home / "store").exists(), "no directory beside the bucket"

    scans = {"多页.tif": tiff(3, seed=31), "单页.pdf": pdf(seed=32)}
    for name, data in scans.items():
        (tmp_path / name).write_bytes(data)
    described = tmp_path / "about.json"
    described.write_text(json.dumps({"customer_name": "上官婉儿", "id_number": "11010519491231002X"}))
    sent = _cli(environment, "intake", "send", *[tmp_path / name for name in scans], "--class", "ACCOUNT-OPENING",
                "--metadata", described, "--json")  # fmt: skip
    assert sent.returncode == 0, sent.stderr
    accepted = {Path(line["file"]).name: line["record_id"] for line in map(json.loads, sent.stdout.splitlines())}

    found = json.loads(_cli(environment, "records", "list", "--name", "官婉", "--json").stdout)
    assert {record["id"] for record in found["records"]} == set(accepted.values())
    by_number = _cli(environment, "records", "list", "--by", "id-number", "--json", stdin="11010519491231002X\n")
    assert json.loads(by_number.stdout)["count"] == 2
    for name, data in scans.items():
        target = tmp_path / f"back-{name}"
        fetched = _cli(environment, "records", "fetch", accepted[name], "-o", target, "--json")
        assert fetched.returncode == 0, fetched.stderr
        assert hashlib.sha256(target.read_bytes()).digest() == hashlib.sha256(data).digest()
    wait_for(lambda: _pages(environment, accepted["多页.tif"]) == 3, 60)

    probed = _cli(environment, "store", "probe", "--json")
    assert probed.returncode == 0, probed.stdout
    assert json.loads(probed.stdout)["lies"] == []
    verified = _cli(environment, "verify", "--json")
    assert verified.returncode == 0, verified.stdout
    told = json.loads(verified.stdout)
    assert told["records"] == SLIPS + 2
    assert told["clean"]

    assert _script(environment, "--stop").returncode == 0
    again = _script(environment, "--port", 0, "--detach")
    assert again.returncode == 0, again.stdout
    assert "one-time password" not in again.stdout, "it is the same archive"
    assert json.loads(_cli(environment, "records", "list", "--name", "官婉", "--json").stdout)["count"] == 2


def test_a_login_without_rights_is_told_what_its_administrator_must_do(
    environment: dict[str, str], debian_postgres: DebianPostgres
) -> None:
    database = debian_postgres.new_database(login="stranger", owner="postgres")
    lesser = {**environment, "SLIPVAULT_DATABASE_URL": debian_postgres.url(database, "stranger")}
    refused = _script(lesser, "--port", 0, "--detach")
    assert refused.returncode != 0
    assert "database-unsuitable" in refused.stdout
    assert f'ALTER DATABASE "{database}" OWNER TO "stranger";' in refused.stdout
    assert "Traceback" not in refused.stdout


def _pages(environment: dict[str, str], record_id: str) -> int:
    """How many page images the record has."""
    shown = json.loads(_cli(environment, "records", "show", record_id, "--json").stdout)
    return sum(component["kind"] == "page" for component in shown["components"])


def _script(environment: dict[str, str], *arguments: object) -> subprocess.CompletedProcess[str]:
    """scripts/run as a user calls it; what it starts keeps the output open, so it goes into a file."""
    log = Path(environment["SLIPVAULT_HOME"]).parent / "log"
    with log.open("w+b") as output:
        done = subprocess.run(
            [sys.executable, ROOT / "scripts" / "run", *map(str, arguments)],
            env=environment,
            stdout=output,
            stderr=output,
            timeout=400,
        )
    return subprocess.CompletedProcess(done.args, done.returncode, log.read_text(encoding="utf-8"), "")


def _cli(environment: dict[str, str], *arguments: object, stdin: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [ROOT / ".venv" / "bin" / "slipvault", *map(str, arguments)],
        env=environment,
        input=stdin,
        capture_output=True,
        text=True,
        timeout=120,
        encoding="utf-8",
    )
