"""Signing in, the first run, the settings, and pages that say what went wrong."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from vault.surfaces.web.views.parts import BLANK, Form, Link, Option


@dataclass(frozen=True, slots=True)
class SignInView:
    """`next_href` is where the person wanted to go; only addresses of this server are let through."""

    form: Form = BLANK
    next_href: str = "/"


@dataclass(frozen=True, slots=True)
class SetupView:
    """A one-time password is changed; on the first run the organisation is named as well."""

    sign_in_name: str
    zones: tuple[Option, ...]
    is_first_run: bool = True
    form: Form = BLANK


@dataclass(frozen=True, slots=True)
class SessionRow:
    """A browser that is signed in as this person."""

    id: str
    started_at: datetime
    seen_at: datetime
    client: str
    is_this: bool


@dataclass(frozen=True, slots=True)
class SettingsView:
    """One's own settings, and the organisation's for those who may change them."""

    sign_in_name: str
    person_name: str
    roles: tuple[str, ...]
    sessions: tuple[SessionRow, ...]
    zones: tuple[Option, ...] = ()
    may_change_organisation: bool = False
    mine: Form = BLANK
    password: Form = BLANK
    organisation: Form = BLANK


@dataclass(frozen=True, slots=True)
class ProblemView:
    """A failure for a person: what happened, whose fault, what to do now. All texts already translated."""

    status: int
    code: str
    title: str
    what_happened: str
    whose_fault: str
    what_to_do: str
    request_id: str
    at: datetime
    way_back: Link
    is_retry_useful: bool = False
