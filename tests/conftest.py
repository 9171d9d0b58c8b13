"""Fixtures that every kind of test may use."""

from __future__ import annotations

import sys
from pathlib import Path

from hypothesis import settings

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

pytest_plugins = [
    "tests.support.postgres",
    "tests.support.archive",
    "tests.support.rgw",
    "tests.support.browser",
    "tests.support.debian_postgres",
    "tests.support.timestamping",
]

# How long one example takes says more about the machine than about the code: the tests that judge time say so.
settings.register_profile("house", deadline=None)
settings.load_profile("house")
