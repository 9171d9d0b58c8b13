"""What is wrong with a file, line by line, in Chinese and English."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from dataclasses import field as dataclass_field
from enum import StrEnum
from types import MappingProxyType

from retention_rules.differences import FIELDS
from retention_rules.errors import InvalidData

PROBLEMS_MAX = 200


class Wrong(StrEnum):
    """A kind of problem; one sentence each."""

    NOT_YAML = "not_yaml"
    NOT_CSV = "not_csv"
    TOO_LARGE = "too_large"
    EMPTY = "empty"
    ALIAS = "alias"
    UNKNOWN = "unknown"
    MISSING = "missing"
    TWICE = "twice"
    TOO_MANY_VALUES = "too_many_values"
    NO_RULE = "no_rule"
    NO_PACK = "no_pack"
    NOT_ALLOWED = "not_allowed"
    FORMULA = "formula"
    CLASS_TWICE = "class_twice"


@dataclass(frozen=True)
class Problem:
    """What is wrong on a line; `field` is empty when no single one is to blame. `told` fills the sentence."""

    line: int
    kind: Wrong
    field: str = ""
    told: Mapping[str, str] = dataclass_field(default_factory=dict)


class InvalidFile(InvalidData):
    """A file that cannot be a schedule. `problems` are those that were found, in the order of their lines."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(sorted(problems, key=lambda problem: problem.line))[:PROBLEMS_MAX]
        english, chinese = (
            "\n".join(say_problem(problem, language) for problem in self.problems) for language in ("en", "zh")
        )
        super().__init__(english, chinese)


def say_problem(problem: Problem, language: str) -> str:
    """A problem as a sentence, with its line."""
    place = ("zh", "en").index(language)
    label = FIELDS[problem.field][place] if problem.field in FIELDS else problem.field
    where = (f"第 {problem.line} 行", f"line {problem.line}")[place] + (f" {label}" if label else "")
    return f"{where}{('：', ': ')[place]}{say_fault(problem, language)}"


def say_fault(problem: Problem, language: str) -> str:
    """What is wrong alone, for who shows it at its place."""
    place = ("zh", "en").index(language)
    told = {name: value[:80] for name, value in problem.told.items()}
    if problem.kind is Wrong.NOT_ALLOWED:
        told["expected"] = EXPECTED[problem.field][place]
    return _SENTENCES[problem.kind][place].format(**told)


_SENTENCES: Mapping[Wrong, tuple[str, str]] = MappingProxyType(
    {
        Wrong.NOT_YAML: ("不是有效的 YAML：{cause}", "not YAML: {cause}"),
        Wrong.NOT_CSV: ("不是有效的 CSV：{cause}", "not CSV: {cause}"),
        Wrong.TOO_LARGE: ("文件过大：最多 {most}", "the file is too large: at most {most}"),
        Wrong.EMPTY: ("文件为空", "the file is empty"),
        Wrong.ALIAS: ("保管期限表中不使用 YAML 引用", "aliases are not used in a schedule"),
        Wrong.UNKNOWN: ("没有这一项：{value}", "there is no such field: {value}"),
        Wrong.MISSING: ("缺少此项", "the field is missing"),
        Wrong.TWICE: ("此项重复", "the field stands twice"),
        Wrong.TOO_MANY_VALUES: ("有 {values} 个值，但只有 {columns} 列", "{values} values, but {columns} columns"),
        Wrong.NO_RULE: ("没有这条规则：{value}", "there is no such rule: {value}"),
        Wrong.NO_PACK: ("没有这个规则包：{value}", "there is no such rule pack: {value}"),
        Wrong.NOT_ALLOWED: ("应为{expected}，现为“{value}”", "{expected} is expected, not “{value}”"),
        Wrong.FORMULA: ("不得以 {value} 开头，否则会被当作公式", "it begins with {value}, as a formula does"),
        Wrong.CLASS_TWICE: ("类别 {value} 已在第 {first} 行", "class {value} stands on line {first} already"),
    }
)  # fmt: skip

_TEXT = ("文字", "a text")
_EVENT = (
    "事件，如 account_closed 或 later_of(account_closed, wages_settled)",
    "an event such as account_closed or later_of(account_closed, wages_settled)",
)
_CALENDAR = (
    "exact_date、first_day_after_fiscal_year_end、end_of_calendar_year、jan_1_of_following_year 或 working_days",
    "exact_date, first_day_after_fiscal_year_end, end_of_calendar_year, jan_1_of_following_year or working_days",
)
# What each field takes.
EXPECTED: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "version": _TEXT,
        "effective_date": ("日期，如 2027-01-01", "a day such as 2027-01-01"),
        "fiscal_year_end": ("月和日，如 12-31", "a month and a day such as 12-31"),
        "packs": ("规则包列表", "a list of rule packs"),
        "classes": ("类别列表", "a list of classes"),
        "code": ("大写字母、数字、“.”“_”“-”，最多 40 个字符", "capitals, digits, '.', '_' and '-', 40 at most"),
        "name_zh": _TEXT,
        "name_en": _TEXT,
        "category_code": _TEXT,
        "period_code": _TEXT,
        "rules": ("规则代码列表", "a list of codes of rules"),
        "own_period": ("期限，如 P10Y、P6M、P30D 或 permanent", "a period such as P10Y, P6M, P30D or permanent"),
        "own_trigger": _EVENT,
        "own_calendar": _CALENDAR,
        "disposition": ("destroy、review、transfer 或 permanent", "destroy, review, transfer or permanent"),
        "lock": ("full 或 rolling", "full or rolling"),
        "horizon": ("期限，如 P1Y，不得为零或永久", "a period such as P1Y, neither nothing nor for ever"),
        "intake_lasts_days": ("1 至 365 的整数", "a whole number from 1 to 365"),
        "copies": ("1 至 9 的整数", "a whole number from 1 to 9"),
        "sensitivity": ("normal、personal 或 sensitive", "normal, personal or sensitive"),
        "keep_unopened": ("yes 或 no（是、否）", "yes or no"),
    }
)
