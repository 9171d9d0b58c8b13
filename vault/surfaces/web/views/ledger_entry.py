"""The page of one ledger entry."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from vault.surfaces.web.views.parts import ActorName


@dataclass(frozen=True, slots=True)
class Subject:
    """What an entry is about: the kind of thing, what it is called, and where it can be seen by this viewer."""

    kind: str  # a message id
    name: str
    href: str | None = None


@dataclass(frozen=True, slots=True)
class Detail:
    """One detail of an entry: its label (a message id or the plain name), its value in words, or its parts."""

    label: str
    value: str = ""
    parts: tuple[Detail, ...] = ()
    is_digest: bool = False


@dataclass(frozen=True, slots=True)
class EntryView:
    """One entry with its proof: the inclusion path to the newest checkpoint."""

    id: str
    at: datetime
    event: str
    actor: ActorName
    subject: Subject
    context: Subject | None
    note: str
    details: tuple[Detail, ...]
    canonical: str
    leaf_hash_hex: str
    leaf_index: int | None
    checkpoint_size: int | None
    checkpoint_root_hex: str
    proof_hex: tuple[str, ...]
    is_proven: bool
    story_href: str
