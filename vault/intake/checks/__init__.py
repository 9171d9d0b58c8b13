"""The checks that a file passes before it is believed: type by content, whole, within bounds, harmless, legible."""

from __future__ import annotations

from vault.intake.checks.explanations import Explanation, explain_finding
from vault.intake.checks.model import CheckPolicy, Examination, Finding, Severity

__all__ = ["CheckPolicy", "Examination", "Explanation", "Finding", "Severity", "explain_finding"]
