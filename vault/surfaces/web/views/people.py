"""People and their roles; stations and their tokens."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from vault.surfaces.web.views.lists import ListFrame
from vault.surfaces.web.views.parts import BLANK, Action, Choices, Form, Option, TimelineEntry


@dataclass(frozen=True, slots=True)
class PersonRow:
    """A person in the list."""

    id: str
    href: str
    name: str
    sign_in_name: str
    unit: str
    roles: tuple[str, ...]
    state: str
    seen_at: datetime | None


@dataclass(frozen=True, slots=True)
class RoleRow:
    """A role: whom it is for, what it may do, and which roles nobody may have together with it."""

    code: str
    name: str
    purpose: str
    rights: tuple[str, ...]
    people_count: int
    apart_from: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PersonFilter:
    """What the list is narrowed to, as in the address."""

    q: str = ""
    unit: str = ""
    role: str = ""
    state: str = ""


@dataclass(frozen=True, slots=True)
class PeopleView:
    """People and roles. The form to add somebody is there for those who may."""

    list: ListFrame
    filter: PersonFilter
    choices: Choices
    rows: tuple[PersonRow, ...]
    roles: tuple[RoleRow, ...]
    may_add: bool = False
    form: Form = BLANK


@dataclass(frozen=True, slots=True)
class PersonView:
    """One person. `one_time_password` is there only in the answer that made it."""

    id: str
    href: str
    name: str
    sign_in_name: str
    unit: str
    state: str
    created_at: datetime
    seen_at: datetime | None
    roles: tuple[str, ...]
    rights: tuple[tuple[str, str], ...]  # in words, and the code
    timeline: tuple[TimelineEntry, ...]
    actions: tuple[Action, ...] = ()
    role_options: tuple[Option, ...] = ()
    role_codes: tuple[str, ...] = ()
    may_change_roles: bool = False
    form: Form = BLANK
    one_time_password: str | None = None


@dataclass(frozen=True, slots=True)
class TokenRow:
    """A station's token; the secret itself is never shown again."""

    id: str
    station: str
    href: str
    unit: str
    scopes: tuple[str, ...]
    hint: str
    state: str
    created_at: datetime
    expires_date: date
    used_at: datetime | None
    sent_today_count: int
    actions: tuple[Action, ...] = ()


@dataclass(frozen=True, slots=True)
class NewToken:
    """A token that was just made: shown this once."""

    station: str
    secret: str
    expires_date: date


@dataclass(frozen=True, slots=True)
class TokenFilter:
    """What the list is narrowed to, as in the address."""

    q: str = ""
    unit: str = ""
    state: str = ""


@dataclass(frozen=True, slots=True)
class StationsView:
    """Scanning stations and their tokens."""

    list: ListFrame
    filter: TokenFilter
    rows: tuple[TokenRow, ...]
    choices: Choices
    new_token: NewToken | None = None
    may_add: bool = False
    form: Form = BLANK


@dataclass(frozen=True, slots=True)
class UnitRow:
    """A department or window."""

    code: str
    name_zh: str
    name_en: str


@dataclass(frozen=True, slots=True)
class UnitsView:
    """Every unit, and the form to add one."""

    rows: tuple[UnitRow, ...]
    form: Form = BLANK
