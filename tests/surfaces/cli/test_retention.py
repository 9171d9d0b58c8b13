"""Schedules, events, filing and why by command line, as the people who do them: each signs in as themselves."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
import uvicorn
import yaml

from tests.support.archive import Archive, jpeg
from vault.access import service as access
from vault.access import sessions
from vault.access.rights import Role
from vault.retention.book import read_book
from vault.retention.locking import lock_waiting
from vault.settings import Settings
from vault.surfaces.application import make_application

PASSWORD = "夕阳照在旧书架上"
pytestmark = pytest.mark.slow


@pytest.fixture
def url(archive: Archive, tmp_path: Path) -> Iterator[str]:
    """The archive, served on loopback."""
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "operator.token").write_text("operator-of-this-test", encoding="ascii")
    app = make_application(archive.ctx, Settings.from_environment({"SLIPVAULT_HOME": str(tmp_path)}))
    config = uvicorn.Config(app, host="127.0.0.1", port=0, lifespan="off", log_level="error")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        time.sleep(0.02)
    port = server.servers[0].sockets[0].getsockname()[1]
    address = f"http://127.0.0.1:{port}"
    (tmp_path / "run" / "server.url").write_text(address, encoding="ascii")
    yield address
    server.should_exit = True
    thread.join()


class Terminal:
    """A terminal of one person on one computer."""

    def __init__(self, home: Path, config: Path) -> None:
        self._environment = {
            "PATH": os.environ["PATH"],
            "LANG": "en_US.UTF-8",
            "SLIPVAULT_HOME": str(home),
            "XDG_CONFIG_HOME": str(config),
        }

    def run(self, *words: object, stdin: str = "") -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "vault.surfaces.cli.main", *map(str, words)],
            env=self._environment,
            capture_output=True,
            text=True,
            input=stdin,
            timeout=60,
        )

    def ask(self, *words: object, code: int = 0) -> Any:
        """What the command prints as JSON; its error when it must fail."""
        done = self.run(*words, "--json")
        assert done.returncode == code, done.stdout + done.stderr
        return json.loads(done.stdout) if done.stdout else json.loads(done.stderr)["error"]


@pytest.fixture
def operator(url: str, tmp_path: Path) -> Terminal:
    """The operator's, on the host."""
    return Terminal(tmp_path, tmp_path / "nobody")


@pytest.fixture
def sign_in(archive: Archive, url: str, tmp_path: Path) -> Callable[..., Terminal]:
    """Somebody's, signed in with their password."""

    def one(login: str, *roles: Role) -> Terminal:
        account = access.create_person(
            archive.ctx, archive.operator, login, f"{login} 的姓名", archive.operator.unit_id, frozenset(roles)
        )
        secret = sessions.sign_in(archive.ctx, login, account.one_time_password, "192.0.2.1")
        first = sessions.find(archive.ctx, secret)
        assert first is not None
        access.change_password(archive.ctx, first.viewer, account.one_time_password, PASSWORD)
        terminal = Terminal(tmp_path, tmp_path / login)
        assert terminal.run("login", url, "--as", login, stdin="wrong\n").returncode == 77
        done = terminal.run("login", url, "--as", login, stdin=f"{PASSWORD}\n")
        assert done.returncode == 0, done.stderr
        assert PASSWORD not in done.stdout + done.stderr
        return terminal

    return one


@pytest.fixture
def record_id(archive: Archive) -> UUID:
    found = archive.send(
        jpeg(5001), class_code="CONTRACT", occurred_date=date(2026, 3, 1), business_number="HT-1"
    ).record_id
    assert found is not None
    return found


@pytest.mark.clause("V5")
@pytest.mark.invariant("A1")
def test_holds_are_placed_and_released_by_three(
    archive: Archive, sign_in: Callable[..., Terminal], tmp_path: Path
) -> None:
    legal, heads = sign_in("legal", Role.LEGAL), [sign_in(f"head{n}", Role.APPROVER) for n in range(2)]
    record_id = archive.send(jpeg(4711)).record_id
    told = ("--authority", "court", "--name", "市中级人民法院", "--basis", "民事诉讼法第七十条", "--title", "某某案")
    matter = legal.ask("holds", "open", *told, "--document", "(2026) 17 号")["number"]
    assert legal.ask("holds", "place", matter, "X-1", "--reason", "法院要求", code=65)["code"] == "records-unknown"
    (tmp_path / "list.txt").write_text(f"{record_id}\n", encoding="utf-8")
    placed = legal.ask("holds", "place", matter, "--list", tmp_path / "list.txt", "--reason", "法院要求")
    hold = placed["hold"]["name"]
    assert (hold, placed["added"]) == (f"{matter}/1", 1)
    assert legal.ask("holds", "add", hold, record_id)["already"] == 1
    shown = legal.ask("holds", "show", hold)
    assert shown["held"][0]["record_id"] == str(record_id)
    assert legal.ask("holds", "show", placed["hold"]["id"]) == shown
    assert legal.ask("holds", "show", placed["hold"]["matter_id"])["number"] == matter
    assert "held" in legal.run("why", record_id).stdout.lower()
    assert legal.ask("holds", "release-approve", hold, "--proposal", record_id, code=77)["code"] == "not-allowed"
    legal.ask("holds", "release-propose", hold, "--reason", "案件已结")
    legal.ask("holds", "release-withdraw", hold)
    read = legal.ask("holds", "release-propose", hold, "--reason", "案件已结")["release"]["id"]
    assert heads[0].ask("holds", "release-approve", hold, "--proposal", read)["is_in_force"]
    assert legal.ask("holds", "close", matter, code=75)["code"] == "matter-still-holds"
    assert not heads[1].ask("holds", "release-approve", hold, "--proposal", read)["is_in_force"]
    assert legal.ask("holds", "close", matter)["closed_at"]
    assert legal.ask("holds", "list", "--open")["matters"] == []
    assert legal.ask("holds", "show", "M-1999-0001", code=66)


@pytest.mark.clause("V3")
@pytest.mark.invariant("A1")
def test_a_schedule_from_export_to_approval(
    archive: Archive, operator: Terminal, sign_in: Callable[..., Terminal], tmp_path: Path
) -> None:
    chief, head, other = sign_in("chief", Role.ARCHIVE_ADMINISTRATOR), sign_in("head1", Role.APPROVER), None
    assert chief.ask("whoami")["as"] == "person"
    file = tmp_path / "schedule.yaml"
    assert chief.run("schedule", "export", "-o", file).returncode == 0
    assert chief.run("schedule", "export", "-o", file).returncode == 65  # it is there already
    told = yaml.safe_load(file.read_text(encoding="utf-8"))
    next(row for row in told["classes"] if row["code"] == "CONTRACT")["own_period"] = "P20Y"
    file.write_text(yaml.safe_dump(told, allow_unicode=True), encoding="utf-8")
    assert chief.ask("schedule", "import", file, "--note", "合同二十年")["number"] == 2
    changed = chief.ask("schedule", "diff", 1, 2)["changes"]
    assert ("CONTRACT", "own_period", "P20Y") in {(c["code"], c["field"], c["after"]) for c in changed}
    file.write_text(file.read_text(encoding="utf-8").replace("P20Y", "twenty"), encoding="utf-8")
    bad = chief.run("schedule", "import", file)
    assert (bad.returncode, "P10Y" in bad.stdout) == (65, True)
    with archive.ctx.database.read() as connection:
        today = read_book(connection).day_of(archive.clock.now()).isoformat()
    assert chief.ask("schedule", "propose", 2, "--on", "2020-01-01", code=65)["code"] == "effective-in-past"
    assert chief.ask("schedule", "propose", 2, "--on", today, code=75)["code"] == "not-simulated"
    archive.simulate(2)
    shown = chief.ask("schedule", "simulate", 2, "--show")
    assert shown["records"] == 0
    assert chief.ask("schedule", "propose", 2, "--on", today)["state"] == "proposed"
    assert chief.ask("schedule", "approve", 2, code=77)["code"] == "not-allowed"
    assert operator.ask("schedule", "approve", 2, code=77)["code"] == "needs-person"
    assert head.ask("schedule", "approve", 2, "--comment", "同意")["state"] == "proposed"
    assert head.ask("schedule", "approve", 2, code=75)["code"] == "proposal-settled"
    other = sign_in("head2", Role.APPROVER)
    assert other.ask("schedule", "approve", 2)["standing"] == "in_effect"
    shown = operator.run("schedule", "show").stdout
    assert "head1 的姓名" in shown
    assert "in effect" in shown
    assert operator.run("schedule", "list").stdout.splitlines()[0].startswith("2\tin effect")


def test_events_filing_and_why(
    archive: Archive, operator: Terminal, sign_in: Callable[..., Terminal], record_id: UUID, tmp_path: Path
) -> None:
    archive.clock.advance(timedelta(days=9 * 365))
    ended = archive.clock.now().date().replace(day=1)
    keeper, other = sign_in("keeper", Role.ARCHIVIST), sign_in("other", Role.ARCHIVIST)
    number = keeper.ask("records", "show", record_id)["archival_number"]
    added = keeper.ask("events", "add", number, "contract_terminated", ended, "--evidence", "协议 7")
    event_id = added["events"][0]["id"]
    assert keeper.ask("events", "add", number, "contract_terminated", ended, "--evidence", "协议 7")["repeated"]
    why = keeper.ask("why", number)
    assert (why["decision"], why["retain_until"], why["reasons"][0]["rule"]) == (
        "keep",
        ended.replace(year=ended.year + 2).isoformat(),
        "CN-LABOR-CONTRACT",
    )
    said = keeper.run("why", number).stdout
    assert why["lock_standing"] == "planned"
    assert why["lock_standing_text"] in said
    assert "劳动合同法 art.50" in said
    assert "协议 7" in said
    assert keeper.ask("events", "undo", event_id, "--reason", "录入有误", code=77)["code"] == "own-event"
    assert other.ask("events", "undo", event_id, "--reason", "录入有误")["undone_at"]
    undone = keeper.ask("events", "add", number, "contract_terminated", ended, "--evidence", "协议 7", code=75)
    assert undone["code"] == "reported-and-undone"
    assert keeper.ask("why", number)["retain_until"] is None
    table = tmp_path / "events.csv"
    table.write_text("record,event,day\nHT-1,contract_terminated,2026-01-01\nHT-9,account_closed,never\n")
    refused = keeper.run("events", "add", "--list", table)
    assert (refused.returncode, "line 3" in refused.stderr) == (65, True)
    assert keeper.run("events", "add", "--list", table, "--each").returncode == 1
    assert len(keeper.ask("events", "list")["events"]) == 2
    assert keeper.run("events", "add", number).returncode == 64
    assert keeper.ask("file", number)["records"] == [{"record_id": str(record_id), "outcome": "asked"}]
    assert keeper.ask("file", "--stop", number)["records"][0]["outcome"] == "stopped"
    assert keeper.ask("records", "classify", number, "COMPLAINT")["in_effect"]
    number = keeper.ask("records", "show", record_id)["archival_number"]
    keeper.ask("file", number)
    list(lock_waiting(archive.ctx))
    told = keeper.ask("why", record_id)
    assert (told["locks"][0]["mode"], told["lock_standing"]) == ("COMPLIANCE", "stands")
    assert "This lock stands in the stores" in keeper.run("why", record_id).stdout
    assert keeper.ask("why", record_id, "--on", "2020-01-01", code=66)["code"] == "not-here-then"
    assert keeper.ask("file", "00000000-0000-7000-8000-000000000000", code=1)["records"][0]["outcome"] == "not_found"
    assert keeper.run("logout").returncode == 0
    assert keeper.ask("whoami")["as"] == "operator"
