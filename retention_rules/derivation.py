"""A decision read aloud: what must happen, why, and every number with its source, in plain Chinese or English."""

from __future__ import annotations

from collections.abc import Iterator

from retention_rules import words
from retention_rules.decision import Decision
from retention_rules.model import What
from retention_rules.reasons import Reason
from retention_rules.words import Names


def derivation(decision: Decision, language: str, names: Names) -> tuple[str, ...]:
    """The decision line by line: the conclusion, then each reason with its source and arithmetic, then lock and next day.

    Lines are plain text; arithmetic is set in by two blanks.
    """
    return tuple(_lines(decision, language, names))


def _lines(decision: Decision, language: str, names: Names) -> Iterator[str]:
    say = _SAID[language]
    yield say["conclusion"].format(on=decision.on, what=words.say_what(decision.what, language))
    if decision.retain_until is not None:
        yield say["until"].format(day=decision.retain_until)
    elif decision.at_least_until is not None:
        yield say["at_least"].format(day=decision.at_least_until)
    if decision.law.version:
        yield say["schedule"].format(version=decision.law.version, code=decision.facts.class_code)
    for place, reason in enumerate(decision.reasons, start=1):
        yield f"{place}. {words.say(reason, language, names)}{_source(reason, language)}"
        yield from (f"  {words.say_step(step, language, names)}" for step in reason.steps)
    if decision.what in _DUE:
        yield say["due"]
    if decision.lock is not None:
        yield words.say_lock(decision.lock, language)
    yield say["never"] if decision.next_date is None else say["next"].format(day=decision.next_date)


def _source(reason: Reason, language: str) -> str:
    """Where a reason comes from, and whether somebody has seen it."""
    say = _SAID[language]
    parts = [part for part in (reason.rule, reason.citation, reason.version) if part]
    if reason.confirmed_source:
        parts.append(say["confirmed"].format(source=reason.confirmed_source))
    elif not reason.is_verified:
        parts.append(say["unverified"])
    opened, closed, comma = ("〔", "〕", "；") if language == "zh" else (" [", "]", "; ")
    return f"{opened}{comma.join(dict.fromkeys(parts))}{closed}"


_DUE = frozenset({What.DESTROY, What.REVIEW, What.TRANSFER})
_SAID = {
    "zh": {
        "conclusion": "{on} 的结论：{what}。",
        "until": "保存至 {day} 止。",
        "at_least": "届满日尚不能确定，至少保存至 {day}。",
        "schedule": "依据保管期限表 {version} 类别 {code}。",
        "due": "处置前须经鉴定和批准。",
        "next": "下一次决定：{day}。",
        "never": "没有新的事实，结论不变。",
        "unverified": "出处未核实",
        "confirmed": "出处已核实：{source}",
    },
    "en": {
        "conclusion": "On {on}: {what}.",
        "until": "Kept to the end of {day}.",
        "at_least": "Its end cannot be told yet; kept at least to {day}.",
        "schedule": "By schedule {version}, class {code}.",
        "due": "Nothing is done before it has been appraised and approved.",
        "next": "Decided again on {day}.",
        "never": "Only a new fact can change this.",
        "unverified": "source not confirmed",
        "confirmed": "source confirmed: {source}",
    },
}
