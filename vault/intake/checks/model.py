"""What an examination is asked and what it answers."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Severity(StrEnum):
    """Whether a finding refuses the file or only warns of it."""

    REFUSE = "refuse"
    WARN = "warn"


@dataclass(frozen=True)
class CheckPolicy:
    """The bounds of what is accepted. `keep_unopened` takes other types as they are, undecoded.

    `slip_number_pattern` is the regular expression that a code's whole text must match to be a slip number.
    """

    keep_unopened: bool = False
    dpi_min: int = 100  # below: refused
    dpi_wanted: int = 200  # below: a warning (DA/T 31-2017 section 8)
    skew_degrees_max: float = 3.0
    pixels_max: int = 100_000_000  # A3 at 600 dpi has 70 million
    side_pixels_max: int = 40_000
    pages_max: int = 3_000
    objects_max: int = 300_000
    trailing_bytes_max: int = 1_024
    unpacked_bytes_max: int = 64 << 20  # of one compressed stream that is no picture
    jpeg_bytes_max: int = 256 << 20
    jpeg_scans_max: int = 64
    quality_seconds_max: float = 3.0  # afterwards pages are still decoded to their end, but no longer judged
    code_pages_max: int = 1
    slip_number_pattern: str = r"[A-Z]{1,6}[-0-9]{6,30}"


@dataclass(frozen=True)
class Finding:
    """One thing found; `facts` fill the words that `explain_finding` gives for its code."""

    code: str
    severity: Severity
    page: int | None
    facts: dict[str, str]


@dataclass(frozen=True)
class PageFacts:
    """What was seen of one page. What was not judged is None; `colour` is bitonal, grey or colour."""

    width: int
    height: int
    dpi: int | None = None
    skew_degrees: float | None = None
    is_blank: bool | None = None
    clipped_edge: str | None = None
    colour: str | None = None


@dataclass(frozen=True)
class Examination:
    """What a file is, and what is wrong with it. `pages` may stop early in a file that is refused."""

    media_type: str
    page_count: int
    findings: tuple[Finding, ...]
    slip_number: str | None = None
    pages: tuple[PageFacts, ...] = ()

    @property
    def is_refused(self) -> bool:
        """Whether any finding refuses the file."""
        return any(finding.severity is Severity.REFUSE for finding in self.findings)


class Notes:
    """Findings as they are made; each code is told once, for the first page it was found on."""

    def __init__(self) -> None:
        self.findings: list[Finding] = []
        self.pages: list[PageFacts] = []
        self.slip_number: str | None = None

    def refuse(self, code: str, page: int | None = None, **facts: object) -> None:
        """A finding that refuses the file."""
        self._add(code, Severity.REFUSE, page, facts)

    def warn(self, code: str, page: int | None = None, **facts: object) -> None:
        """A finding that only warns."""
        self._add(code, Severity.WARN, page, facts)

    @property
    def is_refused(self) -> bool:
        """Whether any finding refuses the file."""
        return any(finding.severity is Severity.REFUSE for finding in self.findings)

    def _add(self, code: str, severity: Severity, page: int | None, facts: dict[str, object]) -> None:
        if all(finding.code != code for finding in self.findings):
            self.findings.append(Finding(code, severity, page, {name: str(value) for name, value in facts.items()}))
