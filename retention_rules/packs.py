"""Rule data to rules and classes: text in, values out. Shipped beside this file as `packs/*.yaml`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import yaml

from retention_rules.model import Bound, Calendar, Period, Rule
from retention_rules.periods import parse_period


@dataclass(frozen=True)
class ClassDefinition:
    """A retention class 保管期限类 as shipped or set by the organisation."""

    code: str
    name_zh: str
    name_en: str
    category_code: str  # 档案门类代码
    period_code: str  # 保管期限代码: Y, D30, D10 after DA/T 22-2015, or the organisation's own
    sensitivity: str
    keep_unopened: bool
    own_period: Period | None
    rule_codes: tuple[str, ...]


def parse_pack(text: str) -> tuple[Rule, ...]:
    """The rules of a pack.

    Raises:
        ValueError, KeyError: the text is not a pack.
    """
    return tuple(_rule(row) for row in yaml.safe_load(text)["rules"])


def parse_classes(text: str) -> tuple[ClassDefinition, ...]:
    """The classes of a class file.

    Raises:
        ValueError, KeyError: the text is not a class file.
    """
    return tuple(class_from(row) for row in yaml.safe_load(text)["classes"])


def class_from(row: Mapping[str, Any]) -> ClassDefinition:
    """One class from its plain form."""
    own = row.get("own_period")
    return ClassDefinition(
        code=row["code"],
        name_zh=row["name_zh"],
        name_en=row["name_en"],
        category_code=row["category_code"],
        period_code=row["period_code"],
        sensitivity=row["sensitivity"],
        keep_unopened=bool(row.get("keep_unopened", False)),
        own_period=parse_period(own) if own else None,
        rule_codes=tuple(row.get("rules", ())),
    )


def by_code(packs: Iterable[tuple[Rule, ...]]) -> dict[str, Rule]:
    """The rules of several packs by code.

    Raises:
        ValueError: two rules have the same code.
    """
    rules: dict[str, Rule] = {}
    for rule in (rule for pack in packs for rule in pack):
        if rule.code in rules:
            raise ValueError(f"two rules are called {rule.code}")
        rules[rule.code] = rule
    return rules


def _rule(row: Mapping[str, Any]) -> Rule:
    return Rule(
        code=row["code"],
        name_zh=row["name_zh"],
        name_en=row["name_en"],
        period=parse_period(str(row["min_period"])),
        bound=Bound(row["bound"]),
        trigger=row["trigger_event"],
        calendar=Calendar(row["calendar_rule"]),
        citation=row["citation"],
        is_verified=bool(row["verified"]),
    )
