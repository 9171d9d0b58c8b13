"""`slipvault intake send`: one line a file, exit code by outcome, repeatable, stoppable."""

from __future__ import annotations

import hashlib
import json
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.surfaces.station.running import command, run
from tests.surfaces.station.simulated_server import FAULTS, SimulatedServer

pytestmark = pytest.mark.clause("V4")


def pile(tmp_path: Path, *bodies: bytes) -> Path:
    directory = tmp_path / "pile"
    directory.mkdir()
    for n, body in enumerate(bodies):
        (directory / f"{n}.tif").write_bytes(body)
    return directory


def lines(stdout: str) -> list[dict]:
    return [json.loads(line) for line in stdout.splitlines()]


def test_one_line_a_file(server: SimulatedServer, env: dict[str, str], tmp_path: Path) -> None:
    directory = pile(tmp_path, b"one", b"two")
    (directory / "sub").mkdir()
    (directory / "sub" / "3.tif").write_bytes(b"three")
    (directory / ".hidden").write_bytes(b"x")
    done = run(env, "intake", "send", directory, "--class", "TEST", "--json")
    assert done.returncode == 0, done.stderr
    told = lines(done.stdout)
    assert {Path(line["file"]).name for line in told} == {"0.tif", "1.tif", "3.tif"}
    assert {line["status"] for line in told} == {"accepted"}
    assert all(line["record_id"] in server.archive.records for line in told)
    assert all(line["reason"] is None for line in told)


def test_a_repeated_run_doubles_nothing(server: SimulatedServer, env: dict[str, str], tmp_path: Path) -> None:
    directory = pile(tmp_path, b"one", b"two", b"one")
    first = lines(run(env, "intake", "send", directory, "--class", "TEST", "--json").stdout)
    again = run(env, "intake", "send", directory, "--class", "TEST", "--json")
    assert again.returncode == 0
    assert len(server.archive.records) == 2
    assert len(server.archive.items) == 3
    assert {x["record_id"] for x in first} == {x["record_id"] for x in lines(again.stdout)}
    assert all(line["repeated"] for line in lines(again.stdout))


def test_refused_is_told_and_counts(server: SimulatedServer, env: dict[str, str], tmp_path: Path) -> None:
    done = run(env, "intake", "send", pile(tmp_path, b"one", b"REFUSE"), "--class", "TEST", "--json")
    assert done.returncode == 1
    (refused,) = [line for line in lines(done.stdout) if line["status"] == "refused"]
    assert refused["reason"] == "damaged"
    assert refused["record_id"] is None
    assert refused["findings"][0]["page"] == 2


@pytest.mark.faults
@pytest.mark.parametrize("fault", FAULTS)
def test_each_fault_of_the_network(server: SimulatedServer, env: dict[str, str], tmp_path: Path, fault: str) -> None:
    met: list[str] = []

    def fault_for(path: str) -> str | None:
        met.append(path)
        return fault if len(met) == 1 else None

    server.fault_for = fault_for
    done = run(env, "intake", "send", pile(tmp_path, b"x" * 100_000), "--class", "TEST", "--json")
    assert done.returncode == 0, done.stderr
    assert len(server.archive.records) == 1


def test_an_absent_server_is_unsent_not_refused(server: SimulatedServer, env: dict[str, str], tmp_path: Path) -> None:
    away = {**env, "SLIPVAULT_SERVER": "http://127.0.0.1:9"}
    done = run(away, "intake", "send", pile(tmp_path, b"one"), "--class", "TEST", "--json", "--patience", "0")
    assert done.returncode == 69
    assert lines(done.stdout)[0]["status"] == "unsent"
    assert lines(done.stdout)[0]["reason"] == "server-unavailable"


def test_a_wrong_token_ends_the_run(server: SimulatedServer, env: dict[str, str], tmp_path: Path) -> None:
    server.token = "another"
    done = run(env, "intake", "send", pile(tmp_path, *[bytes([n]) for n in range(50)]), "--class", "TEST", "--json")
    assert done.returncode == 77
    error = json.loads(done.stderr.splitlines()[-1])["error"]
    assert (error["code"], error["exit_code"]) == ("sign-in-needed", 77)
    assert len(lines(done.stdout)) < 10


def test_a_token_that_is_renewed_meanwhile_is_taken_up(
    server: SimulatedServer, env: dict[str, str], tmp_path: Path
) -> None:
    server.delay_s = 0.1
    directory = pile(tmp_path, *[bytes([n]) for n in range(30)])
    arguments = command("intake", "send", directory, "--class", "TEST", "--json")
    with subprocess.Popen(arguments, env=env, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        process.stdout.readline()
        Path(env["SLIPVAULT_TOKEN_FILE"]).write_text("renewed-by-a-restart", encoding="ascii")
        server.token = "renewed-by-a-restart"
        process.stdout.read()
    assert process.returncode == 0
    assert len(server.archive.records) == 30


def test_a_batch_closes_when_every_sheet_came(server: SimulatedServer, env: dict[str, str], tmp_path: Path) -> None:
    directory = pile(tmp_path, b"one", b"two", b"one")
    done = run(env, "intake", "send", directory, "--class", "TEST", "--batch", "晨", "--sheets", 3, "--json")
    assert done.returncode == 0, done.stderr
    (batch,) = server.archive.batches.values()
    assert (batch["name"], batch["state"]) == ("晨", "balanced")
    assert json.loads(done.stderr.splitlines()[-1])["batch"]["balance"]["received"] == 3


def test_a_short_batch_stays_open_and_fails(server: SimulatedServer, env: dict[str, str], tmp_path: Path) -> None:
    directory = pile(tmp_path, b"one")
    arguments = ("intake", "send", directory, "--class", "TEST", "--batch", "B", "--sheets", 2, "--json")
    assert run(env, *arguments).returncode == 1
    assert [b["state"] for b in server.archive.batches.values()] == ["open"]
    (directory / "late.tif").write_bytes(b"late")
    assert run(env, *arguments).returncode == 0
    assert [b["state"] for b in server.archive.batches.values()] == ["balanced"]


def test_metadata_for_all_and_beside_a_scan(server: SimulatedServer, env: dict[str, str], tmp_path: Path) -> None:
    directory = pile(tmp_path, b"one", b"two")
    (directory / "1.json").write_text(json.dumps({"customer_name": "李四"}), encoding="utf-8")
    shared = tmp_path / "all.json"
    shared.write_text(json.dumps({"handler": "王五", "customer_name": "-"}), encoding="utf-8")
    done = run(env, "intake", "send", directory, "--class", "TEST", "--metadata", shared, "--json")
    assert done.returncode == 0, done.stderr
    names = {r["metadata"]["file_name"]: r["metadata"]["customer_name"] for r in server.archive.records.values()}
    assert names == {"0.tif": "-", "1.tif": "李四"}
    assert {r["metadata"]["handler"] for r in server.archive.records.values()} == {"王五"}


def test_interrupted_it_ends_cleanly_and_goes_on(
    server: SimulatedServer, env: dict[str, str], tmp_path: Path
) -> None:
    server.delay_s = 0.2
    directory = pile(tmp_path, *[bytes([n]) * 100 for n in range(40)])
    arguments = ("intake", "send", directory, "--class", "TEST", "--json")
    process = subprocess.Popen(
        command(*arguments), env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stderr is not None
    first = process.stdout.readline()
    process.send_signal(signal.SIGINT)
    # Not by `communicate`, which loses the lines that came together with the first.
    told = lines(first + process.stdout.read())
    assert process.wait(20) == 75, process.stderr.read()
    process.stdout.close()
    process.stderr.close()
    assert 0 < len(told) < 40
    assert len(server.archive.records) == len(told), "what was under way was answered, and nothing more begun"
    server.delay_s = 0
    assert run(env, *arguments).returncode == 0
    assert len(server.archive.records) == 40


def test_wrong_paths_and_usage(server: SimulatedServer, env: dict[str, str], tmp_path: Path) -> None:
    assert run(env, "intake", "send", tmp_path / "none", "--class", "TEST", "--json").returncode == 66
    missing = run(env, "intake", "send", tmp_path, "--json")
    assert missing.returncode == 64
    assert json.loads(missing.stderr)["error"]["code"] == "usage"
    assert run(env, "intake", "send", tmp_path, "--class", "TEST", "--sheets", 1).returncode == 64
    assert server.archive.posts == []


def test_a_large_file_needs_little_memory(server: SimulatedServer, env: dict[str, str], tmp_path: Path) -> None:
    large = tmp_path / "large.bin"
    with large.open("wb") as file:
        file.truncate(200 << 20)
    before_kb = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    watcher = (
        "import resource, subprocess, sys; code = subprocess.run(sys.argv[1:]).returncode;"
        "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss); sys.exit(code)"
    )
    done = subprocess.run(
        [sys.executable, "-c", watcher, *command("intake", "send", large, "--class", "TEST", "--json")],
        env=env,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    assert int(done.stdout.splitlines()[-1]) < 120_000, f"KiB; other children had {before_kb}"
    (record,) = server.archive.records.values()
    with large.open("rb") as file:
        assert record["sha256"] == hashlib.file_digest(file, "sha256").hexdigest()


def test_no_token_or_name_in_the_process_list(server: SimulatedServer, env: dict[str, str], tmp_path: Path) -> None:
    server.delay_s = 0.5
    directory = pile(tmp_path, b"one")
    process = subprocess.Popen(
        command("intake", "send", directory, "--class", "TEST"), env=env, stdout=subprocess.DEVNULL
    )
    time.sleep(0.3)
    shown = Path(f"/proc/{process.pid}/cmdline").read_bytes() + Path(f"/proc/{process.pid}/environ").read_bytes()
    assert process.wait(20) == 0
    assert server.token.encode() not in shown
