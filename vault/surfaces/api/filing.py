"""Filing, classes of records, and why a record is here."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any
from uuid import UUID

from fastapi import Query, Request
from pydantic import Field, model_validator
from sqlalchemy import Connection

from retention_rules import shipped, words
from retention_rules.answers import answer
from vault.access.approvals import get_proposal
from vault.access.queries import actor_names
from vault.access.rights import Right
from vault.catalogue import reading
from vault.retention import filing, reclassification, trust
from vault.retention.model import Classification
from vault.retention.queries import list_reclassifications, waiting_locks
from vault.retention.why import Explanation, explain
from vault.surfaces.api.schedule import Comment, Model, proposal_body
from vault.surfaces.i18n import Language, translator
from vault.surfaces.law_words import standing_in_words
from vault.surfaces.problems import language_of
from vault.surfaces.routing import Ctx, CurrentViewer, Routes

routes = Routes("", "filing")
Size = Annotated[int, Query(ge=1, le=200)]


class ToFile(Model):
    """Records, or a batch; not both."""

    record_ids: list[UUID] = Field(default_factory=list)
    batch_id: UUID | None = None

    @model_validator(mode="after")
    def _one_of_both(self) -> ToFile:
        if bool(self.record_ids) == (self.batch_id is not None):
            raise ValueError("either record_ids or batch_id")
        return self


class NewClass(Model):
    """Another class for a record; of a filed one with a reason."""

    class_code: str
    reason: str = ""


class Trusted(Model):
    """A station whose clean scans of a class are filed after some days."""

    station_id: UUID
    class_code: str
    waits_days: int = 1


class Untrusted(Model):
    """A station and a class."""

    station_id: UUID
    class_code: str


@routes.get("/records/{record_id}/why", Right.RECORDS_RECORD_READ)
def show_why(
    request: Request,
    ctx: Ctx,
    viewer: CurrentViewer,
    record_id: UUID,
    on: date | None = None,
    known: date | None = None,
) -> dict[str, Any]:
    """Why the record is here: today, or on a day, with the knowledge of that day or of another one.

    Asking is looking at the record: it leaves `catalogue:pages:view`.
    """
    told = explain(ctx, viewer, record_id, on, known)
    reading.witness_looking(ctx, viewer, record_id)
    with ctx.database.read() as connection:
        return why_body(connection, told, language_of(request))


@routes.post("/filing", Right.RETENTION_RECORD_FILE)
def file_records(ctx: Ctx, viewer: CurrentViewer, wanted: ToFile) -> dict[str, Any]:
    """Confirms quality and class of records; their locks follow in the background."""
    if wanted.batch_id is not None:
        told = filing.file_batch(ctx, viewer, wanted.batch_id)
    else:
        told = filing.file(ctx, viewer, wanted.record_ids)
    return {"records": [{"record_id": str(one.record_id), "outcome": one.outcome.value} for one in told]}


@routes.get("/filing/waiting", Right.RETENTION_RECORD_FILE)
def list_waiting(
    ctx: Ctx,
    hindered: bool = False,  # noqa: FBT001, FBT002 - a parameter of the address
    after: UUID | None = None,
    size: Size = 50,
) -> dict[str, Any]:
    """Records whose lock is still to be set; only those that something hinders, when asked."""
    with ctx.database.read() as connection:
        found = waiting_locks(connection, only_hindered=hindered, after=after, size=size)
    rows = [
        {
            "record_id": str(one.record_id),
            "asked_at": one.asked_at.isoformat(),
            "not_before": one.not_before.isoformat(),
            "intended_date": one.intended_date.isoformat() if one.intended_date else None,
            "attempts": one.attempts,
            "problem": one.problem,
        }
        for one in found
    ]
    return {"waiting": rows, "after": rows[-1]["record_id"] if len(rows) == size else None}


@routes.post("/records/{record_id}/filing/stop", Right.RETENTION_RECORD_FILE)
def stop_filing(ctx: Ctx, viewer: CurrentViewer, record_id: UUID) -> dict[str, Any]:
    """Takes a filing back whose locks are not being set yet."""
    filing.stop_filing(ctx, viewer, record_id)
    return {"record_id": str(record_id), "stopped": True}


@routes.post("/records/{record_id}/class", Right.RECORDS_RECORD_CLASSIFY)
def classify(ctx: Ctx, viewer: CurrentViewer, record_id: UUID, new: NewClass) -> dict[str, Any]:
    """Another class: at once before filing, afterwards as a proposal to a second person."""
    return _classification_body(reclassification.classify(ctx, viewer, record_id, new.class_code, new.reason))


@routes.get("/reclassifications", Right.RETENTION_EVENT_READ)
def list_proposed(ctx: Ctx, viewer: CurrentViewer, after: UUID | None = None, size: Size = 50) -> dict[str, Any]:
    """Other classes for filed records that wait for approval."""
    with ctx.database.read() as connection:
        found = list_reclassifications(connection, viewer, after=after, size=size)
        rows = [
            {
                **_classification_body(one),
                "proposal": proposal_body(connection, get_proposal(connection, one.proposal_id)),
            }
            for one in found
            if one.proposal_id is not None
        ]
    return {"reclassifications": rows, "after": str(found[-1].id) if len(found) == size else None}


@routes.post("/reclassifications/{classification_id}/approve", Right.RETENTION_RECLASSIFICATION_APPROVE)
def approve(ctx: Ctx, viewer: CurrentViewer, classification_id: UUID, said: Comment) -> dict[str, Any]:
    """Approves another class for a filed record as the second person."""
    return _classification_body(reclassification.approve(ctx, viewer, classification_id, said.comment))


@routes.post("/reclassifications/{classification_id}/refuse", Right.RETENTION_RECLASSIFICATION_APPROVE)
def refuse(ctx: Ctx, viewer: CurrentViewer, classification_id: UUID, said: Comment) -> dict[str, Any]:
    """Refuses another class for a reason."""
    return _classification_body(reclassification.refuse(ctx, viewer, classification_id, said.comment))


@routes.get("/filing/trusted", Right.RETENTION_SCHEDULE_READ)
def list_trusted(ctx: Ctx) -> dict[str, Any]:
    """Stations and classes whose clean scans are filed by rule."""
    with ctx.database.read() as connection:
        found = trust.list_trust(connection)
        names = actor_names(connection, [who for one in found for who in (one.station_id, one.trusted_by)])
    return {"trusted": [{**_trust_body(one), "station": names.get(one.station_id)} for one in found]}


@routes.post("/filing/trusted", Right.RETENTION_STATION_TRUST)
def trust_station(ctx: Ctx, viewer: CurrentViewer, wanted: Trusted) -> dict[str, Any]:
    """Lets clean scans of a class from a station be filed by rule, from now on."""
    return _trust_body(trust.trust(ctx, viewer, wanted.station_id, wanted.class_code, wanted.waits_days))


@routes.post("/filing/trusted/end", Right.RETENTION_STATION_TRUST)
def distrust_station(ctx: Ctx, viewer: CurrentViewer, wanted: Untrusted) -> dict[str, Any]:
    """Ends it."""
    trust.distrust(ctx, viewer, wanted.station_id, wanted.class_code)
    return {"station_id": str(wanted.station_id), "class_code": wanted.class_code, "trusted": False}


def why_body(connection: Connection, told: Explanation, language: Language) -> dict[str, Any]:
    """Why a record is here, in the words of the asker's language."""
    names = actor_names(connection, [said.person_id for said in told.approved_by])
    version = told.schedule
    standing = told.lock_standing
    return {
        "record_id": str(told.record_id),
        **answer(told.decision, language.value, shipped.event_names()),
        "lock_standing": standing,
        "lock_standing_text": standing_in_words(translator(language), standing) if standing else None,
        "known_at": told.known_at.isoformat(),
        "next": None
        if told.next_what is None or told.decision.next_date is None
        else {
            "date": told.decision.next_date.isoformat(),
            "decision": told.next_what.value,
            "text": words.say_what(told.next_what, language.value),
        },
        "holds": [
            {"matter": hold.matter, "placed_date": hold.placed_date.isoformat() if hold.placed_date else None}
            for hold in told.decision.facts.holds
        ],
        "locks": [
            {"store": one.store, "mode": one.mode, "until": one.until.isoformat(), "copies": one.copies}
            for one in told.locks
        ],
        "schedule": {
            "version": version.number,
            "effective_date": version.effective_date.isoformat() if version.effective_date else None,
            "approved_at": version.approved_at.isoformat() if version.approved_at else None,
            "approved_by": [
                {"name": names.get(said.person_id), "at": said.at.isoformat()} for said in told.approved_by
            ],
        },
    }


def _classification_body(told: Classification) -> dict[str, Any]:
    return {
        "id": str(told.id),
        "record_id": str(told.record_id),
        "from_class": told.from_class,
        "to_class": told.to_class,
        "reason": told.reason,
        "after_filing": told.is_after_filing,
        "proposed_at": told.proposed_at.isoformat(),
        "in_effect": told.known_at is not None,
    }


def _trust_body(told: trust.Trust) -> dict[str, Any]:
    return {"station_id": str(told.station_id), "class_code": told.class_code, "waits_days": told.waits_days}
