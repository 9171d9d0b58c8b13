"""The law's sentences in the reader's language."""

from __future__ import annotations

from retention_rules import shipped, words
from retention_rules.reasons import Reason
from vault.surfaces.i18n import Translator


def reason_in_words(speaker: Translator, reason: Reason) -> str:
    """One reason of a decision in the reader's language."""
    return words.say(reason, speaker.language.value, shipped.event_names())
