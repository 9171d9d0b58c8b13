"""Fixtures that every kind of test may use."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

pytest_plugins = ["tests.support.postgres", "tests.support.archive", "tests.support.rgw", "tests.support.browser"]
