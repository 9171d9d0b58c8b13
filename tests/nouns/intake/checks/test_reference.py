"""The reference page says what the program does: every code, whether it refuses, and the bounds."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from vault.intake.abandonment import ABANDONED
from vault.intake.checks import CheckPolicy, explain_finding
from vault.intake.checks.explanations import EXPLANATIONS
from vault.intake.decoding import decoder, pool

_ROOT = Path(__file__).resolve().parents[4]
_PAGE = (_ROOT / "docs/reference/intake-checks.md").read_text(encoding="utf-8")
_TOLD = dict(re.findall(r"^\| `([a-z-]+)` \| (refuses|warns) \|", _PAGE, re.MULTILINE))


def _made() -> dict[str, str]:
    """Every code that the program makes, and with which severity, read from its text."""
    made: dict[str, str] = {}
    for folder in ("checks", "decoding"):
        for file in sorted((_ROOT / "vault/intake" / folder).glob("*.py")):
            text = file.read_text(encoding="utf-8")
            for severity, code in re.findall(r'\b(refuse|warn)\(\s*"([a-z-]+)"', text):
                made[code] = f"{severity}s"
            for code, severity in re.findall(r'Finding\("([a-z-]+)", Severity\.(REFUSE|WARN)', text):
                made[code] = f"{severity.lower()}s"
    return made


def test_codes_are_made_told_and_explained_alike() -> None:
    assert len(_TOLD) > 20
    assert _made() == _TOLD
    assert set(EXPLANATIONS) - {ABANDONED} == set(_TOLD)


def test_explanations_name_only_facts_that_are_given() -> None:
    text = "".join(file.read_text(encoding="utf-8") for file in (_ROOT / "vault/intake").rglob("*.py"))
    for code, explanation in EXPLANATIONS.items():
        for name in re.findall(r"{(\w+)}", explanation.message + explanation.hint):
            given = re.findall(rf'"{code}"[^)]*?\b{name}\b', text)
            assert given, f"{code} is never given {name}"


@pytest.mark.parametrize(
    ("words", "value"),
    [
        ("more than {:,} pages", CheckPolicy().pages_max),
        ("more than {:,} objects", CheckPolicy().objects_max),
        ("more than {} million pixels", CheckPolicy().pixels_max // 1_000_000),
        ("more than {:,} pixels, or", CheckPolicy().side_pixels_max),
        ("unpacks into more than {} MB", CheckPolicy().unpacked_bytes_max >> 20),
        ("more than {} MB |", CheckPolicy().jpeg_bytes_max >> 20),
        ("in more than {} scans", CheckPolicy().jpeg_scans_max),
        ("less than {} dpi |", CheckPolicy().dpi_min),
        ("less than {} dpi (DA", CheckPolicy().dpi_wanted),
        ("by more than {:.0f} degrees", CheckPolicy().skew_degrees_max),
        ("more than {:,} bytes follow", CheckPolicy().trailing_bytes_max),
        ("longer than {:.0f} seconds", pool.EXAMINE_SECONDS_MAX),
        ("{:.0f} s a document's renditions", pool.RENDER_SECONDS_MAX),
        ("replaced after {:,} files", pool.USES_MAX),
        ("{} GiB of address space", decoder.MEMORY_BYTES_MAX >> 30),
        ("{} open files", decoder.OPEN_FILES_MAX),
    ],
)
def test_bounds_are_told_as_they_are(words: str, value: float) -> None:
    assert words.format(value) in _PAGE


def test_a_code_of_another_version_explains_itself() -> None:
    assert explain_finding("made-tomorrow").message == "made-tomorrow"
