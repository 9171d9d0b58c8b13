"""Confirmations 核实 of rules that were shipped unverified: one person names the source, a second has read it too.

Until then such a rule keeps records like any other, and allows nothing to be destroyed. A confirmation names exactly what
the rule says: it ends with any change of the rule.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import Connection, select
from sqlalchemy.exc import IntegrityError

from retention_rules.model import Rule
from retention_rules.packs import by_code, rule_digest
from vault.access import approvals
from vault.access.approvals import ProposalState
from vault.access.model import Viewer
from vault.access.rights import Right
from vault.foundation.context import Context
from vault.foundation.db.transaction import Transaction
from vault.foundation.errors import N_, InvalidInput, NotFoundOrNotYours
from vault.foundation.ids import derived_id, new_id
from vault.retention.book import Lawbook, hold_law, read_book
from vault.retention.due_dates import note_law_change
from vault.retention.errors import AlreadyProposed, RuleNotOpen
from vault.retention.model import CONFIRMATION_APPROVALS_NEEDED, Act, Event
from vault.retention.tables import rule_confirmations
from vault.retention.witnessing import law_row

SOURCE_LENGTH_MIN, SOURCE_LENGTH_MAX = 4, 500
_RULES = UUID("6ba7b812-9dad-11d1-80b4-00c04fd430c8")  # RFC 9562 section 6.6: OID names


@dataclass(frozen=True)
class RuleConfirmation:
    """A confirmation that was proposed; `confirmed_at` none: nobody else has confirmed it yet."""

    id: UUID
    rule_code: str
    rule_digest: str
    source: str
    proposal_id: UUID
    proposed_by: UUID
    proposed_at: datetime
    confirmed_at: datetime | None


def propose(ctx: Context, viewer: Viewer, rule_code: str, source: str) -> RuleConfirmation:
    """Says in which source a rule of the schedule in effect stands. Leaves `retention:confirmation:propose`.

    Raises:
        NotAllowed: the viewer lacks `retention:confirmation:propose`.
        RuleNotOpen: there is no such rule, or nothing to confirm about it.
        InvalidInput: the source is too short or too long.
        AlreadyProposed: it waits for the second person already.
    """
    viewer.require(Right.RETENTION_CONFIRMATION_PROPOSE)
    source = " ".join(source.split())
    if not SOURCE_LENGTH_MIN <= len(source) <= SOURCE_LENGTH_MAX:
        raise InvalidInput(field="source", problem=N_("4 to 500 characters are needed"))
    with ctx.database.transaction(viewer.actor) as tx:
        digest = rule_digest(_open_rule(tx, rule_code))
        confirmation_id = new_id()
        # The rule is the subject, so that it waits for one approval at a time.
        try:
            proposal_id = approvals.propose(
                tx,
                viewer,
                Act.CONFIRM_RULE,
                derived_id(_RULES, f"{rule_code}/{digest}"),
                hashlib.sha256(f"{rule_code}\n{digest}\n{source}".encode()).digest(),
                approvals_needed=CONFIRMATION_APPROVALS_NEEDED,
            )
        except IntegrityError as error:
            raise AlreadyProposed from error
        row = {
            "id": confirmation_id,
            "rule_code": rule_code,
            "rule_digest": digest,
            "source": source,
            "proposal_id": proposal_id,
            "proposed_by": viewer.id,
            "proposed_at": tx.clock.now(),
        }
        tx.connection.execute(rule_confirmations.insert(), row)
        tx.witness(
            Event.CONFIRMATION_PROPOSED,
            "rule",
            confirmation_id,
            context_id=proposal_id,
            rule=rule_code,
            digest=digest,
            row=law_row(tx, rule_confirmations, confirmation_id),
        )
        tx.commit()
    return _confirmation(ctx, confirmation_id)


def approve(ctx: Context, viewer: Viewer, confirmation_id: UUID, comment: str = "") -> RuleConfirmation:
    """Confirms as the second person: from now on the rule is believed. Leaves `retention:confirmation:approve`.

    Raises:
        NotAllowed: the viewer lacks `retention:confirmation:approve`.
        NeedsPerson, OwnProposal, ProposalSettled, NotFoundOrNotYours.
        RuleNotOpen: the rule says something else by now.
    """
    viewer.require(Right.RETENTION_CONFIRMATION_APPROVE)
    with ctx.database.transaction(viewer.actor) as tx:
        hold_law(tx)
        wanted = get_confirmation(tx.connection, confirmation_id)
        proposal = approvals.approve(tx, viewer, wanted.proposal_id, comment)
        if rule_digest(_open_rule(tx, wanted.rule_code)) != wanted.rule_digest:
            raise RuleNotOpen(rule=wanted.rule_code)
        if proposal.state is ProposalState.APPROVED:
            now = tx.clock.now()
            tx.connection.execute(
                rule_confirmations.update().where(rule_confirmations.c.id == confirmation_id).values(confirmed_at=now)
            )
            note_law_change(tx, "confirmation")
            tx.witness(
                Event.RULE_CONFIRMED,
                "rule",
                confirmation_id,
                context_id=wanted.proposal_id,
                rule=wanted.rule_code,
                digest=wanted.rule_digest,
                row=law_row(tx, rule_confirmations, confirmation_id, revision=2),
            )
        tx.commit()
    return _confirmation(ctx, confirmation_id)


def refuse(ctx: Context, viewer: Viewer, confirmation_id: UUID, comment: str) -> RuleConfirmation:
    """Refuses for a reason: the source does not say so. Leaves `retention:confirmation:refuse`.

    Raises:
        NotAllowed: the viewer lacks `retention:confirmation:approve`.
        NeedsPerson, OwnProposal, ProposalSettled, NotFoundOrNotYours, InvalidInput.
    """
    viewer.require(Right.RETENTION_CONFIRMATION_APPROVE)
    with ctx.database.transaction(viewer.actor) as tx:
        wanted = get_confirmation(tx.connection, confirmation_id)
        approvals.refuse(tx, viewer, wanted.proposal_id, comment)
        tx.witness(
            Event.CONFIRMATION_REFUSED, "rule", confirmation_id, context_id=wanted.proposal_id, rule=wanted.rule_code
        )
        tx.commit()
    return _confirmation(ctx, confirmation_id)


def get_confirmation(connection: Connection, confirmation_id: UUID) -> RuleConfirmation:
    """One confirmation. Raises NotFoundOrNotYours."""
    row = connection.execute(
        select(rule_confirmations).where(rule_confirmations.c.id == confirmation_id)
    ).one_or_none()
    if row is None:
        raise NotFoundOrNotYours
    return RuleConfirmation(**row._mapping)


def confirmations_of(connection: Connection, rule_code: str) -> tuple[RuleConfirmation, ...]:
    """Every confirmation of a rule, proposed or given, newest first."""
    query = (
        select(rule_confirmations)
        .where(rule_confirmations.c.rule_code == rule_code)
        .order_by(rule_confirmations.c.id.desc())
    )
    return tuple(RuleConfirmation(**row._mapping) for row in connection.execute(query))


def list_confirmations(
    connection: Connection, *, after: UUID | None = None, size: int = 50
) -> tuple[RuleConfirmation, ...]:
    """Confirmations, proposed or given, newest first, below the keyset `after`."""
    query = select(rule_confirmations).order_by(rule_confirmations.c.id.desc()).limit(max(1, min(size, 200)))
    if after is not None:
        query = query.where(rule_confirmations.c.id < after)
    return tuple(RuleConfirmation(**row._mapping) for row in connection.execute(query))


def rules_in_effect(lawbook: Lawbook, on: date, at: datetime) -> dict[str, tuple[Rule, ...]]:
    """Every version of each rule in the packs of the schedule that applies. Raises NoSchedule."""
    return by_code(lawbook.book.packs[version] for version in lawbook.schedule(on, at).packs)


def _open_rule(tx: Transaction, rule_code: str) -> Rule:
    """The rule as it applies today, or will apply, if it is neither verified nor confirmed. Raises RuleNotOpen."""
    lawbook = read_book(tx.connection)
    now = tx.clock.now()
    today = lawbook.day_of(now)
    versions = rules_in_effect(lawbook, today, now).get(rule_code, ())
    rule = next((rule for rule in versions if rule.is_in_force(today)), versions[-1] if versions else None)
    confirmed = {(k.confirmation.rule_code, k.confirmation.rule_digest) for k in lawbook.book.confirmations}
    if rule is None or rule.is_verified or (rule_code, rule_digest(rule)) in confirmed:
        raise RuleNotOpen(rule=rule_code[:60])
    return rule


def _confirmation(ctx: Context, confirmation_id: UUID) -> RuleConfirmation:
    with ctx.database.read() as connection:
        return get_confirmation(connection, confirmation_id)
