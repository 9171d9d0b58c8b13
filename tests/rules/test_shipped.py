"""What is shipped: 104 rules in packs that nobody can alter unseen, and classes that rest on them."""

from __future__ import annotations

import dataclasses
import importlib
import pkgutil
from dataclasses import replace
from datetime import date

import pytest

import retention_rules
from retention_rules import shipped
from retention_rules.decision import decide
from retention_rules.errors import InvalidData
from retention_rules.model import PERMANENT, Bound, Facts, Period, What
from retention_rules.packs import by_code, class_from, parse_pack, plain_class, plain_rule, rule_digest, rule_from

RULES = {code: versions[-1] for code, versions in shipped.rules().items()}
CLASSES = {definition.code: definition for definition in shipped.classes()}
RECEIVED = date(2026, 3, 10)


def test_there_are_104_rules_and_each_is_whole() -> None:
    assert len(RULES) == 104
    assert sum(not rule.is_verified for rule in RULES.values()) == 9
    for rule in RULES.values():
        assert rule.citation
        assert rule.name_zh
        assert rule.pack.startswith(rule.jurisdiction.lower())


@pytest.mark.parametrize("code", sorted(RULES))
def test_a_rule_survives_its_plain_form(code: str) -> None:
    assert rule_from(plain_rule(RULES[code]), RULES[code].pack) == RULES[code]


def test_a_class_survives_its_plain_form() -> None:
    for definition in CLASSES.values():
        assert class_from(plain_class(definition)) == definition


def test_every_event_that_a_rule_counts_from_has_a_name_in_both_languages() -> None:
    from retention_rules.triggers import events_in, parse_trigger

    named = shipped.event_names()
    for rule in RULES.values():
        events = {*events_in(parse_trigger(rule.trigger)), rule.longer_on, rule.delete_on} - {None}
        events |= {event for e in rule.extensions for event in (e.opened, e.closed)}
        for event in events:
            assert named[event].keys() == {"zh", "en"}, event


def test_an_altered_pack_has_another_digest() -> None:
    pack = shipped.packs()["cn-2026.11"]
    altered = replace(pack, rules=(replace(pack.rules[0], period=Period(months=12)), *pack.rules[1:]))

    assert altered.digest != pack.digest
    assert replace(pack, rules=pack.rules).digest == pack.digest


def test_what_a_confirmation_names_changes_with_what_the_rule_says_and_with_nothing_else() -> None:
    rule = RULES["CN-ACC-FIXEDASSET"]

    assert rule_digest(replace(rule, note="read again", is_verified=True, pack="cn-2027.01")) == rule_digest(rule)
    assert rule_digest(replace(rule, period=Period(months=12))) != rule_digest(rule)
    assert rule_digest(replace(rule, citation="art. 2")) != rule_digest(rule)


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"max_period": Period(months=12)}, "below its minimum"),
        ({"max_period": PERMANENT}, "never ends"),
        ({"period": PERMANENT}, "contradict: min_then_delete, permanent"),
        ({"bound": Bound.PERMANENT}, "contradict: permanent, P5Y"),
        ({"trigger": "later_of(one)"}, "not a trigger"),
        ({"ended_date": date(2000, 1, 1)}, "ends before"),
        ({"longer_on": "asked", "max_period": None}, "no longer period"),
    ],
)
def test_a_rule_that_contradicts_itself_is_refused(wrong: dict[str, object], told: str) -> None:
    with pytest.raises(InvalidData, match=told):
        replace(RULES["UK-MLR40"], **wrong)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"horizon": "permanent"}, "cannot run permanent ahead"),
        ({"horizon": "P0D"}, "cannot run P0D ahead"),
        ({"intake_lasts_days": 366}, "1 to 365"),
        ({"copies": 10}, "1 to 9 copies"),
        ({"disposition": "burn"}, "burn"),
        ({"lock": "loose"}, "full or rolling"),
        ({"own_trigger": "after_of(a, b)"}, "not a trigger"),
        ({"name_zh": None}, "name_zh"),
    ],
)
def test_a_class_that_cannot_be_is_refused_by_name(wrong: dict[str, object], told: str) -> None:
    plain = {**plain_class(CLASSES["GENERAL"]), **wrong}
    if wrong == {"name_zh": None}:
        del plain["name_zh"]

    with pytest.raises(InvalidData, match=f"class GENERAL.*{told}"):
        class_from(plain)


def test_two_rules_of_one_name_are_refused() -> None:
    pack = shipped.packs()["cn-2026.11"]

    with pytest.raises(InvalidData, match="two packs have a rule called"):
        by_code([pack, pack])


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("- 1", "has the fields"),
        ("pack: x\nrules: []\njurisdiction: CN", "no field published"),
        ("{", "not YAML"),
        ("pack: x\njurisdiction: CN\npublished: '2026-11-01'\nrules: [{code: A, colour: red}]", "rule A has unknown"),
        ("pack: x\njurisdiction: CN\npublished: '2026-11-01'\nrules: [{code: A}]", "rule A has no field"),
    ],
)
def test_a_text_that_is_no_pack_is_refused(text: str, told: str) -> None:
    with pytest.raises(InvalidData, match=told):
        parse_pack(text)


# class | events | decision on 2027-01-01 | retain until
BY_CLASS = [
    ("GENERAL", "slip_closed", What.KEEP, "2031-03-09"),
    ("GENERAL", "", What.KEEP, None),
    ("ACCOUNT-OPENING", "slip_closed", What.KEEP, None),
    ("ACCOUNT-OPENING", "account_closed relationship_ended", What.KEEP, "2036-03-09"),
    ("REMITTANCE", "slip_closed transaction_completed", What.KEEP, "2056-12-31"),
    ("LOSS-REPORT", "relationship_ended", What.KEEP, "2036-03-10"),
    ("LICENCE", "slip_closed", What.KEEP, "2056-12-31"),
    ("COMPLAINT", "slip_closed", What.KEEP, "2036-03-10"),
    ("HOUSING-FUND", "slip_closed", What.KEEP, "2056-12-31"),
    ("SOCIAL-INSURANCE", "slip_closed", What.KEEP, "2126-12-31"),
    ("MEDICAL-OUTPATIENT", "last_visit", What.KEEP, "2041-03-09"),
    ("REAL-ESTATE", "", What.PERMANENT, None),
    ("CONTRACT", "contract_terminated", What.KEEP, "2036-03-10"),
    ("ATTACHMENT", "slip_closed", What.KEEP, "2036-03-10"),
]


@pytest.mark.clause("V3")
@pytest.mark.parametrize(("code", "happened", "what", "until"), BY_CLASS)
def test_what_the_law_says_of_each_shipped_class(code: str, happened: str, what: What, until: str | None) -> None:
    facts = Facts(code, RECEIVED, dict.fromkeys(happened.split(), date(2026, 3, 9)))

    decision = decide(facts, shipped.law(), date(2027, 1, 1))

    assert (decision.what, str(decision.retain_until)) == (what, str(until))


def test_every_shipped_class_is_in_the_table() -> None:
    assert {row[0] for row in BY_CLASS} == set(CLASSES)


def test_the_words_of_the_law_are_values() -> None:
    found = [
        value
        for module in pkgutil.iter_modules(retention_rules.__path__)
        if module.name != "__main__"
        for value in vars(importlib.import_module(f"retention_rules.{module.name}")).values()
        if isinstance(value, type) and dataclasses.is_dataclass(value)
    ]

    assert len(found) > 30
    assert [value.__name__ for value in found if not value.__dataclass_params__.frozen] == []
