"""Two time axes: what applied on a day, and what was known at an instant. And what differs between two versions."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retention_rules import shipped
from retention_rules.decision import decide
from retention_rules.differences import Effect, How, between_classes, between_packs, between_schedules, say_change
from retention_rules.errors import InvalidData
from retention_rules.law import law_of
from retention_rules.model import (
    PERMANENT,
    ClassDefinition,
    Confirmation,
    Disposition,
    Facts,
    FiscalYear,
    Hold,
    LockPolicy,
    Period,
    What,
)
from retention_rules.packs import Pack, by_code, rule_digest
from retention_rules.reasons import Kind
from retention_rules.schedules import (
    Book,
    Classified,
    Dossier,
    KnownConfirmation,
    Promise,
    ReportedEvent,
    ReportedHold,
    Schedule,
    day_of,
    end_of_day,
    facts_known,
    law_known,
    schedule_known,
    why,
)
from tests.rules.worlds import DAYS, EVENTS

RECEIVED = date(2026, 3, 10)
CN = ("cn-2026.11",)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def kept(code: str, period: str, *rules: str) -> ClassDefinition:
    years = Period(months=12 * int(period[1:-1]))
    return ClassDefinition(code, code, code, "YW", "D", own_period=years, rule_codes=rules)


FIRST = Schedule("1", date(2020, 1, 1), (kept("K", "P10Y"),), CN, known_at=at("2019-12-01"))
SECOND = Schedule("2", date(2025, 1, 1), (kept("K", "P20Y"),), CN, known_at=at("2024-11-01"))
BACKDATED = Schedule("3", date(2023, 1, 1), (kept("K", "P15Y"),), CN, known_at=at("2026-02-01"))
CORRECTED = Schedule("2b", date(2025, 1, 1), (kept("K", "P25Y"),), CN, known_at=at("2026-03-01"))
WITHDRAWN = replace(CORRECTED, version="2c", known_at=at("2026-04-01"), withdrawn_at=at("2026-05-01"))
VERSIONS = (FIRST, SECOND, BACKDATED, CORRECTED, WITHDRAWN)

# day asked | known at | version
APPLIES = [
    ("2020-01-01", "2020-01-01", "1"),
    ("2024-12-31", "2024-12-31", "1"),
    ("2025-01-01", "2025-01-01", "2"),
    ("2025-01-01", "2024-10-31", "1"),  # version 2 was not approved yet
    ("2024-06-01", "2026-01-31", "1"),
    ("2024-06-01", "2026-02-01", "3"),  # approved later, for an earlier time
    ("2025-06-01", "2026-02-15", "2"),  # which does not reach into the time of version 2
    ("2025-06-01", "2026-03-01", "2b"),
    ("2025-06-01", "2026-04-01", "2c"),
    ("2025-06-01", "2026-05-01", "2b"),  # withdrawn
]


@pytest.mark.clause("V3")
@pytest.mark.parametrize(("on", "known", "version"), APPLIES)
def test_which_version_applied_as_far_as_was_known(on: str, known: str, version: str) -> None:
    assert schedule_known(VERSIONS, date.fromisoformat(on), at(known)).version == version


def test_before_the_first_version_there_is_none() -> None:
    with pytest.raises(InvalidData, match="no schedule was in effect"):
        schedule_known(VERSIONS, date(2019, 12, 31), at("2026-01-01"))
    with pytest.raises(InvalidData, match="no schedule was in effect"):
        schedule_known(VERSIONS, date(2026, 1, 1), at("2019-11-30"))


def test_a_schedule_carries_its_accounting_year_and_rests_on_packs() -> None:
    book = Book((replace(FIRST, fiscal_year=FiscalYear(6, 30)),), shipped.packs())

    law = law_known(book, RECEIVED, at("2026-01-01"))

    assert (law.version, law.organisation.fiscal_year) == ("1", FiscalYear(6, 30))
    with pytest.raises(InvalidData, match=r"packs that are not there: cn-1999\.1"):
        law_known(Book((replace(FIRST, packs=("cn-1999.1",)),), shipped.packs()), RECEIVED, at("2026-01-01"))


DOSSIER = Dossier(
    RECEIVED,
    classified=(Classified("K", at("2026-03-10")), Classified("L", at("2027-01-01"))),
    events=(
        ReportedEvent("account_closed", date(2026, 5, 1), "notice 1", at("2026-05-02"), undone_at=at("2026-06-01")),
        ReportedEvent("account_closed", date(2027, 8, 1), "notice 2", at("2027-08-02")),
        ReportedEvent("account_closed", date(2027, 7, 1), "notice 3", at("2027-08-03")),
        ReportedEvent("wages_settled", None, known_at=at("2026-07-01"), undone_at=at("2026-07-05")),
    ),
    holds=(ReportedHold(Hold("2028-1"), at("2028-01-01"), at("2029-01-01")),),
    locks=(Promise(date(2040, 1, 1), at("2026-04-01")), Promise(date(2041, 1, 1), at("2027-04-01"))),
)


def test_what_was_known_of_a_record_at_each_instant() -> None:
    first = facts_known(DOSSIER, at("2026-05-10"))
    undone = facts_known(DOSSIER, at("2026-06-01"))
    never = facts_known(DOSSIER, at("2026-07-02"))
    held = facts_known(DOSSIER, at("2028-01-01"))
    free = facts_known(DOSSIER, at("2029-01-01"))

    assert (first.class_code, first.events, first.evidence, first.locked_until) == (
        "K", {"account_closed": date(2026, 5, 1)}, {"account_closed": "notice 1"}, date(2040, 1, 1),
    )  # fmt: skip
    assert (undone.events, undone.evidence) == ({}, {})
    assert never.never == {"wages_settled"}
    assert facts_known(DOSSIER, at("2026-07-05")).never == frozenset()
    assert (held.class_code, [hold.matter for hold in held.holds]) == ("L", ["2028-1"])
    assert (held.events, held.evidence) == ({"account_closed": date(2027, 8, 1)}, {"account_closed": "notice 2"})
    assert (free.holds, free.locked_until) == ((), date(2041, 1, 1))


def test_a_record_that_was_not_there_yet_has_no_class() -> None:
    with pytest.raises(InvalidData, match="no class then"):
        facts_known(DOSSIER, at("2026-03-09"))


@given(st.lists(st.tuples(st.sampled_from(EVENTS), DAYS), max_size=5), st.sampled_from(EVENTS), DAYS)
def test_undoing_an_event_restores_what_was(reported: list[tuple[str, date]], name: str, day: date) -> None:
    events = tuple(ReportedEvent(event, on, known_at=at("2026-05-01")) for event, on in reported)
    mistake = ReportedEvent(name, day, "by mistake", at("2026-06-01"), at("2026-07-01"))
    without, with_it = replace(DOSSIER, events=events), replace(DOSSIER, events=(*events, mistake))

    assert facts_known(with_it, at("2026-07-01")) == facts_known(without, at("2026-07-01"))
    assert facts_known(with_it, at("2026-05-31")) == facts_known(without, at("2026-05-31"))
    assert name in facts_known(with_it, at("2026-06-01")).events


def test_the_same_question_of_a_past_day_has_the_answer_of_that_day() -> None:
    book = Book((FIRST, SECOND), shipped.packs())
    dossier = replace(DOSSIER, classified=(Classified("K", at("2022-01-01")),), locks=())

    then = why(dossier, book, date(2024, 6, 1))
    now = why(dossier, book, date(2028, 6, 1))

    assert (then.law.version, then.retain_until, then.what) == ("1", date(2036, 3, 10), What.KEEP)
    assert (now.law.version, now.retain_until, now.what) == ("2", date(2046, 3, 10), What.HELD)
    assert why(dossier, book, date(2028, 6, 1), at("2027-12-31")).what is What.KEEP


def test_what_became_known_in_the_last_moment_of_a_day_counts_on_it() -> None:
    book = Book((FIRST,), shipped.packs())
    midnight = end_of_day(date(2027, 1, 4), "Asia/Shanghai")
    dossier = replace(DOSSIER, classified=(Classified("K", at("2022-01-01")),), locks=(), events=())

    def held(placed_at: datetime) -> bool:
        return why(replace(dossier, holds=(ReportedHold(Hold("x"), placed_at),)), book, date(2027, 1, 4)).is_held

    assert midnight == datetime(2027, 1, 4, 16, tzinfo=UTC)
    assert held(midnight - timedelta(seconds=1))
    assert not held(midnight)


def test_days_are_days_of_the_organisation() -> None:
    instant = datetime(2026, 12, 31, 16, 30, tzinfo=UTC)

    assert day_of(instant, "Asia/Shanghai") == date(2027, 1, 1)
    assert day_of(instant, "Europe/Berlin") == date(2026, 12, 31)
    assert end_of_day(date(2026, 3, 29), "Europe/Berlin") == datetime(
        2026, 3, 29, 22, tzinfo=UTC
    )  # the clock changes


def test_a_confirmation_counts_from_when_it_was_given_until_it_was_withdrawn() -> None:
    rule = shipped.rules()["CN-ACC-FIXEDASSET"][-1]
    confirmation = Confirmation(rule.code, rule_digest(rule), "u1", "财政部网站", date(2031, 5, 1))
    definition = replace(kept("K", "P1Y", rule.code), own_period=None, disposition=Disposition.DESTROY)
    known = KnownConfirmation(confirmation, at("2031-05-01"), at("2031-07-01"))
    book = Book((replace(FIRST, classes=(definition,)),), shipped.packs(), (known,))
    event = ReportedEvent("asset_scrapped_cleared", date(2026, 1, 1), known_at=at("2026-04-01"))
    dossier = replace(DOSSIER, classified=(Classified("K", at("2022-01-01")),), events=(event,), locks=(), holds=())

    assert [why(dossier, book, date(2031, month, 15)).what for month in (4, 5, 7)] == [
        What.ESCALATE,
        What.DESTROY,
        What.ESCALATE,
    ]


def test_the_differences_between_two_versions_can_be_read() -> None:
    old = Schedule("1", date(2026, 1, 1), shipped.classes(), CN)
    by_code = {c.code: c for c in old.classes}
    changed = {
        "GENERAL": replace(by_code["GENERAL"], own_period=Period(months=120)),
        "REMITTANCE": replace(by_code["REMITTANCE"], rule_codes=("CN-ACC-VOUCHER",), name_zh="汇款凭证"),
        "CONTRACT": replace(by_code["CONTRACT"], own_period=None, disposition=Disposition.TRANSFER),
        "LICENCE": replace(by_code["LICENCE"], lock=LockPolicy(is_rolling=True), keep_unopened=True),
        "COMPLAINT": replace(by_code["COMPLAINT"], own_period=PERMANENT, rule_codes=("CN-LIMIT-20Y",)),
        "NEW": kept("NEW", "P5Y"),
    }
    classes = tuple({**by_code, **changed}.values())[1:]
    new = Schedule("2", date(2027, 1, 1), (changed["GENERAL"], *(c for c in classes if c.code != "LOSS-REPORT")), CN)

    told = [(c.code, c.how, c.field, c.effect, say_change(c, "zh")) for c in between_schedules(old, new)]

    assert told == [
        ("2", How.CHANGED, "version", Effect.OTHER, "保管期限表 2：版本由 1 改为 2"),
        ("2", How.CHANGED, "effective_date", Effect.OTHER, "保管期限表 2：生效日期由 2026-01-01 改为 2027-01-01"),
        ("COMPLAINT", How.CHANGED, "rules", Effect.OTHER, "类别 COMPLAINT：适用规则由 CN-LIMIT-3Y 改为 CN-LIMIT-20Y"),
        ("COMPLAINT", How.CHANGED, "own_period", Effect.LONGER, "类别 COMPLAINT：本单位期限由 10 年 改为 永久（期限变长）"),
        ("CONTRACT", How.CHANGED, "own_period", Effect.SHORTER, "类别 CONTRACT：本单位期限由 10 年 改为 （无）（期限可能变短）"),
        ("CONTRACT", How.CHANGED, "disposition", Effect.OTHER, "类别 CONTRACT：到期处置由 销毁 改为 移交"),
        ("GENERAL", How.CHANGED, "own_period", Effect.LONGER, "类别 GENERAL：本单位期限由 （无） 改为 10 年（期限变长）"),
        ("LICENCE", How.CHANGED, "lock", Effect.OTHER, "类别 LICENCE：锁定方式由 一次锁定至期满 改为 滚动锁定"),
        ("LICENCE", How.CHANGED, "keep_unopened", Effect.OTHER, "类别 LICENCE：原样保管由 否 改为 是"),
        ("LOSS-REPORT", How.REMOVED, "", Effect.OTHER, "类别 LOSS-REPORT 已删除"),
        ("NEW", How.ADDED, "", Effect.OTHER, "新增类别 NEW"),
        ("REMITTANCE", How.CHANGED, "name_zh", Effect.OTHER, "类别 REMITTANCE：中文名称由 汇款及转账凭证 改为 汇款凭证"),
        ("REMITTANCE", How.CHANGED, "rules", Effect.SHORTER,
         "类别 REMITTANCE：适用规则由 CN-ACC-VOUCHER, CN-AML-TXN 改为 CN-ACC-VOUCHER（期限可能变短）"),
    ]  # fmt: skip


# asked on | retain until | decided by | what is still to come
CHANGES = [
    ("2024-12-31", "2030-12-31", "P10Y", "2025-01-01"),
    ("2025-01-01", "2028-12-31", "P8Y", "2030-01-01"),
    ("2028-12-31", "2028-12-31", "P8Y", "2030-01-01"),
    ("2029-12-31", "2028-12-31", "P8Y", "2030-01-01"),
    ("2030-01-01", "2031-03-10", "P5Y", None),  # repealed: the five years of clause C6.1
]


@pytest.mark.clause("C8.1")
@pytest.mark.parametrize(("on", "until", "period", "changes"), CHANGES)
def test_the_law_of_the_day_applies(on: str, until: str, period: str, changes: str | None) -> None:
    """German vouchers: ten years until 2024, eight from 2025; and, for the test, repealed with 2030."""
    shipped_rule = shipped.rules()["DE-BELEG"][-1]
    first = replace(shipped_rule, period=Period(months=120), effective_date=None, ended_date=date(2025, 1, 1))
    second = replace(shipped_rule, ended_date=date(2030, 1, 1))
    pack = Pack("de-test", "DE", date(2026, 1, 1), (second, first))
    definition = ClassDefinition("V", "凭证", "Voucher", "KJ", "D8", rule_codes=("DE-BELEG",))
    facts = Facts("V", RECEIVED, {"record_year": date(2020, 5, 5)})

    decision = decide(facts, law_of([definition], by_code([pack])), date.fromisoformat(on))

    assert (decision.retain_until, decision.winning.told["period"]) == (date.fromisoformat(until), period)
    coming = [reason.told["effective_date"] for reason in decision.reasons if reason.kind is Kind.NOT_YET_IN_FORCE]
    assert coming == (["2025-01-01"] if on < "2025" else [])
    assert changes is None or decision.span.ends_date == date.fromisoformat(changes)


def test_two_versions_of_a_rule_for_one_day_are_refused() -> None:
    rule = shipped.rules()["DE-BELEG"][-1]

    with pytest.raises(InvalidData, match="two versions of rule DE-BELEG are in force on the same day"):
        Pack(
            "x",
            "DE",
            date(2026, 1, 1),
            (replace(rule, ended_date=date(2026, 1, 2)), replace(rule, effective_date=date(2026, 1, 1))),
        )
    assert Pack(
        "x",
        "DE",
        date(2026, 1, 1),
        (replace(rule, ended_date=date(2026, 1, 1)), replace(rule, effective_date=date(2026, 1, 1))),
    )


def test_no_difference_is_told_between_equals() -> None:
    assert between_classes(shipped.classes(), reversed(shipped.classes())) == ()
    assert between_packs(shipped.packs()["cn-2026.11"], shipped.packs()["cn-2026.11"]) == ()


def test_the_differences_between_two_packs_can_be_read() -> None:
    old = shipped.packs()["de-2026.11"]
    by_code = {rule.code: rule for rule in old.rules}
    shorter = replace(by_code["DE-BOOKS"], period=Period(months=96))
    mixed = replace(by_code["DE-LETTERS"], period=Period(months=60, days=400))
    later = replace(by_code["DE-BELEG"], effective_date=date(2028, 1, 1), period=Period(months=60))
    before = replace(by_code["DE-BELEG"], ended_date=date(2028, 1, 1))
    new = replace(
        old, version="de-2027.1", published_date=date(2027, 1, 1), supersedes=old.version,
        rules=(before, later, shorter, mixed),
    )  # fmt: skip

    told = [(c.code, c.how, c.field, c.effect) for c in between_packs(old, new)]

    assert told == [
        ("de-2027.1", How.CHANGED, "version", Effect.OTHER),
        ("de-2027.1", How.CHANGED, "published", Effect.OTHER),
        ("DE-BELEG", How.REMOVED, "", Effect.SHORTER),
        ("DE-BELEG (2025-01-01)", How.ADDED, "", Effect.LONGER),
        ("DE-BELEG (2028-01-01)", How.ADDED, "", Effect.LONGER),
        ("DE-BELEG-FIN", How.REMOVED, "", Effect.SHORTER),
        ("DE-BOOKS", How.CHANGED, "min_period", Effect.SHORTER),
        ("DE-LETTERS", How.CHANGED, "min_period", Effect.OTHER),
    ]
    assert (
        say_change(between_packs(old, new)[-1], "en") == "rule DE-LETTERS: minimum from 6 years to 5 years 400 days"
    )
