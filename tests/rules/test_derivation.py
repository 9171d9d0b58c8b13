"""A decision read aloud: the page that shows it is what the law says, and every kind of reason can be said."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path

import pytest

from retention_rules import shipped, words
from retention_rules.decision import decide
from retention_rules.derivation import derivation
from retention_rules.locks import LockKind
from retention_rules.reasons import Kind, StepKind
from tests.rules.cases import Row, asked

PAGE = Path(__file__).parents[2] / "docs/reference/decisions-read-aloud.md"

# what it shows | rules | events | settings | asked on
SHOWN = [
    ("会计凭证", "A voucher", "CN-ACC-VOUCHER CN-AML-TXN CN-LIMIT-3Y", "document_created 2026-03-09, transaction_completed 2026-03-09", "", "2040-06-01"),
    ("尚未销户的账户资料", "An account that is still open", "CN-BANK-ACCOUNT-FILE CN-AML-CDD", "", "lock rolling P1Y", "2027-01-01"),
    ("到期的涉税资料，闰日形成", "Tax material of a leap day, due", "CN-TAX-RECORDS", "document_created 2024-02-29", "disposition review", "2034-03-01"),
    ("不良信用信息，反洗钱期限未满", "Credit data past its maximum, still under a minimum", "CN-CREDIT-NEG CN-AML-TXN", "transaction_completed 2026-03-10, adverse_event_ended 2026-03-10", "", "2033-01-01"),
    ("两个法域相互冲突", "Two legal orders against each other", "EU-GDPR-STORAGE CN-AML-TXN", "purpose_met 2026-06-30, transaction_completed 2026-03-10", "", "2026-07-01"),
    ("法律要求删除，本单位要求保存", "The law wants it gone, the house wants to keep it", "CN-CREDIT-NEG", "adverse_event_ended 2026-03-10", "own P10Y", "2031-03-11"),
    ("出处未核实的规则期满", "A rule that nobody has confirmed has run out", "CN-ACC-FIXEDASSET", "asset_scrapped_cleared 2026-03-10", "", "2031-03-11"),
    ("出处经核实后到期", "The same rule once confirmed", "CN-ACC-FIXEDASSET", "asset_scrapped_cleared 2026-03-10", "confirmed", "2031-03-11"),
    ("到期后仍被冻结", "Due, and held", "CN-AML-TXN", "transaction_completed 2026-03-10", "review hold 2030-17 2041-01-01; locked 2036-03-10", "2040-01-01"),
    ("未结清债务的凭证", "A voucher with an unsettled debt", "CN-ACC-VOUCHER", "document_created 1990-05-01, matter_unsettled 2015-01-01", "", "2026-03-10"),
    ("工程用工台账，两者皆备", "A labour ledger that counts from two events", "CN-WAGE-PROJECT", "project_completed 2026-03-10, wages_settled 2026-08-31", "", "2027-01-01"),
    ("客户只办一笔业务，业务关系不会存在", "A passing customer", "HK-AMLO EU-AMLR-77", "transaction_completed 2026-03-10", "never relationship_ended", "2027-01-01"),
    ("不动产登记簿", "The real-estate register", "CN-REALESTATE", "record_created 2026-03-10", "lock rolling P10Y", "2027-01-01"),
    ("没有规则，按工作日的本单位期限", "No rule, and an own period in working days", "", "slip_closed 2026-09-28", "own P5D from slip_closed; own calendar working_days; holidays 2026; extended 2032-01-01", "2027-01-01"),
    ("保险录音，纠纷已终结", "An insurance recording after a dispute", "CN-INS-AV-SHORT", "contract_terminated 2020-06-30, dispute_opened 2024-01-01, dispute_ended 2025-05-01", "", "2026-03-10"),
]  # fmt: skip
_HEAD = """# Decisions read aloud

What the law says of records of many kinds, as the service and `python -m retention_rules` tell it. Every number comes from a
citation or an event. This page is written by the law itself (`tests/rules/test_derivation.py`).
"""


def page() -> str:
    """The page as the law would write it."""
    parts = [_HEAD]
    for number, (zh, en, rules, events, settings, on) in enumerate(SHOWN, start=1):
        row = Row("shown", number, zh, rules, events, settings, on, "", "", "", "")
        facts, law = asked(row)
        decision = decide(facts, law, date.fromisoformat(on))
        told = ("\n".join(derivation(decision, language, shipped.event_names())) for language in words.LANGUAGES)
        parts.append(f"## {number} {zh} · {en}\n\n" + "\n\n".join(f"```text\n{text}\n```" for text in told) + "\n")
    return "\n".join(parts)


def test_the_page_says_what_the_law_says() -> None:
    assert PAGE.read_text("utf-8") == page()


def test_every_kind_of_reason_lock_and_step_has_its_sentence_with_the_same_holes_in_both_languages() -> None:
    for sentences, kinds in ((words.REASONS, Kind), (words.STEPS, StepKind), (words.LOCKS, LockKind)):
        assert set(sentences) == set(kinds)  # type: ignore[call-overload]
        for zh, en in [*sentences.values(), *words.AT_ONCE.values()]:  # type: ignore[attr-defined]
            assert sorted(re.findall(r"\{\w+\}", zh)) == sorted(re.findall(r"\{\w+\}", en))


@pytest.mark.parametrize(
    ("period", "zh", "en"),
    [
        ("P10Y", "10 年", "10 years"),
        ("P1Y6M", "1 年 6 个月", "1 year 6 months"),
        ("P30D", "30 天", "30 days"),
        ("P1D", "1 天", "1 day"),
        ("P0D", "0 天", "0 days"),
        ("permanent", "永久", "for ever"),
    ],
)
def test_a_period_is_said(period: str, zh: str, en: str) -> None:
    assert (words.say_period(period, "zh"), words.say_period(period, "en")) == (zh, en)


def test_a_trigger_is_said_with_the_names_that_the_organisation_gave() -> None:
    names = {**shipped.event_names(), "loan_repaid": {"zh": "贷款结清", "en": "loan repaid"}}
    trigger = "later_of(loan_repaid, all_of(account_closed, nameless))"

    assert words.say_trigger(trigger, "zh", names) == "贷款结清、账户销户、nameless均已发生中较晚者"
    assert words.say_trigger(trigger, "en", names) == "the later of loan repaid, all of account closed, nameless"


# what happened | what stands of the next day
NEXT = [
    ("CN-AML-TXN", "transaction_completed 2026-03-10", "", "2030-01-01", "2036-03-11"),
    ("CN-AML-TXN", "transaction_completed 2026-03-10", "", "2036-03-11", None),
    ("CN-AML-TXN", "", "", "2030-01-01", None),
    ("CN-AML-TXN", "transaction_completed 2026-03-10", "review hold 1 2031-05-01", "2030-01-01", "2031-05-01"),
    ("CN-AML-TXN", "transaction_completed 2026-03-10", "review hold 1 2031-05-01", "2031-05-01", "2036-03-11"),
    ("CN-NET-LOG EU-AMLR-77", "record_created 2026-03-10", "", "2026-12-01", "2027-07-10"),
    ("CN-CREDIT-NEG CN-AML-TXN", "transaction_completed 2026-03-10, adverse_event_ended 2026-03-10", "", "2030-01-01", "2031-03-11"),
    ("CN-CREDIT-NEG CN-AML-TXN", "transaction_completed 2026-03-10, adverse_event_ended 2026-03-10", "own P20Y", "2032-01-01", "2036-03-11"),
    ("CN-CREDIT-NEG CN-AML-TXN", "transaction_completed 2026-03-10, adverse_event_ended 2026-03-10", "own P20Y", "2040-01-01", "2046-03-11"),
    ("CN-CREDIT-NEG", "adverse_event_ended 2026-03-10", "own P20Y; locked 2035-01-01", "2032-01-01", "2035-01-02"),
    ("CN-CREDIT-NEG CN-REALESTATE", "adverse_event_ended 2026-03-10", "", "2030-01-01", "2031-03-11"),
    ("CN-REALESTATE", "", "", "2030-01-01", None),
    ("CN-AML-CDD", "", "locked 2031-01-01", "2030-01-01", None),
]  # fmt: skip


@pytest.mark.parametrize(("rules", "events", "settings", "on", "next_date"), NEXT)
def test_the_day_of_the_next_decision(rules: str, events: str, settings: str, on: str, next_date: str | None) -> None:
    facts, law = asked(Row("next", 0, "", rules, events, settings, on, "", "", "", ""))

    told = decide(facts, law, date.fromisoformat(on)).next_date

    assert told == (date.fromisoformat(next_date) if next_date else None)
