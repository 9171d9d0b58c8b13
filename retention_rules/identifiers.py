"""The numbers that slips carry: check digits, normal form, and the mask under which people see them.

Sources: GB 11643-1999 (citizen id), GB 32100-2015 (unified social credit code), GB 11714-1997 (organisation code),
ISO/IEC 7812-1 (Luhn).
"""

from __future__ import annotations

import re
import unicodedata
from datetime import date

_ID_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_ID_CHECK = "10X98765432"
_ID_FORM = re.compile(r"[0-9]{17}[0-9X]")
_BIRTH_YEAR_MIN = 1850  # ids were given from 1984 on; the oldest vectors of the standard are of 1880
_USCC_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_CARD_FORM = re.compile(r"[0-9]{12,19}")
_MOBILE_FORM = re.compile(r"1[3-9][0-9]{9}")
_PHONE_FORM = re.compile(r"\+?[0-9]{5,15}")
_LEGACY_ID_FORM = re.compile(r"[0-9]{15}")
_ORGANISATION_FORM = re.compile(r"[0-9A-Z]{8}[0-9X]")
_ORGANISATION_WEIGHTS = (3, 7, 9, 10, 5, 8, 4, 2)
# First two digits of the region (GB/T 2260): provinces, and 81 to 83 for Hong Kong, Macau and Taiwan residents.
_PROVINCES = frozenset(
    [*range(11, 16), *range(21, 24), *range(31, 38), *range(41, 47), *range(50, 55), *range(61, 66), 71, 81, 82, 83]
)


def normalised_identifier(kind: str, value: str) -> str:
    """The form that is kept and searched: plain digits and capitals, without blanks and hyphens.

    `kind` is id_number, card_number or phone; of a mobile number the prefix of the PRC goes. A citizen id of 15 digits,
    issued until 1999, becomes the one of 18 that the same person has now, so that either finds the other.
    """
    plain = re.sub(r"[\s\-()·‐-―−]", "", unicodedata.normalize("NFKC", value)).upper()
    if kind == "phone":
        for prefix in ("+86", "0086", "86"):
            if is_mobile(plain.removeprefix(prefix)):
                return plain.removeprefix(prefix)
        return plain.removeprefix("+86")
    if kind == "id_number" and _LEGACY_ID_FORM.fullmatch(plain):
        return modern_citizen_id(plain)
    return plain


def problem_with(kind: str, value: str) -> str | None:
    """What keeps a normalised value from being of its kind, or nothing. The words are English msgids."""
    if kind == "id_number":
        return problem_with_citizen_id(value)
    if kind == "card_number":
        return None if _CARD_FORM.fullmatch(value) else "a card number has 12 to 19 digits"
    if kind == "phone":
        return None if _PHONE_FORM.fullmatch(value) else "a telephone number has 5 to 15 digits"
    raise ValueError(f"unknown kind {kind}")


def warning_about(kind: str, value: str) -> str | None:
    """What is unusual about a normalised value that may be right all the same. The words are English msgids."""
    if kind == "card_number" and not is_luhn(value):
        return "the check digit of this card number is not the usual one"
    if kind == "phone" and not is_mobile(value) and not value.startswith(("0", "+", "400", "800")):
        return "this is not a mobile number"
    return None


def problem_with_citizen_id(value: str, on: date | None = None) -> str | None:
    """GB 11643-1999: form, region, date of birth and check digit. On a known day the birth must not be after it."""
    if not _ID_FORM.fullmatch(value):
        return "an id number has 17 digits and a check digit"
    # Foreign permanent residents have 9, then the province, since 2023.
    region = value[1:3] if value[0] == "9" else value[:2]
    if int(region) not in _PROVINCES:
        return "its region does not exist"
    try:
        birth_date = date(int(value[6:10]), int(value[10:12]), int(value[12:14]))
    except ValueError:
        return "its date of birth does not exist"
    if birth_date.year < _BIRTH_YEAR_MIN or (on is not None and birth_date > on):
        return "nobody who was born then can have it"
    if citizen_id_check_digit(value[:17]) != value[17]:
        return "its check digit is wrong"
    return None


def citizen_id_check_digit(first_17: str) -> str:
    """ISO 7064 MOD 11-2 over the first 17 digits."""
    return _ID_CHECK[sum(int(digit) * weight for digit, weight in zip(first_17, _ID_WEIGHTS, strict=True)) % 11]


def modern_citizen_id(legacy: str) -> str:
    """The 18 characters that replaced a citizen id of 15 digits: the century goes in, the check digit on the end.

    Raises:
        ValueError: it does not have 15 digits.
    """
    if not _LEGACY_ID_FORM.fullmatch(legacy):
        raise ValueError("a legacy citizen id has 15 digits")
    first_17 = f"{legacy[:6]}19{legacy[6:]}"
    return first_17 + citizen_id_check_digit(first_17)


def is_organisation_code(value: str) -> bool:
    """GB 11714-1997: nine characters with a check character; a social credit code holds one in places 9 to 17."""
    if not _ORGANISATION_FORM.fullmatch(value):
        return False
    total = sum(int(character, 36) * weight for character, weight in zip(value, _ORGANISATION_WEIGHTS, strict=False))
    return "0123456789X0"[11 - total % 11] == value[8]


def is_social_credit_code(value: str) -> bool:
    """GB 32100-2015 with its check character. Real codes exist that fail it: a failure is a warning, not a block."""
    if len(value) != 18 or any(character not in _USCC_ALPHABET for character in value):
        return False
    total = sum(_USCC_ALPHABET.index(character) * pow(3, place, 31) for place, character in enumerate(value[:17]))
    return _USCC_ALPHABET[(31 - total % 31) % 31] == value[17]


def is_luhn(value: str) -> bool:
    """The Luhn check. Some banks issue internal cards without it: a failure is a warning."""
    if not (value.isascii() and value.isdigit()):
        return False
    digits = [int(digit) for digit in reversed(value)]
    doubled = [digit * 2 - 9 if digit > 4 else digit * 2 for digit in digits[1::2]]
    return (sum(digits[::2]) + sum(doubled)) % 10 == 0


def is_mobile(value: str) -> bool:
    """A mobile number of the PRC, without prefix."""
    return _MOBILE_FORM.fullmatch(value) is not None


def mask(kind: str, value: str) -> str:
    """What people see without the right to unmask (C2.5): enough to compare with a slip, too little to use."""
    if kind == "id_number" and len(value) == 18:
        return f"{value[:6]}********{value[-4:]}"
    if kind == "card_number" and len(value) >= 12:
        return f"{value[:4]} {'*' * (len(value) - 8)} {value[-4:]}"
    if kind == "phone" and len(value) >= 11:
        return f"{value[:3]}{'*' * (len(value) - 7)}{value[-4:]}"
    if kind == "phone" and len(value) >= 7:
        return "*" * (len(value) - 2) + value[-2:]
    return "*" * max(4, len(value))


def mask_name(name: str) -> str:
    """A name in a file that leaves the house: its first character, and nothing of its length."""
    return f"{name[0]}**" if name else ""
