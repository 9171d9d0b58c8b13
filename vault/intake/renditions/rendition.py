"""What a rendition is."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Rendition:
    """One thing made: `kind` is page, thumbnail or access_copy; pages and thumbnails count from 1."""

    kind: str
    ordinal: int
    media_type: str
    data: bytes
