"""The law speaks both languages."""

from __future__ import annotations

from datetime import date

from retention_rules import shipped
from retention_rules.decision import decide
from retention_rules.model import Facts
from vault.surfaces.i18n import Language, translator
from vault.surfaces.law_words import reason_in_words


def test_a_reason_is_told_in_the_readers_language() -> None:
    facts = Facts("GENERAL", date(2026, 3, 10), {"slip_closed": date(2026, 3, 9)})
    reason = decide(facts, shipped.law(), date(2027, 1, 1)).winning

    assert reason_in_words(translator(Language.ZH), reason) == "依法自“业务办结”起至少保存 5 年，至 2031-03-09 止。"
    assert (
        reason_in_words(translator(Language.EN), reason)
        == "By law kept at least 5 years from “slip closed”: to 2031-03-09."
    )
