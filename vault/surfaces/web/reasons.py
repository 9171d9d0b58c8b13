"""Why items were refused, in the few words of a filter; the sentence with its facts is the finding's own."""

from __future__ import annotations

from vault.foundation.errors import N_

REASONS = {
    "zero-bytes": N_("Empty file"),
    "unsupported-type": N_("Type not taken"),
    "extension-mismatch": N_("Name and content differ"),
    "damaged": N_("Cannot be read to its end"),
    "too-many-pixels": N_("Picture too large"),
    "absurd-dimensions": N_("No page has this shape"),
    "too-many-pages": N_("Too many pages"),
    "too-many-objects": N_("Too many PDF objects"),
    "no-pages": N_("No page"),
    "dpi-too-low": N_("Resolution too low"),
    "dpi-low": N_("Resolution low"),
    "skewed": N_("Skewed"),
    "blank-page": N_("Blank page"),
    "all-blank": N_("All pages blank"),
    "clipped": N_("Cut off at the edge"),
    "trailing-data": N_("Data behind the end"),
    "leading-data": N_("Data before the beginning"),
    "two-types": N_("Two types at once"),
    "more-pictures": N_("Further pictures inside"),
    "file-too-large": N_("File too large"),
    "unpacks-too-large": N_("Unpacks far too large"),
    "judged-in-part": N_("Judged in part"),
    "encrypted": N_("Encrypted"),
    "active-content": N_("Can run something"),
    "embedded-files": N_("Other files inside"),
    "takes-too-long": N_("Took too long"),
    "breaks-decoder": N_("Breaks the decoder"),
    "upload-abandoned": N_("Sender did not come back"),
}


def reason(code: str) -> str:
    """The message id for why an item was refused; an unknown code names itself."""
    return REASONS.get(code, code)
