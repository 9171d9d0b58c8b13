"""The verbs of the schedule: begun, drafted, changed, proposed, approved by two people, refused, withdrawn.

A version is written freely while it is a draft. Proposing it fixes what it says and from which day; two people who
did not propose it approve exactly that (its digest), and the database refuses it otherwise (invariant A1). A later
version supersedes an earlier one; nothing that was approved is ever changed or taken back.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError

from retention_rules import shipped
from retention_rules.errors import InvalidData
from retention_rules.law import law_of
from retention_rules.model import FiscalYear
from retention_rules.packs import by_code, plain_class
from vault.access import approvals
from vault.access.approvals import ProposalState
from vault.access.model import Viewer
from vault.access.rights import Right
from vault.catalogue.classes import enter_classes
from vault.catalogue.tables import records, retention_classes
from vault.foundation.context import Context
from vault.foundation.db.transaction import Detail, Transaction
from vault.foundation.errors import N_, InvalidInput
from vault.foundation.ids import new_id
from vault.foundation.ledger.entry import canonical_json
from vault.retention.book import hold_law, known_packs, read_book
from vault.retention.due_dates import note_law_change
from vault.retention.errors import (
    AlreadyProposed,
    ClassStillUsed,
    EffectiveInPast,
    ScheduleChanged,
    ScheduleInvalid,
    ScheduleNotOpen,
)
from vault.retention.model import (
    SCHEDULE_APPROVALS_NEEDED,
    Act,
    Content,
    Event,
    ScheduleVersion,
    VersionState,
)
from vault.retention.queries import get_version, version_in_effect
from vault.retention.simulation_jobs import require_simulated
from vault.retention.tables import schedule_versions
from vault.retention.witnessing import law_row

NOTE_LENGTH_MAX, REASON_LENGTH_MIN = 500, 4
_FIRST_NOTE = "随程序提供的类别 · the classes that come with the program"


def begin(tx: Transaction) -> bool:
    """Makes the shipped classes the first version, when there is none; says whether it did.

    Leaves `retention:schedule:begin`. The only version that nobody approves: there is nobody yet who could.
    """
    if tx.connection.execute(select(schedule_versions.c.id).limit(1)).one_or_none() is not None:
        return False
    content = Content(
        classes=shipped.classes(),
        packs={pack.version: pack.digest for pack in shipped.packs().values()},
        fiscal_year=FiscalYear(),
    )
    enter_classes(tx, (definition.code for definition in content.classes))
    now = tx.clock.now()
    row = _row(1, content, _FIRST_NOTE, date.min, VersionState.APPROVED) | {
        "created_by_kind": tx.actor.kind,
        "created_by": tx.actor.id,
        "created_at": now,
        "changed_at": now,
        "approved_at": now,
    }
    tx.connection.execute(schedule_versions.insert(), row)
    _witness(
        tx,
        Event.SCHEDULE_BEGUN,
        row["id"],
        number=1,
        digest=row["digest"].hex(),
        classes=len(content.classes),
    )
    return True


def draft(ctx: Context, viewer: Viewer, note: str, content: Content | None = None) -> ScheduleVersion:
    """A new draft: of `content`, or of what is in effect now. Leaves `retention:schedule:draft`.

    Raises:
        NotAllowed: the viewer lacks `retention:schedule:draft`.
        ScheduleInvalid, InvalidInput: it says what cannot be.
    """
    viewer.require(Right.RETENTION_SCHEDULE_DRAFT)
    note = _note(note)
    with ctx.database.transaction(viewer.actor) as tx:
        base = version_in_effect(tx.connection, tx.clock.now())
        content = content or base.content
        require_usable(tx, content)
        # One at a time, so that two drafts at once get two numbers.
        tx.connection.execute(select(schedule_versions.c.id).where(schedule_versions.c.number == 1).with_for_update())
        highest = tx.connection.execute(select(func.max(schedule_versions.c.number))).scalar_one()
        now = tx.clock.now()
        row = _row(highest + 1, content, note, None, VersionState.DRAFT) | {
            "based_on": base.number,
            "created_by_kind": viewer.kind,
            "created_by": viewer.id,
            "created_at": now,
            "changed_at": now,
        }
        tx.connection.execute(schedule_versions.insert(), row)
        _witness(tx, Event.SCHEDULE_DRAFTED, row["id"], number=row["number"], digest=row["digest"].hex())
        tx.commit()
    return _version(ctx, row["number"])


def change(
    ctx: Context, viewer: Viewer, number: int, content: Content, *, seen: bytes, note: str | None = None
) -> ScheduleVersion:
    """Changes a draft; `seen` is the digest of what the viewer had read. Leaves `retention:schedule:change`.

    Raises:
        NotAllowed: the viewer lacks `retention:schedule:draft`.
        NotFoundOrNotYours, ScheduleNotOpen, ScheduleChanged, ScheduleInvalid, InvalidInput.
    """
    viewer.require(Right.RETENTION_SCHEDULE_DRAFT)
    with ctx.database.transaction(viewer.actor) as tx:
        version = _taken(tx, number, VersionState.DRAFT)
        if version.digest != seen:
            raise ScheduleChanged(number=number)
        require_usable(tx, content)
        row = _row(number, content, _note(note) if note is not None else version.note, None, VersionState.DRAFT)
        values = {name: row[name] for name in ("content", "digest", "note")} | {"changed_at": tx.clock.now()}
        _write(tx, version, **values)
        _witness(tx, Event.SCHEDULE_CHANGED, version.id, number=number, digest=row["digest"].hex())
        tx.commit()
    return _version(ctx, number)


def propose(ctx: Context, viewer: Viewer, number: int, effective_date: date) -> ScheduleVersion:
    """Proposes a draft to take effect on a day; from now on it is fixed. Leaves `retention:schedule:propose`.

    Raises:
        NotAllowed: the viewer lacks `retention:schedule:draft`.
        NotFoundOrNotYours, ScheduleNotOpen, ScheduleInvalid, AlreadyProposed.
        EffectiveInPast: the day has passed; what was decided then stays as it was.
        ClassStillUsed: records have a class that it leaves out.
        NotSimulated, SimulatedForOtherDay: nobody saw what this draft would do to the records from that day on.
    """
    viewer.require(Right.RETENTION_SCHEDULE_DRAFT)
    with ctx.database.transaction(viewer.actor) as tx:
        hold_law(tx)
        version = _taken(tx, number, VersionState.DRAFT)
        _require_ahead(tx, effective_date)
        require_usable(tx, version.content)
        _require_classes_of_records(tx, version.content)
        simulation = require_simulated(tx, version, effective_date)
        digest = digest_of(number, version.content, version.note, effective_date)
        try:
            proposal_id = approvals.propose(
                tx,
                viewer,
                Act.CHANGE_SCHEDULE,
                version.id,
                digest,
                approvals_needed=SCHEDULE_APPROVALS_NEEDED,
            )
        except IntegrityError as error:
            raise AlreadyProposed from error
        _write(
            tx,
            version,
            state=VersionState.PROPOSED.value,
            effective_date=effective_date,
            digest=digest,
            draft_digest=version.digest,
            proposal_id=proposal_id,
            changed_at=tx.clock.now(),
        )
        _witness(
            tx,
            Event.SCHEDULE_PROPOSED,
            version.id,
            context_id=proposal_id,
            number=number,
            effective_date=effective_date.isoformat(),
            digest=digest.hex(),
            simulation_id=str(simulation.id),
        )
        tx.commit()
    return _version(ctx, number)


def approve(ctx: Context, viewer: Viewer, number: int, comment: str = "") -> ScheduleVersion:
    """Approves a proposed version; with the second person's approval it is law from its day on (invariant A1).

    Leaves `access:proposal:approve`, and `retention:schedule:approve` with the last approval.

    Raises:
        NotAllowed: the viewer lacks `retention:schedule:approve`.
        NeedsPerson, OwnProposal, ProposalSettled: the viewer is not one who may approve this one.
        NotFoundOrNotYours, ScheduleNotOpen, EffectiveInPast, ClassStillUsed, NotSimulated, SimulatedForOtherDay.
    """
    viewer.require(Right.RETENTION_SCHEDULE_APPROVE)
    with ctx.database.transaction(viewer.actor) as tx:
        hold_law(tx)
        version = _taken(tx, number, VersionState.PROPOSED)
        assert version.proposal_id is not None
        assert version.effective_date is not None
        _require_ahead(tx, version.effective_date)
        _require_classes_of_records(tx, version.content)
        simulation = require_simulated(tx, version, version.effective_date)
        proposal = approvals.approve(tx, viewer, version.proposal_id, comment)
        if proposal.state is ProposalState.APPROVED:
            _put_into_force(tx, version, simulation.id)
        tx.commit()
    return _version(ctx, number)


def refuse(ctx: Context, viewer: Viewer, number: int, comment: str) -> ScheduleVersion:
    """Refuses a proposed version for a reason. Leaves `access:proposal:refuse` and `retention:schedule:refuse`.

    Raises:
        NotAllowed: the viewer lacks `retention:schedule:approve`.
        NeedsPerson, OwnProposal, ProposalSettled, NotFoundOrNotYours, ScheduleNotOpen, InvalidInput.
    """
    viewer.require(Right.RETENTION_SCHEDULE_APPROVE)
    with ctx.database.transaction(viewer.actor) as tx:
        version = _taken(tx, number, VersionState.PROPOSED)
        assert version.proposal_id is not None
        approvals.refuse(tx, viewer, version.proposal_id, comment)
        _end(tx, version, VersionState.REFUSED, Event.SCHEDULE_REFUSED)
        tx.commit()
    return _version(ctx, number)


def withdraw(ctx: Context, viewer: Viewer, number: int, reason: str) -> ScheduleVersion:
    """Gives up a draft, or takes back one's own proposal; others read why. Leaves `retention:schedule:withdraw`.

    Raises:
        NotAllowed: the viewer lacks `retention:schedule:draft`.
        NotProposer, NotFoundOrNotYours, ScheduleNotOpen, InvalidInput.
    """
    viewer.require(Right.RETENTION_SCHEDULE_DRAFT)
    reason = " ".join(reason.split())
    if not REASON_LENGTH_MIN <= len(reason) <= NOTE_LENGTH_MAX:
        raise InvalidInput(field="reason", problem=N_("4 to 500 characters are needed"))
    with ctx.database.transaction(viewer.actor) as tx:
        version = _taken(tx, number, VersionState.DRAFT, VersionState.PROPOSED)
        if version.proposal_id is not None:
            approvals.withdraw(tx, viewer, version.proposal_id)
        _end(tx, version, VersionState.WITHDRAWN, Event.SCHEDULE_WITHDRAWN, because=reason)
        tx.commit()
    return _version(ctx, number)


def require_usable(tx: Transaction, content: Content) -> None:
    """Refuses a schedule that cannot be applied. Raises ScheduleInvalid."""
    codes = [definition.code for definition in content.classes]
    twice = sorted({code for code in codes if codes.count(code) > 1})
    if not codes or twice:
        raise ScheduleInvalid(
            problem=InvalidData(f"class {twice[0]} stands in it twice", f"类别 {twice[0]} 出现了两次")
            if twice
            else N_("it has no class")
        )
    packs = known_packs(tx.connection)
    for version, digest in content.packs.items():
        if version not in packs or packs[version].digest != digest:
            told = (
                f"the rule pack {version[:60]} is not known here in this form",
                f"本系统没有这样的规则包 {version[:60]}",
            )
            raise ScheduleInvalid(problem=InvalidData(*told))
    try:
        law_of(content.classes, by_code(packs[version] for version in content.packs))
    except InvalidData as error:
        raise ScheduleInvalid(problem=error) from error


def digest_of(number: int, content: Content, note: str, effective_date: date | None) -> bytes:
    """SHA-256 over all that is approved: number, content, note and day."""
    plain = {
        "number": number,
        "content": plain_content(content),
        "note": note,
        "effective_date": effective_date.isoformat() if effective_date else None,
    }
    return hashlib.sha256(canonical_json(plain)).digest()


def plain_content(content: Content) -> dict[str, Any]:
    """What a version lays down, as plain values; `content_from` reads them back."""
    year = content.fiscal_year
    return {
        "classes": [plain_class(definition) for definition in content.classes],
        "packs": dict(sorted(content.packs.items())),
        "fiscal_year": {"end_month": year.end_month, "end_day": year.end_day},
    }


def _row(number: int, content: Content, note: str, effective: date | None, state: VersionState) -> dict[str, Any]:
    return {
        "id": new_id(),
        "number": number,
        "state": state.value,
        "note": note,
        "effective_date": effective,
        "content": plain_content(content),
        "digest": digest_of(number, content, note, effective),
    }


def _taken(tx: Transaction, number: int, *states: VersionState) -> ScheduleVersion:
    """The version, held to the end of the transaction, in one of the states that the act needs."""
    tx.connection.execute(
        select(schedule_versions.c.id).where(schedule_versions.c.number == number).with_for_update()
    )
    version = get_version(tx.connection, number, tx.clock.now())
    if version.state not in states:
        raise ScheduleNotOpen(number=number, state=version.state.value)
    return version


def _put_into_force(tx: Transaction, version: ScheduleVersion, simulation_id: UUID) -> None:
    now = tx.clock.now()
    enter_classes(tx, (definition.code for definition in version.content.classes))
    _write(tx, version, state=VersionState.APPROVED.value, approved_at=now)
    note_law_change(tx, "schedule", version.effective_date)
    _witness(
        tx,
        Event.SCHEDULE_APPROVED,
        version.id,
        context_id=version.proposal_id,
        number=version.number,
        effective_date=version.effective_date.isoformat() if version.effective_date else None,
        digest=version.digest.hex(),
        simulation_id=str(simulation_id),
    )


def _end(
    tx: Transaction, version: ScheduleVersion, state: VersionState, event: Event, because: str | None = None
) -> None:
    _write(tx, version, state=state.value, changed_at=tx.clock.now(), withdrawn_because=because)
    _witness(tx, event, version.id, context_id=version.proposal_id, number=version.number)


def _witness(
    tx: Transaction, event: Event, version_id: UUID, *, context_id: UUID | None = None, **told: Detail
) -> None:
    row = law_row(tx, schedule_versions, version_id)
    tx.witness(event, "schedule", version_id, context_id=context_id, along_with=None, row=row, **told)


def _write(tx: Transaction, version: ScheduleVersion, **values: Any) -> None:
    raised = {"revision": schedule_versions.c.revision + 1}
    tx.connection.execute(
        schedule_versions.update().where(schedule_versions.c.id == version.id).values(**values, **raised)
    )


def _require_ahead(tx: Transaction, effective_date: date) -> None:
    today = read_book(tx.connection).day_of(tx.clock.now())
    if effective_date < today:
        raise EffectiveInPast(day=effective_date.isoformat(), today=today.isoformat())


def _require_classes_of_records(tx: Transaction, content: Content) -> None:
    kept = {definition.code for definition in content.classes}
    missing = sorted(set(_classes_of_records(tx)) - kept)
    if missing:
        raise ClassStillUsed(classes=", ".join(missing))


def _classes_of_records(tx: Transaction) -> Iterable[str]:
    """One look into the index for each class there is, however many records have it."""
    used = select(records.c.id).where(records.c.class_code == retention_classes.c.code).exists()
    return tx.connection.execute(select(retention_classes.c.code).where(used)).scalars()


def _version(ctx: Context, number: int) -> ScheduleVersion:
    with ctx.database.read() as connection:
        return get_version(connection, number, ctx.clock.now())


def _note(note: str) -> str:
    note = " ".join(note.split())
    if not 1 <= len(note) <= NOTE_LENGTH_MAX:
        raise InvalidInput(field="note", problem=N_("1 to 500 characters are needed"))
    return note
