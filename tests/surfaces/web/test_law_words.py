"""Every sentence of the law is marked for translation, word for word."""

from __future__ import annotations

from retention_rules import decision, locks
from vault.surfaces.i18n import Language, translator
from vault.surfaces.law_words import SENTENCES, period_in_words


def test_every_sentence_of_the_law_is_marked() -> None:
    told = {value for module in (decision, locks) for name, value in vars(module).items() if name.startswith("TEXT_")}
    assert told == set(SENTENCES)


def test_periods_are_said_in_words() -> None:
    assert period_in_words(translator(Language.ZH), "P10Y") == "10 年"
    assert period_in_words(translator(Language.EN), "P1Y") == "1 year"
    assert period_in_words(translator(Language.EN), "permanent") == "permanent"
