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
class Proof:
    """The inclusion path of an entry to the newest checkpoint; empty before one covers it."""

    is_proven: bool = False
    leaf_index: int | None = None
    leaf_hash_hex: str = ""
    tree_size: int | None = None
    root_hex: str = ""
    path_hex: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class EntryView:
    """One entry with its proof. `canonical` are the bytes that are hashed."""

    id: str
    at: datetime
    event: str
    actor: ActorName
    subject: Subject
    context: Subject | None
    note: str
    details: tuple[Detail, ...]
    canonical: str
    proof: Proof
    story_href: str
