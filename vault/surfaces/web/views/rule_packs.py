"""Rule packs: those that are known, one of them, and one that somebody wants to take in."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from vault.surfaces.web.views.parts import BLANK, Choices, Form, Link
from vault.surfaces.web.views.schedules import ChangeLine


@dataclass(frozen=True, slots=True)
class PackRow:
    """One pack. `signed_by` is the fingerprint of the key; `seal` is shipped, signed, own or unsigned."""

    version: str
    href: str
    jurisdiction: str
    published_date: date
    rules_count: int
    supersedes: str
    digest: str
    seal: str
    signed_by: str
    is_in_schedule: bool


@dataclass(frozen=True, slots=True)
class PackListView:
    """The packs, and the form to take one in."""

    rows: tuple[PackRow, ...]
    may_take_in: bool
    form: Form = BLANK


@dataclass(frozen=True, slots=True)
class PackView:
    """One pack, what it changes against another, and the drafts that could rest on it."""

    row: PackRow
    against: Link | None
    changes: tuple[ChangeLine, ...]
    file_href: str
    use_href: str
    drafts: Choices
    own_fingerprint: str
    form: Form = BLANK


@dataclass(frozen=True, slots=True)
class PackPreview:
    """A pack before it is taken in. `text`, `signature` and `public_key` are what the button sends on."""

    row: PackRow
    against: Link | None
    changes: tuple[ChangeLine, ...]
    is_known: bool
    text: str
    signature: str
    public_key: str
