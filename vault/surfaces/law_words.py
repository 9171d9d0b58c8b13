"""The law's sentences in the reader's language."""

from __future__ import annotations

from retention_rules import shipped, words
from retention_rules.locks import FiledLock
from retention_rules.reasons import Reason
from vault.foundation.errors import N_
from vault.surfaces.i18n import Translator

CATEGORIES = {
    "YW": N_("business slips"),
    "HT": N_("contracts"),
    "YL": N_("medical care"),
    "WS": N_("documents"),
    "KJ": N_("accounts"),
}


def reason_in_words(speaker: Translator, reason: Reason) -> str:
    """One reason of a decision in the reader's language."""
    return words.say(reason, speaker.language.value, shipped.event_names())


def steps_in_words(speaker: Translator, reason: Reason) -> tuple[str, ...]:
    """The arithmetic behind a reason, step by step."""
    return tuple(words.say_step(step, speaker.language.value, shipped.event_names()) for step in reason.steps)


def trigger_in_words(speaker: Translator, reason: Reason) -> str:
    """What a reason counts from, or nothing where it counts from nothing."""
    trigger = reason.told.get("trigger")
    return words.say_trigger(trigger, speaker.language.value, shipped.event_names()) if trigger else ""


def lock_in_words(speaker: Translator, lock: FiledLock) -> str:
    """Why a filed record is locked as far as it is."""
    return words.say_lock(lock, speaker.language.value)


def period_code_in_words(speaker: Translator, code: str) -> str:
    """The code of a retention period in an archival number (DA/T 22) with what it means: `D10 · fixed term, 10 years`."""
    if code == "Y":
        meaning = speaker.gettext(N_("permanent"))
    elif code.startswith("D") and code[1:].isdigit():
        text = speaker.gettext(N_("fixed term, {period}"))
        meaning = text.format(period=words.say_period(f"P{code[1:]}Y", speaker.language.value))
    else:
        return code
    return f"{code} · {meaning}"


def category_in_words(speaker: Translator, code: str) -> str:
    """The code of a category 门类 with what it holds; one that is not known stays as it is."""
    return f"{code} · {speaker.gettext(CATEGORIES[code])}" if code in CATEGORIES else code
