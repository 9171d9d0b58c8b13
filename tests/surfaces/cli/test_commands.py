"""Help, languages, sign-in, records, batches: what every command promises."""

from __future__ import annotations

import hashlib
import json
import stat
import subprocess
import time
from pathlib import Path

import pytest

from tests.surfaces.station.running import command, environment, run
from tests.surfaces.station.simulated_server import TOKEN, SimulatedServer

COMMANDS = [
    (),
    *[
        (noun,)
        for noun in ("intake", "records", "batches", "quarantine", "classes", "station", "ledger", "store", "keys")
    ],
    *[("intake", "send"), ("station", "watch"), ("records", "list"), ("records", "show"), ("records", "fetch")],
    *[("batches", verb) for verb in ("list", "show", "open", "close")],
    *[("quarantine", verb) for verb in ("list", "handle", "reopen")],
    *[("classes", "list"), ("ledger", "list"), ("ledger", "export"), ("ledger", "verify"), ("store", "probe")],
    *[("store", "reconcile"), ("database",), ("database", "dump"), ("database", "restore")],
    *[("keys", "status"), ("login",), ("logout",), ("whoami",), ("verify",), ("serve",), ("worker",)],
]


@pytest.fixture
def record(server: SimulatedServer, env: dict[str, str], tmp_path: Path) -> str:
    scan = tmp_path / "scan.tif"
    scan.write_bytes(b"0123456789" * 20_000)
    done = run(env, "intake", "send", scan, "--class", "TEST", "--json")
    return json.loads(done.stdout)["record_id"]


@pytest.mark.slow
@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_every_help_names_the_exit_codes(env: dict[str, str], words: tuple[str, ...]) -> None:
    shown = run(env, *words, "--help")
    assert shown.returncode == 0, shown.stderr
    told = " ".join(shown.stdout.split())
    for part in ("Exit codes:", "64 wrong usage", "75 try again", "78 configuration"):
        assert part in told


def test_help_comes_at_once(env: dict[str, str]) -> None:
    times_s = []
    for _ in range(5):
        began_s = time.perf_counter()
        subprocess.run(command("--help"), env=env, stdout=subprocess.DEVNULL, check=True)
        times_s.append(time.perf_counter() - began_s)
    bare_s = min(_bare_start_s(env) for _ in range(3))
    assert min(times_s) < max(0.3, 12 * bare_s), times_s


def _bare_start_s(env: dict[str, str]) -> float:
    began_s = time.perf_counter()
    subprocess.run([command()[0], "-c", "pass"], env=env, check=True)
    return time.perf_counter() - began_s


def test_sign_in_keeps_the_token_for_its_owner_only(server: SimulatedServer, tmp_path: Path) -> None:
    env = environment(None, TOKEN, tmp_path)
    nobody = run(env, "whoami", "--json")
    assert nobody.returncode == 78
    assert json.loads(nobody.stderr)["error"]["code"] == "not-signed-in"
    done = run(env, "login", server.url, "--json", stdin=f"{TOKEN}\n")
    assert done.returncode == 0, done.stderr
    kept = tmp_path / "config" / "slipvault" / "login.json"
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert TOKEN not in done.stdout + done.stderr
    assert json.loads(run(env, "whoami", "--json").stdout)["as"] == "login"
    assert run(env, "logout").returncode == 0
    assert not kept.exists()


def test_a_refused_token_is_not_kept(server: SimulatedServer, tmp_path: Path) -> None:
    env = environment(None, TOKEN, tmp_path)
    assert run(env, "login", server.url, stdin="wrong\n").returncode == 77
    assert not (tmp_path / "config").exists()


def test_a_token_is_not_sent_in_the_clear_to_other_hosts(tmp_path: Path) -> None:
    done = run(environment(None, TOKEN, tmp_path), "login", "http://archive.example", "--json", stdin="t\n")
    assert done.returncode == 64
    assert json.loads(done.stderr)["error"]["code"] == "bad-server-address"


def test_the_operator_of_the_host_needs_no_sign_in(server: SimulatedServer, tmp_path: Path) -> None:
    home = tmp_path / "home" / "run"
    home.mkdir(parents=True)
    (home / "server.url").write_text(server.url, encoding="ascii")
    (home / "operator.token").write_text(TOKEN, encoding="ascii")
    env = environment(None, TOKEN, tmp_path, SLIPVAULT_HOME=str(home.parent))
    assert json.loads(run(env, "whoami", "--json").stdout)["as"] == "operator"


def test_languages(env: dict[str, str], server: SimulatedServer) -> None:
    assert "用法" not in run(env, "--lang", "en", "--help").stdout
    chinese = run({**env, "LANG": "C.UTF-8"}, "records", "show", "nothing", "--json")
    english = run(env, "records", "show", "nothing", "--json")
    assert chinese.returncode == english.returncode == 66
    told = [json.loads(x.stderr)["error"] for x in (chinese, english)]
    assert told[0]["code"] == told[1]["code"] == "not-found"
    assert told[1]["message"] == "There is nothing here that you may see."
    assert told[0]["message"] != told[1]["message"]
    assert any("\u4e00" <= c <= "\u9fff" for c in told[0]["message"])


def test_fetch_gives_the_original_back(
    server: SimulatedServer, env: dict[str, str], record: str, tmp_path: Path
) -> None:
    goal = tmp_path / "back.tif"
    done = run(env, "records", "fetch", record, "-o", goal, "--json")
    assert done.returncode == 0, done.stderr
    assert goal.read_bytes() == (tmp_path / "scan.tif").read_bytes()
    assert stat.S_IMODE(goal.stat().st_mode) == 0o600
    assert json.loads(done.stdout)["sha256"] == hashlib.sha256(goal.read_bytes()).hexdigest()


def test_fetch_does_not_overwrite(server: SimulatedServer, env: dict[str, str], record: str, tmp_path: Path) -> None:
    goal = tmp_path / "mine.txt"
    goal.write_text("mine", encoding="ascii")
    refused = run(env, "records", "fetch", record, "-o", goal, "--json")
    assert refused.returncode == 65
    assert json.loads(refused.stderr)["error"]["code"] == "file-exists"
    assert goal.read_text(encoding="ascii") == "mine"
    assert run(env, "records", "fetch", record, "-o", goal, "--force").returncode == 0
    assert goal.read_bytes() == (tmp_path / "scan.tif").read_bytes()


@pytest.mark.faults
def test_a_cut_fetch_goes_on(server: SimulatedServer, env: dict[str, str], record: str, tmp_path: Path) -> None:
    fetches: list[str] = []

    def fault_for(path: str) -> str | None:
        if path.endswith("/original"):
            fetches.append(path)
        return "cut-download" if len(fetches) < 3 else None

    server.fault_for = fault_for
    goal = tmp_path / "back.tif"
    assert run(env, "records", "fetch", record, "-o", goal).returncode == 0
    assert len(fetches) == 3
    assert goal.read_bytes() == (tmp_path / "scan.tif").read_bytes()


@pytest.mark.faults
def test_damaged_bytes_leave_no_file(
    server: SimulatedServer, env: dict[str, str], record: str, tmp_path: Path
) -> None:
    server.fault_for = lambda _path: "damage-download"
    place = tmp_path / "place"
    place.mkdir()
    done = run(env, "records", "fetch", record, "-o", place / "back.tif", "--json")
    assert done.returncode == 65
    assert json.loads(done.stderr)["error"]["code"] == "fetched-damaged"
    assert list(place.iterdir()) == []


def test_records_are_found_and_shown(server: SimulatedServer, env: dict[str, str], record: str) -> None:
    found = json.loads(run(env, "records", "list", "--name", "张", "--json").stdout)
    assert [line["id"] for line in found["records"]] == [record]
    assert server.archive.searches[-1]["name"] == "张"
    number = found["records"][0]["archival_number"]
    assert json.loads(run(env, "records", "show", number, "--json").stdout)["id"] == record
    assert record in run(env, "records", "list").stdout


def test_a_personal_number_is_asked_for_not_an_argument(
    server: SimulatedServer, env: dict[str, str], record: str
) -> None:
    assert run(env, "records", "list", "--by", "phone", "--json", stdin="13800138000\n").returncode == 0
    assert server.archive.searches[-1]["phone"] == "13800138000"
    assert run(env, "records", "list", "--by", "name").returncode == 64


def test_batches_and_quarantine(server: SimulatedServer, env: dict[str, str], tmp_path: Path) -> None:
    opened = json.loads(run(env, "batches", "open", "B", "--sheets", 1, "--json").stdout)
    bad = tmp_path / "bad.tif"
    bad.write_bytes(b"REFUSE")
    assert run(env, "intake", "send", bad, "--class", "TEST", "--batch", "B").returncode == 1
    shown = json.loads(run(env, "batches", "show", opened["id"], "--json").stdout)
    assert shown["balance"]["refused"] == 1
    assert run(env, "batches", "close", opened["id"], "--json").returncode == 0
    listed = run(env, "quarantine", "list")
    assert "bad.tif" in listed.stdout
    assert json.loads(run(env, "classes", "list", "--json").stdout)["classes"][0]["code"] == "TEST"


def test_names_cannot_steer_the_terminal(server: SimulatedServer, env: dict[str, str], tmp_path: Path) -> None:
    scan = tmp_path / "a\x1b[2Jb.tif"
    scan.write_bytes(b"REFUSE")
    run(env, "intake", "send", scan, "--class", "TEST")
    assert "\x1b" not in run(env, "quarantine", "list").stdout


def test_ledger_verify_names_what_is_missing(env: dict[str, str], tmp_path: Path) -> None:
    done = run(env, "ledger", "verify", tmp_path, "--json")
    assert done.returncode == 1
    assert json.loads(done.stdout)["clean"] is False


@pytest.mark.slow
def test_store_probe_tells_the_truth(env: dict[str, str], tmp_path: Path) -> None:
    done = run(env, "store", "probe", f"worm://{tmp_path / 'store'}", "--json")
    assert done.returncode == 0, done.stdout + done.stderr
    told = json.loads(done.stdout)
    assert told["trusted"] is True
    assert told["checks"]
    assert run(env, "store", "probe", "nonsense://x", "--json").returncode not in {0, 1}
