"""Starting the command line as its users do, and reading what a watcher says."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]


def environment(server_url: str | None, token: str, tmp_path: Path, **more: str) -> dict[str, str]:
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    told = {
        **kept,
        "PYTHONPATH": str(ROOT),
        "SLIPVAULT_HOME": str(tmp_path / "nobody"),
        "XDG_CONFIG_HOME": str(tmp_path / "config"),
        "LANG": "en_US.UTF-8",
        "COLUMNS": "200",
    }
    if server_url is not None:
        file = tmp_path / "token"
        file.write_text(token, encoding="ascii")
        file.chmod(0o600)
        told |= {"SLIPVAULT_SERVER": server_url, "SLIPVAULT_TOKEN_FILE": str(file)}
    return told | more


def command(*arguments: object) -> list[str]:
    return [sys.executable, "-m", "vault.surfaces.cli.main", *map(str, arguments)]


def run(env: dict[str, str], *arguments: object, stdin: str | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command(*arguments), env=env, capture_output=True, text=True, input=stdin or "", timeout=120, encoding="utf-8"
    )


class Watching:
    """A watcher in its own process; its events are read from its output."""

    def __init__(self, env: dict[str, str], folder: Path, *options: object, settle: float = 0.1) -> None:
        self._log = folder.parent / f"watcher-{time.monotonic_ns()}.log"
        arguments = command("station", "watch", folder, "--class", "TEST", "--settle", settle, "--json", *options)
        with self._log.open("wb") as log:
            self.process = subprocess.Popen(arguments, env=env, stdout=log, stderr=subprocess.STDOUT)

    @property
    def events(self) -> list[dict]:
        lines = self._log.read_text(encoding="utf-8").splitlines()
        return [json.loads(line) for line in lines if line.startswith("{") and line.endswith("}")]

    @property
    def said(self) -> str:
        return self._log.read_text(encoding="utf-8")

    def named(self, event: str) -> list[dict]:
        return [e for e in self.events if e.get("event") == event]

    def until(self, condition: Callable[[], object], timeout_s: float = 30) -> None:
        deadline_s = time.monotonic() + timeout_s
        while not condition():
            assert time.monotonic() < deadline_s, f"it did not happen; the watcher said:\n{self.said}"
            time.sleep(0.02)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait(10)

    def end(self) -> int:
        self.process.terminate()
        return self.wait()

    def wait(self, timeout_s: float = 60) -> int:
        return self.process.wait(timeout_s)
