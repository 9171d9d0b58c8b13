"""A simulated server and the environment of a user who is signed in to it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.surfaces.station.running import environment
from tests.surfaces.station.simulated_server import TOKEN, SimulatedServer


@pytest.fixture
def server() -> Iterator[SimulatedServer]:
    simulated = SimulatedServer()
    yield simulated
    simulated.stop()


@pytest.fixture
def env(server: SimulatedServer, tmp_path: Path) -> dict[str, str]:
    return environment(server.url, TOKEN, tmp_path)
