"""Passwords: argon2id (RFC 9106), what is too easy to guess, and one-time passwords."""

from __future__ import annotations

import secrets
import unicodedata
from itertools import pairwise

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from vault.access.errors import WeakPassword
from vault.foundation.errors import N_

LENGTH_MIN = 12
_LENGTH_MAX = 200
_DISTINCT_MIN = 5
# RFC 9106 section 4, second recommended option, with less memory: 64 MiB for each sign-in at once would be the
# whole budget of a small machine.
_HASHER = PasswordHasher(time_cost=3, memory_cost=19_456, parallelism=1)
# What is compared when the login does not exist, so that both cases take the same time.
_NOBODY = _HASHER.hash(secrets.token_urlsafe(32))
# Nothing is left of a common password once its common part, years and signs are taken out.
_COMMON_PARTS = (
    "password", "passw0rd", "p@ssw0rd", "p@ssword", "qwertyuiop", "qwerty", "asdfghjkl", "zxcvbnm", "1q2w3e4r5t6y",
    "1q2w3e4r", "1qaz2wsx3edc", "1qaz2wsx", "qazwsxedc", "q1w2e3r4", "abcdefgh", "abcd", "abc", "administrator",
    "admin", "welcome", "letmein", "changeme", "iloveyou", "woaini", "wodemima", "mima", "zhongguo", "beijing",
    "shanghai", "superman", "football", "baseball", "sunshine", "princess", "computer", "internet", "trustno",
    "slipvault", "archive", "dangan", "guanli", "5201314", "1314520", "我爱你", "我的密码", "密码", "一生一世", "中国",
    "中华人民共和国", "档案", "管理", "系统", "一二三四五六七八九十", "一二三四五六",
)  # fmt: skip
_ALPHABET = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"  # no two of them are taken for each other
_GROUPS, _GROUP_LENGTH = 4, 5


def normalised(password: str) -> str:
    """NFKC, so that the same password typed on another keyboard is the same."""
    return unicodedata.normalize("NFKC", password)


def hash_password(password: str, login: str, name: str = "") -> str:
    """The argon2id hash to keep of a password that somebody chose.

    A Chinese character counts as two: it is one of thousands. No classes of characters are demanded
    (NIST SP 800-63B section 5.1.1.2).

    Raises:
        WeakPassword: it is short, common, a repetition or run, or little more than the login or name.
    """
    plain = normalised(password)
    problem = _problem_with(plain, normalised(login).casefold(), normalised(name).casefold())
    if problem is not None:
        raise WeakPassword(problem=problem, length_min=LENGTH_MIN)
    return _HASHER.hash(plain)


def is_right(kept: str | None, password: str) -> bool:
    """Whether the password belongs to the kept hash; takes the same time when there is none."""
    try:
        # One more than any kept password has: a longer one is hashed no further and cannot match.
        _HASHER.verify(kept or _NOBODY, normalised(password)[: _LENGTH_MAX + 1])
    except (VerificationError, InvalidHashError):
        return False
    return kept is not None


def one_time_password() -> str:
    """Four groups of five characters, 100 bits, that can be read aloud."""
    groups = ("".join(secrets.choice(_ALPHABET) for _ in range(_GROUP_LENGTH)) for _ in range(_GROUPS))
    return "-".join(groups)


def one_time_hash(password: str) -> str:
    """The hash of a generated password that must be changed at first use."""
    return _HASHER.hash(normalised(password))


def _problem_with(plain: str, login: str, name: str) -> str | None:
    folded = plain.casefold()
    if len(plain) > _LENGTH_MAX:
        return N_("it is too long")
    if any(unicodedata.category(character) == "Cc" for character in plain):
        return N_("it holds control characters")
    if sum(2 if _is_ideograph(character) else 1 for character in plain) < LENGTH_MIN:
        return N_("it is too short")
    if len(set(folded)) < _DISTINCT_MIN:
        return N_("it repeats few characters")
    if _is_repetition(folded) or _is_run(folded):
        return N_("it is a repetition or a run of neighbours")
    if _little_left(folded, (login, name)):
        return N_("it is little more than the sign-in name or the name")
    if _little_left(folded, (*_COMMON_PARTS, login, name)):
        return N_("it is a common one")
    return None


def _little_left(folded: str, parts: tuple[str, ...]) -> bool:
    """Whether, without the parts, only digits, signs and at most two letters remain."""
    left = folded
    for part in parts:
        if len(part) > 1:
            left = left.replace(part, "")
    return len(left) < len(folded) and sum(character.isalpha() for character in left) <= 2


def _is_ideograph(character: str) -> bool:
    return unicodedata.name(character, "").startswith("CJK ")


def _is_repetition(folded: str) -> bool:
    """One part over and over: then the text is found inside itself written twice, not only at its two ends."""
    return folded in (folded + folded)[1:-1]


def _is_run(folded: str) -> bool:
    """A run such as 123456789012 or lkjihgfedcba: neighbours but for a wrap from the end to the start."""
    steps = [ord(after) - ord(before) for before, after in pairwise(folded)]
    return max(steps.count(1), steps.count(-1)) >= len(steps) - 2
