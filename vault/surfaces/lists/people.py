"""The lists of people and of the stations' tokens."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sqlalchemy import Connection

from vault.access import queries
from vault.access.model import Person, TokenLine, Viewer
from vault.access.queries import PeopleFilters, TokenFilters
from vault.access.rights import ROLE_NAMES, Right
from vault.foundation.context import Context
from vault.foundation.db.keyset import Picked
from vault.foundation.errors import N_
from vault.surfaces.lists.listing import Listing, Question, Speech


def _ask_people(
    _ctx: Context, connection: Connection, _viewer: Viewer, filters: PeopleFilters, picked: Picked
) -> Question[Person]:
    return Question(
        lambda span: queries.find_people(connection, filters, span, picked=picked),
        lambda at_most: queries.count_people(connection, filters, picked=picked, at_most=at_most),
    )


def _person_rows(speech: Speech, lines: Sequence[Person]) -> Iterable[Sequence[object]]:
    for person in lines:
        roles = [speech.say(ROLE_NAMES[role]) for role in sorted(person.roles)]
        yield (
            person.name,
            person.login,
            speech.units.get(person.unit_id, ""),
            speech.say(", ").join(roles),
            speech.state("person", person.sign_in_state),
            person.created_at,
            person.seen_at,
            person.id,
        )


PEOPLE: Listing[PeopleFilters, Person] = Listing(
    name="people",
    right=Right.ACCESS_PERSON_READ,
    ask=_ask_people,
    headings=(
        N_("Name"),
        N_("Sign-in name"),
        N_("Unit"),
        N_("Roles"),
        N_("State"),
        N_("Account since"),
        N_("Last seen"),
        N_("Id"),
    ),
    rows=_person_rows,
)


def _ask_tokens(
    ctx: Context, connection: Connection, _viewer: Viewer, filters: TokenFilters, picked: Picked
) -> Question[TokenLine]:
    now = ctx.clock.now()
    return Question(
        lambda span: queries.find_tokens(connection, filters, now, span, picked=picked),
        lambda at_most: queries.count_tokens(connection, filters, now, picked=picked, at_most=at_most),
    )


def _token_rows(speech: Speech, lines: Sequence[TokenLine]) -> Iterable[Sequence[object]]:
    for token in lines:
        yield (
            token.station_name,
            speech.units.get(token.unit_id, ""),
            speech.state("token", token.state),
            " ".join(token.scopes),
            token.hint,
            token.created_at,
            token.expires_at,
            token.used_at,
            token.id,
        )


STATIONS: Listing[TokenFilters, TokenLine] = Listing(
    name="stations",
    right=Right.ACCESS_STATION_READ,
    ask=_ask_tokens,
    headings=(
        N_("Station"),
        N_("Unit"),
        N_("State"),
        N_("May send"),
        N_("Last four of the token"),
        N_("Made"),
        N_("Expires"),
        N_("Last used"),
        N_("Id"),
    ),
    rows=_token_rows,
)
