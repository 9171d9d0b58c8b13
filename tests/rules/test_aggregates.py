"""Case files and volumes: the last member decides, and one that stands in the way can be taken out."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retention_rules import shipped
from retention_rules.aggregates import Member, Together, decide_together
from retention_rules.decision import decide
from retention_rules.errors import InvalidData
from retention_rules.law import law_of
from retention_rules.model import ClassDefinition, Disposition, Facts, Hold, What
from tests.rules.worlds import DAYS, World, worlds

LAW = law_of(
    [
        ClassDefinition("VOUCHER", "凭证", "Voucher", "KJ", "D30", rule_codes=("CN-ACC-VOUCHER",), disposition=Disposition.DESTROY),
        ClassDefinition("TAX", "涉税", "Tax", "KJ", "D10", rule_codes=("CN-TAX-RECORDS",), disposition=Disposition.DESTROY),
        ClassDefinition("DEED", "不动产", "Deed", "YW", "Y", rule_codes=("CN-REALESTATE",), disposition=Disposition.PERMANENT),
        ClassDefinition("LICENCE", "许可", "Licence", "WS", "D10", rule_codes=("CN-GOV-DOC-10",), disposition=Disposition.TRANSFER),
        ClassDefinition("CREDIT", "信用", "Credit", "YW", "D10", rule_codes=("CN-CREDIT-NEG", "CN-AML-TXN")),
        ClassDefinition("CARD", "卡片", "Card", "KJ", "D5", rule_codes=("CN-ACC-FIXEDASSET",), disposition=Disposition.DESTROY),
    ],
    shipped.rules(),
)  # fmt: skip


def member(text: str, on: date) -> Member:
    """`a TAX 2026-03-10 held`: a member, its class, the day all its events happened, whether it is held."""
    name, class_code, day, *held = text.split()
    events = (
        "document_created",
        "record_created",
        "transaction_completed",
        "adverse_event_ended",
        "asset_scrapped_cleared",
    )
    happened = {} if day == "-" else dict.fromkeys(events, date.fromisoformat(day))
    facts = Facts(class_code, date(2026, 3, 10), happened, holds=(Hold("2030-1"),) if held else ())
    return Member(name, decide(facts, LAW, on))


# the volume | asked on | decision | keep until | decided by | in the way | without them
VOLUMES = [
    ("a TAX 2026-03-10; b TAX 2026-09-30", "2036-09-30", "keep", "2036-09-30", "b", "", None),
    ("a TAX 2026-03-10; b TAX 2026-09-30", "2036-10-01", "destroy", "2036-09-30", "b", "", None),
    ("a TAX 2026-03-10; b VOUCHER 2026-03-10", "2040-01-01", "keep", "2056-12-31", "b", "", None),
    ("a TAX 2026-03-10; b TAX -", "2040-01-01", "keep", None, "b", "", None),
    ("a TAX 2026-03-10; b DEED 2026-03-10", "2040-01-01", "permanent", None, "b", "", None),
    ("a TAX 2026-03-10; b DEED -; c TAX 2026-09-30 held", "2040-01-01", "held", None, "c", "c", "permanent"),
    ("a TAX 2026-03-10; b TAX 2026-09-30 held", "2040-01-01", "held", "2036-09-30", "b", "b", "destroy"),
    ("a TAX 2026-03-10 held; b TAX 2036-09-30", "2040-01-01", "held", "2046-09-30", "a", "a", "keep"),
    ("a TAX 2026-03-10; b CARD 2026-03-10", "2040-01-01", "escalate", "2036-03-10", "b", "b", "destroy"),
    ("a CARD 2026-03-10; b TAX 2026-03-10 held", "2040-01-01", "held", "2036-03-10", "b", "a b", None),
    ("a TAX 2026-03-10; b CREDIT 2026-03-10", "2032-01-01", "restricted", "2036-03-10", "b", "b", "keep"),
    ("a TAX 2026-03-10; b LICENCE 2026-03-10", "2036-12-31", "keep", "2036-12-31", "b", "", None),
    ("a TAX 2026-03-10; b LICENCE 2026-03-10", "2037-01-01", "review", "2036-12-31", "b", "", None),
    ("a LICENCE 2026-03-10; b LICENCE 2026-05-01", "2037-01-01", "transfer", "2036-12-31", "a", "", None),
    ("a TAX 2026-03-10", "2036-03-11", "destroy", "2036-03-10", "a", "", None),
]


@pytest.mark.clause("C6.1")
@pytest.mark.parametrize(("volume", "on", "what", "until", "decided_by", "in_the_way", "rest"), VOLUMES)
def test_what_must_happen_to_a_volume(
    volume: str, on: str, what: str, until: str | None, decided_by: str, in_the_way: str, rest: str | None
) -> None:
    together = decide_together([member(text, date.fromisoformat(on)) for text in volume.split(";")])

    assert (together.what.value, together.deciding.id, " ".join(together.in_the_way)) == (
        what,
        decided_by,
        in_the_way,
    )
    assert together.retain_until == (date.fromisoformat(until) if until else None)
    if in_the_way:
        others = together.without(*together.in_the_way)
        assert (others and others.what.value) == rest


def test_each_member_is_locked_until_the_last_may_go() -> None:
    on = date(2030, 1, 1)

    together = decide_together([member("a TAX 2026-03-10", on), member("b VOUCHER 2026-03-10", on)])

    assert (together.lock_until, together.next_date) == (date(2056, 12, 31), date(2036, 3, 11))


def test_what_cannot_be_a_volume_is_refused() -> None:
    on = date(2030, 1, 1)
    one = member("a TAX 2026-03-10", on)

    with pytest.raises(InvalidData, match="without members"):
        decide_together([])
    with pytest.raises(InvalidData, match="named twice"):
        decide_together([one, one])
    with pytest.raises(InvalidData, match="different days"):
        decide_together([one, member("b TAX 2026-03-10", on + timedelta(days=1))])
    with pytest.raises(InvalidData, match="not in this volume: z"):
        decide_together([one]).without("z")
    assert decide_together([one]).without("a") is None


_CALM = {What.KEEP, What.DESTROY, What.REVIEW, What.TRANSFER}


@given(st.lists(worlds(), min_size=1, max_size=4), DAYS)
def test_a_volume_is_never_treated_more_freely_than_any_member(members: list[World], on: date) -> None:
    together = _together(members, on)

    whats = {member.decision.what for member in together.members}
    assert (What.HELD in whats) == (together.what is What.HELD)
    if together.what in {What.DESTROY, What.TRANSFER}:
        assert whats == {together.what}
    if together.what is What.REVIEW:
        assert whats <= _CALM - {What.KEEP}
    ends = [member.decision.retain_until for member in together.members]
    assert (together.retain_until is None) == (None in ends)
    assert all(together.retain_until is None or (end is not None and end <= together.retain_until) for end in ends)


@given(st.lists(worlds(), min_size=1, max_size=4), DAYS, st.randoms())
def test_the_order_of_members_is_irrelevant(members: list[World], on: date, random: object) -> None:
    together = _together(members, on)
    shuffled = list(together.members)
    random.shuffle(shuffled)  # type: ignore[attr-defined]

    again = decide_together(shuffled)

    assert replace(again, members=together.members) == together


def _together(members: list[World], on: date) -> Together:
    return decide_together([Member(f"m{place}", world.decide(on)) for place, world in enumerate(members)])
