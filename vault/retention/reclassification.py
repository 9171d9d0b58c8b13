"""Another class for a record: free before it is filed; afterwards with a reason, a second person, and never shorter.

A filed record has been promised to be kept. Another class may lengthen that promise; one that is not known to keep the
record at least as long is refused, when it is proposed and again when it is approved (invariant R1).
"""

from __future__ import annotations

import hashlib
from uuid import UUID

from sqlalchemy.exc import IntegrityError

from retention_rules.model import Facts
from vault.access import approvals
from vault.access.approvals import ProposalState
from vault.access.model import Viewer
from vault.access.queries import unit_by_id
from vault.access.rights import Right
from vault.catalogue import service as catalogue
from vault.catalogue.classes import change_class
from vault.catalogue.errors import ReasonNeeded
from vault.catalogue.model import RecordStatus
from vault.catalogue.queries import RecordView, get_record
from vault.catalogue.service import Changing
from vault.catalogue.witnessing import digests
from vault.foundation.context import Context
from vault.foundation.db.transaction import Transaction
from vault.foundation.errors import NotFoundOrNotYours
from vault.foundation.ids import new_id
from vault.retention.book import read_book
from vault.retention.dossier import facts_now
from vault.retention.due_dates import settle
from vault.retention.errors import AlreadyProposed, NeverShorter, SameClass
from vault.retention.filing import require_not_being_locked
from vault.retention.lengths import keeps_at_least_as_long
from vault.retention.model import RECLASSIFICATION_APPROVALS_NEEDED, Act, Classification, Event
from vault.retention.queries import classification_of
from vault.retention.tables import classifications

REASON_LENGTH_MIN, REASON_LENGTH_MAX = 4, 500


def classify(ctx: Context, viewer: Viewer, record_id: UUID, class_code: str, reason: str = "") -> Classification:
    """Gives a record another class: at once while it is to be filed, else as a proposal to a second person.

    Before filing it leaves `catalogue:record:reclassify`, and the record gets a new archival number, which tells category
    and period. Afterwards it leaves `retention:reclassification:propose`.

    Raises:
        NotAllowed: the viewer lacks `records:record:classify`.
        NotFoundOrNotYours, UnknownClass, SameClass, BeingLocked.
        ReasonNeeded, NeverShorter, AlreadyProposed: of a filed record.
    """
    viewer.require(Right.RECORDS_RECORD_CLASSIFY)
    reason = " ".join(reason.split())[:REASON_LENGTH_MAX]
    with ctx.database.transaction(viewer.actor) as tx:
        get_record(tx.connection, viewer, record_id)  # before its row is locked, so that strangers wait for nothing
        catalogue.hold_still(tx, [record_id])
        record = get_record(tx.connection, viewer, record_id)
        if record.class_code == class_code:
            raise SameClass(class_code=class_code)
        lawbook = read_book(tx.connection)
        now = tx.clock.now()
        lawbook.class_in_effect(class_code, lawbook.day_of(now), now)
        if record.status is RecordStatus.RECEIVED:
            classification_id = _at_once(tx, viewer, record, class_code, reason)
        else:
            classification_id = _propose(tx, viewer, record, class_code, reason)
        told = classification_of(tx.connection, classification_id)
        tx.commit()
    return told


def approve(ctx: Context, viewer: Viewer, classification_id: UUID, comment: str = "") -> Classification:
    """Approves another class for a filed record, which takes effect at once. Leaves `catalogue:record:reclassify`.

    Raises:
        NotAllowed: the viewer lacks `retention:reclassification:approve`.
        NeedsPerson, OwnProposal, ProposalSettled: the viewer is not one who may approve this one.
        NotFoundOrNotYours, UnknownClass, NeverShorter.
    """
    viewer.require(Right.RETENTION_RECLASSIFICATION_APPROVE)
    with ctx.database.transaction(viewer.actor) as tx:
        wanted = _proposed(tx, viewer, classification_id)
        changing = catalogue.begin_changes(tx, [wanted.record_id])
        _require_not_shorter(tx, wanted.record_id, wanted.to_class)
        assert wanted.proposal_id is not None
        proposal = approvals.approve(tx, viewer, wanted.proposal_id, comment)
        if proposal.state is ProposalState.APPROVED:
            tx.connection.execute(
                classifications.update()
                .where(classifications.c.id == classification_id)
                .values(known_at=tx.clock.now())
            )
            _put_into_effect(tx, wanted.record_id, changing[wanted.record_id], wanted.to_class, unit_code=None)
        told = classification_of(tx.connection, classification_id)
        tx.commit()
    return told


def refuse(ctx: Context, viewer: Viewer, classification_id: UUID, comment: str) -> Classification:
    """Refuses another class for a reason. Leaves `retention:reclassification:refuse`.

    Raises:
        NotAllowed: the viewer lacks `retention:reclassification:approve`.
        NeedsPerson, OwnProposal, ProposalSettled, NotFoundOrNotYours, InvalidInput.
    """
    viewer.require(Right.RETENTION_RECLASSIFICATION_APPROVE)
    with ctx.database.transaction(viewer.actor) as tx:
        wanted = _proposed(tx, viewer, classification_id)
        assert wanted.proposal_id is not None
        approvals.refuse(tx, viewer, wanted.proposal_id, comment)
        tx.witness(
            Event.RECLASSIFICATION_REFUSED,
            "record",
            wanted.record_id,
            context_id=wanted.proposal_id,
            classification_id=str(classification_id),
        )
        told = classification_of(tx.connection, classification_id)
        tx.commit()
    return told


def _at_once(tx: Transaction, viewer: Viewer, record: RecordView, class_code: str, reason: str) -> UUID:
    require_not_being_locked(tx, record.id)
    changing = catalogue.begin_changes(tx, [record.id])
    classification_id = _enter(tx, viewer, record, class_code, reason, None)
    unit_code = unit_by_id(tx.connection, record.unit_id).code
    _put_into_effect(tx, record.id, changing[record.id], class_code, unit_code=unit_code)
    return classification_id


def _propose(tx: Transaction, viewer: Viewer, record: RecordView, class_code: str, reason: str) -> UUID:
    if len(reason) < REASON_LENGTH_MIN:
        raise ReasonNeeded(length_min=REASON_LENGTH_MIN)
    _require_not_shorter(tx, record.id, class_code)
    changing = catalogue.begin_changes(tx, [record.id])
    digest = hashlib.sha256(f"{record.id}\n{record.class_code}\n{class_code}\n{reason}".encode()).digest()
    try:
        proposal_id = approvals.propose(
            tx, viewer, Act.RECLASSIFY, record.id, digest, approvals_needed=RECLASSIFICATION_APPROVALS_NEEDED
        )
    except IntegrityError as error:
        raise AlreadyProposed from error
    classification_id = _enter(tx, viewer, record, class_code, reason, proposal_id)
    tx.witness(
        Event.RECLASSIFICATION_PROPOSED,
        "record",
        record.id,
        context_id=proposal_id,
        revision=changing[record.id].revision,
        classification_id=str(classification_id),
        before=record.class_code,
        after=class_code,
        digests=digests(tx.connection, changing, [classifications])[record.id],
    )
    return classification_id


def _enter(
    tx: Transaction, viewer: Viewer, record: RecordView, class_code: str, reason: str, proposal_id: UUID | None
) -> UUID:
    classification_id = new_id()
    now = tx.clock.now()
    tx.connection.execute(
        classifications.insert(),
        {
            "id": classification_id,
            "record_id": record.id,
            "from_class": record.class_code,
            "to_class": class_code,
            "reason": reason,
            "is_after_filing": proposal_id is not None,
            "proposal_id": proposal_id,
            "proposed_by_kind": viewer.kind,
            "proposed_by": viewer.id,
            "proposed_at": now,
            "known_at": now if proposal_id is None else None,
        },
    )
    return classification_id


def _put_into_effect(
    tx: Transaction, record_id: UUID, changing: Changing, class_code: str, *, unit_code: str | None
) -> None:
    lawbook = read_book(tx.connection)
    now = tx.clock.now()
    definition = lawbook.class_in_effect(class_code, lawbook.day_of(now), now)
    told = digests(tx.connection, {record_id: changing}, [classifications])[record_id]
    change_class(tx, record_id, changing, definition, told, unit_code=unit_code)
    settle(tx, [record_id])


def _proposed(tx: Transaction, viewer: Viewer, classification_id: UUID) -> Classification:
    wanted = classification_of(tx.connection, classification_id)
    get_record(tx.connection, viewer, wanted.record_id)
    if wanted.proposal_id is None:
        raise NotFoundOrNotYours
    return wanted


def _require_not_shorter(tx: Transaction, record_id: UUID, class_code: str) -> None:
    lawbook = read_book(tx.connection)
    now = tx.clock.now()
    today = lawbook.day_of(now)
    lawbook.class_in_effect(class_code, today, now)
    facts: Facts = facts_now(tx.connection, [record_id], lawbook.time_zone)[record_id]
    if not keeps_at_least_as_long(facts, class_code, lawbook.law(today, now), today):
        raise NeverShorter(class_code=class_code)
