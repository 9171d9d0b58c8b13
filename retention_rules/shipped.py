"""What is shipped with the law: packs, classes, names of events. The only module that reads the package's own data.

It is part of the program, checked against its digests when it is first needed, and the same in every process.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from importlib import resources
from typing import Any

import yaml

from retention_rules.errors import InvalidData
from retention_rules.law import Law, law_of
from retention_rules.model import ClassDefinition, Rule
from retention_rules.packs import Pack, by_code, parse_classes, parse_pack

_DIGESTS = "digests.yaml"


@functools.cache
def packs() -> Mapping[str, Pack]:
    """Every pack ever shipped, by its version.

    Raises:
        InvalidData: a pack is not what was shipped.
    """
    folder = resources.files("retention_rules") / "packs"
    digests = yaml.safe_load((folder / _DIGESTS).read_text("utf-8"))
    found = {}
    for file in sorted(folder.iterdir(), key=lambda entry: entry.name):
        if file.name.endswith(".yaml") and file.name != _DIGESTS:
            pack = parse_pack(file.read_text("utf-8"))
            if digests.get(pack.version) != pack.digest:
                raise InvalidData(
                    f"the rule pack {pack.version} is not the one that was shipped",
                    f"规则包 {pack.version} 与发布时不一致",
                )
            found[pack.version] = pack
    return found


@functools.cache
def rules() -> Mapping[str, tuple[Rule, ...]]:
    """Every version of each rule in the packs that no other supersedes, by code."""
    superseded = {pack.supersedes for pack in packs().values()}
    return by_code(pack for pack in packs().values() if pack.version not in superseded)


@functools.cache
def classes() -> tuple[ClassDefinition, ...]:
    """The classes that a new installation begins with."""
    return parse_classes((resources.files("retention_rules") / "classes.yaml").read_text("utf-8"))


@functools.cache
def law() -> Law:
    """The law of the shipped classes, for an organisation whose accounting year is the calendar's."""
    return law_of(classes(), rules(), version="shipped")


@functools.cache
def event_names() -> Mapping[str, Mapping[str, str]]:
    """What the known events are called, by event and language (zh, en)."""
    return {event["code"]: {"zh": event["zh"], "en": event["en"]} for event in _events()}


@functools.cache
def events_set_ahead() -> frozenset[str]:
    """The events whose day is laid down long before it comes, as that of a certificate; others are known afterwards."""
    return frozenset(event["code"] for event in _events() if event.get("set_ahead"))


def _events() -> list[dict[str, Any]]:
    told = yaml.safe_load((resources.files("retention_rules") / "events.yaml").read_text("utf-8"))
    events: list[dict[str, Any]] = told["events"]
    return events
