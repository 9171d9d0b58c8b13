"""The search box of the shell: a number jumps to its record, a page's name to the page, and anything else searches.

What is typed comes in the body and is never part of an address unless it is plainly a record's number.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Any
from uuid import UUID

from fastapi import Form as Field
from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from vault.access.model import Viewer
from vault.access.queries import PeopleFilters, find_people
from vault.access.rights import Right
from vault.catalogue import search
from vault.foundation.db.keyset import Picked, Span
from vault.foundation.errors import N_
from vault.foundation.ledger.queries import EntryFilters, find_entries
from vault.intake.batches import BatchFilters, find_batches
from vault.surfaces.i18n import Language, translator
from vault.surfaces.routing import Ctx, CurrentViewer, Routes
from vault.surfaces.web import people, records
from vault.surfaces.web.listing import address_of, uuid_of
from vault.surfaces.web.pages import go, page, speaker
from vault.surfaces.web.rendering import PAGE_HEADERS
from vault.surfaces.web.views.search import SearchView
from vault.surfaces.web.views.shell import RailItem, rail

routes = Routes("", "pages", in_schema=False)
Text = Annotated[str, Field()]
TEXT_LENGTH_MAX = 100
_FEW = 5


@dataclass(frozen=True)
class Suggestion:
    """Where somebody may want to go: `what` kind of thing it is, its name, a note, its address."""

    what: str
    label: str
    note: str
    href: str


@routes.post("/search", Right.SELF_SESSION_USE, response_class=Response)
def search_box(request: Request, ctx: Ctx, viewer: CurrentViewer, q: Text = "") -> Response:
    """Goes where the words lead; where they lead nowhere, says what could be looked for."""
    text = search.normalise(q)[:TEXT_LENGTH_MAX]
    if not text:
        return go("/records" if viewer.may(Right.RECORDS_RECORD_READ) else "/")
    for item in _pages(viewer):
        if text.casefold() in _names(item):
            return go(item.href)
    with ctx.database.read() as connection:
        found = _by_id(connection, viewer, text) or _by_number(connection, viewer, text)
    if found is not None:
        return go(found)
    if viewer.may(Right.RECORDS_RECORD_READ):
        return go(address_of(ctx, records.LIST, {"q": text}))
    if viewer.may(Right.ACCESS_PERSON_READ):
        return go(address_of(ctx, people.LIST, {"q": text}))
    return page(request, "search.html", SearchView(text, _pages(viewer)), search=text)


@routes.post("/search/suggest", Right.SELF_SESSION_USE, response_class=Response)
def suggest(request: Request, ctx: Ctx, viewer: CurrentViewer, q: Text = "") -> Response:
    """What the words so far could mean, for the script of the search box."""
    text = search.normalise(q)[:TEXT_LENGTH_MAX]
    told: list[dict[str, str]] = []
    if len(text) > 1:
        with ctx.database.read() as connection:
            say = speaker(request).gettext
            told = [
                {"what": say(one.what), "label": one.label, "note": one.note, "href": one.href}
                for one in _suggestions(request, connection, viewer, text)
            ]
    return JSONResponse({"suggestions": told}, headers=dict(PAGE_HEADERS))


def _pages(viewer: Viewer) -> tuple[RailItem, ...]:
    held = {right.value for right in viewer.rights}
    return rail(held.__contains__)


def _names(item: RailItem) -> set[str]:
    """What a page is called, in every language, and its key: whoever works in Chinese may type `ledger`."""
    return {item.key, *(translator(language).gettext(item.label).casefold() for language in Language)}


def _by_number(connection: Connection, viewer: Viewer, text: str) -> str | None:
    if not viewer.may(Right.RECORDS_RECORD_READ) or not records.looks_like_number(text):
        return None
    found = search.with_number(connection, text, units=viewer.units)
    return f"/records/{found[0].id}" if len(found) == 1 else None


def _by_id(connection: Connection, viewer: Viewer, text: str) -> str | None:
    """The page of the record, batch or ledger entry whose id this is."""
    wanted = uuid_of(text)
    if wanted is None:
        return None
    picked = Picked((wanted,))
    if (
        viewer.may(Right.RECORDS_RECORD_READ)
        and search.find(connection, search.Filters(), units=viewer.units, picked=picked).lines
    ):
        return f"/records/{wanted}"
    if (
        viewer.may(Right.INTAKE_BATCH_CREATE)
        and find_batches(connection, BatchFilters(), units=viewer.units, picked=picked).lines
    ):
        return f"/batches/{wanted}"
    if not viewer.may(Right.LEDGER_ENTRY_READ):
        return None
    is_entry = bool(find_entries(connection, EntryFilters(), picked=picked).lines)
    return f"/ledger/entries/{wanted}" if is_entry else f"/ledger?subject={wanted}"


def _suggestions(request: Request, connection: Connection, viewer: Viewer, text: str) -> Iterator[Suggestion]:
    say = speaker(request).gettext
    for item in _pages(viewer):
        if any(name.startswith(text.casefold()) for name in _names(item)):
            yield Suggestion(N_("Page"), say(item.label), "", item.href)
    if viewer.may(Right.RECORDS_RECORD_READ):
        yield from _records(connection, viewer.units, text)
    if viewer.may(Right.INTAKE_BATCH_CREATE):
        for batch in find_batches(connection, BatchFilters(name=text), Span(size=_FEW), units=viewer.units).lines:
            yield Suggestion(N_("Batch"), batch.name, "", f"/batches/{batch.id}")
    if viewer.may(Right.ACCESS_PERSON_READ):
        for person in find_people(connection, PeopleFilters(text=text), Span(size=_FEW)).lines:
            yield Suggestion(N_("Person"), person.name, person.login, f"/people/{person.id}")


def _records(connection: Connection, units: frozenset[UUID] | None, text: str) -> Iterator[Suggestion]:
    is_number = records.looks_like_number(text)
    filters = search.Filters(number=text) if is_number else search.Filters(name=text)
    for line in search.find(connection, filters, Span(size=_FEW), units=units).lines:
        numbers: list[Any] = [line.archival_number, line.business_number]
        label = next((one for one in numbers if one and is_number and one.startswith(text)), None)
        title = line.title or line.business_type or ""
        if label is None:
            label, title = line.customer_name or line.archival_number, f"{title} {line.archival_number}".strip()
        yield Suggestion(N_("Record"), label, title, f"/records/{line.id}")
