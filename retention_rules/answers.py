"""A decision as plain values for JSON: what `python -m retention_rules decide` prints, and what the service's answers hold.

The fields are told in docs/formats/retention-facts.md.
"""

from __future__ import annotations

from datetime import date
from typing import Any

from retention_rules import words
from retention_rules.aggregates import Together
from retention_rules.decision import Decision
from retention_rules.reasons import Reason, Step
from retention_rules.words import Names


def answer(decision: Decision, language: str, names: Names) -> dict[str, Any]:
    """A decision with its reasons, told in `language`."""
    lock = decision.lock
    return {
        "decision": decision.what.value,
        "text": words.say_what(decision.what, language),
        "on": decision.on.isoformat(),
        "class": decision.facts.class_code,
        "schedule": decision.law.version,
        "state": decision.state.value,
        "retain_until": _iso(decision.retain_until),
        "at_least_until": _iso(decision.at_least_until),
        "delete_by": _iso(decision.delete_by),
        "lock_until": _iso(decision.lock_until),
        "lock": None
        if lock is None
        else {"mode": lock.mode.value, "is_rolling": lock.is_rolling, "text": words.say_lock(lock, language)},
        "next_date": _iso(decision.next_date),
        "is_held": decision.is_held,
        "is_restricted": decision.is_restricted,
        "unconfirmed_rules": list(decision.unconfirmed_rules),
        "reasons": [_reason(reason, language, names) for reason in decision.reasons],
    }


def answer_together(together: Together, language: str, names: Names) -> dict[str, Any]:
    """What must happen to a volume, with the reasons of the member that decides, and each member in short."""
    rest = together.without(*together.in_the_way) if together.in_the_way else None
    return {
        "decision": together.what.value,
        "text": words.say_what(together.what, language),
        "on": together.on.isoformat(),
        "state": together.state.value,
        "retain_until": _iso(together.retain_until),
        "lock_until": _iso(together.lock_until),
        "next_date": _iso(together.next_date),
        "decided_by": together.deciding.id,
        "reasons": [_reason(reason, language, names) for reason in together.deciding.decision.reasons],
        "in_the_way": list(together.in_the_way),
        "without_them": None
        if rest is None
        else {
            "decision": rest.what.value,
            "retain_until": _iso(rest.retain_until),
            "next_date": _iso(rest.next_date),
        },
        "members": [
            {
                "id": member.id,
                "decision": member.decision.what.value,
                "retain_until": _iso(member.decision.retain_until),
                "delete_by": _iso(member.decision.delete_by),
            }
            for member in together.members
        ],
    }


def _reason(reason: Reason, language: str, names: Names) -> dict[str, Any]:
    return {
        "rule": reason.rule,
        "citation": reason.citation,
        "text": words.say(reason, language, names),
        "kind": reason.kind.value,
        "version": reason.version,
        "is_binding": reason.is_binding,
        "is_verified": reason.is_verified,
        "confirmed_source": reason.confirmed_source or None,
        "retain_until": _iso(reason.retain_until),
        "delete_by": _iso(reason.delete_by),
        "steps": [_step(step, language, names) for step in reason.steps],
    }


def _step(step: Step, language: str, names: Names) -> dict[str, Any]:
    return {
        "text": words.say_step(step, language, names),
        "kind": step.kind.value,
        "day": _iso(step.day),
        **step.told,
    }


def _iso(day: date | None) -> str | None:
    return None if day is None else day.isoformat()
