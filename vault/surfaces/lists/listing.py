"""What a list is: who may see it, how it is asked, and what its lines look like as a table."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from functools import cached_property
from typing import Any, Generic, TypeVar
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from vault.access.model import Viewer
from vault.access.queries import actor_names, all_units, organisation
from vault.access.rights import Right
from vault.foundation.context import Context
from vault.foundation.db.keyset import COUNT_MAX, Page, Picked, Span
from vault.foundation.errors import N_
from vault.retention.queries import classes_in_effect
from vault.surfaces.i18n import Formats, Language, Translator, translator
from vault.surfaces.web import words

Filters = TypeVar("Filters")
Line = TypeVar("Line")


@dataclass(frozen=True)
class Question(Generic[Line]):
    """A list as one viewer asked for it, inside one read transaction."""

    page: Callable[[Span], Page[Line]]
    counted: Callable[[int | None], int]

    def count_beside(self, page: Page[Line]) -> int:
        """`count`, without asking when `page` shows all there is."""
        is_all = bool(page.lines) and page.before is None and page.after is None
        return len(page.lines) if is_all else self.count()

    def count(self, at_most: int | None = COUNT_MAX) -> int:
        """How many lines, at most `at_most` + 1 (which means "more"); with None exactly."""
        return self.counted(at_most)


@dataclass(frozen=True)
class Speech:
    """What turns lines into words: a language, the organisation's zone, the names of units, classes and actors."""

    connection: Connection
    language: Language
    now: datetime
    formats: Formats = field(init=False)

    def __post_init__(self) -> None:
        """Reads the zone."""
        object.__setattr__(self, "formats", Formats(translator(self.language), zone_of(self.connection)))

    @property
    def translator(self) -> Translator:
        """The messages of the language."""
        return translator(self.language)

    def say(self, message: str) -> str:
        """The text for a message id."""
        return self.translator.gettext(message)

    def state(self, kind: str, code: str) -> str:
        """The word for a state of a kind of thing, as pages show it."""
        return self.say(words.state(kind, code).label)

    def actor(self, actor_id: UUID | None, names: dict[UUID, str]) -> str:
        """Who it was: a person or station by name, else the operator of the host; nobody when there is no id."""
        return "" if actor_id is None else names.get(actor_id) or self.say(N_("the operator of the host"))

    @cached_property
    def units(self) -> dict[UUID, str]:
        """The units by id."""
        is_english = self.language is Language.EN
        return {unit.id: unit.name_en if is_english else unit.name_zh for unit in all_units(self.connection)}

    @cached_property
    def classes(self) -> dict[str, str]:
        """The retention classes of the schedule in effect by code."""
        is_english = self.language is Language.EN
        return {k.code: k.name_en if is_english else k.name_zh for k in classes_in_effect(self.connection, self.now)}

    def names(self, ids: Iterable[UUID | None]) -> dict[UUID, str]:
        """People and stations by id."""
        return actor_names(self.connection, [one for one in ids if one is not None])


@dataclass(frozen=True)
class Listing(Generic[Filters, Line]):
    """A list. `rows` gives each line's cells, in the order of `headings` (message ids)."""

    name: str
    right: Right
    ask: Callable[[Context, Connection, Viewer, Filters, Picked], Question[Line]]
    headings: tuple[str, ...]
    rows: Callable[[Speech, Sequence[Line]], Iterable[Sequence[object]]]


def zone_of(connection: Connection) -> ZoneInfo:
    """The organisation's time zone, in which its days begin and end."""
    return ZoneInfo(organisation(connection).time_zone)


def day_begins(day: date | None, zone: ZoneInfo) -> datetime | None:
    """The instant at which a day begins in the organisation's zone."""
    return None if day is None else datetime.combine(day, time(), zone)


def day_ends(day: date | None, zone: ZoneInfo) -> datetime | None:
    """The instant at which the day is over: the next one's beginning."""
    return None if day is None else day_begins(day + timedelta(days=1), zone)


AnyListing = Listing[Any, Any]
