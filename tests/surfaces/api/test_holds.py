"""Holds by program: placed under a key, told whole, released by three, and what a list of lines is refused for."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

import pytest

from tests.support.archive import Archive
from tests.support.programs import Program
from tests.surfaces.api.test_retention import app, operator, send, sign_in  # noqa: F401 - fixtures
from vault.access.rights import Role
from vault.holds.jobs import tell_waiting

pytestmark = pytest.mark.clause("V5")
MATTER = {
    "client_key": "matter-of-this-test",
    "authority": "police",
    "authority_name": "市公安局",
    "document_number": "公（经）调证字〔2026〕0042 号",
    "basis": "公安机关办理刑事案件程序规定第六十二条",
    "title": "某某案",
}


@pytest.mark.invariant("A1")
@pytest.mark.invariant("H1")
def test_from_the_letter_to_the_release(
    archive: Archive,
    send: Callable[..., UUID],  # noqa: F811
    sign_in: Callable[..., Program],  # noqa: F811
) -> None:
    legal, heads = sign_in("legal", Role.LEGAL), [sign_in(f"head{n}", Role.APPROVER) for n in range(2)]
    record_id = str(send("GENERAL"))
    opened, repeated = (legal.post("/matters", json=MATTER) for _ in range(2))
    assert (opened.status_code, repeated.status_code) == (201, 200)
    matter = opened.json()
    assert repeated.json() == matter, "the same key is the same matter"
    assert heads[0].post("/matters", json=MATTER).status_code == 403
    new = {"client_key": "hold-of-this-test", "records": [record_id], "reason": "公安机关调取证据"}
    address = f"/matters/{matter['id']}/holds"
    unknown = legal.post(address, json={**new, "records": [record_id, "", "某人"]})
    assert (unknown.status_code, unknown.json()["code"]) == (422, "records-unknown")
    assert "某人" not in unknown.text
    first, second = (legal.post(address, json=new) for _ in range(2))
    assert (first.status_code, second.status_code) == (201, 200)
    placed, again = first.json(), second.json()
    assert (placed["added"], placed["hold"]["name"], placed["hold"]["state"]) == (1, "M-2026-0001/1", "being-set")
    assert (again["added"], again["already"], again["hold"]["id"]) == (0, 1, placed["hold"]["id"])
    list(tell_waiting(archive.ctx))
    told = legal.get(f"/records/{record_id}/holds").json()
    assert told["is_held"]
    assert told["holds"][0]["stands_at"]
    why = legal.get(f"/records/{record_id}/why").json()
    assert (why["decision"], why["reasons"][0]["rule"]) == ("held", "HOLD")
    hold = f"/holds/{placed['hold']['id']}"
    proposed = legal.post(f"{hold}/release", json={"reason": "案件已结"}).json()
    assert proposed["state"] == "release-proposed"
    read = {"proposal_id": proposed["release"]["id"], "comment": "同意"}
    assert legal.post(f"{hold}/release", json={"reason": "案件已结"}).json()["code"] == "release-proposed"
    assert legal.post(f"{hold}/release/approve", json=read).status_code == 403
    assert legal.post(f"/matters/{matter['id']}/close").json()["code"] == "matter-still-holds"
    states = [head.post(f"{hold}/release/approve", json=read).json()["state"] for head in heads]
    assert states == ["release-proposed", "being-lifted"]
    assert not legal.get(f"/records/{record_id}/holds").json()["is_held"]
    assert legal.get(f"{hold}/records").json()["records"][0]["released_at"]
    found = legal.post("/matters/search", json={"text": "0042"}).json()
    assert [(one["number"], one["holds_in_force"]) for one in found["matters"]] == [("M-2026-0001", 0)]
    assert legal.post(f"/matters/{matter['id']}/close").json()["closed_at"]
    assert legal.post(address, json={**new, "client_key": "another-hold"}).json()["code"] == "matter-closed"
