"""Where the custodians under test live."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from vault.foundation.keys.custodian import Custodian, open_custodian

MODULE = Path("/usr/lib/softhsm/libsofthsm2.so")
PIN = "483920175530"


@dataclass(frozen=True)
class Place:
    """Where a custodian lives: opened as often as a test likes, like a process that starts again."""

    kind: str
    url: str
    environment: dict[str, str]

    def open(self) -> Custodian:
        return open_custodian(self.url)
