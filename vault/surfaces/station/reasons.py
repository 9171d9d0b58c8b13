"""What is written beside a refused file and a closed batch, in Chinese and English for whoever stands at the scanner."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from vault.foundation.errors import N_
from vault.intake.checks import explain_finding
from vault.surfaces.client import Answer
from vault.surfaces.i18n import Language, Translator, translator

_TITLE = N_("{file} was refused on {day}.")
_WHY = N_("Reasons:")
_PAGE = N_("page {page}")
_AFTERWARDS = N_("The file was not archived. When the cause is mended, put the new scan into the watched folder.")
_BALANCE_LINES = (
    ("sheets_announced", N_("Sheets announced: {count}")),
    ("received", N_("Items received: {count}")),
    ("accepted", N_("Accepted: {count}")),
    ("duplicate", N_("Duplicates: {count}")),
    ("refused", N_("Refused: {count}")),
    ("unsettled", N_("Unsettled: {count}")),
)
_BATCH = N_("Batch {name}")
_BALANCED = N_("Balanced: every sheet is accounted for.")
_UNBALANCED = N_("NOT balanced: count the sheets and compare them with the list of refused files.")
_LATE = N_("{count} sheets were announced after the batch was opened; the server was not told of them.")
_NOT_ANNOUNCED = N_("not announced")


def refusal_text(file: str, day: str, answer: Answer) -> str:
    """Why a file was refused and what to do, in both languages."""
    return "\n".join(_refusal(translator(language), file, day, answer) for language in Language)


def _refusal(speaker: Translator, file: str, day: str, answer: Answer) -> str:
    say = speaker.gettext
    lines = [say(_TITLE).format(file=file, day=day), say(_WHY)]
    refusing = [finding for finding in answer.findings if finding.get("severity") == "refuse"]
    lines += [
        f"- {finding_text(speaker, finding)} [{finding.get('code')}]" for finding in refusing or answer.findings
    ]
    if not answer.findings:
        lines.append(f"- {answer.message or answer.status}")
    return "\n".join([*lines, say(_AFTERWARDS), ""])


def finding_text(speaker: Translator, finding: Mapping[str, Any]) -> str:
    """A finding in the speaker's language; one that this version does not know keeps the server's words."""
    explanation = explain_finding(str(finding.get("code")))
    facts = finding.get("facts") or {}
    try:
        sentences = [
            speaker.gettext(part).format(**facts) for part in (explanation.message, explanation.hint) if part
        ]
    except (KeyError, IndexError, ValueError):
        sentences = []
    if not sentences or explanation.message == finding.get("code"):
        sentences = [str(finding.get(name)) for name in ("message", "hint") if finding.get(name)]
    page = finding.get("page")
    place = f" ({speaker.gettext(_PAGE).format(page=page)})" if page else ""
    return " ".join(sentences) + place


def balance_text(name: str, balance: Mapping[str, Any], late_count: int | None) -> str:
    """A batch's balance in both languages. `late_count` is an announcement that came after the opening."""
    return "\n".join(_balance(translator(language), name, balance, late_count) for language in Language)


def _balance(speaker: Translator, name: str, balance: Mapping[str, Any], late_count: int | None) -> str:
    say = speaker.gettext
    lines = [say(_BATCH).format(name=name)]
    for member, template in _BALANCE_LINES:
        count = balance.get(member)
        lines.append(say(template).format(count=say(_NOT_ANNOUNCED) if count is None else count))
    if late_count is not None:
        lines.append(say(_LATE).format(count=late_count))
    lines.append(say(_BALANCED if is_balanced(balance, late_count) else _UNBALANCED))
    return "\n".join([*lines, ""])


def is_balanced(balance: Mapping[str, Any], late_count: int | None) -> bool:
    """The server's word, and the count that it could not know of."""
    return bool(balance.get("balanced")) and (late_count is None or late_count == balance.get("received"))


def finding_lines(language: Language, findings: Iterable[Mapping[str, Any]]) -> list[str]:
    """Findings as sentences for the terminal."""
    return [finding_text(translator(language), finding) for finding in findings]
