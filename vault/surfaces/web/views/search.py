"""What the search box says when the words lead nowhere."""

from __future__ import annotations

from dataclasses import dataclass

from vault.surfaces.web.views.shell import RailItem


@dataclass(frozen=True, slots=True)
class SearchView:
    """The words, and the pages that the viewer can go to."""

    text: str
    pages: tuple[RailItem, ...]
