"""One page after the other: bounds, resolution, looks and slip number, with an eye on the time."""

from __future__ import annotations

import time

from PIL import Image

from vault.intake.checks.barcodes import read_slip_number
from vault.intake.checks.model import CheckPolicy, Notes, PageFacts
from vault.intake.checks.quality import judge, small_grey

_A4_LONG_INCHES = 11.69
_SIDE_RATIO_MAX = 40
_SIDE_PIXELS_MIN = 16


class PageByPage:
    """Collects the pages of one file. `is_judging` ends when the time for looks is used up."""

    def __init__(self, policy: CheckPolicy, notes: Notes) -> None:
        self._policy = policy
        self._notes = notes
        self._started_s = time.monotonic()
        self._seen = False

    @property
    def is_judging(self) -> bool:
        """Whether there is time left for more than decoding."""
        return time.monotonic() - self._started_s < self._policy.quality_seconds_max

    def is_within_bounds(self, width: int, height: int, page: int | None) -> bool:
        """Whether a picture of this size may be decoded at all; notes why not."""
        policy = self._policy
        if width * height > policy.pixels_max:
            self._notes.refuse("too-many-pixels", page, pixels=width * height, pixels_max=policy.pixels_max)
            return False
        longer, shorter = max(width, height), min(width, height)
        if longer > policy.side_pixels_max or shorter < _SIDE_PIXELS_MIN or longer > _SIDE_RATIO_MAX * shorter:
            self._notes.refuse("absurd-dimensions", page, width=width, height=height)
            return False
        return True

    def look_at(self, image: Image.Image, facts: PageFacts) -> None:
        """Judges a decoded page, small or not; `facts` say what is known of it in its true size."""
        notes, policy, page = self._notes, self._policy, len(self._notes.pages) + 1
        if facts.dpi is not None:
            self._resolution(facts.dpi, page)
        if not self.is_judging:
            notes.warn("judged-in-part", page, pages=page - 1)
            self._seen = True
            notes.pages.append(facts)
            return
        found = judge(small_grey(image), page, policy, notes)
        self._seen = self._seen or not found.is_blank
        notes.pages.append(
            PageFacts(
                facts.width,
                facts.height,
                facts.dpi,
                round(found.skew_degrees, 2),
                found.is_blank,
                found.clipped_edge,
                facts.colour,
            )
        )
        if page <= policy.code_pages_max and notes.slip_number is None:
            notes.slip_number = read_slip_number(image, policy.slip_number_pattern)

    def pass_by(self, facts: PageFacts) -> None:
        """Counts a page that there was no time to look at."""
        self._notes.warn("judged-in-part", len(self._notes.pages) + 1, pages=len(self._notes.pages))
        self._seen = True
        self._notes.pages.append(facts)

    def finish(self) -> None:
        """Notes what can be said only of all pages together."""
        if self._notes.pages and not self._seen:
            self._notes.refuse("all-blank")

    def _resolution(self, dpi: int, page: int) -> None:
        policy = self._policy
        if dpi < policy.dpi_min:
            self._notes.refuse("dpi-too-low", page, dpi=dpi, dpi_min=policy.dpi_min)
        elif dpi < policy.dpi_wanted:
            self._notes.warn("dpi-low", page, dpi=dpi, dpi_wanted=policy.dpi_wanted)


def stated_dpi(image: Image.Image, size: tuple[int, int]) -> int:
    """The resolution that a picture states; when it states none, the one it would have as an A4 page."""
    stated = image.info.get("dpi")
    try:
        dpi = round(float(min(stated[0], stated[1]))) if stated else 0
    except (TypeError, ValueError, ZeroDivisionError, OverflowError):
        dpi = 0
    return dpi if dpi > 1 else round(max(size) / _A4_LONG_INCHES)


def colour_of(mode: str) -> str:
    """bitonal, grey or colour, by Pillow's mode."""
    if mode == "1":
        return "bitonal"
    return "grey" if mode in {"L", "LA", "I", "F"} or mode.startswith("I;16") else "colour"
