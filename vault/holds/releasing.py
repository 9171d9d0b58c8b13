"""How a hold ends: its release is proposed, and approved by two others for exactly the records that it holds (A1)."""

from __future__ import annotations

import hashlib
from uuid import UUID

from sqlalchemy import Connection, select
from sqlalchemy.exc import IntegrityError

from vault.access import approvals
from vault.access.approvals import Proposal, ProposalState
from vault.access.model import Viewer
from vault.access.rights import Right
from vault.catalogue import service as catalogue
from vault.foundation.context import Context
from vault.foundation.db.transaction import Transaction
from vault.holds.errors import ReleaseNotProposed, ReleaseOutdated, ReleaseProposed, ReleaseReplaced
from vault.holds.jobs import ask_for
from vault.holds.model import RELEASE_APPROVALS_NEEDED, Act, Event, Hold
from vault.holds.queries import get_hold, see_hold
from vault.holds.service import (
    REASON_LENGTH_MAX,
    REASON_LENGTH_MIN,
    checked_text,
    hold_in_force,
    row_digest,
    witness_each,
)
from vault.holds.tables import held_records, holds, matters


def propose_release(ctx: Context, viewer: Viewer, hold_id: UUID, reason: str) -> Hold:
    """Proposes to release a hold; until two others approve it stays in force. Leaves `holds:release:propose`.

    Raises:
        NotAllowed: the viewer lacks `holds:release:propose`.
        NotFoundOrNotYours, HoldEnded, ReleaseProposed.
        InvalidInput: no reason is given.
    """
    viewer.require(Right.HOLDS_RELEASE_PROPOSE)
    reason = checked_text("reason", reason, REASON_LENGTH_MIN, REASON_LENGTH_MAX)
    with ctx.database.transaction(viewer.actor) as tx:
        hold = hold_in_force(tx, hold_id)
        digest = release_digest(tx.connection, hold_id, reason)
        try:
            proposal_id = approvals.propose(
                tx, viewer, Act.RELEASE, hold_id, digest, approvals_needed=RELEASE_APPROVALS_NEEDED
            )
        except IntegrityError as error:
            raise ReleaseProposed(name=hold.name) from error
        tx.connection.execute(
            holds.update().where(holds.c.id == hold_id).values(release_proposal_id=proposal_id, release_reason=reason)
        )
        tx.witness(
            Event.RELEASE_PROPOSED,
            "hold",
            hold_id,
            context_id=proposal_id,
            records=hold.records,
            digest=digest.hex(),
        )
        hold = get_hold(tx.connection, hold_id)
        tx.commit()
    return hold


def approve_release(ctx: Context, viewer: Viewer, hold_id: UUID, proposal_id: UUID, comment: str = "") -> Hold:
    """Approves the release of a hold as it was read. With the second approval it is released, and the stores are told.

    Then it leaves `holds:hold:release`, and `holds:record:release` for each record.

    Raises:
        NotAllowed: the viewer lacks `holds:release:approve`.
        NeedsPerson, OwnProposal, ProposalSettled: the viewer is not one who may approve this one.
        NotFoundOrNotYours, HoldEnded, ReleaseNotProposed.
        ReleaseOutdated: records were put under the hold meanwhile.
        ReleaseReplaced: another release is proposed by now than the one that was read.
    """
    viewer.require(Right.HOLDS_RELEASE_APPROVE)
    with ctx.database.transaction(viewer.actor) as tx:
        see_hold(tx.connection, viewer, hold_id)
        hold, proposal = _proposed(tx, hold_id, proposal_id)
        if release_digest(tx.connection, hold_id, hold.release_reason or "") != proposal.digest:
            raise ReleaseOutdated(name=hold.name)
        if approvals.approve(tx, viewer, proposal.id, comment).state is ProposalState.APPROVED:
            _release(tx, hold, proposal)
        hold = get_hold(tx.connection, hold_id)
        tx.commit()
    return hold


def refuse_release(ctx: Context, viewer: Viewer, hold_id: UUID, proposal_id: UUID, comment: str) -> Hold:
    """Refuses the release of a hold, as it was read, for a reason; it stays in force. Leaves `holds:release:refuse`.

    Raises:
        NotAllowed: the viewer lacks `holds:release:approve`.
        NeedsPerson, OwnProposal, ProposalSettled, NotFoundOrNotYours, HoldEnded, ReleaseNotProposed, InvalidInput.
        ReleaseReplaced: another release is proposed by now than the one that was read.
    """
    viewer.require(Right.HOLDS_RELEASE_APPROVE)
    with ctx.database.transaction(viewer.actor) as tx:
        see_hold(tx.connection, viewer, hold_id)
        _, proposal = _proposed(tx, hold_id, proposal_id)
        approvals.refuse(tx, viewer, proposal.id, comment)
        tx.witness(Event.RELEASE_REFUSED, "hold", hold_id, context_id=proposal.id)
        hold = get_hold(tx.connection, hold_id)
        tx.commit()
    return hold


def withdraw_release(ctx: Context, viewer: Viewer, hold_id: UUID) -> Hold:
    """Takes back one's own proposal to release a hold; it stays in force. Leaves `holds:release:withdraw`.

    Raises:
        NotAllowed: the viewer lacks `holds:release:propose`.
        NotProposer, ProposalSettled, NotFoundOrNotYours, HoldEnded, ReleaseNotProposed.
    """
    viewer.require(Right.HOLDS_RELEASE_PROPOSE)
    with ctx.database.transaction(viewer.actor) as tx:
        _, proposal = _proposed(tx, hold_id)
        approvals.withdraw(tx, viewer, proposal.id)
        tx.witness(Event.RELEASE_WITHDRAWN, "hold", hold_id, context_id=proposal.id)
        hold = get_hold(tx.connection, hold_id)
        tx.commit()
    return hold


def release_digest(connection: Connection, hold_id: UUID, reason: str) -> bytes:
    """What a release is approved for: this hold, this reason, exactly the records that it holds now. As in `ddl`.

    It stands in the ledger, and the reason may name people: so it is made with the matter's salt (invariant L3).
    """
    query = select(held_records.c.record_id).where(held_records.c.hold_id == hold_id)
    held = sorted(connection.execute(query).scalars())
    told = "\n".join([str(hold_id), reason, *map(str, held)]).encode()
    return hashlib.sha256(_salt(connection, hold_id) + told).digest()


def _release(tx: Transaction, hold: Hold, proposal: Proposal) -> None:
    now = tx.clock.now()
    tx.connection.execute(holds.update().where(holds.c.id == hold.id).values(released_at=now))
    held = tx.connection.execute(select(held_records.c.record_id).where(held_records.c.hold_id == hold.id)).scalars()
    changing = catalogue.begin_changes(tx, held)
    tx.connection.execute(held_records.update().where(held_records.c.hold_id == hold.id).values(released_at=now))
    tx.witness(
        Event.HOLD_RELEASED,
        "hold",
        hold.id,
        context_id=hold.matter_id,
        records=len(changing),
        proposal_id=str(proposal.id),
        digest=row_digest(tx, holds, hold.id, _salt(tx.connection, hold.id)),
    )
    witness_each(tx, Event.RECORD_RELEASED, hold.id, changing)
    ask_for(tx, changing)


def _salt(connection: Connection, hold_id: UUID) -> bytes:
    query = select(matters.c.salt).join(holds, holds.c.matter_id == matters.c.id).where(holds.c.id == hold_id)
    return bytes(connection.execute(query).scalar_one())


def is_outdated(connection: Connection, hold: Hold) -> bool:
    """Whether records were put under a hold after its release was proposed, so that nobody can approve it any more."""
    if hold.release is None or not hold.is_release_proposed:
        return False
    return release_digest(connection, hold.id, hold.release_reason or "") != hold.release.digest


def _proposed(tx: Transaction, hold_id: UUID, proposal_id: UUID | None = None) -> tuple[Hold, Proposal]:
    """`proposal_id`: the one that somebody read and decides about."""
    hold = hold_in_force(tx, hold_id)
    if hold.release is None:
        raise ReleaseNotProposed(name=hold.name)
    if proposal_id is not None and hold.release.id != proposal_id:
        raise ReleaseReplaced(name=hold.name)
    return hold, hold.release
