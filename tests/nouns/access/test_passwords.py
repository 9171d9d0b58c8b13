"""Which passwords are accepted, and how they are kept and compared."""

from __future__ import annotations

import re

import pytest

from vault.access import passwords
from vault.access.errors import WeakPassword

pytestmark = pytest.mark.clause("C4.4")


@pytest.mark.parametrize(
    ("password", "problem"),
    [
        ("kurz-und-gut", None),
        ("夕阳照在旧书架上", None),
        ("correct horse battery staple", None),
        ("wu wei er zhi 7", None),  # holds the login wu, and much more
        ("Passwort-ist-Unsinn", None),
        ("elevenchars", "it is too short"),
        ("夕阳照在架", "it is too short"),
        ("x" * 201, "it is too long"),
        ("a1b2a1b2a1b2", "it repeats few characters"),
        ("abcdef-abcdef-", "it is a repetition or a run of neighbours"),
        ("123456789012", "it is a repetition or a run of neighbours"),
        ("zyxwvutsrqponm", "it is a repetition or a run of neighbours"),
        ("Password12345!", "it is a common one"),
        ("Ｐａｓｓｗｏｒｄ１２３４５", "it is a common one"),
        ("1q2w3e4r5t6y", "it is a common one"),
        ("Admin@20261124", "it is a common one"),
        ("woaini5201314!!", "it is a common one"),
        ("我爱你一生一世中国", "it is a common one"),
        ("李秀兰李秀兰1949", "it is little more than the sign-in name or the name"),
        ("lixiulan20261", "it is little more than the sign-in name or the name"),
        ("line\nbreak-and-more", "it holds control characters"),
    ],
)
def test_what_can_be_guessed_is_refused_with_the_reason(password: str, problem: str | None) -> None:
    login = "wu" if password.startswith("wu ") else "lixiulan"
    if problem is None:
        assert passwords.hash_password(password, login, "李秀兰").startswith("$argon2id$")
    else:
        with pytest.raises(WeakPassword) as refused:
            passwords.hash_password(password, login, "李秀兰")
        assert refused.value.facts["problem"] == problem


def test_the_same_characters_from_another_keyboard_are_the_same_password() -> None:
    kept = passwords.hash_password("ＡＢＣ-旧书架-１２３４", "someone")

    assert passwords.is_right(kept, "ABC-旧书架-1234")
    assert not passwords.is_right(kept, "abc-旧书架-1234")


def test_the_hash_is_salted_and_nothing_longer_matches() -> None:
    longest = "旧书架上的夕阳abcxyz-" * 14
    longest = longest[:200]

    assert passwords.hash_password(longest[:40], "x") != passwords.hash_password(longest[:40], "x")
    kept = passwords.one_time_hash(longest)
    assert passwords.is_right(kept, longest)
    assert not passwords.is_right(kept, longest + "a")


def test_nobodys_password_is_never_right() -> None:
    assert not passwords.is_right(None, "correct horse battery staple")
    assert not passwords.is_right("no hash at all", "correct horse battery staple")


def test_one_time_passwords_can_be_read_aloud_and_differ() -> None:
    made = {passwords.one_time_password() for _ in range(200)}

    assert len(made) == 200
    assert all(re.fullmatch(r"([2-9A-HJ-NP-Z]{5}-){3}[2-9A-HJ-NP-Z]{5}", password) for password in made)
