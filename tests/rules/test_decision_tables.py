"""Decision tables: each row is a record an archivist can picture, the day asked, and what the law says of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from importlib import resources

import pytest

from retention_rules import decision as law
from retention_rules.decision import decide
from retention_rules.model import Bound, Calendar, Facts, FiscalYear, Period, Rule, State
from retention_rules.packs import by_code, class_from, parse_classes, parse_pack
from retention_rules.periods import parse_period

PACKAGE = resources.files("retention_rules")
RULES = by_code(
    parse_pack(file.read_text("utf-8")) for file in sorted((PACKAGE / "packs").iterdir(), key=lambda f: f.name)
)
CLASSES = {definition.code: definition for definition in parse_classes((PACKAGE / "classes.yaml").read_text("utf-8"))}
RECEIVED = date(2026, 3, 10)


def day(text: str) -> date:
    return date.fromisoformat(text)


def events(text: str) -> dict[str, date]:
    return {name: day(at) for name, _, at in (part.partition("=") for part in text.split())}


def facts_of(rules: str, happened: str, own: str = "", fiscal_year: FiscalYear | None = None) -> Facts:
    return Facts(
        class_code="A",
        rules=tuple(RULES[code] for code in rules.split()),
        received_date=RECEIVED,
        events=events(happened),
        own_period=parse_period(own) if own else None,
        fiscal_year=fiscal_year or FiscalYear(),
    )


# rules | events | own period | asked on | state | retain until | wins
TABLE = [
    # Nothing known: at least five years from receipt (C6.1).
    ("", "", "", "2026-03-10", "running", "2031-03-10", "C6.1"),
    ("", "", "", "2031-03-10", "running", "2031-03-10", "C6.1"),
    ("", "", "", "2031-03-11", "due", "2031-03-10", "C6.1"),
    ("", "", "P1Y", "2028-01-01", "running", "2031-03-10", "C6.1"),
    ("", "", "P10Y", "2032-01-01", "running", "2036-03-10", "OWN"),
    ("", "", "permanent", "2099-01-01", "permanent", None, "OWN"),
    # Advice and maxima bind nobody to keep: five years still hold.
    ("CN-LIMIT-3Y", "right_infringement_known=2026-03-10", "", "2030-01-01", "running", "2031-03-10", "C6.1"),
    ("CN-CREDIT-NEG", "adverse_event_ended=2020-01-01", "", "2026-03-10", "running", "2031-03-10", "C6.1"),
    # One rule, exact day.
    ("DEFAULT-5Y", "", "", "2026-03-10", "open", None, "DEFAULT-5Y"),
    ("DEFAULT-5Y", "slip_closed=2026-03-09", "", "2031-03-09", "running", "2031-03-09", "DEFAULT-5Y"),
    ("DEFAULT-5Y", "slip_closed=2026-03-09", "", "2031-03-10", "due", "2031-03-09", "DEFAULT-5Y"),
    ("CN-BANK-ACCOUNT-FILE", "", "", "2050-01-01", "open", None, "CN-BANK-ACCOUNT-FILE"),
    ("CN-BANK-ACCOUNT-FILE", "account_closed=2040-06-30", "", "2050-06-30", "running", "2050-06-30", "CN-BANK-ACCOUNT-FILE"),
    ("CN-VIDEO-PUBLIC", "record_created=2026-03-10", "", "2026-04-09", "running", "2026-04-09", "CN-VIDEO-PUBLIC"),
    ("CN-VIDEO-PUBLIC", "record_created=2026-03-10", "", "2026-04-10", "due", "2026-04-09", "CN-VIDEO-PUBLIC"),
    ("CN-NET-LOG", "record_created=2026-08-31", "", "2026-12-01", "running", "2027-02-28", "CN-NET-LOG"),
    # Leap days: no day of the next month is ever used.
    ("CN-TAX-RECORDS", "document_created=2024-02-29", "", "2034-02-28", "running", "2034-02-28", "CN-TAX-RECORDS"),
    ("CN-TAX-RECORDS", "document_created=2024-02-29", "", "2034-03-01", "due", "2034-02-28", "CN-TAX-RECORDS"),
    ("CN-MED-RX", "prescription_date=2023-02-28", "", "2024-02-29", "due", "2024-02-28", "CN-MED-RX"),
    # From the first day after the accounting year, which counts: 30 whole years.
    ("CN-ACC-VOUCHER", "fiscal_year_end=2026-12-31", "", "2056-12-31", "running", "2056-12-31", "CN-ACC-VOUCHER"),
    ("CN-ACC-VOUCHER", "fiscal_year_end=2026-12-31", "", "2057-01-01", "due", "2056-12-31", "CN-ACC-VOUCHER"),
    ("CN-ACC-VOUCHER", "fiscal_year_end=2026-03-10", "", "2030-01-01", "running", "2056-12-31", "CN-ACC-VOUCHER"),
    ("CN-ACC-VOUCHER", "document_created=2026-03-10", "", "2030-01-01", "running", "2056-12-31", "CN-ACC-VOUCHER"),
    ("CN-ACC-VOUCHER", "", "", "2030-01-01", "open", None, "CN-ACC-VOUCHER"),
    # From 1 January of the following year.
    ("CN-SOCIAL-10", "record_year=2026-05-01", "", "2030-01-01", "running", "2036-12-31", "CN-SOCIAL-10"),
    ("CN-SOCIAL-10", "record_created=2026-12-31", "", "2037-01-01", "due", "2036-12-31", "CN-SOCIAL-10"),
    ("CN-SOCIAL-100", "record_created=2026-12-31", "", "2100-01-01", "running", "2126-12-31", "CN-SOCIAL-100"),
    # From the end of the calendar year (Germany).
    ("DE-BELEG", "record_year=2026-02-03", "", "2034-12-31", "running", "2034-12-31", "DE-BELEG"),
    ("DE-BELEG", "record_year=2026-02-03", "", "2035-01-01", "due", "2034-12-31", "DE-BELEG"),
    # Several rules: the longest binding minimum wins, an open one leaves the end open, permanent beats all.
    ("CN-ACC-VOUCHER CN-AML-TXN", "document_created=2026-03-10 transaction_completed=2026-03-10", "", "2030-01-01",
     "running", "2056-12-31", "CN-ACC-VOUCHER"),
    ("CN-ACC-VOUCHER CN-AML-TXN", "document_created=2026-03-10", "", "2060-01-01", "open", None, "CN-AML-TXN"),
    ("CN-AML-CDD", "relationship_ended=2026-03-10", "P20Y", "2030-01-01", "running", "2046-03-10", "OWN"),
    ("CN-AML-CDD", "relationship_ended=2036-03-10", "P10Y", "2037-01-01", "running", "2046-03-10", "CN-AML-CDD"),
    ("CN-REALESTATE CN-AML-CDD", "", "", "2126-01-01", "permanent", None, "CN-REALESTATE"),
    ("CN-CREDIT-NEG CN-AML-TXN", "transaction_completed=2026-03-10 adverse_event_ended=2026-03-10", "", "2033-01-01",
     "running", "2036-03-10", "CN-AML-TXN"),
    # The later of two events.
    ("HK-AMLO", "relationship_ended=2026-03-10", "", "2030-01-01", "open", None, "HK-AMLO"),
    ("HK-AMLO", "relationship_ended=2026-03-10 transaction_completed=2027-03-10", "", "2030-01-01", "running",
     "2032-03-10", "HK-AMLO"),
    ("HK-AMLO", "relationship_or_transaction_end=2026-03-10", "", "2031-03-11", "due", "2031-03-10", "HK-AMLO"),
    ("US-HIPAA-164.316", "record_created=2026-03-10 last_in_effect=2030-03-10", "", "2031-01-01", "running", "2036-03-10",
     "US-HIPAA-164.316"),
    ("CN-WAGE-PROJECT", "project_completed=2026-03-10 wages_settled=2026-09-10", "", "2027-01-01", "running",
     "2029-09-10", "CN-WAGE-PROJECT"),
    # Not yet in force: five years hold until it is.
    ("EU-AMLR-77", "relationship_or_transaction_end=2026-03-10", "", "2027-07-09", "running", "2031-03-10", "C6.1"),
    ("EU-AMLR-77", "relationship_or_transaction_end=2026-03-10", "", "2027-07-10", "running", "2031-03-10", "EU-AMLR-77"),
]  # fmt: skip


@pytest.mark.clause("C6.1")
@pytest.mark.clause("C8.1")
@pytest.mark.parametrize(("rules", "happened", "own", "on", "state", "until", "wins"), TABLE)
def test_what_the_law_says(
    rules: str, happened: str, own: str, on: str, state: str, until: str | None, wins: str
) -> None:
    decision = decide(facts_of(rules, happened, own), day(on))

    assert (decision.state, decision.retain_until, decision.winning.rule_code) == (
        State(state),
        day(until) if until else None,
        wins,
    )


@pytest.mark.parametrize(
    ("month", "last", "made", "until"),
    [
        (3, 31, "2026-03-31", "2056-03-31"),
        (3, 31, "2026-04-01", "2057-03-31"),
        (6, 30, "2026-12-31", "2057-06-30"),
        (2, 29, "2025-02-28", "2055-02-28"),  # the last day of February, whatever it is
        (2, 29, "2024-02-29", "2054-02-28"),
    ],
)
def test_the_accounting_year_is_the_organisations_own(month: int, last: int, made: str, until: str) -> None:
    facts = facts_of("CN-ACC-VOUCHER", f"document_created={made}", fiscal_year=FiscalYear(month, last))

    assert decide(facts, RECEIVED).retain_until == day(until)


# class | events at intake | state on 2027-01-01 | retain until
BY_CLASS = [
    ("GENERAL", "slip_closed=2026-03-09", "running", "2031-03-09"),
    ("GENERAL", "", "open", None),
    ("ACCOUNT-OPENING", "slip_closed=2026-03-09", "open", None),
    ("ACCOUNT-OPENING", "account_closed=2026-03-09 relationship_ended=2026-06-09", "running", "2036-06-09"),
    ("REMITTANCE", "slip_closed=2026-03-09 transaction_completed=2026-03-09", "running", "2056-12-31"),
    ("LOSS-REPORT", "relationship_ended=2026-03-09", "running", "2036-03-10"),
    ("LICENCE", "slip_closed=2026-03-09", "running", "2056-12-31"),
    ("COMPLAINT", "slip_closed=2026-03-09", "running", "2036-03-10"),
    ("HOUSING-FUND", "slip_closed=2026-03-09", "running", "2056-12-31"),
    ("SOCIAL-INSURANCE", "slip_closed=2026-03-09", "running", "2126-12-31"),
    ("MEDICAL-OUTPATIENT", "last_visit=2026-03-09", "running", "2041-03-09"),
    ("REAL-ESTATE", "", "permanent", None),
    ("CONTRACT", "contract_terminated=2026-03-09", "running", "2036-03-10"),
    ("ATTACHMENT", "slip_closed=2026-03-09", "running", "2036-03-10"),
]


@pytest.mark.clause("V3")
@pytest.mark.parametrize(("code", "happened", "state", "until"), BY_CLASS)
def test_what_the_law_says_of_each_shipped_class(code: str, happened: str, state: str, until: str | None) -> None:
    shipped = CLASSES[code]
    facts = Facts(
        code, tuple(RULES[name] for name in shipped.rule_codes), RECEIVED, events(happened), shipped.own_period
    )

    decision = decide(facts, day("2027-01-01"))

    assert (decision.state, decision.retain_until) == (State(state), day(until) if until else None)


def test_every_shipped_class_is_in_the_table() -> None:
    assert {row[0] for row in BY_CLASS} == set(CLASSES)


def test_each_reason_names_its_source_and_fills_its_sentence() -> None:
    decision = decide(
        facts_of(
            "CN-ACC-VOUCHER CN-AML-TXN CN-LIMIT-3Y CN-CREDIT-NEG EU-AMLR-77", "document_created=2026-03-10", "P5Y"
        ),
        day("2027-01-01"),
    )

    told = {reason.rule_code: (reason.citation, reason.text.format(**reason.facts)) for reason in decision.reasons}
    assert told == {
        "CN-AML-TXN": (
            "反洗钱法（2024修订）art.34",
            "The period of P10Y counts from the event transaction_completed, which has not happened yet.",
        ),
        "CN-ACC-VOUCHER": (
            "会计档案管理办法（财政部 国家档案局令第79号）art.14 + 附表一",
            "The event fiscal_year_end was on 2026-12-31; the period of P30Y counts from 2027-01-01 to 2056-12-31.",
        ),
        "OWN": ("A", "The organisation keeps this class for P5Y from 2026-03-10, to 2031-03-10."),
        "CN-LIMIT-3Y": (
            "民法典 art.188",
            "Advice, no duty: a claim may be raised for P3Y after the event right_infringement_known.",
        ),
        "CN-CREDIT-NEG": (
            "征信业管理条例 art.16",
            "Kept no longer than P5Y after the event adverse_event_ended, which has not happened yet.",
        ),
        "EU-AMLR-77": ("Reg (EU) 2024/1624 art.77", "In force only from 2027-07-10."),
    }
    assert [reason.rule_code for reason in decision.reasons][:3] == ["CN-AML-TXN", "CN-ACC-VOUCHER", "OWN"]
    assert decision.kept_at_least_until == day("2056-12-31")


def test_a_maximum_before_a_minimum_is_a_contradiction_and_deletes_nothing() -> None:
    decision = decide(
        facts_of("CN-CREDIT-NEG CN-AML-TXN", "transaction_completed=2026-03-10 adverse_event_ended=2026-03-10"),
        day("2032-01-01"),
    )

    assert (decision.state, decision.delete_by, decision.retain_until, decision.is_contradictory) == (
        State.RUNNING,
        day("2031-03-10"),
        day("2036-03-10"),
        True,
    )


def test_of_two_maxima_the_earlier_counts() -> None:
    happened = "adverse_event_ended=2026-03-10 relationship_or_transaction_end=2026-03-10"
    decision = decide(facts_of("CN-CREDIT-NEG UK-MLR40", happened), day("2027-01-01"))

    assert decision.delete_by == day("2031-03-10")


def test_keep_then_delete_is_no_contradiction() -> None:
    decision = decide(facts_of("UK-MLR40", "relationship_or_transaction_end=2026-03-10"), day("2027-01-01"))

    assert (decision.retain_until, decision.delete_by, decision.is_contradictory) == (
        day("2031-03-10"),
        day("2036-03-10"),
        False,
    )


def test_an_unverified_rule_binds_and_is_named() -> None:
    happened = "slip_closed=2026-03-10 asset_scrapped_cleared=2026-03-10"
    decision = decide(facts_of("CN-ACC-FIXEDASSET CN-TAX-RECORDS", happened), day("2032-01-01"))

    assert decision.unverified_rules == ("CN-ACC-FIXEDASSET",)
    assert decide(facts_of("CN-AML-TXN", "transaction_completed=2026-03-10"), RECEIVED).unverified_rules == ()


def test_a_class_survives_its_plain_form() -> None:
    for definition in CLASSES.values():
        head = {
            name: getattr(definition, name)
            for name in ("code", "name_zh", "name_en", "category_code", "period_code", "sensitivity", "keep_unopened")
        }
        assert class_from({**head, **definition.plain()}) == definition


@pytest.mark.parametrize(
    "wrong",
    [{"horizon": "permanent"}, {"horizon": "P0D"}, {"intake_lasts_days": 0}, {"copies": 0}, {"disposition": "burn"}],
)
def test_a_class_that_cannot_be_is_refused(wrong: dict[str, object]) -> None:
    plain = {
        "code": "A", "name_zh": "甲", "name_en": "A", "category_code": "YW", "period_code": "D5", "sensitivity": "normal",
    }  # fmt: skip

    with pytest.raises(ValueError):
        class_from({**plain, **wrong})


def test_two_rules_of_one_name_are_refused() -> None:
    pack = (RULES["CN-AML-TXN"],)

    with pytest.raises(ValueError, match="CN-AML-TXN"):
        by_code([pack, pack])


def test_there_are_104_rules_and_each_is_whole() -> None:
    assert len(RULES) == 104
    assert sum(not rule.is_verified for rule in RULES.values()) == 9
    for rule in RULES.values():
        assert rule.citation
        assert rule.name_zh
        assert rule.pack.startswith(rule.jurisdiction.lower())
        if rule.max_period is not None:
            assert rule.max_period.months >= rule.period.months


@pytest.mark.parametrize("code", sorted(RULES))
def test_every_shipped_rule_runs_from_its_own_trigger(code: str) -> None:
    """Reported once, the trigger settles each rule by plain calendar arithmetic, done here by another way."""
    rule = replace(RULES[code], effective_date=None)
    happened = date(2026, 3, 10)
    facts = Facts("A", (rule,), RECEIVED, {rule.trigger: happened})

    decision = decide(facts, RECEIVED)

    if rule.bound in {Bound.MAX, Bound.ADVISORY}:
        assert decision.winning.rule_code == law.FLOOR_CODE
    elif rule.period.is_permanent:
        assert decision.state is State.PERMANENT
    else:
        assert decision.retain_until == _by_hand(rule.calendar, happened, rule.period)


def _by_hand(calendar: Calendar, happened: date, period: Period) -> date:
    years, months = divmod(period.months, 12)
    if calendar is not Calendar.EXACT_DATE:
        assert (months, period.days) == (0, 0)
        return date(happened.year + years, 12, 31)
    if period.days:
        return date.fromordinal(happened.toordinal() + period.days)
    return date(happened.year + years, happened.month + months, happened.day)


def test_a_rule_that_contradicts_itself_is_refused() -> None:
    keeps_then_deletes = RULES["UK-MLR40"]

    with pytest.raises(ValueError, match="below its minimum"):
        replace(keeps_then_deletes, max_period=Period(months=12))
    with pytest.raises(ValueError, match="never ends"):
        replace(RULES["CN-CREDIT-NEG"], max_period=Period(is_permanent=True))


def test_rules_are_values() -> None:
    rule: Rule = RULES["CN-AML-TXN"]

    with pytest.raises(AttributeError):
        rule.code = "other"  # type: ignore[misc]
