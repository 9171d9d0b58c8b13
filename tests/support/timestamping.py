"""A time-stamping authority on loopback, made with openssl."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def authority(tmp_path: Path) -> Iterator[tuple[str, Path]]:
    """Its URL, and the directory of its certificates."""
    directory = tmp_path / "tsa"
    process = subprocess.Popen(
        [sys.executable, str(ROOT / "scripts" / "dev" / "tsa"), str(directory)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    try:
        yield process.stdout.readline().strip(), directory
    finally:
        process.terminate()
        process.wait(10)
        process.stdout.close()
