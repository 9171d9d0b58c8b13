"""Schedules as files: they survive the round trip, and what is wrong is told by line, all at once."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retention_rules import shipped
from retention_rules.model import Calendar, ClassDefinition, Disposition, FiscalYear, Period, Sensitivity
from retention_rules.problems import EXPECTED, InvalidFile, Wrong, say_problem
from retention_rules.schedule_files import (
    COLUMNS,
    classes_from_csv,
    classes_to_csv,
    schedule_from_yaml,
    schedule_to_yaml,
)
from retention_rules.schedules import Schedule
from tests.rules.worlds import PERIODS, POLICIES

pytestmark = pytest.mark.clause("V3")
RULES, PACKS = shipped.rules(), shipped.packs()
SHIPPED = Schedule("2027.1", date(2027, 1, 1), shipped.classes(), tuple(PACKS), FiscalYear(6, 30))
TEXTS = (
    st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), min_size=1, max_size=12)
    .map(str.strip)
    .filter(lambda text: text and text[0] not in "=+-@" and text.splitlines() == [text])
)
CLASSES = st.builds(
    ClassDefinition,
    code=st.from_regex(r"[A-Z0-9][A-Z0-9._-]{0,39}", fullmatch=True),
    name_zh=TEXTS,
    name_en=TEXTS,
    category_code=TEXTS,
    period_code=TEXTS,
    sensitivity=st.sampled_from(list(Sensitivity)),
    keep_unopened=st.booleans(),
    own_period=st.one_of(st.none(), PERIODS),
    rule_codes=st.lists(st.sampled_from(sorted(RULES)), max_size=4, unique=True).map(tuple),
    disposition=st.sampled_from(list(Disposition)),
    lock=POLICIES,
    copies=st.integers(1, 9),
    own_trigger=st.sampled_from(["received", "account_closed", "later_of(account_closed, wages_settled)"]),
    own_calendar=st.sampled_from(list(Calendar)),
)


def test_the_shipped_classes_survive_both_files() -> None:
    assert schedule_from_yaml(schedule_to_yaml(SHIPPED), RULES, PACKS) == SHIPPED
    assert classes_from_csv(classes_to_csv(SHIPPED.classes), RULES) == SHIPPED.classes


def test_a_header_may_be_chinese_and_begin_with_the_mark_of_a_spreadsheet() -> None:
    text = classes_to_csv(SHIPPED.classes, is_chinese=True)

    assert text.startswith("代码,中文名称,")
    assert classes_from_csv("\ufeff" + text, RULES) == SHIPPED.classes


@given(st.lists(CLASSES, max_size=3, unique_by=lambda definition: definition.code).map(tuple))
def test_any_classes_survive_both_files(classes: tuple[ClassDefinition, ...]) -> None:
    schedule = replace(SHIPPED, classes=classes)

    assert schedule_from_yaml(schedule_to_yaml(schedule), RULES, PACKS) == schedule
    assert classes_from_csv(classes_to_csv(classes), RULES) == classes


def test_a_value_is_taken_as_it_is_written() -> None:
    text = schedule_to_yaml(replace(SHIPPED, classes=())).replace(
        "classes: []",
        "classes:\n- {code: 0012, name_zh: 否, name_en: no, category_code: 08, period_code: 1e3, rules: CN-AML-TXN}",
    )

    (definition,) = schedule_from_yaml(text, RULES, PACKS).classes

    assert (definition.code, definition.name_en, definition.category_code, definition.period_code) == (
        "0012",
        "no",
        "08",
        "1e3",
    )
    assert definition.rule_codes == ("CN-AML-TXN",)


HEADER = "code,name_zh,name_en,category_code,period_code,rules,own_period,disposition,copies,lock,horizon\n"
GOOD = "A,甲,A,YW,D10,CN-AML-TXN,P10Y,destroy,2,rolling,P1Y\n"
# file | line, kind, field of each problem | the first one in Chinese
CSV = [
    ("", [(1, Wrong.EMPTY, "")], "第 1 行：文件为空"),
    ("code,colour\n", [(1, Wrong.UNKNOWN, "")] + [(1, Wrong.MISSING, n) for n in ("name_zh", "name_en", "category_code", "period_code")], "第 1 行：没有这一项：colour"),
    (HEADER.replace("copies", "code"), [(1, Wrong.TWICE, "code")], "第 1 行 代码：此项重复"),
    (HEADER + GOOD + GOOD, [(3, Wrong.CLASS_TWICE, "code")], "第 3 行 代码：类别 A 已在第 2 行"),
    (HEADER + "\n" + GOOD.replace("P10Y", "10"), [(3, Wrong.NOT_ALLOWED, "own_period")], "第 3 行 本单位期限：应为期限，如 P10Y、P6M、P30D 或 permanent，现为“10”"),
    (HEADER + GOOD.replace("CN-AML-TXN", "CN-AML-TXN NO-1，NO-2"), [(2, Wrong.NO_RULE, "rules")], "第 2 行 适用规则：没有这条规则：NO-1, NO-2"),
    (HEADER + GOOD.replace("destroy,2", "burn,many"), [(2, Wrong.NOT_ALLOWED, "disposition"), (2, Wrong.NOT_ALLOWED, "copies")], "第 2 行 到期处置：应为destroy、review、transfer 或 permanent，现为“burn”"),
    (HEADER + GOOD.replace("P1Y\n", "P0D\n"), [(2, Wrong.NOT_ALLOWED, "horizon")], "第 2 行 滚动锁定期：应为期限，如 P1Y，不得为零或永久，现为“P0D”"),
    (HEADER + GOOD.replace("A,甲", "a b,=SUM(1)"), [(2, Wrong.NOT_ALLOWED, "code"), (2, Wrong.FORMULA, "name_zh")], "第 2 行 代码：应为大写字母、数字、“.”“_”“-”，最多 40 个字符，现为“a b”"),
    (HEADER + GOOD.replace("A,甲", ",甲"), [(2, Wrong.MISSING, "code")], "第 2 行 代码：缺少此项"),
    (HEADER + GOOD.replace("\n", ",more\n"), [(2, Wrong.TOO_MANY_VALUES, "")], "第 2 行：有 12 个值，但只有 11 列"),
    (HEADER + 'A,"甲', [(2, Wrong.NOT_CSV, "")], "第 2 行：不是有效的 CSV：unexpected end of data"),
    (HEADER + 'A,"甲\n乙",A,YW,D10\nB,丙,B,YW,D10,NO-1\n', [(4, Wrong.NO_RULE, "rules")], "第 4 行 适用规则：没有这条规则：NO-1"),
    (" " * (4 * 2**20 + 1), [(1, Wrong.TOO_LARGE, "")], "第 1 行：文件过大：最多 4194304"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "wanted", "told"), CSV, ids=range(len(CSV)))
def test_every_problem_of_a_csv_file_is_told_with_its_line(
    text: str, wanted: list[tuple[int, Wrong, str]], told: str
) -> None:
    with pytest.raises(InvalidFile) as refusal:
        classes_from_csv(text, RULES)

    problems = refusal.value.problems
    assert [(problem.line, problem.kind, problem.field) for problem in problems] == wanted
    assert say_problem(problems[0], "zh") == told


HEAD = "version: '2'\neffective_date: 2028-01-01\npacks: [cn-2026.11]\nclasses:\n"
CLASS = "- code: A\n  name_zh: 甲\n  name_en: A\n  category_code: YW\n  period_code: D10\n"
# file | line, kind, field of each problem
YAML = [
    ("- 1", [(1, Wrong.EMPTY, "")]),
    ("a: [", [(1, Wrong.NOT_YAML, "")]),
    ("a: &x 1\nb: *x", [(2, Wrong.ALIAS, "")]),
    ("a: !!python/object/apply:os.system [ls]", [(1, Wrong.UNKNOWN, ""), (1, Wrong.MISSING, "version"), (1, Wrong.MISSING, "effective_date"), (1, Wrong.MISSING, "packs")]),
    (HEAD.replace("2028-01-01", "soon"), [(2, Wrong.NOT_ALLOWED, "effective_date")]),
    (HEAD.replace("cn-2026.11", "cn-1999.1"), [(3, Wrong.NO_PACK, "packs")]),
    (HEAD.replace("[cn-2026.11]", "cn-2026.11"), [(3, Wrong.NOT_ALLOWED, "packs")]),
    (HEAD + "fiscal_year_end: 13-01", [(5, Wrong.NOT_ALLOWED, "fiscal_year_end")]),
    (HEAD + "- 5\n", [(5, Wrong.NOT_ALLOWED, "classes")]),
    (HEAD.replace("classes:\n", "classes: none\n"), [(4, Wrong.NOT_ALLOWED, "classes")]),
    (HEAD + CLASS + "  code: B\n  colour: red\n", [(10, Wrong.TWICE, "code"), (11, Wrong.UNKNOWN, "")]),
    (HEAD + CLASS + CLASS.replace("D10", "[D10]") + "  rules:\n  - NO-1\n", [(14, Wrong.NOT_ALLOWED, "period_code"), (16, Wrong.NO_RULE, "rules")]),
    (HEAD + CLASS + "  keep_unopened: maybe\n", [(10, Wrong.NOT_ALLOWED, "keep_unopened")]),
    (HEAD + CLASS + CLASS, [(10, Wrong.CLASS_TWICE, "code")]),
]  # fmt: skip


@pytest.mark.parametrize(("text", "wanted"), YAML, ids=range(len(YAML)))
def test_every_problem_of_a_yaml_file_is_told_with_its_line(text: str, wanted: list[tuple[int, Wrong, str]]) -> None:
    with pytest.raises(InvalidFile) as refusal:
        schedule_from_yaml(text, RULES, PACKS)

    assert [(problem.line, problem.kind, problem.field) for problem in refusal.value.problems] == wanted
    for problem in refusal.value.problems:
        assert "{" not in say_problem(problem, "zh") + say_problem(problem, "en")


def test_every_field_says_what_it_expects() -> None:
    assert set(COLUMNS) <= set(EXPECTED)


@given(st.text(max_size=200))
def test_any_text_is_a_file_or_refused(text: str) -> None:
    for read in (
        lambda: classes_from_csv(HEADER + text, RULES),
        lambda: schedule_from_yaml(HEAD + text, RULES, PACKS),
        lambda: schedule_from_yaml(text, RULES, PACKS),
    ):
        refusals = []
        try:
            read()
        except InvalidFile as refusal:
            refusals += refusal.problems
        assert all(1 <= problem.line <= len(text.splitlines()) + 6 for problem in refusals)


def test_a_period_of_its_own_needs_no_rule() -> None:
    (definition,) = classes_from_csv(HEADER + "A,甲,A,YW,D10,,P10Y,,,,\n", RULES)

    assert (definition.own_period, definition.rule_codes) == (Period(months=120), ())
