"""The reference page says what is shipped."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.rules.test_shipped import CLASSES, RULES

TOLD = (Path(__file__).parents[2] / "docs/reference/retention-rules.md").read_text("utf-8")


@pytest.mark.parametrize("code", sorted(RULES))
def test_a_rule_is_told_as_it_is(code: str) -> None:
    rule = RULES[code]
    line = re.search(rf"^\| {re.escape(code)} \| .*$", TOLD, re.MULTILINE)

    assert line is not None
    cells = [cell.strip() for cell in line[0].strip("|").split("|")]
    assert cells[0] == code
    assert cells[1] == rule.name_zh
    assert cells[2].split(" to ")[0] == str(rule.period)
    assert (cells[4], cells[6], cells[7] == "yes") == (rule.trigger, rule.citation, rule.is_verified)


def test_every_further_event_is_told() -> None:
    told = set(
        re.findall(
            r"^\| ([A-Z0-9.-]+) \| ([a-z_, ]+) \| .* \|$", TOLD[TOLD.index("### Further events") :], re.MULTILINE
        )
    )
    shipped = {(rule.code, f"{e.opened}, {e.closed}") for rule in RULES.values() for e in rule.extensions}
    shipped |= {(rule.code, event) for rule in RULES.values() for event in (rule.longer_on, rule.delete_on) if event}

    assert told == shipped


def test_every_class_is_told() -> None:
    for code, definition in CLASSES.items():
        assert re.search(
            rf"^\| {code} \| {definition.name_zh} \| .*\b{definition.disposition.value}\b", TOLD, re.MULTILINE
        )


def test_nothing_is_told_that_is_not_shipped() -> None:
    section = TOLD[TOLD.index("## The shipped rules") : TOLD.index("## Numbers that slips carry")]

    assert set(re.findall(r"^\| ([A-Z][A-Z0-9.-]+) \|", section, re.MULTILINE)) == set(RULES)
