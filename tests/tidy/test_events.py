"""Every event of the ledger is told in words."""

from __future__ import annotations

import re
from pathlib import Path

from vault.access.rights import Right
from vault.surfaces.web.event_words import EVENTS

VAULT = Path(__file__).resolve().parents[2] / "vault"
CODE = re.compile(r'"([a-z]+:[a-z_]+:[a-z_]+)"')


def test_every_event_has_words() -> None:
    said = {
        code
        for path in VAULT.rglob("*.py")
        if path.name != "event_words.py"
        for code in CODE.findall(path.read_text("utf-8"))
    }
    unnamed = said - EVENTS.keys() - {right.value for right in Right}
    assert unnamed == set()
    assert len(said & EVENTS.keys()) > 40
