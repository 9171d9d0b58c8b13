"""Another schedule, as an office changes it: drafted, tried on every record, approved by two others; the locks follow.

Vouchers move from ten years to thirty, complaints from ten to five. SLIPVAULT_JOURNEY_RECORDS says how many records are
in the catalogue besides those whose scans are in the bucket; 100000 takes some minutes.
"""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import boto3
import httpx
import pytest
import yaml
from botocore.config import Config
from playwright.sync_api import Browser, Page, expect

from tests.journeys.conftest import PASSWORD, ROOT, Server, start, wait_for
from tests.support.archive import jpeg
from tests.support.debian_postgres import DebianPostgres
from tests.support.rgw import Rgw

pytestmark = [pytest.mark.journey, pytest.mark.rgw, pytest.mark.slow, pytest.mark.timeout(600)]
RECORDS = int(os.environ.get("SLIPVAULT_JOURNEY_RECORDS", "5000"))
ZONE = ZoneInfo("Asia/Shanghai")
HEADS = ("zhao", "qian")
SENT = 3  # of each class
COUNTED_MAX = 10_000  # lists say "more than" from there on
# Copies of a real record's row with other days.
_FILL = """
WITH pattern AS (SELECT * FROM records WHERE class_code = '{code}' ORDER BY id LIMIT 1),
made AS (
    INSERT INTO records (id, fonds_code, category_code, year, class_code, unit_id, item_number, archival_number,
        occurred_date, received_at, page_count, attributes, content_sha256, salt)
    SELECT gen_random_uuid(), fonds_code, category_code, year, class_code, unit_id, 100000 + n,
        archival_number || '-' || n, (now() - n % 3000 * interval '1 day')::date, now() - n % 3000 * interval '1 day',
        1, '{{}}', sha256(('{code}' || n)::bytea), salt
    FROM pattern, generate_series(1, {count}) AS n RETURNING id, received_at)
INSERT INTO record_states (record_id, revision, status, lock_until, what, retain_until, is_hard, schedule_number)
SELECT id, 1, '{status}', (ends + 1)::timestamp AT TIME ZONE 'Asia/Shanghai', 'keep', ends, false, 2
    FROM (SELECT id, ((received_at AT TIME ZONE 'Asia/Shanghai')::date + interval '10 years')::date AS ends FROM made) AS m
"""


@dataclass(frozen=True)
class Place:
    """The installation, and what only its owner sees: the database and the bucket."""

    server: Server
    database: str
    store_url: str


@pytest.fixture
def place(debian_postgres: DebianPostgres, rgw: Rgw) -> Iterator[Place]:
    """An installation on an ordinary PostgreSQL server and a bucket of a real object store."""
    base = Path("/var/tmp") / f"slipvault-schedule-{os.getpid()}"
    base.mkdir(mode=0o755)
    database, store_url = debian_postgres.new_database(), rgw.new_bucket()
    debian_postgres.as_administrator("postgres", "ALTER ROLE archive CREATEROLE")
    process, server = start(
        base / "home",
        {"SLIPVAULT_DATABASE_URL": debian_postgres.url(database), "SLIPVAULT_STORE_URL": store_url},
    )
    try:
        yield Place(server, database, store_url)
    finally:
        process.terminate()
        process.wait(60)
        if process.stdout is not None:
            process.stdout.close()
        shutil.rmtree(base)


@pytest.mark.clause("V3")
@pytest.mark.clause("C6.1")
@pytest.mark.invariant("R1")
@pytest.mark.invariant("A1")
def test_a_schedule_is_tried_approved_and_the_locks_follow(
    place: Place, debian_postgres: DebianPostgres, browser: Browser, tmp_path: Path
) -> None:
    server = place.server
    chief = signed_in(browser, server, "admin", server.one_time_password)
    heads = [signed_in(browser, server, name, password_of(chief, server, name)) for name in HEADS]
    with api_as(server, server.token) as api:
        begin_vouchers(api, server)
        kept = {code: send_and_file(api, code, tmp_path) for code in ("VOUCHER", "COMPLAINT")}
        before = locks_in(place.store_url)
        today = datetime.now(UTC).astimezone(ZONE).date()
        assert set(before.values()) == {end_of(plus(today, 10))}
        fill(debian_postgres, place.database)

        chief.goto(f"{server.url}/schedules")
        chief.fill("form[action='/schedules'] [name=note]", "会计凭证改为三十年，投诉改为五年")
        chief.click("form[action='/schedules'] button.primary")
        chief.wait_for_url("**/schedules/3?done=drafted")
        for code, years in (("VOUCHER", "30"), ("COMPLAINT", "5")):
            chief.goto(f"{server.url}/schedules/3/classes/{code}")
            chief.fill("#class-form [name=own_period_years]", years)
            chief.click("#class-form .actions button.primary")
            chief.wait_for_url("**/schedules/3?done=changed")

        simulate(chief, server)
        assert locks_in(place.store_url) == before, "trying changes nothing"
        for head in heads:
            head.goto(f"{server.url}/schedules/3")
            head.click("form[action='/schedules/3/approve'] button.primary")
            head.wait_for_url("**/schedules/3?done=approved")

        wait_for(lambda: retained(api, kept["VOUCHER"]) == {plus(today, 30).isoformat()}, 120)
        wait_for(lambda: end_of(plus(today, 30)) in locks_in(place.store_url).values(), 60)
        assert retained(api, kept["COMPLAINT"]) == {plus(today, 10).isoformat()}, "the lock promised ten years"
    objects = objects_of(debian_postgres, place.database)
    wait_for(lambda: follows(before, locks_in(place.store_url), objects, today), 60)


def simulate(chief: Page, server: Server) -> None:
    """Tries version 3 in the browser, reads what it would do, and proposes it."""
    vouchers, complaints = RECORDS * 2 // 3 + SENT, RECORDS - RECORDS * 2 // 3 + SENT
    chief.goto(f"{server.url}/schedules/3/simulation")
    chief.click("form[action='/schedules/3/simulation'] button.primary")
    expect(chief.locator(".subtitle")).to_contain_text("对现有草案有效", timeout=120_000)
    short = chief.locator("section.answer").inner_text()
    assert f"全部 {vouchers + complaints:,} 件档案中" in short
    assert f"{vouchers:,} 件保管期延长" in short
    assert f"{complaints:,} 件本应提前，但已设锁定" in short
    assert "件保管期缩短" not in short, "the locks keep all complaints as long as before"
    voucher = chief.locator("section[aria-labelledby=classes] tr", has_text="会计凭证")
    assert voucher.locator("td").nth(2).inner_text() == f"{vouchers:,}"
    expect(chief.locator("figure.chart svg.bars").first).to_be_visible()
    chief.locator("section[aria-labelledby=effects] tr", has_text="受已设锁定约束").locator("td a").first.click()
    chief.wait_for_url("**/simulated-records?**effect=lock**")
    expect(chief.locator("main")).to_contain_text("因锁定保管至")
    expect(chief.locator("main")).to_contain_text(f"{min(complaints, COUNTED_MAX):,}")
    chief.goto(f"{server.url}/schedules/3/simulation")
    chief.click("section.answer a.button.primary")
    chief.fill("[name=effective_date]", datetime.now(UTC).astimezone(ZONE).date().isoformat())
    chief.click("form[action='/schedules/3/propose'] button.primary")
    chief.wait_for_url("**/schedules/3?done=proposed")


def signed_in(browser: Browser, server: Server, name: str, one_time_password: str) -> Page:
    """A page of somebody who has chosen a password."""
    page = browser.new_context(viewport={"width": 1280, "height": 900}, locale="zh-CN").new_page()
    page.set_default_timeout(20_000)
    page.goto(f"{server.url}/sign-in")
    page.fill("#f-sign_in_name", name)
    page.fill("#f-password", one_time_password)
    page.click('form[action="/sign-in"] button.primary')
    page.wait_for_url("**/setup")
    if page.locator("[name=organisation]").count():  # the first of all
        page.fill("[name=organisation]", "滨湖区政务服务中心")
    page.fill("[name=password_now]", one_time_password)
    page.fill("[name=password]", PASSWORD)
    page.fill("[name=password_again]", PASSWORD)
    page.click('form[action="/setup"] button.primary')
    page.wait_for_url(f"{server.url}/")
    return page


def password_of(chief: Page, server: Server, name: str) -> str:
    """Adds a department head; the one-time password as it is shown once."""
    chief.goto(f"{server.url}/people")
    chief.fill("form[action='/people'] [name=name]", f"负责人{name}")
    chief.fill("form[action='/people'] [name=sign_in_name]", name)
    chief.select_option("form[action='/people'] [name=unit_id]", index=1)
    chief.check("form[action='/people'] [name=role][value=approver]")
    chief.click("form[action='/people'] button.primary")
    return chief.locator(".secret code").inner_text()


def api_as(server: Server, token: str) -> httpx.Client:
    """The API with somebody's token."""
    headers = {"Authorization": f"Bearer {token}"}
    return httpx.Client(base_url=f"{server.url}/api/v1", headers=headers, trust_env=False, timeout=60)


def post(api: httpx.Client, path: str, body: dict[str, Any]) -> dict[str, Any]:
    answer = api.post(path, json=body)
    assert answer.status_code == 200, answer.text
    told: dict[str, Any] = answer.json()
    return told


def begin_vouchers(api: httpx.Client, server: Server) -> None:
    """Version 2 by program: the organisation keeps vouchers for ten years from when they came in."""
    told = yaml.safe_load(api.get("/schedule/versions/1/file").text)
    complaint = next(row for row in told["classes"] if row["code"] == "COMPLAINT")
    voucher = {**complaint, "code": "VOUCHER", "name_zh": "会计凭证", "name_en": "Accounting vouchers", "rules": []}
    told["classes"].append(voucher)
    post(api, "/schedule/versions", {"note": "会计凭证", "text": yaml.safe_dump(told, allow_unicode=True)})
    tried = json.loads(command(server, "schedule", "simulate", "2", "--json"))
    assert (tried["state"], tried["is_fresh"], tried["records"], tried["affected"]) == ("done", True, 0, 0)
    assert "受影响: 0" in command(server, "schedule", "simulate", "2", "--show")
    today = datetime.now(UTC).astimezone(ZONE).date().isoformat()
    post(api, "/schedule/versions/2/propose", {"effective_date": today})
    for name in HEADS:
        session = post(api, "/session", {"sign_in_name": name, "password": PASSWORD})
        with api_as(server, session["token"]) as head:
            post(head, "/schedule/versions/2/approve", {})


def command(server: Server, *arguments: str) -> str:
    """What `slipvault` prints for the operator of the host."""
    environment = {**os.environ, "SLIPVAULT_HOME": str(server.home), "LANG": "zh_CN.UTF-8"}
    done = subprocess.run(
        [ROOT / ".venv" / "bin" / "slipvault", *arguments],
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def send_and_file(api: httpx.Client, code: str, directory: Path) -> list[str]:
    """Sends scans, waits for their page images, files them, and waits until the locks of the class stand."""
    ids = []
    for place in range(SENT):
        scan = jpeg(len(code) * 1000 + place)
        answer = api.post(
            "/intake/items",
            content=scan,
            headers={"Idempotency-Key": f"{code}-{place}-of-the-journey", "Slipvault-Metadata": metadata(code)},
        )
        assert answer.status_code == 201, answer.text
        ids.append(answer.json()["record_id"])
    wait_for(lambda: all(len(api.get(f"/records/{one}").json()["components"]) > 1 for one in ids), 60)
    post(api, "/filing", {"record_ids": ids})
    wait_for(lambda: all(api.get(f"/records/{one}").json()["status"] == "filed" for one in ids), 60)
    return ids


def metadata(code: str) -> str:
    return base64.urlsafe_b64encode(json.dumps({"class_code": code}).encode()).decode().rstrip("=")


def fill(postgres: DebianPostgres, database: str) -> None:
    """Rows behind the service's back: vouchers that wait to be filed, complaints that are filed and locked."""
    vouchers = RECORDS * 2 // 3
    postgres.as_administrator(
        database,
        "SET session_replication_role = replica",
        _FILL.format(code="VOUCHER", count=vouchers, status="received"),
        _FILL.format(code="COMPLAINT", count=RECORDS - vouchers, status="filed"),
        "ANALYZE",
    )


def retained(api: httpx.Client, ids: list[str]) -> set[str]:
    return {api.get(f"/records/{one}").json()["retain_until"] for one in ids}


def plus(day: date, years: int) -> date:
    try:
        return day.replace(year=day.year + years)
    except ValueError:
        return day.replace(year=day.year + years, day=28)


def end_of(day: date) -> datetime:
    """The instant at which a lock to that day ends."""
    return datetime.combine(day + timedelta(days=1), datetime.min.time(), ZONE).astimezone(UTC)


def locks_in(store_url: str) -> dict[tuple[str, str], datetime]:
    """What stands in the bucket, read with the store's own client: until when each version of a record is locked."""
    parts = urlsplit(store_url.removeprefix("s3+"))
    client = boto3.session.Session().client(
        "s3",
        endpoint_url=f"{parts.scheme}://{parts.netloc}",
        region_name="us-east-1",
        config=Config(s3={"addressing_style": "path"}),
    )
    bucket = parts.path.strip("/")
    found = {}
    for page in client.get_paginator("list_object_versions").paginate(Bucket=bucket):
        for version in page.get("Versions", ()):
            where = {"Bucket": bucket, "Key": version["Key"], "VersionId": version["VersionId"]}
            lock = client.get_object_retention(**where)["Retention"]
            if lock["Mode"] == "COMPLIANCE":
                found[version["Key"], version["VersionId"]] = lock["RetainUntilDate"].astimezone(UTC)
    client.close()
    return found


def objects_of(postgres: DebianPostgres, database: str) -> dict[tuple[str, str], str]:
    """The class of the record to which each stored version belongs."""
    with postgres.connect("postgres", database) as connection:
        rows = connection.execute(
            "SELECT cc.object_key, cc.version_id, r.class_code FROM component_copies AS cc"
            " JOIN components AS c ON c.id = cc.component_id JOIN records AS r ON r.id = c.record_id"
        ).fetchall()
    return {(key, version): code for key, version, code in rows}


def follows(
    before: dict[tuple[str, str], datetime],
    after: dict[tuple[str, str], datetime],
    objects: dict[tuple[str, str], str],
    today: date,
) -> bool:
    """Whether every voucher's copies are locked thirty years; nothing is ever shorter than it was."""
    assert all(after[where] >= until for where, until in before.items()), "a lock was shortened"
    wanted = {"VOUCHER": end_of(plus(today, 30)), "COMPLAINT": end_of(plus(today, 10))}
    return all(after.get(where) == wanted[code] for where, code in objects.items())
