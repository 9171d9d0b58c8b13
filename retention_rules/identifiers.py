"""The numbers that slips carry: check digits, normal form, and the mask under which people see them.

Sources: GB 11643-1999 (citizen id), GB 32100-2015 (unified social credit code), ISO/IEC 7812-1 (Luhn).
"""

from __future__ import annotations

import re
import unicodedata
from datetime import date

_ID_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_ID_CHECK = "10X98765432"
_ID_FORM = re.compile(r"\d{17}[\dX]$")
_USCC_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_CARD_FORM = re.compile(r"\d{12,19}$")
_MOBILE_FORM = re.compile(r"1[3-9]\d{9}$")
_PHONE_FORM = re.compile(r"\+?\d{5,15}$")
# First two digits of the region (GB/T 2260): provinces, and 81 to 83 for Hong Kong, Macau and Taiwan residents.
_PROVINCES = frozenset(
    [*range(11, 16), *range(21, 24), *range(31, 38), *range(41, 47), *range(50, 55), *range(61, 66), 71, 81, 82, 83]
)


def normalised_identifier(kind: str, value: str) -> str:
    """The form that is kept and searched: plain digits and capitals, without blanks and hyphens.

    `kind` is id_number, card_number or phone; of a phone number the prefix +86 goes.
    """
    plain = re.sub(r"[\s\-()·]", "", unicodedata.normalize("NFKC", value)).upper()
    if kind == "phone":
        plain = plain.removeprefix("+86")
    return plain


def problem_with(kind: str, value: str) -> str | None:
    """What keeps a normalised value from being of its kind, or nothing. The words are English msgids."""
    if kind == "id_number":
        return problem_with_citizen_id(value)
    if kind == "card_number":
        return None if _CARD_FORM.match(value) else "a card number has 12 to 19 digits"
    if kind == "phone":
        return None if _PHONE_FORM.match(value) else "a telephone number has 5 to 15 digits"
    raise ValueError(f"unknown kind {kind}")


def problem_with_citizen_id(value: str) -> str | None:
    """GB 11643-1999: form, region, date of birth and check digit."""
    if not _ID_FORM.match(value):
        return "an id number has 17 digits and a check digit"
    if int(value[:2]) not in _PROVINCES:
        return "its region does not exist"
    try:
        date(int(value[6:10]), int(value[10:12]), int(value[12:14]))
    except ValueError:
        return "its date of birth does not exist"
    if citizen_id_check_digit(value[:17]) != value[17]:
        return "its check digit is wrong"
    return None


def citizen_id_check_digit(first_17: str) -> str:
    """ISO 7064 MOD 11-2 over the first 17 digits."""
    return _ID_CHECK[sum(int(digit) * weight for digit, weight in zip(first_17, _ID_WEIGHTS, strict=True)) % 11]


def is_social_credit_code(value: str) -> bool:
    """GB 32100-2015 with its check character. Real codes exist that fail it: a failure is a warning, not a block."""
    if len(value) != 18 or any(character not in _USCC_ALPHABET for character in value):
        return False
    total = sum(_USCC_ALPHABET.index(character) * pow(3, place, 31) for place, character in enumerate(value[:17]))
    return _USCC_ALPHABET[(31 - total % 31) % 31] == value[17]


def is_luhn(value: str) -> bool:
    """The Luhn check. Some banks issue internal cards without it: a failure is a warning."""
    digits = [int(digit) for digit in reversed(value)]
    doubled = [digit * 2 - 9 if digit > 4 else digit * 2 for digit in digits[1::2]]
    return (sum(digits[::2]) + sum(doubled)) % 10 == 0


def is_mobile(value: str) -> bool:
    """A mobile number of the PRC, without prefix."""
    return _MOBILE_FORM.match(value) is not None


def mask(kind: str, value: str) -> str:
    """What people see without the right to unmask (C2.5): enough to compare with a slip, too little to use."""
    if kind == "id_number" and len(value) == 18:
        return f"{value[:6]}********{value[-4:]}"
    if kind == "card_number" and len(value) >= 12:
        return f"{value[:4]} {'*' * (len(value) - 8)} {value[-4:]}"
    if kind == "phone" and len(value) >= 8:
        return f"{value[:3]}{'*' * (len(value) - 7)}{value[-4:]}"
    return "*" * max(4, len(value))
