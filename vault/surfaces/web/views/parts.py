"""The pieces that every page is made of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

Tone = Literal["primary", "plain", "danger"]


@dataclass(frozen=True, slots=True)
class Link:
    """Something related, by the name people know it by."""

    label: str
    href: str


@dataclass(frozen=True, slots=True)
class Action:
    """Something the viewer may do here and now; `label` is a message id."""

    label: str
    href: str
    method: Literal["get", "post"] = "get"
    tone: Tone = "plain"
    fields: tuple[tuple[str, str], ...] = ()
    icon: str | None = None


@dataclass(frozen=True, slots=True)
class Option:
    """One choice of a select, radio or check box."""

    value: str
    label: str
    hint: str = ""


@dataclass(frozen=True, slots=True)
class FieldError:
    """What is wrong with one field, in the reader's language, already translated."""

    field: str
    message: str


@dataclass(frozen=True, slots=True)
class Form:
    """What was entered and what is wrong with it; the first showing has neither."""

    values: Mapping[str, str] = field(default_factory=dict)
    errors: tuple[FieldError, ...] = ()

    def value(self, name: str, default: str = "") -> str:
        """What was entered in field `name`."""
        return self.values.get(name, default)

    def error(self, name: str) -> str:
        """What is wrong with field `name`, or nothing."""
        return next((error.message for error in self.errors if error.field == name), "")


BLANK = Form()


@dataclass(frozen=True, slots=True)
class Paging:
    """Where in a keyset-paged list this page is; addresses carry the filters. Without `count_is_exact` there are more."""

    count_total: int
    count_shown: int
    first_href: str | None = None
    previous_href: str | None = None
    next_href: str | None = None
    count_is_exact: bool = True


@dataclass(frozen=True, slots=True)
class ActorName:
    """Who did something: kind is person, station, system or operator."""

    kind: str
    name: str
    href: str | None = None


@dataclass(frozen=True, slots=True)
class TimelineEntry:
    """A ledger entry as a line of an object's story; `count` of the same in a row are one line, since `first_at`.

    Without an address the viewer may not read the ledger, or the line stands for many entries.
    """

    at: datetime
    event: str
    actor: ActorName
    href: str | None
    note: str = ""
    leaf_index: int | None = None
    count: int = 1
    first_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a long piece of work is."""

    done: int
    total: int | None
    rate_per_second: float | None = None
    seconds_left: float | None = None


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that is not as it must be, named exactly."""

    what: str
    where: str
    href: str | None = None


@dataclass(frozen=True, slots=True)
class HourCount:
    """How many came in during one hour of the day."""

    hour: int
    count: int


@dataclass(frozen=True, slots=True)
class Notice:
    """A message about what was just done."""

    text: str
    tone: Literal["good", "info", "warn", "bad"] = "good"


@dataclass(frozen=True, slots=True)
class Choices:
    """The choices for a filter or a form, by field name."""

    by_field: Mapping[str, tuple[Option, ...]] = field(default_factory=dict)

    def of(self, name: str) -> tuple[Option, ...]:
        """The options of field `name`."""
        return self.by_field.get(name, ())
