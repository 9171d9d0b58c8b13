"""The numbers that slips carry: check digits, normal forms and masks, on published vectors."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retention_rules import identifiers as ids

clause = pytest.mark.clause


@clause("C2.3")
@pytest.mark.parametrize("value", ["11010519491231002X", "440524188001010014", "34052419800101001X"])
def test_citizen_ids_of_the_standard_pass(value: str) -> None:
    assert ids.problem_with_citizen_id(value) is None


@clause("C2.3")
@pytest.mark.parametrize(
    ("value", "problem"),
    [
        ("123456789012345677", "its date of birth does not exist"),  # its check digit alone is right
        ("110105194912310021", "its check digit is wrong"),
        ("990105194912310029", "its region does not exist"),
        ("110105194902300029", "its date of birth does not exist"),
        ("110105000112310021", "nobody who was born then can have it"),
        ("11010519491231002x", "an id number has 17 digits and a check digit"),
        ("11010519491231002X\n", "an id number has 17 digits and a check digit"),
        ("1101051949123100２X", "an id number has 17 digits and a check digit"),
        ("", "an id number has 17 digits and a check digit"),
    ],
)
def test_what_is_wrong_with_a_citizen_id(value: str, problem: str) -> None:
    assert ids.problem_with_citizen_id(value) == problem


@clause("C2.3")
def test_nobody_is_born_tomorrow() -> None:
    first_17 = "11010520270101001"
    value = first_17 + ids.citizen_id_check_digit(first_17)

    assert ids.problem_with_citizen_id(value, on=date(2026, 11, 24)) == "nobody who was born then can have it"
    assert ids.problem_with_citizen_id(value, on=date(2027, 1, 1)) is None


@clause("C2.3")
def test_a_legacy_id_finds_the_same_person() -> None:
    assert ids.normalised_identifier("id_number", "110105 491231 002") == "11010519491231002X"
    with pytest.raises(ValueError):
        ids.modern_citizen_id("11010549123100")


@clause("C2.3")
@given(st.integers(0, 16), st.integers(1, 9))
def test_one_wrong_digit_never_passes(place: int, by: int) -> None:
    value = "11010519491231002X"
    wrong = value[:place] + str((int(value[place]) + by) % 10) + value[place + 1 :]

    assert ids.problem_with_citizen_id(wrong) is not None


@clause("C2.3")
@pytest.mark.parametrize(
    ("code", "passes"),
    [
        ("91350100M000100Y43", True),
        ("91512081MA62K0260E", True),
        ("11320000MB151840XJ", True),
        ("9131000063159284XQ", True),
        ("91350211M0000XUF46", False),  # in real use all the same: a warning, not a block
        ("91350100M0001TGQXM", False),
        ("91350100M000100Y4", False),
        ("91350100M000100YI3", False),
    ],
)
def test_social_credit_codes(code: str, passes: bool) -> None:
    assert ids.is_social_credit_code(code) is passes


@pytest.mark.parametrize(
    ("code", "passes"),
    [("MA62K0260", True), ("MB151840X", True), ("M000100Y4", True), ("MA62K0261", False), ("MA62K026", False)],
)
def test_organisation_codes(code: str, passes: bool) -> None:
    assert ids.is_organisation_code(code) is passes


@pytest.mark.parametrize(
    ("number", "passes"),
    [
        ("4111111111111111", True),
        ("79927398713", True),
        ("6222021234567890123", False),
        ("4111-1111", False),
        ("٤١١", False),
    ],
)
def test_luhn(number: str, passes: bool) -> None:
    assert ids.is_luhn(number) is passes


def test_an_unusual_card_number_is_a_warning_and_no_problem() -> None:
    assert ids.problem_with("card_number", "6222021234567890123") is None
    assert ids.warning_about("card_number", "6222021234567890123") is not None
    assert ids.warning_about("card_number", "4111111111111111") is None


@pytest.mark.parametrize(
    ("kind", "typed", "kept"),
    [
        ("id_number", " １１０１０５１９４９１２３１００２ｘ ", "11010519491231002X"),
        ("id_number", "110105-19491231-002x", "11010519491231002X"),
        ("card_number", "4111 1111 1111 1111", "4111111111111111"),
        ("card_number", "4111—1111—1111—1111", "4111111111111111"),
        ("phone", "+86 138-0013-8000", "13800138000"),
        ("phone", "0086 13800138000", "13800138000"),
        ("phone", "8613800138000", "13800138000"),
        ("phone", "(010) 6552 9988", "01065529988"),
        ("phone", "+1 650 253 0000", "+16502530000"),
        ("phone", "86552998", "86552998"),
    ],
)
def test_one_number_has_one_form(kind: str, typed: str, kept: str) -> None:
    assert ids.normalised_identifier(kind, typed) == kept
    assert ids.normalised_identifier(kind, kept) == kept


@clause("C2.5")
@pytest.mark.parametrize(
    ("kind", "value", "seen"),
    [
        ("id_number", "11010519491231002X", "110105********002X"),
        ("card_number", "4111111111111111", "4111 ******** 1111"),
        ("phone", "13800138000", "138****8000"),
        ("phone", "65529988", "******88"),
        ("phone", "12345", "*****"),
        ("id_number", "E12", "****"),
    ],
)
def test_what_is_seen_of_a_number(kind: str, value: str, seen: str) -> None:
    assert ids.mask(kind, value) == seen


@clause("C2.5")
@given(st.sampled_from(["id_number", "card_number", "phone"]), st.text("0123456789X", min_size=4, max_size=30))
def test_a_mask_always_hides(kind: str, value: str) -> None:
    seen = ids.mask(kind, value)

    assert seen.count("*") >= min(4, len(value))
    assert value not in seen
