"""What every list page does: filters in its address, pages by key, saved views, and who may do what with its lines.

A list page is asked by GET. Its filters come by POST to `/…/find` and go on as an address: what may name a person is
sealed into the token `s` there, everything else stands as it is.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from typing import Any, Generic
from urllib.parse import urlencode
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import Connection
from starlette.requests import Request

from vault.access.lists import views_of
from vault.access.model import Viewer
from vault.access.rights import Right
from vault.foundation.bulk import Outcome, Plan
from vault.foundation.context import Context
from vault.foundation.db.keyset import EVERYTHING, Page, Picked, Span
from vault.surfaces.lists.listing import Filters, Line, Listing, Question, Speech
from vault.surfaces.web import sealed_address
from vault.surfaces.web.pages import language_for, paging
from vault.surfaces.web.views.lists import ActField, BulkAction, Empty, ListFrame, SavedViewLink
from vault.surfaces.web.views.parts import BLANK, Form, Option

SIZE = 50
SEALED = "s"
# An archival or business number: digits and short runs of letters. Seven digits and more alone may be a person's number.
_NUMBER = re.compile(r"(?=.*[0-9])(?!.*[A-Za-z]{5})[A-Za-z0-9\-·./_]{1,80}")
_MAYBE_PERSONAL = re.compile(r"[0-9]{7,}[Xx]?")


@dataclass(frozen=True)
class Told:
    """What an address says: all filters by name, how they stand in an address, and whether the sealed ones ran out."""

    values: Mapping[str, str]
    address: Mapping[str, str]
    is_expired: bool = False


@dataclass(frozen=True)
class Act(Generic[Filters]):
    """Something that can be done to many lines: planned, then done. Texts are message ids.

    `fits` tells whether a list so narrowed can hold lines for it; `fields` are what it asks first, `undo` names the act
    that takes it back.
    """

    name: str
    right: Right
    label: str
    title: str
    confirm: str
    consequence: str
    done: str
    plan: Callable[[Connection, Viewer, Filters, Picked], Plan]
    do: Callable[[Context, Viewer, tuple[UUID, ...], Mapping[str, str]], Outcome]
    fits: Callable[[Filters], bool] = lambda _filters: True
    fields: Callable[[Speech], tuple[ActField, ...]] = lambda _speech: ()
    undo: str | None = None


@dataclass(frozen=True)
class WebList(Generic[Filters, Line]):
    """A list as a page. `parse` makes filters of what was told; `personal` names the filters that may name a person.

    `anything` are the filters that let every line through: lines that were ticked are meant whatever the list showed.

    With `numbers_stand`, what is plainly a number of a record stays readable in the address.
    """

    listing: Listing[Filters, Line]
    title: str
    open: tuple[str, ...]
    personal: tuple[str, ...]
    parse: Callable[[Mapping[str, str], Connection, ZoneInfo], Filters]
    anything: Filters
    acts: tuple[Act[Filters], ...] = ()
    numbers_stand: bool = False

    @property
    def path(self) -> str:
        """The address of the page."""
        return f"/{self.listing.name}"

    @property
    def names(self) -> tuple[str, ...]:
        """All filters."""
        return (*self.open, *self.personal)

    def act(self, name: str) -> Act[Filters] | None:
        """The act of that name."""
        return next((act for act in self.acts if act.name == name), None)


@dataclass(frozen=True)
class OpenList(Generic[Filters, Line]):
    """A list that was asked for, inside its read transaction."""

    connection: Connection
    speech: Speech
    told: Told
    filters: Filters
    question: Question[Line]
    page: Page[Line]
    frame: Callable[[Empty], ListFrame]

    @property
    def is_narrowed(self) -> bool:
        """Whether any filter is set."""
        return any(self.told.values.values())


@contextmanager
def open_list(
    request: Request, ctx: Context, viewer: Viewer, web_list: WebList[Filters, Line], *, save_form: Form = BLANK
) -> Iterator[OpenList[Filters, Line]]:
    """The page of the list that the address asks for."""
    told = told_by(ctx, web_list, request.query_params)
    with ctx.database.read() as connection:
        speech = Speech(connection, language_for(request), ctx.clock.now())
        filters = web_list.parse(told.values, connection, speech.formats.zone)
        question = web_list.listing.ask(ctx, connection, viewer, filters, EVERYTHING)
        page = question.page(_span(request.query_params))
        count = question.count_beside(page)
        view_id = request.query_params.get("view", "")

        def frame(empty: Empty) -> ListFrame:
            return ListFrame(
                name=web_list.listing.name,
                path=web_list.path,
                title=web_list.title,
                paging=paging(web_list.path, {**told.address, "view": view_id}, page, count),
                empty=empty,
                hidden=tuple(told.address.items()),
                is_narrowed=any(told.values.values()),
                is_expired=told.is_expired,
                views=_views(connection, viewer, web_list, view_id),
                may_save=viewer.kind == "person",
                may_export=viewer.may(Right.ACCESS_LIST_EXPORT),
                acts=tuple(
                    BulkAction(act.name, act.label)
                    for act in web_list.acts
                    if viewer.may(act.right) and act.fits(filters)
                ),
                newest=str(_newest(question, page)),
                save_form=save_form,
            )

        yield OpenList(connection, speech, told, filters, question, page, frame)


def told_by(ctx: Context, web_list: WebList[Any, Any], given: Mapping[str, str]) -> Told:
    """The filters that an address, or a form made from one, says.

    What may name a person is taken from its seal alone: whoever was sent an address with a name in it is told to search
    again, and nobody searches for a personal number past the ledger.
    """
    token = given.get(SEALED, "")
    sealed = sealed_address.unseal(ctx, web_list.path, token) if token else {}
    address = {name: value for name in web_list.open if (value := given.get(name, "").strip())}
    openly = {name: value for name in web_list.personal if (value := given.get(name, "").strip())}
    personal = {name: sealed[name] for name in web_list.personal if name in sealed}
    if _may_stand(web_list, openly) and not personal:
        address |= openly
        personal, openly = openly, {}
    elif personal:
        address[SEALED] = token
    values = {**dict.fromkeys(web_list.names, ""), **address, **personal}
    values.pop(SEALED, None)
    return Told(values, address, is_expired=bool(token and not sealed) or bool(openly))


def address_of(ctx: Context, web_list: WebList[Any, Any], values: Mapping[str, str], **more: str) -> str:
    """The address of the list with these filters: what may name a person goes sealed."""
    address = {name: values[name] for name in web_list.open if values.get(name)}
    personal = {name: values[name] for name in web_list.personal if values.get(name)}
    if _may_stand(web_list, personal):
        address |= personal
    elif personal:
        address[SEALED] = sealed_address.seal(ctx, web_list.path, personal)
    query = urlencode({**address, **more})
    return f"{web_list.path}?{query}" if query else web_list.path


def is_plain_number(text: str) -> bool:
    """Whether a text is plainly the number of a record: no name, and nothing that could be a number of a person."""
    return bool(_NUMBER.fullmatch(text)) and not _MAYBE_PERSONAL.fullmatch(re.sub(r"[\-·./_]", "", text))


def _may_stand(web_list: WebList[Any, Any], personal: Mapping[str, str]) -> bool:
    return web_list.numbers_stand and bool(personal) and all(map(is_plain_number, personal.values()))


def picked_by(given: Mapping[str, str], here: list[str]) -> Picked:
    """Which lines a form means: the one whose button was pressed, those ticked on all pages, or the whole list."""
    if given.get("one"):
        return Picked(ids=tuple(one for text in given["one"].split()[1:] if (one := uuid_of(text)) is not None))
    if given.get("whole_list"):
        return Picked(newest=uuid_of(given.get("newest", "")))
    told = [*here, *given.get("picked", "").split(",")]
    return Picked(ids=tuple(one for text in told if (one := uuid_of(text)) is not None))


def uuid_of(text: str) -> UUID | None:
    """The id that a text is, or nothing."""
    try:
        return UUID(text.strip()) if text.strip() else None
    except ValueError:
        return None


def day_of(text: str) -> date | None:
    """The day that a text is, or nothing."""
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        return None


def unit_options(speech: Speech, viewer: Viewer) -> tuple[Option, ...]:
    """The units that the viewer may see, to choose from."""
    return tuple(Option(str(key), name) for key, name in speech.units.items() if viewer.may_see_unit(key))


def state_options(speech: Speech, kind: str, codes: tuple[str, ...]) -> tuple[Option, ...]:
    """States of a kind of thing, to choose from."""
    return tuple(Option(code, speech.state(kind, code)) for code in codes)


def _span(given: Mapping[str, str]) -> Span:
    return Span(after=uuid_of(given.get("after", "")), before=uuid_of(given.get("before", "")), size=SIZE)


def _newest(question: Question[Any], page: Page[Any]) -> UUID | str:
    """The newest line of the whole list: what comes in after it was seen is not meant by "all of it"."""
    lines = page.lines if page.before is None else question.page(Span(size=1)).lines
    return lines[0].id if lines else ""


def _views(
    connection: Connection, viewer: Viewer, web_list: WebList[Any, Any], current: str
) -> tuple[SavedViewLink, ...]:
    if viewer.kind != "person":
        return ()
    return tuple(
        SavedViewLink(
            id=str(view.id),
            name=view.name,
            href=f"/views/{view.id}",
            is_current=str(view.id) == current,
            is_own=view.owner_id == viewer.id,
            is_shared=view.is_shared,
            shared_by="" if view.owner_id == viewer.id else view.owner_name,
        )
        for view in views_of(connection, viewer, web_list.listing.name)
    )
