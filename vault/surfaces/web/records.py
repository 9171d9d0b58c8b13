"""The list of records with its search."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated
from uuid import UUID

from fastapi import Form as Field
from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response

from retention_rules.identifiers import normalised_identifier
from vault.access.model import Viewer
from vault.access.queries import all_units
from vault.access.rights import Right
from vault.catalogue import reading, search
from vault.catalogue.model import FieldKind
from vault.foundation.errors import N_, NotFoundOrNotYours
from vault.retention.queries import classes_in_effect
from vault.surfaces.i18n import Language
from vault.surfaces.routing import Ctx, CurrentViewer, Routes
from vault.surfaces.web import search_token
from vault.surfaces.web.pages import go, language_for, page, paging, speaker
from vault.surfaces.web.views import labels
from vault.surfaces.web.views.parts import BLANK, Action, Choices, Option
from vault.surfaces.web.views.records import RecordFilter, RecordListView, RecordRow

routes = Routes("", "pages", in_schema=False)
_SIZE = 50
_OPEN_FILTERS = ("business_type", "unit", "class_code", "state", "from_date", "to_date")
_KIND_WORDS = {
    FieldKind.ID_NUMBER: N_("id number"),
    FieldKind.CARD_NUMBER: N_("card number"),
    FieldKind.PHONE: N_("telephone"),
}
Text = Annotated[str, Field()]


@routes.post("/search", Right.RECORDS_RECORD_READ, response_class=Response)
def search_box(ctx: Ctx, q: Text = "") -> Response:
    """The search at the top: a number stays in the address, a name is sealed."""
    return go(_list_address(ctx, {"q": q.strip()}))


@routes.post("/records", Right.RECORDS_RECORD_READ, response_class=Response)
def filter_records(
    ctx: Ctx,
    q: Text = "",
    business_type: Text = "",
    unit: Text = "",
    class_code: Text = "",
    state: Text = "",
    from_date: Text = "",
    to_date: Text = "",
) -> Response:
    """The filters of the list, turned into an address without names in it."""
    wanted = {"q": q.strip(), "business_type": business_type, "unit": unit, "class_code": class_code}
    return go(_list_address(ctx, {**wanted, "state": state, "from_date": from_date, "to_date": to_date}))


@routes.post("/records/search", Right.RECORDS_RECORD_READ, response_class=Response)
def search_personal(ctx: Ctx, viewer: CurrentViewer, kind: Text = "", value: Text = "") -> Response:
    """A search for a whole personal number; the number goes sealed."""
    if kind not in set(FieldKind):
        raise NotFoundOrNotYours
    reading.witness_personal_search(ctx, viewer, FieldKind(kind))
    return go(f"/records?s={search_token.seal(ctx, {'kind': kind, 'value': normalised_identifier(kind, value)})}")


@routes.get("/records", Right.RECORDS_RECORD_READ, response_class=Response)
def records_page(
    request: Request,
    ctx: Ctx,
    viewer: CurrentViewer,
    after: UUID | None = None,
    before: UUID | None = None,
    s: str = "",
) -> Response:
    """The list of records that the viewer may see."""
    told = {name: request.query_params.get(name, "") for name in ("q", *_OPEN_FILTERS)}
    sealed = search_token.unseal(ctx, s) if s else {}
    told["q"] = sealed.get("q", told["q"])
    with ctx.database.read() as connection:
        filters = _filters(told, sealed)
        tokens: tuple[bytes, ...] = ()
        if filters.personal is not None:
            tokens = tuple(ctx.keyring.blind_tokens(connection, filters.personal[0].value, filters.personal[1]))
        found = search.find(
            connection, filters, units=viewer.units, blind_tokens=tokens, after=after, before=before, size=_SIZE
        )
        total = search.count(connection, filters, units=viewer.units, blind_tokens=tokens, page=found)
        view = _list_view(
            request, connection, viewer, told, {**told, "s": s} if s else told, found, total, ctx.clock.now()
        )
    return page(request, "records.html", view, current="records", search=told["q"])


def _list_address(ctx: Ctx, wanted: dict[str, str]) -> str:
    """Numbers stay readable in the address; whatever may be a name goes sealed."""
    from urllib.parse import urlencode

    kept = {name: value for name, value in wanted.items() if value and name != "q"}
    if wanted.get("q"):
        key = "q" if _is_number(wanted["q"]) else "s"
        kept[key] = wanted["q"] if key == "q" else search_token.seal(ctx, {"q": wanted["q"]})
    return f"/records?{urlencode(kept)}" if kept else "/records"


def _is_number(text: str) -> bool:
    return any(character.isdigit() for character in text) and all(
        (character.isascii() and character.isalnum()) or character in "-·./_" for character in text
    )


def _filters(told: dict[str, str], sealed: dict[str, str]) -> search.Filters:
    q = told["q"]
    return search.Filters(
        number=q if q and _is_number(q) else None,
        name=q if q and not _is_number(q) else None,
        business_type=told["business_type"] or None,
        class_code=told["class_code"] or None,
        unit_id=_uuid(told["unit"]),
        status=told["state"] if told["state"] in {"received", "filed"} else None,
        occurred_from=_day(told["from_date"]),
        occurred_until=_day(told["to_date"]),
        personal=(FieldKind(sealed["kind"]), sealed["value"]) if "kind" in sealed else None,
    )


def _list_view(
    request: Request,
    connection: Connection,
    viewer: Viewer,
    told: dict[str, str],
    address: dict[str, str],
    found: search.Page,
    total: int,
    now: datetime,
) -> RecordListView:
    english = language_for(request) is Language.EN
    classes = {k.code: k.name_en if english else k.name_zh for k in classes_in_effect(connection, now)}
    units = {unit.id: unit.name_en if english else unit.name_zh for unit in all_units(connection)}
    if "s" in address:
        address = {**address, "q": ""}
    say = speaker(request).gettext
    choices = {
        "unit": tuple(Option(str(key), name) for key, name in units.items() if viewer.may_see_unit(key)),
        "class_code": tuple(Option(code, name) for code, name in classes.items()),
        "state": (Option("received", say(N_("To be filed"))), Option("filed", say(N_("Filed")))),
        "business_type": tuple(Option(kind, kind) for kind in search.business_types(connection)),
        "personal_kind": tuple(Option(kind.value, say(word)) for kind, word in _KIND_WORDS.items()),
    }
    return RecordListView(
        filter=RecordFilter(**told),
        choices=Choices(choices),
        rows=tuple(_row(line, units, classes) for line in found.lines),
        paging=paging(
            "/records", address, total=total, shown=len(found.lines), before=found.before, after=found.after
        ),
        may_search_personal=viewer.may(Right.RECORDS_FIELD_UNMASK),
        personal_form=BLANK,
        actions=(Action(labels.SEND_SCANS, "/intake", tone="primary"),) if viewer.may(Right.INTAKE_ITEM_SEND) else (),
    )


def _row(line: search.RecordLine, units: dict[UUID, str], classes: dict[str, str]) -> RecordRow:
    return RecordRow(
        id=str(line.id),
        href=f"/records/{line.id}",
        archival_number=line.archival_number,
        business_number=line.business_number or "",
        title=line.title or line.business_type or line.archival_number,
        customer_name=line.customer_name or "",
        unit=units.get(line.unit_id, ""),
        class_name=classes.get(line.class_code, line.class_code),
        occurred_date=line.occurred_date,
        page_count=line.page_count,
        state=line.status,
        lock_until=line.lock_until,
    )


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text) if text else None
    except ValueError:
        return None


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        return None
