"""Correcting a record's description by API and command line; what two people at once are told."""

from __future__ import annotations

import base64
import json
import subprocess
import sys
from typing import Any

import httpx
import pytest

from tests.journeys.conftest import ROOT, Server
from tests.support.archive import jpeg

pytestmark = [pytest.mark.journey]


@pytest.fixture
def record_id(api: httpx.Client, request: pytest.FixtureRequest) -> str:
    told = {"class_code": "GENERAL", "customer_name": "司马懿", "handler": "刘敏"}
    headers = {
        "Idempotency-Key": f"journey-{request.node.name}",
        "Slipvault-Metadata": base64.urlsafe_b64encode(json.dumps(told).encode()).decode().rstrip("="),
    }
    seed = sum(request.node.name.encode())
    return str(api.post("/intake/items", content=jpeg(seed), headers=headers).json()["record_id"])


def _cli(server: Server, *words: str) -> tuple[int, dict[str, Any]]:
    done = subprocess.run(
        [sys.executable, "-m", "vault.surfaces.cli.main", *words, "--json"],
        env={"PATH": "/usr/bin:/bin", "SLIPVAULT_HOME": str(server.home), "LANG": "en_US.UTF-8"},
        capture_output=True,
        text=True,
        cwd=ROOT,
        timeout=120,
    )
    return done.returncode, json.loads(done.stdout or done.stderr)


@pytest.mark.clause("C2.4")
def test_a_correction_by_api_is_in_history_and_ledger(api: httpx.Client, record_id: str) -> None:
    seen = api.get(f"/records/{record_id}").json()["revision"]
    told = {"revision": seen, "customer_name": "司马昭", "reason": "姓名录入有误"}
    answer = api.post(f"/records/{record_id}/description", json=told)
    assert answer.status_code == 200, answer.text
    shown = api.get(f"/records/{record_id}").json()
    assert shown["customer_name"] == "司马昭"
    assert shown["corrections"][0]["changes"] == [{"field": "customer_name", "old": "司马懿", "new": "司马昭"}]
    assert shown["corrections"][0]["reason"] == "姓名录入有误"
    assert "catalogue:record:describe" in [entry["event"] for entry in shown["ledger"]]

    late = api.post(f"/records/{record_id}/description", json={**told, "customer_name": "司马师"})
    assert late.status_code == 409
    assert late.json()["code"] == "record-changed"
    assert api.get(f"/records/{record_id}").json()["customer_name"] == "司马昭"


@pytest.mark.clause("C2.4")
def test_the_command_line_corrects_verifies_and_says_what_is_missing(
    server: Server, api: httpx.Client, record_id: str
) -> None:
    code, refused = _cli(server, "records", "describe", record_id, "--customer", "司马昭")
    assert (code, refused["error"]["code"]) == (65, "reason-needed")
    words = ("--title", "开户申请书", "--attribute", "币种=CNY", "--reason", "补录题名", "--customer", "")
    code, done = _cli(server, "records", "describe", record_id, *words)
    assert code == 0
    shown = api.get(f"/records/{record_id}").json()
    assert (shown["title"], shown["customer_name"], shown["attributes"]) == ("开户申请书", None, {"币种": "CNY"})
    assert shown["revision"] == done["revision"]

    code, verdict = _cli(server, "records", "verify", record_id)
    assert code == 0
    assert {check["code"]: check["ok"] for check in verdict["checks"]} == dict.fromkeys(
        ("bytes", "locks", "rows", "ledger"), True
    )
    assert api.get(f"/records/{record_id}").json()["verified"]["clean"] is True
