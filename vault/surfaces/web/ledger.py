"""The ledger's pages: entries, proofs, the newest checkpoint, verification."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response

from vault.access.queries import actor_names
from vault.access.rights import Right
from vault.foundation.jobs import runs
from vault.foundation.ledger import queries
from vault.foundation.ledger.checkpoint import open_note
from vault.oversight.jobs import TASK_VERIFY, ask_verification
from vault.oversight.model import SENTENCES, FindingCode
from vault.surfaces.routing import Ctx, CurrentViewer, Routes
from vault.surfaces.web.pages import actor_name, go, page, paging, speaker
from vault.surfaces.web.views.ledger import (
    CheckpointView,
    EntryFilter,
    EntryRow,
    LedgerVerification,
    LedgerView,
    Publication,
    TimeStamp,
)
from vault.surfaces.web.views.parts import Choices, Finding, Link, Option, Progress
from vault.surfaces.web.words import EVENTS

routes = Routes("", "pages", in_schema=False)
_SIZE = 50
_PAGES = {"record": "/records/", "batch": "/batches/", "person": "/people/", "job": "/jobs/"}


@routes.get("/ledger", Right.LEDGER_ENTRY_READ, response_class=Response)
def ledger_page(
    request: Request, ctx: Ctx, event: str = "", subject: str = "", after: UUID | None = None
) -> Response:
    """Entries, newest first, with the newest checkpoint and verification."""
    with ctx.database.read() as connection:
        lines = queries.recent_entries(
            connection, event=event or None, subject_id=_uuid(subject), after=after, size=_SIZE + 1
        )
        shown = lines[:_SIZE]
        newest = queries.latest_checkpoint(connection)
        view = LedgerView(
            filter=EntryFilter(event=event, subject=subject),
            choices=Choices({"event": _event_options(request)}),
            rows=_rows(request, connection, shown),
            paging=paging(
                "/ledger",
                {"event": event, "subject": subject},
                total=newest.size if newest and not (event or subject) else len(shown),
                shown=len(shown),
                before=after,
                after=shown[-1].id if len(lines) > _SIZE else None,
            ),
            checkpoint=_checkpoint(newest, ctx) if newest else None,
            pending_count=queries.pending_count(connection),
            verification=_verification(request, connection),
        )
    return page(request, "ledger.html", view, current="ledger")


@routes.post("/ledger/verify", Right.LEDGER_LEDGER_VERIFY, response_class=Response)
def verify(ctx: Ctx, viewer: CurrentViewer) -> Response:
    """Starts a verification of the whole archive."""
    ask_verification(ctx, viewer)
    return go("/ledger")


@routes.get("/ledger/progress", Right.LEDGER_ENTRY_READ)
def progress(request: Request, ctx: Ctx) -> dict[str, Any]:
    """How far the running verification is."""
    with ctx.database.read() as connection:
        found = runs.list_runs(connection, task=TASK_VERIFY, size=1)
    run = found[0] if found else None
    is_open = run is not None and run.state in {"waiting", "running"}
    return {
        "state": run.state if run else "never",
        "done": run.done if run else 0,
        "total": run.total if run else None,
        "text": speaker(request).gettext("Being verified"),
        "is_ended": not is_open,
    }


def _rows(request: Request, connection: Connection, lines: tuple[queries.EntryLine, ...]) -> tuple[EntryRow, ...]:
    names = actor_names(connection, [line.actor_id for line in lines if line.actor_id])
    return tuple(
        EntryRow(
            id=str(line.id),
            href=f"/ledger/entries/{line.id}",
            at=line.at,
            event=line.event,
            actor=actor_name(request, line.actor_kind, line.actor_id, names),
            subject_type=line.subject_type,
            subject=_subject(line),
            leaf_index=line.leaf_index,
        )
        for line in lines
    )


def _subject(line: queries.EntryLine) -> Link:
    base = _PAGES.get(line.subject_type)
    return Link(str(line.subject_id), f"{base}{line.subject_id}" if base else f"/ledger?subject={line.subject_id}")


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
    found = runs.list_runs(connection, task=TASK_VERIFY, size=1)
    if not found:
        return LedgerVerification("never")
    run = found[0]
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


def _event_options(request: Request) -> tuple[Option, ...]:
    say = speaker(request).gettext
    return tuple(Option(event, say(word)) for event, word in sorted(EVENTS.items()))


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text.strip()) if text.strip() else None
    except ValueError:
        return UUID(int=0)  # nothing is about it: the list is empty, as it must be
