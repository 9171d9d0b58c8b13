"""One ledger entry: the act in words, what it is about, and the proof that it is in the signed tree."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from datetime import datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from starlette.requests import Request
from starlette.responses import Response

from vault.access.queries import actor_names, organisation
from vault.access.rights import Right
from vault.foundation.context import Context
from vault.foundation.errors import NotFoundOrNotYours
from vault.foundation.ledger import queries
from vault.foundation.ledger.checkpoint import open_note
from vault.foundation.ledger.merkle import root_of_inclusion
from vault.surfaces.i18n import Formats
from vault.surfaces.routing import Ctx, CurrentViewer, Routes
from vault.surfaces.web.pages import page, speaker
from vault.surfaces.web.story import actor_of, fields_in_words, note_of
from vault.surfaces.web.subjects import subject_of
from vault.surfaces.web.views.ledger_entry import Detail, EntryView, Proof
from vault.surfaces.web.words import detail_word

routes = Routes("", "pages", in_schema=False)
_DIGEST = re.compile(r"[0-9a-f]{64}")
_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d")


@routes.get("/ledger/entries/{entry_id}", Right.LEDGER_ENTRY_READ, response_class=Response)
def entry_page(request: Request, ctx: Ctx, viewer: CurrentViewer, entry_id: UUID) -> Response:
    """One entry with its proof, checked before it is shown."""
    say = speaker(request)
    with ctx.database.read() as connection:
        found = queries.proven_entry(connection, entry_id, ctx.custodian.public_key())
        if found is None:
            raise NotFoundOrNotYours
        line, told = found.line, json.loads(found.body)["details"]
        names = actor_names(connection, [line.actor_id] if line.actor_id else [])
        formats = Formats(say, ZoneInfo(organisation(connection).time_zone))
        subject = subject_of(connection, viewer, line.subject_type, line.subject_id)
        context = subject_of(connection, viewer, "context", line.context_id) if line.context_id else None
    view = EntryView(
        id=str(line.id),
        at=line.at,
        event=line.event,
        actor=actor_of(say, viewer, line.actor_kind, line.actor_id, names),
        subject=subject,
        context=context,
        note=note_of(formats, line.event, told),
        details=tuple(_details(formats, told)),
        canonical=found.body.decode(),
        proof=_proof(ctx, found),
        story_href=f"/ledger?subject={line.subject_id}",
    )
    return page(request, "ledger_entry.html", view, current="ledger")


def _proof(ctx: Context, found: queries.ProvenEntry) -> Proof:
    """The path of the entry to the signed root, followed before it is shown."""
    index = found.line.leaf_index
    if not found.checkpoint_note or not found.leaf_hash or index is None:
        return Proof(leaf_index=index)
    checkpoint = open_note(found.checkpoint_note, ctx.custodian.public_key())
    root = root_of_inclusion(found.leaf_hash, index, checkpoint.size, found.proof)
    return Proof(
        is_proven=root == checkpoint.root,
        leaf_index=index,
        leaf_hash_hex=found.leaf_hash.hex(),
        tree_size=checkpoint.size,
        root_hex=checkpoint.root.hex(),
        path_hex=tuple(step.hex() for step in found.proof),
    )


def _details(formats: Formats, told: Mapping[str, object]) -> Iterable[Detail]:
    for name, value in told.items():
        if value is None or value == []:
            continue
        label = detail_word(name)
        if isinstance(value, Mapping):
            yield Detail(label, parts=tuple(_details(formats, value)))
        elif isinstance(value, list) and value and isinstance(value[0], Mapping):
            for part in value:
                yield Detail(label, parts=tuple(_details(formats, part)))
        else:
            text = _value(formats, name, value)
            yield Detail(label, text, is_digest=bool(_DIGEST.fullmatch(text)))


def _value(formats: Formats, name: str, value: object) -> str:
    """A value as people read it; what is not known to be anything else stays as it is."""
    say = formats.translator
    if name == "fields" and isinstance(value, list):
        return fields_in_words(say, [str(field) for field in value])
    if isinstance(value, list):
        return say.gettext(", ").join(_value(formats, "", one) for one in value)
    if isinstance(value, bool):
        return say.gettext("yes") if value else say.gettext("no")
    if name.endswith("size_bytes") and isinstance(value, int):
        return formats.size(value)
    if isinstance(value, str) and _INSTANT.match(value):
        return formats.instant(datetime.fromisoformat(value))
    if isinstance(value, str):
        return say.gettext(detail_word(value)) if value else ""
    return formats.number(value) if isinstance(value, int) else str(value)
