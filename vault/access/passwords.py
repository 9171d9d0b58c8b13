"""Passwords: argon2id (RFC 9106), and what is too easy to guess."""

from __future__ import annotations

import unicodedata

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from vault.access.errors import WeakPassword

LENGTH_MIN = 12
_LENGTH_MAX = 200
# RFC 9106 section 4, second recommended option, with less memory: 64 MiB for each sign-in at once would be the
# whole budget of a small machine.
_HASHER = PasswordHasher(time_cost=3, memory_cost=19_456, parallelism=1)
# What is compared when the login does not exist, so that both cases take the same time.
_NOBODY = _HASHER.hash("nobody has this password")
_COMMON_PARTS = ("password", "12345678", "qwertyui", "slipvault", "88888888", "admin123", "woaini")


def normalised(password: str) -> str:
    """NFKC, so that the same password typed on another keyboard is the same."""
    return unicodedata.normalize("NFKC", password)


def hash_password(password: str, login: str) -> str:
    """The argon2id hash to keep.

    Raises:
        WeakPassword: it is short, common, one character over and over, or holds the login.
    """
    plain = normalised(password)
    folded = plain.casefold()
    problem = None
    if len(plain) < LENGTH_MIN:
        problem = "it is too short"
    elif len(plain) > _LENGTH_MAX:
        problem = "it is too long"
    elif len(set(folded)) < 5:
        problem = "it repeats few characters"
    elif login.casefold() in folded or any(part in folded for part in _COMMON_PARTS):
        problem = "it holds the sign-in name or a common password"
    if problem is not None:
        raise WeakPassword(problem=problem, length_min=LENGTH_MIN)
    return _HASHER.hash(plain)


def is_right(kept: str | None, password: str) -> bool:
    """Whether the password belongs to the kept hash; takes the same time when there is none."""
    try:
        _HASHER.verify(kept or _NOBODY, normalised(password)[:_LENGTH_MAX])
    except (VerificationError, InvalidHashError):
        return False
    return kept is not None


def one_time_hash(password: str) -> str:
    """The hash of a generated password that must be changed at first use."""
    return _HASHER.hash(password)
