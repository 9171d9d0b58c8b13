"""The ledger's pages: entries, proofs, the newest checkpoint, verification."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response

from vault.access.model import Viewer
from vault.access.queries import actor_names, actors_named
from vault.access.rights import Right
from vault.catalogue import search
from vault.foundation.db.keyset import Picked, Span
from vault.foundation.errors import N_
from vault.foundation.jobs import runs
from vault.foundation.ledger import queries
from vault.foundation.ledger.checkpoint import open_note
from vault.foundation.ledger.queries import EntryFilters
from vault.intake.queries import batch_names
from vault.oversight.jobs import TASK_VERIFY, ask_verification
from vault.oversight.model import SENTENCES, FindingCode
from vault.surfaces.lists.ledger import LEDGER
from vault.surfaces.lists.listing import Speech, day_begins, day_ends
from vault.surfaces.routing import Ctx, CurrentViewer, Routes
from vault.surfaces.web.event_words import EVENTS
from vault.surfaces.web.listing import WebList, day_of, open_list, state_options
from vault.surfaces.web.pages import actor_name, go, page, speaker
from vault.surfaces.web.views.ledger import (
    CheckpointView,
    EntryFilter,
    EntryRow,
    LedgerVerification,
    LedgerView,
    Publication,
    TimeStamp,
)
from vault.surfaces.web.views.lists import Empty
from vault.surfaces.web.views.parts import Choices, Finding, Link, Option, Progress
from vault.surfaces.web.words import STATES

routes = Routes("", "pages", in_schema=False)
_PAGES = {"record": "/records/", "batch": "/batches/", "person": "/people/", "job": "/jobs/"}


def _parse(told: Mapping[str, str], connection: Connection, zone: ZoneInfo) -> EntryFilters:
    return EntryFilters(
        event=told["event"] or None,
        actor_kind=told["actor_kind"] or None,
        actor_ids=actors_named(connection, told["who"]) if told["who"] else None,
        subject_type=told["subject_type"] or None,
        subject_id=_uuid(told["subject"]),
        at_from=day_begins(day_of(told["from_date"]), zone),
        at_before=day_ends(day_of(told["to_date"]), zone),
    )


LIST: WebList[EntryFilters, queries.EntryLine] = WebList(
    listing=LEDGER,
    title=N_("Ledger"),
    open=("event", "actor_kind", "subject_type", "subject", "from_date", "to_date"),
    personal=("who",),
    parse=_parse,
    anything=EntryFilters(),
)


@routes.get("/ledger", Right.LEDGER_ENTRY_READ, response_class=Response)
def ledger_page(request: Request, ctx: Ctx, viewer: CurrentViewer) -> Response:
    """Entries, newest first, with the newest checkpoint and verification."""
    with open_list(request, ctx, viewer, LIST) as asked:
        newest = queries.latest_checkpoint(asked.connection, ctx.custodian.public_key())
        view = LedgerView(
            list=asked.frame(_empty(is_narrowed=asked.is_narrowed)),
            filter=EntryFilter(**asked.told.values),
            choices=_choices(asked.speech),
            rows=_rows(request, asked.connection, viewer, asked.page.lines),
            checkpoint=_checkpoint(newest, ctx) if newest else None,
            pending_count=queries.pending_count(asked.connection),
            verification=_verification(request, asked.connection),
            may_verify=viewer.may(Right.LEDGER_LEDGER_VERIFY),
        )
    return page(request, "ledger.html", view, current="ledger")


def _empty(*, is_narrowed: bool) -> Empty:
    if is_narrowed:
        return Empty(N_("No entry fits these filters."), N_("Ids are found only when they are whole."))
    return Empty(N_("There are no entries yet."), N_("Every act leaves one, from signing in on."))


def _choices(speech: Speech) -> Choices:
    events = [Option(event, speech.say(word)) for event, word in EVENTS.items()]
    return Choices(
        {
            "event": tuple(sorted(events, key=lambda option: option.value)),
            "actor_kind": state_options(speech, "actor", ("person", "station", "operator", "system")),
            "subject_type": state_options(speech, "subject", tuple(STATES["subject"])),
        }
    )


@routes.post("/ledger/verify", Right.LEDGER_LEDGER_VERIFY, response_class=Response)
def verify(ctx: Ctx, viewer: CurrentViewer) -> Response:
    """Starts a verification of the whole archive."""
    ask_verification(ctx, viewer)
    return go("/ledger")


@routes.get("/ledger/progress", Right.LEDGER_ENTRY_READ)
def progress(request: Request, ctx: Ctx) -> dict[str, Any]:
    """How far the running verification is."""
    with ctx.database.read() as connection:
        run = runs.newest(connection, TASK_VERIFY)
    is_open = run is not None and run.state in {"waiting", "running"}
    return {
        "state": run.state if run else "never",
        "done": run.done if run else 0,
        "total": run.total if run else None,
        "text": speaker(request).gettext("Being verified"),
        "is_ended": not is_open,
    }


def _rows(
    request: Request, connection: Connection, viewer: Viewer, lines: tuple[queries.EntryLine, ...]
) -> tuple[EntryRow, ...]:
    names = actor_names(connection, [line.actor_id for line in lines if line.actor_id])
    subjects = _subject_names(connection, viewer, lines)
    return tuple(
        EntryRow(
            id=str(line.id),
            href=f"/ledger/entries/{line.id}",
            at=line.at,
            event=line.event,
            actor=actor_name(request, line.actor_kind, line.actor_id, names),
            subject_type=line.subject_type,
            subject=_subject(line, subjects.get(line.subject_id)),
            leaf_index=line.leaf_index,
        )
        for line in lines
    )


def _subject_names(connection: Connection, viewer: Viewer, lines: tuple[queries.EntryLine, ...]) -> dict[UUID, str]:
    """What the things are called, for those whose things the viewer may see; the others keep their ids."""

    def ids(*kinds: str) -> list[UUID]:
        return [line.subject_id for line in lines if line.subject_type in kinds]

    found: dict[UUID, str] = {}
    if viewer.may(Right.RECORDS_RECORD_READ):
        picked = Picked(tuple(ids("record")))
        seen = search.find(
            connection, search.Filters(), Span(size=len(lines) or 1), units=viewer.units, picked=picked
        )
        found |= {line.id: line.archival_number for line in seen.lines}
    if viewer.may(Right.INTAKE_BATCH_CREATE):
        found |= batch_names(connection, ids("batch"))
    if viewer.may(Right.ACCESS_PERSON_READ):
        found |= actor_names(connection, ids("person", "station"))
    return found


def _subject(line: queries.EntryLine, name: str | None = None) -> Link:
    base = _PAGES.get(line.subject_type)
    href = f"{base}{line.subject_id}" if base else f"/ledger?subject={line.subject_id}"
    return Link(name or str(line.subject_id), href)


def _checkpoint(newest: queries.LatestCheckpoint, ctx: Ctx) -> CheckpointView:
    stamp = newest.timestamps[0] if newest.timestamps else None
    return CheckpointView(
        size=newest.size,
        root=newest.root.hex(),
        at=newest.at,
        origin=open_note(newest.note, ctx.custodian.public_key()).origin,
        publications=tuple(Publication(store, at) for store, at in newest.publications),
        time_stamp=TimeStamp(stamp[1], stamp[2]) if stamp else None,
    )


def _verification(request: Request, connection: Connection) -> LedgerVerification:
    run = runs.newest(connection, TASK_VERIFY)
    if run is None:
        return LedgerVerification("never")
    if run.state in {"waiting", "running"}:
        return LedgerVerification("running", progress=Progress(run.done, run.total), progress_href="/ledger/progress")
    if run.state != "done" or run.finished_at is None or run.started_at is None:
        return LedgerVerification("never")
    findings = tuple(_finding(request, told) for told in run.result.get("findings", []))
    return LedgerVerification(
        "findings" if run.result.get("findings_count") else "clean",
        at=run.finished_at,
        entries_count=int(run.result.get("entries", 0)),
        seconds=(run.finished_at - run.started_at).total_seconds(),
        findings=findings,
    )


def _finding(request: Request, told: dict[str, Any]) -> Finding:
    sentence = speaker(request).gettext(SENTENCES[FindingCode(told["code"])]).format(**told["facts"])
    base = _PAGES.get(told["subject_type"])
    return Finding(sentence, told["subject_id"], f"{base}{told['subject_id']}" if base else None)


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text.strip()) if text.strip() else None
    except ValueError:
        return UUID(int=0)  # nothing is about it: the list is empty, as it must be
