"""Lets the tests here share the sample pages, as the preview script does."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))


def pytest_configure(config) -> None:
    config.addinivalue_line("markers", "browsing(**settings): browser settings of a test of the pages")
