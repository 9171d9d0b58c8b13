"""Viewers, people and stations as plain values, and the events they leave."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from vault.access.errors import PasswordMustChange
from vault.access.rights import Right, Role
from vault.foundation.errors import NotAllowed
from vault.foundation.ledger.entry import Actor


class Event(StrEnum):
    """The acts of access that the ledger knows."""

    ORGANISATION_SET_UP = "access:organisation:set_up"
    ORGANISATION_CHANGED = "access:organisation:change"
    UNIT_CREATED = "access:unit:create"
    PERSON_CREATED = "access:person:create"
    PERSON_DISABLED = "access:person:disable"
    PERSON_ENABLED = "access:person:enable"
    PERSON_LANGUAGE_CHANGED = "access:person:change_language"
    PASSWORD_CHANGED = "access:password:change"  # noqa: S105 - the name of an event, nothing confidential
    PASSWORD_RESET = "access:password:reset"  # noqa: S105 - the name of an event, nothing confidential
    ROLE_GRANTED = "access:role:grant"
    ROLE_REVOKED = "access:role:revoke"
    SIGNED_IN = "access:session:start"
    SIGNED_OUT = "access:session:end"
    SIGN_IN_REFUSED = "access:session:refuse"
    STATION_CREATED = "access:station:create"
    TOKEN_ISSUED = "access:token:issue"  # noqa: S105 - the name of an event, nothing confidential
    TOKEN_REVOKED = "access:token:revoke"  # noqa: S105 - the name of an event, nothing confidential
    PROPOSAL_OPENED = "access:proposal:open"
    PROPOSAL_APPROVED = "access:proposal:approve"
    PROPOSAL_REFUSED = "access:proposal:refuse"
    PROPOSAL_WITHDRAWN = "access:proposal:withdraw"
    VIEW_SAVED = "access:view:save"
    VIEW_REMOVED = "access:view:remove"
    LIST_EXPORTED = "access:list:export"


@dataclass(frozen=True)
class Viewer:
    """Whoever is asking. `units` are those whose records they may see, None meaning all."""

    id: UUID
    kind: str  # person, station or operator
    name: str
    rights: frozenset[Right]
    unit_id: UUID | None
    units: frozenset[UUID] | None
    language: str | None = None
    must_change_password: bool = False

    @property
    def actor(self) -> Actor:
        """Who the ledger says it was."""
        return Actor(self.kind, self.id)

    def may(self, right: Right) -> bool:
        """Whether the viewer has the right."""
        return right in self.rights

    def require(self, right: Right) -> None:
        """Refuses without the right.

        Raises:
            PasswordMustChange: the viewer has only a one-time password, which gives no right but to change it.
            NotAllowed: the viewer lacks it.
        """
        if right not in self.rights:
            if self.must_change_password:
                raise PasswordMustChange(right=right.value)
            raise NotAllowed(right=right.value)

    def may_see_unit(self, unit_id: UUID) -> bool:
        """Whether records of the unit are within the viewer's sight."""
        return self.units is None or unit_id in self.units


@dataclass(frozen=True)
class Organisation:
    """The one organisation of an installation."""

    name: str
    fonds_code: str
    time_zone: str


@dataclass(frozen=True)
class Unit:
    """A department or window."""

    id: UUID
    code: str
    name_zh: str
    name_en: str


class PersonState(StrEnum):
    """Whether somebody can sign in, or has yet to for the first time."""

    ACTIVE = "active"
    INVITED = "invited"
    DISABLED = "disabled"


@dataclass(frozen=True)
class Person:
    """Somebody with an account."""

    id: UUID
    login: str
    name: str
    unit_id: UUID
    state: str
    roles: frozenset[Role]
    must_change_password: bool
    created_at: datetime
    seen_at: datetime | None

    @property
    def sign_in_state(self) -> PersonState:
        """Whether the person can sign in, or has yet to for the first time."""
        if self.state == "disabled":
            return PersonState.DISABLED
        return PersonState.INVITED if self.must_change_password else PersonState.ACTIVE


@dataclass(frozen=True)
class Station:
    """A scanning station with its tokens."""

    id: UUID
    name: str
    unit_id: UUID
    created_at: datetime


@dataclass(frozen=True)
class Token:
    """An API token of a station; its secret is known only to the station."""

    id: UUID
    station_id: UUID
    hint: str
    scopes: tuple[str, ...]
    created_at: datetime
    expires_at: datetime
    revoked_at: datetime | None


class TokenState(StrEnum):
    """Whether a token opens anything, and for how long still."""

    ACTIVE = "active"
    EXPIRING = "expiring"
    EXPIRED = "expired"
    REVOKED = "revoked"


@dataclass(frozen=True)
class TokenLine:
    """A token as a line of a list, with its station."""

    id: UUID
    station_id: UUID
    station_name: str
    unit_id: UUID
    hint: str
    scopes: tuple[str, ...]
    state: TokenState
    created_at: datetime
    expires_at: datetime
    used_at: datetime | None
