"""What people decided against the ledger: matters, holds, proposals, and who approved or refused them.

The rows of matters and holds are witnessed whole, by a digest with the matter's salt, when they are made and when they
end. What was proposed stands in the entry itself, and so does who said what of it: each such entry has its row and each
row its entry.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias
from uuid import UUID

from sqlalchemy import Connection, Table, select

from vault.access.approvals import ProposalState
from vault.access.model import Event as AccessEvent
from vault.access.tables import approvals, proposals
from vault.catalogue.fingerprint import rows_digest
from vault.foundation.ledger.entry import is_own, leaf_hash
from vault.foundation.ledger.tables import ledger_entries, ledger_leaves
from vault.holds.model import Event as HoldsEvent
from vault.holds.tables import holds, matters
from vault.oversight.model import Finding, FindingCode

# The entries that witness a row whole; a later one of these counts more.
_WITNESSING: Mapping[Table, tuple[str, ...]] = {
    matters: (HoldsEvent.MATTER_OPENED.value, HoldsEvent.MATTER_CLOSED.value),
    holds: (HoldsEvent.HOLD_PLACED.value, HoldsEvent.HOLD_RELEASED.value),
}
_SAID = {AccessEvent.PROPOSAL_APPROVED.value: True, AccessEvent.PROPOSAL_REFUSED.value: False}
_OPENED, _WITHDRAWN = AccessEvent.PROPOSAL_OPENED.value, AccessEvent.PROPOSAL_WITHDRAWN.value
# They change before a hold ends. Whoever approves a release approves its reason with the digest of what was proposed.
_OF_RELEASE = {"release_proposal_id": None, "release_reason": None}
_Body: TypeAlias = Mapping[str, Any]


@dataclass
class _Told:
    """The service's own entries about one row, by event in the order in which they were written."""

    bodies: dict[str, list[_Body]] = field(default_factory=dict)
    is_damaged: bool = False  # an entry that the service wrote was altered: what it held is not known

    def newest(self, events: Iterable[str]) -> tuple[str, str] | None:
        """The last of some events in their order, and the digest that it holds."""
        found = [(event, self.bodies[event][-1]["details"]["digest"]) for event in events if event in self.bodies]
        return found[-1] if found else None


def check_decisions(connection: Connection, witness_secret: bytes, *, has_gaps: bool = False) -> list[Finding]:
    """Each row that no act left so, and each that an act left and nobody finds.

    `has_gaps`: entries were removed from the ledger, maybe the one that a row is right by.
    """
    return [
        *_check_holds(connection, witness_secret, matters, has_gaps=has_gaps),
        *_check_holds(connection, witness_secret, holds, has_gaps=has_gaps),
        *_check_proposals(connection, witness_secret, has_gaps=has_gaps),
    ]


def _check_holds(connection: Connection, witness_secret: bytes, table: Table, *, has_gaps: bool) -> Iterator[Finding]:
    told = _told_of(connection, witness_secret, _WITNESSING[table])
    salts = {row.id: bytes(row.salt) for row in connection.execute(select(matters.c.id, matters.c.salt))}
    for row in connection.execute(select(table)).mappings():
        known = told.pop(row["id"], None)
        witnessed = known.newest(_WITNESSING[table]) if known else None
        if witnessed is None:
            is_damaged = known is not None and known.is_damaged
            yield _finding(
                FindingCode.DECISION_UNPROVEN if is_damaged else FindingCode.DECISION_UNWITNESSED, table, row["id"]
            )
            continue
        event, digest = witnessed
        as_then = {**row, **_OF_RELEASE} if event == HoldsEvent.HOLD_PLACED.value else dict(row)
        if _digest(table, salts.get(row["id"] if table is matters else row["matter_id"]), as_then) != digest:
            yield _finding(_wrong(known, has_gaps=has_gaps), table, row["id"])
    yield from (_finding(FindingCode.DECISION_REMOVED, table, gone) for gone in told)


def _check_proposals(connection: Connection, witness_secret: bytes, *, has_gaps: bool) -> Iterator[Finding]:
    told = _told_of(connection, witness_secret, (_OPENED, _WITHDRAWN, *_SAID))
    said = {
        (proposal_id, UUID(body["actor"]["id"])): is_approved
        for proposal_id, known in told.items()
        for event, is_approved in _SAID.items()
        for body in known.bodies.get(event, ())
    }
    for row in connection.execute(select(approvals)).mappings():
        expected, known = said.pop((row["proposal_id"], row["person_id"]), None), told.get(row["proposal_id"])
        if expected is None and not (known and known.is_damaged):
            yield _finding(FindingCode.DECISION_UNWITNESSED, approvals, row["proposal_id"])
        elif expected is not row["is_approved"]:
            yield _finding(_wrong(known, has_gaps=has_gaps), approvals, row["proposal_id"])
    yield from (_finding(FindingCode.DECISION_REMOVED, approvals, proposal_id) for proposal_id, _ in said)
    for row in connection.execute(select(proposals)).mappings():
        known = told.pop(row["id"], None)
        if known is None:
            yield _finding(FindingCode.DECISION_UNWITNESSED, proposals, row["id"])
        elif not _is_as_proposed(row, known):
            yield _finding(_wrong(known, has_gaps=has_gaps), proposals, row["id"])
    yield from (_finding(FindingCode.DECISION_REMOVED, proposals, gone) for gone in told)


def _is_as_proposed(row: Mapping[Any, Any], known: _Told) -> bool:
    """What is proposed, by whom, and what became of it; not when, which the entries tell."""
    if _OPENED not in known.bodies:
        return False
    body = known.bodies[_OPENED][0]
    approved = len(known.bodies.get(AccessEvent.PROPOSAL_APPROVED.value, ()))
    if AccessEvent.PROPOSAL_REFUSED.value in known.bodies:
        state = ProposalState.REFUSED
    elif _WITHDRAWN in known.bodies:
        state = ProposalState.WITHDRAWN
    else:
        needed = body["details"]["approvals_needed"]
        state = ProposalState.APPROVED if approved >= needed else ProposalState.OPEN
    told = {
        **{name: body["details"][name] for name in ("act", "digest", "approvals_needed")},
        "subject_id": body["context"],
        "proposed_by_kind": body["actor"]["kind"],
        "proposed_by": body["actor"]["id"],
        "state": state.value,
    }
    found = {name: row[name] for name in told} | {
        "digest": bytes(row["digest"] or b"").hex(),
        "subject_id": str(row["subject_id"]),
        "proposed_by": str(row["proposed_by"]),
    }
    return found == told


def _told_of(connection: Connection, witness_secret: bytes, events: Iterable[str]) -> dict[UUID, _Told]:
    """What the ledger tells, by the id of the row. What somebody else wrote into it counts for nothing."""
    told: dict[UUID, _Told] = {}
    for row in connection.execute(
        select(ledger_entries.c.subject_id, ledger_entries.c.body, ledger_entries.c.mark, ledger_leaves.c.leaf_hash)
        .join(ledger_leaves, ledger_leaves.c.entry_id == ledger_entries.c.id, isouter=True)
        .where(ledger_entries.c.event.in_(list(events)))
        .order_by(ledger_entries.c.id)
    ):
        if is_own(witness_secret, row.body, row.mark):
            body = json.loads(row.body)
            told.setdefault(UUID(body["subject"]["id"]), _Told()).bodies.setdefault(body["event"], []).append(body)
        elif row.leaf_hash is not None and row.leaf_hash != leaf_hash(row.body or b""):
            told.setdefault(row.subject_id, _Told()).is_damaged = True
    return told


def _wrong(known: _Told | None, *, has_gaps: bool) -> FindingCode:
    is_unproven = has_gaps or (known is not None and known.is_damaged)
    return FindingCode.DECISION_UNPROVEN if is_unproven else FindingCode.DECISION_ALTERED


def _digest(table: Table, salt: bytes | None, row: Mapping[str, Any]) -> str | None:
    """None of a row that the service cannot have written, or whose salt is gone with its matter."""
    try:
        return rows_digest(table.name, salt, [row]) if salt else None
    except (ValueError, TypeError):
        return None


def _finding(code: FindingCode, table: Table, row_id: UUID) -> Finding:
    subject = "proposal" if table is approvals else table.name.removesuffix("s")
    return Finding(code, subject, str(row_id), {"table": table.name, "name": str(row_id)})
