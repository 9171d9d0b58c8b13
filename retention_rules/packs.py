"""Rule packs: rule data as text to rules, its digest, and one class from its plain form. Text in, values out.

A pack is one file for one jurisdiction and one state of the law. It is superseded by another and never edited: its
digest, over the content and not the spelling, stands in `packs/digests.yaml`.
"""

from __future__ import annotations

import hashlib
import json
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any, TypeVar

from retention_rules.errors import InvalidData, said_of
from retention_rules.model import (
    RECEIVED,
    Bound,
    Calendar,
    ClassDefinition,
    Disposition,
    Extension,
    LockPolicy,
    Rule,
    Sensitivity,
)
from retention_rules.periods import parse_period
from retention_rules.plain_yaml import read_plain
from retention_rules.triggers import NAME, parse_trigger

E = TypeVar("E", bound=StrEnum)
COPIES_MAX, INTAKE_DAYS_MAX = 9, 365
RULE_KEYS = frozenset(
    {"code", "name_zh", "name_en", "jurisdiction", "sector", "min_period", "max_period", "bound", "trigger_event"}
    | {"calendar_rule", "citation", "effective_date", "ended_date", "date_verified", "verified", "note"}
    | {"longer_on", "delete_on", "extensions"}
)
CLASS_KEYS = frozenset(
    {
        "code",
        "name_zh",
        "name_en",
        "category_code",
        "period_code",
        "sensitivity",
        "keep_unopened",
        "own_period",
        "rules",
    }
    | {"disposition", "lock", "horizon", "intake_lasts_days", "copies", "own_trigger", "own_calendar"}
)


@dataclass(frozen=True)
class Pack:
    """The rules of one jurisdiction as they were known when it was published.

    Raises:
        InvalidData: two versions of a rule are in force on the same day.
    """

    version: str
    jurisdiction: str
    published_date: date
    rules: tuple[Rule, ...]
    supersedes: str | None = None

    def __post_init__(self) -> None:
        _refuse_overlaps(self.rules)

    @property
    def digest(self) -> str:
        """SHA-256 in hex of the pack's canonical form: what is signed, and what tells an altered pack."""
        return hashlib.sha256(self.canonical()).hexdigest()

    def canonical(self) -> bytes:
        """The pack as JSON with sorted keys and no blanks, in UTF-8: the same bytes for the same content."""
        content = {
            "pack": self.version,
            "jurisdiction": self.jurisdiction,
            "published": self.published_date.isoformat(),
            "supersedes": self.supersedes,
            "rules": [plain_rule(rule) for rule in self.rules],
        }
        return _canonical(content)


def parse_pack(text: str) -> Pack:
    """A pack from its text.

    Raises:
        InvalidData: the text is not a pack; the message names the rule and the field.
    """
    content = read_plain(text)
    if not isinstance(content, dict) or not isinstance(content.get("rules"), list):
        raise InvalidData(
            "a pack has the fields pack, jurisdiction, published and rules",
            "规则包应有 pack、jurisdiction、published 和 rules",
        )
    try:
        version, jurisdiction = _text(content, "pack"), _text(content, "jurisdiction")
        supersedes = None if content.get("supersedes") is None else _text(content, "supersedes")
        published = _day(content["published"])
    except KeyError as error:
        raise InvalidData(f"the pack has no field {error.args[0]}", f"规则包缺少 {error.args[0]}") from error
    except ValueError as error:
        english, chinese = said_of(error)
        raise InvalidData(f"the pack: {english}", f"规则包：{chinese}") from error
    if published is None:
        raise InvalidData("the pack has no field published", "规则包缺少 published")
    rules = tuple(rule_from(row, version) for row in content["rules"])
    return Pack(version, jurisdiction, published, rules, supersedes)


def rule_from(row: Mapping[str, Any], pack: str = "") -> Rule:
    """One rule from its plain form.

    Raises:
        InvalidData: a field is missing, unknown or out of its range; the message names rule and field.
    """
    code = _code_of(row)
    unknown = sorted(set(map(str, row)) - RULE_KEYS)
    if unknown:
        named = ", ".join(unknown)
        raise InvalidData(f"rule {code} has unknown fields: {named}", f"规则 {code} 没有这些字段：{named}")
    try:
        return _rule(row, pack)
    except KeyError as error:
        raise InvalidData(f"rule {code} has no field {error.args[0]}", f"规则 {code} 缺少 {error.args[0]}") from error
    except (ValueError, TypeError, AttributeError, OverflowError) as error:
        english, chinese = said_of(error)
        raise InvalidData(f"rule {code}: {english}", f"规则 {code}：{chinese}") from error


def plain_rule(rule: Rule) -> dict[str, Any]:
    """A rule as plain values; `rule_from` reads them back. What is not set is left out."""
    row: dict[str, Any] = {
        "code": rule.code,
        "name_zh": rule.name_zh,
        "name_en": rule.name_en,
        "jurisdiction": rule.jurisdiction,
        "sector": rule.sector,
        "min_period": str(rule.period),
        "max_period": str(rule.max_period) if rule.max_period else None,
        "bound": rule.bound.value,
        "trigger_event": rule.trigger,
        "calendar_rule": rule.calendar.value,
        "citation": rule.citation,
        "effective_date": rule.effective_date.isoformat() if rule.effective_date else None,
        "ended_date": rule.ended_date.isoformat() if rule.ended_date else None,
        "date_verified": rule.is_effective_date_verified or None,
        "longer_on": rule.longer_on,
        "delete_on": rule.delete_on,
        "extensions": [
            {"opened": e.opened, "closed": e.closed, "adds": str(e.adds)} for e in rule.extensions
        ] or None,
        "note": rule.note or None,
    }  # fmt: skip
    return {name: value for name, value in row.items() if value is not None} | {"verified": rule.is_verified}


def rule_digest(rule: Rule) -> str:
    """What a confirmation names: SHA-256 in hex of what the rule says, whichever pack says it.

    Notes, names and the mark of verification are left out: they do not change what was confirmed.
    """
    said = {
        name: value
        for name, value in plain_rule(rule).items()
        if name not in {"note", "verified", "date_verified", "name_zh", "name_en", "sector"}
    }
    return hashlib.sha256(_canonical(said)).hexdigest()


def by_code(packs: Iterable[Pack]) -> dict[str, tuple[Rule, ...]]:
    """Every version of each rule in some packs, the oldest first.

    Raises:
        InvalidData: two packs have a rule of the same code.
    """
    rules: dict[str, tuple[Rule, ...]] = {}
    for pack in packs:
        own: dict[str, tuple[Rule, ...]] = {}
        for rule in pack.rules:
            own[rule.code] = tuple(sorted((*own.get(rule.code, ()), rule), key=_starts))
        twice = sorted(set(own) & set(rules))
        if twice:
            raise InvalidData(f"two packs have a rule called {twice[0]}", f"两个规则包都有规则 {twice[0]}")
        rules |= own
    return rules


def parse_classes(text: str) -> tuple[ClassDefinition, ...]:
    """The classes of a class file.

    Raises:
        InvalidData: the text is not a class file.
    """
    content = read_plain(text)
    if not isinstance(content, dict) or not isinstance(content.get("classes"), list):
        raise InvalidData("a class file has the field classes", "类别文件应有 classes")
    return tuple(class_from(row) for row in content["classes"])


def class_from(row: Mapping[str, Any]) -> ClassDefinition:
    """One class from its plain form.

    Raises:
        InvalidData: a field is missing or out of its range; the message names class and field.
    """
    code = _code_of(row)
    try:
        return _class(row)
    except KeyError as error:
        raise InvalidData(
            f"class {code} has no field {error.args[0]}", f"类别 {code} 缺少 {error.args[0]}"
        ) from error
    except (ValueError, TypeError, AttributeError, OverflowError) as error:
        english, chinese = said_of(error)
        raise InvalidData(f"class {code}: {english}", f"类别 {code}：{chinese}") from error


def plain_class(definition: ClassDefinition) -> dict[str, Any]:
    """A class as plain values; `class_from` reads them back."""
    return {
        "code": definition.code,
        "name_zh": definition.name_zh,
        "name_en": definition.name_en,
        "category_code": definition.category_code,
        "period_code": definition.period_code,
        "sensitivity": str(definition.sensitivity),
        "keep_unopened": definition.keep_unopened,
        **plain_law(definition),
    }


def plain_law(definition: ClassDefinition) -> dict[str, Any]:
    """What the law reads of a class, as plain values: how long, how locked, and what then."""
    return {
        "rules": list(definition.rule_codes),
        "own_period": str(definition.own_period) if definition.own_period else None,
        "own_trigger": definition.own_trigger,
        "own_calendar": definition.own_calendar.value,
        "disposition": definition.disposition.value,
        "lock": "rolling" if definition.lock.is_rolling else "full",
        "horizon": str(definition.lock.horizon),
        "intake_lasts_days": definition.lock.intake_lasts_days,
        "copies": definition.copies,
    }


def _class(row: Mapping[str, Any]) -> ClassDefinition:
    own, usual = row.get("own_period"), LockPolicy()
    mode = str(row.get("lock") or "full")
    if mode not in {"full", "rolling"}:
        raise InvalidData(
            f"lock is full or rolling, not {mode[:40]!r}", f"lock 应为 full 或 rolling，现为 {mode[:40]!r}"
        )
    lock = LockPolicy(
        is_rolling=mode == "rolling",
        horizon=parse_period(str(row["horizon"])) if row.get("horizon") else usual.horizon,
        intake_lasts_days=int(row.get("intake_lasts_days") or usual.intake_lasts_days),
    )
    copies = int(row.get("copies") or 1)
    if lock.horizon.is_permanent or lock.horizon.months + lock.horizon.days < 1:
        raise InvalidData(f"a lock cannot run {lock.horizon} ahead", f"滚动锁定期不能为 {lock.horizon}")
    if not 1 <= lock.intake_lasts_days <= INTAKE_DAYS_MAX or not 1 <= copies <= COPIES_MAX:
        raise InvalidData(
            f"an intake lock lasts 1 to {INTAKE_DAYS_MAX} days, and there are 1 to {COPIES_MAX} copies",
            f"入库锁定应为 1 至 {INTAKE_DAYS_MAX} 天，份数应为 1 至 {COPIES_MAX}",
        )
    trigger = str(parse_trigger(row.get("own_trigger") or RECEIVED))
    return ClassDefinition(
        code=_text(row, "code"),
        name_zh=_text(row, "name_zh"),
        name_en=_text(row, "name_en"),
        category_code=_text(row, "category_code"),
        period_code=_text(row, "period_code"),
        sensitivity=_one_of(Sensitivity, row.get("sensitivity") or Sensitivity.NORMAL),
        keep_unopened=bool(row.get("keep_unopened", False)),
        own_period=parse_period(str(own)) if own else None,
        rule_codes=_codes(row.get("rules") or ()),
        disposition=_one_of(Disposition, row.get("disposition") or Disposition.REVIEW),
        lock=lock,
        copies=copies,
        own_trigger=trigger,
        own_calendar=_one_of(Calendar, row.get("own_calendar") or Calendar.EXACT_DATE),
    )


def _rule(row: Mapping[str, Any], pack: str) -> Rule:
    longest = row.get("max_period")
    return Rule(
        code=_text(row, "code"),
        name_zh=_text(row, "name_zh"),
        name_en=_text(row, "name_en"),
        period=parse_period(str(row["min_period"])),
        bound=_one_of(Bound, row["bound"]),
        trigger=str(parse_trigger(row["trigger_event"])),
        calendar=_one_of(Calendar, row["calendar_rule"]),
        citation=_text(row, "citation"),
        is_verified=_flag(row, "verified"),
        max_period=parse_period(str(longest)) if longest else None,
        effective_date=_day(row.get("effective_date")),
        ended_date=_day(row.get("ended_date")),
        is_effective_date_verified="date_verified" in row and _flag(row, "date_verified"),
        longer_on=_event(row.get("longer_on")),
        delete_on=_event(row.get("delete_on")),
        extensions=tuple(
            Extension(str(_event(e["opened"])), str(_event(e["closed"])), parse_period(str(e.get("adds", "P0D"))))
            for e in row.get("extensions") or ()
        ),
        jurisdiction=_text(row, "jurisdiction"),
        sector=_text(row, "sector"),
        note=_text(row, "note") if "note" in row else "",
        pack=pack,
    )


def _one_of(kind: type[E], value: object) -> E:
    try:
        return kind(str(value))
    except ValueError as error:
        known, found = ", ".join(kind), repr(value)[:60]
        raise InvalidData(f"one of {known} is expected, not {found}", f"应为 {known} 之一，现为 {found}") from error


def _text(row: Mapping[str, Any], name: str) -> str:
    value = row[name]
    if not isinstance(value, str):
        raise InvalidData(f"{name} is a text, not {value!r}"[:100], f"{name} 应为文字，现为 {value!r}"[:100])
    if any(unicodedata.category(one) in {"Cc", "Cs"} for one in value if one not in "\n\t"):
        raise InvalidData(f"{name} has characters that are no text", f"{name} 含有不是文字的字符")
    return value


def _flag(row: Mapping[str, Any], name: str) -> bool:
    """True or false, and nothing that only looks like it: a rule that is "no" would else count as verified."""
    value = row[name]
    if not isinstance(value, bool):
        raise InvalidData(
            f"{name} is true or false, not {value!r}"[:100], f"{name} 应为 true 或 false，现为 {value!r}"[:100]
        )
    return value


def _code_of(row: object) -> str:
    """What a row is called where it is refused. Raises InvalidData when it has no fields."""
    if not isinstance(row, Mapping):
        raise InvalidData(f"a row has fields, not {row!r}"[:100], f"每一行应有字段，现为 {row!r}"[:100])
    return str(row.get("code", "without a code"))[:80]


def _event(name: object) -> str | None:
    if name is not None and (not isinstance(name, str) or NAME.fullmatch(name) is None):
        raise InvalidData(f"not the name of an event: {name!r}"[:100], f"不是事件名称：{name!r}"[:100])
    return name


def _codes(value: object) -> tuple[str, ...]:
    if not isinstance(value, list | tuple) or not all(isinstance(code, str) for code in value):
        raise InvalidData("rules is a list of codes of rules", "rules 应为规则代码的列表")
    return tuple(value)


def _refuse_overlaps(rules: Iterable[Rule]) -> None:
    last: dict[str, Rule] = {}
    for rule in sorted(rules, key=_starts):
        before = last.get(rule.code)
        if before is not None and (
            before.ended_date is None or before.ended_date > (rule.effective_date or date.min)
        ):
            raise InvalidData(
                f"two versions of rule {rule.code} are in force on the same day",
                f"规则 {rule.code} 有两个版本同日有效",
            )
        last[rule.code] = rule


def _starts(rule: Rule) -> date:
    return rule.effective_date or date.min


def _day(value: object) -> date | None:
    return None if value is None else date.fromisoformat(str(value))


def _canonical(content: object) -> bytes:
    return json.dumps(content, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()
