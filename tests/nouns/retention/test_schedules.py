"""Versions of the schedule: approved by two people who did not propose them, in effect from their day, never changed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import psycopg
import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError

from retention_rules.model import ClassDefinition, FiscalYear, Period
from tests.nouns.retention.conftest import People
from tests.support.archive import Archive
from vault.access.approvals import get_proposal
from vault.access.errors import NeedsPerson, NotProposer, OwnProposal, ProposalSettled
from vault.access.model import Viewer
from vault.catalogue.queries import RecordView
from vault.foundation.db.errors import UnwitnessedChange
from vault.foundation.errors import InvalidInput, NotAllowed
from vault.foundation.ids import new_id
from vault.foundation.ledger.entry import SYSTEM
from vault.foundation.ledger.queries import entries_of_subject
from vault.oversight.verification import verify
from vault.retention import service
from vault.retention.book import read_book
from vault.retention.errors import (
    ClassStillUsed,
    EffectiveInPast,
    ScheduleChanged,
    ScheduleInvalid,
    ScheduleNotOpen,
    UnknownClass,
)
from vault.retention.model import Content, ScheduleVersion, Standing, VersionState
from vault.retention.queries import classes_in_effect, get_version, list_versions, version_in_effect
from vault.retention.tables import law_changes, schedule_versions


def _today(archive: Archive):
    with archive.ctx.database.read() as connection:
        return read_book(connection).day_of(archive.clock.now())


def _in_effect(archive: Archive) -> ScheduleVersion:
    with archive.ctx.database.read() as connection:
        return version_in_effect(connection, archive.clock.now())


def _with_period(content: Content, code: str, years: int) -> Content:
    """The content with another own period for one class."""
    classes = tuple(
        replace(k, own_period=Period(months=12 * years)) if k.code == code else k for k in content.classes
    )
    return replace(content, classes=classes)


def _proposed(archive: Archive, viewer: Viewer, content: Content | None = None, days: int = 0) -> ScheduleVersion:
    drafted = service.draft(archive.ctx, viewer, "测试用", content)
    on = _today(archive) + timedelta(days=days)
    archive.simulate(drafted.number, on=on)
    return service.propose(archive.ctx, viewer, drafted.number, on)


def test_the_shipped_classes_are_version_1_and_begin_only_once(archive: Archive) -> None:
    first = _in_effect(archive)
    assert (first.number, first.state, first.standing) == (1, VersionState.APPROVED, Standing.IN_EFFECT)
    assert "GENERAL" in {k.code for k in first.content.classes}
    with archive.ctx.database.transaction(SYSTEM) as tx:
        assert not service.begin(tx)


@pytest.mark.clause("V3")
@pytest.mark.invariant("A1")
def test_two_people_who_did_not_propose_it_make_it_law(archive: Archive, people: People) -> None:
    content = _with_period(_in_effect(archive).content, "COMPLAINT", 12)
    proposed = _proposed(archive, people.administrator, content)
    half = service.approve(archive.ctx, people.heads[0], proposed.number)
    assert (half.state, _in_effect(archive).number) == (VersionState.PROPOSED, 1)
    whole = service.approve(archive.ctx, people.heads[1], proposed.number, "同意")
    assert (whole.state, whole.standing) == (VersionState.APPROVED, Standing.IN_EFFECT)
    with archive.ctx.database.read() as connection:
        assert get_version(connection, 1, archive.clock.now()).standing is Standing.SUPERSEDED
        proposal = get_proposal(connection, whole.proposal_id)
        events = [entry.event for entry in entries_of_subject(connection, whole.id)]
        waiting = connection.execute(select(law_changes.c.from_date, law_changes.c.swept_at)).all()
    assert [a.person_id for a in proposal.approvals] == [people.heads[0].id, people.heads[1].id]
    done = ("schedule:draft", "simulation:ask", "simulation:finish", "schedule:propose", "schedule:approve")
    assert events == [f"retention:{act}" for act in done]
    assert waiting == [(_today(archive), None)]


@pytest.mark.invariant("A1")
def test_the_proposer_cannot_approve_even_with_the_right(archive: Archive, people: People) -> None:
    both = people.heads[1]  # drafts as administrator, approves as head
    proposed = _proposed(archive, both)
    with pytest.raises(OwnProposal):
        service.approve(archive.ctx, both, proposed.number)
    service.approve(archive.ctx, people.heads[0], proposed.number)
    with pytest.raises(ProposalSettled):
        service.approve(archive.ctx, people.heads[0], proposed.number)
    with pytest.raises(NotAllowed):
        service.approve(archive.ctx, people.keeper, proposed.number)
    with pytest.raises(NeedsPerson):
        service.approve(archive.ctx, archive.operator, proposed.number)
    assert _in_effect(archive).number == 1


FORGERIES = {
    "own approval": "INSERT INTO approvals VALUES (:proposal, :proposer, true, '', now())",
    "changed proposer": "UPDATE proposals SET proposed_by = :other WHERE id = :proposal",
    "lower threshold": "UPDATE proposals SET approvals_needed = 1 WHERE id = :proposal",
    "approved without approvals": "UPDATE proposals SET state = 'approved', settled_at = now() WHERE id = :proposal",
    "schedule approved without its proposal": (
        "UPDATE schedule_versions SET revision = revision + 1, state = 'approved', approved_at = now() WHERE id = :version"
    ),
    "content changed after it was proposed": (
        "UPDATE schedule_versions SET revision = revision + 1, content = jsonb_set(content, '{fiscal_year,end_month}', '6') WHERE id = :version"
    ),
    "earlier day": "UPDATE schedule_versions SET revision = revision + 1, effective_date = '2020-01-01' WHERE id = :version",
    "version removed": "DELETE FROM schedule_versions WHERE id = :version",
    "proposal removed": "DELETE FROM proposals WHERE id = :proposal",
    "approved at birth": (
        "INSERT INTO schedule_versions (id, number, state, note, effective_date, content, digest, created_by_kind,"
        " created_at, changed_at, approved_at) SELECT gen_random_uuid(), 99, 'approved', 'x', effective_date, content,"
        " digest, 'system', now(), now(), now() FROM schedule_versions WHERE id = :version"
    ),
    "first version changed": "UPDATE schedule_versions SET revision = revision + 1, note = 'x' WHERE number = 1",
    "revision not raised": "UPDATE schedule_versions SET state = 'refused' WHERE id = :version",
}


@pytest.mark.invariant("A1")
@pytest.mark.parametrize("forgery", FORGERIES)
def test_the_database_refuses_it_too(archive: Archive, people: People, forgery: str) -> None:
    proposed = _proposed(archive, people.heads[1])
    service.approve(archive.ctx, people.heads[0], proposed.number)
    names = {
        "proposal": proposed.proposal_id,
        "proposer": people.heads[1].id,
        "other": people.heads[2].id,
        "version": proposed.id,
    }
    with archive.ctx.database.transaction(SYSTEM) as tx:
        statement = FORGERIES[forgery]
        values = {name: value for name, value in names.items() if f":{name}" in statement}
        with pytest.raises(DBAPIError) as refused:
            tx.connection.execute(text(statement), values)
        assert isinstance(refused.value.orig, psycopg.Error)
        assert refused.value.orig.sqlstate in {"SV003", "SV004"}


@pytest.mark.invariant("L1")
def test_an_unwitnessed_change_is_refused(archive: Archive, people: People) -> None:
    drafted = service.draft(archive.ctx, people.administrator, "测试用")
    for statement in (
        schedule_versions.update().where(schedule_versions.c.id == drafted.id).values(note="悄悄改", revision=2),
        law_changes.insert().values(id=new_id(), kind="calendar", from_date=_today(archive), at=archive.clock.now()),
    ):
        with archive.ctx.database.transaction(SYSTEM) as tx:
            tx.connection.execute(statement)
            if statement.table is law_changes:
                continue  # a queue that only follows witnessed rows
            with pytest.raises(UnwitnessedChange):
                tx.commit()


@pytest.mark.clause("V3")
def test_it_takes_effect_on_its_day_and_never_in_the_past(
    archive: Archive, people: People, send: Callable[..., UUID], look: Callable[[UUID], RecordView]
) -> None:
    content = _with_period(_in_effect(archive).content, "GENERAL", 8)
    proposed = _proposed(archive, people.administrator, content, days=10)
    for head in people.heads[:2]:
        service.approve(archive.ctx, head, proposed.number)
    before = send()
    assert (look(before).retain_until.year, look(before).schedule_number) == (2031, 1)
    archive.clock.advance(timedelta(days=10))
    after = send()
    received = _today(archive)
    assert look(after).retain_until == received.replace(year=received.year + 8)
    assert look(after).schedule_number == proposed.number
    late = service.draft(archive.ctx, people.administrator, "倒签")
    archive.simulate(late.number)
    with pytest.raises(EffectiveInPast):
        service.propose(archive.ctx, people.administrator, late.number, _today(archive) - timedelta(days=1))
    waits = service.propose(archive.ctx, people.administrator, late.number, _today(archive))
    archive.clock.advance(timedelta(days=1))
    with pytest.raises(EffectiveInPast):  # its day passed while it waited
        service.approve(archive.ctx, people.heads[0], waits.number)


def test_of_two_for_the_same_day_the_one_approved_last_applies(archive: Archive, people: People) -> None:
    base = _in_effect(archive).content
    one = _proposed(archive, people.administrator, _with_period(base, "COMPLAINT", 12), days=3)
    two = _proposed(archive, people.administrator, _with_period(base, "COMPLAINT", 15), days=3)
    for version in (two, one):
        archive.clock.advance(timedelta(minutes=1))
        archive.simulate(version.number)  # the law is another since the first of them was approved
        for head in people.heads[:2]:
            service.approve(archive.ctx, head, version.number)
    archive.clock.advance(timedelta(days=3))
    assert _in_effect(archive).number == one.number


def test_a_draft_is_not_changed_over_somebody_else(archive: Archive, people: People) -> None:
    drafted = service.draft(archive.ctx, people.administrator, "草稿")
    changed = service.change(
        archive.ctx,
        people.heads[1],
        drafted.number,
        replace(drafted.content, fiscal_year=FiscalYear(6, 30)),
        seen=drafted.digest,
    )
    assert (changed.content.fiscal_year, changed.note) == (FiscalYear(6, 30), "草稿")
    with pytest.raises(ScheduleChanged):
        service.change(archive.ctx, people.administrator, drafted.number, drafted.content, seen=drafted.digest)
    archive.simulate(drafted.number)
    service.propose(archive.ctx, people.administrator, drafted.number, _today(archive))
    with pytest.raises(ScheduleNotOpen):
        service.change(archive.ctx, people.administrator, drafted.number, drafted.content, seen=changed.digest)


def test_what_cannot_be_applied_is_refused(archive: Archive, people: People, send: Callable[..., UUID]) -> None:
    content = _in_effect(archive).content
    general = content.classes[0]
    for wrong in (
        replace(content, classes=()),
        replace(content, classes=(general, general)),
        replace(content, classes=(replace(general, rule_codes=("NO-SUCH-RULE",)),)),
        replace(content, packs={**content.packs, "xx-1": "00"}),
    ):
        with pytest.raises(ScheduleInvalid):
            service.draft(archive.ctx, people.administrator, "测试用", wrong)
    send("COMPLAINT")
    without = replace(content, classes=tuple(k for k in content.classes if k.code != "COMPLAINT"))
    drafted = service.draft(archive.ctx, people.administrator, "少一类", without)
    with pytest.raises(ClassStillUsed):
        service.propose(archive.ctx, people.administrator, drafted.number, _today(archive))


@pytest.mark.parametrize("count", [500, 5_000])
def test_a_schedule_of_as_many_classes_as_a_file_may_have_is_drafted(
    archive: Archive, people: People, count: int
) -> None:
    general = _in_effect(archive).content.classes[0]
    many = tuple(replace(general, code=f"K{number:039}") for number in range(count))
    drafted = service.draft(
        archive.ctx, people.administrator, "很多类", replace(_in_effect(archive).content, classes=many)
    )
    assert len(drafted.content.classes) == count


def test_a_new_class_is_used_from_its_day(archive: Archive, people: People, send: Callable[..., UUID]) -> None:
    content = _in_effect(archive).content
    wills = ClassDefinition("WILL", "遗嘱", "Will", "YW", "D50", own_period=Period(months=600))
    proposed = _proposed(archive, people.administrator, replace(content, classes=(*content.classes, wills)), days=1)
    for head in people.heads[:2]:
        service.approve(archive.ctx, head, proposed.number)
    with pytest.raises(UnknownClass):
        send("WILL")
    archive.clock.advance(timedelta(days=1))
    send("WILL")
    with archive.ctx.database.read() as connection:
        assert "WILL" in {k.code for k in classes_in_effect(connection, archive.clock.now())}


def test_refused_and_withdrawn_versions_end(archive: Archive, people: People) -> None:
    refused = _proposed(archive, people.administrator)
    with pytest.raises(NotProposer):
        service.withdraw(archive.ctx, people.keeper, refused.number, "另有安排")
    assert service.refuse(archive.ctx, people.heads[0], refused.number, "期限过短").state is VersionState.REFUSED
    withdrawn = _proposed(archive, people.administrator)
    with pytest.raises(InvalidInput):
        service.withdraw(archive.ctx, people.administrator, withdrawn.number, " ")
    service.withdraw(archive.ctx, people.administrator, withdrawn.number, "另有安排")
    for version in (refused, withdrawn):
        with pytest.raises(ScheduleNotOpen):
            service.approve(archive.ctx, people.heads[0], version.number)
    with archive.ctx.database.read() as connection:
        now = archive.clock.now()
        assert [v.number for v in list_versions(connection, now, size=2)] == [3, 2]
        assert [v.number for v in list_versions(connection, now, after=2)] == [1]
        assert [v.number for v in list_versions(connection, now, state=VersionState.REFUSED)] == [2]


def test_versions_do_not_trouble_verification(archive: Archive, people: People, send: Callable[..., UUID]) -> None:
    send()
    archive.sequence()
    assert verify(archive.ctx).is_clean
