"""Languages: every message is translated, and values read as people write them."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

import vault
from retention_rules.errors import InvalidData
from retention_rules.identifiers import problem_with
from vault.catalogue import corrections
from vault.catalogue.model import FieldKind
from vault.foundation.errors import Fault, InvalidInput, NotAllowed, VaultError
from vault.retention.errors import ScheduleInvalid
from vault.surfaces.i18n import FAULT_WORDS, Formats, Language, choose_language, translator

TOLD_TO_CALLERS = {
    "BadFieldValue",
    "BadRequest",
    "Conflict",
    "InvalidInput",
    "PackRefused",
    "ProposalSettled",
    "ScheduleInvalid",
    "WeakPassword",
}
ROOT = Path(__file__).resolve().parents[3]
SHANGHAI = ZoneInfo("Asia/Shanghai")
ZH = Formats(translator(Language.ZH), SHANGHAI)
EN = Formats(translator(Language.EN), SHANGHAI)
NOW = datetime(2026, 11, 23, 16, 30, tzinfo=UTC)  # 2026-11-24 00:30 in Shanghai


def test_every_message_of_the_program_is_translated_with_the_same_holes() -> None:
    check = [sys.executable, str(ROOT / "scripts" / "dev" / "update-messages"), "--check"]
    run = subprocess.run(check, capture_output=True, text=True, check=False, cwd=ROOT)
    assert run.returncode == 0, run.stdout + run.stderr


@pytest.mark.parametrize(
    ("chosen", "accepted", "language"),
    [
        (None, None, Language.ZH),
        (None, "", Language.ZH),
        (None, "fr", Language.ZH),
        (None, "en-GB,en;q=0.9,zh;q=0.8", Language.EN),
        (None, "zh-TW,en;q=0.9", Language.ZH),
        (None, "fr, en;q=0.4, zh;q=0.3", Language.EN),
        (None, "en;q=0, zh;q=0.1", Language.ZH),
        (None, "en;q=nonsense", Language.ZH),
        ("en", "zh", Language.EN),
        ("zh", "en", Language.ZH),
        ("xx", "en", Language.EN),
    ],
)
def test_choice_of_language(chosen, accepted, language) -> None:
    assert choose_language(chosen, accepted) is language


@pytest.mark.parametrize(
    ("until", "zh", "en"),
    [
        (date(2030, 1, 24), "还剩 3 年 2 个月", "3 years 2 months left"),
        (date(2027, 11, 24), "还剩 1 年", "1 year left"),
        (date(2026, 12, 6), "还剩 12 天", "12 days left"),
        (date(2026, 11, 24), "今天", "today"),
        (date(2026, 11, 12), "已超 12 天", "12 days over"),
        (datetime(2026, 11, 24, 15, 59, tzinfo=UTC), "今天", "today"),
        (datetime(2026, 11, 24, 16, 0, tzinfo=UTC), "还剩 1 天", "1 day left"),
    ],
)
def test_time_left_counts_days_of_the_organisation(until, zh, en) -> None:
    assert (ZH.left(until, NOW), EN.left(until, NOW)) == (zh, en)


@pytest.mark.parametrize(
    ("start", "end", "words"),
    [
        (date(2024, 2, 29), date(2025, 2, 28), "1 year"),
        (date(2026, 1, 31), date(2026, 2, 28), "1 month"),
        (date(2026, 1, 31), date(2026, 3, 1), "1 month 1 day"),
        (date(2026, 12, 31), date(2027, 1, 1), "1 day"),
        (date(2026, 5, 5), date(2026, 5, 5), "0 days"),
    ],
)
def test_span_over_months_of_unequal_length(start, end, words) -> None:
    assert EN.span(start, end) == words


@pytest.mark.parametrize(
    ("back", "en"),
    [
        (timedelta(seconds=-5), "just now"),
        (timedelta(seconds=59), "just now"),
        (timedelta(minutes=5, seconds=40), "5 minutes ago"),
        (timedelta(hours=3, minutes=59), "3 hours ago"),
        (timedelta(days=2), "2 days ago"),
    ],
)
def test_ago(back, en) -> None:
    assert EN.ago(NOW - back, NOW) == en


@pytest.mark.parametrize(
    ("seconds", "en"),
    [
        (0, "0 seconds"),
        (0.31, "0.3 seconds"),
        (1, "1 second"),
        (9.96, "10.0 seconds"),
        (65, "1 minute 5 seconds"),
        (7500, "2 hours 5 minutes"),
    ],
)
def test_working_time(seconds, en) -> None:
    assert EN.seconds(seconds) == en.replace("10.0", "10")


@pytest.mark.parametrize(
    ("size", "text"), [(0, "0 B"), (999, "999 B"), (1000, "1.0 KB"), (118_231, "118 KB"), (5_000_000_000, "5.0 GB")]
)
def test_sizes(size, text) -> None:
    assert EN.size(size) == text


def test_instants_stand_in_the_organisations_zone_and_say_so() -> None:
    assert ZH.instant(NOW) == "2026-11-24 00:30"
    assert ZH.instant_in_full(NOW) == "2026-11-24 00:30:00 UTC+08:00 (Asia/Shanghai)"
    assert ZH.day(NOW) == "2026-11-24"
    with pytest.raises(ValueError, match="aware"):
        ZH.instant(NOW.replace(tzinfo=None))


def test_numbers() -> None:
    assert (EN.number(1_004_217), EN.number(2.5), EN.percent(0.973)) == ("1,004,217", "2.5", "97.3%")


def test_an_error_explains_itself_in_both_languages() -> None:
    said = translator(Language.ZH).explain(InvalidInput(field="件号", problem="{0}"))
    assert said.code == "invalid-input"
    assert said.what_happened == "件号：{0}。"
    assert said.what_to_do == "请更正后重新提交。"
    assert translator(Language.EN).explain(VaultError()).whose_fault == FAULT_WORDS[Fault.OURS]


def _named_fields() -> set[str]:
    """Every field that an error names where it is raised, and those of the description."""
    named = set(corrections.FIELDS) | {kind.value for kind in FieldKind}
    for path in (Path(vault.__file__).parent).rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") in {"InvalidInput", "BadFieldValue"}:
                told = [word.value for word in node.keywords if word.arg == "field"]
                named |= {value.value for value in told if isinstance(value, ast.Constant)}
    return named


def test_no_message_shows_what_the_program_calls_a_field() -> None:
    named = _named_fields()
    assert {"password_again", "sign_in_name", "occurred_date", "files"} <= named
    for field in sorted(named):
        for language in Language:
            said = translator(language).explain(InvalidInput(field=field, problem="the two passwords differ"))
            assert field not in said.what_happened or "_" not in field, field
            if language is Language.ZH:
                assert not re.search(r"[A-Za-z]", said.what_happened), said.what_happened


def test_no_problem_of_a_caller_is_told_in_english_alone() -> None:
    """What is wrong is a message id, or said by the law in both languages; nothing is put together in the program."""
    english = [
        path.name
        for path in (Path(vault.__file__).parent).rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") in TOLD_TO_CALLERS
        for word in node.keywords
        if word.arg in {"problem", "state"} and isinstance(word.value, ast.Constant | ast.JoinedStr)
    ]
    assert english == ["application.py"], "only what a program sent, told by its place"


def test_the_law_and_the_rights_are_told_in_words() -> None:
    say = translator(Language.ZH).explain
    assert (
        "类别 A 出现了两次" in say(ScheduleInvalid(problem=InvalidData("A twice", "类别 A 出现了两次"))).what_happened
    )
    assert "“更正档案著录" in say(NotAllowed(right="records:record:describe")).what_happened
    for kind, value in (("id_number", "110105194912310021"), ("phone", "1"), ("card_number", "1")):
        problem = problem_with(kind, value)
        assert problem is not None
        assert translator(Language.ZH).gettext(problem) != problem
