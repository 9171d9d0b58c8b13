"""A folder, a server, and watchers that do not outlive their test."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.surfaces.station.running import Watching, environment
from tests.surfaces.station.simulated_server import TOKEN, SimulatedServer


@pytest.fixture
def server() -> Iterator[SimulatedServer]:
    simulated = SimulatedServer()
    yield simulated
    simulated.stop()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "scans"
    made.mkdir()
    return made


@pytest.fixture
def env(server: SimulatedServer, tmp_path: Path) -> dict[str, str]:
    return environment(server.url, TOKEN, tmp_path)


@pytest.fixture
def watch(env: dict[str, str], folder: Path) -> Iterator[Callable[..., Watching]]:
    started: list[Watching] = []

    def start(*options: object, settle: float = 0.1) -> Watching:
        started.append(Watching(env, folder, *options, settle=settle))
        return started[-1]

    yield start
    for watching in started:
        if watching.process.poll() is None:
            watching.kill()
