"""Rule data to rules and classes: text in, values out. Shipped beside this file as `packs/*.yaml`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import yaml

from retention_rules.decision import period_words
from retention_rules.model import Bound, Calendar, Disposition, LockPolicy, Period, Rule
from retention_rules.periods import parse_period


@dataclass(frozen=True)
class ClassDefinition:
    """A retention class 保管期限类 as shipped or set by the organisation.

    `keep_unopened`: files of types that intake cannot examine are kept as they are. `copies` is the number of stores.
    """

    code: str
    name_zh: str
    name_en: str
    category_code: str  # 档案门类代码
    period_code: str  # 保管期限代码: Y, D30, D10 after DA/T 22-2015, or the organisation's own
    sensitivity: str
    keep_unopened: bool
    own_period: Period | None
    rule_codes: tuple[str, ...]
    disposition: Disposition = Disposition.REVIEW
    lock: LockPolicy = field(default_factory=LockPolicy)
    copies: int = 1

    def plain(self) -> dict[str, Any]:
        """What the law reads of the class, as plain values for JSON; `class_from` reads them back."""
        return {
            "rules": list(self.rule_codes),
            "own_period": period_words(self.own_period) if self.own_period else None,
            "disposition": self.disposition.value,
            "lock": "rolling" if self.lock.is_rolling else "full",
            "horizon": period_words(self.lock.horizon),
            "intake_lasts_days": self.lock.intake_lasts_days,
            "copies": self.copies,
        }


def parse_pack(text: str) -> tuple[Rule, ...]:
    """The rules of a pack.

    Raises:
        ValueError, KeyError: the text is not a pack.
    """
    pack = yaml.safe_load(text)
    return tuple(_rule(row, pack["pack"]) for row in pack["rules"])


def parse_classes(text: str) -> tuple[ClassDefinition, ...]:
    """The classes of a class file.

    Raises:
        ValueError, KeyError: the text is not a class file.
    """
    return tuple(class_from(row) for row in yaml.safe_load(text)["classes"])


def class_from(row: Mapping[str, Any]) -> ClassDefinition:
    """One class from its plain form.

    Raises:
        ValueError, KeyError: a value is missing or out of its range.
    """
    own = row.get("own_period")
    usual = LockPolicy()
    lock = LockPolicy(
        is_rolling={"full": False, "rolling": True}[row.get("lock", "full")],
        horizon=parse_period(row["horizon"]) if row.get("horizon") else usual.horizon,
        intake_lasts_days=int(row.get("intake_lasts_days", usual.intake_lasts_days)),
    )
    copies = int(row.get("copies", 1))
    if lock.horizon.is_permanent or lock.horizon.months + lock.horizon.days < 1:
        raise ValueError(f"a lock cannot run {period_words(lock.horizon)} ahead")
    if not 1 <= lock.intake_lasts_days <= 365 or not 1 <= copies <= 9:
        raise ValueError("an intake lock lasts 1 to 365 days, and there are 1 to 9 copies")
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
        disposition=Disposition(row.get("disposition", Disposition.REVIEW)),
        lock=lock,
        copies=copies,
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


def _rule(row: Mapping[str, Any], pack: str) -> Rule:
    longest, effective = row.get("max_period"), row.get("effective_date")
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
        max_period=parse_period(str(longest)) if longest else None,
        effective_date=date.fromisoformat(effective) if effective else None,
        jurisdiction=row["jurisdiction"],
        sector=row["sector"],
        note=row.get("note", ""),
        pack=pack,
    )
