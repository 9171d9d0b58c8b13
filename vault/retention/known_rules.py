"""The rules that are known here: every version of each, where it applies, and who has confirmed it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import Connection

from retention_rules.model import Confirmation, Rule
from retention_rules.packs import rule_digest
from retention_rules.triggers import events_in, parse_trigger
from vault.retention.book import Lawbook, read_book


@dataclass(frozen=True)
class KnownRule:
    """One version of a rule. `is_in_schedule`: the schedule in effect, version `schedule_number`, names its pack.

    `classes` are the classes of that version that are bound by it.
    """

    rule: Rule
    schedule_number: int
    is_in_schedule: bool
    is_in_force: bool
    confirmation: Confirmation | None
    classes: tuple[str, ...]

    @property
    def is_trusted(self) -> bool:
        """Whether somebody has seen its source: until then nothing is destroyed by it."""
        return self.rule.is_verified or self.confirmation is not None

    @property
    def events(self) -> tuple[str, ...]:
        """Every event that it counts from or that changes it."""
        rule = self.rule
        more = [name for extension in rule.extensions for name in (extension.opened, extension.closed)]
        more += [name for name in (rule.longer_on, rule.delete_on) if name is not None]
        return tuple(dict.fromkeys((*events_in(parse_trigger(rule.trigger)), *more)))


@dataclass(frozen=True)
class RuleFilters:
    """Which rules. `text` is looked for in code, names, citation and note; every word of it must be there."""

    text: str = ""
    sector: str = ""
    jurisdiction: str = ""
    event: str = ""
    is_trusted: bool | None = None

    def fits(self, known: KnownRule) -> bool:
        """Whether a rule is meant."""
        rule = known.rule
        told = f"{rule.code} {rule.name_zh} {rule.name_en} {rule.citation} {rule.note}".casefold()
        return (
            all(word in told for word in self.text.casefold().split())
            and self.sector in {"", rule.sector}
            and self.jurisdiction in {"", rule.jurisdiction}
            and (not self.event or self.event in known.events)
            and self.is_trusted in {None, known.is_trusted}
        )


def known_rules(connection: Connection, now: datetime) -> tuple[KnownRule, ...]:
    """Every version of every rule, by code and date. Raises NoSchedule."""
    lawbook = read_book(connection)
    today = lawbook.day_of(now)
    schedule = lawbook.schedule(today, now)
    bound: dict[str, list[str]] = {}
    for definition in schedule.classes:
        for code in definition.rule_codes:
            bound.setdefault(code, []).append(definition.code)
    confirmed = {
        (k.confirmation.rule_code, k.confirmation.rule_digest): k.confirmation for k in lawbook.book.confirmations
    }
    return tuple(
        KnownRule(
            rule=rule,
            schedule_number=int(schedule.version),
            is_in_schedule=rule.pack in schedule.packs,
            is_in_force=rule.is_in_force(today),
            confirmation=None if rule.is_verified else confirmed.get((rule.code, rule_digest(rule))),
            classes=tuple(bound.get(rule.code, ())) if rule.pack in schedule.packs else (),
        )
        for rule in sorted(_rules(lawbook), key=lambda rule: (rule.code, rule.effective_date or date.min, rule.pack))
    )


def _rules(lawbook: Lawbook) -> Iterable[Rule]:
    return (rule for pack in lawbook.book.packs.values() for rule in pack.rules)
