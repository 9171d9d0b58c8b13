"""The routes of retention: what a program sends and gets, problems with their lines, and signing in as a person."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
import yaml

from tests.support.archive import Archive, jpeg
from tests.support.programs import Program
from vault.access import service as access
from vault.access import sessions
from vault.access.rights import Role
from vault.retention.locking import lock_waiting
from vault.settings import Settings
from vault.surfaces.application import make_application

OPERATOR = "operator-token-of-this-test"
PASSWORD = "夕阳照在旧书架上"


@pytest.fixture
def app(archive: Archive, tmp_path: Path) -> Any:
    """The application of an installation whose operator has a token."""
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "operator.token").write_text(OPERATOR, encoding="ascii")
    return make_application(archive.ctx, Settings.from_environment({"SLIPVAULT_HOME": str(tmp_path)}))


@pytest.fixture
def operator(app: Any) -> Program:
    """The operator's program, speaking English."""
    return Program(app, **{"Authorization": f"Bearer {OPERATOR}", "Accept-Language": "en"})


@pytest.fixture
def send(archive: Archive) -> Callable[..., UUID]:
    """Sends a slip of its own bytes and gives the record's id."""
    count = 0

    def one(class_code: str, **more: Any) -> UUID:
        nonlocal count
        count += 1
        record_id = archive.send(jpeg(2000 + count), class_code=class_code, **more).record_id
        assert record_id is not None
        return record_id

    return one


@pytest.fixture
def sign_in(archive: Archive, app: Any, operator: Program) -> Callable[..., Program]:
    """A program of a person, who signs in through the interface."""

    def one(login: str, *roles: Role) -> Program:
        account = access.create_person(
            archive.ctx, archive.operator, login, f"{login} 的姓名", archive.operator.unit_id, frozenset(roles)
        )
        first = sessions.find(
            archive.ctx, sessions.sign_in(archive.ctx, login, account.one_time_password, "192.0.2.1")
        )
        assert first is not None
        access.change_password(archive.ctx, first.viewer, account.one_time_password, PASSWORD)
        client = Program(app)
        answer = client.post("/session", json={"sign_in_name": login, "password": PASSWORD})
        assert answer.status_code == 200, answer.text
        client.headers["Authorization"] = f"Bearer {answer.json()['token']}"
        return client

    return one


@pytest.mark.clause("V3")
@pytest.mark.invariant("A1")
def test_a_schedule_from_file_to_law(archive: Archive, operator: Program, sign_in: Callable[..., Program]) -> None:
    told = yaml.safe_load(operator.get("/schedule/versions/1/file").text)
    complaint = next(row for row in told["classes"] if row["code"] == "COMPLAINT")
    complaint["own_period"] = "P20Y"
    text = yaml.safe_dump(told, allow_unicode=True)
    drafted = operator.post("/schedule/versions", json={"note": "投诉二十年", "text": text})
    assert drafted.status_code == 200, drafted.text
    assert (drafted.json()["number"], drafted.json()["state"]) == (2, "draft")
    changes = operator.get("/schedule/versions/1/differences/2").json()["changes"]
    assert [
        (c["code"], c["field"], c["before"], c["after"], c["effect"]) for c in changes if c["code"] == "COMPLAINT"
    ] == [("COMPLAINT", "own_period", "P10Y", "P20Y", "longer")]
    past = operator.post("/schedule/versions/2/propose", json={"effective_date": "2020-01-01"})
    assert (past.status_code, past.json()["code"]) == (422, "effective-in-past")
    today = archive.clock.now().date().isoformat()
    unseen = operator.post("/schedule/versions/2/propose", json={"effective_date": "2027-01-01"})
    assert (unseen.status_code, unseen.json()["code"]) == (409, "not-simulated")
    archive.simulate(2)
    other = operator.post("/schedule/versions/2/propose", json={"effective_date": "2027-01-01"})
    assert (other.status_code, other.json()["code"]) == (409, "simulated-for-other-day")
    archive.simulate(2, on=date(2027, 1, 1))
    on = operator.post("/schedule/versions/2/propose", json={"effective_date": "2027-01-01"})
    assert on.json()["state"] == "proposed", today
    assert operator.post("/schedule/versions/2/approve", json={}).json()["code"] == "needs-person"
    for login, missing in (("head1", 1), ("head2", 0)):
        head = sign_in(login, Role.APPROVER)
        answer = head.post("/schedule/versions/2/approve", json={"comment": "同意"})
        assert answer.json()["proposal"]["approvals_missing"] == missing
        assert head.post("/schedule/versions", json={"note": "x"}).status_code == 403
    listed = operator.get("/schedule/versions").json()["versions"]
    assert [(v["number"], v["standing"]) for v in listed] == [(2, "coming"), (1, "in_effect")]
    assert operator.get("/schedule").json()["number"] == 1


def test_a_bad_file_is_refused_with_every_line(operator: Program) -> None:
    table = operator.get("/schedule/versions/1/file", params={"format": "csv"}).text.replace("DEFAULT-5Y", "NO-SUCH")
    answer = operator.post("/schedule/versions", json={"note": "x", "text": table, "format": "csv"})
    assert (answer.status_code, answer.json()["code"]) == (422, "schedule-file-refused")
    assert answer.headers["content-type"] == "application/problem+json"
    assert [p["line"] for p in answer.json()["problems"]] == [2, 13]
    assert "NO-SUCH" in answer.json()["problems"][0]["text"]


@pytest.mark.clause("C8.1")
def test_events_filing_and_why(
    archive: Archive, operator: Program, sign_in: Callable[..., Program], send: Callable[..., UUID]
) -> None:
    record_id = send("CONTRACT", occurred_date=date(2026, 3, 1), business_number="HT-9")
    archive.clock.advance(timedelta(days=9 * 365))
    ended = archive.clock.now().date().replace(day=1)
    keeper, other = sign_in("keeper", Role.ARCHIVIST), sign_in("other", Role.ARCHIVIST)
    told = {
        "record_id": str(record_id),
        "event": "contract_terminated",
        "day": ended.isoformat(),
        "evidence": "解除协议 7",
    }
    new = {"client_key": "contract-9", "events": [told]}
    done = keeper.post("/events", json=new).json()
    assert keeper.post("/events", json=new).json()["repeated"]
    why = keeper.get(f"/records/{record_id}/why").json()
    assert (why["decision"], why["retain_until"]) == ("keep", ended.replace(year=ended.year + 2).isoformat())
    first = why["reasons"][0]
    assert {"rule", "citation", "text"} <= set(first)
    assert (first["rule"], first["citation"]) == ("CN-LABOR-CONTRACT", "劳动合同法 art.50")
    assert any("解除协议 7" in step["text"] for step in first["steps"])
    assert [lock["mode"] for lock in why["locks"]] == ["GOVERNANCE"]
    assert why["schedule"] == {
        "version": 1,
        "effective_date": "0001-01-01",
        "approved_at": why["schedule"]["approved_at"],
        "approved_by": [],
    }
    own = keeper.post(f"/events/{done['events'][0]['id']}/undo", json={"reason": "录入有误"})
    assert (own.status_code, own.json()["code"]) == (403, "own-event")
    assert other.post(f"/events/{done['events'][0]['id']}/undo", json={"reason": "录入有误"}).status_code == 200
    assert keeper.get(f"/records/{record_id}/why").json()["retain_until"] is None
    filed = keeper.post("/filing", json={"record_ids": [str(record_id)]}).json()
    assert filed == {"records": [{"record_id": str(record_id), "outcome": "asked"}]}
    assert keeper.get("/filing/waiting").json()["waiting"][0]["record_id"] == str(record_id)
    list(lock_waiting(archive.ctx))
    assert [lock["mode"] for lock in keeper.get(f"/records/{record_id}/why").json()["locks"]] == ["COMPLIANCE"]
    early = keeper.get(f"/records/{record_id}/why", params={"on": "2020-01-01"})
    assert (early.status_code, early.json()["code"]) == (404, "not-here-then")
    assert keeper.post("/filing", json={}).status_code == 400
    listed = keeper.get("/events", params={"undone": True}).json()["events"]
    assert [(e["event"], e["undone_by"]) for e in listed] == [("contract_terminated", "other 的姓名")]


def test_a_list_is_refused_with_every_line_in_the_askers_language(
    operator: Program, send: Callable[..., UUID]
) -> None:
    send("CONTRACT", business_number="HT-9")
    table = io.StringIO()
    csv.writer(table).writerows(
        [
            ["record", "event", "day"],
            ["HT-9", "contract_terminated", "never"],
            ["HT-0", "contract_terminated", "never"],
        ]
    )
    new = {"client_key": "list-0001", "text": table.getvalue()}
    english = operator.post("/events/list", json=new)
    assert (english.status_code, english.json()["code"]) == (422, "event-list-refused")
    assert english.json()["problems"] == [
        {"line": 3, "field": "record", "text": "no record that you may see has this number"}
    ]
    chinese = operator.post("/events/list", json=new, headers={"Accept-Language": "zh"})
    assert chinese.json()["problems"][0]["text"] == "没有您可查阅的档案使用该编号"
    each = operator.post("/events/list", json={**new, "each": True}).json()
    assert (len(each["events"]), [p["line"] for p in each["problems"]]) == (1, [3])


def test_rules_packs_holidays_and_confirmations(operator: Program, sign_in: Callable[..., Program]) -> None:
    unconfirmed = {rule["code"] for rule in operator.get("/rules", params={"unconfirmed": True}).json()["rules"]}
    assert "DEFAULT-5Y" in unconfirmed
    assert "CN-ACC-VOUCHER" not in unconfirmed
    assert len(operator.get("/rules").json()["rules"]) >= 104
    wanted = operator.post("/rules/DEFAULT-5Y/confirmations", json={"source": "本单位办法 C6.1"}).json()
    head = sign_in("head1", Role.APPROVER)
    assert head.post(f"/rules/confirmations/{wanted['id']}/approve", json={}).json()["confirmed_at"]
    assert operator.get("/rules/confirmations").json()["confirmations"][0]["proposal"]["state"] == "approved"
    assert "DEFAULT-5Y" not in {
        rule["code"] for rule in operator.get("/rules", params={"unconfirmed": True}).json()["rules"]
    }
    assert {"cn-2026.11"} <= {pack["version"] for pack in operator.get("/rules/packs").json()["packs"]}
    assert operator.post("/rules/packs", json={"text": "x"}).json()["code"] == "pack-refused"
    year = {"holidays": ["2027-01-01"], "workdays": [], "source": "国办发明电〔2026〕9号"}
    assert operator.post("/calendar/2027", json=year).json()["year"] == 2027
    assert operator.get("/calendar").json()["years"][0]["holidays"] == ["2027-01-01"]


def test_a_person_signs_in_and_out_by_program(sign_in: Callable[..., Program]) -> None:
    head = sign_in("head1", Role.APPROVER)
    assert head.get("/schedule").status_code == 200
    assert head.post("/session/end", json={}).json() == {"signed_out": True}
    wrong = head.post("/session", json={"sign_in_name": "head1", "password": "wrong"})
    assert (wrong.status_code, wrong.json()["code"]) == (401, "sign-in-failed")


@pytest.mark.clause("V3")
def test_a_version_is_simulated_and_its_list_taken_out(
    archive: Archive, operator: Program, sign_in: Callable[..., Program], send: Callable[..., UUID]
) -> None:
    record_id = send("COMPLAINT", occurred_date=date(2026, 3, 1))
    send("GENERAL", occurred_date=date(2026, 3, 1))
    keeper = sign_in("keeper", Role.ARCHIVIST)
    keeper.post("/filing", json={"record_ids": [str(record_id)]})
    list(lock_waiting(archive.ctx))
    told = yaml.safe_load(operator.get("/schedule/versions/1/file").text)
    next(row for row in told["classes"] if row["code"] == "COMPLAINT")["own_period"] = "P20Y"
    operator.post("/schedule/versions", json={"note": "投诉二十年", "text": yaml.safe_dump(told, allow_unicode=True)})
    head = sign_in("head", Role.APPROVER)
    assert operator.get("/schedule/versions/2/simulation").status_code == 404
    asked = head.post("/schedule/versions/2/simulations", json={})
    assert (asked.status_code, asked.json()["state"], asked.json()["is_fresh"]) == (200, "waiting", False)
    given_up = head.post(f"/schedule/simulations/{asked.json()['id']}/cancel", json={})
    assert given_up.json()["state"] == "cancelled"
    archive.simulate(2)
    found = operator.get("/schedule/versions/2/simulation").json()
    assert (found["state"], found["is_fresh"], found["records"], found["affected"]) == ("done", True, 2, 1)
    assert found["effects"]["longer"] == 1
    (complaint,) = [group for group in found["classes"] if group["affected"]]
    assert (complaint["class_code"], complaint["years"]) == ("COMPLAINT", {"10": 1})
    listed = head.get(f"/schedule/simulations/{found['id']}/records", params={"effect": "longer"}).json()
    assert [line["id"] for line in listed["records"]] == [str(record_id)]
    assert listed["records"][0]["after"]["retain_until"] > listed["records"][0]["before"]["retain_until"]
    (line,) = listed["records"]
    locks = [line["before"]["lock_until"], line["after"]["lock_until"], line["locked_until"]]
    assert all(locks)
    none = head.get(f"/schedule/simulations/{found['id']}/records", params={"effect": "shorter"}).json()
    assert none["count"] == 0
    taken = operator.post(f"/schedule/simulations/{found['id']}/records/export", json={"class_code": "COMPLAINT"})
    rows = list(csv.reader(io.StringIO(taken.content.decode("utf-8-sig"))))
    assert [row[-1] for row in rows[1:]] == [str(record_id)]
    assert rows[1][3] == "kept longer, lock will be made longer"
    headings = ("To be locked until, now", "To be locked until, then", "Locked until")
    assert [rows[1][rows[0].index(heading)] for heading in headings] == locks
    auditor = sign_in("auditor", Role.AUDIT_OFFICER)
    assert auditor.get("/schedule/versions/2/simulation").status_code == 200
    assert auditor.post("/schedule/versions/2/simulations", json={}).status_code == 403
    assert auditor.get(f"/schedule/simulations/{found['id']}/records").status_code == 403
    clerk = sign_in("clerk", Role.CLERK)
    assert clerk.get("/schedule/versions/2/simulation").status_code == 403
    assert clerk.get(f"/schedule/simulations/{found['id']}/records").status_code == 403
