"""Golden decisions as rows that an archivist can read, and how a row becomes facts and law.

A row says: the rules that bind the class, what happened and when, what else is known (`settings`), the day asked; and
then what must happen, the last day to keep it, the last day on which it may be kept, and the rule that decides.
Settings are parted by `;`: own P10Y, own P10Y from EVENT, disposition destroy, held MATTER, locked DATE, extended
DATE, never EVENT, fiscal year ends 06-30, confirmed, lock rolling P1Y, review hold DATE, holidays 2026.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

from retention_rules import shipped
from retention_rules.law import Law, law_of
from retention_rules.model import (
    Calendar,
    ClassDefinition,
    Confirmation,
    Disposition,
    Facts,
    FiscalYear,
    Hold,
    LockPolicy,
    Organisation,
    Rule,
    WorkingDays,
)
from retention_rules.packs import rule_digest
from retention_rules.periods import parse_period

RECEIVED = date(2026, 3, 10)
GOLDEN = Path(__file__).parent / "golden"
# Holidays as an organisation enters them: Mid-Autumn, National Day, and two weekend days worked instead.
AUTUMN_2026 = WorkingDays(
    holidays=frozenset(
        {*(date(2026, 9, day) for day in (25, 26, 27)), *(date(2026, 10, day) for day in range(1, 8))}
    ),
    workdays=frozenset({date(2026, 9, 20), date(2026, 10, 10)}),
    years=frozenset({2026}),
)


@dataclass(frozen=True)
class Row:
    """One line of a table."""

    file: str
    line: int
    story: str
    rules: str
    events: str
    settings: str
    asked_on: str
    decision: str
    keep_until: str
    delete_by: str
    decided_by: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"


def rows() -> list[Row]:
    """Every golden decision."""
    found = []
    for file in sorted(GOLDEN.glob("*.csv")):
        with file.open(encoding="utf-8", newline="") as text:
            found += [Row(file.name, place, **row) for place, row in enumerate(csv.DictReader(text), start=2)]
    return found


def days(text: str) -> dict[str, date]:
    """`account_closed 2026-03-09, wages_settled 2026-04-01` as events."""
    parted = [part.split() for part in text.split(",") if part.strip()]
    return {name: date.fromisoformat(day) for name, day in parted}


def rules_called(codes: str) -> dict[str, tuple[Rule, ...]]:
    """Shipped rules by code."""
    return {code: shipped.rules()[code] for code in codes.split()}


def asked(row: Row) -> tuple[Facts, Law]:
    """The facts and the law of a row."""
    rules = rules_called(row.rules)
    definition = ClassDefinition(
        "A", "甲类", "Class A", "YW", "D10", rule_codes=tuple(rules), disposition=Disposition.DESTROY
    )
    facts, organisation, confirmed = Facts("A", RECEIVED, days(row.events)), Organisation(), False
    for setting in (part.split() for part in row.settings.split(";") if part.strip()):
        match setting:
            case ["own", period]:
                definition = replace(definition, own_period=parse_period(period))
            case ["own", period, "from", event]:
                definition = replace(definition, own_period=parse_period(period), own_trigger=event)
            case ["own", "calendar", calendar]:
                definition = replace(definition, own_calendar=Calendar(calendar))
            case ["disposition", disposition]:
                definition = replace(definition, disposition=Disposition(disposition))
            case ["lock", "rolling", horizon]:
                definition = replace(definition, lock=LockPolicy(is_rolling=True, horizon=parse_period(horizon)))
            case ["held", matter]:
                facts = replace(facts, holds=(*facts.holds, Hold(matter)))
            case ["review", "hold", matter, day]:
                facts = replace(facts, holds=(*facts.holds, Hold(matter, review_date=date.fromisoformat(day))))
            case ["locked", day]:
                facts = replace(facts, locked_until=date.fromisoformat(day))
            case ["extended", day]:
                facts = replace(facts, extended_until=date.fromisoformat(day))
            case ["never", event]:
                facts = replace(facts, never=facts.never | {event})
            case ["fiscal", "year", "ends", day]:
                month, last = (int(part) for part in day.split("-"))
                organisation = replace(organisation, fiscal_year=FiscalYear(month, last))
            case ["holidays", "2026"]:
                organisation = replace(organisation, working_days=AUTUMN_2026)
            case ["unknown", "class"]:
                facts = replace(facts, class_code="GONE")
            case ["confirmed"]:
                confirmed = True
            case _:
                raise AssertionError(f"{row}: {setting}")
    confirmations = [
        Confirmation(rule.code, rule_digest(rule), "admin", "official text", RECEIVED)
        for versions in rules.values()
        for rule in versions
        if confirmed and not rule.is_verified
    ]
    return facts, law_of([definition], rules, organisation, confirmations)
