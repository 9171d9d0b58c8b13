"""Packs, class files and schedule files that strangers send: refused in words, and never dearer than they are long."""

from __future__ import annotations

import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retention_rules.errors import InvalidData
from retention_rules.packs import parse_classes, parse_pack
from retention_rules.plain_yaml import CHARACTERS_MAX
from retention_rules.problems import InvalidFile
from retention_rules.schedule_files import schedule_from_yaml

HEAD = "pack: a-1\njurisdiction: CN\npublished: 2026-01-01\n"
RULE = (
    "{code: A, name_zh: 甲, name_en: A, jurisdiction: CN, sector: x, min_period: P5Y, bound: min,"
    " trigger_event: slip_closed, calendar_rule: exact_date, citation: c, effective_date: null, verified: true}"
)
LAUGHS = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 9)
)
HOSTILE = {
    "aliases": LAUGHS + HEAD + "rules: [*a8]\n",
    "one alias": HEAD + "rules: &r\n- " + RULE + "\nmore: *r\n",
    "deep": "[" * 5000,
    "deep and closed": HEAD + "rules: " + "[" * 500 + "]" * 500,
    "deep mappings": HEAD + "rules: " + "{a: " * 5000,
    "long": HEAD + "rules: []\n#" + "x" * CHARACTERS_MAX,
    "no day": HEAD.replace("2026-01-01", "soon") + "rules: []",
    "a day that no calendar has": HEAD.replace("2026-01-01", "2026-13-45") + "rules: []",
    "no published": HEAD.replace("2026-01-01", "") + "rules: []",
    "a day and more": HEAD.replace("2026-01-01", "2026-01-01 10:00:00") + "rules: []",
    "rules that are numbers": HEAD + "rules: [1]",
    "rules that are texts": HEAD + "rules: [a]",
    "rules that are lists": HEAD + "rules: [[a]]",
    "fields that are no names": HEAD + "rules: [{1: a, b: c}]",
    "a version that is a list": HEAD.replace("a-1", "[a]") + "rules: []",
    "a version that is a number": HEAD.replace("a-1", "7") + "rules: []",
    "supersedes a list": HEAD + "supersedes: [a]\nrules: []",
    "verified in words": HEAD + "rules: [" + RULE.replace("verified: true", "verified: 'no'") + "]",
    "a period without end": HEAD + "rules: [" + RULE.replace("P5Y", "P" + "9" * 5000 + "Y") + "]",
    "half a character": HEAD + "rules: [" + RULE.replace("甲", '"\\ud800"') + "]",
    "a null byte": HEAD.replace("a-1", '"a\\0"') + "rules: []",
    "a number of many digits": HEAD + "rules: []\nmore: " + "9" * 5000,
    "a key that is a list": HEAD + "rules: []\n? [a]\n: b\n",
    "extensions that are texts": HEAD + "rules: [" + RULE.replace("sector: x", "sector: x, extensions: [a]") + "]",
    "tags": HEAD + "rules: !!python/object/apply:os.system [a]",
    "nothing": "",
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_pack_is_refused_in_words(name: str) -> None:
    with pytest.raises(InvalidData) as refused:
        parse_pack(HOSTILE[name])
    assert len(str(refused.value)) < 400
    assert refused.value.chinese


def test_the_pack_that_they_are_made_of_is_one() -> None:
    assert [rule.code for rule in parse_pack(HEAD + "rules: [" + RULE + "]").rules] == ["A"]


@pytest.mark.parametrize("name", ["aliases", "deep", "deep and closed", "deep mappings", "a number of many digits"])
def test_the_same_in_class_and_schedule_files(name: str) -> None:
    with pytest.raises(InvalidData):
        parse_classes(HOSTILE[name])
    with pytest.raises(InvalidFile):
        schedule_from_yaml(HOSTILE[name], (), ())


@pytest.mark.parametrize("rows", ["[1]", "[a]", "[[a]]", "{a: b}"])
def test_classes_that_are_none(rows: str) -> None:
    with pytest.raises(InvalidData):
        parse_classes(f"classes: {rows}")


_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9) | st.dates().map(str),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner, max_size=3),
    max_leaves=6,
)


@given(st.sampled_from([part.split(":")[0].strip() for part in RULE.strip("{}").split(",")]), _VALUES)
def test_whatever_stands_in_a_field_is_read_or_refused(field: str, value: object) -> None:
    rule = RULE.replace(f"{field}: ", f"old_{field}: ", 1)
    told = json.dumps(value)
    text = HEAD + "rules: [" + rule.replace(f"old_{field}: ", f"{field}: {told}, old: ", 1) + "]"
    with contextlib.suppress(InvalidData):
        parse_pack(text.replace(", old: ", ", note: ")).canonical()
