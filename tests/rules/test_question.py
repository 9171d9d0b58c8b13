"""Questions as JSON: answered with reasons, or refused with the place where they are wrong."""

from __future__ import annotations

import copy
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

import retention_rules
from retention_rules import shipped
from retention_rules.aggregates import Together
from retention_rules.answers import answer, answer_together
from retention_rules.errors import InvalidData
from retention_rules.model import What
from retention_rules.question import read_question

ROOT = Path(__file__).parents[2]
FORMAT = (ROOT / "docs/formats/retention-facts.md").read_text("utf-8")
EXAMPLE: dict[str, Any] = json.loads(re.search(r"```json\n(.*?)```", FORMAT, re.DOTALL)[1])  # type: ignore[index]
WHOLE: dict[str, Any] = {
    "format": "retention-facts/1",
    "on": "2032-01-01",
    "known_at": "2032-01-01T08:00:00+08:00",
    "organisation": {
        "fiscal_year_end": "06-30",
        "time_zone": "Asia/Shanghai",
        "holidays": ["2026-10-01"],
        "workdays": ["2026-10-10"],
        "holiday_years": [2026],
    },
    "rules": [
        {
            "code": "HOUSE-1",
            "min_period": "P7Y",
            "bound": "min",
            "trigger_event": "case_settled",
            "citation": "行业标准 1",
            "jurisdiction": "CN",
            "verified": False,
        }
    ],
    "classes": [{"code": "CASE", "rules": ["HOUSE-1"], "disposition": "transfer"}],
    "class": "CASE",
    "received": "2024-03-01",
    "events": [
        {"event": "case_settled", "day": "2024-05-06", "evidence": "判决书 8 号", "known_at": "2024-05-07T00:00:00Z"},
        {
            "event": "case_settled",
            "day": "2024-09-06",
            "known_at": "2024-09-07T00:00:00Z",
            "undone_at": "2024-09-08T00:00:00Z",
        },
    ],
    "holds": [{"matter": "2030-1", "placed_at": "2030-01-01T00:00:00Z", "released_at": "2031-01-01T00:00:00Z"}],
    "locks": [{"until": "2031-05-06", "known_at": "2024-06-01T00:00:00Z"}],
    "appraisals": [{"until": "2031-06-30", "known_at": "2031-05-20T00:00:00Z"}],
    "confirmations": [{"rule": "HOUSE-1", "by": "u1", "source": "公报", "date": "2024-01-01"}],
}


def told(question: dict[str, Any], language: str = "en") -> dict[str, Any]:
    decision = read_question(json.dumps(question)).decide()
    if isinstance(decision, Together):
        return answer_together(decision, language, shipped.event_names())
    return answer(decision, language, shipped.event_names())


def test_the_example_of_the_format_is_answered() -> None:
    given = told(EXAMPLE)

    assert (given["decision"], given["retain_until"], given["is_held"]) == ("keep", "2056-12-31", False)
    assert [(r["rule"], r["citation"]) for r in given["reasons"]] == [
        ("CN-ACC-VOUCHER", "会计档案管理办法（财政部 国家档案局令第79号）art.14 + 附表一"),
        ("CN-AML-TXN", "反洗钱法（2024修订）art.34"),
    ]
    assert [step["text"] for step in given["reasons"][1]["steps"]] == [
        "“transaction completed”: 2026-03-09 (evidence: ledger entry 1042)",
        "2026-03-09 and 10 years: 2036-03-09",
    ]


def test_every_field_counts() -> None:
    given = told(WHOLE)

    assert (given["decision"], given["retain_until"], given["lock_until"]) == ("transfer", "2031-06-30", None)
    assert [(reason["rule"], reason["retain_until"]) for reason in given["reasons"]] == [
        ("APPRAISAL", "2031-06-30"),
        ("HOUSE-1", "2031-05-06"),
        ("LOCK", "2031-05-06"),
    ]
    assert given["reasons"][1]["confirmed_source"] == "公报"


def test_every_field_is_told_in_the_format() -> None:
    decision = told(WHOLE)
    volume = told(
        {**_without(WHOLE, "received", "events", "holds", "locks", "appraisals"), "members": [_member("a")]}
    )
    fields = {*WHOLE, *decision, *decision["reasons"][0], *told(EXAMPLE)["lock"], *volume}
    fields |= {name for key in ("events", "holds", "locks", "rules", "confirmations") for name in WHOLE[key][0]}

    assert {name for name in fields if f"`{name}`" not in FORMAT and f'"{name}"' not in FORMAT} == set()


# day asked | knowledge | decision | why
THEN = [
    ("2025-01-01", None, "keep", "the second event was undone"),
    ("2024-09-07", None, "keep", "the second event was known on that day"),
    ("2030-06-01", None, "held", "the hold was in force"),
    ("2030-06-01", "2029-12-31T00:00:00Z", "keep", "nobody knew of the hold"),
    ("2031-05-07", None, "transfer", "nobody had appraised it"),
    ("2031-05-21", None, "keep", "the appraisal keeps it"),
]


@pytest.mark.parametrize(("on", "known_at", "decision", "story"), THEN)
def test_a_day_is_judged_with_the_knowledge_of_that_day(
    on: str, known_at: str | None, decision: str, story: str
) -> None:
    assert told({**_without(WHOLE, "known_at"), "on": on, "known_at": known_at})["decision"] == decision, story


def test_an_undone_event_counted_until_it_was_undone() -> None:
    on_that_day = told({**_without(WHOLE, "known_at"), "on": "2024-09-07"})
    later = told({**_without(WHOLE, "known_at"), "on": "2024-09-09"})

    assert (on_that_day["retain_until"], later["retain_until"]) == ("2031-09-06", "2031-05-06")


def test_schedules_are_judged_by_what_applied_and_what_was_known() -> None:
    versions = [
        {"version": "1", "effective_date": "2020-01-01", "classes": [{"code": "K", "own_period": "P10Y"}]},
        {
            "version": "2",
            "effective_date": "2025-01-01",
            "known_at": "2024-11-01T00:00:00Z",
            "classes": [{"code": "K", "own_period": "P20Y"}],
        },
        {
            "version": "2a",
            "effective_date": "2025-01-01",
            "known_at": "2026-02-01T00:00:00Z",
            "withdrawn_at": "2026-06-01T00:00:00Z",
            "classes": [{"code": "K", "own_period": "P15Y"}],
        },
    ]
    asked = {"format": "retention-facts/1", "class": "K", "received": "2022-05-05", "schedules": versions}

    def until(on: str, known_at: str | None = None) -> tuple[str, str]:
        given = told({**asked, "on": on, "known_at": known_at})
        return given["schedule"], given["retain_until"]

    assert until("2024-12-31") == ("1", "2032-05-05")
    assert until("2025-01-01") == ("2", "2042-05-05")
    assert until("2025-01-01", "2024-10-01T00:00:00Z") == ("1", "2032-05-05")
    assert until("2026-03-01") == ("2a", "2037-05-05")
    assert until("2025-06-01", "2026-03-01T00:00:00Z") == ("2a", "2037-05-05")
    assert until("2026-06-01") == ("2", "2042-05-05")


def test_a_volume_waits_for_its_last_member_and_tells_what_could_be_taken_out() -> None:
    volume = {
        "format": "retention-facts/1",
        "on": "2036-01-01",
        "class": {"own_period": "P10Y", "disposition": "destroy"},
        "members": [
            {"id": "a", "received": "2024-01-01"},
            {"id": "b", "received": "2025-06-01", "holds": [{"matter": "2030-1"}]},
            {"id": "c", "received": "2025-12-01"},
        ],
    }

    given = told(volume)

    assert (given["decision"], given["decided_by"], given["in_the_way"]) == ("held", "b", ["b"])
    assert given["without_them"] == {"decision": "destroy", "retain_until": "2035-12-01", "next_date": None}
    assert told({**volume, "on": "2035-08-01"})["without_them"]["decision"] == "keep"


Change = Callable[[dict[str, Any]], object]
# what is changed in a whole question | what is told
WRONG: list[tuple[Change, str]] = [
    (lambda q: q.update(colour="red"), "at the top: unknown fields: colour"),
    (lambda q: q.pop("format"), "at the top: the field format is missing"),
    (lambda q: q.update(format="retention-facts/9"), "format: retention-facts/1 is expected"),
    (lambda q: q.pop("on"), "at the top: the field on is missing"),
    (lambda q: q.update(on="2026-02-30"), "on: a day such as 2026-11-30 is expected, not '2026-02-30'"),
    (lambda q: q.update(on=5), "on: a day such as 2026-11-30 is expected, not '5'"),
    (lambda q: q.update(known_at="2026-02-01T00:00:00"), "known_at: an instant needs its time zone"),
    (lambda q: q.update(known_at="noon"), "known_at: an instant such as"),
    (
        lambda q: q.update(
            known_at="2020-01-01T00:00:00Z", classified=[{"class": "CASE", "known_at": "2024-03-01T00:00:00Z"}]
        ),
        "the record had no class then",
    ),
    (lambda q: q.update({"class": "NOWHERE"}), "class: no such class: NOWHERE"),
    (lambda q: q.pop("class"), "at the top: the field class is missing"),
    (lambda q: q.update({"class": {"rules": ["NO-RULE"]}}), "class CLASS names unknown rules: NO-RULE"),
    (lambda q: q.update({"class": {"rules": "NO-RULE"}}), "class: class CLASS: rules is a list"),
    (
        lambda q: q.update({"class": {"disposition": "burn"}}),
        "class: class CLASS: one of destroy, review, transfer, permanent is expected, not 'burn'",
    ),
    (lambda q: q.update({"class": {"own_period": "10 years"}}), "class: class CLASS: not a period: '10 years'"),
    (lambda q: q["classes"][0].update(copies=10), "classes[0]: class CASE"),
    (
        lambda q: q["rules"][0].update(bound="often"),
        "rules[0]: rule HOUSE-1: one of min, max, min_then_delete, permanent, advisory is expected",
    ),
    (lambda q: q["rules"][0].update(code="CN-AML-TXN"), "two packs have a rule called CN-AML-TXN"),
    (lambda q: q["rules"][0].update(trigger_event="later_of(a)"), "rules[0]: rule HOUSE-1: not a trigger"),
    (lambda q: q["rules"][0].pop("citation"), "rules[0]: rule HOUSE-1 has no field citation"),
    (lambda q: q["rules"].append(q["rules"][0]), "two versions of rule HOUSE-1"),
    (lambda q: q["events"][0].update(event="Case settled"), "events[0]: not the name of an event"),
    (lambda q: q["events"][0].update(event="received"), "events[0]: not the name of an event"),
    (lambda q: q["events"][0].pop("day"), "events[0]: an event has a day, or never: true"),
    (lambda q: q["events"][0].update(never=True), "events[0]: an event has a day, or never: true"),
    (lambda q: q["events"].append(3), "events[2]: an object is expected"),
    (lambda q: q.update(events="none"), "events: a list is expected"),
    (lambda q: q.update(events={"slip_closed": "soon"}), "events.slip_closed: a day such as"),
    (lambda q: q["holds"][0].update(matter=" "), "holds[0].matter: a text is expected"),
    (lambda q: q["locks"][0].pop("until"), "locks[0]: the field until is missing"),
    (lambda q: q["confirmations"][0].update(rule="NO"), "confirmations[0].rule: no such rule: NO"),
    (lambda q: q["organisation"].update(fiscal_year_end="13-01"), "organisation.fiscal_year_end: a month and a day"),
    (lambda q: q["organisation"].update(time_zone="Mars/Olympus"), "organisation.time_zone: no such time zone"),
    (lambda q: q["organisation"].update(time_zone="../etc"), "organisation.time_zone: no such time zone"),
    (lambda q: q["organisation"].update(holiday_years=["2026"]), "organisation.holiday_years[0]: a year"),
    (lambda q: q.update(members=[]), "at the top: either members, or one record's"),
    (lambda q: q.update(schedules=[]), "at the top: either schedules"),
    (lambda q: (q.pop("classes"), q.update(schedules=[])), "class: no such class: CASE"),
    (lambda q: q.update(events=[{}] * 10_001), "events: at most 10000 entries are allowed, not 10001"),
]


@pytest.mark.parametrize(("change", "wanted"), WRONG, ids=[wanted for _, wanted in WRONG])
def test_what_is_wrong_is_refused_with_its_place(change: Change, wanted: str) -> None:
    question = copy.deepcopy(WHOLE)
    change(question)

    with pytest.raises(InvalidData) as refusal:
        read_question(json.dumps(question)).decide()

    assert wanted in refusal.value.said("en")
    assert re.search(r"[\u4e00-\u9fff]", refusal.value.said("zh"))


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("", "line 1, column 1: not JSON"),
        ('{"format": NaN}', "not JSON: NaN"),
        ('{"on": "2026-01-01",\n "on": "2027-01-01"}', "the field on stands twice"),
        ("[" * 100_000, "nested too deeply"),
        ("[]", "at the top: an object is expected"),
        ('{"format": "retention-facts/1", "on": "2026-01-01", "members": []}', "members: a volume has at least one"),
        ('{"format":"retention-facts/1","on":"2026-01-01","class":"GENERAL","members":[{"id":"a","received":"2026-01-01"},{"id":"a","received":"2026-01-01"}]}', "members[1].id: named twice"),
    ],
)  # fmt: skip
def test_what_is_no_question_is_refused(text: str, wanted: str) -> None:
    with pytest.raises(InvalidData, match=re.escape(wanted)):
        read_question(text)


_JUNK = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=6,
)


@given(st.data())
def test_a_damaged_question_is_answered_or_refused_and_nothing_else(data: st.DataObject) -> None:
    question = copy.deepcopy(WHOLE)
    for _ in range(data.draw(st.integers(1, 3))):
        _damage(question, data)

    try:
        answered = told(question)
    except InvalidData:
        return
    assert answered["decision"] in {what.value for what in What}


def _damage(question: dict[str, Any], data: st.DataObject) -> None:
    holder: Any = question
    while True:
        keys = list(holder) if isinstance(holder, dict) else list(range(len(holder)))
        if not keys:
            return
        key = data.draw(st.sampled_from(keys))
        if isinstance(holder[key], dict | list) and data.draw(st.booleans()):
            holder = holder[key]
            continue
        holder[key] = data.draw(_JUNK)
        return


@pytest.fixture
def alone(tmp_path: Path) -> Path:
    """A place where there is the law, and PyYAML, and nothing else."""
    for package in (retention_rules, yaml):
        source = Path(str(package.__file__)).parent
        shutil.copytree(source, tmp_path / source.name, ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path


def ask_alone(place: Path, *arguments: str, given: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, "-S", "-m", "retention_rules", *arguments],
        cwd=place,
        env={"PATH": os.defpath, "PYTHONDONTWRITEBYTECODE": "1"},
        input=given,
        capture_output=True,
        timeout=60,
    )


def test_the_law_stands_alone(alone: Path) -> None:
    done = ask_alone(alone, "decide", "--language", "en", given=json.dumps(EXAMPLE).encode())

    assert (done.returncode, done.stderr) == (0, b"")
    assert json.loads(done.stdout) == told(EXAMPLE)
    assert subprocess.run(
        [sys.executable, "-S", "-c", "import vault"], cwd=alone, env={"PATH": os.defpath}, capture_output=True
    ).returncode


def test_refusals_have_exit_codes_and_say_why(alone: Path) -> None:
    wrong = json.dumps({**EXAMPLE, "on": "2026-02-30"}).encode()

    data, chinese, usage, bytes_ = (
        ask_alone(alone, "decide", "--language", "en", given=wrong),
        ask_alone(alone, "decide", given=wrong),
        ask_alone(alone, "decide", "--language", "fr"),
        ask_alone(alone, "decide", "--language", "en", given=b"\xff\xfe"),
    )

    assert (data.returncode, data.stdout) == (65, b"")
    assert data.stderr.decode() == "retention_rules: on: a day such as 2026-11-30 is expected, not '2026-02-30'\n"
    assert chinese.stderr.decode() == "retention_rules: on：应为日期，如 2026-11-30，现为 '2026-02-30'\n"
    assert (usage.returncode, usage.stdout) == (64, b"")
    assert b"--language" in usage.stderr
    assert (bytes_.returncode, bytes_.stderr) == (65, b"retention_rules: byte 0: not UTF-8\n")


def test_a_pack_that_was_altered_is_refused(alone: Path) -> None:
    pack = alone / "retention_rules/packs/cn-2026.11.yaml"
    pack.write_text(pack.read_text("utf-8").replace("min_period: P30Y", "min_period: P3Y", 1), "utf-8")

    done = ask_alone(alone, "packs")

    assert done.returncode == 65
    assert done.stderr.decode() == "retention_rules: 规则包 cn-2026.11 与发布时不一致\n"


def test_the_packs_are_listed_with_their_digests(alone: Path) -> None:
    listed = json.loads(ask_alone(alone, "packs").stdout)

    assert {row["version"]: row["digest"] for row in listed} == {v: p.digest for v, p in shipped.packs().items()}
    assert sum(row["rules"] for row in listed) == 104


def _without(question: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in question.items() if name not in names}


def _member(name: str) -> dict[str, Any]:
    return {"id": name, "received": "2024-03-01"}
