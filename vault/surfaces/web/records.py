"""The list of records, with its search."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from fastapi import Form as Field
from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response

from retention_rules.identifiers import normalised_identifier
from retention_rules.model import What
from retention_rules.words import say_what
from vault.access.model import Viewer
from vault.access.rights import Right
from vault.catalogue import reading, search
from vault.catalogue.describe import title_of
from vault.catalogue.model import FieldKind, RecordStatus
from vault.catalogue.search import RecordLine
from vault.foundation.errors import N_, InvalidInput
from vault.surfaces.lists.listing import Speech
from vault.surfaces.lists.records import RECORDS
from vault.surfaces.routing import Ctx, CurrentViewer, Routes
from vault.surfaces.web import words
from vault.surfaces.web.listing import (
    OpenList,
    WebList,
    address_of,
    day_of,
    is_plain_number,
    open_list,
    state_options,
    unit_options,
    uuid_of,
)
from vault.surfaces.web.pages import form_with, go, page
from vault.surfaces.web.views import labels
from vault.surfaces.web.views.lists import Empty
from vault.surfaces.web.views.parts import BLANK, Action, Choices, Form, Option
from vault.surfaces.web.views.records import RecordFilter, RecordListView, RecordRow

routes = Routes("", "pages", in_schema=False)
Text = Annotated[str, Field()]


def _parse(told: Mapping[str, str], _connection: Connection, _zone: ZoneInfo) -> search.Filters:
    q = told["q"]
    is_number = bool(q) and looks_like_number(q)
    return search.Filters(
        number=q if is_number else None,
        name=q if q and not is_number else None,
        business_type=told["business_type"] or None,
        class_code=told["class_code"] or None,
        unit_id=uuid_of(told["unit"]),
        status=told["state"] if told["state"] in set(RecordStatus) else None,
        occurred_from=day_of(told["from_date"]),
        occurred_until=day_of(told["to_date"]),
        batch_id=uuid_of(told["batch"]),
        due_from=day_of(told["due_from"]),
        due_until=day_of(told["due_to"]),
        what=told["what"] if told["what"] in set(What) else None,
        personal=(FieldKind(told["kind"]), told["value"]) if told["kind"] in set(FieldKind) else None,
    )


LIST: WebList[search.Filters, RecordLine] = WebList(
    listing=RECORDS,
    title=N_("Records"),
    open=(
        "business_type",
        "unit",
        "class_code",
        "state",
        "from_date",
        "to_date",
        "batch",
        "due_from",
        "due_to",
        "what",
    ),
    personal=("q", "kind", "value"),
    parse=_parse,
    anything=search.Filters(),
    numbers_stand=True,
)


@routes.get("/records", Right.RECORDS_RECORD_READ, response_class=Response)
def records_page(request: Request, ctx: Ctx, viewer: CurrentViewer) -> Response:
    """The list of records that the viewer may see."""
    with open_list(request, ctx, viewer, LIST) as asked:
        view = _view(viewer, asked, BLANK)
    return page(request, "records.html", view, current="records", search=asked.told.values["q"])


@routes.post("/records/search", Right.RECORDS_RECORD_READ, response_class=Response)
def search_personal(request: Request, ctx: Ctx, viewer: CurrentViewer, kind: Text = "", value: Text = "") -> Response:
    """A search for a whole personal number; the number goes sealed and the ledger notes that somebody was sought."""
    wanted = normalised_identifier(kind, value) if kind in set(FieldKind) else ""
    if not wanted:
        error = InvalidInput(field="value", problem=N_("a whole number is needed"))
        form = form_with(request, {"kind": kind}, error, "value")
        with open_list(request, ctx, viewer, LIST) as asked:
            view = _view(viewer, asked, form)
        return page(request, "records.html", view, current="records", status=422)
    reading.witness_personal_search(ctx, viewer, FieldKind(kind))
    return go(address_of(ctx, LIST, {"kind": kind, "value": wanted}))


def looks_like_number(text: str) -> bool:
    """Whether a search means a number (of a record, or a person's) and not part of a name."""
    return is_plain_number(text) or (
        any(character.isdigit() for character in text)
        and all((character.isascii() and character.isalnum()) or character in "-·./_" for character in text)
    )


def _view(viewer: Viewer, asked: OpenList[search.Filters, RecordLine], form: Form) -> RecordListView:
    values, query = asked.told.values, urlencode(asked.told.address)
    actions: tuple[Action, ...] = ()
    if viewer.may(Right.INTAKE_ITEM_SEND):
        actions = (Action(labels.SEND_SCANS, "/intake", tone="primary", icon="intake"),)
    return RecordListView(
        list=asked.frame(_empty(viewer, actions, values, is_narrowed=asked.is_narrowed)),
        filter=RecordFilter(**{name: value for name, value in values.items() if name not in {"kind", "value"}}),
        choices=_choices(viewer, asked.connection, asked.speech),
        rows=tuple(_row(line, asked.speech, query) for line in asked.page.lines),
        may_search_personal=viewer.may(Right.RECORDS_FIELD_UNMASK),
        is_personal_search=bool(values["kind"]),
        personal_form=form,
        actions=actions,
    )


def _empty(viewer: Viewer, actions: tuple[Action, ...], told: Mapping[str, str], *, is_narrowed: bool) -> Empty:
    if told["q"] and looks_like_number(told["q"]) and not is_plain_number(told["q"]):
        return Empty(
            N_("No record has this number."),
            N_("Is it a person's id, card or telephone number? Then use the search for whole personal numbers above.")
            if viewer.may(Right.RECORDS_FIELD_UNMASK)
            else N_("People's own numbers are found only by those who may see them."),
        )
    if is_narrowed:
        return Empty(
            N_("No record that you may see fits these filters."),
            N_("Part of a name is enough. Numbers are found from their first sign on."),
        )
    if actions:
        return Empty(
            N_("There are no records yet."),
            N_("Send the first scans on the intake page, or set up a scanning station."),
            actions,
        )
    if viewer.units is not None:
        return Empty(
            N_("Your unit has no records yet."), N_("They appear here as soon as its clerks or stations send scans.")
        )
    return Empty(N_("There are no records yet."), N_("They appear here as soon as clerks or stations send scans."))


def _choices(viewer: Viewer, connection: Connection, speech: Speech) -> Choices:
    return Choices(
        {
            "unit": unit_options(speech, viewer),
            "class_code": tuple(Option(code, name) for code, name in speech.classes.items()),
            "state": state_options(speech, "record", tuple(RecordStatus)),
            "what": tuple(
                Option(what.value, say_what(what, speech.language.value)) for what in What if what is not What.HELD
            ),
            "business_type": tuple(Option(kind, kind) for kind in search.business_types(connection)),
            "personal_kind": tuple(Option(kind, speech.say(words.personal_field(kind))) for kind in FieldKind),
        }
    )


def _row(line: RecordLine, speech: Speech, query: str) -> RecordRow:
    class_name = speech.classes.get(line.class_code, line.class_code)
    day = line.occurred_date or line.received_at.astimezone(speech.formats.zone).date()
    return RecordRow(
        id=str(line.id),
        href=f"/records/{line.id}?{query}" if query else f"/records/{line.id}",
        archival_number=line.archival_number,
        business_number=line.business_number or "",
        title=title_of(line.title, line.business_type, class_name, day),
        customer_name=line.customer_name or "",
        unit=speech.units.get(line.unit_id, ""),
        class_name=class_name,
        occurred_date=line.occurred_date,
        page_count=line.page_count,
        state=line.status,
        lock_until=line.lock_until,
    )
