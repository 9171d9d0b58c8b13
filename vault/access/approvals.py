"""Acts that need more than one person (invariant A1): proposed by one, approved by others, never by oneself.

A proposal names the act, its subject and the digest of exactly what is proposed. The database refuses an approval by
the proposer, a second one by the same person, a change of what was proposed, and the act itself without them.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Row, select

from vault.access.errors import NeedsPerson, NotProposer, OwnProposal, ProposalSettled
from vault.access.model import Event, Viewer
from vault.access.tables import approvals, proposals
from vault.foundation.db.transaction import Transaction
from vault.foundation.errors import N_, InvalidInput, NotFoundOrNotYours
from vault.foundation.ids import new_id

COMMENT_LENGTH_MIN, COMMENT_LENGTH_MAX = 4, 500


class ProposalState(StrEnum):
    """Where a proposal is; all but open are final."""

    OPEN = "open"
    APPROVED = "approved"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True)
class Approval:
    """What one person said."""

    person_id: UUID
    is_approved: bool
    comment: str
    at: datetime


@dataclass(frozen=True)
class Proposal:
    """A two-person act that was proposed, and who has said what."""

    id: UUID
    act: str
    subject_id: UUID
    digest: bytes
    approvals_needed: int
    proposed_by_kind: str
    proposed_by: UUID
    proposed_at: datetime
    state: ProposalState
    settled_at: datetime | None
    approvals: tuple[Approval, ...]

    @property
    def approvals_missing(self) -> int:
        """How many people must still approve."""
        return max(0, self.approvals_needed - sum(approval.is_approved for approval in self.approvals))


def propose(
    tx: Transaction, viewer: Viewer, act: str, subject_id: UUID, digest: bytes, *, approvals_needed: int
) -> UUID:
    """Opens a proposal; the caller has checked the right and witnesses the act. Leaves `access:proposal:open`.

    Raises:
        IntegrityError: the same act on the subject is proposed already.
    """
    proposal_id = new_id()
    tx.connection.execute(
        proposals.insert(),
        {
            "id": proposal_id,
            "act": act,
            "subject_id": subject_id,
            "digest": digest,
            "approvals_needed": approvals_needed,
            "proposed_by_kind": viewer.kind,
            "proposed_by": viewer.id,
            "proposed_at": tx.clock.now(),
            "state": ProposalState.OPEN.value,
        },
    )
    tx.witness(
        Event.PROPOSAL_OPENED,
        "proposal",
        proposal_id,
        context_id=subject_id,
        act=act,
        digest=digest.hex(),
        approvals_needed=approvals_needed,
    )
    return proposal_id


def approve(tx: Transaction, viewer: Viewer, proposal_id: UUID, comment: str = "") -> Proposal:
    """Approves; with the last approval that is needed the proposal is approved. Leaves `access:proposal:approve`.

    Raises:
        NeedsPerson, OwnProposal, ProposalSettled, NotFoundOrNotYours, InvalidInput.
    """
    proposal = _say(tx, viewer, proposal_id, is_approved=True, comment=comment)
    if proposal.approvals_missing == 0:
        _settle(tx, proposal_id, ProposalState.APPROVED)
    tx.witness(Event.PROPOSAL_APPROVED, "proposal", proposal_id, context_id=proposal.subject_id, act=proposal.act)
    return get_proposal(tx.connection, proposal_id)


def refuse(tx: Transaction, viewer: Viewer, proposal_id: UUID, comment: str) -> Proposal:
    """Refuses for a reason, which ends the proposal. Leaves `access:proposal:refuse`.

    Raises:
        NeedsPerson, OwnProposal, ProposalSettled, NotFoundOrNotYours, InvalidInput.
    """
    proposal = _say(tx, viewer, proposal_id, is_approved=False, comment=comment)
    _settle(tx, proposal_id, ProposalState.REFUSED)
    tx.witness(Event.PROPOSAL_REFUSED, "proposal", proposal_id, context_id=proposal.subject_id, act=proposal.act)
    return get_proposal(tx.connection, proposal_id)


def withdraw(tx: Transaction, viewer: Viewer, proposal_id: UUID) -> Proposal:
    """Takes one's own proposal back. Leaves `access:proposal:withdraw`.

    Raises:
        NotProposer, ProposalSettled, NotFoundOrNotYours.
    """
    proposal = _open_proposal(tx, proposal_id)
    if proposal.proposed_by != viewer.id:
        raise NotProposer
    _settle(tx, proposal_id, ProposalState.WITHDRAWN)
    tx.witness(Event.PROPOSAL_WITHDRAWN, "proposal", proposal_id, context_id=proposal.subject_id, act=proposal.act)
    return get_proposal(tx.connection, proposal_id)


def get_proposal(connection: Connection, proposal_id: UUID) -> Proposal:
    """One proposal. Raises NotFoundOrNotYours."""
    found = _with_approvals(connection, connection.execute(select(proposals).where(proposals.c.id == proposal_id)))
    if not found:
        raise NotFoundOrNotYours
    return found[0]


def proposals_of(connection: Connection, proposal_ids: Iterable[UUID]) -> dict[UUID, Proposal]:
    """Some proposals by id."""
    query = select(proposals).where(proposals.c.id.in_(sorted(set(proposal_ids))))
    return {proposal.id: proposal for proposal in _with_approvals(connection, connection.execute(query))}


def list_proposals(
    connection: Connection,
    *,
    acts: Iterable[str],
    state: ProposalState | None = None,
    after: UUID | None = None,
    size: int = 50,
) -> tuple[Proposal, ...]:
    """Proposals of some acts, newest first, below the keyset `after`."""
    query = (
        select(proposals)
        .where(proposals.c.act.in_(sorted(acts)))
        .order_by(proposals.c.id.desc())
        .limit(max(1, min(size, 200)))
    )
    if state is not None:
        query = query.where(proposals.c.state == state.value)
    if after is not None:
        query = query.where(proposals.c.id < after)
    return _with_approvals(connection, connection.execute(query))


def open_proposal_of(connection: Connection, act: str, subject_id: UUID) -> Proposal | None:
    """The open proposal of an act on a subject, where there is one."""
    query = select(proposals).where(
        proposals.c.act == act, proposals.c.subject_id == subject_id, proposals.c.state == ProposalState.OPEN.value
    )
    return next(iter(_with_approvals(connection, connection.execute(query))), None)


def _say(tx: Transaction, viewer: Viewer, proposal_id: UUID, *, is_approved: bool, comment: str) -> Proposal:
    if viewer.kind != "person":
        raise NeedsPerson
    comment = " ".join(comment.split())
    if len(comment) > COMMENT_LENGTH_MAX or (not is_approved and len(comment) < COMMENT_LENGTH_MIN):
        raise InvalidInput(field="comment", problem=N_("4 to 500 characters are needed"))
    proposal = _open_proposal(tx, proposal_id)
    if proposal.proposed_by == viewer.id:
        raise OwnProposal
    if any(said.person_id == viewer.id for said in proposal.approvals):
        raise ProposalSettled(state=N_("you have approved it already"))
    tx.connection.execute(
        approvals.insert(),
        {
            "proposal_id": proposal_id,
            "person_id": viewer.id,
            "is_approved": is_approved,
            "comment": comment,
            "at": tx.clock.now(),
        },
    )
    return get_proposal(tx.connection, proposal_id)


def _open_proposal(tx: Transaction, proposal_id: UUID) -> Proposal:
    """Held to the end of the transaction, so that two people at once come one after the other."""
    tx.connection.execute(select(proposals.c.id).where(proposals.c.id == proposal_id).with_for_update())
    proposal = get_proposal(tx.connection, proposal_id)
    if proposal.state is not ProposalState.OPEN:
        raise ProposalSettled(state=proposal.state.value)
    return proposal


def _settle(tx: Transaction, proposal_id: UUID, state: ProposalState) -> None:
    tx.connection.execute(
        proposals.update().where(proposals.c.id == proposal_id).values(state=state.value, settled_at=tx.clock.now())
    )


def _with_approvals(connection: Connection, rows: Iterable[Row[Any]]) -> tuple[Proposal, ...]:
    found = list(rows)
    said: dict[UUID, list[Approval]] = {}
    query = (
        select(approvals)
        .where(approvals.c.proposal_id.in_([row.id for row in found]))
        .order_by(approvals.c.at, approvals.c.person_id)
    )
    for row in connection.execute(query):
        said.setdefault(row.proposal_id, []).append(Approval(row.person_id, row.is_approved, row.comment, row.at))
    return tuple(
        Proposal(
            id=row.id,
            act=row.act,
            subject_id=row.subject_id,
            digest=bytes(row.digest),
            approvals_needed=row.approvals_needed,
            proposed_by_kind=row.proposed_by_kind,
            proposed_by=row.proposed_by,
            proposed_at=row.proposed_at,
            state=ProposalState(row.state),
            settled_at=row.settled_at,
            approvals=tuple(said.get(row.id, ())),
        )
        for row in found
    )
